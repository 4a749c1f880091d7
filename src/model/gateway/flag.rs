//! Flags: who already gets what is being rolled out. A model of a route can stand behind one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::auth::Role;
use crate::model::{AgentId, ApiKeyId, FlagChangeId, FlagId, Timestamp, UserId};

/// Parts that those who ask are divided into: a flag takes as many of them as its percentage says.
pub const FLAG_BUCKETS: u32 = 100;
/// Most names in one list of [`FlagAudience`].
pub const MOST_FLAG_NAMES: usize = 50;

/// What stays on one side of a flag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StickyBy {
    /// A session: the conversation of a program, or the run of a step. Without one, as [`StickyBy::User`].
    #[default]
    Session,
    /// A person; where none asks, the key or the agent, else the session.
    User,
}

impl StickyBy {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Session, Self::User];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
        }
    }

    /// Reads [`StickyBy::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == text)
    }

    /// As people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Session => "A session stays on its side",
            Self::User => "A person stays on their side",
        }
    }
}

/// For whom a flag is: whoever stands in one of the lists. For everybody where all are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FlagAudience {
    /// People with one of these roles; at most 50, as in each of the lists.
    pub roles: Vec<Role>,
    /// These people.
    pub users: Vec<UserId>,
    /// These agents, whoever started them.
    pub agents: Vec<AgentId>,
    /// Programs with one of these keys of the gateway.
    pub keys: Vec<ApiKeyId>,
}

impl FlagAudience {
    /// Whether nobody is named, so that it is for all.
    pub const fn is_everybody(&self) -> bool {
        self.roles.is_empty() && self.users.is_empty() && self.agents.is_empty() && self.keys.is_empty()
    }
}

/// A flag to add or to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagDraft {
    /// 1..=60 letters, digits, `-`, `_` and `.`; routes name it.
    pub name: String,
    /// What it rolls out; at most 1000 characters.
    #[serde(default)]
    pub description: String,
    /// Whether it takes anybody.
    #[serde(default)]
    pub enabled: bool,
    /// Of those whom it is for, so many of a hundred, 0..=100. Who was taken stays taken while it grows.
    #[serde(default)]
    pub percent: u32,
    /// What stays on one side.
    #[serde(default)]
    pub sticky_by: StickyBy,
    /// For whom it is.
    #[serde(default)]
    pub audience: FlagAudience,
}

/// Who already gets what is being rolled out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Flag {
    /// Its id. Who is on which side goes by it, so that another name changes nothing.
    pub id: FlagId,
    /// Its name.
    pub name: String,
    /// What it rolls out.
    pub description: String,
    /// Whether it takes anybody.
    pub enabled: bool,
    /// So many of a hundred.
    pub percent: u32,
    /// What stays on one side.
    pub sticky_by: StickyBy,
    /// For whom it is.
    pub audience: FlagAudience,
    /// The value for `If-Match`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl Flag {
    /// As it would be sent to be changed.
    pub fn draft(&self) -> FlagDraft {
        FlagDraft {
            name: self.name.clone(),
            description: self.description.clone(),
            enabled: self.enabled,
            percent: self.percent,
            sticky_by: self.sticky_by,
            audience: self.audience.clone(),
        }
    }
}

/// A flag, and where it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlagState {
    /// The flag.
    pub flag: Flag,
    /// The routes that have a model behind it, by name. While there is one it can neither be deleted nor get another name.
    pub routes: Vec<String>,
}

/// Who changed what of a flag, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlagChange {
    /// Its id.
    pub id: FlagChangeId,
    /// Of which flag, which may be gone.
    pub flag_id: FlagId,
    /// What it was called after the change.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// The person; absent for the program itself, such as its command line.
    pub user_id: Option<UserId>,
    /// Their name at that time; empty for the program itself.
    pub by: String,
    /// As it was; absent where it was added.
    pub before: Option<FlagDraft>,
    /// As it is since; absent where it was deleted.
    pub after: Option<FlagDraft>,
}

impl FlagChange {
    /// What was changed, in words.
    pub fn words(&self) -> String {
        let (before, after) = match (&self.before, &self.after) {
            (None, Some(after)) => return format!("added {}, {}", side(after), percent(after)),
            (_, None) => return "deleted".to_owned(),
            (Some(before), Some(after)) => (before, after),
        };
        let mut parts = Vec::new();
        if before.enabled != after.enabled {
            parts.push(format!("switched {}", side(after)));
        }
        if before.percent != after.percent {
            parts.push(format!("{} % to {}", before.percent, percent(after)));
        }
        if before.name != after.name {
            parts.push(format!("renamed, it was {}", before.name));
        }
        if before.audience != after.audience {
            parts.push("for others".to_owned());
        }
        if before.sticky_by != after.sticky_by {
            parts.push(format!("sticky by {}", after.sticky_by.as_str()));
        }
        if before.description != after.description {
            parts.push("described in other words".to_owned());
        }
        if parts.is_empty() { "saved as it was".to_owned() } else { parts.join("; ") }
    }
}

const fn side(draft: &FlagDraft) -> &'static str {
    if draft.enabled { "on" } else { "off" }
}

fn percent(draft: &FlagDraft) -> String {
    format!("{} %", draft.percent)
}

/// By what a call was put on a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlagSubject {
    /// The session.
    Session,
    /// The person.
    User,
    /// The key.
    Key,
    /// The agent.
    Agent,
    /// Nothing that stays: it is drawn for each call.
    Call,
}

impl FlagSubject {
    /// As people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "person",
            Self::Key => "key",
            Self::Agent => "agent",
            Self::Call => "call",
        }
    }
}

/// What a flag says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum FlagVerdict {
    /// It takes it: the models behind it are asked.
    Takes {
        /// By what it was put there.
        by: FlagSubject,
        /// Where it is, 0..=99: below the percentage.
        bucket: u32,
    },
    /// It does not.
    LeavesOut {
        /// By what it was put there.
        by: FlagSubject,
        /// Where it is, 0..=99: not below the percentage.
        bucket: u32,
    },
    /// It is switched off.
    Off,
    /// It is for others.
    NotForThem,
    /// There is no such flag any more.
    Gone,
}

/// What a flag of a route says to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlagTold {
    /// Its name.
    pub flag: String,
    /// So many of a hundred.
    pub percent: u32,
    /// What it says.
    pub verdict: FlagVerdict,
}

impl FlagTold {
    /// Whether the models behind it are asked.
    pub const fn takes(&self) -> bool {
        matches!(self.verdict, FlagVerdict::Takes { .. })
    }

    /// In words.
    pub fn words(&self) -> String {
        let (flag, percent) = (&self.flag, self.percent);
        match self.verdict {
            FlagVerdict::Takes { by, bucket } => {
                format!("the flag {flag} takes this {}: bucket {bucket}, below {percent} %", by.label())
            }
            FlagVerdict::LeavesOut { by, bucket } => {
                format!("the flag {flag} leaves this {} out: bucket {bucket}, not below {percent} %", by.label())
            }
            FlagVerdict::Off => format!("the flag {flag} is off"),
            FlagVerdict::NotForThem => format!("the flag {flag} is for others"),
            FlagVerdict::Gone => format!("the flag {flag} is gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(enabled: bool, percent: u32) -> FlagDraft {
        FlagDraft {
            name: "new".into(),
            description: String::new(),
            enabled,
            percent,
            sticky_by: StickyBy::Session,
            audience: FlagAudience::default(),
        }
    }

    fn words(before: Option<FlagDraft>, after: Option<FlagDraft>) -> String {
        let nil = uuid::Uuid::nil();
        let (id, flag_id) = (FlagChangeId(nil), FlagId(nil));
        let (name, by) = ("new".to_owned(), String::new());
        FlagChange { id, flag_id, name, at: Timestamp(0), user_id: None, by, before, after }.words()
    }

    #[test]
    fn a_change_is_said_in_words() {
        assert_eq!(words(None, Some(draft(false, 5))), "added off, 5 %");
        assert_eq!(words(Some(draft(false, 5)), Some(draft(true, 25))), "switched on; 5 % to 25 %");
        assert_eq!(words(Some(draft(true, 5)), None), "deleted");
        assert_eq!(words(Some(draft(true, 5)), Some(draft(true, 5))), "saved as it was");
        let audience = FlagAudience { roles: vec![Role::Owner], ..FlagAudience::default() };
        let other = FlagDraft { name: "newer".into(), sticky_by: StickyBy::User, audience, ..draft(true, 5) };
        assert_eq!(words(Some(draft(true, 5)), Some(other)), "renamed, it was new; for others; sticky by user");
    }

    #[test]
    fn what_a_flag_says_names_it_with_the_bucket_and_the_percentage() {
        let told = |verdict| FlagTold { flag: "new".into(), percent: 25, verdict };
        let takes = told(FlagVerdict::Takes { by: FlagSubject::Session, bucket: 12 });
        assert_eq!(
            (takes.takes(), takes.words().as_str()),
            (true, "the flag new takes this session: bucket 12, below 25 %")
        );
        let out = told(FlagVerdict::LeavesOut { by: FlagSubject::User, bucket: 25 });
        let said = "the flag new leaves this person out: bucket 25, not below 25 %";
        assert_eq!((out.takes(), out.words().as_str()), (false, said));
        assert!(!told(FlagVerdict::Off).takes());
    }
}
