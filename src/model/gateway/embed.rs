//! Texts as vectors.

use serde::{Deserialize, Serialize};

use super::message::Extra;
use super::response::estimate_tokens;

/// What is turned into vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EmbedInput {
    /// Texts.
    Texts(Vec<String>),
    /// Texts as a model's own tokens.
    Tokens(Vec<Vec<u32>>),
}

impl EmbedInput {
    /// How many vectors come of it.
    pub const fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Tokens(lists) => lists.len(),
        }
    }

    /// Whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first that has nothing in it.
    pub fn find_empty(&self) -> Option<usize> {
        match self {
            Self::Texts(texts) => texts.iter().position(String::is_empty),
            Self::Tokens(lists) => lists.iter().position(Vec::is_empty),
        }
    }

    /// Tokens of it: their number, or an estimate of it.
    pub fn tokens(&self) -> i64 {
        match self {
            Self::Texts(texts) => texts.iter().map(|text| estimate_tokens(text.chars().count() as u64)).sum(),
            Self::Tokens(lists) => lists.iter().map(|list| list.len() as i64).sum(),
        }
    }
}

/// How numbers are written for a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As numbers.
    #[default]
    Float,
    /// As base64 of 32-bit numbers, the lowest byte first.
    Base64,
}

/// Texts to turn into vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmbedRequest {
    /// A route, `provider/model`, or a model.
    pub model: String,
    /// 1 to 2048 of them, none empty.
    pub input: EmbedInput,
    /// How long the vectors shall be, for models that can be told; `None` is the model's own length.
    pub dimensions: Option<u32>,
    /// How a program wants them.
    pub encoding: Encoding,
    /// Fields that only some providers know.
    pub extra: Extra,
}

impl EmbedRequest {
    /// These texts, by this model.
    pub fn texts(model: impl Into<String>, texts: Vec<String>) -> Self {
        let input = EmbedInput::Texts(texts);
        Self { model: model.into(), input, dimensions: None, encoding: Encoding::Float, extra: Extra::new() }
    }
}

/// Texts as vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vectors {
    /// The model that made them, as the provider calls it.
    pub model: String,
    /// One for each input, in order; of one length.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens that were read; 0 where the provider does not tell.
    pub input_tokens: i64,
}
