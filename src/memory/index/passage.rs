//! The best passage of a text for a found entry, and where the found words stand in it.

use std::collections::HashSet;

use super::MAX_TOKENS;
use super::token::{Kind, tokenize};

/// About how many characters a passage has.
const PASSAGE_CHARS: u32 = 240;
/// How many characters before its first found word a passage may begin.
const LEAD_CHARS: u32 = 60;

/// The passage of `content` that holds most of the `met` words (folded, with how rare each is: rare ones count more), and their
/// places in it as start and end in characters, sorted and apart. Line breaks become spaces; `…` stands for what is left out.
pub(in crate::memory) fn passage(content: &str, met: &[(String, f32)]) -> (String, Vec<(u32, u32)>) {
    let places = places(content, met);
    let chars: Vec<char> = content.chars().take(last_needed(&places)).collect();
    let (from, to) = window(&places, met, &chars);
    let mut text = String::with_capacity(PASSAGE_CHARS as usize + 8);
    let mut shift = 0;
    if from > 0 {
        text.push('…');
        shift = 1;
    }
    text.extend(chars[from..to].iter().map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { *c }));
    if content.chars().nth(to).is_some() {
        text.push('…');
    }
    let (from, to) = (from as u32, to as u32);
    let inside = places.iter().filter(|p| p.start >= from && p.end <= to);
    let mut marks: Vec<(u32, u32)> = Vec::new();
    for place in inside {
        let (start, end) = (place.start - from + shift, place.end - from + shift);
        match marks.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => marks.push((start, end)),
        }
    }
    (text, marks)
}

/// Found words that are looked at for the best passage.
const MAX_PLACES: usize = 1000;

/// A found word in the text.
struct Place {
    start: u32,
    end: u32,
    /// Which of the met words.
    word: usize,
}

fn places(content: &str, met: &[(String, f32)]) -> Vec<Place> {
    let mut places: Vec<Place> = tokenize(content, MAX_TOKENS)
        .into_iter()
        .filter(|token| token.kind != Kind::Whole || token.text.len() > 1)
        .filter_map(|token| {
            let word = met.iter().position(|(word, _)| *word == token.text)?;
            Some(Place { start: token.start, end: token.end, word })
        })
        .collect();
    places.sort_by_key(|place| (place.start, place.end));
    places.truncate(MAX_PLACES);
    places
}

/// How much of the text the passage can need.
fn last_needed(places: &[Place]) -> usize {
    (places.last().map_or(0, |place| place.end) + 2 * PASSAGE_CHARS) as usize
}

/// The window of about [`PASSAGE_CHARS`] whose different found words are the rarest together, then with the most found words, then the first;
/// moved to where words begin and end.
fn window(places: &[Place], met: &[(String, f32)], chars: &[char]) -> (usize, usize) {
    let mut best = (0.0_f32, 0);
    let mut best_start = 0;
    let mut end = 0;
    for (at, place) in places.iter().enumerate() {
        end = end.max(at);
        while places.get(end).is_some_and(|p| p.end <= place.start + PASSAGE_CHARS - LEAD_CHARS) {
            end += 1;
        }
        let inside = &places[at..end.max(at)];
        let different: HashSet<usize> = inside.iter().map(|p| p.word).collect();
        let worth: f32 = different.iter().map(|word| met[*word].1.max(0.01)).sum();
        // Sums of the same numbers in another order may differ by a hair.
        let clearly = worth > best.0 * 1.0001;
        if clearly || (worth > best.0 * 0.9999 && inside.len() > best.1) {
            best = (worth, inside.len());
            best_start = place.start;
        }
    }
    let mut from = best_start.saturating_sub(LEAD_CHARS) as usize;
    if chars.len() <= from + PASSAGE_CHARS as usize {
        from = chars.len().saturating_sub(PASSAGE_CHARS as usize).min(from);
    }
    if from > 0 {
        let word = chars[from..best_start.max(from as u32) as usize].iter().position(|c| c.is_whitespace());
        from += word.map_or(0, |at| at + 1);
    }
    while from < best_start as usize && chars[from].is_whitespace() {
        from += 1;
    }
    let mut to = (from + PASSAGE_CHARS as usize).min(chars.len());
    if to < chars.len() {
        let least = to.saturating_sub(24).max(best_start as usize + 1).max(from);
        if let Some(at) = (least..to).rev().find(|at| chars[*at].is_whitespace()) {
            to = at;
        }
    }
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(words: &[&str]) -> Vec<(String, f32)> {
        words.iter().map(|word| ((*word).to_owned(), 1.0)).collect()
    }

    fn marked(content: &str, words: &[&str]) -> Vec<String> {
        let (text, marks) = passage(content, &met(words));
        let chars: Vec<char> = text.chars().collect();
        marks.iter().map(|(start, end)| chars[*start as usize..*end as usize].iter().collect()).collect()
    }

    #[test]
    fn a_short_text_is_its_own_passage() {
        let (text, marks) = passage("The Pool\nis small", &met(&["pool"]));
        assert_eq!((text.as_str(), marks), ("The Pool is small", vec![(4, 8)]));
    }

    #[test]
    fn the_passage_goes_where_the_words_are() {
        let content = format!(
            "{}pool {}the connection pool is exhausted{}",
            "word ".repeat(100),
            "word ".repeat(100),
            " word".repeat(100)
        );
        assert_eq!(marked(&content, &["connection", "pool", "exhausted"]), ["connection", "pool", "exhausted"]);
        let (text, _) = passage(&content, &met(&["connection", "pool"]));
        assert!(text.starts_with('…') && text.ends_with('…'), "{text}");
        assert!(text.chars().count() <= 242, "{text}");
    }

    #[test]
    fn a_rare_word_draws_the_passage_to_it() {
        let content = format!("the pool the pool {}exhausted{}", "word ".repeat(100), " word".repeat(100));
        let words = [("pool".to_owned(), 0.5), ("the".to_owned(), 0.1), ("exhausted".to_owned(), 3.0)];
        assert!(passage(&content, &words).0.contains("exhausted"));
    }

    #[test]
    fn touching_marks_become_one() {
        assert_eq!(marked("see maxPool now", &["max", "pool", "maxpool"]), ["maxPool"]);
        assert_eq!(marked("東京都", &["東京", "京都"]), ["東京都"]);
    }

    #[test]
    fn without_a_found_word_it_is_the_beginning() {
        let (text, marks) = passage(&"abc ".repeat(200), &met(&["x"]));
        assert!(text.starts_with("abc abc") && text.ends_with('…'), "{text}");
        assert!(marks.is_empty());
    }
}
