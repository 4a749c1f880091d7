//! Who a program is: the one place where the gateway's endpoints look at credentials.

use std::marker::PhantomData;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::answer::{refuse, refuse_with};
use crate::gateway;
use crate::http::request_ctx::actor;
use crate::model::ApiError;
use crate::model::gateway::Dialect;
use crate::runtime::{Ctx, Runtime, trace};

/// In which dialect the program is refused.
pub(super) trait Speaks {
    /// That one.
    const DIALECT: Dialect;
}

/// Anthropic's.
#[derive(Debug)]
pub(super) struct Anthropic;
/// OpenAI's.
#[derive(Debug)]
pub(super) struct OpenAi;

impl Speaks for Anthropic {
    const DIALECT: Dialect = Dialect::Anthropic;
}

impl Speaks for OpenAi {
    const DIALECT: Dialect = Dialect::OpenAi;
}

/// The context of a program's request. Listed first among a handler's arguments, so that nobody unknown gets a body read.
#[derive(Debug)]
pub(super) struct Program<D>(pub Ctx, pub PhantomData<D>);

impl<S: Send + Sync, D: Speaks> FromRequestParts<S> for Program<D>
where
    Runtime: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let runtime = Runtime::from_ref(state);
        let unknown = |message: &str| refuse_with(D::DIALECT, StatusCode::UNAUTHORIZED, message);
        let sent = match sent(&parts.headers) {
            Ok(sent) => sent,
            Err(message) => return Err(unknown(message)),
        };
        if let Some(secret) = &sent {
            match gateway::authenticate(&runtime, secret).await {
                Ok(Some(actor)) => return Ok(Self(runtime.as_actor(actor, trace::current_id()), PhantomData)),
                Ok(None) => {}
                Err(error) => return Err(refuse(D::DIALECT, error)),
            }
        }
        // A person, by an access token or the browser's cookie; a key that is wrong is not made good by a cookie.
        let by_header = parts.headers.contains_key("x-api-key");
        match actor(&parts.extensions) {
            Ok(actor) if !by_header => Ok(Self(runtime.as_actor(actor.clone(), trace::current_id()), PhantomData)),
            Err(ApiError::Unavailable { detail, .. }) => {
                Err(refuse_with(D::DIALECT, StatusCode::SERVICE_UNAVAILABLE, &detail))
            }
            _ if sent.is_some() => Err(unknown("this key is unknown or has ended")),
            _ => Err(unknown("send a key of the gateway as x-api-key or Authorization: Bearer")),
        }
    }
}

/// The credential that came, by whichever header. Two that differ are one too many.
fn sent(headers: &HeaderMap) -> Result<Option<String>, &'static str> {
    let mut found: Option<String> = None;
    let keys = headers.get_all("x-api-key").iter().map(|value| value.to_str().ok().map(str::to_owned));
    let tokens = headers.get_all(header::AUTHORIZATION).iter().map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    for value in keys.chain(tokens) {
        let value = value.ok_or("expected a key as x-api-key, or as Authorization: Bearer")?;
        if found.replace(value.clone()).is_some_and(|other| other != value) {
            return Err("expected one key, found several that differ");
        }
    }
    Ok(found)
}
