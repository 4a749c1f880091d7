//! `/workflows`, their versions, `/step-kinds` and `/templates`.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{DefinitionBody, Id, Params, Segments};
use super::paging::{Limit, Paging};
use crate::http::Caller;
use crate::http::error::{Problem as Refused, Refusal};
use crate::model::workflow::kind::Description;
use crate::model::workflow::{Definition, Problem, Template, Version, Workflow, WorkflowSummary};
use crate::model::{ApiError, Page, PageRequest, WorkflowId};
use crate::runtime::Runtime;
use crate::workflow::definitions::{self, Filter};

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(check))
        .routes(routes!(get, put, delete))
        .routes(routes!(publish))
        .routes(routes!(list_versions))
        .routes(routes!(get_version))
        .routes(routes!(list_step_kinds))
        .routes(routes!(list_templates))
}

/// What part of the workflows is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// A part of the name or the description, in any case.
    #[serde(default)]
    query: String,
    /// 1..=200, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Workflows, changed last first.
#[utoipa::path(get, path = "/workflows", tag = "workflows", params(ListQuery), responses(
    (status = 200, description = "a page of workflows", body = Page<WorkflowSummary>),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it", body = Refused),
    (status = 422, description = "a parameter does not fit", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn list(Caller(ctx): Caller, Params(list): Params<ListQuery>) -> Result<Json<Page<WorkflowSummary>>, Refusal> {
    let page = PageRequest { limit: list.limit.unwrap_or_default().0, cursor: list.cursor };
    Ok(Json(definitions::list(&ctx, &Filter { query: list.query }, &page).await?))
}

/// Makes a workflow whose draft is the body. A name that is taken gets a number.
#[utoipa::path(post, path = "/workflows", tag = "workflows",
    request_body(content((Definition = "application/json"), (Definition = "application/yaml"))), responses(
    (status = 201, description = "the workflow", body = Workflow, headers(
        ("etag" = String, description = "the draft's revision, for If-Match"),
        ("location" = String, description = "its path"),
    )),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Refused),
    (status = 409, description = "another workflow took the name at the same moment", body = Refused),
    (status = 413, description = "the body is too large", body = Refused),
    (status = 415, description = "neither JSON nor YAML", body = Refused),
    (status = 422, description = "the body is no definition, or its name does not fit", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn create(Caller(ctx): Caller, DefinitionBody(definition): DefinitionBody) -> Result<Response, Refusal> {
    let workflow = definitions::create(&ctx, definition).await?;
    let location = HeaderValue::from_str(&format!("/api/v1/workflows/{}", workflow.id)).expect("an id fits a header");
    let mut response = tagged(StatusCode::CREATED, workflow);
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// What the checker found.
#[derive(Debug, Serialize, ToSchema)]
struct Problems {
    /// In the order of the definition; empty means that it can be published and run.
    problems: Vec<Problem>,
}

/// Checks a definition without storing it.
#[utoipa::path(post, path = "/workflows/check", tag = "workflows",
    request_body(content((Definition = "application/json"), (Definition = "application/yaml"))), responses(
    (status = 200, description = "every problem", body = Problems),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Refused),
    (status = 413, description = "the body is too large", body = Refused),
    (status = 415, description = "neither JSON nor YAML", body = Refused),
    (status = 422, description = "the body is no definition", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn check(Caller(ctx): Caller, DefinitionBody(definition): DefinitionBody) -> Result<Json<Problems>, Refusal> {
    Ok(Json(Problems { problems: definitions::list_problems(&ctx, &definition)? }))
}

/// A workflow with its draft, whose revision is the `ETag`.
#[utoipa::path(get, path = "/workflows/{id}", tag = "workflows", params(("id" = WorkflowId, Path,)), responses(
    (status = 200, description = "the workflow", body = Workflow, headers(("etag" = String, description = "the draft's revision, for If-Match"))),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it", body = Refused),
    (status = 404, description = "no such workflow", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn get(Caller(ctx): Caller, Id(id): Id<WorkflowId>) -> Result<Response, Refusal> {
    Ok(tagged(StatusCode::OK, definitions::get(&ctx, id).await?))
}

/// Saves the draft. With `If-Match` only over that revision, so that nobody's edit is lost.
#[utoipa::path(put, path = "/workflows/{id}", tag = "workflows", params(
    ("id" = WorkflowId, Path,),
    ("If-Match" = Option<String>, Header, description = "\"<revision>\": only over this revision"),
), request_body(content((Definition = "application/json"), (Definition = "application/yaml"))), responses(
    (status = 200, description = "the workflow", body = Workflow, headers(("etag" = String, description = "the draft's new revision"))),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Refused),
    (status = 404, description = "no such workflow", body = Refused),
    (status = 409, description = "the draft is at another revision", body = Refused),
    (status = 413, description = "the body is too large", body = Refused),
    (status = 415, description = "neither JSON nor YAML", body = Refused),
    (status = 422, description = "the body is no definition, the name is taken, or If-Match does not fit", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn put(
    Caller(ctx): Caller,
    Id(id): Id<WorkflowId>,
    headers: HeaderMap,
    DefinitionBody(definition): DefinitionBody,
) -> Result<Response, Refusal> {
    let revision = match expected(&headers)? {
        Some(revision) => revision,
        None => definitions::get(&ctx, id).await?.revision,
    };
    Ok(tagged(StatusCode::OK, definitions::save_draft(&ctx, id, revision, &definition).await?))
}

/// Deletes a workflow and its versions. Its runs stay.
#[utoipa::path(delete, path = "/workflows/{id}", tag = "workflows", params(("id" = WorkflowId, Path,)), responses(
    (status = 204, description = "deleted"),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Refused),
    (status = 404, description = "no such workflow", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn delete(Caller(ctx): Caller, Id(id): Id<WorkflowId>) -> Result<StatusCode, Refusal> {
    definitions::delete(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A version that was made.
#[derive(Debug, Serialize, ToSchema)]
struct Published {
    /// Its number.
    version: i64,
}

/// Makes an immutable version of the draft. A draft that equals the newest version makes none.
#[utoipa::path(post, path = "/workflows/{id}/publish", tag = "workflows", params(("id" = WorkflowId, Path,)), responses(
    (status = 200, description = "the newest version", body = Published),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Refused),
    (status = 404, description = "no such workflow", body = Refused),
    (status = 409, description = "the draft was saved at the same moment", body = Refused),
    (status = 422, description = "the draft has problems; `errors` lists them", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn publish(Caller(ctx): Caller, Id(id): Id<WorkflowId>) -> Result<Json<Published>, Refusal> {
    Ok(Json(Published { version: definitions::publish(&ctx, id).await? }))
}

/// The versions of a workflow, newest first.
#[utoipa::path(get, path = "/workflows/{id}/versions", tag = "workflows", params(("id" = WorkflowId, Path,), Paging), responses(
    (status = 200, description = "a page of versions", body = Page<Version>),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it", body = Refused),
    (status = 404, description = "no such workflow", body = Refused),
    (status = 422, description = "a parameter does not fit", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn list_versions(
    Caller(ctx): Caller,
    Id(id): Id<WorkflowId>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Version>>, Refusal> {
    Ok(Json(definitions::list_versions(&ctx, id, &paging.into()).await?))
}

/// One version of a workflow.
#[utoipa::path(get, path = "/workflows/{id}/versions/{version}", tag = "workflows", params(
    ("id" = WorkflowId, Path,),
    ("version" = i64, Path, description = "from 1", minimum = 1),
), responses(
    (status = 200, description = "the version", body = Version),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it", body = Refused),
    (status = 404, description = "no such version", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn get_version(
    Caller(ctx): Caller,
    Segments((id, version)): Segments<(WorkflowId, i64)>,
) -> Result<Json<Version>, Refusal> {
    Ok(Json(definitions::get_version(&ctx, id, version).await?))
}

/// The kinds of steps.
#[derive(Debug, Serialize, ToSchema)]
struct StepKinds {
    /// In the order of the designer's palette.
    items: Vec<Description>,
    /// Always null: they fit one page.
    next: Option<String>,
}

/// Every kind of step, with the JSON Schema of its config, its ports, defaults and an example.
#[utoipa::path(get, path = "/step-kinds", tag = "workflows", responses(
    (status = 200, description = "the kinds", body = StepKinds),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn list_step_kinds(Caller(ctx): Caller) -> Result<Json<StepKinds>, Refusal> {
    Ok(Json(StepKinds { items: definitions::list_kinds(&ctx)?, next: None }))
}

/// The workflows that ship with Weft.
#[utoipa::path(get, path = "/templates", tag = "workflows", responses(
    (status = 200, description = "the templates", body = Page<Template>),
    (status = 401, description = "not signed in", body = Refused),
    (status = 403, description = "the role doesn't allow it", body = Refused),
    (status = 500, description = "a failure of ours", body = Refused),
    (status = 503, description = "not now", body = Refused),
))]
async fn list_templates(Caller(ctx): Caller) -> Result<Json<Page<Template>>, Refusal> {
    Ok(Json(Page::whole(definitions::list_templates(&ctx)?)))
}

fn tagged(status: StatusCode, workflow: Workflow) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", workflow.revision)).expect("digits and quotes fit a header");
    (status, [(header::ETAG, tag)], Json(workflow)).into_response()
}

/// The revision that `If-Match` names; `None` without one, and for `*`.
fn expected(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let tag = value.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    revision.map(Some).ok_or_else(|| ApiError::invalid("If-Match", "expected a revision in quotes, such as \"3\""))
}
