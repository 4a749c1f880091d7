//! Why memory refuses or fails.

use super::crypt::Unreadable;
use crate::db;
use crate::model::gateway::{Fault, FaultClass};
use crate::model::{ApiError, FieldError, Timestamp};
use crate::runtime::Denied;

/// A variant for each decision that a caller can make.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The role doesn't allow it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No such entry in this workspace, or it was deleted, or its time ran out.
    #[error("no such memory entry")]
    NotFound,
    /// No such rule for summaries in this workspace.
    #[error("no such rule for summaries")]
    NoRule,
    /// No such backup in this workspace, or no such copy of it.
    #[error("no such {0}")]
    NoBackup(&'static str),
    /// A place of backups can't be used, or a copy can't be read.
    #[error("{0}")]
    Backup(String),
    /// No rule of how long the entries of a namespace are kept was made for it.
    #[error("no rule of how long its entries are kept was made for this namespace")]
    NoRetention,
    /// A rule hides the namespace from who asks.
    #[error("no such namespace")]
    NoNamespace,
    /// A rule lets who asks read there, and no more.
    #[error("a rule of this workspace doesn't let you change what is in {namespace}; an admin can change the rule")]
    ReadOnly {
        /// Where.
        namespace: String,
    },
    /// No rule of who may read and change was made for the namespace.
    #[error("no rule of who may read and change was made for this namespace")]
    NoAccessRule,
    /// Who somebody is could not be told.
    #[error("{}", .0.detail())]
    Asker(ApiError),
    /// The entry is in quarantine, and nobody asked for those.
    #[error("the entry is in quarantine; a person has to look at it first")]
    Quarantined,
    /// The entry is not in quarantine.
    #[error("the entry is not in quarantine")]
    NotQuarantined,
    /// The entry has no such version, or it is no longer kept, or it deleted the entry.
    #[error("the entry has no version {0} with a content; the last {keep} are kept", keep = super::KEPT_VERSIONS)]
    NoVersion(i64),
    /// The entry was there then, and its version of then is not kept any more.
    #[error("what stood there then is not kept any more: the oldest version that is kept was written at {since}")]
    NotKept {
        /// When the oldest kept version was written.
        since: Timestamp,
    },
    /// What was given doesn't fit; a line for each field.
    #[error("{}", first(.0))]
    Invalid(Vec<FieldError>),
    /// Over a size limit.
    #[error("{0}")]
    TooLarge(String),
    /// The writer expected another version.
    #[error("expected version {expected}, the entry has version {found}; read it again and decide")]
    Conflict {
        /// What the writer saw.
        expected: i64,
        /// What is there.
        found: i64,
    },
    /// The writer expected a version of an entry that isn't there.
    #[error("expected version {expected}, but there is no such entry any more")]
    Gone {
        /// What the writer saw.
        expected: i64,
    },
    /// The writer expected nothing there.
    #[error("the entry exists already, in version {found}")]
    Exists {
        /// What is there.
        found: i64,
    },
    /// Another entry says nearly the same, and the workspace wants it once.
    #[error("the entry {namespace}/{key} says nearly the same; write over that one")]
    Duplicate {
        /// Where it stands.
        namespace: String,
        /// Its key.
        key: String,
    },
    /// A model was asked for something, and there is no answer.
    #[error("{}", .0.message)]
    Model(Fault),
    /// A row can't be decrypted.
    #[error("version {version} of {namespace}/{key} can't be decrypted: {why}")]
    Unreadable {
        /// Where the entry stands.
        namespace: String,
        /// Its key.
        key: String,
        /// Which version of it.
        version: i64,
        /// Why.
        why: Unreadable,
    },
    /// Nothing can be written: what it would be encrypted with can't be opened.
    #[error("nothing can be written to this memory: {0}")]
    NoDataKey(Unreadable),
    /// Too many keys are still in use for another.
    #[error("too many keys of this workspace are still in use; wait until everything is under the newest one")]
    Rotating,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// Work on the index panicked: a bug.
    #[error("the search index failed")]
    Index,
}

fn first(fields: &[FieldError]) -> String {
    fields.first().map_or_else(String::new, |f| format!("{}: {}", f.pointer.trim_start_matches('/'), f.message))
}

/// As the gateway says it to its own callers.
fn of_model(fault: Fault) -> ApiError {
    let (detail, retry_after_ms) = (fault.message, fault.retry_after_ms.unwrap_or(1000));
    match fault.class {
        FaultClass::Invalid | FaultClass::Untranslatable | FaultClass::NoModel | FaultClass::TooLarge => {
            let fields = vec![FieldError::new("/model", detail.clone())];
            ApiError::Invalid { detail, fields }
        }
        FaultClass::RateLimited => ApiError::RateLimited { detail, retry_after_ms },
        // Neither is a failure of anything: somebody has to set something up, or to allow more, and then it works.
        FaultClass::Budget | FaultClass::NoProvider => ApiError::Conflict { detail },
        _ => ApiError::Unavailable { detail, retry_after_ms },
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::NotFound => Self::not_found("memory entry"),
            Error::NoRule => Self::not_found("rule for summaries"),
            Error::NoBackup(what) => Self::not_found(what),
            Error::NoVersion(_)
            | Error::Quarantined
            | Error::NotKept { .. }
            | Error::NoRetention
            | Error::NoAccessRule => Self::NotFound { detail: error.to_string() },
            Error::NoNamespace => Self::not_found("namespace"),
            Error::ReadOnly { .. } => Self::Forbidden { detail: error.to_string() },
            Error::Asker(error) => error,
            Error::Invalid(fields) => Self::Invalid { detail: first(&fields), fields },
            Error::TooLarge(detail) => Self::TooLarge { detail },
            Error::Model(fault) => of_model(fault),
            Error::Conflict { .. }
            | Error::Gone { .. }
            | Error::Exists { .. }
            | Error::NotQuarantined
            | Error::Rotating
            | Error::Unreadable { .. }
            | Error::NoDataKey(_)
            | Error::Backup(_)
            | Error::Duplicate { .. } => Self::Conflict { detail: error.to_string() },
            Error::Db(error) => error.into(),
            Error::Index => crate::runtime::trace::internal(&error),
        }
    }
}
