//! Server-rendered pages and server functions.

use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::response::IntoResponse;
use axum::routing::post;
use leptos::prelude::{LeptosOptions, provide_context, use_context};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};

use crate::runtime::Runtime;
use crate::ui;

/// What the page handlers need.
#[derive(Debug, Clone, FromRef)]
struct PageState {
    runtime: Runtime,
    options: LeptosOptions,
}

/// Pages at their paths, server functions under `/rpc`.
pub fn router(runtime: &Runtime) -> Router {
    let options = LeptosOptions::builder().output_name("weft").build();
    let state = PageState { runtime: runtime.clone(), options };
    let provide = {
        let runtime = runtime.clone();
        move || provide_page_context(&runtime)
    };
    let routes = generate_route_list(ui::App);
    Router::new()
        .route("/rpc/{*name}", post(call_server_fn))
        .leptos_routes_with_context(&state, routes, provide, || ui::shell())
        .with_state(state)
}

async fn call_server_fn(State(runtime): State<Runtime>, request: Request) -> impl IntoResponse {
    leptos_axum::handle_server_fns_with_context(move || provide_page_context(&runtime), request).await
}

/// What pages and server functions find in their context.
fn provide_page_context(runtime: &Runtime) {
    provide_context(runtime.clone());
    let nonce = leptos::nonce::use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    if let Some(_response) = use_context::<ResponseOptions>() {
        // The content security policy belongs here, where the nonce is known.
    }
    provide_context(ui::PageAssets { nonce, ..ui::PageAssets::default() });
}
