//! How long the entries of a namespace and all below it are kept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EntryName, is_within};
use crate::model::{FieldError, Timestamp};

/// The most days.
pub const MAX_RETENTION_DAYS: u32 = 3_650;
/// Rules of a workspace.
pub const MAX_RETENTIONS: i64 = 100;
/// Entries that a preview names.
pub const PREVIEWED: u32 = 5;

/// What the days are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeptFrom {
    /// The first version of the entry.
    Created,
    /// Its newest version.
    #[default]
    Changed,
    /// When somebody was last given it, opened or found; of what nobody was given, and of what was changed since, its newest version.
    Read,
}

impl KeptFrom {
    /// Every word, for forms.
    pub const ALL: [Self; 3] = [Self::Created, Self::Changed, Self::Read];

    /// The word as stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Read => "read",
        }
    }

    /// Reads [`KeptFrom::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == text)
    }

    /// The same for people, as the end of "entries are kept for so many days".
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Created => "after they were made",
            Self::Changed => "after their last change",
            Self::Read => "after somebody last read or changed them",
        }
    }
}

/// How long entries are kept. Unknown fields are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NamespaceRetention)]
pub struct Retention {
    /// 1..=3650.
    pub days: u32,
    /// `changed` when absent.
    #[serde(default)]
    pub from: KeptFrom,
}

impl Retention {
    /// What does not fit.
    pub fn check(&self) -> Vec<FieldError> {
        if (1..=MAX_RETENTION_DAYS).contains(&self.days) {
            return Vec::new();
        }
        vec![FieldError::new("/days", format!("expected 1 to {MAX_RETENTION_DAYS} days"))]
    }

    /// The moment up to which what the days are counted from must lie for an entry to go now.
    pub fn until(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(-i64::from(self.days) * 86_400_000)
    }

    /// The rule in words, as the end of "entries are kept".
    pub fn phrase(&self) -> String {
        let days = if self.days == 1 { "one day".to_owned() } else { format!("{} days", self.days) };
        format!("for {days} {}", self.from.phrase())
    }
}

/// A rule as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionRule {
    /// The namespace that it was made for; it holds there and below, but where a rule of a longer path does.
    pub path: String,
    /// Days.
    pub days: u32,
    /// What they are counted from.
    pub from: KeptFrom,
    /// Who said so last; absent for the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// When.
    pub set_at: Timestamp,
    /// How many entries went by it so far.
    pub removed: i64,
    /// When the last one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
}

impl RetentionRule {
    /// What it says.
    pub const fn retention(&self) -> Retention {
        Retention { days: self.days, from: self.from }
    }

    /// The rule that holds for a namespace: of those over it the one of the longest path. Pure.
    pub fn in_force<'a>(rules: &'a [Self], namespace: &str) -> Option<&'a Self> {
        rules.iter().filter(|rule| is_within(namespace, &rule.path)).max_by_key(|rule| rule.path.len())
    }
}

/// What a rule would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionPreview {
    /// Entries that would go at once.
    pub removes: i64,
    /// The first of them by namespace and key, at most 5.
    pub first: Vec<EntryName>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_the_longest_path_holds() {
        let rule = |path: &str, days| RetentionRule {
            path: path.to_owned(),
            days,
            from: KeptFrom::Changed,
            set_by: None,
            set_at: Timestamp(0),
            removed: 0,
            removed_at: None,
        };
        let rules = [rule("code", 90), rule("code/db", 7), rule("other", 1)];
        let days = |path: &str| RetentionRule::in_force(&rules, path).map(|rule| rule.days);
        assert_eq!(
            ["code", "code/web", "code/db", "code/db/pg", "code/dbx", "codec", ""].map(days),
            [Some(90), Some(90), Some(7), Some(7), Some(90), None, None]
        );
    }

    #[test]
    fn days_lie_between_a_day_and_ten_years() {
        for (days, fits) in [(0, false), (1, true), (3_650, true), (3_651, false)] {
            assert_eq!(Retention { days, from: KeptFrom::Read }.check().is_empty(), fits, "{days}");
        }
        let said = Retention { days: 1, from: KeptFrom::Created }.phrase();
        assert_eq!(said, "for one day after they were made");
        assert!(KeptFrom::ALL.into_iter().all(|word| KeptFrom::parse(word.as_str()) == Some(word)));
    }
}
