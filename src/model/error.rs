//! The errors that cross the wire.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong with one field. `pointer` is a JSON pointer (RFC 6901) into the request's body, or a parameter's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Such as `/steps/2/config/url`.
    pub pointer: String,
    /// Lower case, says what was expected.
    pub message: String,
}

impl FieldError {
    /// A field error from its two parts.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// Why a call was refused or failed: a variant for each decision that a caller can make.
///
/// It never carries a driver's text. `Internal` and `Unavailable` are logged where they are handled, under the trace id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum ApiError {
    /// No valid credential (401).
    Unauthenticated { detail: String },
    /// The caller may know the thing, but not do this (403).
    Forbidden { detail: String },
    /// It does not exist, or the caller may not know of it (404).
    NotFound { detail: String },
    /// The body does not fit (422).
    Invalid { detail: String, fields: Vec<FieldError> },
    /// Someone else was faster, or the state does not allow it (409).
    Conflict { detail: String },
    /// Over a size limit (413).
    TooLarge { detail: String },
    /// Too many calls (429).
    RateLimited { detail: String, retry_after_ms: u64 },
    /// Not now (503).
    Unavailable { detail: String, retry_after_ms: u64 },
    /// Our fault (500).
    Internal { trace_id: String },
    /// The call never reached the server, or its answer never came back. Made in the browser only.
    Network { detail: String },
}

impl ApiError {
    /// One bad field.
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let field = FieldError::new(pointer, message);
        Self::Invalid {
            detail: format!("{}: {}", field.pointer.trim_start_matches('/'), field.message),
            fields: vec![field],
        }
    }

    /// A thing that does not exist, by its noun.
    pub fn not_found(noun: &str) -> Self {
        Self::NotFound { detail: format!("no such {noun}") }
    }

    /// The HTTP status of this error.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated { .. } => 401,
            Self::Forbidden { .. } => 403,
            Self::NotFound { .. } => 404,
            Self::Conflict { .. } => 409,
            Self::TooLarge { .. } => 413,
            Self::Invalid { .. } => 422,
            Self::RateLimited { .. } => 429,
            Self::Internal { .. } => 500,
            Self::Unavailable { .. } | Self::Network { .. } => 503,
        }
    }

    /// A short title for the status, sentence case.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Unauthenticated { .. } => "Not signed in",
            Self::Forbidden { .. } => "Not allowed",
            Self::NotFound { .. } => "Not found",
            Self::Conflict { .. } => "Conflict",
            Self::TooLarge { .. } => "Too large",
            Self::Invalid { .. } => "Invalid",
            Self::RateLimited { .. } => "Too many requests",
            Self::Internal { .. } => "Internal error",
            Self::Unavailable { .. } => "Unavailable",
            Self::Network { .. } => "No connection",
        }
    }

    /// The sentence for a person.
    pub fn detail(&self) -> &str {
        match self {
            Self::Unauthenticated { detail }
            | Self::Forbidden { detail }
            | Self::NotFound { detail }
            | Self::Invalid { detail, .. }
            | Self::Conflict { detail }
            | Self::TooLarge { detail }
            | Self::RateLimited { detail, .. }
            | Self::Unavailable { detail, .. }
            | Self::Network { detail } => detail,
            Self::Internal { .. } => "something failed inside Weft; the log has it under the trace id",
        }
    }

    /// The message of the field at `pointer`, if this error has one.
    pub fn field(&self, pointer: &str) -> Option<&str> {
        match self {
            Self::Invalid { fields, .. } => fields.iter().find(|f| f.pointer == pointer).map(|f| f.message.as_str()),
            _ => None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for ApiError {}
