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

impl Period {
    /// Every period, shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// As in addresses and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Reads [`Period::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == text)
    }

    /// When it began, seen from `now`.
    #[must_use]
    pub const fn since(self, now: Timestamp) -> Timestamp {
        let days = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        };
        now.plus_ms(-days * 24 * 3_600_000)
    }
}

/// Everything on the dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// The span.
    pub period: Period,
    /// When it was read.
    pub at: Timestamp,
    /// Runs that are queued, running or waiting, newest first, at most 20.
    pub active: Vec<RunSummary>,
    /// How many runs are queued, running or waiting.
    pub active_total: i64,
    /// Of those, how many wait for a time or an event.
    pub active_waiting: i64,
    /// Of those, how many are queued.
    pub active_queued: i64,
    /// What needs a person, newest first, at most 20.
    pub needs_me: Vec<Need>,
    /// Whether anything ever ran in this workspace.
    pub any_runs: bool,
    /// Oldest first, without gaps.
    pub buckets: Vec<RunBucket>,
    /// Of all runs of the span that ended by themselves.
    pub durations: Durations,
    /// Failed runs of the span, newest first, at most 10.
    pub failures: Vec<RunSummary>,
    /// Entries at the end of each bucket, as many as `buckets`.
    pub memory_entries: Vec<i64>,
    /// Of the entries that are there now, how many came in the span.
    pub memory_new: i64,
    /// How the machine and the program are.
    pub health: Health,
}

/// A run that a person should look at: it is paused, or it failed and no run of its workflow has succeeded since. Tests from
/// the designer don't count: whoever makes them is looking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Need {
    /// The newest such run of its workflow, or the paused one.
    pub run: RunSummary,
    /// How many runs of its workflow failed in the last 30 days since one succeeded; 0 for a paused run.
    pub failures: i64,
}

/// How long runs take. A percentile is a duration that was seen; `None` when no run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Durations {
    /// Median, milliseconds.
    pub p50_ms: Option<i64>,
    /// 95th percentile, milliseconds.
    pub p95_ms: Option<i64>,
    /// 99th percentile, milliseconds.
    pub p99_ms: Option<i64>,
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
    /// Accepted here, not ended.
    pub running: i64,
    /// Of those that ended by themselves: a cancelled run says nothing about how long it takes.
    #[serde(flatten)]
    pub durations: Durations,
}

/// How the machine and the program are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `SQLite` or `PostgreSQL`.
    pub database: String,
    /// Bytes that the database takes, if it says so.
    pub database_bytes: Option<i64>,
    /// Milliseconds of a trivial query just now.
    pub database_ms: f64,
    /// The program's resident memory.
    pub memory_bytes: Option<i64>,
    /// Milliseconds since the program started, if the system says so.
    pub uptime_ms: Option<i64>,
    /// Bytes free where the data directory is.
    pub disk_free_bytes: Option<i64>,
    /// How step processes are confined, in words.
    pub sandbox: String,
    /// What is wrong, as sentences; empty when all is well.
    pub problems: Vec<String>,
}
