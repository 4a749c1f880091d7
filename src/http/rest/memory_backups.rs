//! `/memory-backups`: copies of namespaces that are written by themselves, and how they come back.

use axum::Json;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Id};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::{Backup, BackupDraft, BackupRestore, RestoreReport};
use crate::model::{BackupId, Page};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(list_backups, create_backup))
        .routes(routes!(put_backup, delete_backup))
        .routes(routes!(run_backup))
        .routes(routes!(restore_backup))
}

/// The backups, the oldest first, each with its copies and what came of it: one page.
#[utoipa::path(get, path = "/memory-backups", tag = "memory", responses(
    (status = 200, description = "the backups", body = Page<Backup>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_backups(Caller(ctx): Caller) -> Result<Json<Page<Backup>>, Refusal> {
    Ok(Json(Page::whole(memory::list_backups(&ctx).await?)))
}

/// Makes a backup. It reads in the name of who calls, and does nothing while it is not `enabled`.
#[utoipa::path(post, path = "/memory-backups", tag = "memory", request_body = BackupDraft, responses(
    (status = 201, description = "the backup", body = Backup),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "a rule hides the namespace from who asks", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit, or there are too many", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn create_backup(
    Caller(ctx): Caller,
    Body(draft): Body<BackupDraft>,
) -> Result<(StatusCode, Json<Backup>), Refusal> {
    Ok((StatusCode::CREATED, Json(memory::save_backup(&ctx, None, draft).await?)))
}

/// Writes another text of a backup. From then on it reads in the name of who calls. Where it writes elsewhere than before, the copies
/// there stay and are no longer counted.
#[utoipa::path(put, path = "/memory-backups/{id}", tag = "memory", params(("id" = BackupId, Path,)), request_body = BackupDraft, responses(
    (status = 200, description = "the backup", body = Backup),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such backup, or a rule hides the namespace", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_backup(
    Caller(ctx): Caller,
    Id(id): Id<BackupId>,
    Body(draft): Body<BackupDraft>,
) -> Result<Json<Backup>, Refusal> {
    Ok(Json(memory::save_backup(&ctx, Some(id), draft).await?))
}

/// Removes a backup. Its copies stay where they are.
#[utoipa::path(delete, path = "/memory-backups/{id}", tag = "memory", params(("id" = BackupId, Path,)), responses(
    (status = 204, description = "it is removed"),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such backup", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn delete_backup(Caller(ctx): Caller, Id(id): Id<BackupId>) -> Result<StatusCode, Refusal> {
    memory::delete_backup(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a backup made at once, within a minute; what came of it stands among its runs then.
#[utoipa::path(post, path = "/memory-backups/{id}/run", tag = "memory", params(("id" = BackupId, Path,)), responses(
    (status = 202, description = "it is made", body = Backup),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such backup", body = Problem),
    (status = 422, description = "it is switched off", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn run_backup(Caller(ctx): Caller, Id(id): Id<BackupId>) -> Result<(StatusCode, Json<Backup>), Refusal> {
    Ok((StatusCode::ACCEPTED, Json(memory::hasten_backup(&ctx, id).await?)))
}

/// Brings a copy back: entries that say something else get a new version, those that are as in the copy stay untouched. With `preview` it
/// says what would come of it.
#[utoipa::path(post, path = "/memory-backups/{id}/restore", tag = "memory", params(("id" = BackupId, Path,)), request_body = BackupRestore, responses(
    (status = 200, description = "what came of the entries", body = RestoreReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "no such backup, or no such copy of it", body = Problem),
    (status = 409, description = "a file of the copy can't be read; what was read before is kept", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn restore_backup(
    Caller(ctx): Caller,
    Id(id): Id<BackupId>,
    Body(asked): Body<BackupRestore>,
) -> Result<Json<RestoreReport>, Refusal> {
    Ok(Json(memory::restore_backup(&ctx, id, &asked).await?))
}
