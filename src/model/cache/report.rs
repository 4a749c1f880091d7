//! What the cache saves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CacheTier, SemanticReport};
use crate::model::Timestamp;
use crate::model::dashboard::Period;

/// What the cache did in a span, against what would have been without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CacheReport {
    /// The span.
    pub period: Period,
    /// When it was read.
    pub at: Timestamp,
    /// Calls whose answer was there.
    pub hits: i64,
    /// Calls that asked the cache in vain.
    pub misses: i64,
    /// Calls that did not ask it.
    pub unasked: i64,
    /// Hits by what was asked; absent when nothing was.
    pub hit_rate: Option<f64>,
    /// Tokens that nobody had to read.
    pub saved_input: i64,
    /// Tokens that nobody had to write.
    pub saved_output: i64,
    /// What they would have cost, in millionths of a US dollar, where the model has a price.
    pub saved_micros: i64,
    /// Hits of models without a price.
    pub unpriced: i64,
    /// What all calls of the span cost, hits for nothing. Without a cache it were this and `saved_micros`.
    pub spent_micros: i64,
    /// Answers that are kept now.
    pub entries: i64,
    /// Of those, how many are called wrong.
    pub wrong: i64,
    /// Bytes that they take in the database.
    pub bytes: i64,
    /// Of those, how many were asked for anew for a schedule.
    pub warmed: i64,
    /// And how many of these were given since.
    pub warmed_given: i64,
    /// How fast each tier answered.
    pub tiers: Vec<TierReport>,
    /// What was given to questions that only mean the same.
    pub semantic: SemanticReport,
    /// Oldest first, without gaps.
    pub buckets: Vec<CacheBucket>,
}

/// How fast a tier answered. A percentile is a time that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TierReport {
    /// Which.
    pub tier: CacheTier,
    /// Answers from there.
    pub hits: i64,
    /// Median, microseconds.
    pub p50_us: i64,
    /// 99th percentile, microseconds.
    pub p99_us: i64,
}

/// An hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CacheBucket {
    /// Where it begins.
    pub from: Timestamp,
    /// Calls whose answer was there.
    pub hits: i64,
    /// Calls that asked in vain.
    pub misses: i64,
    /// Saved, in millionths of a US dollar.
    pub saved_micros: i64,
}
