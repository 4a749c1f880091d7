//! Answering a query: which entries, in which order.

use std::cmp::Ordering;
use std::time::Duration;

use super::alike::Likeness;
use super::context::{self, Context, GroupSums};
use super::filter::{Filter, Seen};
use super::near::{self, LOOKED_AT, Marks};
use super::nearest::{Growth, Way};
use super::query::{Query, Word};
use super::reasons::Told;
use super::score::{self, SIGNALS, Signal, WEIGHTS};
use super::vectors::Question;
use super::vocabulary::{Expansion, Prefix, TermId, weight};
use super::watch::Watch;
use super::{Index, Light, NO_GROUP, Slot, names, reasons};
use crate::model::memory::TermMatch;
use crate::model::{EntryId, Timestamp};

/// A word of a short query that at most so many entries hold may be misspelt where the answer stands: words like it are looked for
/// too. In a question other words find it, and words that only look alike cost more than they bring: only unknown ones are guessed.
pub(super) const RARE: u32 = 3;

/// A question to the index.
#[derive(Debug, Clone)]
pub(in crate::memory) struct Asked {
    /// Words; phrases in quotes.
    pub text: String,
    /// Whether its words count. Phrases hold in any case.
    pub words: bool,
    /// The question as a vector, if vectors count.
    pub vector: Option<Question>,
    /// What may be found.
    pub filter: Filter,
    /// Most hits.
    pub limit: usize,
    /// As of when.
    pub now: Timestamp,
    /// Entries before and behind each hit that are named with it.
    pub neighbours: usize,
    /// Hits with a lower score are left out.
    pub min_score: f64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::memory) struct Found {
    /// Best first; ties by id.
    pub hits: Vec<FoundEntry>,
    /// How many entries matched, whatever their score.
    pub matched: u32,
    /// Whether vectors were compared.
    pub compared: bool,
    /// How, and how far the graph has come that may lead to them.
    pub vectors: Option<(Way, Growth)>,
    /// How long each stage took, in their order.
    pub stages: Vec<(&'static str, Duration)>,
}

/// A found entry, and why.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::memory) struct FoundEntry {
    /// Which.
    pub id: EntryId,
    /// The sum of `signals`, times `speaker`, `recency` and `importance`.
    pub score: f64,
    /// What each signal adds, by its place in [`Signal`].
    pub signals: [f64; SIGNALS],
    /// The entry's place by each signal alone, 1 is best, 0 where the signal adds nothing. Among all that matched; by what only
    /// the best entries are looked at for, among the hits.
    pub ranks: [u32; SIGNALS],
    /// The factor of its speaker.
    pub speaker: f64,
    /// The factor of age.
    pub recency: f64,
    /// The factor of importance.
    pub importance: f64,
    /// The query's words that it holds, with the one of its words that counted most.
    pub terms: Vec<(String, TermMatch)>,
    /// Every word of it that was met, folded, and how rare it is.
    pub met: Vec<(String, f32)>,
    /// The cosine of the question's vector and the entry's, and which passage it is of, from 0.
    pub alike: Option<(f64, u32)>,
    /// The entries before it in its group, in their order.
    pub before: Vec<EntryId>,
    /// The entries behind it.
    pub behind: Vec<EntryId>,
}

/// A word of the query, with the words of the index that it stands for and how rare they are together.
pub(super) struct Clause<'q> {
    pub word: &'q Word,
    pub expansions: Vec<Expansion>,
    pub rarity: f32,
}

/// What the entries that may be found hold of the question, by slot.
pub(super) struct Sums {
    /// Text scores.
    pub text: Vec<f32>,
    /// The rarities of the counted words that the entry holds.
    held: Vec<f32>,
    /// Slots with any word.
    pub touched: Vec<u32>,
}

/// An entry that matched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub slot: u32,
    /// What each signal adds, weighted, not yet comparable.
    pub parts: Parts,
    pub speaker: f32,
    pub score: f64,
}

/// What turns the sum of an entry's parts into its score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Makes scores of different questions comparable.
    pub factor: f32,
    pub now: Timestamp,
}

/// A number for each signal.
pub(super) type Parts = [f32; SIGNALS];

impl Index {
    /// The best entries for a question.
    ///
    /// An entry matches when it holds any word of the query (in any form that the vocabulary knows) or its vector is like the
    /// question's, or one of its neighbours does, and it holds every phrase. Its score is the sum of its signals, made comparable
    /// over questions, times factors for who speaks, age and importance.
    pub fn search(&self, asked: &Asked) -> Found {
        let mut watch = Watch::start();
        let query = Query::parse(&asked.text);
        let compared = asked.vector.as_ref().is_some_and(|question| self.vectors.answers(question));
        let seen = self.seen(&asked.filter.reach);
        let Some(phrases) = self.phrases(&query, seen.as_ref()) else {
            return Found { compared, ..Found::default() };
        };
        let accepted = self.accepted(&asked.filter, asked.now);
        watch.stage("filter");
        let mut sums = self.sums();
        let mut groups = GroupSums::new(self.groups.len());
        let short = query.is_short();
        let add = |word| self.add_up(word, short, (accepted.as_slice(), seen.as_ref()), &mut sums, &mut groups);
        let mut clauses: Vec<Clause<'_>> = query.words.iter().map(add).collect();
        let worth: f32 = clauses.iter().filter(|clause| clause.word.counted).map(|clause| clause.rarity).sum();
        if !asked.words {
            // They were looked up for what they are worth: scores of all modes are in one unit.
            clauses.clear();
            (sums, groups) = (self.sums(), GroupSums::new(self.groups.len()));
        }
        for slot in &sums.touched {
            let at = *slot as usize;
            if self.lights[at].group != NO_GROUP {
                sums.text[at] *= score::coverage(sums.held[at] / worth.max(f32::MIN_POSITIVE));
            }
        }
        watch.stage("words");
        let context = self.context(&sums, groups, &accepted);
        watch.stage("context");
        let likeness = asked.vector.as_ref().map_or_else(Likeness::default, |question| {
            let likeness = self.likeness(question, worth, &accepted, &sums);
            watch.stage("vectors");
            likeness
        });
        let holds_phrases = |slot: &u32| phrases.iter().all(|holding| holding.binary_search(slot).is_ok());
        let by_words = sums.touched.iter().chain(&context.nearby).copied();
        let has_words = |slot: u32| sums.text[slot as usize] > 0.0 || context.neighbours(slot as usize) > 0.0;
        let by_vector = likeness.touched.iter().copied().filter(|slot| !has_words(*slot));
        let matching: Vec<u32> = by_words.chain(by_vector).filter(holds_phrases).collect();
        let parts = |slot: u32| self.parts(slot, &sums, &context, &likeness);
        let named = context::named(&clauses);
        let scale = Scale { factor: score::comparable(worth), now: asked.now };
        let mut hits = self.best(&matching, parts, &named, scale, asked.limit.max(LOOKED_AT));
        self.look_closely(&mut hits, &clauses, scale);
        hits.truncate(asked.limit);
        watch.stage("rank");
        hits.retain(|hit| hit.score >= asked.min_score);
        let ranks = reasons::ranks(&hits, &matching, parts);
        let told = Told { clauses: &clauses, scale, likeness: &likeness, asked };
        let hits = hits.iter().zip(ranks).map(|(hit, ranks)| self.explained(hit, ranks, &told)).collect();
        watch.stage("reasons");
        let vectors = likeness.way.map(|way| (way, self.vectors.growth()));
        Found { hits, matched: matching.len() as u32, compared, vectors, stages: watch.stages }
    }

    /// What the signals that every entry has say for one.
    fn parts(&self, slot: u32, sums: &Sums, context: &Context, likeness: &Likeness) -> Parts {
        let mut parts = [0.0; SIGNALS];
        parts[Signal::Text as usize] = WEIGHTS[Signal::Text as usize] * sums.text[slot as usize];
        parts[Signal::Neighbours as usize] = WEIGHTS[Signal::Neighbours as usize] * context.neighbours(slot as usize);
        parts[Signal::Group as usize] = context.group(self.lights[slot as usize].group);
        parts[Signal::Vector as usize] = WEIGHTS[Signal::Vector as usize] * likeness.part(slot);
        parts
    }

    fn sums(&self) -> Sums {
        Sums { text: vec![0.0; self.slots.len()], held: vec![0.0; self.slots.len()], touched: Vec::new() }
    }

    /// The `most` best by these parts, in any order.
    fn best(
        &self,
        matching: &[u32],
        parts: impl Fn(u32) -> Parts,
        named: &[TermId],
        scale: Scale,
        most: usize,
    ) -> Vec<Candidate> {
        let mut best: Vec<Candidate> = Vec::with_capacity(2 * most);
        let mut bar = 0.0;
        for slot in matching {
            let parts = parts(*slot);
            // Most entries can't come in whatever their factors are, and looking those up costs more than all before.
            let reachable = f64::from(parts.iter().sum::<f32>() * scale.factor) * score::MOST_FACTOR;
            if reachable < bar {
                continue;
            }
            let speaker = context::speaker(&self.slots[*slot as usize], named);
            let mut candidate = Candidate { slot: *slot, parts, speaker, score: 0.0 };
            self.weigh(&mut candidate, scale);
            best.push(candidate);
            if best.len() == 2 * most {
                best.select_nth_unstable_by(most - 1, |a, b| self.better(a, b));
                best.truncate(most);
                bar = best.iter().map(|candidate| candidate.score).fold(f64::INFINITY, f64::min);
            }
        }
        best.sort_by(|a, b| self.better(a, b));
        best.truncate(most);
        best
    }

    fn better(&self, a: &Candidate, b: &Candidate) -> Ordering {
        let ids = || self.slots[a.slot as usize].id.cmp(&self.slots[b.slot as usize].id);
        b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal).then_with(ids)
    }

    /// Sets the score from the parts.
    fn weigh(&self, candidate: &mut Candidate, scale: Scale) {
        let entry = &self.slots[candidate.slot as usize];
        let relevance = candidate.parts.iter().sum::<f32>() * candidate.speaker * scale.factor;
        let importance = score::importance(entry.importance, entry.is_superseded);
        candidate.score = f64::from(relevance) * (score::recency(scale.now.0, entry.updated_at.0) * importance);
    }

    /// Adds the signals that read an entry's words in their order, and orders anew.
    fn look_closely(&self, best: &mut [Candidate], clauses: &[Clause<'_>], scale: Scale) {
        let marks = Marks::new(self, clauses);
        let averages = self.averages();
        for candidate in best.iter_mut() {
            let entry = &self.slots[candidate.slot as usize];
            let words = self.lights[candidate.slot as usize].lengths[0];
            let relative = words as f32 / averages[0].max(1.0);
            let whole = candidate.parts[Signal::Text as usize];
            candidate.parts[Signal::Pairs as usize] = near::pairs(&entry.order, relative, clauses, &marks);
            candidate.parts[Signal::Passage as usize] =
                near::passage(&entry.order, words as usize, averages[0], whole, clauses, &marks);
            self.weigh(candidate, scale);
        }
        best.sort_by(|a, b| self.better(a, b));
    }

    /// The slots that hold each phrase, ascending; `None` when a word of one is unknown, so that nothing can match.
    fn phrases(&self, query: &Query, seen: Option<&Seen>) -> Option<Vec<Vec<u32>>> {
        let may_know =
            |term: &TermId| seen.is_none_or(|seen| self.vocabulary.is_held(*term, Some(seen.slots.as_slice())));
        let find = |word: &String| self.vocabulary.find(word).filter(may_know);
        let numbered = query.phrases.iter().map(|phrase| phrase.iter().map(find).collect());
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

    fn expand(&self, word: &Word, short: bool, seen: Option<&[bool]>) -> Vec<Expansion> {
        if word.exact {
            let term = self.vocabulary.find(&word.text).filter(|term| self.vocabulary.is_held(*term, seen));
            return term.map(|term| Expansion { term, weight: weight::EXACT, edits: 0 }).into_iter().collect();
        }
        let prefix = match (word.prefix, short) {
            (false, _) => Prefix::Never,
            (true, false) => Prefix::IfUnknown,
            (true, true) => Prefix::Always,
        };
        self.vocabulary.expand(&word.text, prefix, if short { RARE } else { 0 }, seen)
    }

    /// Adds what one word is worth to every entry that holds it and may be found.
    fn add_up<'q>(
        &self,
        word: &'q Word,
        short: bool,
        (accepted, seen): (&[bool], Option<&Seen>),
        sums: &mut Sums,
        groups: &mut GroupSums,
    ) -> Clause<'q> {
        let expansions = self.expand(word, short, seen.map(|seen| seen.slots.as_slice()));
        let averages = self.averages();
        let mut frequencies = Vec::new();
        let mut of_slot = if expansions.len() > 1 { vec![u32::MAX; self.slots.len()] } else { Vec::new() };
        for expansion in &expansions {
            for posting in &self.vocabulary.term(expansion.term).postings {
                let light = &self.lights[posting.slot as usize];
                if !light.alive || seen.is_some_and(|seen| !seen.slots[posting.slot as usize]) {
                    continue;
                }
                let frequency = expansion.weight * score::frequency(posting.counts, light.lengths, averages);
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
                if light.group != NO_GROUP && word.counted && accepted[posting.slot as usize] {
                    groups.add(light.group, expansion.weight * score::occurrences(posting.counts));
                }
            }
        }
        // How rare a word is does not depend on the filter, so that neither do scores; only on what who asks may read at all.
        let entries = seen.map_or(self.len() as u32, |seen| seen.entries);
        let rarity = score::rarity(entries, frequencies.len() as u32);
        for (slot, frequency) in frequencies.into_iter().filter(|(slot, _)| accepted[*slot as usize]) {
            let at = slot as usize;
            if sums.text[at] == 0.0 {
                sums.touched.push(slot);
            }
            sums.text[at] += score::contribution(rarity, frequency);
            sums.held[at] += if word.counted { rarity } else { 0.0 };
        }
        groups.finish_word(self, rarity);
        Clause { word, expansions, rarity }
    }

    /// Which slots may be found at all.
    pub(super) fn accepted(&self, filter: &Filter, now: Timestamp) -> Vec<bool> {
        let below = format!("{}/", filter.namespace);
        let inside =
            |name: &String| filter.namespace.is_empty() || *name == filter.namespace || name.starts_with(&below);
        let fits = |name: &String| inside(name) && filter.reach.may_read(name);
        let namespaces: Vec<bool> = self.namespaces.names.iter().map(fits).collect();
        let (since, until) = (filter.since.unwrap_or(Timestamp(i64::MIN)), filter.until.unwrap_or(Timestamp(i64::MAX)));
        let facts = self.asked_facts(filter);
        let fits = |(slot, light): (&Slot, &Light)| {
            light.alive
                && slot.expires_at > now
                && (filter.trust.is_empty() || filter.trust.contains(&slot.trust))
                && namespaces[slot.namespace as usize]
                && slot.updated_at >= since
                && slot.updated_at < until
                && !filter.without.contains(&slot.id)
                && facts.as_ref().is_some_and(|facts| facts.iter().all(|fact| slot.facts.binary_search(fact).is_ok()))
        };
        self.slots.iter().zip(&self.lights).map(fits).collect()
    }

    /// The numbers of what a filter asks for; `None` when no entry ever had one of them, so that nothing can fit.
    fn asked_facts(&self, filter: &Filter) -> Option<Vec<u32>> {
        let tags = filter.tags.iter().map(|tag| Some(names::of_tag(tag)));
        let metadata = filter.metadata.iter().map(|(key, value)| names::of_metadata(key, value));
        let source = filter.source.iter().map(|source| Some(names::of_source(source)));
        let group = filter.group.iter().map(|group| Some(names::of_group(group)));
        tags.chain(metadata).chain(source).chain(group).map(|name| self.facts.find(&name?)).collect()
    }
}

/// Whether the words stand in the order, one behind the other.
fn holds(order: &[TermId], phrase: &[TermId]) -> bool {
    let Some((first, rest)) = phrase.split_first() else { return true };
    order.iter().enumerate().any(|(at, term)| term == first && order[at + 1..].starts_with(rest))
}
