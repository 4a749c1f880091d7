//! Why a use-case of agents was refused or failed.

use crate::db;
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
    /// Somebody else was faster, or there are too many.
    #[error("{0}")]
    Conflict(String),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// A result with this module's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

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
            Error::Db(error) => error.into(),
        }
    }
}
