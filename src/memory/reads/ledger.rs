//! What was noted and is not written yet.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::model::memory::{Reader, Sought};
use crate::model::{EntryId, Timestamp};

/// Lines that wait at most; about 300 bytes each.
const MOST: usize = 4_096;

/// Which entry, and who.
pub(super) type Place = (EntryId, String);

/// What one reader was given of one entry since it was written last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub reader: Reader,
    /// 0 or 1: what comes within a minute counts once.
    pub reads: i64,
    pub found: i64,
    pub version: i64,
    pub sought: Option<Sought>,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

impl Line {
    /// Takes a later one in.
    fn follow(&mut self, later: Self) {
        self.reads = self.reads.max(later.reads);
        self.found = self.found.max(later.found);
        self.version = later.version;
        self.sought = later.sought.or(self.sought.take());
        self.last_at = later.last_at;
        self.reader = later.reader;
    }
}

/// The lines of this process.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    lines: Mutex<HashMap<Place, Line>>,
    /// Rung with the first line.
    pub bell: Notify,
    /// Held by whoever writes, so that what is written first was noted first.
    pub writing: tokio::sync::Mutex<()>,
    dropped: AtomicU64,
}

impl Ledger {
    /// Adds a line, or counts that there was no room for it.
    pub fn add(&self, place: Place, line: Line) {
        let mut lines = self.lines.lock().expect("no code panics while it holds this lock");
        if let Some(known) = lines.get_mut(&place) {
            known.follow(line);
        } else if lines.len() < MOST {
            lines.insert(place, line);
            if lines.len() == 1 {
                self.bell.notify_one();
            }
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes all lines out, in the order of their places: whoever writes locks rows in that order.
    pub fn take(&self) -> Vec<(Place, Line)> {
        let lines = std::mem::take(&mut *self.lines.lock().expect("no code panics while it holds this lock"));
        let mut lines: Vec<_> = lines.into_iter().collect();
        lines.sort_by(|(a, _), (b, _)| a.cmp(b));
        lines
    }

    /// Puts back what could not be written. What was noted meanwhile is later.
    pub fn put_back(&self, lines: Vec<(Place, Line)>) {
        let mut now = self.lines.lock().expect("no code panics while it holds this lock");
        for (place, mut line) in lines {
            if let Some(later) = now.remove(&place) {
                line.follow(later);
            } else if now.len() >= MOST {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            now.insert(place, line);
        }
    }

    /// How many lines had no room since it was asked last.
    pub fn dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn place(entry: u128) -> Place {
        (EntryId(Uuid::from_u128(entry)), "cli".to_owned())
    }

    fn line(reads: i64, at: i64) -> Line {
        Line {
            reader: Reader::Cli {},
            reads,
            found: 1 - reads,
            version: at,
            sought: (reads == 0).then(|| Sought { query: format!("at {at}"), rank: 1, score: 1.0 }),
            first_at: Timestamp(at),
            last_at: Timestamp(at),
        }
    }

    #[test]
    fn one_reader_has_one_line_for_an_entry() {
        let ledger = Ledger::default();
        ledger.add(place(2), line(0, 1));
        ledger.add(place(2), line(1, 2));
        ledger.add(place(2), line(1, 3));
        ledger.add(place(1), line(1, 4));
        let taken = ledger.take();
        assert_eq!(taken.iter().map(|(place, _)| place.0.0.as_u128()).collect::<Vec<_>>(), [1, 2]);
        let both = &taken[1].1;
        assert_eq!((both.reads, both.found, both.version), (1, 1, 3));
        assert_eq!((both.first_at, both.last_at), (Timestamp(1), Timestamp(3)));
        assert_eq!(both.sought.as_ref().map(|sought| sought.query.as_str()), Some("at 1"), "opening asks nothing");
        assert_eq!(ledger.take(), []);
    }

    #[test]
    fn what_comes_back_stands_before_what_was_noted_meanwhile() {
        let ledger = Ledger::default();
        ledger.add(place(1), line(1, 1));
        let taken = ledger.take();
        ledger.add(place(1), line(0, 9));
        ledger.put_back(taken);
        let (_, merged) = &ledger.take()[0];
        assert_eq!((merged.first_at, merged.last_at, merged.reads, merged.found), (Timestamp(1), Timestamp(9), 1, 1));
    }

    #[test]
    fn the_list_is_bounded_and_says_what_it_dropped() {
        let ledger = Ledger::default();
        for entry in 0..=MOST as u128 {
            ledger.add(place(entry), line(1, 1));
        }
        ledger.add(place(0), line(0, 2));
        assert_eq!((ledger.dropped(), ledger.dropped()), (1, 0));
        assert_eq!(ledger.take().len(), MOST);
    }
}
