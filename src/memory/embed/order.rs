//! An entry that is to be embedded, and what is written of it afterwards.

use crate::memory::index;
use crate::memory::store::{EntryRow, NewVectors};
use crate::model::{EntryId, Timestamp};

/// How often an entry is tried that the model refuses, and how long it waits after the first time; four times as long after
/// each.
const ATTEMPTS: i64 = 3;
const FIRST_RETRY_MS: i64 = 60_000;

/// An entry to be embedded.
pub(super) struct Order {
    pub id: EntryId,
    version: i64,
    /// Of its content.
    pub digest: i64,
    pub passages: Vec<String>,
    /// How often it was refused.
    attempts: i64,
}

impl Order {
    /// An entry as it is, that was refused so often.
    pub fn of(row: &EntryRow, attempts: i64) -> Self {
        let content = row.content();
        let passages = index::cut(content).into_iter().map(str::to_owned).collect();
        Self { id: row.id, version: row.version, digest: index::digest(content), passages, attempts }
    }

    /// It has its vectors.
    pub fn embedded(&self, codes: Vec<u8>) -> NewVectors {
        NewVectors {
            entry: self.id,
            version: self.version,
            digest: self.digest,
            passages: self.passages.len() as i64,
            codes,
            error: None,
            attempts: 0,
            retry_at: None,
        }
    }

    /// It was refused: it is tried again later, or given up.
    pub fn refused(&self, why: &str, now: Timestamp) -> NewVectors {
        let attempts = self.attempts + 1;
        let wait_ms = FIRST_RETRY_MS << (2 * self.attempts.clamp(0, 8));
        let reason: String = why.replace('\0', "\u{fffd}").chars().take(500).collect();
        NewVectors {
            passages: 0,
            error: Some(reason),
            attempts,
            retry_at: (attempts < ATTEMPTS).then(|| now.plus_ms(wait_ms)),
            ..self.embedded(Vec::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_entry_is_given_up_after_three_refusals() {
        let order = |attempts| Order {
            id: EntryId(Uuid::nil()),
            version: 1,
            digest: 7,
            passages: vec!["text".to_owned()],
            attempts,
        };
        let waits = [0, 1, 2].map(|attempts| order(attempts).refused("no", Timestamp(0)).retry_at);
        assert_eq!(waits, [Some(Timestamp(60_000_000)), Some(Timestamp(240_000_000)), None]);
        assert_eq!(order(2).refused("no", Timestamp(0)).attempts, 3);
    }
}
