//! Zones of the IANA database: the machine's own, or the one inside the binary where it has none.

use jiff::Timestamp as Instant;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};
use time::{Date, Month, PrimitiveDateTime, Time};

use crate::model::trigger::Moment;
use crate::model::trigger::cron::Cron;
use crate::model::trigger::zone::{Local, Zone, next_after};
use crate::model::{FieldError, Timestamp};

/// A zone.
#[derive(Debug, Clone)]
pub struct Iana(TimeZone);

impl Iana {
    /// The zone with this name.
    pub fn find(name: &str) -> Option<Self> {
        // The database is asked for names only: no path, no offset, no POSIX rule.
        let fits = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
        TimeZone::get(name).ok().filter(|_| fits).map(Self)
    }

    /// A moment as people there read it: `Mon 23 Nov 2026, 09:00 CET`.
    pub fn words(&self, at: Timestamp) -> String {
        let zoned = instant(at).to_zoned(self.0.clone());
        let seconds = if zoned.second() == 0 { "" } else { ":%S" };
        zoned.strftime(&format!("%a %-d %b %Y, %H:%M{seconds} %Z")).to_string()
    }
}

/// Reads an expression and its zone.
///
/// # Errors
/// The field that does not fit, `/cron` or `/timezone`, and what was expected.
pub fn read(cron: &str, timezone: &str) -> Result<(Cron, Iana), FieldError> {
    let expected = "expected a zone such as Europe/Berlin or UTC";
    let zone = Iana::find(timezone).ok_or_else(|| FieldError::new("/timezone", expected))?;
    let cron = cron.parse().map_err(|error: String| FieldError::new("/cron", error))?;
    Ok((cron, zone))
}

/// The next moments of a schedule, at most five.
pub fn next_moments(cron: &Cron, zone: &Iana, after: Timestamp) -> Vec<Moment> {
    let next = |at: &Timestamp| next_after(cron, zone, *at);
    let moments = std::iter::successors(next(&after), next).take(5);
    moments.map(|at| Moment { at, local: zone.words(at) }).collect()
}

/// Every zone's name, in order.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    names.retain(|name| !name.starts_with("Etc/") && !name.starts_with("posix") && !name.starts_with("right"));
    names.retain(|name| (name.contains('/') || name == "UTC") && !name.starts_with("SystemV/"));
    names.sort();
    names.dedup();
    names
}

fn instant(at: Timestamp) -> Instant {
    Instant::from_microsecond(at.0).unwrap_or(Instant::MAX)
}

impl Zone for Iana {
    fn local(&self, at: Timestamp) -> PrimitiveDateTime {
        let civil = self.0.to_datetime(instant(at));
        let date = Month::try_from(civil.month() as u8)
            .and_then(|month| Date::from_calendar_date(i32::from(civil.year()), month, civil.day() as u8));
        let nanos = civil.subsec_nanosecond() as u32;
        let time = Time::from_hms_nano(civil.hour() as u8, civil.minute() as u8, civil.second() as u8, nanos);
        match (date, time) {
            (Ok(date), Ok(time)) => PrimitiveDateTime::new(date, time),
            _ => PrimitiveDateTime::MAX,
        }
    }

    fn resolve(&self, local: PrimitiveDateTime) -> Local {
        let civil = civil::DateTime::new(
            local.year() as i16,
            u8::from(local.month()) as i8,
            local.day() as i8,
            local.hour() as i8,
            local.minute() as i8,
            local.second() as i8,
            0,
        );
        let Ok(civil) = civil else { return Local::Once(Timestamp(i64::MAX)) };
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(civil).unwrap_or(Instant::MAX);
        let micros = |at: Instant| Timestamp(at.as_microsecond());
        match self.0.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => Local::Once(micros(at(offset))),
            AmbiguousOffset::Fold { before, .. } => Local::Twice(micros(at(before))),
            AmbiguousOffset::Gap { before, .. } => {
                // By the clock before, the time lies after the change; the change itself is the first moment after.
                let beyond = at(before);
                let change =
                    self.0.preceding(beyond.saturating_add(jiff::Span::new().seconds(1)).unwrap_or(beyond)).next();
                Local::Never(micros(change.map_or(beyond, |change| change.timestamp())))
            }
        }
    }

    fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        self.0.following(instant(after)).next().map(|change| Timestamp(change.timestamp().as_microsecond()))
    }
}

#[cfg(test)]
mod tests;
