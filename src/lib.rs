//! Weft: the control plane for a team's AI agents.
//!
//! The modules in reading order: the vocabulary, the two ways the browser meets the server, then the server from the
//! outermost in. `ARCHITECTURE.md` has the map; the architecture test holds the directions.
#![recursion_limit = "512"]

pub mod model;

pub mod api;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod http;

#[cfg(feature = "ssr")]
pub mod agents;
#[cfg(feature = "ssr")]
pub mod analysis;
#[cfg(feature = "ssr")]
pub mod auth;
#[cfg(feature = "ssr")]
pub mod cache;
#[cfg(feature = "ssr")]
pub mod gateway;
#[cfg(feature = "ssr")]
pub mod master;
#[cfg(feature = "ssr")]
pub mod memory;
#[cfg(feature = "ssr")]
pub mod monitor;
#[cfg(feature = "ssr")]
pub mod trigger;
#[cfg(feature = "ssr")]
pub mod workflow;

#[cfg(feature = "ssr")]
pub mod db;
#[cfg(feature = "ssr")]
pub mod runtime;

/// Wakes the server-rendered page, once the chunk that it needs has come: called once by the page's script.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let body = leptos::prelude::document().body().expect("a page has a body");
    leptos::mount::hydrate_from_async(body, ui::App).await.forget();
}
