//! Whether two answers say the same. What is not plainly the same is taken for another: that costs calls, and never a wrong answer.

use serde_json::Value;

use super::gate::Facts;
use crate::model::gateway::{Block, Response};

/// Answers that are compared by vectors have at most so many characters: in longer ones a word that matters is lost.
const MAX_LIKE_CHARS: usize = 400;
/// How like their vectors are then, at least. Chosen high: where the answers of a model differ by a word that counts, short texts are
/// usually less like than this; the gate looks at numbers, names and negations beside it.
pub(super) const LIKE: f64 = 0.95;

/// What can be told without vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compared {
    Same,
    Different,
    /// It is told by the vectors of these.
    ByVectors(String, String),
}

/// Compares what two answers say and the tools that they want used; thoughts and ids do not count.
pub(super) fn compare(one: &Response, other: &Response) -> Compared {
    if tools(one) != tools(other) {
        return Compared::Different;
    }
    let (one, other) = (one.text(), other.text());
    let json = |text: &str| serde_json::from_str::<Value>(unfenced(text)).ok().filter(|value| !value.is_string());
    match (json(&one), json(&other)) {
        (Some(one), Some(other)) => return if one == other { Compared::Same } else { Compared::Different },
        (None, None) => {}
        _ => return Compared::Different,
    }
    if plain(&one) == plain(&other) {
        return Compared::Same;
    }
    let is_short = |text: &str| !text.trim().is_empty() && text.chars().count() <= MAX_LIKE_CHARS;
    if is_short(&one) && is_short(&other) && Facts::of(&one).admits(&Facts::of(&other)).is_ok() {
        return Compared::ByVectors(one, other);
    }
    Compared::Different
}

fn tools(response: &Response) -> Vec<(&str, &Value)> {
    let mut used = Vec::new();
    for block in &response.content {
        if let Block::ToolUse { name, input, .. } = block {
            used.push((name.as_str(), input));
        }
    }
    used
}

/// What stands in a fence, if the text is nothing else.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    inner.map_or(text, |inner| inner.split_once('\n').map_or(inner, |(_, body)| body).trim())
}

/// A text without case, white space and the marks around it.
fn plain(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").trim_matches(|c: char| c == '.' || c == '!' || c == '"' || c == '*' || c == '`').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::gateway::{Extra, StopReason, Usage};

    fn answer(content: Vec<Block>) -> Response {
        let (stop, usage, extra) = (StopReason::EndTurn, Usage::default(), Extra::new());
        Response {
            id: "a".into(),
            model: "m".into(),
            content,
            stop,
            stop_sequence: None,
            usage,
            extra,
            others: Vec::new(),
        }
    }

    fn said(text: &str) -> Response {
        answer(vec![Block::text(text)])
    }

    fn used(id: &str, input: Value) -> Response {
        answer(vec![Block::ToolUse { id: id.into(), name: "look".into(), input, cache: None, extra: Extra::new() }])
    }

    #[test]
    fn case_white_space_and_a_full_stop_do_not_matter() {
        for (one, other) in [("Paris", "paris."), ("A  loom\nweaves", "a loom weaves"), ("**Yes**", "yes!")] {
            assert_eq!(compare(&said(one), &said(other)), Compared::Same, "{one:?}");
        }
    }

    #[test]
    fn json_is_the_same_by_its_values() {
        let same = |one: &str, other: &str| compare(&said(one), &said(other));
        assert_eq!(same(r#"{"a": 1, "b": [2]}"#, "```json\n{\"b\":[2],\"a\":1}\n```"), Compared::Same);
        assert_eq!(same(r#"{"a": 1}"#, r#"{"a": 2}"#), Compared::Different);
        assert_eq!(same(r#"{"a": 1}"#, "a is 1"), Compared::Different);
        assert_eq!(same("[1, 2]", "[2, 1]"), Compared::Different);
    }

    #[test]
    fn other_words_are_compared_by_vectors_only_where_they_are_short_and_nothing_counts() {
        let compared = |one: &str, other: &str| compare(&said(one), &said(other));
        assert!(matches!(compared("It is used to weave cloth", "It is for weaving cloth"), Compared::ByVectors(..)));
        assert_eq!(compared("It has 4 shafts", "It has 8 shafts"), Compared::Different);
        assert_eq!(compared("It is safe", "It is not safe"), Compared::Different);
        let long = "word ".repeat(200);
        assert_eq!(compared(&long, &format!("{long} more")), Compared::Different);
        assert_eq!(compared("", "A loom"), Compared::Different);
    }

    #[test]
    fn the_same_tool_with_the_same_input_is_the_same_whatever_its_id() {
        assert_eq!(compare(&used("1", json!({"at": 1})), &used("2", json!({"at": 1}))), Compared::Same);
        assert_eq!(compare(&used("1", json!({"at": 1})), &used("2", json!({"at": 2}))), Compared::Different);
        assert_eq!(compare(&used("1", json!({"at": 1})), &said("x")), Compared::Different);
    }
}
