//! Text into tokens.
//!
//! A **word** is a run of letters and digits. A **compound** joins words by `_ - . / ::` or by capitals (`maxConnections`,
//! `src/db/mod.rs`): its words are tokens of their own, and the compound as a whole is another, so that either finds it.
//! Chinese, Japanese and Korean are cut into overlapping pairs of characters (as Lucene's CJK analyser does).

use super::fold::{fold, is_cjk, is_mark};

/// Longest word kept, in characters; the rest of it is cut off, alike in entries and in queries.
const MAX_WORD_CHARS: usize = 64;
/// Longest compound kept as a whole, in bytes; longer ones are found by their words.
const MAX_WHOLE_BYTES: usize = 128;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word; takes a position of its own.
    Word,
    /// One or two characters of a script without spaces; takes a position of its own.
    Cjk,
    /// A compound beside its words.
    Whole,
}

/// A token, and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Folded.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// First character, counted in characters.
    pub start: u32,
    /// Behind the last character.
    pub end: u32,
}

/// The tokens of `text` in order, a compound behind its words; at most about `limit`.
pub(super) fn tokenize(text: &str, limit: usize) -> Vec<Token> {
    let mut reader = Reader { tokens: Vec::new(), run: Vec::new() };
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        if reader.tokens.len() >= limit {
            return reader.tokens;
        }
        let next = chars.peek().map(|(_, c)| *c);
        if is_cjk(c) {
            reader.finish_unless(reader.run.first().is_none_or(|(_, c)| is_cjk(*c)));
            reader.run.push((at, c));
        } else if c.is_alphanumeric() || (is_mark(c) && !reader.run.is_empty()) {
            reader.finish_unless(reader.run.first().is_none_or(|(_, c)| !is_cjk(*c)));
            reader.run.push((at, c));
        } else if !reader.joins(c, next) {
            reader.finish();
        } else {
            reader.run.push((at, c));
        }
    }
    reader.finish();
    reader.tokens.truncate(limit);
    reader.tokens
}

struct Reader {
    tokens: Vec<Token>,
    /// The characters of the compound that is being read.
    run: Vec<(usize, char)>,
}

/// Whether a character stands between the words of a compound.
const fn is_joiner(c: char) -> bool {
    matches!(c, '_' | '-' | '.' | '/' | ':')
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’')
}

impl Reader {
    /// Whether `c`, between what was read and `next`, holds a compound together.
    fn joins(&self, c: char, next: Option<char>) -> bool {
        let Some((_, last)) = self.run.last().copied() else { return false };
        if is_cjk(last) || next.is_some_and(is_cjk) {
            return false;
        }
        let wordy = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            '_' | '-' | '.' | '/' | '\'' | '’' => !is_joiner(last) && !is_apostrophe(last) && wordy(next),
            // Only `::` joins, since `key:value` and `http://` don't.
            ':' => (last == ':' && wordy(next)) || (!is_joiner(last) && !is_apostrophe(last) && next == Some(':')),
            _ => false,
        }
    }

    fn finish_unless(&mut self, goes_on: bool) {
        if !goes_on {
            self.finish();
        }
    }

    fn finish(&mut self) {
        let mut run = std::mem::take(&mut self.run);
        // `a::` at the end of a run: the second colon never came to a word.
        while run.last().is_some_and(|(_, c)| is_joiner(*c) || is_apostrophe(*c)) {
            run.pop();
        }
        let Some((_, first)) = run.first().copied() else { return };
        if is_cjk(first) {
            self.pairs(&run);
        } else {
            self.compound(&run);
        }
        run.clear();
        self.run = run;
    }

    fn pairs(&mut self, run: &[(usize, char)]) {
        for pair in run.windows(run.len().min(2)) {
            let mut text = String::with_capacity(8);
            for (_, c) in pair {
                fold(*c, &mut text);
            }
            let (start, end) = (pair[0].0 as u32, pair[pair.len() - 1].0 as u32 + 1);
            self.tokens.push(Token { text, kind: Kind::Cjk, start, end });
        }
    }

    fn compound(&mut self, run: &[(usize, char)]) {
        let mut words = 0;
        let mut from = 0;
        for at in 1..=run.len() {
            if at == run.len() || splits(run, at) {
                words += u32::from(self.word(&run[from..at]));
                from = at;
            }
        }
        if words > 1 {
            self.whole(run);
            // The files and names of a path: `mod.rs` in `src/db/mod.rs`.
            for segment in run.split(|(_, c)| *c == '/').filter(|segment| segment.len() < run.len()) {
                if (1..segment.len()).any(|at| splits(segment, at)) {
                    self.whole(segment);
                }
            }
        }
    }

    /// Adds a word, without joiners and possessive `'s`. Returns whether anything was left of it.
    fn word(&mut self, run: &[(usize, char)]) -> bool {
        let begins = run.iter().position(|(_, c)| !is_joiner(*c) && !is_apostrophe(*c)).unwrap_or(run.len());
        let mut run = &run[begins..];
        if let [rest @ .., (_, mark), (_, 's' | 'S')] = run
            && is_apostrophe(*mark)
        {
            run = rest;
        }
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return false };
        let mut text = String::with_capacity(run.len());
        for (_, c) in run.iter().filter(|(_, c)| !is_apostrophe(*c)).take(MAX_WORD_CHARS) {
            fold(*c, &mut text);
        }
        if text.is_empty() {
            return false;
        }
        self.tokens.push(Token { text, kind: Kind::Word, start: first.0 as u32, end: last.0 as u32 + 1 });
        true
    }

    fn whole(&mut self, run: &[(usize, char)]) {
        let mut text = String::with_capacity(run.len());
        for (_, c) in run {
            fold(*c, &mut text);
            if text.len() > MAX_WHOLE_BYTES {
                return;
            }
        }
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            self.tokens.push(Token { text, kind: Kind::Whole, start: first.0 as u32, end: last.0 as u32 + 1 });
        }
    }
}

/// Whether a new word begins at `at`: behind a joiner, at `aB`, and at the `S` of `HTTPServer`.
fn splits(run: &[(usize, char)], at: usize) -> bool {
    let (before, here) = (run[at - 1].1, run[at].1);
    if is_joiner(here) || is_joiner(before) {
        return is_joiner(here) && !is_joiner(before);
    }
    let next_is_lower = run.get(at + 1).is_some_and(|(_, c)| c.is_lowercase());
    here.is_uppercase() && (before.is_lowercase() || before.is_numeric() || (before.is_uppercase() && next_is_lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found: Vec<String> = tokenize(text, 1000)
            .into_iter()
            .map(|t| if t.kind == Kind::Whole { format!("<{}>", t.text) } else { t.text })
            .collect();
        assert_eq!(found.join(" "), expected, "{text:?}");
    }

    #[test]
    fn words_are_folded() {
        check("The Connection pool, EXHAUSTED!", "the connection pool exhausted");
        check("Café Zürich ＡＢＣ straße", "cafe zurich abc strasse");
        check("cafe\u{301} naïve", "cafe naive");
        check("Mara's don't l’arbre", "mara dont larbre");
        check("3.14 and 2026-11-21", "3 14 <3.14> and 2026 11 21 <2026-11-21>");
    }

    #[test]
    fn compounds_are_split_and_kept_whole() {
        check("maxConnections", "max connections <maxconnections>");
        check("HTTPServer", "http server <httpserver>");
        check("max_connections=5", "max connections <max_connections> 5");
        check("pool-size", "pool size <pool-size>");
        check("std::fs::File", "std fs file <std::fs::file>");
        check("src/db/mod.rs", "src db mod rs <src/db/mod.rs> <mod.rs>");
        check("http://example.com", "http example com <example.com>");
        check("end. Next: a:b c::", "end next a b c");
        check("_private __init__", "private init");
        check("utf8 v2 sha256", "utf8 v2 sha256");
    }

    #[test]
    fn scripts_without_spaces_become_pairs() {
        check("東京都", "東京 京都");
        check("水", "水");
        check("Rust言語は", "rust 言語 語は");
    }

    #[test]
    fn offsets_count_characters() {
        let tokens = tokenize("é maxPool", 10);
        assert_eq!(tokens.iter().map(|t| (t.start, t.end)).collect::<Vec<_>>(), [(0, 1), (2, 5), (5, 9), (2, 9)]);
    }

    #[test]
    fn the_limit_holds() {
        assert_eq!(tokenize("a b c d", 2).len(), 2);
    }
}
