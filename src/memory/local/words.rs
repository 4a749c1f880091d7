//! Texts as the tokens of a BERT model: normalised, cut into words, and words into the longest pieces that are known.
//!
//! Names of tokens that stand in a text, such as `[SEP]`, are words like any other: who writes an entry can't end it early.
//!
//! Sources: Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding"; Wu et al.
//! 2016, "Google's Neural Machine Translation System", section 4.1.

use std::collections::HashMap;

use unicode_normalization::char::decompose_canonical;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// A word of more characters is unknown as a whole.
pub(super) const LONGEST_WORD: usize = 100;
/// What stands before a piece that does not begin its word.
const INSIDE: &str = "##";

/// What turns a text into tokens.
#[derive(Debug)]
pub(super) struct Words {
    pub known: HashMap<String, u32>,
    /// The tokens at the two ends of a text, and of what is unknown.
    pub begin: u32,
    pub end: u32,
    pub unknown: u32,
    /// Whether letters are made small, accents taken away, and Chinese characters words of their own.
    pub lower: bool,
    pub plain: bool,
    pub apart: bool,
}

/// A text while it is read.
struct Reading<'a> {
    words: &'a Words,
    tokens: Vec<u32>,
    most: usize,
    /// The word so far, cut off behind what could be known.
    word: String,
    /// Its characters, also those cut off.
    length: usize,
}

impl Words {
    /// The tokens of a text, those at its ends too: at most `most`, 3 or more; what follows is not read.
    pub fn tokens(&self, text: &str, most: usize) -> Vec<u32> {
        let mut reading =
            Reading { words: self, tokens: vec![self.begin], most: most - 1, word: String::new(), length: 0 };
        for c in text.chars() {
            reading.read(c);
            if reading.tokens.len() >= reading.most {
                break;
            }
        }
        reading.finish();
        let mut tokens = reading.tokens;
        tokens.truncate(most - 1);
        tokens.push(self.end);
        tokens
    }

    /// Adds the pieces of a word: the longest first piece that is known, then the longest second, and so on.
    fn add_pieces(&self, word: &str, tokens: &mut Vec<u32>) {
        let before = tokens.len();
        let (mut rest, mut name) = (word, String::with_capacity(word.len() + INSIDE.len()));
        while !rest.is_empty() {
            name.clear();
            if rest.len() < word.len() {
                name.push_str(INSIDE);
            }
            let prefix = name.len();
            name.push_str(rest);
            let found = loop {
                if let Some(token) = self.known.get(&name) {
                    break Some((*token, name.len() - prefix));
                }
                name.pop();
                if name.len() == prefix {
                    break None;
                }
            };
            let Some((token, length)) = found else {
                tokens.truncate(before);
                tokens.push(self.unknown);
                return;
            };
            tokens.push(token);
            rest = &rest[length..];
        }
    }
}

impl Reading<'_> {
    fn read(&mut self, c: char) {
        if c == '\u{fffd}' || is_control(c) {
            return;
        }
        let alone = self.words.apart && is_chinese(c);
        if alone {
            self.finish();
        }
        if self.words.plain {
            decompose_canonical(c, |part| {
                if part.general_category() != GeneralCategory::NonspacingMark {
                    self.take(part);
                }
            });
        } else {
            self.take(c);
        }
        if alone {
            self.finish();
        }
    }

    fn take(&mut self, c: char) {
        if self.words.lower {
            c.to_lowercase().for_each(|small| self.add(small));
        } else {
            self.add(c);
        }
    }

    fn add(&mut self, c: char) {
        let mark = is_mark(c);
        if mark || c.is_whitespace() {
            self.finish();
        }
        if c.is_whitespace() {
            return;
        }
        self.length += 1;
        if self.length <= LONGEST_WORD {
            self.word.push(c);
        }
        if mark {
            self.finish();
        }
    }

    /// The word is whole.
    fn finish(&mut self) {
        match self.length {
            0 => {}
            _ if self.tokens.len() >= self.most => {}
            1..=LONGEST_WORD => self.words.add_pieces(&self.word, &mut self.tokens),
            _ => self.tokens.push(self.words.unknown),
        }
        self.word.clear();
        self.length = 0;
    }
}

fn is_control(c: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse};
    !matches!(c, '\t' | '\n' | '\r') && matches!(c.general_category(), Control | Format | PrivateUse)
}

/// Whether a character is a word of its own: all of ASCII that is neither letter nor digit, and punctuation elsewhere.
fn is_mark(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// The blocks of CJK ideographs that the original names.
const fn is_chinese(c: char) -> bool {
    matches!(c as u32,
        0x4e00..=0x9fff | 0x3400..=0x4dbf | 0x2_0000..=0x2_a6df | 0x2_a700..=0x2_b73f | 0x2_b740..=0x2_b81f
        | 0x2_b920..=0x2_ceaf | 0xf900..=0xfaff | 0x2_f800..=0x2_fa1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 26] = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "lo", "##om", "##o", "un", "##aff", "##able", "cafe", "##s", "!",
        "?", "'", "s", "中", "文", "[", "]", "sep", "é", "ᄒ", "##ᅡ", "##ᆫ",
    ];

    fn words(lower: bool, plain: bool) -> Words {
        let known = KNOWN.iter().zip(0..).map(|(name, at)| ((*name).to_owned(), at)).collect();
        Words { known, begin: 2, end: 3, unknown: 1, lower, plain, apart: true }
    }

    fn read(text: &str) -> Vec<&'static str> {
        let tokens = words(true, true).tokens(text, 256);
        assert_eq!((tokens[0], tokens[tokens.len() - 1]), (2, 3));
        tokens[1..tokens.len() - 1].iter().map(|token| KNOWN[*token as usize]).collect()
    }

    #[test]
    fn a_word_is_cut_into_its_longest_known_pieces() {
        assert_eq!(read("Unaffable loom!"), ["un", "##aff", "##able", "lo", "##om", "!"]);
        assert_eq!(read("the  LOOO\tloomx"), ["the", "lo", "##o", "##o", "[UNK]"]);
        assert_eq!(read("the's?"), ["the", "'", "s", "?"]);
        assert_eq!(read(&format!("lo{} the", "o".repeat(98))).len(), 100);
        assert_eq!(read(&format!("lo{} the", "o".repeat(99))), ["[UNK]", "the"]);
    }

    #[test]
    fn accents_controls_and_chinese_are_read_as_the_model_learned_them() {
        assert_eq!(read("CAFÉS cafe\u{301}s"), ["cafe", "##s", "cafe", "##s"]);
        assert_eq!(read("the中文the"), ["the", "中", "文", "the"]);
        assert_eq!(read("lo\u{200b}om l\u{0}o\u{ad}om\u{fffd}"), ["lo", "##om", "lo", "##om"]);
        assert_eq!(read("한"), ["ᄒ", "##ᅡ", "##ᆫ"], "its letters");
        assert_eq!(read("the\u{a0}the\u{2028}s"), ["the", "the", "s"]);
        assert_eq!(read("[SEP]"), ["[", "sep", "]"], "a name of a token is a text");
        assert_eq!(words(false, false).tokens("é The", 64), [2, 22, 1, 3]);
        assert_eq!(read(""), Vec::<&str>::new());
    }

    #[test]
    fn what_is_too_long_is_cut_off_between_its_ends() {
        let words = words(true, true);
        assert_eq!(words.tokens("the the the the", 5), [2, 4, 4, 4, 3]);
        assert_eq!(words.tokens("the unaffable", 4), [2, 4, 8, 3], "also in the middle of a word");
        assert_eq!(words.tokens(&"the ".repeat(1_000_000), 8).len(), 8);
    }
}
