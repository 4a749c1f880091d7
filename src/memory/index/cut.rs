//! Contents as passages that are embedded, and what tells one content from another.

/// Words of a passage at most, and characters: embedders of MiniLM's class read about 250 tokens and no more.
const WORDS: usize = 100;
const CHARS: usize = 1000;
/// A passage shares the last of so many parts of the one before, so that what stands across the cut is whole in one of them.
const PARTS: usize = 4;
/// Passages of an entry that are embedded, about 4,800 words; what follows them is found by its words alone.
pub(in crate::memory) const MOST_PASSAGES: usize = 64;

/// The passages of a content, in order; none of a content without a word.
pub(in crate::memory) fn cut(content: &str) -> Vec<&str> {
    let words = words(content);
    let mut passages = Vec::new();
    let mut from = 0;
    while from < words.len() && passages.len() < MOST_PASSAGES {
        let (start, mut to, mut chars) = (words[from].0, from, 0);
        while to < words.len() && to - from < WORDS {
            let (begin, end) = words[to];
            let behind = if to > from { words[to - 1].1 } else { begin };
            chars += content[behind..end].chars().count();
            if chars > CHARS && to > from {
                break;
            }
            to += 1;
        }
        passages.push(&content[start..words[to - 1].1]);
        if to == words.len() {
            break;
        }
        from = (from + 1).max(to - (to - from) / PARTS);
    }
    passages
}

/// Where words begin and end, in bytes. A run of more than [`CHARS`] characters without a space is several.
fn words(content: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    // Beginning, and characters so far.
    let mut word: Option<(usize, usize)> = None;
    for (at, c) in content.char_indices() {
        word = match (word, c.is_whitespace()) {
            (None, true) => None,
            (None, false) => Some((at, 1)),
            (Some((start, _)), true) => {
                words.push((start, at));
                None
            }
            (Some((start, chars)), false) if chars >= CHARS / 4 => {
                words.push((start, at));
                Some((at, 1))
            }
            (Some((start, chars)), false) => Some((start, chars + 1)),
        };
    }
    if let Some((start, _)) = word {
        words.push((start, content.len()));
    }
    words
}

/// Tells contents apart: the first eight bytes of the BLAKE3 hash.
pub(in crate::memory) fn digest(content: &str) -> i64 {
    let hash = blake3::hash(content.as_bytes());
    let first: [u8; 8] = hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes");
    i64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_content_is_one_passage_and_an_empty_one_none() {
        assert_eq!(cut("  The pool\nis small. "), ["The pool\nis small."]);
        assert!(cut(" \n\t").is_empty());
    }

    #[test]
    fn passages_share_words_and_leave_none_out() {
        let content: Vec<String> = (0..260).map(|at| format!("w{at}")).collect();
        let content = content.join(" ");
        let passages = cut(&content);
        assert_eq!(passages.len(), 4, "0..100, 75..175, 150..250, 225..260");
        assert!(passages[1].starts_with("w75 ") && passages[1].ends_with(" w174"));
        assert!(passages[3].starts_with("w225 ") && passages[3].ends_with(" w259"));
    }

    #[test]
    fn a_text_without_spaces_is_cut_between_characters_and_has_a_most() {
        let passages_of = |chars: usize| {
            let content = "東".repeat(chars);
            cut(&content).into_iter().map(|passage| passage.chars().count()).collect::<Vec<_>>()
        };
        assert_eq!(passages_of(900), [900]);
        assert!(passages_of(100_000).iter().all(|chars| *chars <= CHARS));
        assert_eq!(passages_of(1_000_000).len(), MOST_PASSAGES);
    }

    #[test]
    fn another_content_has_another_digest() {
        assert_eq!(digest("pool"), digest("pool"));
        assert_ne!(digest("pool"), digest("pools"));
    }
}
