//! Lengths of time as people type them. To the millisecond: what is shown is what is kept.

/// Units by their length in ms, the longest first, each with the words that mean it; the first is the one shown.
const UNITS: [(i64, &[&str]); 5] = [
    (86_400_000, &["d", "day", "days"]),
    (3_600_000, &["h", "hour", "hours"]),
    (60_000, &["min", "m", "minute", "minutes"]),
    (1_000, &["s", "sec", "second", "seconds"]),
    (1, &["ms", "millisecond", "milliseconds"]),
];
const WEEK: (i64, &[&str]) = (7 * 86_400_000, &["w", "week", "weeks"]);

/// All of a length of time: "1 h 30 min", "1 s 500 ms", "60 d", "0 s". Negative counts as 0. [`read_span`] reads it back.
pub fn span(ms: i64) -> String {
    let mut rest = ms.max(0);
    let mut parts = Vec::new();
    for (length, words) in UNITS {
        if rest >= length {
            parts.push(format!("{} {}", rest / length, words[0]));
            rest %= length;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// A typed length of time in ms: "90 s", "1.5h", "2 d 12 h", "3 weeks". `None` for everything else, a number without a
/// unit (but 0) among it, since nobody knows what it counts.
pub fn read_span(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(end);
        let behind = behind.trim_start();
        let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (word, behind) = behind.split_at(end);
        let (length, _) = UNITS.iter().chain([&WEEK]).find(|(_, words)| words.contains(&word))?;
        sum += number.parse::<f64>().ok()? * *length as f64;
        rest = behind.trim_start_matches([' ', ',']);
    }
    // A century; the bounds of a field are narrower.
    (sum <= 3.2e12).then_some(sum.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back_to_the_millisecond() {
        for (ms, shown) in [
            (0, "0 s"),
            (1_500, "1 s 500 ms"),
            (5_400_000, "1 h 30 min"),
            (5_184_000_000, "60 d"),
            (90_061_001, "1 d 1 h 1 min 1 s 1 ms"),
        ] {
            assert_eq!(span(ms), shown);
            assert_eq!(read_span(shown), Some(ms), "{shown}");
        }
    }

    #[test]
    fn times_are_typed_in_many_ways_but_never_without_a_unit() {
        for (text, ms) in [
            ("90s", 90_000),
            (" 1.5 h ", 5_400_000),
            ("2 weeks", 1_209_600_000),
            ("1 day, 2 hours", 93_600_000),
            ("5m", 300_000),
        ] {
            assert_eq!(read_span(text), Some(ms), "{text}");
        }
        for text in ["", "90", "s", "5 parsecs", "1..5 s", "-3 s", "{{ inputs.wait }}", "9999999999999 d", "3 s 4"] {
            assert_eq!(read_span(text), None, "{text}");
        }
    }
}
