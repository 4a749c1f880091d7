//! Providers: an endpoint with a credential, and the models behind it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fault::FaultClass;
use super::message::{Dialect, Wire};
use super::queue::QueueState;
use crate::model::{ProviderId, Timestamp};

/// What is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Anthropic's Messages API.
    Anthropic,
    /// OpenAI's own API.
    OpenAi,
    /// Any other server that speaks Chat Completions.
    OpenAiCompatible,
    /// Ollama, by its own API.
    Ollama,
}

impl ProviderKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Anthropic, Self::OpenAi, Self::OpenAiCompatible, Self::Ollama];

    /// The kind as stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "open_ai",
            Self::OpenAiCompatible => "open_ai_compatible",
            Self::Ollama => "ollama",
        }
    }

    /// As people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Anthropic => "Anthropic",
            Self::OpenAi => "OpenAI",
            Self::OpenAiCompatible => "OpenAI-compatible",
            Self::Ollama => "Ollama",
        }
    }

    /// Reads [`ProviderKind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What it is asked in, for whoever speaks `asked`. `responses` is the provider's own setting; OpenAI itself knows both of its
    /// dialects, and is asked in Responses by whoever speaks that.
    pub const fn wire(self, responses: bool, asked: Dialect) -> Wire {
        match self {
            Self::Anthropic => Wire::Anthropic,
            Self::Ollama => Wire::Ollama,
            Self::OpenAi if responses || matches!(asked, Dialect::Responses) => Wire::Responses,
            Self::OpenAiCompatible if responses => Wire::Responses,
            Self::OpenAi | Self::OpenAiCompatible => Wire::OpenAi,
        }
    }

    /// Whether it is what somebody expects who speaks this dialect: Anthropic there, everything else for OpenAI's two.
    pub const fn is_near(self, dialect: Dialect) -> bool {
        matches!(self, Self::Anthropic) == matches!(dialect, Dialect::Anthropic)
    }

    /// Whether it can be told to be asked in Responses.
    pub const fn may_speak_responses(self) -> bool {
        matches!(self, Self::OpenAi | Self::OpenAiCompatible)
    }

    /// Where it usually is; empty where there is no usual place.
    pub const fn usual_base_url(self) -> &'static str {
        match self {
            Self::Anthropic => "https://api.anthropic.com",
            Self::OpenAi => "https://api.openai.com/v1",
            Self::OpenAiCompatible => "",
            Self::Ollama => "http://127.0.0.1:11434",
        }
    }

    /// Whether it answers nobody without a credential.
    pub const fn needs_credential(self) -> bool {
        matches!(self, Self::Anthropic | Self::OpenAi)
    }
}

/// A provider's key on its way in. Never shown by `Debug`, and sent back to nobody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Credential(pub String);

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// How long a provider may take, how often it is asked, and how much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Milliseconds until the connection stands, 100..=60000.
    pub connect_ms: u32,
    /// Milliseconds until the answer begins, 1000..=3600000.
    pub first_token_ms: u32,
    /// Milliseconds until it is complete, 1000..=3600000.
    pub total_ms: u32,
    /// Times that it is asked again after a failure that may pass, 0..=5.
    pub max_retries: u32,
    /// Calls that may be underway at once, in each process, 1..=10000; absent for any number.
    pub max_concurrent: Option<u32>,
    /// Calls that may be made in a minute, by each process, 1..=1000000; absent for any number.
    pub requests_per_minute: Option<u32>,
    /// Tokens that calls of a minute may take, questions and answers together, of each process, 100..=1000000000; absent for any
    /// number. What a call takes is estimated before it, and corrected by the provider's own numbers after it.
    pub tokens_per_minute: Option<u32>,
    /// Calls that may wait for room, in each process, 0..=10000.
    pub queue: u32,
    /// Milliseconds that a call waits for room at most, 0..=600000; then it goes elsewhere, or is refused.
    pub queue_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_ms: 5_000,
            first_token_ms: 120_000,
            total_ms: 600_000,
            max_retries: 2,
            max_concurrent: None,
            requests_per_minute: None,
            tokens_per_minute: None,
            queue: 100,
            queue_ms: 30_000,
        }
    }
}

/// A model of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// As the provider calls it.
    pub id: String,
    /// Tokens that a request of this model may ask for, where the one who asks says nothing and the dialect wants a number.
    #[serde(default)]
    pub max_output_tokens: Option<u32>,
    /// Whether it takes a JSON Schema for its answer. Where it doesn't, a `prompt` step asks in words.
    #[serde(default)]
    pub json_schema: bool,
    /// Tokens that it holds, question and answer together. A call that takes more goes to another model; absent for not known.
    #[serde(default)]
    pub context_tokens: Option<u32>,
    /// Whether it looks at pictures. A call with pictures goes to another model where it doesn't.
    #[serde(default = "yes")]
    pub images: bool,
    /// Whether it uses tools. A call with tools goes to another model where it doesn't.
    #[serde(default = "yes")]
    pub tools: bool,
}

impl Model {
    /// A model of which nothing but the name is known.
    pub fn named(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            max_output_tokens: None,
            json_schema: false,
            context_tokens: None,
            images: true,
            tools: true,
        }
    }
}

/// A provider to add or to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderDraft {
    /// 1..=60 letters, digits, `-`, `_` and `.`: it is part of `provider/model`.
    pub name: String,
    /// What is at the other end. A provider keeps its kind.
    pub kind: ProviderKind,
    /// Where it is; the kind's usual place when empty.
    #[serde(default)]
    pub base_url: String,
    /// Its key. Absent: the one that is stored stays, if there is one. Empty: none.
    #[serde(default)]
    pub credential: Option<Credential>,
    /// What it offers, best first; at most 200.
    #[serde(default)]
    pub models: Vec<Model>,
    /// Whether it is always asked in OpenAI Responses, and not in Chat Completions; OpenAI and compatible servers only.
    #[serde(default)]
    pub responses: bool,
    /// Whether it is asked.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How long it may take, and how much of it at once.
    #[serde(default)]
    pub limits: Limits,
}

const fn yes() -> bool {
    true
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its name.
    pub name: String,
    /// What is at the other end.
    pub kind: ProviderKind,
    /// Where it is.
    pub base_url: String,
    /// The last four characters of its key; absent when it has none.
    pub credential_hint: Option<String>,
    /// What it offers.
    pub models: Vec<Model>,
    /// Whether it is always asked in OpenAI Responses.
    pub responses: bool,
    /// Whether it is asked.
    pub enabled: bool,
    /// How long it may take.
    pub limits: Limits,
    /// How its models are, as this process sees it; those that were not called lately are left out.
    pub health: Vec<ModelHealth>,
    /// Its calls underway and those that wait for room, as this process sees it.
    #[serde(default)]
    pub queue: QueueState,
    /// The value for `If-Match`.
    pub revision: i64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// Whether a model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// It is.
    Closed,
    /// It failed too often, and rests.
    Open,
    /// It has rested, and one call tries it.
    HalfOpen,
}

/// How a model of a provider is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelHealth {
    /// Which.
    pub model: String,
    /// Whether it is asked.
    pub state: BreakerState,
    /// Milliseconds until it is tried again; 0 unless it rests.
    pub rests_ms: u64,
    /// Calls that count, of the last minute.
    pub calls: u32,
    /// Those of them that failed.
    pub failures: u32,
    /// Why the last one failed.
    pub last_failure: Option<FaultClass>,
}

/// What a provider was asked of late, and how fast it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderUse {
    /// Whose.
    pub provider_id: ProviderId,
    /// Calls of the last 30 days, kept answers of its models included.
    pub calls: i64,
    /// Those of them that failed.
    pub failed: i64,
    /// What they cost, in millionths of a US dollar, of those that have a price.
    pub cost_micros: i64,
    /// How many have none.
    pub unpriced: i64,
    /// Milliseconds within which half of its answers of the last day began; absent without one. Whole ones begin when they are there.
    pub began_p50_ms: Option<i64>,
    /// The same of 99 in a hundred.
    pub began_p99_ms: Option<i64>,
}

/// What a test of a provider found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderTest {
    /// Whether it answered as it should.
    pub ok: bool,
    /// What happened, for people.
    pub message: String,
    /// From the call to the last byte, in milliseconds.
    pub took_ms: u64,
    /// The models that it listed, at most 500, by name.
    pub models: Vec<String>,
}
