//! How fast vectors are compared: by the scan and by the graph, with what the graph finds of what the scan finds.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::nearest::{GRAPH_FROM, Terms};
use super::vectors::{Alike, Packed, Question, Vectors, pack};
use crate::model::{EmbedderId, EntryId};

/// Questions that are asked.
const QUESTIONS: usize = 200;
/// How deep answers are compared.
const DEPTH: usize = 10;
/// Clusters of the made-up vectors: texts are about something.
const CLUSTERS: u64 = 2_000;
/// How far a vector lies from the middle of its cluster, beside which it is 1 long.
const SPREAD: f32 = 0.8;

/// One way of finding the nearest of the same vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorSpeed {
    /// How long each question took, in milliseconds.
    pub exact_ms: Vec<f64>,
    /// The same by the graph; empty where there is none among so few.
    pub graph_ms: Vec<f64>,
    /// The share of the ten best of the scan that the graph finds.
    pub recall_10: f64,
    /// The same where a filter leaves every second vector.
    pub recall_10_filtered: f64,
    /// How long it took to make the graph.
    pub made: Duration,
}

/// Numbers that look random and are the same each time, -1..1.
///
/// Source: Marsaglia 2003, "Xorshift RNGs".
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn roll(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

fn vector(number: u64, dims: usize) -> Vec<f32> {
    let (mut middle, mut own) = (Dice::new(number % CLUSTERS + 1_000_000_007), Dice::new(number + 1));
    (0..dims).map(|_| middle.roll() + SPREAD * own.roll()).collect()
}

/// Measures with so many made-up vectors of so many numbers, in clusters. Takes minutes among a million.
pub fn vector_speed(count: usize, dims: usize) -> VectorSpeed {
    let embedder = EmbedderId(Uuid::nil());
    // Also below the number from which one is made by itself, to see where it pays.
    let mut vectors = Vectors::new(embedder, dims);
    vectors.terms = Terms { from: GRAPH_FROM.min(count / 2), ..Terms::default() };
    for at in 0..count {
        if let Some(codes) = pack(&[vector(at as u64, dims)]) {
            vectors.put(EntryId(Uuid::from_u128(at as u128)), &Packed { digest: 0, codes }, Some(at as u32));
        }
    }
    let began = Instant::now();
    while vectors.grow(1000) {}
    let made = began.elapsed();
    let (all, half) = (vec![true; count], (0..count).map(|at| at % 2 == 0).collect::<Vec<bool>>());
    let (mut exact_ms, mut graph_ms, mut found, mut filtered) = (Vec::new(), Vec::new(), 0, 0);
    for number in 0..QUESTIONS as u64 {
        let Some(question) = Question::new(embedder, &vector(u64::MAX / 2 + number, dims)) else { continue };
        let began = Instant::now();
        let exact = vectors.scan(&question, &all);
        exact_ms.push(began.elapsed().as_secs_f64() * 1000.0);
        let began = Instant::now();
        if let Some(near) = vectors.nearest(&question, &all) {
            graph_ms.push(began.elapsed().as_secs_f64() * 1000.0);
            found += common(&exact, &near);
        }
        if let Some(near) = vectors.nearest(&question, &half) {
            filtered += common(&vectors.scan(&question, &half), &near);
        } else {
            // Then the scan answers.
            filtered += DEPTH;
        }
    }
    let all = (QUESTIONS * DEPTH) as f64;
    let recall_10 = (found + (QUESTIONS - graph_ms.len()) * DEPTH) as f64 / all;
    VectorSpeed { exact_ms, graph_ms, recall_10, recall_10_filtered: filtered as f64 / all, made }
}

fn common(exact: &Alike, near: &Alike) -> usize {
    let (exact, near) = (best(exact), best(near));
    exact.iter().filter(|slot| near.contains(slot)).count()
}

fn best(alike: &Alike) -> Vec<usize> {
    let mut slots: Vec<usize> = (0..alike.cosines.len()).filter(|slot| alike.cosines[*slot].is_finite()).collect();
    let by_cosine = |a: &usize, b: &usize| alike.cosines[*b].total_cmp(&alike.cosines[*a]);
    if slots.len() > DEPTH {
        slots.select_nth_unstable_by(DEPTH - 1, by_cosine);
        slots.truncate(DEPTH);
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_are_measured_on_the_same_vectors() {
        let speed = vector_speed(600, 16);
        assert_eq!(speed.exact_ms.len(), QUESTIONS);
        assert!(speed.recall_10 >= 0.95 && speed.recall_10_filtered >= 0.95, "{speed:?}");
    }
}
