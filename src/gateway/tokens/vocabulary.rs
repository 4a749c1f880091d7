//! Tokens of a text by a vocabulary, in a time that is bounded whatever the text is. Pure.
//!
//! The library splits a text by a regular expression that takes linear time, and merges each part in n log n. One part may be as long
//! as the text (a million times the same letter), and its merging takes some 30 bytes a byte: so a text is cut before it is looked at.

use crate::model::gateway::Vocabulary;

/// Bytes that are looked at in one go.
const PIECE: usize = 32 * 1024;

/// Tokens of a text; `None` where the vocabulary is not in the program. The first call for a vocabulary reads it, which takes some
/// tens of milliseconds, and it stays in memory from then on (`o200k_base`: some 12 MB).
///
/// What is longer than 32 KiB is cut in front of a space, which changes nothing; where none is near, in the middle of what is there,
/// which may count a token or two more.
pub(super) fn count(vocabulary: Vocabulary, text: &str) -> Option<i64> {
    let known = tiktoken::get_encoding(vocabulary.as_str())?;
    let mut rest = text;
    let mut tokens = 0;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cut(rest));
        tokens += known.count(piece) as i64;
        rest = after;
    }
    Some(tokens)
}

/// Where a text is cut: at most at [`PIECE`] bytes.
fn cut(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let end = text.floor_char_boundary(PIECE);
    let bytes = text.as_bytes();
    // A space behind a word begins a new part in either vocabulary.
    (end / 2..end).rev().find(|at| bytes[*at] == b' ' && bytes[*at - 1].is_ascii_graphic()).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(text: &str) -> (i64, i64) {
        (count(Vocabulary::O200k, text).unwrap(), count(Vocabulary::Cl100k, text).unwrap())
    }

    /// The numbers are those of OpenAI's own `tiktoken` 0.12 for Python.
    #[test]
    fn tokens_are_those_that_openai_counts() {
        for (text, tokens) in [
            ("", (0, 0)),
            ("hello world", (2, 2)),
            ("The quick brown fox jumps over the lazy dog.", (10, 10)),
            ("fn main() {\n    println!(\"{}\", 1234567);\n}\n", (13, 13)),
            ("https://example.org/a/b//c?d=e&f=1", (15, 15)),
            ("东京は日本の首都です。", (8, 10)),
            ("Übergrößenträger — naïve café, don't WE'RE", (14, 17)),
            ("  leading and   inner  \n\n\t trailing  ", (9, 9)),
            ("🚀🔥 emoji 👩\u{200d}👩\u{200d}👧", (12, 19)),
            ("Привет, мир! Как дела?", (8, 12)),
            ("{\"a\":[1,2,3],\"b\":null}", (13, 13)),
            ("x/\n//y\n", (4, 5)),
            // What ends a text for the model is no more than its letters when somebody writes it.
            ("<|endoftext|>", (7, 7)),
            ("ABCdefGHI camelCaseWord SNAKE_CASE", (11, 11)),
            ("\u{3000}\u{3000}全角\u{3000}スペース", (7, 8)),
            ("12 1234 12345678", (8, 8)),
        ] {
            assert_eq!(both(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn hostile_texts_end_and_are_counted() {
        // Each of these makes some tokenizers quadratic, or overflows their stack.
        assert_eq!(both(&"a".repeat(1_000_000)), (125_000, 125_000));
        for text in [" ", "\n", "ab", "A", "あ", "'s", "\u{301}", "=", "\r\n ", "🚀"] {
            let tokens = count(Vocabulary::O200k, &text.repeat(300_000 / text.len())).unwrap();
            assert!(tokens > 0 && tokens <= 300_000, "{text:?}: {tokens}");
        }
    }

    #[test]
    fn a_long_text_is_cut_where_nothing_changes() {
        let line = "The quick brown fox jumps over the lazy dog. ";
        let text = line.repeat(4_000);
        let (one, many) =
            (count(Vocabulary::O200k, line.trim_end()).unwrap(), count(Vocabulary::O200k, &text).unwrap());
        // The space behind each but the last belongs to the next word.
        assert!((many - one * 4_000).abs() <= 1, "{many}");
        let mut rest = text.as_str();
        while rest.len() > PIECE {
            let at = cut(rest);
            assert!(at <= PIECE && rest[at..].starts_with(' '), "{at}");
            rest = &rest[at..];
        }
        let letters = "é".repeat(40_000);
        assert!(letters.is_char_boundary(cut(&letters)));
    }
}
