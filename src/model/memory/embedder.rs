//! What makes vectors of entries, so that they are found by what they mean.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{EmbedderId, Timestamp};

/// How the entries of a workspace are found: by their words alone, or by their vectors too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmbedderReport {
    /// Entries that there are.
    pub entries: i64,
    /// What searches use; absent where words alone count.
    pub serving: Option<Embedder>,
    /// What takes over once every entry has its vector.
    pub building: Option<Embedder>,
    /// Entries that could not be embedded, by namespace and key; the first 20.
    pub failures: Vec<EmbedFailure>,
}

/// A model that makes vectors of every entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Embedder {
    /// Its id; another one each time that everything is embedded anew.
    pub id: EmbedderId,
    /// The model, as the gateway is asked for it: a route, `provider/model`, or a model; `local/NAME` for one of this machine.
    pub model: String,
    /// Numbers of a vector.
    pub dimensions: u32,
    /// What is going on.
    pub state: EmbedderState,
    /// Entries that have their vector.
    pub embedded: i64,
    /// Entries that could not be embedded and are not tried again.
    pub given_up: i64,
    /// Why it waits; absent while it doesn't.
    pub paused: Option<String>,
    /// When it is tried again, while it waits.
    pub retry_at: Option<Timestamp>,
    /// When it was set.
    pub created_at: Timestamp,
    /// When every entry had its vector for the first time.
    pub whole_at: Option<Timestamp>,
}

/// What an embedder does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmbedderState {
    /// Entries wait for their vectors, and get them.
    Working,
    /// Entries wait for their vectors, and whoever makes them can't.
    Paused,
    /// Every entry has its vector, but for those that were given up.
    Whole,
}

/// An entry that could not be embedded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmbedFailure {
    /// Where it stands.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// What the model said.
    pub reason: String,
    /// When it is tried again; absent when it was given up.
    pub retry_at: Option<Timestamp>,
}

/// What shall make vectors. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbedderDraft {
    /// A route, `provider/model`, or a model, as the gateway knows them; `local/NAME` for a model of this machine; null or empty
    /// for words alone.
    #[serde(default)]
    pub model: Option<String>,
    /// Whether everything is embedded anew when it is the model that is set already.
    #[serde(default)]
    pub anew: bool,
}

/// A model in the server's folder of models: it makes vectors inside the process, at no cost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct LocalModel {
    /// Its name as an embedder, `local/` and the name of its folder.
    pub model: String,
    /// Numbers of a vector; absent where it can't be used.
    pub dimensions: Option<u32>,
    /// Tokens of a text that are read; what follows is cut off.
    pub tokens: Option<u32>,
    /// Bytes of its weights.
    pub bytes: Option<i64>,
    /// The languages that its files tell, such as `en`.
    pub languages: Vec<String>,
    /// Why it can't be used: the file, and what was expected of it.
    pub problem: Option<String>,
}

/// A text to be embedded as a trial. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbedTrial {
    /// The model, as in [`EmbedderDraft`]; absent for the one that serves.
    #[serde(default)]
    pub model: Option<String>,
    /// The text: 1 to 1,000 characters.
    pub text: String,
}

/// What a trial came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmbedTried {
    /// The model that was asked.
    pub model: String,
    /// Numbers of the vector.
    pub dimensions: u32,
    /// Milliseconds from the question to the vector; a model of this machine is loaded by the first one.
    pub took_ms: u32,
}

/// What the names of models of this machine begin with.
pub const LOCAL_MODELS: &str = "local/";
/// Longest text of a trial, in characters.
pub const MAX_TRIAL_CHARS: usize = 1000;
/// Longest name of a model, in characters.
pub const MAX_EMBEDDER_MODEL_CHARS: usize = 200;
/// Most numbers of a vector: with more, the sums of the scan would not fit.
pub const MAX_DIMENSIONS: u32 = 4096;
