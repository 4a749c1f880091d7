//! A REST call's body and its ids, with our own errors: `application/problem+json`, naming the field.

use std::fmt;
use std::marker::PhantomData;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::http::error::{Refusal, bare};
use crate::model::workflow::Definition;
use crate::model::{ApiError, FieldError};
use crate::workflow::definitions::file;

/// A JSON body. 415 for another media type, 413 over the limit, 422 for what doesn't fit.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::<Object<T>>::from_request(request, state).await {
            Ok(Json(Object(body))) => Ok(Self(body)),
            Err(rejection) => Err(refuse(&rejection)),
        }
    }
}

/// A JSON object, and nothing that could be taken for one: serde reads a struct from an array too, by the order of its
/// fields, and nobody means that.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

fn refuse(rejection: &JsonRejection) -> Response {
    if matches!(rejection, JsonRejection::MissingJsonContentType(_)) {
        return unsupported("application/json");
    }
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    // The text names the field, the place and what was expected, and nothing of ours.
    let text = rejection.body_text();
    let message = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
    let pointer = field(message);
    let fields = vec![FieldError::new(pointer, message)];
    Refusal(ApiError::Invalid { detail: format!("the body does not fit: {message}"), fields }).into_response()
}

fn too_large() -> Response {
    Refusal(ApiError::TooLarge { detail: "the body is over the size limit".to_owned() }).into_response()
}

/// How serde begins to say that a name is there twice.
const DUPLICATE: &str = "duplicate field `";

/// The JSON pointer of the field that serde's message begins with (`role: unknown variant …`) or names (`` missing field `x` ``).
fn field(message: &str) -> String {
    let named = ["missing field `", "unknown field `", DUPLICATE].iter().find_map(|start| message.strip_prefix(start));
    if let Some((name, _)) = named.and_then(|rest| rest.split_once('`')) {
        return format!("/{name}");
    }
    match message.split_once(": ") {
        Some((path, _)) if !path.contains(' ') => format!("/{}", path.replace(['.', '['], "/").replace(']', "")),
        _ => String::new(),
    }
}

/// 415, with what fits instead.
fn unsupported(expected: &str) -> Response {
    bare(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", format!("expected a body of {expected}"))
}

/// A definition as JSON or YAML, by the content type.
#[derive(Debug)]
pub struct DefinitionBody(pub Definition);

/// The media types of YAML: RFC 9512, and what was sent before it.
const YAML: [&str; 4] = ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"];

impl<S: Send + Sync> FromRequest<S> for DefinitionBody {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/json") {
            return Body::from_request(request, state).await.map(|Body(definition)| Self(definition));
        }
        if !YAML.iter().any(|yaml| media_type.eq_ignore_ascii_case(yaml)) {
            return Err(unsupported("application/json or application/yaml"));
        }
        let text = String::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                too_large()
            } else {
                Refusal(ApiError::invalid("", "expected UTF-8 text")).into_response()
            }
        })?;
        file::parse(&text).map(Self).map_err(|error| Refusal::from(error).into_response())
    }
}

/// The parameters of the query. What doesn't fit, and what nobody knows, is refused: 422.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|rejection| {
            let text = rejection.body_text();
            let message = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
            let (name, message) = parameter(message);
            Refusal(ApiError::invalid(name, message))
        })
    }
}

/// The parameter that serde's message is about, and what is wrong with it.
fn parameter(message: &str) -> (String, &str) {
    // As the path of a body's field, without the slash: a parameter's name.
    let name = field(message).trim_start_matches('/').to_owned();
    let rest = message.strip_prefix(&format!("{name}: ")).unwrap_or(message);
    let rest = if rest.starts_with(DUPLICATE) { "given more than once; expected one value" } else { rest };
    (name, rest)
}

/// An id in the path. Text that is no UUID names nothing: 404.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id))
            .map_err(|_| Refusal(ApiError::NotFound { detail: "the id in the path is no UUID".to_owned() }))
    }
}

/// Several places in the path, such as an id and a number. What fits none of them names nothing: 404.
#[derive(Debug)]
pub struct Segments<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(places)| Self(places))
            .map_err(|_| Refusal(ApiError::NotFound { detail: "nothing can have this path".to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_not_taken_for_an_object() {
        #[derive(Debug, Deserialize)]
        struct Limits {
            most: Option<u32>,
        }
        let read = |text: &str| serde_json::from_str::<Object<Limits>>(text).map(|Object(limits)| limits.most);
        assert_eq!(read(r#"{"most": 3}"#).unwrap(), Some(3));
        assert_eq!(read("{}").unwrap(), None);
        let refused = read("[3]").unwrap_err().to_string();
        assert!(refused.starts_with("invalid type: sequence, expected an object"), "{refused}");
    }

    #[test]
    fn the_field_is_named_as_a_pointer() {
        assert_eq!(field("missing field `email` at line 1 column 2"), "/email");
        assert_eq!(field("steps[2].id: invalid type: integer `5`, expected a string"), "/steps/2/id");
        assert_eq!(field("EOF while parsing an object at line 1 column 9"), "");
    }

    #[test]
    fn a_parameter_is_named_without_a_slash() {
        let check = |message: &str, name: &str, rest: &str| assert_eq!(parameter(message), (name.to_owned(), rest));
        check("limit: expected 1 to 200", "limit", "expected 1 to 200");
        check("duplicate field `status`", "status", "given more than once; expected one value");
        check("status: duplicate field `status`", "status", "given more than once; expected one value");
    }
}
