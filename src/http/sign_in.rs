//! What server functions need to sign a browser in and out: where it comes from, its cookie, where it goes next.

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use leptos::prelude::expect_context;
use leptos_axum::ResponseOptions;

use super::authenticate;
use crate::auth::{BrowserSignIn, Client};
use crate::model::credentials::safe_next;
use crate::runtime::Runtime;

/// The process and the client of the request that a server function serves, for use-cases that need nobody signed in.
pub fn visitor() -> (Runtime, Client) {
    let parts = expect_context::<Parts>();
    (expect_context::<Runtime>(), parts.extensions.get::<Client>().cloned().unwrap_or_default())
}

/// The login session's secret that the browser came with.
pub fn current_cookie() -> Option<String> {
    authenticate::cookie(&expect_context::<Runtime>().config, &expect_context::<Parts>().headers)
}

/// Answers with the new cookie. A form that was sent without our script is redirected; our script gets the path and
/// loads it as a new page, so that nothing of whoever was here before stays in memory.
pub fn signed_in(sign_in: &BrowserSignIn, next: &str) -> String {
    let cookie = authenticate::cookie_to_set(&expect_context::<Runtime>().config, &sign_in.secret);
    answer(cookie, safe_next(next))
}

/// Answers with the cookie's end, towards the login page.
pub fn signed_out() -> String {
    answer(authenticate::cookie_to_clear(&expect_context::<Runtime>().config), "/login")
}

fn answer(cookie: HeaderValue, next: &str) -> String {
    let response = expect_context::<ResponseOptions>();
    response.append_header(header::SET_COOKIE, cookie);
    let accept = expect_context::<Parts>().headers;
    let is_form =
        accept.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|v| v.contains("text/html"));
    if is_form && let Ok(location) = HeaderValue::from_str(next) {
        response.set_status(StatusCode::SEE_OTHER);
        response.insert_header(header::LOCATION, location);
    }
    next.to_owned()
}
