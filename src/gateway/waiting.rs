//! What calls that have ended hold besides their line in the log while they wait to be written: bounded by bytes, whatever their number.
//!
//! A line is small, and never let go. What was asked and answered, and the words of which tokens are still to be counted, are large: where
//! the database is slower than the callers they would take all memory. So they wait as long as there is room for them; what finds none
//! is let go, which is counted (`weft_gateway_let_go_total`) and told in the log of the server: tokens stay estimated, contents are not kept.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::tokens::{Lacks, Later};
use crate::model::gateway::{CallRecord, TokensBy};
use crate::runtime::Runtime;

/// KiB that may wait in one process.
const MOST_KIB: usize = 64 * 1024;

/// The room of a process.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST_KIB)))
    }
}

/// Something that waits, and the room that it takes until it is dropped.
#[derive(Debug)]
pub(super) struct Waits<T> {
    pub held: T,
    _room: OwnedSemaphorePermit,
}

impl Room {
    /// Has something wait that takes so many bytes; `None` where there is no room for it.
    pub fn take<T>(&self, what: &'static str, bytes: usize, held: T) -> Option<Waits<T>> {
        // Something has a size also where it holds no text.
        let kib = u32::try_from(bytes / 1024 + 1).ok()?;
        match Arc::clone(&self.0).try_acquire_many_owned(kib) {
            Ok(room) => Some(Waits { held, _room: room }),
            Err(_) => {
                metrics::counter!("weft_gateway_let_go_total", "what" => what).increment(1);
                tracing::warn!(what, kib, "calls are not written as fast as they end: this is let go of one");
                None
            }
        }
    }
}

/// Tokens that are counted before they are written.
#[derive(Debug)]
pub(super) struct Uncounted {
    of: Box<Later>,
    lacks: Lacks,
    /// Tokens that the provider said were written: with what it thought and did not show, they may be more than can be counted.
    told: i64,
}

impl Uncounted {
    /// `None` where nothing is lacking.
    pub fn of(of: Box<Later>, lacks: Lacks, told: i64) -> Option<Self> {
        (lacks.input || lacks.output).then_some(Self { of, lacks, told })
    }

    /// How much it holds.
    pub fn bytes(&self) -> usize {
        self.of.bytes()
    }

    /// Puts what was counted in place of what was estimated.
    pub async fn count(self, runtime: &Runtime, record: &mut CallRecord) {
        let Self { of, lacks, told } = self;
        let counted = of.count(runtime, lacks).await;
        let mut by = TokensBy::Provider;
        if lacks.input {
            record.usage.input = counted.input.map_or(record.usage.input, |tokens| tokens.count);
            by = by.max(counted.input.map_or(TokensBy::Estimate, |tokens| tokens.by));
        }
        if lacks.output {
            record.usage.output = counted.output.map_or(record.usage.output, |tokens| tokens.count.max(told));
            by = by.max(counted.output.map_or(TokensBy::Estimate, |tokens| tokens.by));
        }
        record.tokens_by = by;
        record.estimated = by == TokensBy::Estimate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_by_bytes_and_not_by_number() {
        let room = Room::default();
        let third = MOST_KIB * 1024 / 3;
        let first = room.take("contents", third, "a");
        let second = room.take("contents", third, "b");
        assert!(first.is_some() && second.is_some());
        assert!(room.take("tokens", third + 2048, "c").is_none(), "there is no room for a third of that size");
        let small: Vec<_> = (0..1_000).map_while(|_| room.take("tokens", 100, ())).collect();
        assert_eq!(small.len(), 1_000, "what is small still finds room");
        drop((first, small));
        assert!(room.take("tokens", third + 2048, "c").is_some(), "what is written makes room");
    }
}
