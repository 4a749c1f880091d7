//! `/summary-rules`: when a model summarizes entries of the memory by itself.

use axum::Json;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::{SummaryPlan, SummaryRule, SummaryRuleDraft};
use crate::model::{Page, SummaryRuleId};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list_rules, create_rule))
        .routes(routes!(put_rule, delete_rule))
        .routes(routes!(preview_rule))
        .routes(routes!(run_rule))
}

/// The rules, the oldest first, each with what came of it: one page.
#[utoipa::path(get, path = "/summary-rules", tag = "memory", responses(
    (status = 200, description = "the rules", body = Page<SummaryRule>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_rules(Caller(ctx): Caller) -> Result<Json<Page<SummaryRule>>, Refusal> {
    Ok(Json(Page::whole(memory::list_summary_rules(&ctx).await?)))
}

/// Makes a rule. It asks models in the name of who calls, and does nothing while it is not `enabled`.
#[utoipa::path(post, path = "/summary-rules", tag = "memory", request_body = SummaryRuleDraft, responses(
    (status = 201, description = "the rule", body = SummaryRule),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "a rule hides the namespace from who asks", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit, or there are too many", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn create_rule(
    Caller(ctx): Caller,
    Body(draft): Body<SummaryRuleDraft>,
) -> Result<(StatusCode, Json<SummaryRule>), Refusal> {
    Ok((StatusCode::CREATED, Json(memory::save_summary_rule(&ctx, None, draft).await?)))
}

/// Writes another text of a rule. From then on it asks models in the name of who calls; one that is `enabled` looks at once.
#[utoipa::path(put, path = "/summary-rules/{id}", tag = "memory", params(("id" = SummaryRuleId, Path,)), request_body = SummaryRuleDraft, responses(
    (status = 200, description = "the rule", body = SummaryRule),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such rule", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_rule(
    Caller(ctx): Caller,
    Id(id): Id<SummaryRuleId>,
    Body(draft): Body<SummaryRuleDraft>,
) -> Result<Json<SummaryRule>, Refusal> {
    Ok(Json(memory::save_summary_rule(&ctx, Some(id), draft).await?))
}

/// Removes a rule. Its summaries stay.
#[utoipa::path(delete, path = "/summary-rules/{id}", tag = "memory", params(("id" = SummaryRuleId, Path,)), responses(
    (status = 204, description = "removed"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such rule", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_rule(Caller(ctx): Caller, Id(id): Id<SummaryRuleId>) -> Result<StatusCode, Refusal> {
    memory::delete_summary_rule(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a rule would summarize now, and what that would cost at most. No model is asked and nothing is kept.
#[utoipa::path(post, path = "/summary-rules/preview", tag = "memory", request_body = SummaryRuleDraft, responses(
    (status = 200, description = "what it would do", body = SummaryPlan),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "a rule hides the namespace from who asks", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn preview_rule(Caller(ctx): Caller, Body(draft): Body<SummaryRuleDraft>) -> Result<Json<SummaryPlan>, Refusal> {
    Ok(Json(memory::preview_summary_rule(&ctx, draft).await?))
}

/// Has a rule look at once, within a minute. What came of it stands among its `firings` then.
#[utoipa::path(post, path = "/summary-rules/{id}/run", tag = "memory", params(("id" = SummaryRuleId, Path,)), responses(
    (status = 202, description = "the rule", body = SummaryRule),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such rule", body = Problem),
    (status = 422, description = "the rule is switched off", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn run_rule(Caller(ctx): Caller, Id(id): Id<SummaryRuleId>) -> Result<(StatusCode, Json<SummaryRule>), Refusal> {
    Ok((StatusCode::ACCEPTED, Json(memory::hasten_summary_rule(&ctx, id).await?)))
}
