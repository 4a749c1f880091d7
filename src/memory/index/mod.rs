//! The search index of one workspace: an inverted index with BM25F, in memory.
//!
//! Owns words, postings and the order of answers. It is a cache: it knows no table and is filled, in the order of their
//! change numbers, with entries and deletions by `memory::catalog`, from nothing whenever need be. It promises the same
//! answer as a scan of every entry (a property test holds it to that), bounded work for any query, and no panic on any text.
//! It refuses to keep texts: passages are cut from the stored entry.
//!
//! **Ranking** is a sum of signals (`score::Signal`): the words in the entry, in its neighbours and in its group
//! (`context`), how they stand in the best entries (`near`), and where there are vectors how alike they are (`alike`); times factors. Each hit can say all of them (`reasons`).
//!
//! **Memory.** About 12 bytes for each word of an entry's content (8 for its posting, 4 for its place in the order), 150 for
//! each entry, 80 more for one in a group, 130 for each different word: 175 MB for 100,000 entries of 80 words from 60,000. An
//! entry's content counts up to [`MAX_TOKENS`] tokens.
//!
//! **Deletions** leave a dead slot that no answer shows. Once a quarter is dead, the index is compacted: slots, words and
//! postings are renumbered without the dead, so that the cost of it is a small constant for each change.
//!
//! Our own and not tantivy, because it must show a write at once (a segment index has to commit), explain each word's part of
//! the score, guess misspellings, and stay small in the binary.

mod alike;
mod context;
mod cut;
mod dot;
mod edits;
mod filter;
mod fold;
mod forms;
mod graph;
mod group;
mod names;
mod near;
mod nearest;
mod passage;
mod query;
mod reasons;
mod rows;
mod score;
mod search;
mod speed;
#[cfg(test)]
pub(super) mod tests;
mod token;
#[cfg(test)]
mod twin;
mod vectors;
mod vocabulary;
mod watch;

pub(super) use cut::{cut, digest};
pub(super) use filter::Filter;
pub(super) use fold::fold;
pub(super) use names::is_filterable;
pub(super) use nearest::{Growth, Way};
pub(super) use passage::passage;
pub(super) use rows::{Rows, Taken};
pub(super) use score::Signal;
pub(super) use search::{Asked, Found, FoundEntry};
pub use speed::{VectorSpeed, vector_speed};
pub(super) use vectors::{Packed, Question, pack};

use std::collections::HashMap;

use serde_json::Value;

use self::group::{GroupId, Groups, Place, Rank};
use self::names::{Names, facts};
use self::score::FIELDS;
use self::token::{Kind, Token, tokenize};
use self::vectors::Vectors;
use self::vocabulary::{Posting, TermId, Vocabulary};
use crate::model::memory::{Entry, Trust};
use crate::model::{EmbedderId, EntryId, Timestamp};

/// Tokens of an entry's content that are indexed, about 120,000 characters; what follows them is not found by its words.
pub(super) const MAX_TOKENS: usize = 20_000;
/// Tokens of an entry's metadata that are indexed.
const MAX_METADATA_TOKENS: usize = 256;
/// Longest name before a colon that is taken for a speaker's, in characters.
const MAX_SPEAKER_CHARS: usize = 40;
/// Stands in an entry's order of words between what no phrase crosses.
const GAP: TermId = TermId::MAX;
/// Dead slots from which a compaction pays.
const MIN_DEAD: usize = 1024;

/// An entry taken apart, ready to go into an index. Made without any lock, since long texts take milliseconds.
pub(super) struct Analysed {
    id: EntryId,
    namespace: String,
    /// The names of what filters can ask for.
    facts: Vec<String>,
    group: Option<String>,
    rank: Rank,
    speaker: Vec<String>,
    updated_at: Timestamp,
    expires_at: Option<Timestamp>,
    importance: f64,
    is_superseded: bool,
    trust: Trust,
    digest: i64,
    fields: [Vec<Token>; FIELDS],
}

impl Analysed {
    /// Takes an entry apart.
    pub fn new(entry: &Entry) -> Self {
        Self {
            id: entry.id,
            namespace: entry.namespace.clone(),
            facts: facts(entry),
            group: entry.group.clone(),
            rank: Rank { position: entry.position.unwrap_or(i64::MAX), created_at: entry.created_at.0, id: entry.id },
            speaker: speaker(entry),
            updated_at: entry.updated_at,
            expires_at: entry.expires_at,
            importance: entry.importance,
            is_superseded: entry.superseded_at.is_some(),
            trust: entry.trust,
            digest: digest(&entry.content),
            fields: [
                tokenize(&entry.content, MAX_TOKENS),
                tokenize(&entry.key, MAX_TOKENS),
                // A line each, so that no compound joins two tags.
                tokenize(&entry.tags.join("\n"), MAX_TOKENS),
                tokenize(&metadata_text(entry), MAX_METADATA_TOKENS),
            ],
        }
    }
}

/// The texts and numbers of the metadata, a line each; what is nested deeper than a list is left out.
fn metadata_text(entry: &Entry) -> String {
    let mut text = String::new();
    let mut add = |value: &Value| {
        match value {
            Value::String(line) => text.push_str(line),
            Value::Number(number) => text.push_str(&number.to_string()),
            _ => return,
        }
        text.push('\n');
    };
    for value in entry.metadata.values() {
        match value {
            Value::Array(items) => items.iter().for_each(&mut add),
            other => add(other),
        }
    }
    text
}

/// The words of the name of who speaks in an entry: of its metadata's `speaker`, or in a group of what stands before the first
/// colon, as in `Ada: good morning`; empty when nobody is named.
fn speaker(entry: &Entry) -> Vec<String> {
    let named = match entry.metadata.get("speaker") {
        Some(Value::String(name)) => Some(name.as_str()),
        _ if entry.group.is_some() => entry.content.split_once(':').map(|(name, _)| name),
        _ => None,
    };
    let Some(name) = named.filter(|name| name.chars().count() <= MAX_SPEAKER_CHARS && !name.contains('\n')) else {
        return Vec::new();
    };
    let words = tokenize(name, 8).into_iter().filter(|token| token.kind != Kind::Whole).map(|token| token.text);
    let words: Vec<String> = words.collect();
    if words.len() > 3 { Vec::new() } else { words }
}

/// An entry in the index.
struct Slot {
    id: EntryId,
    namespace: u32,
    /// Numbers of what filters can ask for, ascending.
    facts: Box<[u32]>,
    place: Option<Box<Place>>,
    /// Words of the name of who speaks in it.
    speaker: Box<[TermId]>,
    updated_at: Timestamp,
    expires_at: Timestamp,
    importance: f64,
    is_superseded: bool,
    trust: Trust,
    /// Of its content.
    digest: i64,
    /// Every word in its order, with gaps; compounds behind, each between gaps.
    order: Box<[TermId]>,
}

/// What every posting of a searched word asks of its slot: kept apart from the rest, so that a search reads little memory.
#[derive(Debug, Clone, Copy)]
struct Light {
    /// Words in each field.
    lengths: [u32; FIELDS],
    /// [`NO_GROUP`] for none.
    group: GroupId,
    alive: bool,
}

/// Of an entry without a group.
const NO_GROUP: GroupId = GroupId::MAX;

/// The index of one workspace.
#[derive(Default)]
pub(super) struct Index {
    vocabulary: Vocabulary,
    slots: Vec<Slot>,
    /// By slot.
    lights: Vec<Light>,
    by_id: HashMap<EntryId, u32>,
    namespaces: Names,
    facts: Names,
    groups: Groups,
    vectors: Vectors,
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
            term.postings.push(Posting { slot, counts: counts.map(|count| u8::try_from(count).unwrap_or(u8::MAX)) });
        }
        let words = |field: &Vec<Token>| field.iter().filter(|t| t.kind != Kind::Whole).count() as u32;
        let lengths = entry.fields.each_ref().map(words);
        for (sum, length) in self.lengths.iter_mut().zip(lengths) {
            *sum += u64::from(length);
        }
        self.by_id.insert(entry.id, slot);
        let namespace = self.namespaces.intern(&entry.namespace);
        let mut facts: Vec<u32> = entry.facts.iter().map(|fact| self.facts.intern(fact)).collect();
        facts.sort_unstable();
        let place = entry.group.map(|name| Place { group: self.groups.intern(namespace, &name), rank: entry.rank });
        if let Some(place) = place {
            self.groups.put(place, slot, lengths[0]);
        }
        // A name in the metadata is among the entry's words, and so is what stands before a colon.
        let speaker = entry.speaker.iter().filter_map(|word| self.vocabulary.find(word)).collect();
        self.slots.push(Slot {
            id: entry.id,
            namespace,
            facts: facts.into_boxed_slice(),
            place: place.map(Box::new),
            speaker,
            updated_at: entry.updated_at,
            expires_at: entry.expires_at.unwrap_or(Timestamp(i64::MAX)),
            importance: entry.importance,
            is_superseded: entry.is_superseded,
            trust: entry.trust,
            digest: entry.digest,
            order,
        });
        self.vectors.place(entry.id, Some((slot, entry.digest)));
        let group = place.map_or(NO_GROUP, |place| place.group);
        self.lights.push(Light { lengths, group, alive: true });
        self.compact_if_due();
    }

    /// Takes an entry out, if it is in, with its vectors.
    pub fn remove(&mut self, id: EntryId) {
        self.bury(id);
        self.vectors.remove(id);
        self.compact_if_due();
    }

    /// Gives up all vectors, for those of an embedder and with so many numbers; `None` for none at all.
    pub fn begin_vectors(&mut self, of: Option<(EmbedderId, usize)>) {
        self.vectors = of.map_or_else(Vectors::default, |(embedder, dims)| Vectors::new(embedder, dims));
    }

    /// Puts the vectors of an entry in; they count while the entry has the content that was embedded.
    pub fn put_vectors(&mut self, id: EntryId, packed: &Packed) {
        let slot = self.by_id.get(&id).copied();
        let slot = slot.filter(|slot| self.slots[*slot as usize].digest == packed.digest);
        self.vectors.put(id, packed, slot);
    }

    /// Whether vectors wait for the graph that leads to the nearest of very many.
    pub fn wants_graph(&self) -> bool {
        self.vectors.wants_graph()
    }

    /// Puts the next few vectors into it. False when none waits any more.
    pub fn grow(&self, most: usize) -> bool {
        self.vectors.grow(most)
    }

    /// Entries whose vectors there was no room for.
    pub const fn vectors_left_out(&self) -> u32 {
        self.vectors.left_out()
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
        self.vectors.place(id, None);
        let light = &mut self.lights[slot as usize];
        light.alive = false;
        let lengths = light.lengths;
        let slot = &mut self.slots[slot as usize];
        for (sum, length) in self.lengths.iter_mut().zip(lengths) {
            *sum -= u64::from(length);
        }
        if let Some(place) = slot.place.take() {
            self.groups.remove(*place, lengths[0]);
        }
        slot.speaker = Box::default();
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
        let number = |light: &Light| {
            light.alive.then(|| {
                next += 1;
                next - 1
            })
        };
        let renumbered: Vec<Option<u32>> = self.lights.iter().map(number).collect();
        let (vocabulary, terms) = std::mem::take(&mut self.vocabulary).compacted(&renumbered);
        self.vocabulary = vocabulary;
        let groups = self.groups.compact(&renumbered);
        self.vectors.renumber(&renumbered);
        let mut alive = self.lights.iter().map(|light| light.alive);
        self.slots.retain(|_| alive.next() == Some(true));
        self.slots.shrink_to_fit();
        self.lights.retain(|light| light.alive);
        self.lights.shrink_to_fit();
        for (slot, light) in self.slots.iter_mut().zip(&mut self.lights) {
            for term in slot.order.iter_mut().filter(|term| **term != GAP) {
                *term = terms[*term as usize].expect("an entry alive holds its words");
            }
            slot.speaker = slot.speaker.iter().filter_map(|term| terms[*term as usize]).collect();
            if let Some(place) = &mut slot.place {
                place.group = groups[place.group as usize].expect("an entry alive fills its group");
                light.group = place.group;
            }
        }
        self.by_id = self.slots.iter().enumerate().map(|(at, slot)| (slot.id, at as u32)).collect();
    }

    /// The mean number of words in each field.
    fn averages(&self) -> [f32; FIELDS] {
        self.lengths.map(|sum| sum as f32 / self.len().max(1) as f32)
    }
}
