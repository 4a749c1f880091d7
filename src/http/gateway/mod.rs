//! The gateway as programs see it that are pointed at it: the providers' own wires, errors included.
//!
//! Who asks is proved by a key of the gateway, as `x-api-key` or `Authorization: Bearer`, whichever the program sends; people
//! may use their own access token. One extractor ([`caller::Program`]) reads both. Everything else is `crate::gateway`'s.

mod answer;
mod body;
mod caller;
mod count;
mod embeddings;
mod limits;
mod wish;

use axum::Json;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use answer::refuse;
use body::{BODY_LIMIT, betas, read_body, session};
use caller::{Anthropic, OpenAi, Program};
use wish::{cache_wish, context_wish, is_held};

use crate::gateway::{self, Envelope, Order};
use crate::model::gateway::{CallSource, Dialect};
use crate::runtime::{Ctx, Runtime};

/// The routes of this folder.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new()
        .routes(routes!(messages))
        .routes(routes!(anthropic_models))
        .routes(routes!(count::count_tokens))
        .routes(routes!(chat_completions))
        .routes(routes!(responses))
        .routes(routes!(count::count_input_tokens))
        .routes(routes!(embeddings::embeddings))
        .routes(routes!(openai_models))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// Anthropic's Messages API. `model` is a route, `provider/model`, or a model; the provider may be of any kind.
///
/// With `stream` the answer is a stream of events. Errors have Anthropic's shape.
#[utoipa::path(post, path = "/gateway/anthropic/v1/messages", tag = "gateway", params(
    ("x-api-key" = Option<String>, Header, description = "a key of the gateway; or as Authorization: Bearer"),
    ("x-weft-session" = Option<String>, Header, description = "calls with the same session can stay with one model of a route"),
    ("x-weft-stream" = Option<String>, Header, description = "`whole`: a stream is handed on once it is whole, and asked for again where it breaks off"),
    ("anthropic-beta" = Option<String>, Header, description = "passed on to providers that speak the same dialect"),
    ("x-weft-cache" = Option<String>, Header, description = "on, no-store, no-cache, exact, only-if-cached, max-age=SECONDS, with commas between"),
    ("x-weft-context" = Option<String>, Header, description = "what is done with a conversation that is too long: refuse, prune or summarize, window=TOKENS, keep=MESSAGES, pin=N, with commas between"),
    ("x-weft-depends-on" = Option<String>, Header, description = "what a kept answer depends on: a JSON list of kind, id and fingerprint"),
), request_body(content((Value = "application/json"))), responses(
    (status = 200, description = "the answer, or a stream of events", content((Value = "application/json"), (String = "text/event-stream")),
        headers(
            ("x-weft-route" = String, description = "who answered, and why it was this one"),
            ("x-weft-cost-usd" = String, description = "what it cost; absent for streams and for models without a price"),
            ("x-weft-budget" = String, description = "what budgets have to say, such as: Team: 83 % of $10.00"),
            ("x-weft-cache" = String, description = "hit, semantic for the answer to a question that means the same, miss, or off when the cache was not asked"),
            ("x-weft-cache-similarity" = String, description = "how like that question is, from 0 to 1; only with semantic"),
            ("x-weft-masked" = String, description = "what was masked before it was asked, such as: email 2; absent for nothing"),
            ("x-weft-context" = String, description = "what was left out of the conversation, such as: pruned; turns=12, results=3, tokens=34000, window=100000; absent for nothing"),
            ("x-weft-notice" = String, description = "what was left out or said in another way, of the request or of the answer, because who answers speaks another dialect; absent for nothing. What a stream loses is told by a comment before its end"),
            ("x-weft-overhead-ms" = String, description = "milliseconds that were spent here and not at a provider"),
        )),
    (status = 400, description = "the request does not fit", body = Value),
    (status = 401, description = "no valid key", body = Value),
    (status = 402, description = "a budget is used up", body = Value),
    (status = 403, description = "the role may not call models, or a cross-site request", body = Value),
    (status = 404, description = "no such model", body = Value),
    (status = 413, description = "the request is too large", body = Value),
    (status = 415, description = "not application/json", body = Value),
    (status = 429, description = "too many calls", body = Value),
    (status = 500, description = "a failure of ours", body = Value),
    (status = 502, description = "the provider failed", body = Value),
    (status = 503, description = "no provider is set up, or all rest", body = Value),
    (status = 504, description = "the provider did not answer in time, or nothing is kept and only-if-cached was said", body = Value),
    (status = 529, description = "the provider is overloaded", body = Value),
))]
async fn messages(
    Program(ctx, _): Program<Anthropic>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    serve(ctx, Dialect::Anthropic, &headers, body).await
}

/// OpenAI's Chat Completions API. `model` is a route, `provider/model`, or a model; the provider may be of any kind.
///
/// With `stream` the answer is a stream of events. Errors have OpenAI's shape.
#[utoipa::path(post, path = "/gateway/openai/v1/chat/completions", tag = "gateway", params(
    ("x-api-key" = Option<String>, Header, description = "a key of the gateway; or as Authorization: Bearer"),
    ("x-weft-session" = Option<String>, Header, description = "calls with the same session can stay with one model of a route"),
    ("x-weft-stream" = Option<String>, Header, description = "`whole`: a stream is handed on once it is whole, and asked for again where it breaks off"),
    ("x-weft-cache" = Option<String>, Header, description = "on, no-store, no-cache, exact, only-if-cached, max-age=SECONDS, with commas between"),
    ("x-weft-context" = Option<String>, Header, description = "what is done with a conversation that is too long: refuse, prune or summarize, window=TOKENS, keep=MESSAGES, pin=N, with commas between"),
    ("x-weft-depends-on" = Option<String>, Header, description = "what a kept answer depends on: a JSON list of kind, id and fingerprint"),
), request_body(content((Value = "application/json"))), responses(
    (status = 200, description = "the answer, or a stream of events", content((Value = "application/json"), (String = "text/event-stream")),
        headers(
            ("x-weft-route" = String, description = "who answered, and why it was this one"),
            ("x-weft-cost-usd" = String, description = "what it cost; absent for streams and for models without a price"),
            ("x-weft-budget" = String, description = "what budgets have to say, such as: Team: 83 % of $10.00"),
            ("x-weft-cache" = String, description = "hit, semantic for the answer to a question that means the same, miss, or off when the cache was not asked"),
            ("x-weft-cache-similarity" = String, description = "how like that question is, from 0 to 1; only with semantic"),
            ("x-weft-masked" = String, description = "what was masked before it was asked, such as: email 2; absent for nothing"),
            ("x-weft-context" = String, description = "what was left out of the conversation, such as: pruned; turns=12, results=3, tokens=34000, window=100000; absent for nothing"),
            ("x-weft-notice" = String, description = "what was left out or said in another way, of the request or of the answer, because who answers speaks another dialect; absent for nothing. What a stream loses is told by a comment before its end"),
            ("x-weft-overhead-ms" = String, description = "milliseconds that were spent here and not at a provider"),
        )),
    (status = 400, description = "the request does not fit", body = Value),
    (status = 401, description = "no valid key", body = Value),
    (status = 403, description = "the role may not call models, or a cross-site request", body = Value),
    (status = 404, description = "no such model", body = Value),
    (status = 413, description = "the request is too large", body = Value),
    (status = 415, description = "not application/json", body = Value),
    (status = 429, description = "too many calls, or a budget is used up (insufficient_quota)", body = Value),
    (status = 500, description = "a failure of ours", body = Value),
    (status = 502, description = "the provider failed", body = Value),
    (status = 503, description = "no provider is set up, or all rest", body = Value),
    (status = 504, description = "the provider did not answer in time, or nothing is kept and only-if-cached was said", body = Value),
))]
async fn chat_completions(
    Program(ctx, _): Program<OpenAi>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    serve(ctx, Dialect::OpenAi, &headers, body).await
}

/// OpenAI's Responses API. `model` is a route, `provider/model`, or a model; the provider may be of any kind.
///
/// Nothing is kept between two calls: `previous_response_id`, `conversation` and `background` are refused, and `store` is answered
/// with false. With `stream` the answer is a stream of events. Errors have OpenAI's shape.
#[utoipa::path(post, path = "/gateway/openai/v1/responses", tag = "gateway", params(
    ("x-api-key" = Option<String>, Header, description = "a key of the gateway; or as Authorization: Bearer"),
    ("x-weft-session" = Option<String>, Header, description = "calls with the same session can stay with one model of a route"),
    ("x-weft-stream" = Option<String>, Header, description = "`whole`: a stream is handed on once it is whole, and asked for again where it breaks off"),
    ("x-weft-cache" = Option<String>, Header, description = "on, no-store, no-cache, exact, only-if-cached, max-age=SECONDS, with commas between"),
    ("x-weft-context" = Option<String>, Header, description = "what is done with a conversation that is too long: refuse, prune or summarize, window=TOKENS, keep=MESSAGES, pin=N, with commas between"),
    ("x-weft-depends-on" = Option<String>, Header, description = "what a kept answer depends on: a JSON list of kind, id and fingerprint"),
), request_body(content((Value = "application/json"))), responses(
    (status = 200, description = "the answer, or a stream of events", content((Value = "application/json"), (String = "text/event-stream")),
        headers(
            ("x-weft-route" = String, description = "who answered, and why it was this one"),
            ("x-weft-cost-usd" = String, description = "what it cost; absent for streams and for models without a price"),
            ("x-weft-budget" = String, description = "what budgets have to say, such as: Team: 83 % of $10.00"),
            ("x-weft-cache" = String, description = "hit, semantic for the answer to a question that means the same, miss, or off when the cache was not asked"),
            ("x-weft-cache-similarity" = String, description = "how like that question is, from 0 to 1; only with semantic"),
            ("x-weft-masked" = String, description = "what was masked before it was asked, such as: email 2; absent for nothing"),
            ("x-weft-context" = String, description = "what was left out of the conversation, such as: pruned; turns=12, results=3, tokens=34000, window=100000; absent for nothing"),
            ("x-weft-notice" = String, description = "what was left out or said in another way, of the request or of the answer, because who answers speaks another dialect; absent for nothing. What a stream loses is told by a comment before its end"),
            ("x-weft-overhead-ms" = String, description = "milliseconds that were spent here and not at a provider"),
        )),
    (status = 400, description = "the request does not fit", body = Value),
    (status = 401, description = "no valid key", body = Value),
    (status = 403, description = "the role may not call models, or a cross-site request", body = Value),
    (status = 404, description = "no such model", body = Value),
    (status = 413, description = "the request is too large", body = Value),
    (status = 415, description = "not application/json", body = Value),
    (status = 429, description = "too many calls, or a budget is used up (insufficient_quota)", body = Value),
    (status = 500, description = "a failure of ours", body = Value),
    (status = 502, description = "the provider failed", body = Value),
    (status = 503, description = "no provider is set up, or all rest", body = Value),
    (status = 504, description = "the provider did not answer in time, or nothing is kept and only-if-cached was said", body = Value),
))]
async fn responses(
    Program(ctx, _): Program<OpenAi>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    serve(ctx, Dialect::Responses, &headers, body).await
}

/// The names that may be asked for, as Anthropic lists models.
#[utoipa::path(get, path = "/gateway/anthropic/v1/models", tag = "gateway", responses(
    (status = 200, description = "the names", body = Value),
    (status = 401, description = "no valid key", body = Value),
    (status = 403, description = "the role may not call models", body = Value),
    (status = 500, description = "a failure of ours", body = Value),
    (status = 503, description = "not now", body = Value),
))]
async fn anthropic_models(Program(ctx, _): Program<Anthropic>) -> Response {
    match gateway::list_models(&ctx).await {
        Ok(names) => {
            let model = |name: &String| json!({"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"});
            let data: Vec<Value> = names.iter().map(model).collect();
            let (first, last) = (names.first(), names.last());
            Json(json!({"data": data, "has_more": false, "first_id": first, "last_id": last})).into_response()
        }
        Err(error) => refuse(Dialect::Anthropic, error),
    }
}

/// The names that may be asked for, as OpenAI lists models.
#[utoipa::path(get, path = "/gateway/openai/v1/models", tag = "gateway", responses(
    (status = 200, description = "the names", body = Value),
    (status = 401, description = "no valid key", body = Value),
    (status = 403, description = "the role may not call models", body = Value),
    (status = 500, description = "a failure of ours", body = Value),
    (status = 503, description = "not now", body = Value),
))]
async fn openai_models(Program(ctx, _): Program<OpenAi>) -> Response {
    match gateway::list_models(&ctx).await {
        Ok(names) => {
            let model = |name: &String| json!({"id": name, "object": "model", "created": 0, "owned_by": "weft"});
            let data: Vec<Value> = names.iter().map(model).collect();
            Json(json!({"object": "list", "data": data})).into_response()
        }
        Err(error) => refuse(Dialect::OpenAi, error),
    }
}

/// One call of a model, in the dialect of whoever asks.
async fn serve(ctx: Ctx, dialect: Dialect, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let read = |body| gateway::read_request(dialect, body);
    let mut request = match read_body(dialect, headers, body, read) {
        Ok(request) => request,
        Err(refused) => return *refused,
    };
    request.betas = betas(headers);
    request.session = session(headers);
    let (cache, context) = match (cache_wish(headers), context_wish(headers), is_held(headers)) {
        (Ok(cache), Ok(context), Ok(held)) => {
            request.held = held;
            (cache, context)
        }
        (Err(fault), ..) | (_, Err(fault), _) | (.., Err(fault)) => return refuse(dialect, fault.into()),
    };
    let envelope = Envelope::new(&request, ctx.clock.now());
    let order =
        Order { request, source: CallSource::Proxy, step: None, agent: None, on_behalf_of: None, cache, context };
    match gateway::call(&ctx, order).await {
        Ok(answered) => answer::give(dialect, answered, envelope),
        Err(error) => refuse(dialect, error),
    }
}
