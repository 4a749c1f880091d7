//! `/memory/bulk`: many entries changed by one call.

use axum::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::{EntryBulk, EntryBulkDone};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(change_many))
}

/// Tags, moves, sets aside, lets out, deletes and brings back up to 200 entries, one after the other. `undo` of the answer, sent as the
/// next call's `steps`, takes back all that was changed.
#[utoipa::path(post, path = "/memory/bulk", tag = "memory", request_body = EntryBulk, responses(
    (status = 200, description = "how many are as they were to be, what takes it back, and which were left as they are", body = EntryBulkDone),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit; nothing was changed", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn change_many(Caller(ctx): Caller, Body(bulk): Body<EntryBulk>) -> Result<Json<EntryBulkDone>, Refusal> {
    Ok(Json(memory::change_entries(&ctx, &bulk).await?))
}
