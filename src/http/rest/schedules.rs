//! `/schedules`: triggers of the kind `schedule`, flat.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id, Params};
use super::paging::Paging;
use super::triggers::{created, expected, tagged};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::trigger::{
    Config, Firing, Kind, Missed, Moment, Overlap, Preview, Trigger, TriggerDraft, TriggerFilter,
};
use crate::model::{ApiError, Page, Timestamp, TriggerId, WorkflowId};
use crate::runtime::Runtime;
use crate::trigger;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, put, delete)).routes(routes!(preview))
}

/// A schedule to make or to change. Unknown fields are refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScheduleDraft {
    /// What it starts.
    workflow_id: WorkflowId,
    /// 1..=120 characters; empty: named after its times.
    #[serde(default)]
    name: String,
    /// Five fields, or six with seconds first.
    cron: String,
    /// A zone of the IANA database; UTC when absent.
    #[serde(default = "utc")]
    timezone: String,
    /// What the run is given; may have templates over `event.scheduled_for`.
    #[serde(default)]
    inputs: Value,
    /// Whether it fires.
    #[serde(default = "yes")]
    enabled: bool,
    /// What becomes of missed moments.
    #[serde(default)]
    missed: Missed,
    /// What to do while the previous run is still going.
    #[serde(default)]
    overlap: Overlap,
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn yes() -> bool {
    true
}

impl From<ScheduleDraft> for TriggerDraft {
    fn from(draft: ScheduleDraft) -> Self {
        let ScheduleDraft { workflow_id, name, cron, timezone, inputs, enabled, missed, overlap } = draft;
        Self { workflow_id, name, config: Config::Schedule { cron, timezone, missed, overlap }, inputs, enabled }
    }
}

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
struct Schedule {
    id: TriggerId,
    workflow_id: WorkflowId,
    workflow_name: String,
    name: String,
    cron: String,
    timezone: String,
    /// The expression in words.
    summary: String,
    inputs: Value,
    enabled: bool,
    missed: Missed,
    overlap: Overlap,
    /// The next moments, at most five.
    next: Vec<Moment>,
    last_firing: Option<Firing>,
    /// The value for `If-Match`.
    revision: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Schedule {
    fn of(trigger: Trigger) -> Result<Self, ApiError> {
        let Config::Schedule { cron, timezone, missed, overlap } = trigger.config else {
            return Err(ApiError::not_found("schedule"));
        };
        Ok(Self {
            id: trigger.id,
            workflow_id: trigger.workflow_id,
            workflow_name: trigger.workflow_name,
            name: trigger.name,
            cron,
            timezone,
            summary: trigger.summary,
            inputs: trigger.inputs,
            enabled: trigger.enabled,
            missed,
            overlap,
            next: trigger.next,
            last_firing: trigger.last_firing,
            revision: trigger.revision,
            created_at: trigger.created_at,
            updated_at: trigger.updated_at,
        })
    }
}

/// Schedules, newest first.
#[utoipa::path(get, path = "/schedules", tag = "schedules", params(Paging), responses(
    (status = 200, description = "a page of schedules", body = Page<Schedule>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 422, description = "a parameter does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list(Caller(ctx): Caller, Params(paging): Params<Paging>) -> Result<Json<Page<Schedule>>, Refusal> {
    let filter = TriggerFilter { kind: Some(Kind::Schedule), workflow_id: None };
    let page = trigger::list(&ctx, &filter, &paging.into()).await?;
    let items = page.items.into_iter().map(Schedule::of).collect::<Result<_, _>>()?;
    Ok(Json(Page { items, next: page.next }))
}

/// Makes a schedule.
#[utoipa::path(post, path = "/schedules", tag = "schedules", request_body = ScheduleDraft, responses(
    (status = 201, description = "the schedule", body = Schedule, headers(
        ("etag" = String, description = "its revision, for If-Match"),
        ("location" = String, description = "its path"),
    )),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "the workspace has too many triggers", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn create(Caller(ctx): Caller, Body(draft): Body<ScheduleDraft>) -> Result<Response, Refusal> {
    let made = trigger::create(&ctx, draft.into()).await.map_err(flat)?.trigger;
    let (id, revision) = (made.id, made.revision);
    Ok(created(&format!("/api/v1/schedules/{id}"), revision, Schedule::of(made)?))
}

/// One schedule.
#[utoipa::path(get, path = "/schedules/{id}", tag = "schedules", params(("id" = TriggerId, Path,)), responses(
    (status = 200, description = "the schedule", body = Schedule, headers(("etag" = String, description = "its revision, for If-Match"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "no such schedule", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<TriggerId>) -> Result<Response, Refusal> {
    let trigger = trigger::get(&ctx, id).await?;
    Ok(tagged(StatusCode::OK, trigger.revision, Schedule::of(trigger)?))
}

/// Changes a schedule. With `If-Match` only over that revision, so that nobody's edit is lost.
#[utoipa::path(put, path = "/schedules/{id}", tag = "schedules", params(
    ("id" = TriggerId, Path,),
    ("If-Match" = Option<String>, Header, description = "\"<revision>\": only over this revision"),
), request_body = ScheduleDraft, responses(
    (status = 200, description = "the schedule", body = Schedule, headers(("etag" = String, description = "its new revision"))),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such schedule", body = Problem),
    (status = 409, description = "it is at another revision", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put(
    Caller(ctx): Caller,
    Id(id): Id<TriggerId>,
    headers: HeaderMap,
    Body(draft): Body<ScheduleDraft>,
) -> Result<Response, Refusal> {
    let before = Schedule::of(trigger::get(&ctx, id).await?)?;
    let revision = expected(&headers)?.unwrap_or(before.revision);
    let trigger = trigger::update(&ctx, id, revision, draft.into()).await.map_err(flat)?.trigger;
    Ok(tagged(StatusCode::OK, trigger.revision, Schedule::of(trigger)?))
}

/// Deletes a schedule with its firings. Its runs stay.
#[utoipa::path(delete, path = "/schedules/{id}", tag = "schedules", params(("id" = TriggerId, Path,)), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such schedule", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete(Caller(ctx): Caller, Id(id): Id<TriggerId>) -> Result<StatusCode, Refusal> {
    Schedule::of(trigger::get(&ctx, id).await?)?;
    trigger::delete(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A cron expression to read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreviewRequest {
    /// Five fields, or six with seconds first.
    cron: String,
    /// A zone of the IANA database; UTC when absent.
    #[serde(default = "utc")]
    timezone: String,
}

/// Reads a cron expression: in words, and its next five moments.
#[utoipa::path(post, path = "/schedules/preview", tag = "schedules", request_body = PreviewRequest, responses(
    (status = 200, description = "the expression, read", body = Preview),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn preview(Caller(ctx): Caller, Body(request): Body<PreviewRequest>) -> Result<Json<Preview>, Refusal> {
    Ok(Json(trigger::preview(&ctx, &request.cron, &request.timezone)?))
}

/// The fields of a schedule stand at the root of its body here.
fn flat(error: trigger::Error) -> ApiError {
    let mut error = ApiError::from(error);
    if let ApiError::Invalid { detail, fields } = &mut error {
        *detail = detail.replacen("config/", "", 1);
        for field in fields {
            field.pointer = field.pointer.replacen("/config/", "/", 1);
        }
    }
    error
}
