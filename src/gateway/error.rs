//! Why a use-case of the gateway was refused or failed.

use crate::cache;
use crate::db;
use crate::model::gateway::{Fault, FaultClass};
use crate::model::{ApiError, FieldError};
use crate::runtime::Denied;

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
    /// No model answered.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] cache::Error),
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

    /// An edit that began at `began`, of what is at `revision` by now.
    pub fn changed_meanwhile(noun: &str, revision: i64, began: i64) -> Self {
        Self::Conflict(format!(
            "the {noun} was changed by somebody else meanwhile: it is at revision {revision}, yours began at {began}"
        ))
    }
}

/// A name that is in use already, as the conflict that it is.
pub(super) fn unless_taken<T>(done: db::Result<T>, noun: &str, name: &str) -> Result<T> {
    done.map_err(|error| match error {
        db::Error::Duplicate(_) => Error::Conflict(format!("there is a {noun} called {name} already")),
        error => error.into(),
    })
}

fn first(fields: &[FieldError]) -> String {
    match fields.first() {
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
            Error::Fault(fault) => match fault.class {
                FaultClass::Invalid | FaultClass::Untranslatable | FaultClass::NoModel | FaultClass::TooLarge => {
                    let field = FieldError::new(fault.pointer.unwrap_or_default(), fault.message);
                    Self::Invalid { detail, fields: vec![field] }
                }
                FaultClass::RateLimited => {
                    Self::RateLimited { detail, retry_after_ms: fault.retry_after_ms.unwrap_or(1000) }
                }
                FaultClass::Budget => Self::Conflict { detail },
                _ => Self::Unavailable { detail, retry_after_ms: fault.retry_after_ms.unwrap_or(1000) },
            },
            Error::Cache(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}
