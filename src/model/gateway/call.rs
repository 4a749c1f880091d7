//! The log of calls, and sums over it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::redaction::Masked;
use super::response::Usage;
use super::route::Choice;
use super::tokens::TokensBy;
use crate::model::cache::CacheUse;
use crate::model::{AgentId, ApiKeyId, CallId, ProviderId, RunId, Timestamp, UserId};

/// Who caused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallSource {
    /// A program that is pointed at the gateway.
    Proxy,
    /// A step of a run.
    Step,
    /// Memory, which makes vectors of entries and of questions.
    Memory,
    /// The response cache, which makes vectors of questions, checks what it gave, and asks anew what schedules will ask for.
    Cache,
    /// A conversation that is too long, of which the old part is summarized.
    Context,
}

impl CallSource {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Step => "step",
            Self::Memory => "memory",
            Self::Cache => "cache",
            Self::Context => "context",
        }
    }

    /// Reads [`CallSource::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Proxy, Self::Step, Self::Memory, Self::Cache, Self::Context]
            .into_iter()
            .find(|source| source.as_str() == text)
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// With a whole answer.
    Complete,
    /// With a part of one: the provider or the one who asked broke off.
    Partial,
    /// With none.
    Failed,
    /// It was sent, and nobody waited until its answer began: the time was up, who asked had left, or another was faster. What it
    /// took is an estimate.
    Cancelled,
}

impl CallOutcome {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Complete, Self::Partial, Self::Failed, Self::Cancelled];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads [`CallOutcome::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// A call, kept once, when it has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallRecord {
    /// Its id.
    pub id: CallId,
    /// When it was made.
    pub at: Timestamp,
    /// Who caused it.
    pub source: CallSource,
    /// The person, if one did.
    pub user_id: Option<UserId>,
    /// The key, if one was used.
    pub key_id: Option<ApiKeyId>,
    /// The run, if a step did.
    pub run_id: Option<RunId>,
    /// The step's path.
    pub step: Option<String>,
    /// The agent, if one asked.
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    /// The conversation that a program says its call belongs to; at most 200 characters.
    #[serde(default)]
    pub session: Option<String>,
    /// Who answered, or was asked last.
    pub provider_id: Option<ProviderId>,
    /// Its name then; empty when nobody was asked.
    pub provider: String,
    /// The model that was asked.
    pub model: String,
    /// Why it was this one.
    pub choice: Choice,
    /// How it ended.
    pub outcome: CallOutcome,
    /// Why it failed or broke off.
    pub error: Option<String>,
    /// What it took.
    pub usage: Usage,
    /// Whether some of that is an estimate, because the provider did not tell.
    pub estimated: bool,
    /// Where that is from; of several numbers, the one that says least.
    #[serde(default)]
    pub tokens_by: TokensBy,
    /// Millionths of a US dollar; absent when the model has no price.
    pub cost_micros: Option<i64>,
    /// Until the answer began, in milliseconds.
    pub first_token_ms: Option<i64>,
    /// Until it ended.
    pub took_ms: i64,
    /// What the cache did for it; absent when it was not asked.
    #[serde(default)]
    pub cache: Option<CacheUse>,
    /// What was masked before it left, and how often; never the values.
    #[serde(default)]
    pub masked: Vec<Masked>,
}

/// A call with the names of who made it, as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallLine {
    /// The call.
    #[serde(flatten)]
    pub call: CallRecord,
    /// The person's name.
    pub user: Option<String>,
    /// The key's name; absent when the key is gone.
    pub key: Option<String>,
    /// The agent's name; absent when the agent is gone.
    #[serde(default)]
    pub agent: Option<String>,
}

/// Which calls are listed. What is absent narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CallFilter {
    /// Only of this run.
    pub run_id: Option<RunId>,
    /// Only with this key.
    pub key_id: Option<ApiKeyId>,
    /// Only of this agent.
    pub agent_id: Option<AgentId>,
    /// Only of this conversation, as programs name it.
    pub session: Option<String>,
    /// Only of this model, as sums name it: `provider/model`.
    pub model: Option<String>,
    /// Only of the provider of this name.
    pub provider: Option<String>,
    /// Only those that ended so.
    pub outcome: Option<CallOutcome>,
    /// From then on.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

/// What sums are over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SumBy {
    /// The model, with its provider.
    #[default]
    Model,
    /// The provider.
    Provider,
    /// The person.
    User,
    /// The key.
    Key,
    /// The agent.
    Agent,
    /// The conversation, as programs name it.
    Session,
    /// The run.
    Run,
    /// The step, with its run.
    Step,
}

/// Which calls are summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageFilter {
    /// What the sums are over.
    #[serde(default)]
    pub by: SumBy,
    /// From then on.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Before then.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Only of this run.
    #[serde(default)]
    pub run_id: Option<RunId>,
}

/// A sum over calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sum {
    /// Over what: a name, or an id where that has no name. Empty for what has none of the kind.
    pub of: String,
    /// How many calls.
    pub calls: i64,
    /// How many of them failed.
    pub failed: i64,
    /// How many of them broke off.
    pub partial: i64,
    /// What they took.
    pub usage: Usage,
    /// Millionths of a US dollar of those that have a price.
    pub cost_micros: i64,
    /// How many have none.
    pub unpriced: i64,
}

/// What was spent: the whole, and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spending {
    /// All of it.
    pub total: Sum,
    /// By what was asked for, the dearest first, at most 500.
    pub sums: Vec<Sum>,
    /// The models that were called, as sums name them.
    pub models: Vec<String>,
    /// The providers that were called.
    pub providers: Vec<String>,
}

impl Sum {
    /// The sum of sums; over nothing in particular.
    pub fn total<'a>(sums: impl IntoIterator<Item = &'a Self>) -> Self {
        let nothing = Self {
            of: String::new(),
            calls: 0,
            failed: 0,
            partial: 0,
            usage: Usage::default(),
            cost_micros: 0,
            unpriced: 0,
        };
        sums.into_iter().fold(nothing, |mut total, sum| {
            total.calls += sum.calls;
            total.failed += sum.failed;
            total.partial += sum.partial;
            total.cost_micros = total.cost_micros.saturating_add(sum.cost_micros);
            total.unpriced += sum.unpriced;
            total.usage = total.usage.plus(sum.usage);
            total
        })
    }
}
