//! Numbers and times as people read them. Pure: the clock and the time zone are arguments.

mod span;

use crate::model::Timestamp;
pub use span::{read_span, span};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The page's clock moves every 15 s: what seems to lie this little ahead has just happened.
const CLOCK_LAG_MS: i64 = 20 * SECOND_MS;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A length of time, two units at most: "40 ms", "1.8 s", "2 min 24 s", "3 h 5 min", "2 d 4 h". Negative counts as 0.
pub fn duration(ms: i64) -> String {
    let ms = ms.max(0);
    let two = |big: i64, big_unit: &str, rest: i64, unit: &str| match rest {
        0 => format!("{big} {big_unit}"),
        rest => format!("{big} {big_unit} {rest} {unit}"),
    };
    match ms {
        0..SECOND_MS => format!("{ms} ms"),
        SECOND_MS..10_000 => format!("{}.{} s", ms / SECOND_MS, ms % SECOND_MS / 100),
        10_000..MINUTE_MS => format!("{} s", ms / SECOND_MS),
        MINUTE_MS..HOUR_MS => two(ms / MINUTE_MS, "min", ms % MINUTE_MS / SECOND_MS, "s"),
        HOUR_MS..DAY_MS => two(ms / HOUR_MS, "h", ms % HOUR_MS / MINUTE_MS, "min"),
        _ => two(ms / DAY_MS, "d", ms % DAY_MS / HOUR_MS, "h"),
    }
}

/// A running clock, of fixed width within the minute: "0:09", "6:48", "1:02:30". Negative counts as 0.
pub fn stopwatch(ms: i64) -> String {
    let seconds = ms.max(0) / SECOND_MS;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A size with decimal units, as disks and networks count: "0 B", "999 B", "4.2 KB", "1.1 GB".
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    // 999.95 would print as "1000.0"
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 9.95 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

/// A whole number with its thousands apart: "18,204".
pub fn count(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Millionths of a dollar as a person reads them: "$12.34", "$0.0012" with two figures that tell something, "$0.00" for none.
pub fn dollars(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    // Where the dollars tell nothing, as many places as show two figures.
    let places = match micros {
        0 | 100_000.. => 2,
        10_000.. => 3,
        1_000.. => 4,
        100.. => 5,
        _ => 6,
    };
    let unit = 10_u64.pow(6 - places);
    let rounded = (micros + unit / 2) / unit;
    let scale = 10_u64.pow(places);
    let whole = count(i64::try_from(rounded / scale).unwrap_or(i64::MAX));
    format!("{sign}${whole}.{:0width$}", rounded % scale, width = places as usize)
}

/// A large number in short: "950", "12.3 k", "4.2 M". For tiles; where it is exact, it is written out ([`count`]).
pub fn short_count(value: i64) -> String {
    let tenths = |unit: i64, name: &str| {
        let tenths = (value + unit / 20) / (unit / 10);
        match (tenths, tenths % 10) {
            (1000.., _) => format!("{} {name}", count((value + unit / 2) / unit)),
            (_, 0) => format!("{} {name}", tenths / 10),
            (_, rest) => format!("{}.{rest} {name}", tenths / 10),
        }
    };
    match value {
        ..10_000 => count(value),
        10_000..999_500 => tenths(1_000, "k"),
        999_500..999_500_000 => tenths(1_000_000, "M"),
        _ => tenths(1_000_000_000, "G"),
    }
}

/// A number and its noun: "1 run", "7 runs". For nouns that take an s.
pub fn plural(value: i64, noun: &str) -> String {
    let s = if value == 1 { "" } else { "s" };
    format!("{} {noun}{s}", count(value))
}

/// A message as a sentence: a capital, a full stop.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    first.to_uppercase().chain(chars).collect::<String>() + end
}

/// A share of 0 to 1 as a percentage with one decimal where it tells something: "98.1 %", "100 %", "0 %".
pub fn percent(share: f64) -> String {
    let tenths = (share.clamp(0.0, 1.0) * 1000.0).round() as i64;
    if tenths % 10 == 0 { format!("{} %", tenths / 10) } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

/// How long ago (or in how long), to the minute; `None` beyond a day, where the date says more.
pub fn relative(at: Timestamp, now_ms: i64) -> Option<String> {
    let ms = now_ms - at.unix_ms();
    let distance = match ms.abs() {
        0..MINUTE_MS => {
            return Some(if ms >= -CLOCK_LAG_MS { "just now".to_owned() } else { "in under a minute".to_owned() });
        }
        away @ MINUTE_MS..HOUR_MS => format!("{} min", away / MINUTE_MS),
        away @ HOUR_MS..DAY_MS => format!("{} h", away / HOUR_MS),
        _ => return None,
    };
    Some(if ms >= 0 { format!("{distance} ago") } else { format!("in {distance}") })
}

/// Year, month, day, hour, minute and second in a zone `offset_min` ahead of UTC.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn civil(at: Timestamp, offset_min: i32) -> (i64, usize, i64, i64, i64, i64) {
    let local = at.unix_ms() + i64::from(offset_min) * MINUTE_MS;
    let (days, ms) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month as usize, day, ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS, ms % MINUTE_MS / SECOND_MS)
}

/// A point in time: "21 Nov 2026, 08:31". `offset_min` is the zone's lead over UTC.
pub fn date_time(at: Timestamp, offset_min: i32) -> String {
    let (year, month, day, hour, minute, _) = civil(at, offset_min);
    format!("{day} {} {year}, {hour:02}:{minute:02}", MONTHS[month - 1])
}

/// A day: "21 Nov". `offset_min` is the zone's lead over UTC.
pub fn day(at: Timestamp, offset_min: i32) -> String {
    let (_, month, day, ..) = civil(at, offset_min);
    format!("{day} {}", MONTHS[month - 1])
}

/// A time of day with milliseconds, as logs show it: "09:42:32.118". `offset_min` is the zone's lead over UTC.
pub fn log_time(at: Timestamp, offset_min: i32) -> String {
    let (.., hour, minute, second) = civil(at, offset_min);
    format!("{hour:02}:{minute:02}:{second:02}.{:03}", at.unix_ms().rem_euclid(SECOND_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn dollars_have_two_figures_that_tell_something() {
        let check = |micros, text: &str| assert_eq!(dollars(micros), text);
        check(0, "$0.00");
        check(12, "$0.000012");
        check(1_234, "$0.0012");
        check(12_345, "$0.012");
        check(99_960, "$0.100");
        check(123_456, "$0.12");
        check(12_340_000, "$12.34");
        check(1_234_567_890_000, "$1,234,567.89");
        check(-1_500_000, "-$1.50");
    }

    #[test]
    fn a_large_count_is_told_in_short() {
        let check = |value, text: &str| assert_eq!(short_count(value), text);
        check(9_999, "9,999");
        check(12_345, "12.3 k");
        check(20_000, "20 k");
        check(999_499, "999 k");
        check(4_200_000, "4.2 M");
        check(2_000_000_000, "2 G");
    }

    #[test]
    fn a_duration_has_two_units_at_most() {
        let check = |ms, text: &str| assert_eq!(duration(ms), text);
        check(-5, "0 ms");
        check(40, "40 ms");
        check(1_849, "1.8 s");
        check(59_999, "59 s");
        check(144_000, "2 min 24 s");
        check(120_000, "2 min");
        check(3 * HOUR_MS + 5 * MINUTE_MS + 9, "3 h 5 min");
        check(2 * DAY_MS + 4 * HOUR_MS, "2 d 4 h");
    }

    #[test]
    fn a_stopwatch_shows_hours_only_when_there_are_some() {
        assert_eq!(stopwatch(9_999), "0:09");
        assert_eq!(stopwatch(408_000), "6:48");
        assert_eq!(stopwatch(3_750_000), "1:02:30");
    }

    #[test]
    fn a_size_changes_its_unit_before_it_would_round_to_a_thousand() {
        let check = |count, text: &str| assert_eq!(bytes(count), text);
        check(0, "0 B");
        check(999, "999 B");
        check(4_200, "4.2 KB");
        check(999_950, "1.0 MB");
        check(1_100_000_000, "1.1 GB");
        check(u64::MAX, "18447 PB");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(18_204), "18,204");
        assert_eq!(count(-1_000_000), "-1,000,000");
        assert_eq!(count(999), "999");
        assert_eq!(plural(1, "run"), "1 run");
        assert_eq!(plural(1_204, "entry point"), "1,204 entry points");
    }

    #[test]
    fn a_percentage_keeps_a_decimal_only_where_it_tells_something() {
        assert_eq!(percent(0.981), "98.1 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.5), "50 %");
    }

    #[test]
    fn a_message_reads_as_a_sentence() {
        assert_eq!(sentence("no such run"), "No such run.");
        assert_eq!(sentence("It ended."), "It ended.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn near_times_are_relative_and_far_ones_are_not() {
        let now = at("2026-11-21T08:30:00Z").unix_ms();
        let check = |text, expected: Option<&str>| assert_eq!(relative(at(text), now).as_deref(), expected);
        check("2026-11-21T08:29:31Z", Some("just now"));
        check("2026-11-21T08:27:00Z", Some("3 min ago"));
        check("2026-11-21T12:30:00Z", Some("in 4 h"));
        check("2026-11-19T08:30:00Z", None);
    }

    #[test]
    fn a_date_follows_the_zone_across_midnight_and_leap_days() {
        assert_eq!(date_time(at("2026-11-21T23:31:00Z"), 60), "22 Nov 2026, 00:31");
        assert_eq!(date_time(at("2024-02-29T12:00:00Z"), 0), "29 Feb 2024, 12:00");
        assert_eq!(date_time(at("1969-12-31T23:59:00Z"), 0), "31 Dec 1969, 23:59");
        assert_eq!(day(at("2026-11-21T00:10:00Z"), -30), "20 Nov");
        assert_eq!(log_time(at("2026-11-21T09:42:32.118Z"), 0), "09:42:32.118");
    }
}
