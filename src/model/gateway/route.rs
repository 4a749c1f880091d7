//! Routes: which models are asked, in which order; and why it was this one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::context::{ContextRule, ContextUse};
use super::fault::FaultClass;
use super::policy::Policy;
use super::task::Level;
use crate::model::cache::CacheMode;
use crate::model::{ProviderId, RouteId, Timestamp};

/// A model of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Whose.
    pub provider_id: ProviderId,
    /// Which.
    pub model: String,
    /// Its chance where the route draws by weight, 0..=1000; 0 switches it off in every route.
    #[serde(default = "one")]
    pub weight: u32,
    /// The hardest task that it takes, where the route goes by the task.
    #[serde(default)]
    pub takes: Level,
}

const fn one() -> u32 {
    1
}

impl Target {
    /// A model that takes everything.
    pub fn new(provider_id: ProviderId, model: impl Into<String>) -> Self {
        Self { provider_id, model: model.into(), weight: 1, takes: Level::default() }
    }
}

/// A route to add or to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteDraft {
    /// 1..=60 letters, digits, `-`, `_` and `.`; callers send it as the model. `default` is taken where nobody names one.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Who is asked, in this order; 1..=10.
    pub targets: Vec<Target>,
    /// What may change that order.
    #[serde(default)]
    pub policy: Policy,
    /// Which of its answers are kept, where the caller and its key do not say.
    #[serde(default)]
    pub cache: CacheMode,
    /// How long a conversation may get, and what is done once it is longer. Absent: as long as a model is known to hold.
    #[serde(default)]
    pub context: Option<ContextRule>,
}

/// An ordered choice of models under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who is asked, in this order.
    pub targets: Vec<Target>,
    /// What may change that order.
    pub policy: Policy,
    /// Which of its answers are kept.
    pub cache: CacheMode,
    /// How long a conversation may get, and what is done once it is longer.
    #[serde(default)]
    pub context: Option<ContextRule>,
    /// The value for `If-Match`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// What became of one of those that could have answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Verdict {
    /// It answers.
    Answers,
    /// It was not asked, because its answer was kept.
    Kept,
    /// It was not asked, because its answer to a question that means the same was kept.
    Alike {
        /// How like that is, and how sure that the answer is the same.
        why: String,
    },
    /// It was not asked, because it lacks what the call needs.
    Lacks {
        /// What, in words.
        what: String,
    },
    /// It was not asked, because it rests after failures.
    Rests {
        /// Until it is tried again.
        for_ms: u64,
    },
    /// It was asked and did not answer.
    Failed {
        /// Why.
        class: FaultClass,
        /// In words.
        message: String,
    },
}

/// One of those that could have answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tried {
    /// The provider's name.
    pub provider: String,
    /// The model.
    pub model: String,
    /// How often it was asked.
    pub attempts: u32,
    /// What became of it.
    pub verdict: Verdict,
}

/// Why it was this model: what was asked for, how that was read, and what became of each that could have answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Choice {
    /// What was asked for; empty for the workspace's default.
    pub asked: String,
    /// How it was read, such as "the route smart" or "a model of acme".
    pub rule: String,
    /// In the order in which they were looked at.
    pub tried: Vec<Tried>,
    /// What budgets had to say, such as "Team: 83 % of $10.00".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<String>,
    /// What was left out of the conversation, so that it fits; absent for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextUse>,
}

impl Choice {
    /// In one sentence.
    pub fn why(&self) -> String {
        let parts = self.tried.iter().map(|tried| {
            let name = format!("{}/{}", tried.provider, tried.model);
            match &tried.verdict {
                Verdict::Answers if tried.attempts > 1 => format!("{name} answered at attempt {}", tried.attempts),
                Verdict::Answers => format!("{name} answered"),
                Verdict::Kept => format!("an answer of {name} was kept"),
                Verdict::Alike { why } => {
                    format!("an answer of {name} to a question that means the same was kept ({why})")
                }
                Verdict::Lacks { what } => format!("{name} {what}"),
                Verdict::Rests { for_ms } => format!("{name} rests for {} s more", for_ms.div_ceil(1000)),
                Verdict::Failed { class, .. } => format!("{name} failed ({})", class.as_str()),
            }
        });
        let left_out = self.context.as_ref().map(ContextUse::words);
        let parts: Vec<String> = std::iter::once(self.rule.clone()).chain(parts).chain(left_out).collect();
        parts.join("; ")
    }
}
