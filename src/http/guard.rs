//! Refuses what another site makes a browser send, and what reaches us under a foreign name.
//!
//! Server functions are public endpoints, and a cookie goes along with any request to us. So every unsafe request that a
//! browser may have been tricked into must prove that it comes from our own pages: `Sec-Fetch-Site: same-origin`, or, from
//! a browser too old for it, an `Origin` equal to ours. Exempt is only what carries neither a cookie nor any sign of a
//! browser, and is no server function: an API client with its own credential. No safe method changes anything.
//!
//! The `Host` must be ours as well: a name that an attacker points at our address (DNS rebinding) would be same-origin.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::authenticate;
use super::error::Refusal;
use crate::model::ApiError;
use crate::runtime::{Config, Runtime};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The outermost layer that knows the configuration: nothing is read or looked up before it.
pub async fn guard(State(runtime): State<Runtime>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_probe = matches!(path, "/healthz" | "/readyz");
    let refused = if !is_probe && !is_our_host(request.headers(), request.uri(), &runtime.config) {
        Some("this server answers under another name; open it at its own address")
    } else if !is_same_site(request.method(), path, request.headers(), &runtime.config) {
        Some("the request did not come from this site's own pages")
    } else {
        None
    };
    let Some(detail) = refused else {
        return next.run(request).await;
    };
    // A webhook's path ends in its token.
    let path = if path.starts_with("/api/v1/hooks/") { "/api/v1/hooks/…" } else { path };
    tracing::warn!(
        method = %request.method(),
        path,
        host = ?request.headers().get(header::HOST),
        origin = ?request.headers().get(header::ORIGIN),
        detail,
        "request refused"
    );
    Refusal(ApiError::Forbidden { detail: detail.to_owned() }).into_response()
}

/// Whether the request comes from one of our own pages: for the upgrade of a WebSocket, and for unsafe methods.
pub fn same_origin(headers: &HeaderMap, config: &Config) -> bool {
    match single(headers, SEC_FETCH_SITE) {
        Header::One(site) => site == "same-origin",
        Header::Many => false,
        Header::None => match single(headers, header::ORIGIN.as_str()) {
            Header::One(origin) => is_our_origin(origin, headers, config),
            Header::Many | Header::None => false,
        },
    }
}

fn is_same_site(method: &Method, path: &str, headers: &HeaderMap, config: &Config) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let has_cookie = authenticate::cookie(config, headers).is_some();
    let has_token = headers.contains_key(header::AUTHORIZATION);
    let is_server_fn = path == "/rpc" || path.starts_with("/rpc/");
    let is_browser = headers.contains_key(SEC_FETCH_SITE) || headers.contains_key(header::ORIGIN);
    // A foreign page can't send `Authorization` without a preflight, which we answer to nobody.
    let is_api_client = !is_server_fn && !has_cookie && (has_token || !is_browser);
    is_api_client || same_origin(headers, config)
}

/// Whether the `Host` (or the authority of HTTP/2) is the public one or, on a loopback address, a loopback name.
fn is_our_host(headers: &HeaderMap, uri: &Uri, config: &Config) -> bool {
    let host = match single(headers, header::HOST.as_str()) {
        Header::One(host) => Some(host),
        Header::Many => return false,
        Header::None => uri.authority().map(axum::http::uri::Authority::as_str),
    };
    let Some(host) = host else { return false };
    let scheme = if config.is_https() { "https" } else { "http" };
    is_public(&format!("{scheme}://{host}"), config) || (config.addr.ip().is_loopback() && is_loopback_name(host))
}

/// Whether an origin is ours. A loopback page's is, when it is the very host and port that it asked.
fn is_our_origin(origin: &str, headers: &HeaderMap, config: &Config) -> bool {
    let Header::One(host) = single(headers, header::HOST.as_str()) else {
        return is_public(origin, config);
    };
    let is_local = config.addr.ip().is_loopback() && is_loopback_name(host) && origin == format!("http://{host}");
    is_local || is_public(origin, config)
}

/// Compares scheme, host and port with the public URL; a default port may be written or not.
fn is_public(origin: &str, config: &Config) -> bool {
    let Ok(url) = url::Url::parse(origin) else { return false };
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    is_bare && url.password().is_none() && url.origin().ascii_serialization() == config.public_url
}

/// `localhost`, `127.0.0.1` or `[::1]`, with or without a port: names that no attacker's DNS can point elsewhere.
fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name.to_ascii_lowercase().as_str(), "localhost" | "127.0.0.1" | "[::1]")
}

/// A header that should stand there once.
enum Header<'a> {
    None,
    One(&'a str),
    /// More than one, or not text.
    Many,
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Header<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Header::None,
        (Some(value), None) => value.to_str().map_or(Header::Many, Header::One),
        _ => Header::Many,
    }
}
