//! Why an entry was found: what each signal and each word added, and its place by each signal.

use super::alike::Likeness;
use super::score::{self, SIGNALS, Signal};
use super::search::{Asked, Candidate, Clause, FoundEntry, Parts, Scale};
use super::vocabulary::Expansion;
use super::{Index, Slot};
use crate::model::EntryId;
use crate::model::memory::TermMatch;

/// Words that were met, folded, and how rare each is.
type Met = Vec<(String, f32)>;

/// What a hit's reasons are told from.
pub(super) struct Told<'a> {
    pub clauses: &'a [Clause<'a>],
    pub scale: Scale,
    pub likeness: &'a Likeness,
    pub asked: &'a Asked,
}

impl Index {
    /// A hit with its reasons.
    pub(super) fn explained(&self, hit: &Candidate, ranks: [u32; SIGNALS], told: &Told<'_>) -> FoundEntry {
        let Told { clauses, scale, likeness, asked } = *told;
        let entry = &self.slots[hit.slot as usize];
        let text = f64::from(hit.parts[Signal::Text as usize] * scale.factor);
        let (terms, met) = self.words(hit.slot, clauses, text);
        let (before, behind) = self.around(entry, asked.neighbours);
        let passage = asked.vector.as_ref().and_then(|question| self.vectors.best_passage(entry.id, question));
        FoundEntry {
            id: entry.id,
            score: hit.score,
            signals: hit.parts.map(|part| f64::from(part * scale.factor)),
            ranks,
            speaker: f64::from(hit.speaker),
            recency: score::recency(asked.now.0, entry.updated_at.0),
            importance: score::importance(entry.importance, entry.is_superseded),
            terms,
            met,
            alike: likeness.cosine(hit.slot).zip(passage),
            before,
            behind,
        }
    }

    fn around(&self, entry: &Slot, most: usize) -> (Vec<EntryId>, Vec<EntryId>) {
        let Some(place) = entry.place.as_ref().filter(|_| most > 0) else { return Default::default() };
        let (before, behind) = self.groups.around(**place, most);
        let ids = |slots: Vec<u32>| slots.into_iter().map(|slot| self.slots[slot as usize].id).collect();
        (ids(before), ids(behind))
    }

    /// What each word of the query added to the text score of one entry, and by which words of it.
    fn words(&self, slot: u32, clauses: &[Clause<'_>], text: f64) -> (Vec<(String, TermMatch)>, Met) {
        let averages = self.averages();
        let lengths = self.lights[slot as usize].lengths;
        let mut terms: Vec<(String, TermMatch)> = Vec::new();
        let mut met = Vec::new();
        for clause in clauses {
            let mut sum = 0.0;
            let mut best: Option<(f32, &Expansion)> = None;
            for expansion in &clause.expansions {
                let term = self.vocabulary.term(expansion.term);
                let Ok(at) = term.postings.binary_search_by_key(&slot, |posting| posting.slot) else { continue };
                let frequency = expansion.weight * score::frequency(term.postings[at].counts, lengths, averages);
                sum += frequency;
                met.push((term.text.to_string(), clause.rarity));
                if best.is_none_or(|(most, _)| frequency > most) {
                    best = Some((frequency, expansion));
                }
            }
            if let Some((_, expansion)) = best {
                let score = f64::from(score::contribution(clause.rarity, sum));
                let met = self.vocabulary.term(expansion.term).text.to_string();
                terms.push((clause.word.text.clone(), TermMatch { met, edits: expansion.edits, score }));
            }
        }
        // Coverage and the comparable scale apply to the whole, so the words share them.
        let raw: f64 = terms.iter().map(|(_, term)| term.score).sum();
        for (_, term) in &mut terms {
            term.score *= if raw > 0.0 { text / raw } else { 0.0 };
        }
        (terms, met)
    }
}

/// The place of each hit by each signal alone: one more than those for which it says more, 0 where it says nothing.
///
/// `parts` are those of any entry that matched; what only the best entries are looked at for is compared among the hits.
pub(super) fn ranks(hits: &[Candidate], all: &[u32], parts: impl Fn(u32) -> Parts) -> Vec<[u32; SIGNALS]> {
    let mut ranks = vec![[0; SIGNALS]; hits.len()];
    for signal in 0..SIGNALS {
        let mut bars: Vec<f32> = hits.iter().map(|hit| hit.parts[signal]).filter(|part| *part > 0.0).collect();
        bars.sort_by(f32::total_cmp);
        bars.dedup();
        let Some(lowest) = bars.first().copied() else { continue };
        // over[i]: entries whose part lies above exactly the first i bars.
        let mut over = vec![0_u32; bars.len() + 1];
        let close = signal == Signal::Pairs as usize || signal == Signal::Passage as usize;
        let mut count = |part: f32| {
            if part > lowest {
                over[bars.partition_point(|bar| *bar < part)] += 1;
            }
        };
        if close {
            for hit in hits {
                count(hit.parts[signal]);
            }
        } else {
            for slot in all {
                count(parts(*slot)[signal]);
            }
        }
        for (hit, ranks) in hits.iter().zip(&mut ranks).filter(|(hit, _)| hit.parts[signal] > 0.0) {
            let bar = bars.partition_point(|bar| *bar < hit.parts[signal]);
            ranks[signal] = 1 + over[bar + 1..].iter().sum::<u32>();
        }
    }
    ranks
}
