//! How the question's words stand in an entry: next to each other, and in its best passage.
//!
//! Both read the entry's words in their order, so they are asked of the best entries only.

use super::score::{self, Signal, WEIGHTS};
use super::search::Clause;
use super::vocabulary::TermId;
use super::{GAP, Index};

/// Entries that are looked at so closely.
pub(super) const LOOKED_AT: usize = 100;
/// Words within which the second word of a pair follows the first.
const REACH: usize = 3;
/// Words of a passage. Longer contents are taken apart into passages of so many words, of which each shares half with the one
/// before; the best one counts.
const PASSAGE_WORDS: usize = 100;

/// Which clauses each word of the index belongs to, as bits by the clause's place.
pub(super) struct Marks(Vec<u32>);

impl Marks {
    /// Of the counted words of a question. At most 32 clauses.
    pub fn new(index: &Index, clauses: &[Clause<'_>]) -> Self {
        let mut marks = vec![0; index.vocabulary.len()];
        for (at, clause) in clauses.iter().enumerate().filter(|(_, clause)| clause.word.counted) {
            for expansion in &clause.expansions {
                marks[expansion.term as usize] |= 1 << at;
            }
        }
        Self(marks)
    }

    fn of(&self, term: TermId) -> u32 {
        if term == GAP { 0 } else { self.0[term as usize] }
    }
}

/// What pairs add to an entry, weighted.
pub(super) fn pairs(order: &[TermId], relative_length: f32, clauses: &[Clause<'_>], marks: &Marks) -> f32 {
    let mut counts = [0_u16; 32];
    let mut last = [usize::MAX; 32];
    for (at, term) in order.iter().enumerate() {
        if *term == GAP {
            last = [usize::MAX; 32];
            continue;
        }
        let mut bits = marks.of(*term);
        while bits != 0 {
            // From the last clause to the first, so that a word of two clauses does not follow itself.
            let clause = bits.ilog2() as usize;
            bits &= !(1 << clause);
            let first = clause.checked_sub(1).map_or(usize::MAX, |before| last[before]);
            if first != usize::MAX && at > first && at - first <= REACH {
                counts[clause] = counts[clause].saturating_add(1);
            }
            last[clause] = at;
        }
    }
    let mut sum = 0.0;
    for (at, pair) in clauses.windows(2).enumerate() {
        let count = counts.get(at + 1).copied().unwrap_or_default();
        if count > 0 {
            let rarity = pair[0].rarity.min(pair[1].rarity);
            sum += score::contribution(rarity, f32::from(count) / score::norm(relative_length));
        }
    }
    WEIGHTS[Signal::Pairs as usize] * sum
}

/// What the best passage of a long content would score as an entry of its own, beyond the whole, weighted; nothing for a short
/// content. `mean` is the mean number of words of contents.
pub(super) fn passage(
    order: &[TermId],
    words: usize,
    mean: f32,
    whole: f32,
    clauses: &[Clause<'_>],
    marks: &Marks,
) -> f32 {
    if words <= PASSAGE_WORDS {
        return 0.0;
    }
    let content = &order[..words.min(order.len())];
    let places: Vec<(usize, u32)> =
        content.iter().enumerate().map(|(at, term)| (at, marks.of(*term))).filter(|(_, bits)| *bits != 0).collect();
    let step = PASSAGE_WORDS / 2;
    let norm = score::norm(PASSAGE_WORDS as f32 / mean.max(PASSAGE_WORDS as f32));
    let mut best = 0.0_f32;
    let mut from = 0;
    for start in (0..words).step_by(step) {
        while places.get(from).is_some_and(|(at, _)| *at < start) {
            from += 1;
        }
        let mut counts = [0_u16; 32];
        for (_, mask) in places[from..].iter().take_while(|(at, _)| *at < start + PASSAGE_WORDS) {
            let mut bits = *mask;
            while bits != 0 {
                counts[bits.trailing_zeros() as usize] += 1;
                bits &= bits - 1;
            }
        }
        let held = clauses.iter().zip(counts).filter(|(_, count)| *count > 0);
        best = best.max(held.map(|(clause, count)| score::contribution(clause.rarity, f32::from(count) / norm)).sum());
    }
    WEIGHTS[Signal::Passage as usize] * (best - whole).max(0.0)
}
