//! What answers depend on, and the news that it changed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::DEPENDENCIES;
use super::wish::check_fingerprint;
use crate::model::FieldError;

/// Longest id of what an answer depends on, in bytes.
pub const MAX_SOURCE_ID: usize = 512;
/// Longest fingerprint, in bytes.
pub const MAX_FINGERPRINT: usize = 256;

/// What kind of thing an answer depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A file.
    File,
    /// An entry of the memory; its id is `namespace/key`. Weft notices itself when it is written.
    Memory,
    /// A prompt that is kept elsewhere.
    Prompt,
    /// A tool in a version.
    Tool,
    /// Anything else.
    Other,
}

impl SourceKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::File, Self::Memory, Self::Prompt, Self::Tool, Self::Other];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Memory => "memory",
            Self::Prompt => "prompt",
            Self::Tool => "tool",
            Self::Other => "other",
        }
    }

    /// Reads [`SourceKind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something that answers may depend on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRef {
    /// What it is.
    pub kind: SourceKind,
    /// Which: a path, a name; 1..=512 bytes. Taken as it is: nothing in it is folded.
    pub id: String,
}

impl SourceRef {
    /// What is wrong with it, at this pointer.
    pub fn check(&self, at: &str) -> Option<FieldError> {
        let fits = !self.id.is_empty() && self.id.len() <= MAX_SOURCE_ID && !self.id.contains('\0');
        (!fits).then(|| FieldError::new(format!("{at}/id"), format!("expected 1 to {MAX_SOURCE_ID} bytes")))
    }
}

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// What it is.
    pub kind: SourceKind,
    /// Which.
    pub id: String,
    /// Its state as whoever asks sees it, such as a digest or a version; absent: as Weft last heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

impl Dependency {
    /// What it is about.
    pub fn source(&self) -> SourceRef {
        SourceRef { kind: self.kind, id: self.id.clone() }
    }
}

/// Tells that something changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceChange {
    /// What it is.
    pub kind: SourceKind,
    /// Which: 1..=512 bytes.
    pub id: String,
    /// Its state now, such as a digest or a version: 1..=256 bytes.
    pub fingerprint: String,
    /// What it depends on itself, at most 64; absent: as before.
    #[serde(default)]
    pub depends_on: Option<Vec<SourceRef>>,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceChanged {
    /// Whether that was news.
    pub changed: bool,
    /// How many kept answers depended on it, and are gone.
    pub invalidated: i64,
}

impl SourceChange {
    /// What it is about.
    pub fn source(&self) -> SourceRef {
        SourceRef { kind: self.kind, id: self.id.clone() }
    }

    /// Each field that does not fit.
    pub fn check(&self) -> Vec<FieldError> {
        let mut faults: Vec<FieldError> = self.source().check("").into_iter().collect();
        faults.extend(check_fingerprint(Some(&self.fingerprint), ""));
        let needs = self.depends_on.as_deref().unwrap_or_default();
        if needs.len() > DEPENDENCIES {
            faults.push(FieldError::new("/depends_on", format!("expected at most {DEPENDENCIES}")));
        }
        for (at, need) in needs.iter().enumerate() {
            let place = format!("/depends_on/{at}");
            faults.extend(need.check(&place));
            if *need == self.source() {
                faults.push(FieldError::new(place, "nothing depends on itself"));
            }
        }
        faults
    }
}
