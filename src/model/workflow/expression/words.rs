//! What can be refused by looking at the words: statements, filters and tests that there are not; and where they stand.

use super::ExprError;
use super::language::{FILTERS, TESTS};

pub(super) fn at(source: &str, offset: usize, message: String) -> ExprError {
    let (line, column) = position(source, offset);
    ExprError { line, column, message }
}

/// Line and column, from 1, of a byte offset.
pub(super) fn position(source: &str, offset: usize) -> (u32, u32) {
    let mut end = offset.min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let before = &source[..end];
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
    (line, column)
}

pub(super) fn find_word(source: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    source.match_indices(word).map(|(at, _)| at).find(|&at| {
        !source[..at].chars().next_back().is_some_and(|c| is_part(c) || c == '.')
            && !source[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

/// The statements that may stand in a template: none that can name, grow or load anything.
const STATEMENTS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor", "raw", "endraw"];

pub(super) fn check_statements(source: &str) -> Result<(), ExprError> {
    for (offset, _) in source.match_indices("{%") {
        let inside = source[offset + 2..].trim_start_matches(['-', '+']).trim_start();
        let word: String = inside.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !STATEMENTS.contains(&word.as_str()) {
            let message = format!("unknown statement {word:?}, expected if or for");
            return Err(at(source, offset, message));
        }
    }
    Ok(())
}

/// The byte ranges inside `{{ … }}` and `{% … %}`.
pub(super) fn code_parts(source: &str) -> Vec<std::ops::Range<usize>> {
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(open) = source[from..].find(['{']).map(|at| from + at) {
        let close = match source.get(open..open + 2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => "#}",
            _ => {
                from = open + 1;
                continue;
            }
        };
        let end = source[open + 2..].find(close).map_or(source.len(), |at| open + 2 + at);
        if close != "#}" {
            parts.push(open + 2..end);
        }
        from = (end + 2).min(source.len());
    }
    parts
}

/// Refuses filters and tests that there are not; the language itself would only notice when it gets there.
pub(super) fn check_words(source: &str, part: std::ops::Range<usize>) -> Result<(), ExprError> {
    let bytes = source.as_bytes();
    let mut quote = None;
    let mut index = part.start;
    let mut previous = "";
    while index < part.end {
        let byte = bytes[index];
        if let Some(open) = quote {
            index += if byte == b'\\' { 2 } else { 1 };
            quote = (byte != open).then_some(open);
            continue;
        }
        if byte == b'"' || byte == b'\'' {
            quote = Some(byte);
            (previous, index) = ("", index + 1);
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            let length =
                source[index..part.end].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            let word = &source[index..index + length];
            match previous {
                "|" if !FILTERS.contains(&word) => {
                    return Err(at(
                        source,
                        index,
                        format!("unknown filter {word:?}, expected one of {}", FILTERS.join(", ")),
                    ));
                }
                "is" if word == "not" => {}
                "is" if !TESTS.contains(&word) => {
                    return Err(at(
                        source,
                        index,
                        format!("unknown test {word:?}, expected one of {}", TESTS.join(", ")),
                    ));
                }
                _ => {}
            }
            previous = if word == "not" && previous == "is" { "is" } else { word };
            index += length;
        } else {
            if !byte.is_ascii_whitespace() {
                previous = if byte == b'|' { "|" } else { "" };
            }
            index += 1;
        }
    }
    Ok(())
}
