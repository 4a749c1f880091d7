//! Moments of a schedule: local times, turned into moments where clocks are set forward and back.
//!
//! A schedule that is tied to times of the day fires once for each local time that it names: a time that does not exist
//! (the clocks were set forward over it) fires at the first moment after, a time that comes twice fires the first time. A
//! schedule that names every hour is a rhythm and not tied to a time of the day: it goes on evenly, also in the hour that
//! comes twice, and drops what falls into the hour that does not exist.
//!
//! Source: the two kinds of schedules, and what they do when clocks are set, are those of Vixie cron, cron(8).

use time::PrimitiveDateTime;

use super::cron::Cron;
use crate::model::Timestamp;

/// What a zone says about a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Local {
    /// It comes once.
    Once(Timestamp),
    /// It does not exist: the first moment after the gap.
    Never(Timestamp),
    /// It comes twice: the first time.
    Twice(Timestamp),
}

/// A zone of the IANA database.
pub trait Zone {
    /// The local time at a moment.
    fn local(&self, at: Timestamp) -> PrimitiveDateTime;
    /// The moment of a local time.
    fn resolve(&self, local: PrimitiveDateTime) -> Local;
    /// When clocks are set next after a moment; `None` when they never are.
    fn next_change(&self, after: Timestamp) -> Option<Timestamp>;
}

/// Looks for a moment at most this often: a gap or a repeated hour of seconds is passed over.
const MOST_LOOKS: u32 = 200_000;

/// The first moment after `after` at which the schedule fires.
pub fn next_after(cron: &Cron, zone: &dyn Zone, after: Timestamp) -> Option<Timestamp> {
    if cron.is_rhythm() { next_beat(cron, zone, after) } else { next_time(cron, zone, after) }
}

/// Local times to moments is monotone under these rules, so the first local time whose moment is later is the one.
fn next_time(cron: &Cron, zone: &dyn Zone, after: Timestamp) -> Option<Timestamp> {
    let mut local = zone.local(after);
    for _ in 0..MOST_LOOKS {
        local = cron.next_after(local)?;
        let (Local::Once(at) | Local::Never(at) | Local::Twice(at)) = zone.resolve(local);
        if at > after {
            return Some(at);
        }
    }
    None
}

/// Between two changes of the clocks local time and elapsed time run alike.
fn next_beat(cron: &Cron, zone: &dyn Zone, after: Timestamp) -> Option<Timestamp> {
    let mut from = after;
    for _ in 0..MOST_LOOKS {
        let local = zone.local(from);
        let next = cron.next_after(local)?;
        let micros = i64::try_from((next - local).whole_microseconds()).ok()?;
        let at = Timestamp(from.0.saturating_add(micros));
        match zone.next_change(from) {
            Some(change) if change <= at => {
                if cron.names(zone.local(change)) && change.0 % 1_000_000 == 0 {
                    return Some(change);
                }
                from = change;
            }
            _ => return Some(at),
        }
    }
    None
}
