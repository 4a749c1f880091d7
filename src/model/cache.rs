//! The vocabulary of the response cache: what a caller may wish of it, what an answer depends on, what is kept and what that saves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::gateway::Usage;
use super::{CacheEntryId, FieldError, ProviderId, Timestamp, UserId};

mod report;
mod semantic;
mod source;
mod wish;

pub use report::{CacheBucket, CacheReport, TierReport};
pub use semantic::{ERROR_BUDGETS, SemanticHit, SemanticReport, SemanticSettings, wilson};
pub use source::{Dependency, MAX_FINGERPRINT, MAX_SOURCE_ID, SourceChange, SourceChanged, SourceKind, SourceRef};
pub use wish::{CacheWish, DEPENDENCIES, parse_dependencies};

/// The longest time before a schedule fires in which answers are asked for anew for it: a day.
const MAX_WARM_MINUTES: u32 = 1_440;

/// Whether answers are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheMode {
    /// Where the same question always has the same answer: temperature 0, and no tools.
    #[default]
    Auto,
    /// Whatever is asked.
    Always,
    /// Never.
    Never,
}

impl CacheMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// As a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Auto => "At temperature 0, without tools",
            Self::Always => "Every answer",
            Self::Never => "No answer",
        }
    }

    /// Reads [`CacheMode::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    /// The first that says something; the nearest to the caller comes first.
    pub fn first_said(modes: impl IntoIterator<Item = Self>) -> Self {
        modes.into_iter().find(|mode| *mode != Self::Auto).unwrap_or_default()
    }
}

/// What became of a question to the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheOutcome {
    /// The answer was there.
    Hit,
    /// It was not.
    Miss,
}

impl CacheOutcome {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
        }
    }

    /// Reads [`CacheOutcome::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Hit, Self::Miss].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Where a kept answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheTier {
    /// In this process.
    Memory,
    /// In the database.
    Database,
    /// On its way: somebody asked the same at that moment.
    Shared,
    /// In the database, for a question that means the same.
    Semantic,
}

impl CacheTier {
    /// Every tier, the fastest first.
    pub const ALL: [Self; 4] = [Self::Memory, Self::Database, Self::Shared, Self::Semantic];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Database => "database",
            Self::Shared => "shared",
            Self::Semantic => "semantic",
        }
    }

    /// Reads [`CacheTier::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text)
    }
}

/// What the cache did for a call.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CacheUse {
    /// Whether the answer was there.
    pub outcome: CacheOutcome,
    /// Where, on a hit.
    pub tier: Option<CacheTier>,
    /// Which, on a hit; it may be gone.
    pub entry_id: Option<CacheEntryId>,
    /// Tokens that nobody had to read and write.
    pub saved: Usage,
    /// What they would have cost, in millionths of a US dollar; absent when the model has no price.
    pub saved_micros: Option<i64>,
    /// How long the cache was asked, in microseconds; on a hit of the tier `shared` with the wait, and where it was asked by
    /// meaning with the time that the embedder took.
    pub took_us: i64,
    /// How old the answer is, in milliseconds; 0 on a miss.
    #[serde(default)]
    pub age_ms: i64,
    /// How like the question of the answer is to what was asked, on a hit of the tier `semantic`: a cosine.
    #[serde(default)]
    pub similarity: Option<f64>,
}

/// Among whom an answer is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Everybody in the workspace.
    Workspace,
    /// One person, and the keys that they made.
    User,
    /// One key, whose maker is unknown.
    Key,
}

impl Sharing {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::User => "user",
            Self::Key => "key",
        }
    }

    /// Reads [`Sharing::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Workspace, Self::User, Self::Key].into_iter().find(|sharing| sharing.as_str() == text)
    }
}

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeptAnswer {
    /// Its id.
    pub id: CacheEntryId,
    /// Who answered.
    pub provider_id: ProviderId,
    /// Its name then.
    pub provider: String,
    /// The model that was asked.
    pub model: String,
    /// The route by which it was asked; empty for none.
    pub route: String,
    /// Among whom it is shared.
    pub sharing: Sharing,
    /// The name of the person or the key that it belongs to, if to one.
    pub owner: Option<String>,
    /// Bytes that it takes.
    pub bytes: i64,
    /// Tokens that were read for it.
    pub read_tokens: i64,
    /// Tokens that were written.
    pub written_tokens: i64,
    /// How often it was given.
    pub hits: i64,
    /// What that saved, in millionths of a US dollar.
    pub saved_micros: i64,
    /// When it was kept.
    pub created_at: Timestamp,
    /// When it was given last; when it was kept, if never.
    pub used_at: Timestamp,
    /// Until when it is given.
    pub expires_at: Timestamp,
    /// When somebody said that it is wrong: it is neither given nor replaced until that is taken back.
    pub wrong_at: Option<Timestamp>,
    /// The name of who said so.
    pub wrong_by: Option<String>,
}

/// An answer that is kept, with what was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeptDetail {
    /// What is known of it.
    #[serde(flatten)]
    pub kept: KeptAnswer,
    /// What it depends on.
    pub depends_on: Vec<Dependency>,
    /// The request as the provider got it. Absent where it belongs to somebody else, was too long to keep, or can't be decrypted.
    pub request: Option<serde_json::Value>,
    /// The answer's words; absent as the request.
    pub text: Option<String>,
    /// The whole answer; absent as the request.
    pub answer: Option<serde_json::Value>,
    /// Why there are no words, in a sentence.
    pub withheld: Option<String>,
}

/// Which kept answers are listed. What is absent narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeptFilter {
    /// Only of models whose name, as `provider/model`, has this in it.
    pub model: Option<String>,
    /// Only what was asked by this route.
    pub route: Option<String>,
    /// Only those that somebody called wrong, or only the others.
    pub wrong: Option<bool>,
    /// Kept from then on.
    pub since: Option<Timestamp>,
    /// Kept before then.
    pub until: Option<Timestamp>,
}

/// Which kept answers are thrown away. At least one field; those that fit all that are given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Invalidation {
    /// `true` for all.
    pub all: bool,
    /// Of this model, as `provider/model`.
    pub model: Option<String>,
    /// Kept when it was asked by this route.
    pub route: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invalidated {
    /// How many are gone. Those that are called wrong stay.
    pub invalidated: i64,
}

/// Among whom answers to programs are shared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Programs {
    /// The keys of one person, and that person.
    #[default]
    Person,
    /// Everybody in the workspace.
    Workspace,
}

impl Programs {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Workspace => "workspace",
        }
    }

    /// Reads [`Programs::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Person, Self::Workspace].into_iter().find(|one| one.as_str() == text)
    }
}

/// What a workspace wants of its cache.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheSettings {
    /// Whether answers are kept and given at all.
    pub enabled: bool,
    /// Among whom answers to programs are shared. Those to steps are shared in the workspace.
    #[serde(default)]
    pub programs: Programs,
    /// Answers to questions that only mean the same; off where it is absent.
    #[serde(default)]
    pub semantic: SemanticSettings,
    /// So many minutes before a schedule fires, answers that its last two runs both asked for, and whose time would be over, are asked
    /// for anew: 0..=1440, where 0 is never.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1440)]
    pub warm_minutes: u32,
}

impl CacheSettings {
    /// What does not fit.
    pub fn check(&self) -> Vec<FieldError> {
        let mut faults = self.semantic.check();
        if self.warm_minutes > MAX_WARM_MINUTES {
            faults.push(FieldError::new("/warm_minutes", format!("expected 0 to {MAX_WARM_MINUTES}")));
        }
        faults
    }
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { enabled: true, programs: Programs::Person, semantic: SemanticSettings::default(), warm_minutes: 0 }
    }
}

/// Whose answers a person sees: their own, and those of the workspace.
pub fn is_foreign(sharing: Sharing, owner: Option<UserId>, me: Option<UserId>) -> bool {
    match sharing {
        Sharing::Workspace => false,
        Sharing::User => owner.is_none() || owner != me,
        Sharing::Key => true,
    }
}
