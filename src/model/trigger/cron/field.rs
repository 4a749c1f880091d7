//! One field of a cron expression.

use time::{Date, Weekday};

/// Numbers below 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Set(u64);

impl Set {
    pub const fn one(value: u8) -> Self {
        Self(1 << value)
    }

    pub const fn has(self, value: u8) -> bool {
        self.0 >> value & 1 == 1
    }

    /// The smallest number of the set that is `value` or larger.
    pub const fn from(self, value: u8) -> Option<u8> {
        let rest = if value < 64 { self.0 >> value << value } else { 0 };
        if rest == 0 { None } else { Some(rest.trailing_zeros() as u8) }
    }

    pub const fn first(self) -> Option<u8> {
        self.from(0)
    }

    pub fn values(self) -> Vec<u8> {
        (0..64).filter(|value| self.has(*value)).collect()
    }

    pub fn is_whole(self, low: u8, high: u8) -> bool {
        (low..=high).all(|value| self.has(value))
    }

    fn insert(&mut self, value: u8) {
        self.0 |= 1 << value;
    }
}

/// What a field may hold.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    low: u8,
    high: u8,
    /// Names, from `low` on.
    names: &'static [&'static str],
}

pub(super) const SECOND: Field = Field { name: "second", low: 0, high: 59, names: &[] };
pub(super) const MINUTE: Field = Field { name: "minute", low: 0, high: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", low: 0, high: 23, names: &[] };
pub(super) const DAY: Field = Field { name: "day", low: 1, high: 31, names: &[] };
pub(super) const MONTH: Field = Field {
    name: "month",
    low: 1,
    high: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
/// 7 is Sunday too.
const WEEKDAY: Field =
    Field { name: "weekday", low: 0, high: 7, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };

impl Field {
    /// Reads a list of values, ranges and steps; the text is in capitals.
    pub fn read(&self, text: &str) -> Result<Set, String> {
        let mut set = Set(0);
        for part in text.split(',') {
            self.read_part(part, &mut set)?;
        }
        Ok(set)
    }

    fn read_part(&self, part: &str, set: &mut Set) -> Result<(), String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(self.read_step(step)?)),
            None => (part, None),
        };
        let (low, high) = match range.split_once('-') {
            _ if range == "*" => (self.low, self.last()),
            Some((low, high)) => (self.read_value(low)?, self.read_value(high)?),
            None => {
                let value = self.read_value(range)?;
                // `5/15` is from 5 on, every 15.
                (value, if step.is_some() { self.last() } else { value })
            }
        };
        let turns = self.name == WEEKDAY.name && low > high;
        if low > high && !turns {
            return Err(format!("{}: the range {range} runs backwards", self.name));
        }
        let high = if turns { high + 7 } else { high };
        for value in (low..=high).step_by(usize::from(step.unwrap_or(1))) {
            set.insert(if self.name == WEEKDAY.name { value % 7 } else { value });
        }
        Ok(())
    }

    /// The last value of `*`.
    fn last(&self) -> u8 {
        if self.name == WEEKDAY.name { 6 } else { self.high }
    }

    fn read_step(&self, text: &str) -> Result<u8, String> {
        match text.parse::<u8>() {
            Ok(step) if (1..=self.high.max(1)).contains(&step) => Ok(step),
            Ok(_) => {
                Err(format!("{}: expected a step of at least 1 and at most {}, found {text}", self.name, self.high))
            }
            Err(_) => Err(format!("{}: expected a step of at least 1 after the /, found {text:?}", self.name)),
        }
    }

    fn read_value(&self, text: &str) -> Result<u8, String> {
        if text.is_empty() {
            return Err(format!("{}: expected a value, found nothing", self.name));
        }
        if let Some(at) = self.names.iter().position(|name| *name == text) {
            return Ok(self.low + at as u8);
        }
        match text.parse::<u8>() {
            Ok(value) if (self.low..=self.high).contains(&value) => Ok(value),
            Err(_) if !text.bytes().all(|byte| byte.is_ascii_digit()) => Err(if self.names.is_empty() {
                format!("{}: expected a number from {} to {}, found {text:?}", self.name, self.low, self.high)
            } else {
                format!("{}: expected a number or one of {}, found {text:?}", self.name, self.names.join(" "))
            }),
            _ => Err(format!("{}: expected {} to {}, found {text}", self.name, self.low, self.high)),
        }
    }

    /// Reads the days of the month, which know `L`, `L-2` and `?`.
    pub fn read_days(&self, text: &str) -> Result<Days, String> {
        let mut days = Days { any: text.starts_with('*') || text == "?", set: Set(0), before_last: Set(0) };
        for part in text.split(',') {
            match part.strip_prefix('L') {
                _ if text == "?" => self.read_part("*", &mut days.set)?,
                Some("") => days.before_last.insert(0),
                Some(rest) => match rest.strip_prefix('-').and_then(|rest| rest.parse::<u8>().ok()) {
                    Some(before @ 0..=30) => days.before_last.insert(before),
                    _ => return Err(format!("day: expected L, or L-1 to L-30, found {part}")),
                },
                None => self.read_part(part, &mut days.set)?,
            }
        }
        days.any = days.any && days.set.is_whole(1, 31);
        Ok(days)
    }
}

/// Days of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    any: bool,
    pub set: Set,
    /// How many days before the last one.
    pub before_last: Set,
}

impl Days {
    pub const fn is_any(&self) -> bool {
        self.any
    }

    pub fn has(&self, date: Date) -> bool {
        let last = date.month().length(date.year());
        self.set.has(date.day()) || self.before_last.has(last - date.day())
    }
}

/// Days of the week; 0 is Sunday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WeekDays {
    any: bool,
    pub set: Set,
    /// The last such day of the month.
    pub last: Set,
    /// The day, and which of the month it is: 1 to 5.
    pub nth: Vec<(u8, u8)>,
}

/// Reads the days of the week, which know `FRIL`, `MON#2` and `?`.
pub(super) fn read_week_days(text: &str) -> Result<WeekDays, String> {
    let mut days = WeekDays { any: text.starts_with('*') || text == "?", set: Set(0), last: Set(0), nth: Vec::new() };
    for part in text.split(',') {
        if text == "?" {
            WEEKDAY.read_part("*", &mut days.set)?;
        } else if let Some((day, which)) = part.split_once('#') {
            match which.parse::<u8>() {
                Ok(which @ 1..=5) => days.nth.push((WEEKDAY.read_value(day)? % 7, which)),
                _ => return Err(format!("weekday: expected # and 1 to 5, found #{which}")),
            }
        } else if let Some(day) = part.strip_suffix('L') {
            days.last.insert(WEEKDAY.read_value(day)? % 7);
        } else {
            WEEKDAY.read_part(part, &mut days.set)?;
        }
    }
    days.any = days.any && days.set.is_whole(0, 6);
    Ok(days)
}

impl WeekDays {
    pub const fn is_any(&self) -> bool {
        self.any
    }

    pub fn has(&self, date: Date) -> bool {
        let day = number(date.weekday());
        let last = date.month().length(date.year());
        self.set.has(day)
            || (self.last.has(day) && date.day() + 7 > last)
            || self.nth.iter().any(|(nth_day, which)| *nth_day == day && (date.day() - 1) / 7 + 1 == *which)
    }
}

const fn number(day: Weekday) -> u8 {
    day.number_days_from_sunday()
}
