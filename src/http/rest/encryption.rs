//! `/memory/encryption`: under which keys the memory rests, and a new one.

use axum::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::EncryptionReport;
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(get_encryption)).routes(routes!(rotate))
}

/// Under which keys the memory rests, and how far a change of them has come.
#[utoipa::path(get, path = "/memory/encryption", tag = "memory", responses(
    (status = 200, description = "the keys, and how much is under the newest one", body = EncryptionReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_encryption(Caller(ctx): Caller) -> Result<Json<EncryptionReport>, Refusal> {
    Ok(Json(memory::get_encryption(&ctx).await?))
}

/// Makes a new key for the memory: what is written from now on is under it, everything else follows in the background, and the keys
/// before it are deleted once nothing is under them.
#[utoipa::path(post, path = "/memory/encryption/rotate", tag = "memory", responses(
    (status = 200, description = "the new key, and how much is under it", body = EncryptionReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 409, description = "too many keys are still in use", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn rotate(Caller(ctx): Caller) -> Result<Json<EncryptionReport>, Refusal> {
    Ok(Json(memory::rotate_data_key(&ctx).await?))
}
