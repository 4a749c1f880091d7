//! The vectors of entries: how they are packed, and which are most like a question's.
//!
//! A vector is made one long and kept as a signed byte for each of its numbers and one float of scale (`int8`). The scan is
//! exact: every vector of every entry that may be found is compared. A question's numbers keep 12 bits, so that all of the
//! error is the stored vector's; the tests say how small it is. Where very many may be found a graph leads to the nearest
//! (`nearest`).
//!
//! **Memory.** A vector of 384 numbers takes 392 bytes, one of 1,536 takes 1,544; an entry 64 bytes beside. At most
//! [`MOST_BYTES`] a workspace; vectors beyond that are left out, and searches say so.

use std::collections::HashMap;
use std::sync::RwLock;

use super::dot::dot;
use super::graph::Graph;
use super::nearest::{Terms, Way};
use crate::model::{EmbedderId, EntryId};

/// Bytes of vectors that an index holds at most.
pub(super) const MOST_BYTES: usize = 2 << 30;
/// Stands for no slot.
pub(super) const NONE: u32 = u32::MAX;
/// The largest number of a packed vector, and of a question's. With 4,096 numbers a sum stays under 2^31.
const TOP: f32 = 127.0;
const QUESTION_TOP: f32 = 2047.0;
/// Vectors without a direction in common that are counted with the others: what a few entries share is what they are about.
const FEW: f64 = 20.0;
/// The highest mean that is believed to be the model's and not the entries', which may all be about one matter.
const MOST_MEAN: f32 = 0.8;
/// Dead vectors from which a compaction pays.
const MIN_DEAD: usize = 1024;

/// The vectors of one entry, packed as they are stored: for each four bytes of scale (the lowest first), then a byte a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::memory) struct Packed {
    /// Of the content that was embedded.
    pub digest: i64,
    /// A vector for each passage.
    pub codes: Vec<u8>,
}

/// Packs the vectors of an entry's passages. `None` when one has a number that is none, or no direction.
pub(in crate::memory) fn pack(vectors: &[Vec<f32>]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(vectors.iter().map(|vector| vector.len() + 4).sum());
    for vector in vectors {
        let unit = unit(vector)?;
        let scale = unit.iter().fold(0.0_f32, |most, value| most.max(value.abs())) / TOP;
        bytes.extend(scale.to_le_bytes());
        bytes.extend(unit.iter().map(|value| ((value / scale).round().clamp(-TOP, TOP) as i8).cast_unsigned()));
    }
    Some(bytes)
}

/// The vector of the same direction that is one long.
fn unit(vector: &[f32]) -> Option<Vec<f32>> {
    let length = vector.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
    let fits = length.is_finite() && length > 1e-12;
    fits.then(|| vector.iter().map(|value| (f64::from(*value) / length) as f32).collect())
}

/// A question as a vector, ready to be compared.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::memory) struct Question {
    embedder: EmbedderId,
    pub(super) codes: Vec<i16>,
    scale: f32,
    unit: Vec<f32>,
}

impl Question {
    /// Made by this embedder. `None` when a number is none, or there is no direction.
    pub fn new(embedder: EmbedderId, vector: &[f32]) -> Option<Self> {
        let unit = unit(vector)?;
        let scale = unit.iter().fold(0.0_f32, |most, value| most.max(value.abs())) / QUESTION_TOP;
        let codes = unit.iter().map(|value| (value / scale).round() as i16).collect();
        Some(Self { embedder, codes, scale, unit })
    }
}

/// An entry with vectors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    id: EntryId,
    digest: i64,
    /// Its first vector, and how many follow from there.
    start: u32,
    pub rows: u32,
    /// Where the entry stands in the index, if it is there with the content that was embedded.
    pub slot: u32,
}

/// The vectors of one index, all of one embedder.
#[derive(Debug, Default)]
pub(super) struct Vectors {
    embedder: Option<EmbedderId>,
    pub(super) dims: usize,
    pub(super) codes: Vec<i8>,
    pub(super) scales: Vec<f32>,
    /// Whose each vector is.
    pub(super) owners: Vec<u32>,
    pub(super) held: Vec<Held>,
    pub(super) by_id: HashMap<EntryId, u32>,
    pub(super) dead: usize,
    /// Of the vectors in their order, as far as it has come.
    pub(super) graph: RwLock<Graph>,
    /// When it is gone by.
    pub(super) terms: Terms,
    /// The sum of all vectors alive: what they have in common says nothing.
    sum: Vec<f64>,
    /// Entries that there was no room for.
    left_out: u32,
}

/// How alike entries are to a question.
pub(super) struct Alike {
    /// By slot; the cosine of the best passage, [`f32::NEG_INFINITY`] without a vector.
    pub cosines: Vec<f32>,
    /// The mean cosine of all vectors, and of some that have nothing in common: what a vector has of the model that made it.
    pub mean: f32,
    /// How they were compared.
    pub way: Way,
}

impl Vectors {
    /// For vectors of this embedder, of so many numbers.
    pub fn new(embedder: EmbedderId, dims: usize) -> Self {
        Self { embedder: Some(embedder), dims, sum: vec![0.0; dims], ..Self::default() }
    }

    /// Entries that there was no room for.
    pub const fn left_out(&self) -> u32 {
        self.left_out
    }

    /// Numbers of a vector; 0 without an embedder.
    pub const fn dims(&self) -> usize {
        self.dims
    }

    /// The vectors of an entry, packed, each with its scale; `None` where it has none of its present content.
    pub fn rows_of(&self, id: EntryId) -> Option<impl ExactSizeIterator<Item = (f32, &[i8])>> {
        let held = &self.held[*self.by_id.get(&id)? as usize];
        let rows = held.start as usize..(held.start + held.rows) as usize;
        (held.slot != NONE && !rows.is_empty())
            .then(move || rows.map(move |row| (self.scales[row], &self.codes[row * self.dims..(row + 1) * self.dims])))
    }

    /// Whether they can be compared with a question: there are any, and the same embedder made both.
    pub fn answers(&self, question: &Question) -> bool {
        !self.by_id.is_empty() && self.embedder == Some(question.embedder) && self.dims == question.unit.len()
    }

    /// Puts the vectors of an entry in, in place of those before. `slot` is where the entry stands with this content.
    pub fn put(&mut self, id: EntryId, packed: &Packed, slot: Option<u32>) {
        self.remove(id);
        let size = self.dims + 4;
        let rows = packed.codes.len() / size;
        if self.dims == 0 || rows * size != packed.codes.len() || rows == 0 {
            return;
        }
        if (self.scales.len() + rows) * size > MOST_BYTES {
            self.left_out += 1;
            return;
        }
        let start = self.scales.len() as u32;
        self.owners.resize(self.scales.len() + rows, self.held.len() as u32);
        for row in packed.codes.chunks_exact(size) {
            let (scale, codes) = row.split_at(4);
            self.scales.push(f32::from_le_bytes([scale[0], scale[1], scale[2], scale[3]]));
            self.codes.extend(codes.iter().map(|code| code.cast_signed()));
        }
        let held = Held { id, digest: packed.digest, start, rows: rows as u32, slot: slot.unwrap_or(NONE) };
        self.count(held, 1.0);
        self.by_id.insert(id, self.held.len() as u32);
        self.held.push(held);
    }

    /// Takes the vectors of an entry out.
    pub fn remove(&mut self, id: EntryId) {
        let Some(at) = self.by_id.remove(&id) else { return };
        let held = self.held[at as usize];
        self.count(held, -1.0);
        self.dead += held.rows as usize;
        (self.held[at as usize].rows, self.held[at as usize].slot) = (0, NONE);
        if self.dead >= MIN_DEAD && self.dead * 4 >= self.scales.len() {
            self.compact();
        }
    }

    fn count(&mut self, held: Held, sign: f64) {
        for row in held.start as usize..(held.start + held.rows) as usize {
            let scale = sign * f64::from(self.scales[row]);
            let codes = &self.codes[row * self.dims..(row + 1) * self.dims];
            for (sum, code) in self.sum.iter_mut().zip(codes) {
                *sum += scale * f64::from(*code);
            }
        }
    }

    fn compact(&mut self) {
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        self.held.retain(|held| held.rows > 0);
        for held in &mut self.held {
            let rows = held.start as usize..(held.start + held.rows) as usize;
            held.start = scales.len() as u32;
            codes.extend_from_slice(&self.codes[rows.start * self.dims..rows.end * self.dims]);
            scales.extend_from_slice(&self.scales[rows]);
        }
        (self.codes, self.scales, self.dead) = (codes, scales, 0);
        let owners = self.held.iter().zip(0..).flat_map(|(held, at)| std::iter::repeat_n(at, held.rows as usize));
        self.owners = owners.collect();
        // Every vector has another number now.
        self.graph = RwLock::default();
        self.by_id = self.held.iter().enumerate().map(|(at, held)| (held.id, at as u32)).collect();
    }

    /// Says where an entry stands now, and with which content; `None` when it went away.
    pub fn place(&mut self, id: EntryId, place: Option<(u32, i64)>) {
        if let Some(at) = self.by_id.get(&id) {
            let held = &mut self.held[*at as usize];
            held.slot = place.filter(|(_, digest)| *digest == held.digest).map_or(NONE, |(slot, _)| slot);
        }
    }

    /// Renumbers the slots.
    pub fn renumber(&mut self, slots: &[Option<u32>]) {
        for held in self.held.iter_mut().filter(|held| held.slot != NONE) {
            held.slot = slots[held.slot as usize].unwrap_or(NONE);
        }
    }

    /// Compares every vector of the accepted entries with a question's.
    pub fn scan(&self, question: &Question, accepted: &[bool]) -> Alike {
        let mut cosines = vec![f32::NEG_INFINITY; accepted.len()];
        for held in self.held.iter().filter(|held| held.rows > 0 && held.slot != NONE) {
            if accepted[held.slot as usize] {
                cosines[held.slot as usize] = self.best(held, question).1;
            }
        }
        Alike { cosines, mean: self.mean(question), way: Way::Exact }
    }

    /// The mean cosine of a question and all vectors.
    pub(super) fn mean(&self, question: &Question) -> f32 {
        let rows = (self.scales.len() - self.dead) as f64;
        let sum: f64 = self.sum.iter().zip(&question.unit).map(|(sum, value)| sum * f64::from(*value)).sum();
        ((sum / (rows + FEW)) as f32).min(MOST_MEAN)
    }

    /// The best passage of an entry for a question, from 0.
    pub fn best_passage(&self, id: EntryId, question: &Question) -> Option<u32> {
        let held = &self.held[*self.by_id.get(&id)? as usize];
        (held.slot != NONE).then(|| self.best(held, question).0)
    }

    pub(super) fn best(&self, held: &Held, question: &Question) -> (u32, f32) {
        let mut best = (0, f32::NEG_INFINITY);
        for at in 0..held.rows {
            let row = (held.start + at) as usize;
            let sum = dot(&self.codes[row * self.dims..(row + 1) * self.dims], &question.codes);
            let cosine = sum as f32 * self.scales[row] * question.scale;
            if cosine > best.1 {
                best = (at, cosine);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Numbers that look random, -1..1, and are the same each time.
    fn vector(seed: u64, dims: usize) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..dims).map(|_| next() + next() + next()).collect()
    }

    fn id_of_embedder() -> EmbedderId {
        EmbedderId(Uuid::nil())
    }

    fn id(number: u128) -> EntryId {
        EntryId(Uuid::from_u128(number))
    }

    fn packed(vectors: &[Vec<f32>]) -> Packed {
        Packed { digest: 7, codes: pack(vectors).expect("fits") }
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        let (a, b) = (unit(a).expect("a direction"), unit(b).expect("a direction"));
        a.iter().zip(&b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn a_byte_a_number_is_exact_to_a_hundredth() {
        for dims in [8, 384, 1536, 4096] {
            let mut vectors = Vectors::new(id_of_embedder(), dims);
            let stored: Vec<Vec<f32>> = (0..50).map(|at| vector(at + 1, dims)).collect();
            for (at, one) in stored.iter().enumerate() {
                vectors.put(id(at as u128), &packed(std::slice::from_ref(one)), Some(at as u32));
            }
            let asked = vector(99, dims);
            let question = Question::new(id_of_embedder(), &asked).expect("fits");
            let alike = vectors.scan(&question, &[true; 50]);
            for (one, found) in stored.iter().zip(&alike.cosines) {
                let error = (cosine(one, &asked) - found).abs();
                assert!(error < 0.01, "{error} with {dims} numbers");
            }
            let mean: f32 = stored.iter().map(|one| cosine(one, &asked)).sum::<f32>() / 70.0;
            assert!((alike.mean - mean).abs() < 0.01);
        }
    }

    #[test]
    fn the_largest_sum_does_not_overflow() {
        let ones = vec![1.0; 4096];
        let mut vectors = Vectors::new(id_of_embedder(), 4096);
        vectors.put(id(1), &packed(std::slice::from_ref(&ones)), Some(0));
        let alike = vectors.scan(&Question::new(id_of_embedder(), &ones).expect("fits"), &[true]);
        assert!((alike.cosines[0] - 1.0).abs() < 1e-3, "{}", alike.cosines[0]);
    }

    #[test]
    fn entries_that_all_mean_the_same_are_still_like_a_question_about_it() {
        for count in [1, 10, 3000] {
            let mut vectors = Vectors::new(id_of_embedder(), 2);
            for at in 0..count {
                vectors.put(id(at), &packed(&[vec![1.0, 0.1]]), Some(at as u32));
            }
            let alike =
                vectors.scan(&Question::new(id_of_embedder(), &[1.0, 0.1]).expect("fits"), &vec![true; count as usize]);
            assert!(alike.mean <= 0.8 && alike.cosines.iter().all(|cosine| *cosine > 0.99), "{count}");
        }
    }

    #[test]
    fn an_entry_is_as_like_as_its_best_passage() {
        let (near, far) = (vec![1.0, 0.1], vec![-1.0, 0.5]);
        let mut vectors = Vectors::new(id_of_embedder(), 2);
        vectors.put(id(1), &packed(&[far, near]), Some(0));
        let question = Question::new(id_of_embedder(), &[1.0, 0.0]).expect("fits");
        assert!(vectors.scan(&question, &[true]).cosines[0] > 0.99);
        assert_eq!(vectors.best_passage(id(1), &question), Some(1));
    }

    #[test]
    fn another_content_and_what_was_taken_out_is_not_compared() {
        let mut vectors = Vectors::new(id_of_embedder(), 2);
        vectors.put(id(1), &packed(&[vec![1.0, 0.0]]), Some(0));
        let question = Question::new(id_of_embedder(), &[1.0, 0.0]).expect("fits");
        let has = |vectors: &Vectors| vectors.scan(&question, &[true, true]).cosines.iter().any(|one| one.is_finite());
        vectors.place(id(1), Some((1, 8)));
        assert!(!has(&vectors), "the digest is another");
        vectors.place(id(1), Some((1, 7)));
        assert!(has(&vectors));
        vectors.remove(id(1));
        assert!(!has(&vectors) && !vectors.answers(&question));
    }

    #[test]
    fn a_compaction_changes_no_answer() {
        let mut vectors = Vectors::new(id_of_embedder(), 8);
        for at in 0..3000 {
            vectors.put(id(at), &packed(&[vector(at as u64 + 1, 8)]), Some(at as u32));
        }
        let question = Question::new(id_of_embedder(), &vector(5000, 8)).expect("fits");
        let before = vectors.scan(&question, &[true; 3000]).cosines;
        for at in (0..3000).filter(|at| at % 3 != 0) {
            vectors.remove(id(at));
        }
        assert!(vectors.scales.len() < 2500, "{}", vectors.scales.len());
        let after = vectors.scan(&question, &[true; 3000]).cosines;
        assert!((0..3000).all(|at| {
            let (kept, now) = (at % 3 == 0, after[at]);
            if kept { (before[at] - now).abs() < 1e-9 } else { !now.is_finite() }
        }));
    }

    #[test]
    fn what_is_no_vector_is_refused() {
        assert_eq!(pack(&[vec![0.0, 0.0]]), None);
        assert_eq!(pack(&[vec![1.0, f32::NAN]]), None);
        assert!(Question::new(id_of_embedder(), &[f32::INFINITY, 0.0]).is_none());
    }
}
