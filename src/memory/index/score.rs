//! The formulas of ranking. Pure numbers; the index and its brute-force twin in the tests both use them.
//!
//! Constants without another source were chosen on one half of the evaluation set that is shipped and checked on the other
//! half and on conversations and documents that are not: `docs/memory.md` has the figures.

/// BM25's saturation of repeated words. Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework:
/// BM25 and Beyond", with the customary 1.2 and 0.75.
const K1: f32 = 1.2;
/// BM25's length normalisation.
const B: f32 = 0.75;

/// What an occurrence counts in the content, the key, the tags and the metadata.
const BOOSTS: [f32; FIELDS] = [1.0, 3.0, 2.0, 0.5];

/// Content, key, tags and metadata, in this order wherever there are four numbers.
pub(super) const FIELDS: usize = 4;

/// What speaks for an entry. A further signal is one more here, with its weight in [`WEIGHTS`], and one more column of
/// `search::Parts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::memory) enum Signal {
    /// The question's words in the entry.
    Text,
    /// The text scores of the entries around it in its group.
    Neighbours,
    /// The question's words in the whole group.
    Group,
    /// Words of the question that follow each other in the entry too.
    Pairs,
    /// What the best passage of a long entry holds beyond the whole.
    Passage,
    /// How alike its vector and those around it are to the question's.
    Vector,
}

/// How many signals there are.
pub(in crate::memory) const SIGNALS: usize = 6;

/// What each signal counts in the sum, by its place in [`Signal`].
pub(super) const WEIGHTS: [f32; SIGNALS] = [1.0, 1.0, 0.3, 0.3, 0.3, 3.0];

/// What an entry's text score adds to the entries around it: places from it, share.
///
/// The entry behind gets most: an answer stands behind its question, and has none of its words.
pub(super) const NEIGHBOURS: [(isize, f32); 4] = [(1, 0.6), (2, 0.3), (-1, 0.3), (-2, 0.2)];

/// A likeness below this says nothing: texts that have nothing to do with each other are as alike by chance.
const LEAST_LIKENESS: f32 = 0.15;

/// What entries around an entry in its group add to its likeness, as a share of what [`NEIGHBOURS`] gives them.
pub(super) const VECTOR_NEAR: f32 = 0.8;

/// What the cosine of an entry's vector and the question's says, 0..=1: how far it lies above the mean of all vectors, which
/// share a direction that has nothing to do with the question, some models' more than others'.
pub(super) fn likeness(cosine: f32, mean: f32) -> f32 {
    let above = (cosine - mean) / (1.0 - mean).max(0.1);
    if above < LEAST_LIKENESS { 0.0 } else { above.min(1.0) }
}

/// What a likeness of 1 is worth beside the words of a question, which together are worth `rarities`: its power of 3/4. A
/// question of many rare words says much by its words, and by its vector too, but not as much more.
pub(super) fn vector_unit(rarities: f32) -> f32 {
    rarities.max(1e-3).powf(0.75)
}

/// The factor for an entry whose speaker the question names.
pub(super) const SPEAKER: f32 = 1.3;

/// How rare a word is: `ln(1 + (N - n + 0.5) / (n + 0.5))`, the form of BM25 that is never negative.
pub(super) fn rarity(entries: u32, holding: u32) -> f32 {
    let (all, n) = (entries as f32, holding.min(entries) as f32);
    (1.0 + (all - n + 0.5) / (n + 0.5)).ln()
}

/// How often a word stands in an entry, weighted by field.
pub(super) fn occurrences(counts: [u8; FIELDS]) -> f32 {
    counts.iter().zip(BOOSTS).map(|(count, boost)| boost * f32::from(*count)).sum()
}

/// The same, normalised by the fields' lengths.
///
/// `lengths` are the entry's words in each field, `averages` those of the whole index.
///
/// Source: BM25F, the same paper, section 3.6.
pub(super) fn frequency(counts: [u8; FIELDS], lengths: [u32; FIELDS], averages: [f32; FIELDS]) -> f32 {
    let mut sum = 0.0;
    for field in 0..FIELDS {
        if counts[field] > 0 {
            let relative = lengths[field] as f32 / averages[field].max(1.0);
            sum += BOOSTS[field] * f32::from(counts[field]) / norm(relative);
        }
    }
    sum
}

/// What a text's length divides its occurrences by; `relative` to the mean.
pub(super) fn norm(relative: f32) -> f32 {
    1.0 - B + B * relative
}

/// What a word adds to a score, from its rarity and its weighted frequency.
pub(super) fn contribution(rarity: f32, frequency: f32) -> f32 {
    rarity * frequency * (K1 + 1.0) / (K1 + frequency)
}

/// What an entry of a group keeps of its text score when it holds only a share (0..=1, by rarity) of the question's words:
/// the share to the power of 0.3. Turns of a conversation are short; one that holds more of the question is more likely to
/// be what was meant. Entries without a group keep all: on documents it costs more than it brings.
pub(super) fn coverage(share: f32) -> f32 {
    share.powf(0.3)
}

/// What makes scores of different questions comparable: the sum of signals is divided by the fourth root of what the question's
/// words are worth, the sum of their rarities. Of the powers that were tried (0, 1/4, 1/2, 1) it parted questions with an answer
/// from those without best over all sets.
pub(super) fn comparable(rarities: f32) -> f32 {
    rarities.max(1e-3).powf(-0.25)
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

/// What importance (0..=1) does to the score: `0.6 + 0.8 * importance`; 1 for the usual 0.5. Half of it for an entry whose place
/// another takes: it is found behind that one, and no further away than it was written to be.
pub(super) fn importance(importance: f64, is_superseded: bool) -> f64 {
    let factor = 0.6 + 0.8 * importance.clamp(0.0, 1.0);
    if is_superseded { factor / 2.0 } else { factor }
}

/// No entry's factors together are more: speaker, recency and importance.
pub(super) const MOST_FACTOR: f64 = 1.3 * 1.25 * 1.4 + 1e-6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factors_stay_soft() {
        assert!((recency(0, 0) - 1.25).abs() < 1e-9);
        assert!((recency(30 * 86_400_000_000, 0) - 1.0).abs() < 1e-9);
        assert!(recency(i64::MAX, 0) >= 0.75);
        assert!((importance(0.5, false) - 1.0).abs() < 1e-9);
        assert!((importance(0.5, true) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_rarer_word_counts_more_and_never_less_than_nothing() {
        assert!(rarity(1000, 1) > rarity(1000, 10));
        assert!(rarity(10, 10) > 0.0);
    }

    #[test]
    fn what_is_no_more_alike_than_any_two_texts_says_nothing() {
        assert!(likeness(0.3, 0.3).abs() < 1e-6 && likeness(f32::NEG_INFINITY, 0.0).abs() < 1e-6);
        assert!((likeness(1.0, 0.3) - 1.0).abs() < 1e-6);
        assert!(
            (likeness(0.65, 0.3) - likeness(0.5, 0.0)).abs() < 1e-6,
            "a model whose vectors all look alike is no worse"
        );
        assert!(likeness(0.5, 0.0) > likeness(0.4, 0.0));
    }

    #[test]
    fn a_mean_text_is_not_normalised() {
        assert!((norm(1.0) - 1.0).abs() < 1e-6);
        assert!((frequency([2, 0, 0, 0], [7, 0, 0, 0], [7.0, 0.0, 0.0, 0.0]) - occurrences([2, 0, 0, 0])).abs() < 1e-6);
    }
}
