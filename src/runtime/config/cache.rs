//! Settings of the response cache: what it may take, and for how long answers are kept.

use std::ops::RangeInclusive;

use super::{Error, Setting, setting};

pub(super) const MEMORY_MB: Setting = setting(
    "cache_memory_mb",
    "WEFT_CACHE_MEMORY_MB",
    "64",
    "MiB of kept answers of models that a process holds in memory, 0..=65536; 0 holds none",
);
pub(super) const MEMORY_MINUTES: Setting = setting(
    "cache_memory_minutes",
    "WEFT_CACHE_MEMORY_MINUTES",
    "240",
    "minutes that a kept answer stays in memory, 1..=10080",
);
pub(super) const MINUTES: Setting =
    setting("cache_minutes", "WEFT_CACHE_MINUTES", "1440", "minutes that answers of models are kept, 1..=525600");
pub(super) const ENTRIES: Setting = setting(
    "cache_entries",
    "WEFT_CACHE_ENTRIES",
    "10000",
    "answers of models that are kept in the database for a workspace, 1..=1000000",
);
pub(super) const MB: Setting =
    setting("cache_mb", "WEFT_CACHE_MB", "256", "MiB that they take in the database for a workspace, 1..=1048576");

/// What the response cache may take, and for how long answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of one process' memory; 0 for none.
    pub memory_bytes: usize,
    /// How long an answer stays in memory, in milliseconds.
    pub memory_ms: i64,
    /// How long an answer is kept, in milliseconds.
    pub kept_ms: i64,
    /// Answers of a workspace.
    pub entries: i64,
    /// Bytes of a workspace's answers.
    pub bytes: i64,
}

impl Bounds {
    /// Reads them; `number` reads one setting within a range.
    pub(super) fn read(number: impl Fn(&str, RangeInclusive<u32>) -> Result<u32, Error>) -> Result<Self, Error> {
        Ok(Self {
            memory_bytes: (number("cache_memory_mb", 0..=65_536)? as usize) << 20,
            memory_ms: i64::from(number("cache_memory_minutes", 1..=10_080)?) * 60_000,
            kept_ms: i64::from(number("cache_minutes", 1..=525_600)?) * 60_000,
            entries: i64::from(number("cache_entries", 1..=1_000_000)?),
            bytes: i64::from(number("cache_mb", 1..=1_048_576)?) << 20,
        })
    }
}
