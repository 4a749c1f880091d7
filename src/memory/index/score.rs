//! The formulas of ranking. Pure numbers; the index and its brute-force twin in the tests both use them.

/// BM25's saturation of repeated words. Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework:
/// BM25 and Beyond", with the customary 1.2 and 0.75.
const K1: f32 = 1.2;
/// BM25's length normalisation.
const B: f32 = 0.75;

/// What an occurrence counts in the content, the key and the tags.
const BOOSTS: [f32; FIELDS] = [1.0, 3.0, 2.0];

/// Content, key and tags, in this order wherever there are three numbers.
pub(super) const FIELDS: usize = 3;

/// How rare a word is: `ln(1 + (N - n + 0.5) / (n + 0.5))`, the form of BM25 that is never negative.
pub(super) fn rarity(entries: u32, holding: u32) -> f32 {
    let (all, n) = (entries as f32, holding.min(entries) as f32);
    (1.0 + (all - n + 0.5) / (n + 0.5)).ln()
}

/// How often a word stands in an entry, weighted by field and normalised by the fields' lengths.
///
/// `lengths` are the entry's words in each field, `averages` those of the whole index.
///
/// Source: BM25F, the same paper, section 3.6.
pub(super) fn frequency(counts: [u32; FIELDS], lengths: [u32; FIELDS], averages: [f32; FIELDS]) -> f32 {
    let mut sum = 0.0;
    for field in 0..FIELDS {
        if counts[field] > 0 {
            let norm = 1.0 - B + B * lengths[field] as f32 / averages[field].max(1.0);
            sum += BOOSTS[field] * counts[field] as f32 / norm;
        }
    }
    sum
}

/// What a word adds to an entry's text score, from its rarity and its weighted frequency.
pub(super) fn contribution(rarity: f32, frequency: f32) -> f32 {
    rarity * frequency * (K1 + 1.0) / (K1 + frequency)
}

/// The share of the query's words that an entry holds. Source: Lucene's classic `coord` factor.
pub(super) fn coverage(met: u32, words: u32) -> f32 {
    met as f32 / words.max(1) as f32
}

/// Days after which half of an entry's freshness is gone.
const HALF_LIFE_DAYS: f64 = 30.0;
const MICROS_PER_DAY: f64 = 86_400e6;

/// What age does to the score: `0.75 + 0.5 * 2^(-age / 30 days)`, from 1.25 for what was written now down to 0.75; 1 at a
/// month. Times in the future count as now.
pub(super) fn recency(now_micros: i64, updated_micros: i64) -> f64 {
    let days = now_micros.saturating_sub(updated_micros).max(0) as f64 / MICROS_PER_DAY;
    0.75 + 0.5 * (-days / HALF_LIFE_DAYS).exp2()
}

/// What importance (0..=1) does to the score: `0.6 + 0.8 * importance`; 1 for the usual 0.5.
pub(super) fn importance(importance: f64) -> f64 {
    0.6 + 0.8 * importance.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factors_stay_soft() {
        assert!((recency(0, 0) - 1.25).abs() < 1e-9);
        assert!((recency(30 * 86_400_000_000, 0) - 1.0).abs() < 1e-9);
        assert!(recency(i64::MAX, 0) >= 0.75);
        assert!((importance(0.5) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_rarer_word_counts_more_and_never_less_than_nothing() {
        assert!(rarity(1000, 1) > rarity(1000, 10));
        assert!(rarity(10, 10) > 0.0);
    }
}
