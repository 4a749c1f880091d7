//! `/agents/leases`: who has what to itself or shares it, and who waits for what.

use axum::Json;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Id;
use crate::agents::leases;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::model::agent::Lease;
use crate::model::{LeaseId, Page};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(list_leases)).routes(routes!(end_lease))
}

/// Who has what, and who waits for what and for whom, in the order in which they asked; at most 1,000.
#[utoipa::path(get, path = "/agents/leases", tag = "agents", responses(
    (status = 200, description = "the leases", body = Page<Lease>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_leases(Caller(ctx): Caller) -> Result<Json<Page<Lease>>, Refusal> {
    Ok(Json(Page::whole(leases::list(&ctx).await?)))
}

/// Ends a lease, or the wait for one. The agent is told: whoever waits at once, whoever has it with its next use of a tool.
#[utoipa::path(delete, path = "/agents/leases/{id}", tag = "agents", params(("id" = LeaseId, Path,)), responses(
    (status = 204, description = "it is over"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such lease", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn end_lease(Caller(ctx): Caller, Id(id): Id<LeaseId>) -> Result<StatusCode, Refusal> {
    leases::end(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
