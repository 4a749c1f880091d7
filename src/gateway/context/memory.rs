//! Summaries that were made, so that a conversation that grows is not summarized anew at every call.
//!
//! In memory: another process makes its own. Bounded by number; a summary has at most 4,000 characters.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::WorkspaceId;

/// Summaries that are remembered; what was not asked for the longest goes first.
const MOST: usize = 1_000;

/// A workspace, and a digest of who summarizes and of what.
pub(super) type Key = (WorkspaceId, [u8; 32]);

/// The summaries of a process.
#[derive(Debug, Default)]
pub(super) struct Summaries(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    texts: HashMap<Key, (String, u64)>,
    /// Counts what is asked for, to tell the oldest.
    clock: u64,
}

impl Summaries {
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // Each change is one statement: it is whole whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one with this key.
    pub fn find(&self, key: &Key) -> Option<String> {
        let mut shelf = self.lock();
        shelf.clock += 1;
        let now = shelf.clock;
        let (text, used) = shelf.texts.get_mut(key)?;
        *used = now;
        Some(text.clone())
    }

    /// Remembers one.
    pub fn put(&self, key: Key, text: String) {
        let mut shelf = self.lock();
        shelf.clock += 1;
        let now = shelf.clock;
        if shelf.texts.len() >= MOST && !shelf.texts.contains_key(&key) {
            let oldest = shelf.texts.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
            oldest.and_then(|oldest| shelf.texts.remove(&oldest));
        }
        shelf.texts.insert(key, (text, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_the_longest_goes_first() {
        let summaries = Summaries::default();
        let key = |n: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&n.to_le_bytes());
            (WorkspaceId(uuid::Uuid::nil()), digest)
        };
        for n in 0..MOST {
            summaries.put(key(n), n.to_string());
        }
        assert_eq!(summaries.find(&key(0)).as_deref(), Some("0"));
        summaries.put(key(MOST), "new".to_owned());
        assert_eq!(summaries.find(&key(1)), None, "it was asked for the longest ago");
        assert_eq!(summaries.find(&key(0)).as_deref(), Some("0"));
        assert_eq!(summaries.lock().texts.len(), MOST);
    }
}
