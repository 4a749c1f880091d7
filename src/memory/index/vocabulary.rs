//! Every word of the index: found exactly, by its stem, by its beginning, or by a misspelling.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use rust_stemmers::{Algorithm, Stemmer};

use super::fold::is_cjk;
use super::score::FIELDS;
use super::{edits, forms};

/// A word's number; dense from 0.
pub(super) type TermId = u32;

/// Words with a given beginning that are looked at, in alphabetical order.
const PREFIX_SCAN: usize = 8192;
/// Of these, and of misspellings and of words with the same stem, how many are searched: the most frequent.
const MOST_EXPANSIONS: usize = 48;

/// An entry that holds a word, with how often it stands in each field; 255 is 255 times or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posting {
    /// The entry's slot.
    pub slot: u32,
    /// In the content, the key, the tags and the metadata.
    pub counts: [u8; FIELDS],
}

/// A word and the entries that hold it.
#[derive(Debug)]
pub(super) struct Term {
    /// Folded.
    pub text: Arc<str>,
    /// Entries alive that hold it.
    pub entries: u32,
    /// By slot, ascending; some of the slots may be dead.
    pub postings: Vec<Posting>,
}

/// A word of the vocabulary that a word of a query stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Expansion {
    /// The word.
    pub term: TermId,
    /// What its occurrences count, 0..=1.
    pub weight: f32,
    /// Letters that differ.
    pub edits: u32,
}

/// Whether longer words that begin with a word of a query fit too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// The word is complete.
    Never,
    /// It may be half typed, but there are enough others to find by: only when nobody holds it as it is.
    IfUnknown,
    /// It may be half typed.
    Always,
}

/// How much of a word's occurrences count, by how it was met.
pub(super) mod weight {
    /// The word itself.
    pub const EXACT: f32 = 1.0;
    /// Another form of the word.
    pub const STEM: f32 = 0.8;

    /// A longer word that begins with the `typed` letters of `whole`: 0.3..0.7, the more is typed the more.
    pub fn prefix(typed: usize, whole: usize) -> f32 {
        0.3 + 0.4 * typed as f32 / whole.max(1) as f32
    }

    /// A misspelling.
    pub const fn misspelt(edits: u32) -> f32 {
        if edits <= 1 { 0.5 } else { 0.3 }
    }
}

/// The words of one index.
pub(super) struct Vocabulary {
    ids: BTreeMap<Arc<str>, TermId>,
    terms: Vec<Term>,
    /// From a stem to the words that have it; words that are their own stem are listed too.
    stems: HashMap<Box<str>, Vec<TermId>>,
    /// Words that may be meant by a misspelling, by their length in characters, with their letters.
    by_length: Vec<Vec<(u64, TermId)>>,
    stemmer: Stemmer,
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self {
            ids: BTreeMap::new(),
            terms: Vec::new(),
            stems: HashMap::new(),
            by_length: vec![Vec::new(); edits::MAX_CHARS + 1],
            stemmer: Stemmer::create(Algorithm::English),
        }
    }
}

impl Vocabulary {
    /// How many words have a number.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Every word.
    pub fn all(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter()
    }

    /// A word by its number.
    pub fn term(&self, id: TermId) -> &Term {
        &self.terms[id as usize]
    }

    /// A word by its number, to change who holds it.
    pub fn term_mut(&mut self, id: TermId) -> &mut Term {
        &mut self.terms[id as usize]
    }

    /// The number of a word, if it is known.
    pub fn find(&self, text: &str) -> Option<TermId> {
        self.ids.get(text).copied()
    }

    /// The number of a word, new if need be.
    pub fn intern(&mut self, text: &str) -> TermId {
        if let Some(id) = self.find(text) {
            return id;
        }
        let id = self.terms.len() as TermId;
        let shared: Arc<str> = Arc::from(text);
        if let Some(stem) = stem(&self.stemmer, text) {
            self.stems.entry(stem.into_boxed_str()).or_default().push(id);
        }
        if guessable(text) {
            let length = text.chars().count();
            if let Some(bucket) = self.by_length.get_mut(length) {
                bucket.push((edits::signature(text), id));
            }
        }
        self.ids.insert(Arc::clone(&shared), id);
        self.terms.push(Term { text: shared, entries: 0, postings: Vec::new() });
        id
    }

    /// How many entries hold a word, of those in `seen` slots; of all where it is `None`.
    fn held(&self, id: TermId, seen: Option<&[bool]>) -> u32 {
        let term = self.term(id);
        seen.map_or(term.entries, |seen| term.postings.iter().filter(|p| seen[p.slot as usize]).count() as u32)
    }

    /// Whether an entry holds a word, of those in `seen` slots; of all where it is `None`.
    pub fn is_held(&self, id: TermId, seen: Option<&[bool]>) -> bool {
        let term = self.term(id);
        seen.map_or(term.entries > 0, |seen| term.postings.iter().any(|p| seen[p.slot as usize]))
    }

    /// What a word of a query stands for, the word itself first: no two alike, all held by an entry.
    ///
    /// `rare`: misspellings are looked for when at most so many entries hold the word in any form. `seen`: only the entries in these
    /// slots are there; the words of others neither stand for anything nor keep other words from it.
    pub fn expand(&self, word: &str, prefix: Prefix, rare: u32, seen: Option<&[bool]>) -> Vec<Expansion> {
        let mut found = Vec::new();
        if let Some(term) = self.find(word) {
            found.push(Expansion { term, weight: weight::EXACT, edits: 0 });
        }
        if let Some(stem) = stem(&self.stemmer, word)
            && let Some(terms) = self.stems.get(stem.as_str())
        {
            let others = terms.iter().map(|term| Expansion { term: *term, weight: weight::STEM, edits: 0 });
            self.add(&mut found, others.collect(), seen);
        }
        let irregular = forms::of(word).iter().filter_map(|form| self.find(form));
        let irregular = irregular.map(|term| Expansion { term, weight: weight::STEM, edits: 0 }).collect();
        self.add(&mut found, irregular, seen);
        let known = found.iter().any(|e| self.is_held(e.term, seen));
        if prefix == Prefix::Always || (prefix == Prefix::IfUnknown && !known) {
            self.add(&mut found, self.beginning_with(word, seen), seen);
        }
        let held: u32 = found.iter().map(|e| self.held(e.term, seen)).sum();
        if held <= rare {
            self.add(&mut found, self.misspelt(word), seen);
        }
        found.retain(|e| self.is_held(e.term, seen));
        found
    }

    /// Adds the most frequent of `more` that aren't there yet.
    fn add(&self, found: &mut Vec<Expansion>, mut more: Vec<Expansion>, seen: Option<&[bool]>) {
        more.retain(|e| self.is_held(e.term, seen) && !found.iter().any(|f| f.term == e.term));
        if more.len() > MOST_EXPANSIONS {
            let order =
                |e: &Expansion| (std::cmp::Reverse(self.held(e.term, seen)), Arc::clone(&self.term(e.term).text));
            more.sort_by_cached_key(order);
            more.truncate(MOST_EXPANSIONS);
        }
        found.extend(more);
    }

    fn beginning_with(&self, word: &str, seen: Option<&[bool]>) -> Vec<Expansion> {
        let typed = word.chars().count();
        // One Latin letter begins too much to mean anything.
        if typed < 2 && !word.chars().all(is_cjk) {
            return Vec::new();
        }
        self.ids
            .range::<str, _>((Bound::Excluded(word), Bound::Unbounded))
            .take_while(|(text, _)| text.starts_with(word))
            .filter(|(_, term)| seen.is_none() || self.is_held(**term, seen))
            .take(PREFIX_SCAN)
            .map(|(text, term)| Expansion {
                term: *term,
                weight: weight::prefix(typed, text.chars().count()),
                edits: 0,
            })
            .collect()
    }

    fn misspelt(&self, word: &str) -> Vec<Expansion> {
        let most = edits::allowed(word);
        if most == 0 || !guessable(word) {
            return Vec::new();
        }
        let letters = edits::signature(word);
        let length = word.chars().count();
        let reach = most as usize;
        let lengths = length.saturating_sub(reach)..=(length + reach).min(edits::MAX_CHARS);
        let mut found = Vec::new();
        for (signature, term) in lengths.flat_map(|length| self.by_length[length].iter()) {
            if (signature ^ letters).count_ones() <= 2 * most
                && let Some(edits) = edits::distance(word, &self.term(*term).text, most)
                && edits > 0
            {
                found.push(Expansion { term: *term, weight: weight::misspelt(edits), edits });
            }
        }
        found
    }

    /// A vocabulary of the words that entries still hold, and the new number of each old word (`None`: nobody holds it).
    ///
    /// `slots` gives the new slot of each old one, `None` for dead ones.
    pub fn compacted(self, slots: &[Option<u32>]) -> (Self, Vec<Option<TermId>>) {
        let mut fresh = Self::default();
        let numbers = self
            .terms
            .into_iter()
            .map(|term| {
                (term.entries > 0).then(|| {
                    let id = fresh.intern(&term.text);
                    let kept =
                        term.postings.into_iter().filter_map(|p| Some(Posting { slot: slots[p.slot as usize]?, ..p }));
                    let renewed = fresh.term_mut(id);
                    renewed.postings = kept.collect();
                    renewed.entries = term.entries;
                    id
                })
            })
            .collect();
        (fresh, numbers)
    }
}

/// The English stem of a word of plain letters.
///
/// Source: the Snowball English stemmer (Porter 2), by the crate rust-stemmers.
fn stem(stemmer: &Stemmer, word: &str) -> Option<String> {
    let plain = word.len() >= 3 && word.bytes().all(|b| b.is_ascii_lowercase());
    plain.then(|| stemmer.stem(word).into_owned())
}

/// Whether a misspelling can be meant for this word: letters and digits of a script with spaces, no digit first.
fn guessable(word: &str) -> bool {
    word.chars().next().is_some_and(|c| !c.is_numeric()) && word.chars().all(|c| c.is_alphanumeric() && !is_cjk(c))
}
