//! Answering a query: which entries, in which order, and why.

use std::cmp::Ordering;

use super::query::{Query, Word};
use super::score::{self, FIELDS};
use super::vocabulary::{Expansion, Posting, TermId, weight};
use super::{Index, Slot};
use crate::model::memory::TermMatch;
use crate::model::{EntryId, Timestamp};

/// A word that at most so many entries hold may be a misspelling that someone stored: its neighbours are searched too.
pub(super) const RARE: u32 = 3;

/// What may be found at all; applied before ranking.
#[derive(Debug, Clone, Default)]
pub(in crate::memory) struct Filter {
    /// This namespace and all below it; empty means all.
    pub namespace: String,
    /// All of these.
    pub tags: Vec<String>,
    /// Updated at or after.
    pub since: Option<Timestamp>,
    /// Updated before.
    pub until: Option<Timestamp>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::memory) struct Found {
    /// Best first; ties by id.
    pub hits: Vec<FoundEntry>,
    /// How many entries matched.
    pub matched: u32,
}

/// A found entry, and why.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::memory) struct FoundEntry {
    /// Which.
    pub id: EntryId,
    /// `text * recency * importance`.
    pub score: f64,
    /// The text score.
    pub text: f64,
    /// The place by text score alone; 1 is best.
    pub text_rank: u32,
    /// The factor of age.
    pub recency: f64,
    /// The factor of importance.
    pub importance: f64,
    /// The query's words that it holds, with the one of its words that counted most.
    pub terms: Vec<(String, TermMatch)>,
    /// Every word of it that was met, folded.
    pub met: Vec<String>,
}

/// A word of the query, with the words of the index that it stands for and how rare they are together.
struct Clause<'q> {
    word: &'q Word,
    expansions: Vec<Expansion>,
    rarity: f32,
}

/// Sums for each slot, and which slots have any.
struct Sums {
    text: Vec<f32>,
    counted: Vec<u8>,
    touched: Vec<u32>,
}

impl Index {
    /// The best `limit` entries for a query, as of `now`.
    ///
    /// An entry matches when it holds any word of the query (in any form that the vocabulary knows) and every phrase. Its text
    /// score is the BM25F sum over the words, times the share of the query's words that it holds.
    pub fn search(&self, text: &str, filter: &Filter, limit: usize, now: Timestamp) -> Found {
        let query = Query::parse(text);
        let Some(phrases) = self.phrases(&query) else { return Found::default() };
        let mut sums =
            Sums { text: vec![0.0; self.slots.len()], counted: vec![0; self.slots.len()], touched: Vec::new() };
        let clauses: Vec<Clause<'_>> = query.words.iter().map(|word| self.add_up(word, &mut sums)).collect();
        let accepted = self.acceptance(filter, now);
        let words = query.counted();
        let mut candidates: Vec<(u32, f32)> = Vec::with_capacity(sums.touched.len());
        for slot in sums.touched {
            let entry = &self.slots[slot as usize];
            let counted = u32::from(sums.counted[slot as usize]);
            if counted > 0 && accepted(entry) && phrases.iter().all(|holding| holding.binary_search(&slot).is_ok()) {
                candidates.push((slot, sums.text[slot as usize] * score::coverage(counted, words)));
            }
        }
        self.rank(&candidates, &clauses, words, limit, now)
    }

    /// The slots that hold each phrase, ascending; `None` when a word of one is unknown, so that nothing can match.
    fn phrases(&self, query: &Query) -> Option<Vec<Vec<u32>>> {
        let numbered =
            query.phrases.iter().map(|phrase| phrase.iter().map(|word| self.vocabulary.find(word)).collect());
        numbered.map(|phrase: Option<Vec<TermId>>| Some(self.holding(&phrase?))).collect()
    }

    /// The slots that hold a phrase, ascending: of the entries with its rarest word, those with all of its words, and of
    /// these, those with the words in their order.
    fn holding(&self, phrase: &[TermId]) -> Vec<u32> {
        let postings = |term: &TermId| &self.vocabulary.term(*term).postings;
        let Some(rarest) = phrase.iter().min_by_key(|term| postings(term).len()) else { return Vec::new() };
        let has = |slot: u32, term: &TermId| postings(term).binary_search_by_key(&slot, |p| p.slot).is_ok();
        let slots = postings(rarest).iter().map(|posting| posting.slot);
        let all = slots.filter(|slot| phrase.iter().all(|term| term == rarest || has(*slot, term)));
        all.filter(|slot| holds(&self.slots[*slot as usize].order, phrase)).collect()
    }

    fn expand(&self, word: &Word) -> Vec<Expansion> {
        if word.exact {
            let term = self.vocabulary.find(&word.text).filter(|term| self.vocabulary.term(*term).entries > 0);
            return term.map(|term| Expansion { term, weight: weight::EXACT, edits: 0 }).into_iter().collect();
        }
        self.vocabulary.expand(&word.text, word.prefix, RARE)
    }

    /// Adds what one word is worth to every entry that holds it.
    fn add_up<'q>(&self, word: &'q Word, sums: &mut Sums) -> Clause<'q> {
        let expansions = self.expand(word);
        let averages = self.averages();
        let mut frequencies = Vec::new();
        let mut of_slot = if expansions.len() > 1 { vec![u32::MAX; self.slots.len()] } else { Vec::new() };
        for expansion in &expansions {
            for posting in &self.vocabulary.term(expansion.term).postings {
                let slot = &self.slots[posting.slot as usize];
                if !slot.alive {
                    continue;
                }
                let frequency = expansion.weight * score::frequency(counts(*posting), slot.lengths, averages);
                match of_slot.get_mut(posting.slot as usize) {
                    Some(at) if *at != u32::MAX => {
                        let (_, sum): &mut (u32, f32) = &mut frequencies[*at as usize];
                        *sum += frequency;
                    }
                    known => {
                        if let Some(at) = known {
                            *at = frequencies.len() as u32;
                        }
                        frequencies.push((posting.slot, frequency));
                    }
                }
            }
        }
        let rarity = score::rarity(self.len() as u32, frequencies.len() as u32);
        for (slot, frequency) in frequencies {
            let at = slot as usize;
            if sums.text[at] == 0.0 {
                sums.touched.push(slot);
            }
            sums.text[at] += score::contribution(rarity, frequency);
            sums.counted[at] += u8::from(word.counted);
        }
        Clause { word, expansions, rarity }
    }

    /// Whether an entry may be found at all.
    fn acceptance(&self, filter: &Filter, now: Timestamp) -> impl Fn(&Slot) -> bool {
        let below = format!("{}/", filter.namespace);
        let inside =
            |name: &String| filter.namespace.is_empty() || *name == filter.namespace || name.starts_with(&below);
        let namespaces: Vec<bool> = self.namespaces.names.iter().map(inside).collect();
        // An unknown tag has no number, and nothing can have it.
        let tags: Option<Vec<u32>> = filter.tags.iter().map(|tag| self.tags.numbers.get(tag).copied()).collect();
        let (since, until) = (filter.since.unwrap_or(Timestamp(i64::MIN)), filter.until.unwrap_or(Timestamp(i64::MAX)));
        move |slot| {
            slot.expires_at > now
                && namespaces[slot.namespace as usize]
                && slot.updated_at >= since
                && slot.updated_at < until
                && tags.as_ref().is_some_and(|tags| tags.iter().all(|tag| slot.tags.contains(tag)))
        }
    }

    fn rank(
        &self,
        candidates: &[(u32, f32)],
        clauses: &[Clause<'_>],
        words: u32,
        limit: usize,
        now: Timestamp,
    ) -> Found {
        let matched = candidates.len() as u32;
        let mut scored: Vec<(f64, u32, f32)> = candidates
            .iter()
            .map(|(slot, text)| {
                let entry = &self.slots[*slot as usize];
                let factors = score::recency(now.0, entry.updated_at.0) * score::importance(entry.importance);
                (f64::from(*text) * factors, *slot, *text)
            })
            .collect();
        let better = |a: &(f64, u32, f32), b: &(f64, u32, f32)| {
            let ids = || self.slots[a.1 as usize].id.cmp(&self.slots[b.1 as usize].id);
            b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal).then_with(ids)
        };
        let limit = limit.min(scored.len());
        if limit == 0 {
            return Found { hits: Vec::new(), matched };
        }
        scored.select_nth_unstable_by(limit - 1, better);
        scored.truncate(limit);
        scored.sort_by(better);
        let ranks = text_ranks(&scored, candidates);
        let hits = scored.iter().zip(ranks).map(|((score, slot, text), rank)| {
            let entry = &self.slots[*slot as usize];
            let (terms, met) = self.reasons(*slot, clauses, words);
            FoundEntry {
                id: entry.id,
                score: *score,
                text: f64::from(*text),
                text_rank: rank,
                recency: score::recency(now.0, entry.updated_at.0),
                importance: score::importance(entry.importance),
                terms,
                met,
            }
        });
        Found { hits: hits.collect(), matched }
    }

    /// What each word of the query added to the score of one entry, and by which words of it.
    fn reasons(&self, slot: u32, clauses: &[Clause<'_>], words: u32) -> (Vec<(String, TermMatch)>, Vec<String>) {
        let averages = self.averages();
        let lengths = self.slots[slot as usize].lengths;
        let mut terms = Vec::new();
        let mut met = Vec::new();
        let mut held_words = 0;
        for clause in clauses {
            let mut sum = 0.0;
            let mut best: Option<(f32, &Expansion)> = None;
            for expansion in &clause.expansions {
                let term = self.vocabulary.term(expansion.term);
                let Ok(at) = term.postings.binary_search_by_key(&slot, |posting| posting.slot) else { continue };
                let frequency = expansion.weight * score::frequency(counts(term.postings[at]), lengths, averages);
                sum += frequency;
                met.push(term.text.to_string());
                if best.is_none_or(|(most, _)| frequency > most) {
                    best = Some((frequency, expansion));
                }
            }
            if let Some((_, expansion)) = best {
                held_words += u32::from(clause.word.counted);
                let score = f64::from(score::contribution(clause.rarity, sum));
                let met = self.vocabulary.term(expansion.term).text.to_string();
                terms.push((clause.word.text.clone(), TermMatch { met, edits: expansion.edits, score }));
            }
        }
        let coverage = f64::from(score::coverage(held_words, words));
        for (_, term) in &mut terms {
            term.score *= coverage;
        }
        (terms, met)
    }
}

fn counts(posting: Posting) -> [u32; FIELDS] {
    [posting.content.into(), posting.key.into(), posting.tags.into()]
}

/// Whether the words stand in the order, one behind the other.
fn holds(order: &[TermId], phrase: &[TermId]) -> bool {
    let Some((first, rest)) = phrase.split_first() else { return true };
    order.iter().enumerate().any(|(at, term)| term == first && order[at + 1..].starts_with(rest))
}

/// The place of each hit by text score alone: one more than the candidates with a higher one.
fn text_ranks(hits: &[(f64, u32, f32)], candidates: &[(u32, f32)]) -> Vec<u32> {
    let mut bars: Vec<f32> = hits.iter().map(|(_, _, text)| *text).collect();
    bars.sort_by(f32::total_cmp);
    bars.dedup();
    // over[i]: candidates whose score lies above exactly the first i bars.
    let mut over = vec![0_u32; bars.len() + 1];
    for (_, text) in candidates {
        over[bars.partition_point(|bar| bar < text)] += 1;
    }
    hits.iter()
        .map(|(_, _, text)| {
            let bar = bars.partition_point(|bar| bar < text);
            1 + over[bar + 1..].iter().sum::<u32>()
        })
        .collect()
}
