//! Why a use-case of workflows and runs was refused or failed.

use super::machine::Refusal;
use crate::db;
use crate::model::workflow::{Problem, Severity};
use crate::model::{ApiError, FieldError};
use crate::runtime::{Denied, trace};

/// A variant for each decision that a caller can make.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The role does not allow it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It does not exist in the caller's workspace.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The workflow was never published, and the draft was not asked for.
    #[error("this workflow has no published version; publish it, or run the draft as a test")]
    NotPublished,
    /// The definition has problems.
    #[error("the definition has {} that must be mended first", count(.0))]
    Problems(Vec<Problem>),
    /// Inputs or parameters don't fit.
    #[error("{}", first(.0))]
    Invalid(Vec<FieldError>),
    /// Somebody else was faster, and why that matters.
    #[error("{0}")]
    Conflict(String),
    /// This person may not, although their role would, and why.
    #[error("{0}")]
    Barred(String),
    /// Another capability's.
    #[error("{0}")]
    Other(ApiError),
    /// The idempotency key was used for something else.
    #[error("this idempotency key was used for a different request")]
    KeyReused,
    /// The run's status does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another process has the run in hand, or it is just changing hands.
    #[error("another process is working on this run")]
    Elsewhere,
    /// The run was set aside, and why.
    #[error(
        "this run was set aside because its history is damaged ({0}); restore the database from a backup to go on with it"
    )]
    Damaged(String),
    /// As many runs of the workspace wait as may.
    #[error("{limit} runs of this workspace wait, as many as may; try again when some have begun")]
    QueueFull {
        /// Runs that may wait.
        limit: u32,
        /// When to ask again.
        retry_after_ms: u64,
    },
    /// The run would go on, but its place among those in progress is taken.
    #[error("the run's place is taken by others; retry it when one of them has ended")]
    NoPlace,
    /// More runs are in motion than this process takes.
    #[error("too many runs are in motion")]
    Busy,
    /// The process stops.
    #[error("the server is stopping")]
    Stopping,
    /// The draft fails regression tests that gate publishing.
    #[error("not published: {} of the draft", failing(.0))]
    TestsFailed(Vec<FieldError>),
    /// Code of ours panicked; the log has it.
    #[error("{0} panicked")]
    Panicked(&'static str),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

impl Error {
    /// One bad field.
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, message)])
    }
}

fn first(fields: &[FieldError]) -> String {
    match fields.first() {
        Some(field) if field.pointer.is_empty() => field.message.clone(),
        Some(field) => format!("{}: {}", field.pointer.trim_start_matches('/'), field.message),
        None => "something does not fit".to_owned(),
    }
}

fn failing(tests: &[FieldError]) -> String {
    let names: Vec<&str> = tests.iter().map(|test| test.pointer.trim_start_matches("/tests/")).collect();
    let noun = if names.len() == 1 { "the test" } else { "the tests" };
    format!("{noun} {} failed on a replay", names.join(", "))
}

fn count(problems: &[Problem]) -> String {
    match problems.iter().filter(|problem| problem.severity == Severity::Error).count() {
        1 => "one problem".to_owned(),
        count => format!("{count} problems"),
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Panicked(_) => trace::internal(&error),
            Error::Denied(denied) => denied.into(),
            Error::NotFound(noun) => Self::not_found(noun),
            Error::Barred(_) => Self::Forbidden { detail },
            Error::Other(error) => error,
            Error::Damaged(_) => Self::Conflict { detail },
            Error::Db(db::Error::Inconsistent { table: "run_event" | "payload", .. }) => {
                tracing::error!(trace_id = trace::current_id(), %detail, "the history of a run is damaged");
                Self::Conflict { detail: format!("the history of this run is damaged: {detail}") }
            }
            Error::NotPublished | Error::KeyReused | Error::Conflict(_) | Error::Refused(_) | Error::NoPlace => {
                Self::Conflict { detail }
            }
            Error::Problems(problems) => {
                let errors = problems.into_iter().filter(|problem| problem.severity == Severity::Error);
                let fields = errors.map(|problem| {
                    let step = problem.step.map(|step| format!("/steps/{step}")).unwrap_or_default();
                    FieldError::new(format!("{step}{}", problem.field), problem.message)
                });
                Self::Invalid { detail, fields: fields.collect() }
            }
            Error::Invalid(fields) | Error::TestsFailed(fields) => Self::Invalid { detail, fields },
            Error::QueueFull { retry_after_ms, .. } => Self::RateLimited { detail, retry_after_ms },
            Error::Elsewhere | Error::Busy | Error::Stopping => {
                tracing::warn!(trace_id = trace::current_id(), %detail, "unavailable");
                Self::Unavailable { detail, retry_after_ms: 1000 }
            }
            Error::Db(error) => error.into(),
        }
    }
}
