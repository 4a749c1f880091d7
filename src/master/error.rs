//! Why something about the master key was refused or failed.

use crate::model::ApiError;
use crate::runtime::{Denied, keys};
use crate::{auth, db};

/// A variant for each decision that a caller can make.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The role does not allow it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The file of this server lacks the key under which this database is, or has another one than it was ever sealed under.
    #[error("{0}")]
    WrongKey(String),
    /// Whoever asks belongs to another workspace than the installation's first.
    #[error("no such master key")]
    Elsewhere,
    /// This database was never sealed under such a key.
    #[error("this database was never under the master key {0}")]
    NotFound(String),
    /// Not as things stand.
    #[error("{0}")]
    Conflict(String),
    /// The file.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// Workspaces.
    #[error(transparent)]
    Auth(#[from] auth::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// A result with this module's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Denied(denied) => denied.into(),
            Error::NotFound(_) | Error::Elsewhere => Self::NotFound { detail },
            Error::Conflict(_) | Error::Keys(keys::Error::Full { .. } | keys::Error::NoFile) => {
                Self::Conflict { detail }
            }
            Error::WrongKey(_) => Self::Unavailable { detail, retry_after_ms: 5000 },
            Error::Keys(error @ (keys::Error::File { .. } | keys::Error::Shape { .. })) => {
                crate::runtime::trace::internal(&error)
            }
            Error::Auth(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}
