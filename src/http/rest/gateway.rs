//! `/gateway/keys`, `/gateway/usage`, `/gateway/calls`: who may be pointed at the gateway, and what was called.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Params};
use super::paging::{Limit, Paging};
use crate::gateway;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::gateway::{
    CallContent, CallFilter, CallLine, CallOutcome, KeyDraft, KeyInUse, KeyMade, Sum, SumBy, UsageFilter,
};
use crate::model::{AgentId, ApiKeyId, CallId, Page, PageRequest, RunId, Timestamp};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list_keys, create_key))
        .routes(routes!(delete_key))
        .routes(routes!(sum_usage))
        .routes(routes!(list_calls))
        .routes(routes!(get_content))
}

/// The gateway's keys, newest first, with their use in the last 30 days. Secrets are shown to nobody.
#[utoipa::path(get, path = "/gateway/keys", tag = "gateway", params(Paging), responses(
    (status = 200, description = "a page of keys", body = Page<KeyInUse>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_keys(Caller(ctx): Caller, Params(paging): Params<Paging>) -> Result<Json<Page<KeyInUse>>, Refusal> {
    Ok(Json(gateway::list_keys_in_use(&ctx, &paging.into()).await?))
}

/// Makes a key, for a program that is pointed at the gateway. It opens nothing else. Its secret is in the answer only.
#[utoipa::path(post, path = "/gateway/keys", tag = "gateway", request_body = KeyDraft, responses(
    (status = 201, description = "the key and its secret", body = KeyMade),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "there are too many", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn create_key(Caller(ctx): Caller, Body(draft): Body<KeyDraft>) -> Result<(StatusCode, Json<KeyMade>), Refusal> {
    Ok((StatusCode::CREATED, Json(gateway::create_key(&ctx, draft).await?)))
}

/// Ends a key, at once.
#[utoipa::path(delete, path = "/gateway/keys/{id}", tag = "gateway", params(("id" = ApiKeyId, Path,)), responses(
    (status = 204, description = "ended"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such key", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_key(Caller(ctx): Caller, Id(id): Id<ApiKeyId>) -> Result<StatusCode, Refusal> {
    gateway::delete_key(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which calls are summed up.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UsageParams {
    /// What the sums are over; the model when absent.
    #[serde(default)]
    #[param(inline)]
    by: SumBy,
    /// From then on.
    since: Option<Timestamp>,
    /// Before then.
    until: Option<Timestamp>,
    /// Only of this run.
    run: Option<RunId>,
}

/// UsageSums over calls.
#[derive(Debug, Serialize, ToSchema)]
struct UsageSums {
    /// The dearest first, at most 500.
    items: Vec<Sum>,
}

/// What calls of models took and cost, summed up. Calls of models without a price count in `unpriced`.
#[utoipa::path(get, path = "/gateway/usage", tag = "gateway", params(UsageParams), responses(
    (status = 200, description = "the sums", body = UsageSums),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn sum_usage(Caller(ctx): Caller, Params(params): Params<UsageParams>) -> Result<Json<UsageSums>, Refusal> {
    let filter = UsageFilter { by: params.by, since: params.since, until: params.until, run_id: params.run };
    Ok(Json(UsageSums { items: gateway::sum_usage(&ctx, &filter).await? }))
}

/// Which calls are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CallParams {
    /// 1..=200, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Only of this run.
    run: Option<RunId>,
    /// Only with this key.
    key: Option<ApiKeyId>,
    /// Only of this agent.
    agent: Option<AgentId>,
    /// Only of this conversation, as the program named it.
    session: Option<String>,
    /// Only of this model, as `/gateway/usage` names it: `provider/model`.
    model: Option<String>,
    /// Only of the provider of this name.
    provider: Option<String>,
    /// Only those that ended so.
    #[param(inline)]
    outcome: Option<CallOutcome>,
    /// From then on.
    since: Option<Timestamp>,
    /// Before then.
    until: Option<Timestamp>,
}

/// The log of calls, newest first: who asked whom, why it was this model, what it took and cost. Not what was said.
#[utoipa::path(get, path = "/gateway/calls", tag = "gateway", params(CallParams), responses(
    (status = 200, description = "a page of calls", body = Page<CallLine>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_calls(Caller(ctx): Caller, Params(params): Params<CallParams>) -> Result<Json<Page<CallLine>>, Refusal> {
    let page = PageRequest { limit: params.limit.unwrap_or_default().0, cursor: params.cursor };
    let filter = CallFilter {
        run_id: params.run,
        key_id: params.key,
        agent_id: params.agent,
        session: params.session,
        model: params.model,
        provider: params.provider,
        outcome: params.outcome,
        since: params.since,
        until: params.until,
    };
    Ok(Json(gateway::list_calls(&ctx, &filter, &page).await?))
}

/// What was asked and answered in a call, masked, where the workspace keeps it. For who made the call, and for those who manage
/// providers.
#[utoipa::path(get, path = "/gateway/calls/{id}/content", tag = "gateway", params(("id" = CallId, Path,)), responses(
    (status = 200, description = "what was asked and answered", body = CallContent),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "nothing was kept of such a call", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_content(Caller(ctx): Caller, Id(id): Id<CallId>) -> Result<Json<CallContent>, Refusal> {
    Ok(Json(gateway::get_call_content(&ctx, id).await?))
}
