//! Tokens of a request, counted before it is made.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer::{self, refuse};
use super::body::{betas, read_body};
use super::caller::{Anthropic, OpenAi, Program};
use crate::gateway;
use crate::model::gateway::Dialect;

/// Anthropic's Token Count API: how many tokens a request would have.
///
/// Anthropic counts itself where it would answer. A model whose vocabulary is published is counted here by that; for all others the
/// number is an estimate. `x-weft-count` says which. It costs nothing and is not kept.
#[utoipa::path(post, path = "/gateway/anthropic/v1/messages/count_tokens", tag = "gateway", params(
    ("x-api-key" = Option<String>, Header, description = "a key of the gateway; or as Authorization: Bearer"),
    ("anthropic-beta" = Option<String>, Header, description = "passed on to providers that speak the same dialect"),
), request_body(content((Value = "application/json"))), responses(
    (status = 200, description = "the number of tokens", body = Value,
        headers(("x-weft-count" = String, description = "whose number it is: provider, tokenizer (counted here by the model's own vocabulary) or estimate"))),
    (status = 400, description = "the request does not fit", body = Value),
    (status = 401, description = "no valid key", body = Value),
    (status = 403, description = "the role may not call models, or a cross-site request", body = Value),
    (status = 404, description = "no such model", body = Value),
    (status = 413, description = "the request is too large", body = Value),
    (status = 415, description = "not application/json", body = Value),
    (status = 500, description = "a failure of ours", body = Value),
    (status = 503, description = "no provider is set up", body = Value),
))]
pub(super) async fn count_tokens(
    Program(ctx, _): Program<Anthropic>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let mut request = match read_body(Dialect::Anthropic, &headers, body, gateway::read_count_request) {
        Ok(request) => request,
        Err(refused) => return *refused,
    };
    request.betas = betas(&headers);
    match gateway::count_tokens(&ctx, request).await {
        Ok(counted) => answer::give_count(counted),
        Err(error) => refuse(Dialect::Anthropic, error),
    }
}

/// OpenAI's token count of the Responses API: how many tokens a request would have.
///
/// Who counts is said by `x-weft-count`, as for Anthropic's. It costs nothing and is not kept.
#[utoipa::path(post, path = "/gateway/openai/v1/responses/input_tokens", tag = "gateway", params(
    ("x-api-key" = Option<String>, Header, description = "a key of the gateway; or as Authorization: Bearer"),
), request_body(content((Value = "application/json"))), responses(
    (status = 200, description = "the number of tokens", body = Value,
        headers(("x-weft-count" = String, description = "whose number it is: provider, tokenizer (counted here by the model's own vocabulary) or estimate"))),
    (status = 400, description = "the request does not fit", body = Value),
    (status = 401, description = "no valid key", body = Value),
    (status = 403, description = "the role may not call models, or a cross-site request", body = Value),
    (status = 404, description = "no such model", body = Value),
    (status = 413, description = "the request is too large", body = Value),
    (status = 415, description = "not application/json", body = Value),
    (status = 500, description = "a failure of ours", body = Value),
    (status = 503, description = "no provider is set up", body = Value),
))]
pub(super) async fn count_input_tokens(
    Program(ctx, _): Program<OpenAi>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let read = |body| gateway::read_request(Dialect::Responses, body);
    let request = match read_body(Dialect::Responses, &headers, body, read) {
        Ok(request) => request,
        Err(refused) => return *refused,
    };
    match gateway::count_tokens(&ctx, request).await {
        Ok(counted) => answer::give_input_count(counted),
        Err(error) => refuse(Dialect::Responses, error),
    }
}
