//! What people left to do: `TODO` and `FIXME` in comments.

use super::findings::{FIXME, Findings, TODO};
use super::source::{Source, presentable};

const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// Looks for marks in a comment that begins at `row` (from 0); at most one for each of its lines.
///
/// A mark is an upper-case word that begins the line of the comment, or one followed by `:` or `(`, so that prose about
/// "the TODO list" is no finding.
pub fn check(comment: &str, row: usize, source: &Source<'_>, findings: &mut Findings) {
    if !MARKS.iter().any(|mark| comment.contains(mark)) {
        return;
    }
    for (offset, line) in comment.lines().enumerate() {
        if let Some((mark, rest)) = marked(line) {
            let rule = if mark == "FIXME" { FIXME } else { TODO };
            let rest = rest.trim_end_matches(['*', '/', '-', '>', ' ']);
            let note = rest.trim_start_matches([':', ' ', '-']);
            let message = match note {
                "" => mark.to_owned(),
                // `TODO(owner): …` stays as it is.
                _ if rest.starts_with('(') => format!("{mark}{}", presentable(rest)),
                _ => format!("{mark}: {}", presentable(note)),
            };
            findings.add(rule, source, row + offset, message);
        }
    }
}

fn marked(line: &str) -> Option<(&'static str, &str)> {
    MARKS
        .iter()
        .filter_map(|mark| Some((*mark, find(line, mark)?)))
        .min_by_key(|(_, (at, _))| *at)
        .map(|(mark, (_, rest))| (mark, rest))
}

fn find<'a>(line: &'a str, mark: &str) -> Option<(usize, &'a str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(mark).find_map(|(at, _)| {
        let (before, rest) = (&line[..at], &line[at + mark.len()..]);
        let whole = !before.ends_with(is_word) && !rest.starts_with(is_word);
        let first = !before.contains(is_word);
        let called = rest.starts_with([':', '(']);
        (whole && (first || called)).then_some((at, rest))
    })
}
