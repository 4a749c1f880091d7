//! Server-rendered pages.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, any, post};
use axum_extra::extract::CookieJar;
use leptos::prelude::{LeptosOptions, provide_context, use_context};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list_with_exclusions};

use super::error::Refusal;
use super::{assets, headers, request_ctx, rpc};
use crate::auth;
use crate::model::ApiError;
use crate::model::credentials::{login_path, safe_next};
use crate::runtime::{Runtime, trace};
use crate::ui;

/// What the page handlers need.
#[derive(Debug, Clone, FromRef)]
struct PageState {
    runtime: Runtime,
    options: LeptosOptions,
}

/// Pages at their paths, server functions under `/rpc`, and a page for every other path where a person may look for one.
pub fn router(runtime: &Runtime) -> Router {
    let options = LeptosOptions::builder().output_name("weft").build();
    let state = PageState { runtime: runtime.clone(), options };
    let provide = {
        let runtime = runtime.clone();
        move || provide_page_context(&runtime)
    };
    // Leptos would route the server functions itself, past our door to them.
    let server_fns = server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    let routes = generate_route_list_with_exclusions(ui::App, Some(server_fns));
    let no_such_page = {
        let provide = provide.clone();
        move |request: Request| {
            let page = leptos_axum::render_app_async_with_context(provide.clone(), ui::shell)(request);
            async move { (StatusCode::NOT_FOUND, page.await) }
        }
    };
    let no_such_page: MethodRouter<PageState> = any(no_such_page).layer(from_fn_with_state(runtime.clone(), admit));
    let no_such_page: MethodRouter<PageState> = no_such_page.layer(from_fn(turn_away));
    Router::new()
        .leptos_routes_with_context(&state, routes, provide, ui::shell)
        .route_layer(from_fn_with_state(runtime.clone(), admit))
        .route("/rpc/{*name}", post(rpc::call))
        .fallback(no_such_page)
        .with_state(state)
}

/// First segments of what programs ask for: there no page stands, not even one that says so.
const NO_PAGES: [&str; 7] = ["api", "assets", "healthz", "metrics", "readyz", "rpc", "ws"];

/// Whether a person may have typed or followed this path: no program's, and no file's, such as the `/favicon.ico` that
/// browsers ask for unasked.
fn may_be_page(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    !NO_PAGES.contains(&first) && !path.contains('.')
}

/// Answers in a word what leads nowhere and is not for a person's eyes, and leads from `/runs/` to `/runs`.
async fn turn_away(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) || !may_be_page(path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match path.trim_end_matches('/') {
        shorter if shorter != path => Redirect::to(safe_next(shorter)).into_response(),
        _ => next.run(request).await,
    }
}

/// Paths of the pages for those who are not signed in.
const OPEN_PAGES: [&str; 3] = ["/login", "/setup", "/invite"];

/// Finds out for whom a page is rendered, before it is; whoever is not signed in is led to the login page.
async fn admit(State(runtime): State<Runtime>, mut request: Request, next: Next) -> Response {
    let uri = request.uri();
    let is_open = OPEN_PAGES.contains(&uri.path());
    let login = login_path(uri.path(), uri.query().unwrap_or_default());
    let visitor = match visitor(&runtime, request.extensions()).await {
        Ok(visitor) => visitor,
        Err(ApiError::Unauthenticated { .. }) => ui::Visitor::default(),
        Err(error) => return Refusal(error).into_response(),
    };
    if visitor.0.is_none() && !is_open {
        return Redirect::to(&login).into_response();
    }
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

async fn visitor(runtime: &Runtime, extensions: &Extensions) -> Result<ui::Visitor, ApiError> {
    let actor = request_ctx::actor(extensions)?.clone();
    let me = auth::get_me(&runtime.as_actor(actor, trace::current_id())).await?;
    Ok(ui::Visitor(Some(me)))
}

/// What pages and server functions find in their context; also sets the page's content security policy.
pub(super) fn provide_page_context(runtime: &Runtime) {
    provide_context(runtime.clone());
    let nonce = leptos::nonce::use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    if let (Some(response), Ok(policy)) =
        (use_context::<ResponseOptions>(), HeaderValue::from_str(&headers::page_policy(&nonce)))
    {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    let parts = use_context::<Parts>();
    if let Some(visitor) = parts.as_ref().and_then(|parts| parts.extensions.get::<ui::Visitor>()) {
        provide_context(visitor.clone());
    }
    let theme = parts.as_ref().map(theme).unwrap_or_default();
    let site = assets::manifest();
    let groups = parts.as_ref().map_or(&[] as &[_], |parts| ui::chunks_of(parts.uri.path()));
    let now: BTreeSet<_> = groups.iter().filter_map(|group| site.chunks.get(*group)).flatten().collect();
    let later = site.chunks.values().flatten().collect::<BTreeSet<_>>();
    provide_context(ui::PageAssets {
        nonce,
        js: asset(site.js.as_deref()),
        wasm: asset(site.wasm.as_deref()),
        css: asset(site.css.as_deref()),
        chunks: now.iter().map(|name| asset(Some(name))).collect(),
        later: later.difference(&now).map(|name| asset(Some(name))).collect(),
        theme,
    });
}

/// The path of a built file; empty when this binary was built without the site, as a fast test is.
fn asset(name: Option<&str>) -> String {
    name.map(|name| format!("/assets/{name}")).unwrap_or_default()
}

/// The theme that the person chose, from its cookie; anything unknown follows the system.
fn theme(parts: &Parts) -> String {
    let jar = CookieJar::from_headers(&parts.headers);
    let chosen = jar.get(ui::THEME_COOKIE).map(|cookie| cookie.value().to_owned());
    chosen.filter(|theme| matches!(theme.as_str(), "light" | "dark")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_that_there_is_none_only_where_a_person_looks_for_one() {
        for path in ["/nope", "/settings", "/gateway/nope", "/runs/1/2", "/apidocs", "/"] {
            assert!(may_be_page(path), "{path}");
        }
        for path in
            ["/api", "/api/v2/runs", "//api/x", "/rpc", "/ws/other", "/assets/a/b", "/favicon.ico", "/.well-known/x"]
        {
            assert!(!may_be_page(path), "{path}");
        }
    }
}
