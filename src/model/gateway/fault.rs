//! Why a call of a model has no answer, in classes that decide what happens next.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Timestamp;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultClass {
    /// The request does not fit; it would fit nowhere else either.
    Invalid,
    /// The request needs something that the dialect of the chosen provider has no word for.
    Untranslatable,
    /// The provider does not take our credential.
    Credential,
    /// The provider does not have the model, or not for us.
    NoModel,
    /// The request is larger than the provider takes.
    TooLarge,
    /// Too many calls, or the quota is used up.
    RateLimited,
    /// The provider is too busy.
    Overloaded,
    /// The provider failed.
    Upstream,
    /// The provider did not answer in time.
    Timeout,
    /// There is no connection, or it broke before the answer began.
    Connect,
    /// The address is not one that may be reached.
    Refused,
    /// The answer can't be read.
    Malformed,
    /// The answer broke off after it had begun.
    Interrupted,
    /// Nothing is set up that could answer.
    NoProvider,
    /// Every provider that could answer is resting after failures.
    Resting,
    /// A budget has no money for the call.
    Budget,
    /// Nothing is kept for the question, and the caller wanted nobody asked.
    Uncached,
    /// The one who asked went away.
    Cancelled,
}

impl FaultClass {
    /// The class as stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Untranslatable => "untranslatable",
            Self::Credential => "credential",
            Self::NoModel => "no_model",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Upstream => "upstream",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Interrupted => "interrupted",
            Self::NoProvider => "no_provider",
            Self::Resting => "resting",
            Self::Budget => "budget",
            Self::Uncached => "uncached",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the very same call may succeed a moment later. Never once an answer has begun.
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Overloaded | Self::Upstream | Self::Timeout | Self::Connect | Self::Malformed
        )
    }

    /// Whether another provider may answer where this one did not.
    pub const fn may_differ_elsewhere(self) -> bool {
        self.may_pass()
            || matches!(
                self,
                Self::Untranslatable
                    | Self::Credential
                    | Self::NoModel
                    | Self::Refused
                    | Self::TooLarge
                    | Self::Resting
            )
    }

    /// Whether it says that the provider is ill, and not that we asked wrongly or too often.
    pub const fn is_illness(self) -> bool {
        matches!(
            self,
            Self::Overloaded | Self::Upstream | Self::Timeout | Self::Connect | Self::Malformed | Self::Interrupted
        )
    }
}

/// Why a call has no answer, or no whole one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What decides what happens next.
    pub class: FaultClass,
    /// For people: lower case, no full stop, no credential.
    pub message: String,
    /// The field of the request that is to blame, as a JSON pointer.
    pub pointer: Option<String>,
    /// The provider's status.
    pub status: Option<u16>,
    /// When the provider says that it may be asked again.
    pub retry_after_ms: Option<u64>,
    /// What the provider said of its limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: ToldLimits,
    /// What is left of our own limits for its provider, where it is they that refuse the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<OwnLimit>,
}

/// The headers by which a provider tells of its limits, with names in lower case, as it sent them.
pub type ToldLimits = Vec<(String, String)>;

/// What is left of a limit by the minute that is set here for a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnLimit {
    /// Of what.
    pub of: Limited,
    /// So much in a minute.
    pub limit: u32,
    /// Of which so much is left.
    pub remaining: u32,
    /// Milliseconds until all of it is there again.
    pub reset_ms: u64,
    /// The same as a moment.
    pub reset_at: Timestamp,
}

/// What a limit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limited {
    /// Calls.
    Requests,
    /// What calls read and write.
    Tokens,
}

impl Limited {
    /// As both providers' headers have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }
}

impl Fault {
    /// A fault with no more than a class and a sentence.
    pub fn new(class: FaultClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            pointer: None,
            status: None,
            retry_after_ms: None,
            told: Vec::new(),
            own: Vec::new(),
        }
    }

    /// A field of the request that does not fit.
    pub fn invalid(pointer: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::at(FaultClass::Invalid, pointer, expected)
    }

    /// A field of the request that the other dialect has no word for.
    pub fn untranslatable(pointer: impl Into<String>, why: impl Into<String>) -> Self {
        Self::at(FaultClass::Untranslatable, pointer, why)
    }

    fn at(class: FaultClass, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let (pointer, message) = (pointer.into(), message.into());
        let name = pointer.trim_start_matches('/').replace('/', ".");
        let message = if name.is_empty() { message } else { format!("{name}: {message}") };
        Self { pointer: Some(pointer), ..Self::new(class, message) }
    }
}
