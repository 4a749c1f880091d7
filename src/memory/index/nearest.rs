//! The nearest vectors of very many: led there by a graph, and exact for all that the graph does not know yet.
//!
//! A scan is exact and takes as long as there are vectors that may be found. From [`GRAPH_FROM`] on a graph of them is made in the
//! background, a few at a time, while the scan serves; new vectors are compared beside it until they are in. A search goes by the
//! graph when so many may be found, and scans otherwise: a filter that leaves fewer costs no recall. The graph names [`NEAREST`]
//! vectors, and their entries are compared anew in full; so are the entries that were found by their words.
//!
//! What was taken out stays in the graph as a way to others until a quarter of the vectors is dead: then they are compacted and the
//! graph is made anew.

use std::collections::HashSet;

use super::dot::{dot, dot_bytes, is_wide};
use super::graph::{Graph, Near, Wanted};
use super::vectors::{Alike, NONE, Question, Vectors};

/// Vectors from which a graph is made; fewer are scanned.
///
/// Measured with 384 numbers on a server's processor with AVX2: a scan takes 1.9 ms for 100,000 vectors (p50) and grows with them, the
/// graph 1.7 ms, and 0.4 ms of a processor for each vector that is put in. A search has 15 ms for everything; from here on the scan would take
/// half of it.
pub(super) const GRAPH_FROM: usize = 400_000;
/// The same where the processor can't multiply sixteen at once: 100,000 vectors take 24 ms there.
const GRAPH_FROM_SLOW: usize = 100_000;
/// Vectors that the graph names for a question: more than any search gives, since a hit takes more than likeness of meaning.
const NEAREST: usize = 512;
/// Vectors that may wait for the graph while it is used: they are all compared.
const MOST_WAITING: usize = 10_000;
/// The graph may compare so many vectors, as a share of those that may be found, before the scan is the shorter way: the graph reads
/// them here and there, and the scan in their order.
const PATIENCE: f64 = 0.25;

/// When the graph is gone by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Vectors from which there is a graph.
    pub from: usize,
    /// Vectors that it names.
    pub most: usize,
    /// Of those that may be found, the share that it may compare.
    pub patience: f64,
}

impl Default for Terms {
    fn default() -> Self {
        let from = if is_wide() { GRAPH_FROM } else { GRAPH_FROM_SLOW };
        Self { from, most: NEAREST, patience: PATIENCE }
    }
}

/// How vectors are compared with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::memory) enum Way {
    /// Every one that may be found.
    Exact,
    /// Those that the graph leads to.
    Graph,
}

/// How far the graph has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::memory) struct Growth {
    /// Vectors that are there, with those that were taken out since.
    pub vectors: usize,
    /// Of these, those that are in the graph.
    pub in_graph: usize,
}

impl Vectors {
    /// How far the graph has come.
    pub fn growth(&self) -> Growth {
        Growth { vectors: self.scales.len(), in_graph: self.read_graph(Graph::len) }
    }

    /// Whether vectors wait to be put into the graph.
    pub fn wants_graph(&self) -> bool {
        self.scales.len() - self.dead >= self.terms.from && self.read_graph(Graph::len) < self.scales.len()
    }

    /// Puts the next few vectors into the graph. False when none waits any more.
    pub fn grow(&self, most: usize) -> bool {
        for _ in 0..most {
            if !self.wants_graph() {
                return false;
            }
            // Searches go on in between.
            let mut graph = self.graph.write().expect("no code panics while it holds this lock");
            if graph.len() < self.scales.len() {
                graph.push(|a, b| self.between(a as usize, b as usize));
            }
        }
        self.wants_graph()
    }

    /// The entries most alike to a question, of those that are accepted, by the graph. `None` where a scan is as short or shorter:
    /// few are accepted, the graph is not there yet, or the way through it was too long.
    pub fn nearest(&self, question: &Question, accepted: &[bool]) -> Option<Alike> {
        let alive = self.scales.len() - self.dead;
        let entries = accepted.iter().filter(|accepted| **accepted).count();
        // Entries without a vector are few, or there are few vectors.
        let may_be_found = (entries * alive).checked_div(self.by_id.len())?.min(alive);
        if may_be_found < self.terms.from {
            return None;
        }
        let passes = |row: u32| {
            let held = &self.held[self.owners[row as usize] as usize];
            held.rows > 0 && held.slot != NONE && accepted[held.slot as usize]
        };
        let alike = |row: u32| {
            let at = row as usize;
            dot(&self.codes[at * self.dims..(at + 1) * self.dims], &question.codes) as f32 * self.scales[at]
        };
        let patience = (may_be_found as f64 * self.terms.patience) as usize;
        let wanted = Wanted { most: self.terms.most, patience };
        let (found, known) = self.read_graph(|graph| {
            let waiting = self.scales.len() - graph.len().min(self.scales.len());
            let is_there = graph.len() > 0 && waiting <= MOST_WAITING;
            let found = if is_there { graph.search(wanted, alike, passes) } else { None };
            (found, graph.len())
        });
        let waiting = (known as u32..self.scales.len() as u32).filter(|row| passes(*row));
        let rows = found?.into_iter().map(|Near { node, .. }| node).chain(waiting);
        let owners: HashSet<u32> = rows.map(|row| self.owners[row as usize]).collect();
        let mut cosines = vec![f32::NEG_INFINITY; accepted.len()];
        for owner in owners {
            let held = &self.held[owner as usize];
            cosines[held.slot as usize] = self.best(held, question).1;
        }
        Some(Alike { cosines, mean: self.mean(question), way: Way::Graph })
    }

    /// The cosine of an entry's best passage and a question.
    pub fn cosine_of(&self, id: crate::model::EntryId, question: &Question) -> Option<f32> {
        let held = &self.held[*self.by_id.get(&id)? as usize];
        (held.rows > 0 && held.slot != NONE).then(|| self.best(held, question).1)
    }

    /// The cosine of two vectors.
    fn between(&self, a: usize, b: usize) -> f32 {
        let codes = |at: usize| &self.codes[at * self.dims..(at + 1) * self.dims];
        dot_bytes(codes(a), codes(b)) as f32 * (self.scales[a] * self.scales[b])
    }

    fn read_graph<T>(&self, look: impl FnOnce(&Graph) -> T) -> T {
        look(&self.graph.read().expect("no code panics while it holds this lock"))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::vectors::{Packed, pack};
    use super::*;
    use crate::model::{EmbedderId, EntryId};

    const DIMS: usize = 24;
    const CLUSTERS: usize = 20;

    /// Numbers that look random and are the same each time, -1..1.
    fn numbers(seed: u64) -> impl FnMut() -> f32 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        }
    }

    /// A vector of one of the clusters.
    fn vector(seed: u64) -> Vec<f32> {
        let mut centre = numbers(seed % CLUSTERS as u64 + 1000);
        let mut own = numbers(seed + 5000);
        (0..DIMS).map(|_| centre() + 0.4 * own()).collect()
    }

    fn id(number: usize) -> EntryId {
        EntryId(Uuid::from_u128(number as u128))
    }

    fn embedder() -> EmbedderId {
        EmbedderId(Uuid::nil())
    }

    fn packed(seeds: &[u64]) -> Packed {
        let vectors: Vec<Vec<f32>> = seeds.iter().map(|seed| vector(*seed)).collect();
        Packed { digest: 7, codes: pack(&vectors).expect("fits") }
    }

    /// So many entries of one vector each, and a graph from 300 on.
    fn filled(entries: usize) -> Vectors {
        let mut vectors = Vectors::new(embedder(), DIMS);
        vectors.terms = Terms { from: 300, most: 40, patience: 10.0 };
        for at in 0..entries {
            vectors.put(id(at), &packed(&[at as u64]), Some(at as u32));
        }
        vectors
    }

    fn question(seed: u64) -> Question {
        Question::new(embedder(), &vector(seed)).expect("fits")
    }

    fn best(alike: &Alike) -> Vec<usize> {
        let mut slots: Vec<usize> = (0..alike.cosines.len()).filter(|slot| alike.cosines[*slot].is_finite()).collect();
        slots.sort_by(|a, b| alike.cosines[*b].total_cmp(&alike.cosines[*a]));
        slots.truncate(10);
        slots
    }

    /// The share of the ten best of the scan that are found.
    fn recall(vectors: &Vectors, accepted: &[bool]) -> f64 {
        let mut found = 0;
        for seed in 90_000..90_030 {
            let question = question(seed);
            let near = vectors.nearest(&question, accepted).expect("the graph answers");
            assert_eq!(near.way, Way::Graph);
            let (near, all) = (best(&near), best(&vectors.scan(&question, accepted)));
            found += all.iter().filter(|slot| near.contains(slot)).count();
        }
        found as f64 / 300.0
    }

    #[test]
    fn the_graph_finds_what_the_scan_finds() {
        let vectors = filled(1200);
        assert!(vectors.nearest(&question(1), &[true; 1200]).is_none(), "not while there is none");
        while vectors.grow(16) {}
        assert_eq!(vectors.growth(), Growth { vectors: 1200, in_graph: 1200 });
        let all = recall(&vectors, &[true; 1200]);
        assert!(all >= 0.95, "{all}");
        let third: Vec<bool> = (0..1200).map(|slot| slot % 3 == 1).collect();
        let filtered = recall(&vectors, &third);
        assert!(filtered >= 0.95, "{filtered}");
    }

    #[test]
    fn where_the_way_is_too_long_the_scan_answers() {
        let mut vectors = filled(600);
        while vectors.grow(16) {}
        vectors.terms.patience = 0.05;
        assert!(vectors.nearest(&question(1), &[true; 600]).is_none());
    }

    #[test]
    fn a_filter_that_leaves_few_is_answered_by_the_scan() {
        let vectors = filled(1200);
        while vectors.grow(16) {}
        let few: Vec<bool> = (0..1200).map(|slot| slot % 10 == 1).collect();
        assert!(vectors.nearest(&question(1), &few).is_none());
        assert!(vectors.nearest(&question(1), &[false; 1200]).is_none());
    }

    #[test]
    fn below_the_bar_there_is_no_graph() {
        let vectors = filled(299);
        assert!(!vectors.wants_graph() && !vectors.grow(16));
        assert_eq!(vectors.growth().in_graph, 0);
    }

    #[test]
    fn what_is_dead_is_not_found_and_a_compaction_begins_a_new_graph() {
        let mut vectors = filled(1500);
        while vectors.grow(64) {}
        // All but every third.
        let gone: Vec<usize> = (0..1500).filter(|at| at % 3 != 0).collect();
        for at in &gone {
            vectors.remove(id(*at));
        }
        assert_eq!(vectors.growth().in_graph, 1500, "dead ones are still ways to others");
        let alike = vectors.nearest(&question(8), &[true; 1500]).expect("the graph answers");
        assert!(gone.iter().all(|at| !alike.cosines[*at].is_finite()));
        assert!(recall(&vectors, &[true; 1500]) >= 0.95);
        for at in 0..24 {
            vectors.remove(id(at * 3));
        }
        assert_eq!(vectors.growth(), Growth { vectors: 476, in_graph: 0 });
        assert!(vectors.wants_graph() && vectors.nearest(&question(8), &[true; 1500]).is_none());
        assert!(best(&vectors.scan(&question(8), &[true; 1500])).iter().all(|slot| slot % 3 == 0));
    }

    #[test]
    fn what_came_since_is_found_at_once() {
        let mut vectors = filled(600);
        while vectors.grow(64) {}
        vectors.put(id(5000), &packed(&[7, 123_456]), Some(600));
        let alike = vectors.nearest(&question(123_456), &[true; 601]).expect("the graph answers");
        assert_eq!((vectors.growth().in_graph, best(&alike)[0]), (600, 600));
        assert!(alike.cosines[600] > 0.99);
        // Of an entry with several passages the best one counts, whichever the graph named.
        assert!(
            (alike.cosines[600] - vectors.cosine_of(id(5000), &question(123_456)).expect("it is there")).abs() < 1e-6
        );
        while vectors.grow(16) {}
        let alike = vectors.nearest(&question(123_456), &[true; 601]).expect("the graph answers");
        assert_eq!((vectors.growth().in_graph, best(&alike)[0]), (602, 600));
    }
}
