//! The search index of one workspace: an inverted index with BM25F, in memory.
//!
//! Owns words, postings and the order of answers. It is a cache: it knows no table and is filled, in the order of their
//! change numbers, with entries and deletions by `memory::catalog`, from nothing whenever need be. It promises the same
//! answer as a scan of every entry (a property test holds it to that), bounded work for any query, and no panic on any text.
//! It refuses to keep texts: passages are cut from the stored entry.
//!
//! **Memory.** About 12 bytes for each word of an entry's content (8 for its posting, 4 for its place in the order), 150 for
//! each entry, 130 for each different word: 175 MB for 100,000 entries of 80 words from 60,000. An entry's content counts up to
//! [`MAX_TOKENS`] tokens.
//!
//! **Deletions** leave a dead slot that no answer shows. Once a quarter is dead, the index is compacted: slots, words and
//! postings are renumbered without the dead, so that the cost of it is a small constant for each change.
//!
//! Our own and not tantivy, because it must show a write at once (a segment index has to commit), explain each word's part of
//! the score, guess misspellings, and stay small in the binary.

mod edits;
mod fold;
mod passage;
mod query;
mod score;
mod search;
#[cfg(test)]
mod tests;
mod token;
mod vocabulary;

pub(super) use passage::passage;
pub(super) use search::{Filter, Found, FoundEntry};

use std::collections::HashMap;

use self::score::FIELDS;
use self::token::{Kind, Token, tokenize};
use self::vocabulary::{Posting, TermId, Vocabulary};
use crate::model::memory::Entry;
use crate::model::{EntryId, Timestamp};

/// Tokens of an entry's content that are indexed, about 120,000 characters; what follows them is not found by its words.
pub(super) const MAX_TOKENS: usize = 20_000;
/// Stands in an entry's order of words between what no phrase crosses.
const GAP: TermId = TermId::MAX;
/// Dead slots from which a compaction pays.
const MIN_DEAD: usize = 1024;

/// An entry taken apart, ready to go into an index. Made without any lock, since long texts take milliseconds.
pub(super) struct Analysed {
    id: EntryId,
    namespace: String,
    tags: Vec<String>,
    updated_at: Timestamp,
    expires_at: Option<Timestamp>,
    importance: f64,
    fields: [Vec<Token>; FIELDS],
}

impl Analysed {
    /// Takes an entry apart.
    pub fn new(entry: &Entry) -> Self {
        Self {
            id: entry.id,
            namespace: entry.namespace.clone(),
            tags: entry.tags.clone(),
            updated_at: entry.updated_at,
            expires_at: entry.expires_at,
            importance: entry.importance,
            fields: [
                tokenize(&entry.content, MAX_TOKENS),
                tokenize(&entry.key, MAX_TOKENS),
                // A line each, so that no compound joins two tags.
                tokenize(&entry.tags.join("\n"), MAX_TOKENS),
            ],
        }
    }
}

/// An entry in the index.
struct Slot {
    id: EntryId,
    namespace: u32,
    tags: Box<[u32]>,
    updated_at: Timestamp,
    expires_at: Timestamp,
    importance: f64,
    /// Words in each field.
    lengths: [u32; FIELDS],
    /// Every word in its order, with gaps; compounds behind, each between gaps.
    order: Box<[TermId]>,
    alive: bool,
}

/// Names by number: namespaces and tags, of which there are few.
#[derive(Default)]
struct Names {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn intern(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// The index of one workspace.
#[derive(Default)]
pub(super) struct Index {
    vocabulary: Vocabulary,
    slots: Vec<Slot>,
    by_id: HashMap<EntryId, u32>,
    namespaces: Names,
    tags: Names,
    /// Words in each field, of all entries alive.
    lengths: [u64; FIELDS],
}

impl Index {
    /// Entries that can be found.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Puts an entry in, in place of what it was before.
    pub fn put(&mut self, entry: Analysed) {
        self.bury(entry.id);
        let slot = self.slots.len() as u32;
        let (order, held) = self.take_words(&entry.fields);
        for (term, counts) in held {
            let term = self.vocabulary.term_mut(term);
            term.entries += 1;
            term.postings.push(Posting {
                slot,
                content: u16::try_from(counts[0]).unwrap_or(u16::MAX),
                key: u8::try_from(counts[1]).unwrap_or(u8::MAX),
                tags: u8::try_from(counts[2]).unwrap_or(u8::MAX),
            });
        }
        let words = |field: &Vec<Token>| field.iter().filter(|t| t.kind != Kind::Whole).count() as u32;
        let lengths = [words(&entry.fields[0]), words(&entry.fields[1]), words(&entry.fields[2])];
        for (sum, length) in self.lengths.iter_mut().zip(lengths) {
            *sum += u64::from(length);
        }
        self.by_id.insert(entry.id, slot);
        let namespace = self.namespaces.intern(&entry.namespace);
        let tags = entry.tags.iter().map(|tag| self.tags.intern(tag)).collect();
        self.slots.push(Slot {
            id: entry.id,
            namespace,
            tags,
            updated_at: entry.updated_at,
            expires_at: entry.expires_at.unwrap_or(Timestamp(i64::MAX)),
            importance: entry.importance,
            lengths,
            order,
            alive: true,
        });
        self.compact_if_due();
    }

    /// Takes an entry out, if it is in.
    pub fn remove(&mut self, id: EntryId) {
        self.bury(id);
        self.compact_if_due();
    }

    /// Numbers the words of an entry: their order, and how often each stands in each field.
    #[expect(clippy::type_complexity, reason = "two lists of one walk over the words")]
    fn take_words(&mut self, fields: &[Vec<Token>; FIELDS]) -> (Box<[TermId]>, Vec<(TermId, [u32; FIELDS])>) {
        let tokens = fields.iter().map(Vec::len).sum::<usize>();
        let mut order = Vec::with_capacity(tokens + FIELDS);
        let mut wholes = Vec::new();
        let mut seen: Vec<(TermId, u8)> = Vec::with_capacity(tokens);
        for (field, tokens) in fields.iter().enumerate() {
            for token in tokens {
                let term = self.vocabulary.intern(&token.text);
                seen.push((term, field as u8));
                if token.kind == Kind::Whole {
                    wholes.extend([GAP, term]);
                } else {
                    order.push(term);
                }
            }
            order.push(GAP);
        }
        order.extend(wholes);
        seen.sort_unstable();
        let mut held: Vec<(TermId, [u32; FIELDS])> = Vec::new();
        for (term, field) in seen {
            if held.last().is_none_or(|(last, _)| *last != term) {
                held.push((term, [0; FIELDS]));
            }
            if let Some((_, counts)) = held.last_mut() {
                counts[usize::from(field)] += 1;
            }
        }
        (order.into_boxed_slice(), held)
    }

    fn bury(&mut self, id: EntryId) {
        let Some(slot) = self.by_id.remove(&id) else { return };
        let slot = &mut self.slots[slot as usize];
        slot.alive = false;
        for (sum, length) in self.lengths.iter_mut().zip(slot.lengths) {
            *sum -= u64::from(length);
        }
        let mut terms = std::mem::take(&mut slot.order).into_vec();
        terms.sort_unstable();
        terms.dedup();
        for term in terms.into_iter().filter(|term| *term != GAP) {
            self.vocabulary.term_mut(term).entries -= 1;
        }
    }

    fn compact_if_due(&mut self) {
        let dead = self.slots.len() - self.by_id.len();
        if dead >= MIN_DEAD && dead * 4 >= self.slots.len() {
            self.compact();
        }
    }

    /// Renumbers everything without the dead.
    fn compact(&mut self) {
        let mut next = 0;
        let renumbered: Vec<Option<u32>> = self
            .slots
            .iter()
            .map(|slot| {
                slot.alive.then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let (vocabulary, terms) = std::mem::take(&mut self.vocabulary).compacted(&renumbered);
        self.vocabulary = vocabulary;
        self.slots.retain(|slot| slot.alive);
        self.slots.shrink_to_fit();
        for slot in &mut self.slots {
            for term in slot.order.iter_mut().filter(|term| **term != GAP) {
                *term = terms[*term as usize].expect("an entry alive holds its words");
            }
        }
        self.by_id = self.slots.iter().enumerate().map(|(at, slot)| (slot.id, at as u32)).collect();
    }

    /// The mean number of words in each field.
    fn averages(&self) -> [f32; FIELDS] {
        self.lengths.map(|sum| sum as f32 / self.len().max(1) as f32)
    }
}
