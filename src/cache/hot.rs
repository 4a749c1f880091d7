//! Answers that this process holds in clear: bounded in bytes, the longest unused goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::canonical::Key;
use super::look::Kept;
use crate::model::{CacheEntryId, Timestamp};

/// What each answer takes besides its own bytes.
const OVERHEAD: usize = 256;

/// The answers of this process.
#[derive(Debug, Default)]
pub(super) struct Hot(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    slots: HashMap<Key, Slot>,
    /// By when they were used, oldest first.
    order: BTreeMap<u64, Key>,
    bytes: usize,
    tick: u64,
}

#[derive(Debug)]
struct Slot {
    kept: Arc<Kept>,
    until: Timestamp,
    bytes: usize,
    used: u64,
}

impl Hot {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What is in here can be lost, and is checked against the database before it is given.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to this question, if it is this one and not too old for this tier.
    pub fn get(&self, key: &Key, id: CacheEntryId, now: Timestamp) -> Option<Arc<Kept>> {
        let mut inner = self.lock();
        inner.tick += 1;
        let tick = inner.tick;
        let slot = inner.slots.get_mut(key)?;
        if slot.kept.id != id || slot.until <= now {
            inner.remove(key);
            return None;
        }
        let kept = Arc::clone(&slot.kept);
        let before = std::mem::replace(&mut slot.used, tick);
        inner.order.remove(&before);
        inner.order.insert(tick, *key);
        Some(kept)
    }

    /// Puts an answer in until then, and takes out what no longer fits into `most` bytes.
    pub fn put(&self, key: Key, kept: Arc<Kept>, until: Timestamp, most: usize) {
        let bytes = kept.bytes + OVERHEAD;
        let mut inner = self.lock();
        inner.remove(&key);
        if bytes > most {
            return;
        }
        inner.tick += 1;
        let used = inner.tick;
        inner.bytes += bytes;
        inner.order.insert(used, key);
        inner.slots.insert(key, Slot { kept, until, bytes, used });
        while inner.bytes > most
            && let Some((_, oldest)) = inner.order.first_key_value()
        {
            let oldest = *oldest;
            inner.remove(&oldest);
        }
        metrics::gauge!("weft_cache_memory_bytes").set(inner.bytes as f64);
    }

    /// Takes out what is too old, and tells how many bytes are left.
    pub fn sweep(&self, now: Timestamp) -> usize {
        let mut inner = self.lock();
        let old: Vec<Key> = inner.slots.iter().filter(|(_, slot)| slot.until <= now).map(|(key, _)| *key).collect();
        for key in old {
            inner.remove(&key);
        }
        metrics::gauge!("weft_cache_memory_bytes").set(inner.bytes as f64);
        inner.bytes
    }
}

impl Inner {
    fn remove(&mut self, key: &Key) {
        if let Some(slot) = self.slots.remove(key) {
            self.order.remove(&slot.used);
            self.bytes -= slot.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::look::tests::kept;
    use super::*;

    fn put(hot: &Hot, n: u8, bytes: usize, until: i64) {
        hot.put([n; 32], Arc::new(kept(n, bytes)), Timestamp(until), 3 * (1_000 + OVERHEAD));
    }

    fn has(hot: &Hot, n: u8, now: i64) -> bool {
        hot.get(&[n; 32], kept(n, 0).id, Timestamp(now)).is_some()
    }

    #[test]
    fn what_was_unused_for_longest_goes_first() {
        let hot = Hot::default();
        for n in 1..=3 {
            put(&hot, n, 1_000, 10);
        }
        assert!(has(&hot, 1, 0));
        put(&hot, 4, 1_000, 10);
        assert!(has(&hot, 1, 0) && !has(&hot, 2, 0) && has(&hot, 3, 0) && has(&hot, 4, 0));
        put(&hot, 5, 2_500, 10);
        assert!(!has(&hot, 1, 0) && !has(&hot, 3, 0) && has(&hot, 5, 0));
        put(&hot, 6, 1 << 20, 10);
        assert!(has(&hot, 5, 0) && !has(&hot, 6, 0), "what does not fit at all takes nothing out");
    }

    #[test]
    fn what_is_too_old_or_another_is_not_given() {
        let hot = Hot::default();
        put(&hot, 1, 10, 10);
        assert!(has(&hot, 1, 9));
        assert!(!has(&hot, 1, 10));
        put(&hot, 2, 10, 10);
        assert!(hot.get(&[2; 32], kept(9, 0).id, Timestamp(0)).is_none());
        put(&hot, 3, 10, 10);
        assert_eq!(hot.sweep(Timestamp(10)), 0);
    }
}
