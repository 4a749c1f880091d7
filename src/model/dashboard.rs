//! What the dashboard shows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Timestamp;
use super::workflow::RunSummary;

/// The span that the dashboard looks back over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// 24 buckets of an hour.
    #[default]
    Day,
    /// 7 buckets of a day.
    Week,
    /// 30 buckets of a day.
    Month,
}

/// Everything on the dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// The span.
    pub period: Period,
    /// When it was read.
    pub at: Timestamp,
    /// Runs that aren't final, newest first, at most 20.
    pub active: Vec<RunSummary>,
    /// How many aren't final.
    pub active_total: i64,
    /// What needs a person: runs that failed and weren't retried, paused runs, newest first, at most 20.
    pub needs_me: Vec<RunSummary>,
    /// Oldest first, without gaps.
    pub buckets: Vec<RunBucket>,
    /// Failed runs of the span, newest first, at most 10.
    pub failures: Vec<RunSummary>,
    /// Entries at the end of each bucket, as many as `buckets`.
    pub memory_entries: Vec<i64>,
    /// How the machine and the program are.
    pub health: Health,
}

/// The runs that ended (or still run) in one bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunBucket {
    /// Where it begins.
    pub from: Timestamp,
    /// Ended well.
    pub succeeded: i64,
    /// Ended badly.
    pub failed: i64,
    /// Stopped.
    pub cancelled: i64,
    /// Begun here, not ended.
    pub running: i64,
    /// Median duration of those that ended, milliseconds.
    pub p50_ms: Option<i64>,
    /// 95th percentile.
    pub p95_ms: Option<i64>,
    /// 99th percentile.
    pub p99_ms: Option<i64>,
}

/// How the machine and the program are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `SQLite` or `PostgreSQL`, with its version.
    pub database: String,
    /// Bytes that the database takes, if it says so.
    pub database_bytes: Option<i64>,
    /// Milliseconds of a trivial query just now.
    pub database_ms: f64,
    /// The program's resident memory.
    pub memory_bytes: Option<i64>,
    /// Milliseconds since the start.
    pub uptime_ms: i64,
    /// Bytes free where the data directory is.
    pub disk_free_bytes: Option<i64>,
    /// How step processes are confined, in words.
    pub sandbox: String,
    /// What is wrong, as sentences; empty when all is well.
    pub problems: Vec<String>,
}
