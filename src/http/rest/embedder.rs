//! `/memory/embedder`: what makes vectors of entries, so that they are found by what they mean; `/embedders`: what could.

use axum::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use crate::http::Caller;
use crate::http::error::{Problem, Refusal};
use crate::memory;
use crate::model::memory::{EmbedTrial, EmbedTried, EmbedderDraft, EmbedderReport, LocalModel};
use crate::runtime::Runtime;

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(get_embedder, put_embedder))
        .routes(routes!(list_local_models))
        .routes(routes!(try_embedder))
}

/// How entries are found: what makes their vectors, if anything, and how far it has come.
#[utoipa::path(get, path = "/memory/embedder", tag = "memory", responses(
    (status = 200, description = "the embedder, and how many entries have their vector", body = EmbedderReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn get_embedder(Caller(ctx): Caller) -> Result<Json<EmbedderReport>, Refusal> {
    Ok(Json(memory::get_embedder(&ctx).await?))
}

/// Sets what makes vectors; a model is tried first. One that serves goes on until another has embedded every entry.
#[utoipa::path(put, path = "/memory/embedder", tag = "memory", request_body = EmbedderDraft, responses(
    (status = 200, description = "the embedder as it is now", body = EmbedderReport),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit, or the model made no vector as a trial", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn put_embedder(Caller(ctx): Caller, Body(draft): Body<EmbedderDraft>) -> Result<Json<EmbedderReport>, Refusal> {
    Ok(Json(memory::set_embedder(&ctx, draft).await?))
}

/// The models of this machine that can make vectors: folders of the setting `embedders`.
#[utoipa::path(get, path = "/embedders", tag = "memory", responses(
    (status = 200, description = "the models, by name; those that can't be used say why", body = Vec<LocalModel>),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn list_local_models(Caller(ctx): Caller) -> Result<Json<Vec<LocalModel>>, Refusal> {
    Ok(Json(memory::list_local_models(&ctx).await?))
}

/// Embeds a text as a trial, by a model or by the one that serves, and says how long that took. Nothing is kept of it.
#[utoipa::path(post, path = "/embedders/test", tag = "memory", request_body = EmbedTrial, responses(
    (status = 200, description = "the numbers of the vector, and the time", body = EmbedTried),
    (status = 401, description = "not signed in", body = Problem),
    (status = 403, description = "the role doesn't allow it, or a cross-site request", body = Problem),
    (status = 413, description = "the body is too large", body = Problem),
    (status = 415, description = "not application/json", body = Problem),
    (status = 422, description = "a field does not fit, or the model made no vector", body = Problem),
    (status = 500, description = "a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn try_embedder(Caller(ctx): Caller, Body(trial): Body<EmbedTrial>) -> Result<Json<EmbedTried>, Refusal> {
    Ok(Json(memory::try_embedder(&ctx, trial).await?))
}
