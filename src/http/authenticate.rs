//! Finds out who asks. Never refuses: what needs somebody asks for a [`Caller`](super::Caller) or `request_ctx()`.
//!
//! A request is somebody's by its access token or its cookie, never by both: when it carries `Authorization`, the cookie
//! is not looked at. Also the one place that knows the cookie's name and attributes.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use axum_extra::extract::CookieJar;

use crate::auth::{self, Client};
use crate::model::ApiError;
use crate::model::credentials::Secret;
use crate::runtime::{Actor, Config, Runtime};

/// How the request proved who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The browser's cookie.
    Cookie,
    /// `Authorization: Bearer`.
    Bearer,
}

/// It could not be found out who asks, because the database did not answer; that is not "nobody".
#[derive(Debug, Clone)]
pub struct Unknown(pub ApiError);

/// Puts [`Client`], and for a valid credential [`Actor`] and [`Credential`], into the request's extensions.
pub async fn authenticate(State(runtime): State<Runtime>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let client = client(&runtime.config, request.headers(), peer);
    match find_actor(&runtime, request.headers()).await {
        Ok(Some((actor, credential))) => {
            request.extensions_mut().insert(actor);
            request.extensions_mut().insert(credential);
        }
        Ok(None) => {}
        Err(error) => {
            request.extensions_mut().insert(Unknown(error.into()));
        }
    }
    request.extensions_mut().insert(client);
    next.run(request).await
}

async fn find_actor(runtime: &Runtime, headers: &HeaderMap) -> auth::Result<Option<(Actor, Credential)>> {
    if headers.contains_key(header::AUTHORIZATION) {
        let Some(token) = bearer(headers) else { return Ok(None) };
        let actor = auth::authenticate_bearer(runtime, token).await?;
        return Ok(actor.map(|actor| (actor, Credential::Bearer)));
    }
    let Some(secret) = cookie(&runtime.config, headers) else {
        return Ok(None);
    };
    let actor = auth::authenticate_cookie(runtime, &secret).await?;
    Ok(actor.map(|actor| (actor, Credential::Cookie)))
}

/// The bearer token; `None` with several `Authorization` headers or another scheme.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The cookie's name: with https the `__Host-` prefix makes browsers refuse it from a sibling domain or without `Secure`.
pub const fn cookie_name(is_https: bool) -> &'static str {
    if is_https { "__Host-weft" } else { "weft" }
}

/// The login session's secret that the browser sent.
pub fn cookie(config: &Config, headers: &HeaderMap) -> Option<String> {
    CookieJar::from_headers(headers).get(cookie_name(config.is_https())).map(|cookie| cookie.value().to_owned())
}

/// The `Set-Cookie` that signs a browser in.
pub fn cookie_to_set(config: &Config, secret: &Secret) -> HeaderValue {
    cookie_line(config, &secret.0, auth::ABSOLUTE_MS / 1000)
}

/// The `Set-Cookie` that makes a browser forget.
pub fn cookie_to_clear(config: &Config) -> HeaderValue {
    cookie_line(config, "", 0)
}

fn cookie_line(config: &Config, value: &str, max_age_s: i64) -> HeaderValue {
    let name = cookie_name(config.is_https());
    let secure = if config.is_https() { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(line).expect("base64url and our own attributes are visible ASCII")
}

/// Where the request came from. `X-Forwarded-For` is believed only from a configured proxy: of its addresses, the last
/// that is not itself such a proxy.
pub fn client(config: &Config, headers: &HeaderMap, peer: Option<IpAddr>) -> Client {
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut address = peer;
    if peer.is_some_and(|peer| config.trusted_proxies.contains(&peer)) {
        let hops = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<IpAddr> =
            hops.flat_map(|value| value.split(',')).map_while(|hop| hop.trim().parse().ok()).collect();
        address = hops.into_iter().rev().find(|hop| !config.trusted_proxies.contains(hop)).or(peer);
    }
    Client {
        address: address.map(|ip| ip.to_canonical().to_string()).unwrap_or_default(),
        user_agent: user_agent.to_owned(),
    }
}
