//! Texts as vectors.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer::{self, refuse};
use super::body::read_body;
use super::caller::{OpenAi, Program};
use crate::gateway::{self, EmbedOrder};
use crate::model::gateway::{CallSource, Dialect};

/// OpenAI's Embeddings API. `model` is a route, `provider/model`, or a model of OpenAI, a compatible server or Ollama.
///
/// Where a route names several models, only the same one of another provider stands in for the first: vectors of two models say
/// nothing to each other. Errors have OpenAI's shape.
#[utoipa::path(post, path = "/gateway/openai/v1/embeddings", tag = "gateway", params(
    ("x-api-key" = Option<String>, Header, description = "a key of the gateway; or as Authorization: Bearer"),
), request_body(content((Value = "application/json"))), responses(
    (status = 200, description = "a vector for each input", body = Value, headers(
        ("x-weft-route" = String, description = "who answered, and why it was this one"),
        ("x-weft-cost-usd" = String, description = "what it cost; absent for models without a price"),
        ("x-weft-budget" = String, description = "what budgets have to say, such as: Team: 83 % of $10.00"),
        ("x-weft-masked" = String, description = "what was masked before it was asked, such as: email 2; absent for nothing"),
        ("x-weft-overhead-ms" = String, description = "milliseconds that were spent here and not at a provider"),
    )),
    (status = 400, description = "the request does not fit, or the provider makes no vectors", body = Value),
    (status = 401, description = "no valid key", body = Value),
    (status = 403, description = "the role may not call models, or a cross-site request", body = Value),
    (status = 404, description = "no such model", body = Value),
    (status = 413, description = "the request is too large", body = Value),
    (status = 415, description = "not application/json", body = Value),
    (status = 429, description = "too many calls, or a budget is used up (insufficient_quota)", body = Value),
    (status = 500, description = "a failure of ours", body = Value),
    (status = 502, description = "the provider failed", body = Value),
    (status = 503, description = "no provider is set up, or all rest", body = Value),
    (status = 504, description = "the provider did not answer in time", body = Value),
))]
pub(super) async fn embeddings(
    Program(ctx, _): Program<OpenAi>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let request = match read_body(Dialect::OpenAi, &headers, body, gateway::read_embed_request) {
        Ok(request) => request,
        Err(refused) => return *refused,
    };
    let order = EmbedOrder { request, source: CallSource::Proxy, step: None, on_behalf_of: None };
    match gateway::embed(&ctx, order).await {
        Ok(embedded) => answer::give_vectors(&embedded),
        Err(error) => refuse(Dialect::OpenAi, error),
    }
}
