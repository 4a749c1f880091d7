//! What is decided of a question and the kept ones beside it: which are like it, and whose answer could be given.
//!
//! Pure: the same for who asks a model (`near`) and for labelled pairs that are played (`replay`).

use super::embed::cosine;
use super::gate::{Differs, Facts};

/// Longest text that takes part, in characters: what is longer says more than a vector of it.
const MAX_CHARS: usize = 2_000;
/// Kept questions that one is compared with, the newest.
pub(super) const MOST_CANDIDATES: usize = 256;
/// What is less like is not looked at: no threshold is learned there.
pub(super) const LEAST_SIMILARITY: f64 = 0.7;

/// Whether a question is one that answers can be looked for by its meaning.
pub(super) fn takes_part(text: &str, facts: &Facts) -> bool {
    text.chars().count() <= MAX_CHARS && facts.admits(facts).is_ok()
}

/// A kept question that is like what is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alike<T> {
    pub kept: T,
    /// Cosine, [`LEAST_SIMILARITY`] to 1.
    pub similarity: f64,
}

/// Those of the kept questions that are like this one, the nearest first. Vectors have the length 1; those of another number of
/// numbers are left out.
pub(super) fn list_alike<T, V: AsRef<[f32]>>(vector: &[f32], kept: impl IntoIterator<Item = (T, V)>) -> Vec<Alike<T>> {
    let mut alike = Vec::new();
    for (kept, theirs) in kept {
        let theirs = theirs.as_ref();
        if theirs.len() != vector.len() {
            continue;
        }
        let similarity = cosine(vector, theirs);
        if similarity >= LEAST_SIMILARITY {
            alike.push(Alike { kept, similarity });
        }
    }
    alike.sort_by(|one, other| other.similarity.total_cmp(&one.similarity));
    alike
}

/// Why an answer is not given to a question, however like it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It was wrong for this question before.
    Wrong,
    /// Something that counts is not the same.
    Differs(Differs),
}

/// The first of these, the nearest first, that was not wrong for this question before and passes the gate.
pub(super) fn nearest<T>(
    facts: &Facts,
    alike: Vec<Alike<T>>,
    text: impl Fn(&T) -> &str,
    was_wrong: impl Fn(&T) -> bool,
    mut refused: impl FnMut(Refused),
) -> Option<Alike<T>> {
    alike.into_iter().find(|one| {
        if was_wrong(&one.kept) {
            refused(Refused::Wrong);
            return false;
        }
        match facts.admits(&Facts::of(text(&one.kept))) {
            Ok(()) => true,
            Err(differs) => {
                refused(Refused::Differs(differs));
                false
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_and_what_is_far_away_not_at_all() {
        let kept = [("far", vec![0.0, 1.0]), ("near", vec![0.8, 0.6]), ("same", vec![1.0, 0.0]), ("odd", vec![1.0])];
        let alike = list_alike(&[1.0, 0.0], kept);
        assert_eq!(alike.iter().map(|one| one.kept).collect::<Vec<_>>(), ["same", "near"]);
        assert!((alike[1].similarity - 0.8).abs() < 1e-6);
    }

    #[test]
    fn the_nearest_that_nothing_speaks_against_is_taken() {
        let texts = ["A loom for 5 people", "A loom for the people", "loom for people"];
        let alike = || texts.iter().map(|kept| Alike { kept: *kept, similarity: 0.9 }).collect::<Vec<_>>();
        let facts = Facts::of("The loom for people");
        let mut said = Vec::new();
        let taken = nearest(&facts, alike(), |kept| kept, |kept| *kept == texts[1], |why| said.push(why)).unwrap();
        assert_eq!((taken.kept, said), (texts[2], vec![Refused::Differs(Differs::Numbers), Refused::Wrong]));
        assert_eq!(nearest(&facts, alike(), |kept| kept, |_| true, |_| {}), None);
    }

    #[test]
    fn texts_that_are_long_or_say_nothing_take_no_part() {
        let takes = |text: &str| takes_part(text, &Facts::of(text));
        assert!(takes("What is a loom?") && takes(&"loom ".repeat(400)));
        assert!(!takes(&"loom ".repeat(401)) && !takes("?!") && !takes(""));
    }
}
