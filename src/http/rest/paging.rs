//! The `limit` and `cursor` of every list.

use serde::{Deserialize, Deserializer, de};

use crate::model::ApiError;
use crate::model::PageRequest;

/// What part of a list is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// 1..=200, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl From<Paging> for PageRequest {
    fn from(paging: Paging) -> Self {
        Self { limit: paging.limit.unwrap_or_default().0, cursor: paging.cursor }
    }
}

/// The most items of a page: 1 to [`PageRequest::MAX`].
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub u32);

impl Default for Limit {
    fn default() -> Self {
        Self(PageRequest::default().limit)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As text, since a query is text; so the message can say what was expected.
        let text = String::deserialize(deserializer)?;
        let limit = text.parse().ok().filter(|limit| (1..=PageRequest::MAX).contains(limit));
        limit.map(Self).ok_or_else(|| de::Error::custom(format!("expected 1 to {}", PageRequest::MAX)))
    }
}

/// A limit from a query, or the default.
///
/// # Errors
/// 422 naming the parameter.
pub fn within(name: &str, given: Option<u32>, default: u32, max: u32) -> Result<u32, ApiError> {
    match given.unwrap_or(default) {
        limit if (1..=max).contains(&limit) => Ok(limit),
        _ => Err(ApiError::invalid(name, format!("expected 1 to {max}"))),
    }
}
