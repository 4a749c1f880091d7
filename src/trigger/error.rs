//! Why a use-case of triggers was refused or failed.

use crate::db;
use crate::model::{ApiError, FieldError};
use crate::runtime::Denied;
use crate::{gateway, memory, workflow};

/// A variant for each decision that a caller can make.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The role does not allow it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It does not exist in the caller's workspace.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Something given does not fit.
    #[error("{}", first(.0))]
    Invalid(Vec<FieldError>),
    /// Somebody else was faster, or its state does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// A webhook's call is not signed as it must be.
    #[error("{0}")]
    NotSigned(&'static str),
    /// A webhook was called too often.
    #[error("this webhook takes no more calls for the moment")]
    Limited {
        /// Until one more is taken.
        retry_after_ms: u64,
    },
    /// A webhook's body is over its limit.
    #[error("expected a body of at most {} bytes", super::MAX_BODY_BYTES)]
    TooLarge,
    /// A webhook's body is of a media type that can't be read.
    #[error("expected a body of application/json or application/x-www-form-urlencoded")]
    MediaType,
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
    /// The run could not be started.
    #[error("{0}")]
    Start(ApiError),
    /// Runs and workflows.
    #[error(transparent)]
    Workflow(#[from] workflow::Error),
    /// Memory.
    #[error(transparent)]
    Memory(#[from] memory::Error),
    /// Calls of models.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// A result with this module's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

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

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Denied(denied) => denied.into(),
            Error::NotFound(noun) => Self::not_found(noun),
            Error::Invalid(fields) => Self::Invalid { detail, fields },
            Error::Conflict(_) => Self::Conflict { detail },
            Error::NotSigned(_) => Self::Unauthenticated { detail },
            Error::Limited { retry_after_ms } => Self::RateLimited { detail, retry_after_ms },
            Error::TooLarge => Self::TooLarge { detail },
            Error::MediaType => Self::invalid("Content-Type", detail),
            Error::Unavailable(_) => Self::Unavailable { detail, retry_after_ms: 1000 },
            Error::Start(error) => error,
            Error::Workflow(error) => error.into(),
            Error::Memory(error) => error.into(),
            Error::Gateway(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}
