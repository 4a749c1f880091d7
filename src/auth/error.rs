//! What identity can refuse.

use crate::db;
use crate::model::{ApiError, FieldError};
use crate::runtime::{Denied, trace};

/// Why a call about people and their credentials was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Unknown address, wrong password or disabled account: one answer for all three.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// A refresh token that is unknown, old, expired or revoked.
    #[error("the refresh token is not valid any more; sign in again")]
    RefreshRefused,
    /// The principal is no signed-in person.
    #[error("sign in first; this concerns a person's own account")]
    NotAPerson,
    /// The set-up token doesn't fit.
    #[error("the set-up link is not valid; use the newest one that the server printed")]
    SetupToken,
    /// There is an owner.
    #[error("this server is set up already; log in, or ask its owner for an invitation")]
    SetUp,
    /// The invitation's link is unknown, used, replaced or expired.
    #[error("the invitation is not valid any more; ask for a new link")]
    InviteToken,
    /// Too many attempts.
    #[error("too many attempts; try again in {} s", retry_after_ms.div_ceil(1000))]
    Limited {
        /// When another try is worth it.
        retry_after_ms: u64,
    },
    /// Too many passwords wait to be checked.
    #[error("too many sign-ins at once; nothing was changed")]
    Busy,
    /// A field doesn't fit.
    #[error("{}: {}", .0.pointer.trim_start_matches('/'), .0.message)]
    Invalid(FieldError),
    /// Not in this workspace.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Nobody could manage the workspace any more.
    #[error("this is the last active owner of the workspace; make someone else an owner first")]
    LastOwner,
    /// A person asked for what only the program itself does.
    #[error("passwords are reset by whoever runs the server, with `weft admin user reset-password`")]
    OperatorOnly,
    /// One can't shut oneself out.
    #[error("you can't disable your own account; ask another admin")]
    Yourself,
    /// The role is above the actor's own.
    #[error("the role {0} is above your own")]
    RoleAbove(&'static str),
    /// Already there.
    #[error("{0} is in this workspace already")]
    Member(String),
    /// The address has an account.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// Open invitations are bounded.
    #[error("there are {0} open invitations, the most that may be open; withdraw some first")]
    TooManyInvites(i64),
    /// The role doesn't allow it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database.
    #[error("identity: {0}")]
    Db(#[from] db::Error),
    /// The file of the set-up token.
    #[error("cannot write {path}")]
    SetupFile {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A password could not be hashed or a token not be signed: a bug or no memory.
    #[error("cannot {0}")]
    Crypto(&'static str),
}

/// A result with this module's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One bad field.
    pub(super) fn invalid(pointer: &str, message: impl Into<String>) -> Self {
        Self::Invalid(FieldError::new(pointer, message))
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::WrongCredentials
            | Error::RefreshRefused
            | Error::NotAPerson
            | Error::SetupToken
            | Error::InviteToken => Self::Unauthenticated { detail },
            Error::RoleAbove(_) | Error::OperatorOnly => Self::Forbidden { detail },
            Error::SetUp
            | Error::LastOwner
            | Error::Yourself
            | Error::Member(_)
            | Error::EmailTaken
            | Error::TooManyInvites(_) => Self::Conflict { detail },
            Error::Limited { retry_after_ms } => Self::RateLimited { detail, retry_after_ms },
            Error::Busy => Self::Unavailable { detail, retry_after_ms: 1000 },
            Error::Invalid(field) => Self::Invalid { detail, fields: vec![field] },
            Error::NotFound(noun) => Self::not_found(noun),
            Error::Denied(denied) => denied.into(),
            Error::Db(error) => error.into(),
            Error::SetupFile { .. } | Error::Crypto(_) => trace::internal(&error),
        }
    }
}
