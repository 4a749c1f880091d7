//! Virtual keys: what a program that is pointed at the gateway proves itself with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::cache::CacheMode;
use crate::model::credentials::Secret;
use crate::model::{ApiKeyId, Timestamp};

/// A key to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyDraft {
    /// 1..=60 characters: who or what uses it.
    pub name: String,
    /// Routes and models that it may ask for, as the caller writes them; empty for any. At most 100.
    #[serde(default)]
    pub models: Vec<String>,
    /// When it ends; never when absent.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Which answers are kept for it, where the call does not say; it comes before what the route says.
    #[serde(default)]
    pub cache: CacheMode,
    /// How much it may ask for in a minute.
    #[serde(default)]
    pub limits: KeyLimits,
}

/// How much a key may ask for in a minute, in each process of the server. What goes beyond is refused with 429.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyLimits {
    /// Calls, 1..=1000000; absent for any number.
    pub requests_per_minute: Option<u32>,
    /// What its calls read and write, 1..=1000000000; absent for any number.
    pub tokens_per_minute: Option<u32>,
}

impl KeyLimits {
    /// In words, such as "60 calls and 100000 tokens a minute"; `None` without any.
    pub fn words(&self) -> Option<String> {
        let calls = self.requests_per_minute.map(|limit| format!("{limit} calls"));
        let tokens = self.tokens_per_minute.map(|limit| format!("{limit} tokens"));
        let parts: Vec<String> = calls.into_iter().chain(tokens).collect();
        (!parts.is_empty()).then(|| format!("{} a minute", parts.join(" and ")))
    }
}

/// A key of the gateway. It opens the gateway's own endpoints and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Who or what uses it.
    pub name: String,
    /// Its first characters.
    pub hint: String,
    /// What it may ask for; empty for anything.
    pub models: Vec<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Which answers are kept for it.
    pub cache: CacheMode,
    /// How much it may ask for in a minute.
    pub limits: KeyLimits,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key that was just made. Its secret is here and nowhere ever after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyMade {
    /// The key.
    pub key: GatewayKey,
    /// What the program sends.
    pub secret: Secret,
}

/// A key with who made it, and what it was used for in the last 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyInUse {
    /// The key.
    #[serde(flatten)]
    pub key: GatewayKey,
    /// The name of who made it; absent when they are gone.
    pub made_by: Option<String>,
    /// Calls with it, of the last 30 days.
    pub calls: i64,
    /// Millionths of a US dollar of those that have a price.
    pub cost_micros: i64,
}

/// Where programs are pointed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Endpoints {
    /// The base URL for programs that speak Anthropic Messages.
    pub anthropic: String,
    /// The base URL for programs that speak OpenAI Chat Completions or Responses.
    pub openai: String,
}
