//! `/memory/estimate`, `/memory/summarize` and the ways between an entry and its summaries.

use axum::Json;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Params};
use super::memory::{Place, read};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::{Summarized, SummaryDraft, SummaryEstimate, SummaryLinks};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(estimate)).routes(routes!(summarize)).routes(routes!(get_links))
}

/// What a summary of a namespace, a group or chosen entries would be made of, and what it would cost. No model is asked.
#[utoipa::path(post, path = "/memory/estimate", tag = "memory", request_body = SummaryDraft, responses(
    (status = 200, description = "the estimate; `refused` says why nobody can be asked", body = SummaryEstimate),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "a rule hides the namespace from who asks", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit, or there is nothing to summarize, or too much", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn estimate(Caller(ctx): Caller, Body(draft): Body<SummaryDraft>) -> Result<Json<SummaryEstimate>, Refusal> {
    Ok(Json(memory::estimate(&ctx, &draft).await?))
}

/// Whether the summary becomes an entry.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SummarizeQuery {
    /// `false`: only its text is given, and keeping it later asks nobody again while this process remembers it.
    #[serde(default = "yes")]
    keep: bool,
}

const fn yes() -> bool {
    true
}

/// Has a model summarize entries and keeps the summary as an entry, which leads to its originals; these stay. The same versions by the
/// same name are summarized once.
#[utoipa::path(post, path = "/memory/summarize", tag = "memory", params(SummarizeQuery), request_body = SummaryDraft, responses(
    (status = 200, description = "the summary", body = Summarized),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "a rule hides the namespace from who asks", body = Problem),
    (status = 409, description = "no provider is set up, no budget pays for it, or somebody else wrote there meanwhile", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit, or there is nothing to summarize, or too much", body = Problem),
    (status = 429, description = "the model has too many calls", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "no model answers, or not now", body = Problem),
))]
async fn summarize(
    Caller(ctx): Caller,
    Params(query): Params<SummarizeQuery>,
    Body(draft): Body<SummaryDraft>,
) -> Result<Json<Summarized>, Refusal> {
    Ok(Json(memory::summarize(&ctx, &draft, query.keep).await?))
}

/// What an entry was made of, if it is a summary, and the summaries that were made of it.
#[utoipa::path(get, path = "/memory/{namespace}/{key}/summary", tag = "memory", params(
    ("namespace" = String, Path, description = "a path such as code/decisions, url-encoded as one segment"),
    ("key" = String, Path, description = "url-encoded"),
), responses(
    (status = 200, description = "the ways", body = SummaryLinks),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such entry", body = Problem),
    (status = 422, description = "the namespace or the key does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_links(Caller(ctx): Caller, place: Place) -> Result<Json<SummaryLinks>, Refusal> {
    let (namespace, key) = read(place)?;
    Ok(Json(memory::summary_links(&ctx, &namespace, &key).await?))
}
