//! Cron expressions: read, and asked for the next local time that they name.
//!
//! Five fields (minute, hour, day of the month, month, day of the week) or six, with seconds first. A field is `*`, a value,
//! a range `1-5`, a step `*/15` or `8-18/2`, or a list of these; months and days of the week have names. Days also know `L`
//! (the last day of the month), `L-2` (two before it), `FRIL` (the last Friday) and `MON#2` (the second Monday). Where both
//! days are narrowed, either is enough. `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` stand for the usual ones.
//!
//! Knows nothing of zones: [`super::zone`] turns local times into moments.
//!
//! Source: the fields and the rule of the two days are those of Vixie cron, crontab(5).

mod describe;
mod field;

use std::fmt;
use std::str::FromStr;

use time::{Date, Month, PrimitiveDateTime, Time};

use field::{DAY, Days, HOUR, MINUTE, MONTH, SECOND, Set, WeekDays};

/// A readable expression. Its text is what was written, without spaces to spare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    seconds: Set,
    minutes: Set,
    hours: Set,
    days: Days,
    months: Set,
    week_days: WeekDays,
}

/// The longest expression, in bytes.
const MAX_BYTES: usize = 200;
/// Years after which a time that did not come never will: 29 February skips 2100.
const HORIZON_YEARS: i32 = 9;

impl FromStr for Cron {
    type Err = String;

    /// Says which field does not fit and what was expected.
    fn from_str(source: &str) -> Result<Self, String> {
        if source.len() > MAX_BYTES {
            return Err(format!("expected at most {MAX_BYTES} characters"));
        }
        let text = source.split_whitespace().collect::<Vec<_>>().join(" ");
        let spelled = match text.to_ascii_lowercase().as_str() {
            "@hourly" => "0 * * * *".to_owned(),
            "@daily" | "@midnight" => "0 0 * * *".to_owned(),
            "@weekly" => "0 0 * * 0".to_owned(),
            "@monthly" => "0 0 1 * *".to_owned(),
            "@yearly" | "@annually" => "0 0 1 1 *".to_owned(),
            word if word.starts_with('@') => {
                return Err(format!("unknown word {word:?}, expected @hourly, @daily, @weekly, @monthly or @yearly"));
            }
            _ => text.to_ascii_uppercase(),
        };
        let fields: Vec<&str> = spelled.split(' ').filter(|field| !field.is_empty()).collect();
        let (seconds, rest) = match fields.len() {
            5 => (Set::one(0), fields.as_slice()),
            6 => (SECOND.read(fields[0])?, &fields[1..]),
            0 => return Err("expected five fields, such as 0 9 * * MON-FRI".to_owned()),
            count => {
                return Err(format!(
                    "expected five fields (minute hour day month weekday), or six with seconds first, found {count}"
                ));
            }
        };
        let cron = Self {
            text,
            seconds,
            minutes: MINUTE.read(rest[0])?,
            hours: HOUR.read(rest[1])?,
            days: DAY.read_days(rest[2])?,
            months: MONTH.read(rest[3])?,
            week_days: field::read_week_days(rest[4])?,
        };
        let probe = PrimitiveDateTime::new(
            Date::from_calendar_date(2000, Month::January, 1).map_err(|e| e.to_string())?,
            Time::MIDNIGHT,
        );
        match cron.next_after(probe) {
            Some(_) => Ok(cron),
            None => Err("no such day ever comes, as with 30 February".to_owned()),
        }
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Cron {
    /// Whether it names every hour of a day: such a schedule keeps its rhythm when the clocks change, and is not tied to
    /// times of the day.
    pub fn is_rhythm(&self) -> bool {
        self.hours.is_whole(0, 23)
    }

    /// The first local time after `after` that it names; sub-seconds do not count. `None` beyond the years that can be.
    pub fn next_after(&self, after: PrimitiveDateTime) -> Option<PrimitiveDateTime> {
        let first = after.replace_nanosecond(0).ok()?.checked_add(time::Duration::SECOND)?;
        let mut date = first.date();
        let mut earliest = first.time();
        let horizon = date.year() + HORIZON_YEARS;
        while date.year() <= horizon {
            if !self.months.has(u8::from(date.month())) {
                date = first_of_next_month(date)?;
                earliest = Time::MIDNIGHT;
            } else if let Some(time) = self.names_day(date).then(|| self.next_time(earliest)).flatten() {
                return Some(PrimitiveDateTime::new(date, time));
            } else {
                date = date.next_day()?;
                earliest = Time::MIDNIGHT;
            }
        }
        None
    }

    /// Whether it names this very second.
    pub fn names(&self, at: PrimitiveDateTime) -> bool {
        self.months.has(u8::from(at.month()))
            && self.names_day(at.date())
            && self.hours.has(at.hour())
            && self.minutes.has(at.minute())
            && self.seconds.has(at.second())
    }

    fn names_day(&self, date: Date) -> bool {
        match (self.days.is_any(), self.week_days.is_any()) {
            (true, true) => true,
            (false, true) => self.days.has(date),
            (true, false) => self.week_days.has(date),
            (false, false) => self.days.has(date) || self.week_days.has(date),
        }
    }

    /// The first time of a day that it names, at `earliest` or later.
    fn next_time(&self, earliest: Time) -> Option<Time> {
        let mut hour = self.hours.from(earliest.hour())?;
        let mut minute =
            if hour == earliest.hour() { self.minutes.from(earliest.minute()) } else { self.minutes.first() };
        let mut second = self.seconds.first();
        if hour == earliest.hour() && minute == Some(earliest.minute()) {
            second = self.seconds.from(earliest.second());
            if second.is_none() {
                minute = self.minutes.from(earliest.minute() + 1);
                second = self.seconds.first();
            }
        }
        if minute.is_none() {
            hour = self.hours.from(hour + 1)?;
            minute = self.minutes.first();
        }
        Time::from_hms(hour, minute?, second?).ok()
    }
}

fn first_of_next_month(date: Date) -> Option<Date> {
    let year = if date.month() == Month::December { date.year() + 1 } else { date.year() };
    Date::from_calendar_date(year, date.month().next(), 1).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn next(cron: &str, after: PrimitiveDateTime) -> PrimitiveDateTime {
        cron.parse::<Cron>().expect(cron).next_after(after).expect(cron)
    }

    #[test]
    fn the_next_time_is_the_first_one_named() {
        let after = datetime!(2026-11-21 08:00:00); // a Saturday
        for (cron, expected) in [
            ("* * * * *", datetime!(2026-11-21 08:01:00)),
            ("*/15 * * * *", datetime!(2026-11-21 08:15:00)),
            ("0 9 * * *", datetime!(2026-11-21 09:00:00)),
            ("0 8 * * *", datetime!(2026-11-22 08:00:00)),
            ("59 7 * * *", datetime!(2026-11-22 07:59:00)),
            ("0 9 * * MON-FRI", datetime!(2026-11-23 09:00:00)),
            ("0 9 * * mon,wed", datetime!(2026-11-23 09:00:00)),
            ("0 9 * * 7", datetime!(2026-11-22 09:00:00)),
            ("0 9 * * FRI-MON", datetime!(2026-11-21 09:00:00)),
            ("0 0 1 * *", datetime!(2026-12-01 00:00:00)),
            ("0 0 1 JAN *", datetime!(2027-01-01 00:00:00)),
            ("0 0 L * *", datetime!(2026-11-30 00:00:00)),
            ("0 0 L-2 FEB *", datetime!(2027-02-26 00:00:00)),
            ("0 0 29 2 *", datetime!(2028-02-29 00:00:00)),
            ("0 9 * * FRIL", datetime!(2026-11-27 09:00:00)),
            ("0 9 * * 1#2", datetime!(2026-12-14 09:00:00)),
            ("0 9 13 * FRI", datetime!(2026-11-27 09:00:00)),
            ("*/20 * * * * *", datetime!(2026-11-21 08:00:20)),
            ("30 59 23 * * *", datetime!(2026-11-21 23:59:30)),
            ("0 8-18/5 * * *", datetime!(2026-11-21 13:00:00)),
            ("@daily", datetime!(2026-11-22 00:00:00)),
            ("@hourly", datetime!(2026-11-21 09:00:00)),
            (" 0  9 ? * * ", datetime!(2026-11-21 09:00:00)),
        ] {
            assert_eq!(next(cron, after), expected, "{cron}");
        }
    }

    #[test]
    fn what_can_not_be_read_names_the_field() {
        for (cron, expected) in [
            ("", "expected five fields"),
            ("* * * *", "found 4"),
            ("60 * * * *", "minute: expected 0 to 59, found 60"),
            ("* 24 * * *", "hour: expected 0 to 23, found 24"),
            ("* * 0 * *", "day: expected 1 to 31, found 0"),
            ("* * * 13 *", "month: expected 1 to 12, found 13"),
            ("* * * * 8", "weekday: expected 0 to 7, found 8"),
            ("* * * * FOO", "weekday: expected a number or one of SUN"),
            ("5-1 * * * *", "minute: the range 5-1 runs backwards"),
            ("*/0 * * * *", "minute: expected a step of at least 1"),
            ("1,,2 * * * *", "minute: expected a value"),
            ("* * 15W * *", "day: expected a number"),
            ("@reboot", "unknown word"),
            ("0 0 30 2 *", "no such day"),
            ("0 9 * * 1#6", "weekday: expected # and 1 to 5"),
        ] {
            let error = cron.parse::<Cron>().expect_err(cron);
            assert!(error.contains(expected), "{cron}: {error}");
        }
    }

    #[test]
    fn a_time_that_was_given_names_itself() {
        for text in ["*/7 3,4 * * *", "15 10 L * *", "0 0 * * SUN#1", "13 * 1-7 * TUE"] {
            let cron: Cron = text.parse().expect(text);
            let mut at = datetime!(2026-01-01 00:00:00);
            for _ in 0..500 {
                let next = cron.next_after(at).expect(text);
                assert!(next > at && cron.names(next), "{text}: {next}");
                at = next;
            }
        }
    }
}
