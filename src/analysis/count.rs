//! Counts code, comment and blank lines.
//!
//! A line is blank if it holds white space only, comment if it holds nothing but comments, else code. Files with a
//! syntax tree are counted from the tree (`Marks`); all others by a scanner that knows the language's comments and
//! one-line strings, and nothing more. Python's docstrings are strings, so they count as code.

use super::language::{Kind, Language, Syntax};
use super::source::Source;

/// Lines of one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    pub code: u64,
    pub comment: u64,
    pub blank: u64,
}

impl Lines {
    pub const fn total(&self) -> u64 {
        self.code + self.comment + self.blank
    }
}

/// The number of lines: line breaks, and a last line that has none.
pub fn line_count(text: &[u8]) -> u64 {
    let breaks = text.split(|byte| *byte == b'\n').count() as u64 - 1;
    breaks + u64::from(text.last().is_some_and(|last| *last != b'\n'))
}

/// What a syntax tree says about each row.
#[derive(Debug)]
pub struct Marks(Vec<u8>);

const CODE: u8 = 1;
const COMMENT: u8 = 2;

impl Marks {
    pub fn new(rows: usize) -> Self {
        Self(vec![0; rows])
    }

    /// Notes a token that reaches from one row to another.
    pub fn code(&mut self, rows: std::ops::RangeInclusive<usize>) {
        self.set(rows, CODE);
    }

    /// Notes a comment that reaches from one row to another.
    pub fn comment(&mut self, rows: std::ops::RangeInclusive<usize>) {
        self.set(rows, COMMENT);
    }

    fn set(&mut self, rows: std::ops::RangeInclusive<usize>, mark: u8) {
        let last = self.0.len().saturating_sub(1);
        for row in *rows.start()..=(*rows.end()).min(last) {
            self.0[row] |= mark;
        }
    }

    /// Counts the lines; text that no token covers (a parser skipped it) is code.
    pub fn count(&self, source: &Source<'_>) -> Lines {
        let mut lines = Lines::default();
        let total = line_count(source.text.as_bytes()) as usize;
        for (row, mark) in self.0.iter().enumerate().take(total) {
            if source.row(row).trim().is_empty() {
                lines.blank += 1;
            } else if mark & (CODE | COMMENT) == COMMENT {
                lines.comment += 1;
            } else {
                lines.code += 1;
            }
        }
        lines
    }
}

/// Counts the lines of a file without a syntax tree, and shows every piece of comment, with its row (from 0), to
/// `on_comment`.
pub fn scan(language: &Language, source: &Source<'_>, mut on_comment: impl FnMut(usize, &str)) -> Lines {
    let mut lines = Lines::default();
    let mut open: Option<Open> = None;
    for row in 0..line_count(source.text.as_bytes()) as usize {
        let line = source.row(row);
        if line.trim().is_empty() {
            lines.blank += 1;
        } else if language.kind == Kind::Prose {
            lines.comment += 1;
        } else if scan_row(language.syntax, line, &mut open, |piece| on_comment(row, piece)) {
            lines.code += 1;
        } else {
            lines.comment += 1;
        }
    }
    lines
}

/// A block comment that has begun.
struct Open {
    pair: usize,
    depth: u32,
}

/// Reads one line; true if it holds code.
fn scan_row(syntax: Syntax, line: &str, open: &mut Option<Open>, mut on_comment: impl FnMut(&str)) -> bool {
    let mut code = false;
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        if let Some(block) = open {
            let (begin, end) = syntax.block[block.pair];
            let length = within_block(rest, begin, end, syntax.nested, block);
            on_comment(&rest[..length]);
            if block.depth == 0 {
                *open = None;
            }
            at += length;
        } else if let Some(pair) = syntax.block.iter().position(|(begin, _)| rest.starts_with(begin)) {
            *open = Some(Open { pair, depth: 1 });
            at += syntax.block[pair].0.len();
        } else if syntax.line.iter().any(|mark| rest.starts_with(mark)) {
            on_comment(rest);
            return code;
        } else {
            let length = token_length(syntax, rest);
            code |= !rest[..length].trim().is_empty();
            at += length;
        }
    }
    code
}

/// How much of `rest` belongs to the open block comment.
fn within_block(rest: &str, begin: &str, end: &str, nested: bool, block: &mut Open) -> usize {
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(end) {
            at += end.len();
            block.depth -= 1;
            if block.depth == 0 {
                return at;
            }
        } else if nested && rest[at..].starts_with(begin) {
            at += begin.len();
            block.depth += 1;
        } else {
            at += char_length(&rest[at..]);
        }
    }
    at
}

/// The length of a string that begins here and ends on this line, else of one character.
///
/// A quote without its partner (an apostrophe, a lifetime, a string over several lines) is an ordinary character.
fn token_length(syntax: Syntax, rest: &str) -> usize {
    let bytes = rest.as_bytes();
    if syntax.quotes.contains(&bytes[0]) {
        let mut at = 1;
        while at < bytes.len() {
            if bytes[at] == b'\\' {
                at += 1;
            } else if bytes[at] == bytes[0] {
                return at + 1;
            }
            at += 1;
        }
    }
    char_length(rest)
}

fn char_length(rest: &str) -> usize {
    rest.chars().next().map_or(1, char::len_utf8)
}
