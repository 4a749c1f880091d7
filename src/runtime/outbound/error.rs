//! Why a request has no answer, in classes that a retry policy can tell apart.

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field of the request cannot be used; nothing was sent.
    #[error("{field}: expected {expected}")]
    InvalidRequest {
        /// The field, such as `url` or `headers.host`.
        field: String,
        /// What would have been accepted.
        expected: String,
    },
    /// The target is not public. One text for all of them.
    #[error(
        "the address is not allowed: only public addresses are reached; an administrator can allow a private range with allow_private"
    )]
    Refused,
    /// The name has no address, or no resolver answered.
    #[error("the name {host} cannot be resolved")]
    Resolve {
        /// The name asked for.
        host: String,
    },
    /// No connection, or it broke.
    #[error("the connection failed: {0}")]
    Connect(String),
    /// The connection is not trusted.
    #[error("the secure connection failed: {0}")]
    Tls(String),
    /// It took longer than `timeout_ms`.
    #[error("no complete answer within {0} ms")]
    Timeout(u64),
    /// The answer is larger than allowed.
    #[error("the answer's {part} exceeds {most}")]
    TooLarge {
        /// `body`, `decompressed body` or `headers`.
        part: &'static str,
        /// The cap, with its unit.
        most: String,
    },
    /// One redirect too many.
    #[error("more than {0} redirects")]
    TooManyRedirects(u32),
}

impl Error {
    /// A refused field.
    pub(super) fn invalid(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::InvalidRequest { field: field.into(), expected: expected.into() }
    }

    /// Whether the same request may well succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Resolve { .. } | Self::Connect(_) | Self::Timeout(_))
    }
}
