//! What is masked before a call leaves, and what was.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::content::Keeping;
use crate::model::Timestamp;

/// Patterns of its own that a workspace may have.
pub const MAX_MASK_PATTERNS: usize = 50;
/// Characters of a pattern.
pub const MAX_MASK_PATTERN: usize = 500;
/// Characters of a text that is tried.
pub const MAX_MASK_TRIAL: usize = 100_000;

/// A kind of thing that is found by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaskKind {
    /// Keys and tokens that are known by their look: private keys, those of clouds, code hosts and model providers, JWTs,
    /// passwords in URLs.
    Secrets,
    /// What is assigned to a name such as `password`, `secret` or `api_key`.
    Assigned,
    /// E-mail addresses.
    Email,
    /// Numbers of payment cards, by their check digit.
    Card,
    /// Numbers of bank accounts, by their check digits.
    Iban,
    /// Telephone numbers that begin with `+`.
    Phone,
    /// IP addresses, but for those of this machine.
    Ip,
}

impl MaskKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Secrets, Self::Assigned, Self::Email, Self::Card, Self::Iban, Self::Phone, Self::Ip];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::Assigned => "assigned",
            Self::Email => "email",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Phone => "phone",
            Self::Ip => "ip",
        }
    }

    /// As a person reads it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Secrets => "Keys and tokens",
            Self::Assigned => "Assigned passwords",
            Self::Email => "E-mail addresses",
            Self::Card => "Payment cards",
            Self::Iban => "Bank accounts (IBAN)",
            Self::Phone => "Telephone numbers",
            Self::Ip => "IP addresses",
        }
    }

    /// What it finds, in a sentence.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Secrets => {
                "Private keys, keys of clouds, code hosts, chat and model providers, JWTs, passwords in URLs: known by their look."
            }
            Self::Assigned => {
                "What is assigned to password, secret, token or api_key and has letters and digits. Finds more, and errs more."
            }
            Self::Email => "name@example.org, but not git@.",
            Self::Card => "13 to 19 digits whose check digit fits.",
            Self::Iban => "With check digits that fit.",
            Self::Phone => "International, beginning with +.",
            Self::Ip => "Version 4 and 6, but for 127.0.0.1 and the like.",
        }
    }

    /// Reads [`MaskKind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A pattern that a workspace masks beside the usual ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskPattern {
    /// What it finds, as placeholders and the log name it: 1 to 32 lower-case letters, digits and `_`, a letter first.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,31}$")]
    pub name: String,
    /// A regular expression, 1 to 500 characters. Where it has a group, the first group is masked, else the whole.
    #[schema(min_length = 1, max_length = 500)]
    pub pattern: String,
}

/// What a workspace wants masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactionDraft {
    /// What is found by itself. Empty for nothing.
    pub kinds: Vec<MaskKind>,
    /// Patterns beside it, at most 50.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub patterns: Vec<MaskPattern>,
    /// What is kept of requests and answers, masked.
    #[serde(default)]
    pub keep: Keeping,
}

impl Default for RedactionDraft {
    /// What holds where nobody ever said anything.
    fn default() -> Self {
        Self { kinds: vec![MaskKind::Secrets], patterns: Vec::new(), keep: Keeping::default() }
    }
}

impl RedactionDraft {
    /// Whether nothing is masked.
    pub const fn is_off(&self) -> bool {
        self.kinds.is_empty() && self.patterns.is_empty()
    }
}

/// What a workspace wants masked, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Redaction {
    /// What is found by itself.
    pub kinds: Vec<MaskKind>,
    /// Patterns beside it.
    pub patterns: Vec<MaskPattern>,
    /// What is kept of requests and answers, masked.
    pub keep: Keeping,
    /// Counts the changes; 0 when nobody ever changed it.
    pub revision: i64,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

impl Redaction {
    /// What is masked, as somebody would ask for it.
    pub fn draft(&self) -> RedactionDraft {
        RedactionDraft { kinds: self.kinds.clone(), patterns: self.patterns.clone(), keep: self.keep }
    }
}

/// What was masked in a call: how often, and never the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Masked {
    /// What was found, such as `github_token`, `email`, or the name of a pattern.
    pub what: String,
    /// In how many places.
    pub count: u32,
}

impl Masked {
    /// All of it in words, such as `email 2, github_token 1`.
    pub fn words(all: &[Self]) -> String {
        all.iter().map(|one| format!("{} {}", one.what, one.count)).collect::<Vec<_>>().join(", ")
    }
}

/// A text to try masking with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactionTrial {
    /// At most 100,000 characters.
    #[schema(max_length = 100_000)]
    pub text: String,
    /// With these rules; the workspace's when absent.
    #[serde(default)]
    pub rules: Option<RedactionDraft>,
}

/// A text as a provider would get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RedactionTried {
    /// With placeholders.
    pub text: String,
    /// What they stand for.
    pub masked: Vec<Masked>,
}
