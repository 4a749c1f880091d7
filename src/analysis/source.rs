//! One file's text with its lines, and the one place where text of the file is made fit to be shown.

use super::credentials;

/// Longest excerpt, in characters.
pub const MAX_EXCERPT_CHARS: usize = 160;

/// The text of a file, with where its lines begin.
#[derive(Debug)]
pub struct Source<'a> {
    /// Relative to the root, with `/`.
    pub path: &'a str,
    pub text: &'a str,
    starts: Vec<u32>,
}

impl<'a> Source<'a> {
    pub fn new(path: &'a str, text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { path, text, starts }
    }

    /// The number of rows, a last line without line break included; an empty file has one empty row.
    pub const fn rows(&self) -> usize {
        self.starts.len()
    }

    /// The text of a row (from 0) without its line break; empty beyond the end.
    pub fn row(&self, row: usize) -> &'a str {
        let Some(start) = self.starts.get(row) else { return "" };
        let end = self.starts.get(row + 1).map_or(self.text.len(), |next| *next as usize);
        self.text.get(*start as usize..end).unwrap_or("").trim_end_matches(['\n', '\r'])
    }

    /// The column, in characters from 1, of a byte of a row.
    pub fn column(&self, row: usize, byte_column: usize) -> u32 {
        let line = self.row(row);
        line.char_indices().take_while(|(at, _)| *at < byte_column).count() as u32 + 1
    }

    /// A row, shortened, for people to read.
    pub fn excerpt(&self, row: usize) -> String {
        presentable(self.row(row))
    }
}

/// Makes text of a file fit to be shown on one line: trimmed, shortened, without control characters, and with known
/// shapes of tokens masked.
pub fn presentable(text: &str) -> String {
    let trimmed = text.trim();
    // Masked before it is cut, because half a token would no longer be recognised.
    let near = trimmed.char_indices().nth(4 * MAX_EXCERPT_CHARS).map_or(trimmed, |(at, _)| &trimmed[..at]);
    let masked = credentials::mask_known(near);
    let mut shown: String =
        masked.chars().take(MAX_EXCERPT_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if masked.chars().nth(MAX_EXCERPT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
