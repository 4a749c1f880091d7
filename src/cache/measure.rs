//! What is counted for `/metrics`. Labels are few and closed: outcomes and tiers, no names.

use std::time::Duration;

use crate::model::cache::{CacheOutcome, CacheTier};

/// A question to the cache.
pub(super) fn asked(outcome: CacheOutcome, tier: Option<CacheTier>, took: Duration) {
    let tier = tier.map_or("none", CacheTier::as_str);
    metrics::counter!("weft_cache_lookups_total", "outcome" => outcome.as_str(), "tier" => tier).increment(1);
    metrics::histogram!("weft_cache_lookup_seconds", "tier" => tier).record(took.as_secs_f64());
}

/// What became of a question that was looked for by meaning, and of checks.
pub(super) fn semantic(outcome: &'static str) {
    metrics::counter!("weft_cache_semantic_total", "outcome" => outcome).increment(1);
}

/// A kept question that is like another, and what the gate refused it for.
pub(super) fn gate(differs: &'static str) {
    metrics::counter!("weft_cache_gate_refusals_total", "differs" => differs).increment(1);
}

/// An answer that was to be kept, and what came of it.
pub(super) fn kept(outcome: &'static str) {
    metrics::counter!("weft_cache_stores_total", "outcome" => outcome).increment(1);
}

/// Answers that were thrown away, and why.
pub(super) fn gone(why: &'static str, count: u64) {
    metrics::counter!("weft_cache_evictions_total", "why" => why).increment(count);
}

/// What hits saved.
pub(super) fn saved(tokens: i64, micros: i64) {
    metrics::counter!("weft_cache_saved_tokens_total").increment(tokens.max(0) as u64);
    metrics::counter!("weft_cache_saved_micros_total").increment(micros.max(0) as u64);
}
