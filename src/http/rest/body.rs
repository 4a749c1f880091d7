//! A REST call's body and its ids, with our own errors: `application/problem+json`, naming the field.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::http::error::{Problem, Refusal};
use crate::model::{ApiError, FieldError};
use crate::runtime::trace;

/// A JSON body. 415 for another media type, 413 over the limit, 422 for what doesn't fit.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refuse(&rejection)),
        }
    }
}

fn refuse(rejection: &JsonRejection) -> Response {
    if matches!(rejection, JsonRejection::MissingJsonContentType(_)) {
        return unsupported();
    }
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal(ApiError::TooLarge {
            detail: "the body is over the size limit".to_owned(),
        })
        .into_response();
    }
    // The text names the field, the place and what was expected, and nothing of ours.
    let text = rejection.body_text();
    let message = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
    let pointer = field(message);
    let fields = vec![FieldError::new(pointer, message)];
    Refusal(ApiError::Invalid {
        detail: format!("the body does not fit: {message}"),
        fields,
    })
    .into_response()
}

/// The JSON pointer of the field that serde's message begins with (`role: unknown variant …`) or names (`` missing field `x` ``).
fn field(message: &str) -> String {
    let named = message
        .strip_prefix("missing field `")
        .or_else(|| message.strip_prefix("unknown field `"));
    if let Some((name, _)) = named.and_then(|rest| rest.split_once('`')) {
        return format!("/{name}");
    }
    match message.split_once(": ") {
        Some((path, _)) if !path.contains(' ') => format!("/{}", path.replace(['.', '['], "/").replace(']', "")),
        _ => String::new(),
    }
}

fn unsupported() -> Response {
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let problem = Problem {
        kind: "about:blank",
        title: "Unsupported media type",
        status: status.as_u16(),
        detail: "expected a body of application/json".to_owned(),
        trace_id: trace::current_id(),
        errors: Vec::new(),
    };
    let content_type = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    (status, [content_type], Json(problem)).into_response()
}

/// An id in the path. Text that is no UUID names nothing: 404.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id)).map_err(|_| {
            Refusal(ApiError::NotFound {
                detail: "the id in the path is no UUID".to_owned(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_named_as_a_pointer() {
        assert_eq!(field("missing field `email` at line 1 column 2"), "/email");
        assert_eq!(
            field("steps[2].id: invalid type: integer `5`, expected a string"),
            "/steps/2/id"
        );
        assert_eq!(field("EOF while parsing an object at line 1 column 9"), "");
    }
}
