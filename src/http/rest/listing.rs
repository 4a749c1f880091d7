//! `/memory`, `/memory/table` and `/memory/timeline`: entries, entries as lines in any order, and what was learned when.

use axum::Json;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Params;
use super::paging::Limit;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::{Entries, EntryOrder, EntryTable, Learned, Trust};
use crate::model::{ApiError, Page, PageRequest, Timestamp};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(table)).routes(routes!(timeline))
}

/// What part of the entries is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// This namespace and all below it; empty means all.
    #[serde(default)]
    namespace: String,
    /// Keys that begin with this.
    #[serde(default)]
    prefix: String,
    /// Entries with this tag.
    #[serde(default)]
    tag: String,
    /// Entries whose words came from one of these: `user`, `tool`, `model`, `web`, with commas between.
    #[serde(default)]
    trust: String,
    /// Those in quarantine, in place of all others.
    #[serde(default)]
    quarantined: bool,
    /// As they stood then, at most 30 days ago.
    as_of: Option<Timestamp>,
    /// 1..=200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl ListQuery {
    fn read(self) -> Result<(memory::Filter, PageRequest), ApiError> {
        let Self { namespace, prefix, tag, trust, quarantined, as_of, limit, cursor } = self;
        let trust = Trust::parse_list(&trust).map_err(|expected| ApiError::invalid("trust", expected))?;
        let filter = memory::Filter { namespace, prefix, tag, trust, quarantined, as_of };
        Ok((filter, PageRequest { limit: limit.unwrap_or_default().0, cursor }))
    }
}

/// Entries, changed last first.
#[utoipa::path(get, path = "/memory", tag = "memory", params(ListQuery), responses(
    (status = 200, description = "a page of entries", body = Entries),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller, Params(query): Params<ListQuery>) -> Result<Json<Entries>, Refusal> {
    let (filter, page) = query.read()?;
    Ok(Json(memory::list(&ctx, &filter, &page).await?))
}

/// What part of the lines is wanted, and in which order.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TableQuery {
    /// This namespace and all below it; empty means all.
    #[serde(default)]
    namespace: String,
    /// Keys that begin with this.
    #[serde(default)]
    prefix: String,
    /// Entries with this tag.
    #[serde(default)]
    tag: String,
    /// Entries whose words came from one of these: `user`, `tool`, `model`, `web`, with commas between.
    #[serde(default)]
    trust: String,
    /// Those in quarantine, in place of all others.
    #[serde(default)]
    quarantined: bool,
    /// `key`, `namespace`, `changed`, `created`, `importance`, `reads`, `size` or `source`; with `-` before it the largest first.
    /// Absent: `-changed`.
    #[serde(default)]
    sort: String,
    /// 1..=200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// The `next` of the page before, in the same order.
    cursor: Option<String>,
}

/// Entries as lines: what a table says of them, in any order. Texts rest encrypted, so nothing is sorted by them.
#[utoipa::path(get, path = "/memory/table", tag = "memory", params(TableQuery), responses(
    (status = 200, description = "a page of lines", body = EntryTable),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn table(Caller(ctx): Caller, Params(query): Params<TableQuery>) -> Result<Json<EntryTable>, Refusal> {
    let TableQuery { namespace, prefix, tag, trust, quarantined, sort, limit, cursor } = query;
    let trust = Trust::parse_list(&trust).map_err(|expected| ApiError::invalid("trust", expected))?;
    let order = EntryOrder::parse(&sort).map_err(|expected| ApiError::invalid("sort", expected))?;
    let filter = memory::Filter { namespace, prefix, tag, trust, quarantined, as_of: None };
    let page = PageRequest { limit: limit.unwrap_or_default().0, cursor };
    Ok(Json(memory::table(&ctx, &filter, order, &page).await?))
}

/// What was learned when, the last first: versions, each with what took its place. With `as_of` what was known of it then.
#[utoipa::path(get, path = "/memory/timeline", tag = "memory", params(ListQuery), responses(
    (status = 200, description = "a page of versions", body = Page<Learned>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn timeline(Caller(ctx): Caller, Params(query): Params<ListQuery>) -> Result<Json<Page<Learned>>, Refusal> {
    let (filter, page) = query.read()?;
    Ok(Json(memory::timeline(&ctx, &filter, &page).await?))
}
