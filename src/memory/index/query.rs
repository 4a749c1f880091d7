//! What a query asks for: words, phrases in quotes, and a last word that may still be half typed.

use super::token::{Kind, tokenize};

/// Words of a query that are searched; the rest is left out.
const MAX_WORDS: usize = 32;

/// Words of a query that is typed rather than asked.
const SHORT: usize = 3;

/// English words that say nothing about an entry. They are left out where others remain.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "did", "do", "does", "for", "from", "had", "has",
    "have", "how", "i", "if", "in", "into", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "so",
    "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "you", "your", "about", "am", "been", "being", "could",
    "d", "dont", "he", "her", "hers", "him", "his", "just", "ll", "m", "re", "s", "she", "should", "t", "than", "them",
    "those", "through", "us", "ve", "while", "whom", "would",
];

/// A word to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Folded.
    pub text: String,
    /// Whether longer words that begin with it fit too.
    pub prefix: bool,
    /// Whether only the word itself fits: it stood in quotes.
    pub exact: bool,
    /// Whether it counts as a word of the question; a compound beside its words doesn't.
    pub counted: bool,
}

/// A query, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Query {
    /// No two alike.
    pub words: Vec<Word>,
    /// Words that must follow each other.
    pub phrases: Vec<Vec<String>>,
}

impl Query {
    /// Reads a query; anything is one. Quotes that never close reach to the end.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let text = text.replace(['“', '”', '„'], "\"");
        let sections: Vec<&str> = text.split('"').collect();
        for (at, section) in sections.iter().enumerate() {
            let quoted = at % 2 == 1;
            let last = at + 1 == sections.len();
            query.read(section, quoted, last);
        }
        query.leave_out_stop_words();
        query.words.truncate(MAX_WORDS);
        query
    }

    /// Whether a half-typed last word is also searched as a beginning where it is a word already: with few others to find by.
    pub fn is_short(&self) -> bool {
        self.words.iter().filter(|word| word.counted).count() <= SHORT
    }

    fn read(&mut self, section: &str, quoted: bool, last: bool) {
        let tokens = tokenize(section, MAX_WORDS * 2);
        let half_typed = !quoted && last && section.ends_with(char::is_alphanumeric);
        let end = section.chars().count() as u32;
        let mut phrase = Vec::new();
        for token in tokens {
            // A single character of a script without spaces stands in the index only as part of a pair.
            let lone = token.kind == Kind::Cjk && token.text.chars().count() == 1;
            let word = Word {
                prefix: !quoted && (lone || (half_typed && token.end == end && token.kind != Kind::Whole)),
                exact: quoted || token.kind == Kind::Whole,
                counted: token.kind != Kind::Whole,
                text: token.text,
            };
            if word.counted && quoted {
                phrase.push(word.text.clone());
            }
            match self.words.iter_mut().find(|known| known.text == word.text) {
                Some(known) => {
                    known.prefix |= word.prefix;
                    known.exact &= word.exact;
                    known.counted |= word.counted;
                }
                None => self.words.push(word),
            }
        }
        if !phrase.is_empty() {
            self.phrases.push(phrase);
        }
    }

    fn leave_out_stop_words(&mut self) {
        let says_something = |word: &Word| word.exact || word.prefix || !STOP_WORDS.contains(&word.text.as_str());
        if self.words.iter().any(|word| says_something(word) && word.counted) {
            self.words.retain(says_something);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let query = Query::parse(text);
        let mut found: Vec<String> = query
            .words
            .iter()
            .map(|w| {
                let mark = if w.prefix { "*" } else { "" };
                let (open, close) = if !w.counted {
                    ("<", ">")
                } else if w.exact {
                    ("=", "")
                } else {
                    ("", "")
                };
                format!("{open}{}{mark}{close}", w.text)
            })
            .collect();
        found.extend(query.phrases.iter().map(|p| format!("\"{}\"", p.join(" "))));
        assert_eq!(found.join(" "), expected, "{text:?}");
    }

    #[test]
    fn the_last_word_may_be_half_typed() {
        check("connection po", "connection po*");
        check("connection pool ", "connection pool");
        check("pool?", "pool");
    }

    #[test]
    fn quotes_make_phrases() {
        check("\"connection pool\" size", "=connection =pool size* \"connection pool\"");
        check("\"connection po", "=connection =po \"connection po\"");
        check("“a b”", "=a =b \"a b\"");
    }

    #[test]
    fn words_that_say_nothing_are_left_out_where_others_remain() {
        check("what is the pool ", "pool");
        check("to be or not to be ", "to be or not");
    }

    #[test]
    fn compounds_bring_their_words() {
        check("max_connections ", "max connections <max_connections>");
    }

    #[test]
    fn nothing_asks_for_nothing() {
        check("", "");
        check(" ?! \"\" ", "");
    }
}
