//! What the steps of a run printed, as lines. Pure.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::model::Timestamp;
use crate::model::workflow::LogChunk;

/// Lines kept in the browser; what comes after is counted, not kept.
pub const MOST_LINES: usize = 200_000;

/// Characters of a line that is put together of what came in pieces: beyond that another begins, for the list has no long lines.
const MOST_JOINED: usize = 140;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When its chunk was received.
    pub at: Timestamp,
    /// As `data-level`: `out`, `err` or `info`.
    pub level: &'static str,
    /// The id of the step that printed it.
    pub step: Arc<str>,
    /// The attempt.
    pub attempt: u32,
    /// Without its line break and without terminal codes.
    pub text: String,
}

/// Which lines are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Of this step; `None` for all.
    pub step: Option<String>,
    /// Of this attempt; `None` for all.
    pub attempt: Option<u32>,
    /// That contain this, in any case; empty for all.
    pub words: String,
}

/// The numbers of the lines that are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// All, this many.
    All(u32),
    /// These.
    Some(Arc<[u32]>),
}

impl Shown {
    /// How many.
    pub fn len(&self) -> u32 {
        match self {
            Self::All(count) => *count,
            Self::Some(lines) => lines.len() as u32,
        }
    }

    /// The number of the line in the row at `row`.
    pub fn line(&self, row: u32) -> Option<u32> {
        match self {
            Self::All(count) => (row < *count).then_some(row),
            Self::Some(lines) => lines.get(row as usize).copied(),
        }
    }
}

/// What became of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Added, or known already.
    Fine,
    /// Something is missing before it: read on from [`Logbook::last_seq`].
    Gap,
}

/// The lines so far, in order.
#[derive(Debug, Clone, Default)]
pub struct Logbook {
    lines: Vec<Line>,
    last_seq: i64,
    left_out: u32,
    /// Whether the last line has not ended: it goes on with the next piece of its step.
    is_open: bool,
}

impl Logbook {
    /// The number of the newest chunk; 0 before the first.
    pub const fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// Lines that came after [`MOST_LINES`].
    pub const fn left_out(&self) -> u32 {
        self.left_out
    }

    /// A line by number.
    pub fn line(&self, number: u32) -> Option<&Line> {
        self.lines.get(number as usize)
    }

    /// Adds a chunk that was told live: the next in turn only.
    pub fn hear(&mut self, chunk: &LogChunk) -> Heard {
        if chunk.seq > self.last_seq + 1 {
            return Heard::Gap;
        }
        self.add(chunk);
        Heard::Fine
    }

    /// Adds a chunk that was read in order; one that is known is passed over.
    pub fn add(&mut self, chunk: &LogChunk) {
        if chunk.seq <= self.last_seq {
            return;
        }
        self.last_seq = chunk.seq;
        let level = match chunk.stream.as_str() {
            "stdout" => "out",
            "stderr" => "err",
            _ => "info",
        };
        let known = self.lines.last().filter(|last| *last.step == *chunk.step).map(|last| Arc::clone(&last.step));
        let step = known.unwrap_or_else(|| chunk.step.as_str().into());
        let was_open = std::mem::replace(&mut self.is_open, !chunk.text.ends_with('\n'));
        let mut pieces = chunk.text.strip_suffix('\n').unwrap_or(&chunk.text).split('\n').peekable();
        if let (true, Some(last), Some(first)) = (was_open, self.lines.last_mut(), pieces.peek())
            && (&last.step, last.attempt, last.level) == (&step, chunk.attempt, level)
            && last.text.chars().count() + first.chars().count() <= MOST_JOINED
        {
            last.text.push_str(&plain(first));
            pieces.next();
        }
        for text in pieces {
            if self.lines.len() == MOST_LINES {
                self.left_out = self.left_out.saturating_add(1);
                continue;
            }
            let text = plain(text);
            self.lines.push(Line { at: chunk.at, level, step: Arc::clone(&step), attempt: chunk.attempt, text });
        }
    }

    /// The lines that are wanted.
    pub fn shown(&self, wanted: &Wanted) -> Shown {
        if *wanted == Wanted::default() {
            return Shown::All(self.lines.len() as u32);
        }
        let words = wanted.words.to_lowercase();
        let fits = |line: &Line| {
            wanted.step.as_ref().is_none_or(|step| **step == *line.step)
                && wanted.attempt.is_none_or(|attempt| attempt == line.attempt)
                && (words.is_empty() || line.text.to_lowercase().contains(&words))
        };
        Shown::Some((0_u32..).zip(&self.lines).filter(|(_, line)| fits(line)).map(|(number, _)| number).collect())
    }

    /// The last lines of a step that came after a moment, at most so many, the newest last.
    pub fn tail(&self, step: &str, after: Timestamp, most: usize) -> Vec<String> {
        let newer = self.lines.iter().rev().take_while(|line| line.at > after).filter(|line| *line.step == *step);
        let mut texts: Vec<String> = newer.take(most).map(|line| line.text.clone()).collect();
        texts.reverse();
        texts
    }

    /// The shown lines as a file.
    pub fn text(&self, shown: &Shown) -> String {
        let mut text = String::new();
        for line in (0..shown.len()).filter_map(|row| self.line(shown.line(row)?)) {
            let _ = writeln!(text, "{} {:4} {}", line.at, line.level, line.text);
        }
        text
    }
}

/// A line as it reads on a terminal: what was overwritten by a carriage return is gone, colours are dropped.
fn plain(text: &str) -> String {
    let text = text.strip_suffix('\r').unwrap_or(text);
    let text = text.rsplit('\r').next().unwrap_or(text);
    if !text.contains('\u{1b}') {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            clean.push(c);
            continue;
        }
        // ECMA-48: `ESC [` up to a final byte of @ to ~; `ESC ]` up to BEL; otherwise one character.
        match chars.next() {
            Some('[') => {
                let _ = chars.by_ref().find(|c| ('@'..='~').contains(c));
            }
            Some(']') => {
                let _ = chars.by_ref().find(|c| *c == '\u{7}');
            }
            _ => {}
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(seq: i64, step: &str, attempt: u32, text: &str) -> LogChunk {
        LogChunk { seq, at: Timestamp(0), step: step.into(), attempt, stream: "stdout".into(), text: text.into() }
    }

    #[test]
    fn a_chunk_out_of_turn_asks_for_what_is_missing() {
        let mut book = Logbook::default();
        assert_eq!(book.hear(&chunk(1, "a", 1, "one\ntwo\n")), Heard::Fine);
        assert_eq!(book.hear(&chunk(3, "a", 1, "four\n")), Heard::Gap);
        assert_eq!(book.hear(&chunk(1, "a", 1, "one\ntwo\n")), Heard::Fine);
        assert_eq!(book.shown(&Wanted::default()).len(), 2);
        assert_eq!(book.last_seq(), 1);
    }

    #[test]
    fn what_comes_in_pieces_is_one_line_until_that_is_long() {
        let mut book = Logbook::default();
        let texts = |book: &Logbook| book.lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
        book.add(&chunk(1, "a", 1, "A loom "));
        book.add(&chunk(2, "a", 1, "weaves.\nIt "));
        book.add(&chunk(3, "b", 1, "Other."));
        book.add(&chunk(4, "a", 1, "is old.\n"));
        book.add(&chunk(5, "a", 1, "New."));
        assert_eq!(texts(&book), ["A loom weaves.", "It ", "Other.", "is old.", "New."]);
        book.add(&chunk(6, "a", 2, "again "));
        book.add(&chunk(7, "a", 2, &"w".repeat(140)));
        assert_eq!(book.lines.len(), 7);
    }

    #[test]
    fn lines_are_found_by_step_attempt_and_words() {
        let mut book = Logbook::default();
        book.add(&chunk(1, "a", 1, "Failed\nretry"));
        book.add(&chunk(2, "b", 1, "failed"));
        book.add(&chunk(3, "a", 2, "passed"));
        let check = |step: Option<&str>, attempt, words: &str, rows: &[u32]| {
            let wanted = Wanted { step: step.map(Into::into), attempt, words: words.into() };
            assert_eq!(book.shown(&wanted), Shown::Some(rows.into()), "{wanted:?}");
        };
        check(Some("a"), None, "", &[0, 1, 3]);
        check(Some("a"), Some(2), "", &[3]);
        check(None, None, "FAILED", &[0, 2]);
    }

    #[test]
    fn the_tail_is_what_a_step_printed_last_and_since_then() {
        let mut book = Logbook::default();
        let at =
            |seq: i64, ms: i64, step: &str, text: &str| LogChunk { at: Timestamp(ms), ..chunk(seq, step, 1, text) };
        for (seq, ms, step, text) in
            [(1, 1, "a", "old\n"), (2, 2, "a", "one\n"), (3, 2, "b", "other\n"), (4, 3, "a", "two\n")]
        {
            book.add(&at(seq, ms, step, text));
        }
        assert_eq!(book.tail("a", Timestamp(1), 5), ["one", "two"]);
        assert_eq!(book.tail("a", Timestamp(1), 1), ["two"]);
        assert!(book.tail("a", Timestamp(3), 5).is_empty());
    }

    #[test]
    fn terminal_codes_and_overwritten_text_are_dropped() {
        assert_eq!(plain("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(plain("10 %\r50 %\r100 %"), "100 %");
        assert_eq!(plain("windows\r"), "windows");
        assert_eq!(plain("\u{1b}]0;title\u{7}text"), "text");
    }
}
