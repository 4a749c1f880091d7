//! `/hooks/{workflow}/{token}`: calls from outside. Nobody signs in here: the token in the path says which webhook is
//! called, and the signature who calls.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Segments;
use crate::auth::Client;
use crate::http::error::{Problem, Refusal, bare};
use crate::model::RunId;
use crate::model::workflow::RunStatus;
use crate::runtime::Runtime;
use crate::trigger::{self, Call, Error, MAX_BODY_BYTES, Reception};

/// The routes of this file.
pub fn router() -> OpenApiRouter<Runtime> {
    OpenApiRouter::new().routes(routes!(call))
}

/// A run that a call started.
#[derive(Debug, Serialize, ToSchema)]
struct CallAccepted {
    /// Its id.
    run_id: RunId,
}

/// Calls a webhook: starts a run of its workflow.
///
/// A body of JSON (or a form) becomes the inputs, as the webhook's settings say. `webhook-id` (or `idempotency-key`) makes a
/// repeat known for a day. Where the webhook asks for it, calls are signed as in the Standard Webhooks convention.
#[utoipa::path(post, path = "/hooks/{workflow}/{token}", tag = "hooks", security(()), params(
    ("workflow" = String, Path, description = "the workflow's id"),
    ("token" = String, Path, description = "the webhook's token"),
    ("webhook-id" = Option<String>, Header, description = "the same id gives the same run; at most 128 visible characters"),
    ("webhook-timestamp" = Option<String>, Header, description = "seconds since 1970, of a signed call"),
    ("webhook-signature" = Option<String>, Header, description = "`v1,` and the base64 of an HMAC-SHA256 over `id.timestamp.body`"),
), request_body(content((Value = "application/json"), (Value = "application/x-www-form-urlencoded"))), responses(
    (status = 200, description = "the call came before, or the run's `respond` step or its end is the answer", body = CallAccepted),
    (status = 202, description = "the run goes on", body = CallAccepted),
    (status = 401, description = "the call is not signed as it must be", body = Problem),
    (status = 403, description = "a cross-site request", body = Problem),
    (status = 404, description = "no such webhook", body = Problem),
    (status = 409, description = "the workflow is not published", body = Problem),
    (status = 413, description = "the body is over 1 MiB", body = Problem),
    (status = 415, description = "neither JSON nor a form", body = Problem),
    (status = 422, description = "the body is no JSON, or the inputs don't fit", body = Problem),
    (status = 429, description = "too many calls", body = Problem),
    (status = 500, description = "the run ended badly before it answered, or a failure of ours", body = Problem),
    (status = 503, description = "not now", body = Problem),
))]
async fn call(
    State(runtime): State<Runtime>,
    Extension(client): Extension<Client>,
    Segments((workflow, token)): Segments<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let call = Call {
        workflow,
        token,
        headers: texts(&parts.headers),
        query: query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        body: to_bytes(body, MAX_BODY_BYTES).await.ok().map(|bytes| bytes.to_vec()),
        address: client.address,
    };
    match trigger::receive(&runtime, call).await {
        Ok(reception) => Ok(answer(reception)),
        Err(Error::MediaType) => {
            let detail = Error::MediaType.to_string();
            Ok(bare(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", detail))
        }
        Err(error) => Err(error.into()),
    }
}

/// The headers that are text.
fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text =
        |(name, value): (&HeaderName, &HeaderValue)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()));
    headers.iter().filter_map(text).collect()
}

fn answer(reception: Reception) -> Response {
    match reception {
        Reception::Accepted(run_id) => (StatusCode::ACCEPTED, Json(CallAccepted { run_id })).into_response(),
        Reception::Repeated(run_id) => Json(CallAccepted { run_id }).into_response(),
        Reception::Answered(_, output) => answered(&output),
        Reception::Ended(run_id, RunStatus::Succeeded, output) => {
            Json(json!({"run_id": run_id, "status": "succeeded", "output": output})).into_response()
        }
        Reception::Ended(run_id, status, _) => {
            let detail = format!("the run {run_id} ended without an answer: it is {}", status.as_str());
            bare(StatusCode::INTERNAL_SERVER_ERROR, "Run ended", detail)
        }
    }
}

/// What a `respond` step said. A browser that gets it runs nothing of it under this server's name.
fn answered(output: &Value) -> Response {
    let status = output["status"].as_u64().and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok());
    let mut response = match (output.get("json"), output.get("body")) {
        (Some(json), _) => Json(json).into_response(),
        (None, Some(Value::String(text))) => text.clone().into_response(),
        (None, Some(other)) => Json(other).into_response(),
        (None, None) => ().into_response(),
    };
    *response.status_mut() = status.unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    for (name, value) in output["headers"].as_object().into_iter().flatten() {
        let pair = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str().unwrap_or_default()));
        if let (Ok(name), Ok(value)) = pair {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    response
}
