//! Why a search found an entry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why an entry was found: `score` is the sum of the signals' scores, times the factors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// The question's words in the entry; absent when only its context speaks for it.
    pub text: Option<Signal>,
    /// The question's words in the entries around it in its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbours: Option<Signal>,
    /// The question's words in its whole group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Signal>,
    /// Words of the question that follow each other in the entry too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<Signal>,
    /// What the best passage of a long entry holds beyond the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<Signal>,
    /// How alike the question's vector and the entry's are, and those of the entries around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<Signal>,
    /// The cosine of the question's vector and that of the entry's best passage, -1..=1; absent where it took no part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
    /// What naming its speaker did to the score: a factor, 1 is neutral.
    pub speaker: f64,
    /// What age did to the score: a factor, 1 is neutral.
    pub recency: f64,
    /// What importance did to the score: a factor, 1 is neutral; half of it where another entry takes the place of this one.
    pub importance: f64,
    /// With `explain`: what each word of the query added to the text score, and which word of the entry it met.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub terms: BTreeMap<String, TermMatch>,
}

/// One signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Signal {
    /// The entry's place by this signal alone, 1 is best: among all that matched; by pairs and passages, among the hits.
    pub rank: u32,
    /// What the signal adds.
    pub score: f64,
}

/// What a word of the query added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TermMatch {
    /// The word of the entry that it met.
    pub met: String,
    /// Letters that differ: 0 means exact or the same stem.
    pub edits: u32,
    /// What it added to the text score.
    pub score: f64,
}
