//! A text as comparable words, each with its place.

use crate::memory::index::fold;
use crate::model::invisible::hides;

/// A word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::memory) struct Word {
    /// In lower case, without marks and without what hides in it.
    pub text: String,
    /// Where it stands, in bytes.
    pub from: usize,
    pub to: usize,
}

/// The words of a text. What has no width and apostrophes part none; Cyrillic letters among Latin ones are read as what they
/// look like.
pub(in crate::memory) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = Word::default();
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() {
            if word.text.is_empty() {
                word.from = at;
            }
            fold(c, &mut word.text);
            word.to = at + c.len_utf8();
        } else if !is_nothing(c) && !word.text.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.text.is_empty() {
        words.push(word);
    }
    for word in &mut words {
        if word.text.chars().any(|c| c.is_ascii_alphabetic()) && !word.text.is_ascii() {
            word.text = word.text.chars().map(latin).collect();
        }
    }
    words
}

/// What stands within words and says nothing: apostrophes, soft hyphens, combining marks and what has no width.
const fn is_nothing(c: char) -> bool {
    hides(c) || matches!(c, '\'' | '’' | '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}')
}

/// What a small Cyrillic letter looks like.
const fn latin(c: char) -> char {
    match c {
        'а' => 'a',
        'е' => 'e',
        'о' => 'o',
        'р' => 'p',
        'с' => 'c',
        'х' => 'x',
        'у' => 'y',
        'і' => 'i',
        'ѕ' => 's',
        'ј' => 'j',
        'ԁ' => 'd',
        'ո' => 'n',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_by_what_one_reads() {
        let read = |text: &str| words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(read("Don’t IGNORE, Précédentes!"), ["dont", "ignore", "precedentes"]);
        assert_eq!(read("ig\u{200b}no\u{ad}re"), ["ignore"]);
        assert_eq!(read("іgnоre слово"), ["ignore", "слово"], "Cyrillic letters among Latin ones");
        let placed = &words("a — ignore it")[1];
        assert_eq!((placed.from, placed.to), ("a — ".len(), "a — ignore".len()));
    }
}
