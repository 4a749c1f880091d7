//! How often a webhook may be called, in this process.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::model::{Timestamp, TriggerId};

/// Webhooks that are remembered; when there are more, those that rested longest are forgotten.
const MOST: usize = 10_000;

/// When each webhook would have rested again.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<TriggerId, Timestamp>>);

impl Rates {
    /// Takes one call, or says in how many milliseconds one more is taken. A tenth of a minute's calls, and at least ten,
    /// may come at once.
    ///
    /// Source: the generic cell rate algorithm.
    pub fn take(&self, id: TriggerId, per_minute: u32, now: Timestamp) -> Result<(), u64> {
        let per_minute = i64::from(per_minute.max(1));
        let each = 60_000_000 / per_minute;
        let burst = (per_minute / 10).max(10).min(per_minute);
        let mut rested = self.0.lock().expect("no code panics while it holds this lock");
        if rested.len() >= MOST && !rested.contains_key(&id) {
            rested.retain(|_, at| *at > now);
            if rested.len() >= MOST {
                rested.clear();
            }
        }
        let at = rested.entry(id).or_insert(now);
        let from = (*at).max(now);
        let wait = from.0 + each - now.0 - burst * each;
        if wait > 0 {
            return Err(u64::try_from(wait / 1000 + 1).unwrap_or(1));
        }
        *at = Timestamp(from.0 + each);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_then_one_at_a_time() {
        let (rates, id) = (Rates::default(), TriggerId(uuid::Uuid::nil()));
        let at = |ms: i64| Timestamp(ms * 1000);
        for _ in 0..10 {
            assert_eq!(rates.take(id, 60, at(0)), Ok(()));
        }
        assert_eq!(rates.take(id, 60, at(0)), Err(1001));
        assert_eq!(rates.take(id, 60, at(1000)), Ok(()));
        assert!(rates.take(id, 60, at(1000)).is_err());
        assert_eq!(rates.take(TriggerId(uuid::Uuid::from_u128(1)), 60, at(0)), Ok(()));
        assert_eq!(rates.take(id, 60, at(600_000)), Ok(()));
    }
}
