//! Entries as rows of numbers, for a map of them: their vectors, or their words.

use std::collections::HashMap;

use super::filter::Filter;
use super::vectors::Vectors;
use super::{Index, score};
use crate::model::{EntryId, Timestamp};

/// Numbers of a row that is made of words: each word counts in one of them, for or against.
const WORD_DIMS: usize = 256;
/// The largest number of a packed row.
const TOP: f32 = 127.0;

/// Rows of numbers, packed: a signed byte a number, and a scale a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::memory) struct Rows {
    dims: usize,
    codes: Vec<i8>,
    scales: Vec<f32>,
}

impl Rows {
    /// No rows yet, of so many numbers.
    pub fn new(dims: usize) -> Self {
        Self { dims, ..Self::default() }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// How many numbers a row has.
    pub const fn dims(&self) -> usize {
        self.dims
    }

    /// Adds a row; one of another length or with a number that is none counts as nought.
    pub fn push(&mut self, row: &[f32]) {
        let largest = row.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let fits = row.len() == self.dims && row.iter().all(|value| value.is_finite());
        let scale = if fits { largest / TOP } else { 0.0 };
        self.scales.push(scale);
        let code = |value: &f32| if scale > 0.0 { (value / scale).round().clamp(-TOP, TOP) as i8 } else { 0 };
        let end = self.codes.len() + self.dims;
        self.codes.extend(row.iter().map(code).take(self.dims));
        self.codes.resize(end, 0);
    }

    /// Reads a row into `out`, which has as many numbers.
    pub fn read(&self, at: usize, out: &mut [f32]) {
        let scale = self.scales[at];
        let codes = &self.codes[at * self.dims..(at + 1) * self.dims];
        out.iter_mut().zip(codes).for_each(|(out, code)| *out = scale * f32::from(*code));
    }
}

/// Entries that were taken for a map.
#[derive(Debug, Default)]
pub(in crate::memory) struct Taken {
    /// One for each row.
    pub ids: Vec<EntryId>,
    /// Their numbers.
    pub rows: Rows,
    /// Whether these are vectors; words otherwise.
    pub by_vectors: bool,
    /// Entries that there are.
    pub all: u32,
    /// Of those that were taken, how many have no vector and so no row.
    pub without: u32,
}

/// By what entries are taken when there are too many: as good as by lot, and the same ones each time.
fn lot(id: EntryId) -> u64 {
    let number = id.0.as_u128();
    let mixed = ((number >> 64) as u64 ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

impl Index {
    /// The entries that a filter lets through, at most so many of them, as rows of numbers: by their vectors where at least half
    /// of them have one, else by their words.
    pub fn rows(&self, filter: &Filter, now: Timestamp, most: usize) -> Taken {
        let accepted = self.accepted(filter, now);
        let mut slots: Vec<u32> = (0_u32..).zip(&accepted).filter(|(_, fits)| **fits).map(|(slot, _)| slot).collect();
        let all = slots.len() as u32;
        if slots.len() > most {
            slots.sort_by_key(|slot| lot(self.slots[*slot as usize].id));
            slots.truncate(most);
        }
        // The order of the ids: slots are renumbered, and the same entries are to give the same map.
        slots.sort_by_key(|slot| self.slots[*slot as usize].id);
        let ids: Vec<EntryId> = slots.iter().map(|slot| self.slots[*slot as usize].id).collect();
        let with = ids.iter().filter(|id| self.vectors.rows_of(**id).is_some()).count();
        if with == 0 || with * 2 < ids.len() {
            return Taken { rows: self.word_rows(&slots), ids, by_vectors: false, all, without: 0 };
        }
        let without = (ids.len() - with) as u32;
        let mut taken =
            Taken { rows: Rows::new(self.vectors.dims()), by_vectors: true, all, without, ..Taken::default() };
        for id in ids {
            if let Some(mean) = self.vectors.mean_of(id) {
                taken.rows.push(&mean);
                taken.ids.push(id);
            }
        }
        taken
    }

    /// A row for each slot: the rarities of its words, each added to or taken from one of a few sums (feature hashing). Words that
    /// one entry alone holds tell nothing of likeness.
    fn word_rows(&self, slots: &[u32]) -> Rows {
        let places: HashMap<u32, usize> = slots.iter().enumerate().map(|(at, slot)| (*slot, at)).collect();
        let mut sums = vec![0.0_f32; slots.len() * WORD_DIMS];
        let entries = self.len() as u32;
        for term in self.vocabulary.all().filter(|term| term.entries > 1) {
            let hash = term.text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
            let (dim, sign) = ((hash >> 8) as usize % WORD_DIMS, if hash >> 63 == 0 { 1.0 } else { -1.0 });
            let rarity = score::rarity(entries, term.entries);
            for posting in &term.postings {
                let Some(at) = places.get(&posting.slot) else { continue };
                let count: f32 = posting.counts.iter().map(|count| f32::from(*count)).sum();
                sums[at * WORD_DIMS + dim] += sign * rarity * (1.0 + count.max(1.0).ln());
            }
        }
        let mut rows = Rows::new(WORD_DIMS);
        for row in sums.chunks_exact_mut(WORD_DIMS) {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            if length > 0.0 {
                for value in row.iter_mut() {
                    *value /= length;
                }
            }
            rows.push(row);
        }
        rows
    }
}

impl Vectors {
    /// The mean of an entry's vectors; `None` where it has none of its present content.
    fn mean_of(&self, id: EntryId) -> Option<Vec<f32>> {
        let mut sum = vec![0.0_f32; self.dims()];
        let rows = self.rows_of(id)?;
        let count = rows.len() as f32;
        for (scale, codes) in rows {
            sum.iter_mut().zip(codes).for_each(|(sum, code)| *sum += scale * f32::from(*code) / count);
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::tests::{entry, index_of};
    use super::super::{Packed, digest, pack};
    use super::*;
    use crate::model::EmbedderId;

    fn taken(index: &Index, namespace: &str, most: usize) -> Taken {
        let filter = Filter { namespace: namespace.to_owned(), ..Filter::default() };
        index.rows(&filter, Timestamp(0), most)
    }

    fn row(taken: &Taken, at: usize) -> Vec<f32> {
        let mut row = vec![0.0; taken.rows.dims()];
        taken.rows.read(at, &mut row);
        row
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    #[test]
    fn rows_come_back_nearly_as_they_were() {
        let mut rows = Rows::new(3);
        rows.push(&[1.0, -0.5, 0.25]);
        rows.push(&[0.0; 3]);
        rows.push(&[f32::NAN, 1.0, 1.0]);
        let mut out = [9.0; 3];
        rows.read(0, &mut out);
        assert!(out.iter().zip([1.0, -0.5, 0.25]).all(|(a, b)| (a - b).abs() < 0.01), "{out:?}");
        rows.read(2, &mut out);
        assert_eq!((out, rows.len()), ([0.0; 3], 3));
    }

    #[test]
    fn entries_of_the_same_words_have_rows_alike() {
        let index = index_of(&[
            entry(1, "a", "one", "the import exhausts the pool", &[]),
            entry(2, "a/b", "two", "the pool is exhausted by the import", &[]),
            entry(3, "a", "three", "soup with bread for lunch", &[]),
            entry(4, "a", "four", "bread and soup at lunch", &[]),
            entry(5, "other", "five", "the import again", &[]),
        ]);
        let taken = taken(&index, "a", 100);
        assert_eq!((taken.ids.len(), taken.all, taken.by_vectors, taken.without), (4, 4, false, 0));
        let row = |at| row(&taken, at);
        assert!(cosine(&row(0), &row(1)) > cosine(&row(0), &row(2)));
        assert!(cosine(&row(2), &row(3)) > cosine(&row(1), &row(3)));
    }

    #[test]
    fn of_too_many_the_same_ones_are_taken_each_time() {
        let all: Vec<_> = (0..50).map(|n| entry(n, "a", &format!("k{n}"), "words", &[])).collect();
        let (one, turned) = (index_of(&all), index_of(&all.iter().rev().cloned().collect::<Vec<_>>()));
        let taken_of_one = taken(&one, "", 10);
        assert_eq!((taken_of_one.ids.len(), taken_of_one.all), (10, 50));
        assert_eq!(taken_of_one.ids, taken(&turned, "", 10).ids);
    }

    #[test]
    fn vectors_count_where_at_least_half_of_the_entries_have_one() {
        let all: Vec<_> = (0..4).map(|n| entry(n, "a", &format!("k{n}"), "words", &[])).collect();
        let mut index = index_of(&all);
        index.begin_vectors(Some((EmbedderId(Uuid::nil()), 2)));
        let mut embed = |at: usize, vector: Vec<f32>| {
            let codes = pack(&[vector]).expect("a direction");
            index.put_vectors(all[at].id, &Packed { digest: digest(&all[at].content), codes });
            taken(&index, "a", 10)
        };
        assert!(!embed(0, vec![1.0, 0.0]).by_vectors);
        let half = embed(1, vec![0.0, 1.0]);
        assert_eq!((half.by_vectors, half.ids.len(), half.without, half.all), (true, 2, 2, 4));
        assert!(cosine(&row(&half, 0), &row(&half, 1)).abs() < 0.01);
    }
}
