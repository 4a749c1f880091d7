//! `/master-key`: under which master keys everything is sealed, another one in its place, and the old one given up.

use axum::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Body, Segments};
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::master;
use crate::model::master::{MasterKeyReport, MasterKeyRotation};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(get_master_key)).routes(routes!(rotate)).routes(routes!(retire))
}

/// Under which master keys everything is sealed, and how far a change has come. The keys themselves are shown to nobody.
#[utoipa::path(get, path = "/master-key", tag = "master-key", responses(
    (status = 200, description = "the keys by name, and what is not under the one that seals", body = MasterKeyReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 404, description = "not from the first workspace of the installation", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_master_key(Caller(ctx): Caller) -> Result<Json<MasterKeyReport>, Refusal> {
    Ok(Json(master::status(&ctx).await?))
}

/// Makes a new master key seal: the one that waits in the file of this server, or one that is made now. Everything else follows in
/// the background. With `prepare` a key is made and waits, so that the file can be brought to the other servers first.
#[utoipa::path(post, path = "/master-key/rotate", tag = "master-key", request_body = MasterKeyRotation, responses(
    (status = 200, description = "the keys, and what is still under older ones", body = MasterKeyReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "not from the first workspace of the installation", body = Problem),
    (status = 409, description = "a change goes on, a key waits already, or the file has no room", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit", body = Problem),
    (status = 500, description = "a failure of ours, such as a file that can't be written", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn rotate(Caller(ctx): Caller, Body(how): Body<MasterKeyRotation>) -> Result<Json<MasterKeyReport>, Refusal> {
    Ok(Json(master::rotate(&ctx, how).await?))
}

/// Gives a master key up: it is taken out of the file of this server once nothing is under it.
#[utoipa::path(post, path = "/master-key/{id}/retire", tag = "master-key", params(
    ("id" = String, Path, description = "its name: 16 hexadecimal digits"),
), responses(
    (status = 200, description = "the keys that are left", body = MasterKeyReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 404, description = "this database was never under it", body = Problem),
    (status = 409, description = "it seals, or something may still be under it: says what", body = Problem),
    (status = 500, description = "a failure of ours, such as a file that can't be written", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn retire(Caller(ctx): Caller, Segments(id): Segments<String>) -> Result<Json<MasterKeyReport>, Refusal> {
    Ok(Json(master::retire(&ctx, &id).await?))
}
