//! Who asks: the one place where a request becomes a [`Ctx`].
//!
//! The authentication layer has put the [`Actor`] into the request's extensions; handlers take it as [`Caller`], server
//! functions by [`request_ctx`].

use axum::extract::{FromRef, FromRequestParts};
use axum::http::Extensions;
use axum::http::request::Parts;

use super::authenticate::Unknown;
use super::error::Refusal;
use crate::model::ApiError;
use crate::runtime::{Actor, Ctx, Runtime, trace};

/// The context of the request that a server function or a page's resource serves.
///
/// # Errors
/// [`ApiError::Unauthenticated`] without a valid credential.
pub async fn request_ctx() -> Result<Ctx, ApiError> {
    let runtime = leptos::prelude::expect_context::<Runtime>();
    let parts = leptos::prelude::expect_context::<Parts>();
    from_parts(&runtime, &parts)
}

fn from_parts(runtime: &Runtime, parts: &Parts) -> Result<Ctx, ApiError> {
    Ok(runtime.as_actor(actor(&parts.extensions)?.clone(), trace::current_id()))
}

/// Whom the authentication layer found.
pub(super) fn actor(extensions: &Extensions) -> Result<&Actor, ApiError> {
    if let Some(Unknown(error)) = extensions.get() {
        return Err(error.clone());
    }
    extensions.get::<Actor>().ok_or_else(|| ApiError::Unauthenticated {
        detail: "sign in first; no valid session or token came with the request".to_owned(),
    })
}

/// The context of a REST request. Listed first among a handler's arguments, so that nobody unknown gets a body parsed.
#[derive(Debug)]
pub struct Caller(pub Ctx);

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Runtime: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        Ok(Self(from_parts(&Runtime::from_ref(state), parts)?))
    }
}
