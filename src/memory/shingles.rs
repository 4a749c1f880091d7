//! Whether two texts say nearly the same, by their words. Pure.
//!
//! A text is the set of its shingles: each [`WIDTH`] words that follow each other, as digests of their folded letters. Two texts
//! are as alike as the share of shingles that both have among those that either has. Source: Broder 1997, "On the resemblance and
//! containment of documents". Texts whose numbers or negations differ say something else, however alike they are.

use super::suspect::words;

/// Words of a shingle.
pub(super) const WIDTH: usize = 3;
/// The likeness from which two texts say nearly the same: in a text of 40 words, about one word in another place or another.
pub(super) const NEARLY_THE_SAME: f64 = 0.8;
/// Texts of fewer words are never compared: "yes" is no copy of "yes".
pub(super) const MIN_WORDS: usize = 5;
/// Words that are compared; what follows them must not be there in either text.
pub(super) const MAX_WORDS: usize = 20_000;
/// Words that turn what is said around, folded.
pub(super) const NEGATIONS: [&str; 18] = [
    "not", "no", "never", "none", "without", "cannot", "cant", "dont", "doesnt", "isnt", "arent", "wont", "didnt",
    "nicht", "kein", "keine", "nie", "ohne",
];

/// A text, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shingles {
    /// Ascending, each once.
    digests: Vec<u64>,
    /// Words with a digit and negations, ascending: what must be the same.
    hard: Vec<String>,
}

impl Shingles {
    /// Takes a text apart; `None` for one that is too short or too long to be compared.
    pub fn of(text: &str) -> Option<Self> {
        Self::of_words(words(text).into_iter().map(|word| word.text).collect())
    }

    /// The same of a text's words.
    pub fn of_words(words: Vec<String>) -> Option<Self> {
        if !(MIN_WORDS..=MAX_WORDS).contains(&words.len()) {
            return None;
        }
        let mut digests: Vec<u64> = words.windows(WIDTH).map(digest).collect();
        digests.sort_unstable();
        digests.dedup();
        let is_hard = |word: &String| word.contains(|c: char| c.is_numeric()) || NEGATIONS.contains(&word.as_str());
        let mut hard: Vec<String> = words.into_iter().filter(is_hard).collect();
        hard.sort();
        Some(Self { digests, hard })
    }

    /// How alike two texts are: 0..=1, and 0 where their numbers or negations differ.
    pub fn likeness(&self, other: &Self) -> f64 {
        if self.hard != other.hard {
            return 0.0;
        }
        let (mut at, mut common) = (0, 0_usize);
        for digest in &self.digests {
            at += other.digests[at..].partition_point(|there| there < digest);
            common += usize::from(other.digests.get(at) == Some(digest));
        }
        common as f64 / (self.digests.len() + other.digests.len() - common) as f64
    }

    /// All of them, ascending, each once.
    pub fn digests(&self) -> &[u64] {
        &self.digests
    }

    /// Some of its shingles, the smallest digests: texts that are alike share most of them.
    pub fn sketch(&self, most: usize) -> &[u64] {
        &self.digests[..most.min(self.digests.len())]
    }
}

/// The digest of words that follow each other.
pub(super) fn digest(words: &[String]) -> u64 {
    let hash = blake3::hash(words.join(" ").as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

/// The words by which a text like this one is best looked for: the longest, each once.
pub(super) fn telling(text: &str, most: usize) -> String {
    let mut words: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
    words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words.dedup();
    words.truncate(most);
    // A word more behind the last would be half typed.
    words.join(" ") + " "
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(a: &str, b: &str) -> f64 {
        Shingles::of(a).unwrap().likeness(&Shingles::of(b).unwrap())
    }

    const TEXT: &str = "We keep the connection pool small because every replica opens its own, and the database refuses more \
                        connections than it was told to take when it was started by the operator of the cluster last spring.";

    #[test]
    fn texts_that_differ_in_looks_or_a_word_say_nearly_the_same() {
        for same in [
            TEXT.to_uppercase(),
            TEXT.replace(", ", "\n\n"),
            TEXT.replace("last spring", "last autumn"),
            format!("Note: {TEXT}"),
        ] {
            let alike = likeness(TEXT, &same);
            assert!(alike >= NEARLY_THE_SAME, "{alike} {same}");
            assert!((alike - likeness(&same, TEXT)).abs() < 1e-12, "both ways");
        }
    }

    #[test]
    fn texts_that_say_something_else_do_not() {
        let numbered = format!("{TEXT} It is 20.");
        for other in [
            format!("{TEXT} It is 40."),
            numbered.replace("refuses", "never refuses"),
            TEXT.chars().take(TEXT.len() / 2).collect(),
            "The loom in the attic needs new thread before the winter comes.".to_owned(),
        ] {
            let alike = likeness(&numbered, &other);
            assert!(alike < NEARLY_THE_SAME, "{alike} {other}");
        }
    }

    #[test]
    fn what_is_short_is_not_compared() {
        assert!(Shingles::of("yes").is_none() && Shingles::of("").is_none());
        assert!((likeness("one two three four five", "one two three four five") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_tells_a_text_are_its_longest_words() {
        assert_eq!(telling("the loom the looms weaving", 2), "weaving looms ");
    }
}
