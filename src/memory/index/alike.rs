//! What likeness of meaning says about an entry: its own, and a share of that of the entries around it.

use super::vectors::Question;
use super::{Index, score};

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
    pub(super) fn likeness(&self, question: &Question, worth: f32, accepted: &[bool]) -> Likeness {
        if !self.vectors.answers(question) {
            return Likeness::default();
        }
        let alike = self.vectors.scan(question, accepted);
        let own: Vec<f32> = alike.cosines.iter().map(|cosine| score::likeness(*cosine, alike.mean)).collect();
        let mut touched: Vec<u32> = (0..own.len() as u32).filter(|slot| own[*slot as usize] > 0.0).collect();
        let (near, nearby) = self.spread(&touched, &own, accepted);
        touched.extend(nearby);
        Likeness { own, near, cosines: alike.cosines, touched, unit: score::vector_unit(worth) }
    }
}
