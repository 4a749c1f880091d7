//! What likeness of meaning says about an entry: its own, and a share of that of the entries around it.

use super::nearest::Way;
use super::search::Sums;
use super::vectors::Question;
use super::{Index, score};

/// Entries that were found by their words, whose vectors are compared where a graph leads to the others: those with the most of them.
const MOST_BY_WORDS: usize = 4096;

/// How the entries that may be found are like the question, by slot.
#[derive(Default)]
pub(super) struct Likeness {
    /// Of the entry itself, 0..=1.
    own: Vec<f32>,
    /// Shares of those around it.
    near: Vec<f32>,
    cosines: Vec<f32>,
    /// Entries that are like it, or stand beside one.
    pub touched: Vec<u32>,
    /// What a likeness of 1 adds.
    unit: f32,
    /// How vectors were compared, if they were.
    pub way: Option<Way>,
}

impl Likeness {
    /// What it adds to an entry.
    pub fn part(&self, slot: u32) -> f32 {
        let of = |list: &[f32]| list.get(slot as usize).copied().unwrap_or_default();
        self.unit * (of(&self.own) + score::VECTOR_NEAR * of(&self.near))
    }

    /// The cosine of an entry's vector and the question's.
    pub fn cosine(&self, slot: u32) -> Option<f64> {
        self.cosines.get(slot as usize).filter(|cosine| cosine.is_finite()).map(|cosine| f64::from(*cosine))
    }
}

impl Index {
    /// How like the question the entries are that may be found, and what those around them get of it.
    /// Nothing where they can't be compared.
    pub(super) fn likeness(&self, question: &Question, worth: f32, accepted: &[bool], sums: &Sums) -> Likeness {
        if !self.vectors.answers(question) {
            return Likeness::default();
        }
        let alike = match self.vectors.nearest(question, accepted) {
            None => self.vectors.scan(question, accepted),
            Some(mut alike) => {
                // Words and meaning together may lift what neither would alone.
                for slot in most_by_words(sums) {
                    let known = &mut alike.cosines[slot as usize];
                    if !known.is_finite() {
                        let cosine = self.vectors.cosine_of(self.slots[slot as usize].id, question);
                        *known = cosine.unwrap_or(f32::NEG_INFINITY);
                    }
                }
                alike
            }
        };
        let own: Vec<f32> = alike.cosines.iter().map(|cosine| score::likeness(*cosine, alike.mean)).collect();
        let mut touched: Vec<u32> = (0..own.len() as u32).filter(|slot| own[*slot as usize] > 0.0).collect();
        let (near, nearby) = self.spread(&touched, &own, accepted);
        touched.extend(nearby);
        Likeness { own, near, cosines: alike.cosines, touched, unit: score::vector_unit(worth), way: Some(alike.way) }
    }
}

/// Those of the entries that were found by their words that hold the most of the question.
fn most_by_words(sums: &Sums) -> Vec<u32> {
    let mut slots = sums.touched.clone();
    if slots.len() > MOST_BY_WORDS {
        let text = |slot: &u32| sums.text[*slot as usize];
        slots.select_nth_unstable_by(MOST_BY_WORDS, |a, b| text(b).total_cmp(&text(a)).then(a.cmp(b)));
        slots.truncate(MOST_BY_WORDS);
    }
    slots
}
