//! Entries that are set aside until a person has looked at them, and what a workspace wants done about what is written.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Source, Trust};
use crate::model::{FieldError, Timestamp};

/// Longest reason that a person gives, in characters.
pub const MAX_REASON_CHARS: usize = 500;

/// That an entry is, or was, set aside: no search, step or agent finds it until a person releases it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quarantine {
    /// Since when.
    pub at: Timestamp,
    /// Who did it; absent when it was the rule of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Source>,
    /// Why, as sentences' ends; empty when a person gave no reason.
    pub reasons: Vec<String>,
    /// Who let it out again; absent while it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Release>,
}

/// That a person let an entry out of quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Release {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Source,
}

impl Quarantine {
    /// Whether the entry is still set aside.
    pub const fn is_held(&self) -> bool {
        self.released.is_none()
    }

    /// The same, let out.
    #[must_use]
    pub fn released(self, at: Timestamp, by: Source) -> Self {
        Self { released: Some(Release { at, by }), ..self }
    }
}

/// What becomes of a new entry that says nearly the same as another of its namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// Both are kept; nobody looks.
    #[default]
    Keep,
    /// The older one gets it as a new version.
    Merge,
    /// It is refused, with the name of the other.
    Refuse,
}

impl Duplicates {
    /// Every word, for forms.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Merge, Self::Refuse];

    /// The word as stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Merge => "merge",
            Self::Refuse => "refuse",
        }
    }

    /// Reads [`Duplicates::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == text)
    }
}

/// What a workspace wants done about what is written. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemorySettings {
    /// New words with one of these labels are looked at, and set aside where they are suspicious; `user` is none of them.
    pub quarantine: Vec<Trust>,
    /// What becomes of new entries that say nearly the same as another; `keep` when absent.
    #[serde(default)]
    pub duplicates: Duplicates,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self { quarantine: vec![Trust::Model, Trust::Web], duplicates: Duplicates::Keep }
    }
}

impl MemorySettings {
    /// What does not fit.
    pub fn check(&self) -> Vec<FieldError> {
        let at = self.quarantine.iter().position(|trust| *trust == Trust::User);
        let told =
            |at| FieldError::new(format!("/quarantine/{at}"), "expected tool, model or web: people are not looked at");
        at.map(told).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_never_looked_at() {
        assert!(MemorySettings::default().check().is_empty());
        let wrong = MemorySettings { quarantine: vec![Trust::Web, Trust::User], ..MemorySettings::default() };
        assert_eq!(wrong.check()[0].pointer, "/quarantine/1");
    }
}
