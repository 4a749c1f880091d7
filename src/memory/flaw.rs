//! Whether an entry says little or nothing. Pure.

use serde_json::Value;

use crate::model::memory::{Entry, Flaw};

/// Characters of which a text has more than a few words.
const FEW_CHARS: usize = 12;
/// Characters that are looked at.
const LOOKED_AT: usize = 4_000;
/// Characters of a piece without a gap that is no word of any language.
const DATA_CHARS: usize = 200;
/// What UTF-8 looks like when it was read as Latin-1 or Windows-1252.
const MISREAD: [&str; 8] = ["Ã¤", "Ã¶", "Ã¼", "Ã©", "Ã¨", "â€™", "â€œ", "Â "];
/// Such signs from which a text is garbled.
const MANY_MISREAD: usize = 3;

/// What is wrong with an entry, if anything. A value beside the text speaks for itself.
pub(super) fn flaw(entry: &Entry) -> Option<Flaw> {
    let text = entry.content.trim();
    let has_value = !is_empty(&entry.value);
    if text.is_empty() {
        return (!has_value).then_some(Flaw::Empty);
    }
    if is_garbled(text) {
        return Some(Flaw::Garbled);
    }
    if has_value {
        return None;
    }
    if is_link(text) {
        return Some(Flaw::Link);
    }
    (text.chars().take(FEW_CHARS).count() < FEW_CHARS).then_some(Flaw::Short)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_link(text: &str) -> bool {
    let bare = text.trim_matches(['<', '>']);
    !bare.contains(char::is_whitespace) && ["https://", "http://"].iter().any(|scheme| bare.starts_with(scheme))
}

fn is_garbled(text: &str) -> bool {
    let (mut all, mut lost) = (0_usize, 0_usize);
    for c in text.chars().take(LOOKED_AT) {
        all += 1;
        let is_private = matches!(c, '\u{e000}'..='\u{f8ff}');
        lost += usize::from(c == '\u{fffd}' || is_private || (c.is_control() && !c.is_whitespace()));
    }
    if lost * 50 > all {
        return true;
    }
    let begin: String = text.chars().take(LOOKED_AT).collect();
    if MISREAD.iter().map(|signs| begin.matches(signs).count()).sum::<usize>() >= MANY_MISREAD {
        return true;
    }
    // A long piece without a gap that is most of the text: a key, a picture, a dump. Scripts without gaps have other letters.
    let data: usize = begin
        .split_whitespace()
        .filter(|piece| piece.is_ascii() && piece.len() >= DATA_CHARS && !piece.contains("://"))
        .map(str::len)
        .sum();
    data * 5 > begin.len() * 4
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::memory::index::tests::entry;

    fn found(text: &str) -> Option<Flaw> {
        flaw(&entry(1, "a", "k", text, &[]))
    }

    #[test]
    fn what_says_nothing_is_named_by_what_is_wrong() {
        for (text, expected) in [
            ("", Some(Flaw::Empty)),
            (" \n\t", Some(Flaw::Empty)),
            ("yes", Some(Flaw::Short)),
            ("https://example.org/a?b=c", Some(Flaw::Link)),
            ("<https://example.org>", Some(Flaw::Link)),
            ("The door is \u{fffd}\u{fffd}\u{fffd}\u{fffd} open", Some(Flaw::Garbled)),
            ("FÃ¼r die TÃ¼r gibt es keinen SchlÃ¼ssel", Some(Flaw::Garbled)),
            (&"aGVsbG8gd29ybGQ".repeat(40), Some(Flaw::Garbled)),
            ("The loom has 20 shafts.", None),
            ("Siehe https://example.org, dort steht es.", None),
            ("織機には二十本の綜絖がある", None),
            ("Für die Tür gibt es keinen Schlüssel", None),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
        assert_eq!(found(&"語".repeat(500)), None, "a script without gaps is no data");
    }

    #[test]
    fn a_value_speaks_for_itself() {
        let with = |text: &str, value: Value| flaw(&Entry { value, ..entry(1, "a", "k", text, &[]) });
        assert_eq!(with("", json!({"shafts": 20})), None);
        assert_eq!(with("20", json!(20)), None);
        assert_eq!(with("", json!({})), Some(Flaw::Empty));
    }
}
