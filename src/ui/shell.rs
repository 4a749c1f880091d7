//! The document around every page, and the routes.

use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};
use serde::{Deserialize, Serialize};

use super::chunks;
use crate::model::auth::Me;

/// Holds `light` or `dark` when the person chose; readable by the page, it is no secret.
pub const THEME_COOKIE: &str = "weft-theme";

/// Keeps what is typed and pressed before the program has come, and does it again once the page is awake. A page is
/// complete before its wasm is, on a slow line by seconds: nothing that a person does meanwhile is lost. Of several
/// presses only the last counts, as only that one is shown to be held.
const EARLY: &str = include_str!("early.js");

/// Fetches what the other pages need into the browser's cache, one after the other, when there is nothing else to do and
/// nobody pays for each byte: a link is then followed without waiting.
const AHEAD: &str = "if (!navigator.connection?.saveData) (window.requestIdleCallback ?? setTimeout)(async () => { \
     for (const path of document.querySelector('meta[name=weft-later]').content.split(' ').filter(Boolean)) \
     await fetch(path, { priority: 'low' }).then((answer) => answer.arrayBuffer()).catch(() => {}); });";

/// What the server tells the document: names of the hashed assets, the nonce, the chosen theme.
#[derive(Debug, Clone, Default)]
pub struct PageAssets {
    /// For the inline script's `nonce`.
    pub nonce: String,
    /// `/assets/weft-….js`
    pub js: String,
    /// `/assets/weft-….wasm`
    pub wasm: String,
    /// `/assets/weft-….css`
    pub css: String,
    /// What this page needs beside the main wasm, as paths.
    pub chunks: Vec<String>,
    /// What the other pages need, as paths: fetched once this one is awake and the browser has nothing to do.
    pub later: Vec<String>,
    /// `light`, `dark`, or empty to follow the system; from the cookie `weft-theme`.
    pub theme: String,
}

/// For whom the server renders: who is signed in, or nobody. Pages find a [`Me`] in their context instead.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Visitor(pub Option<Me>);

/// The document. Rendered on the server only.
pub fn shell() -> impl IntoView {
    let assets = use_context::<PageAssets>().unwrap_or_default();
    // What hydration leaves for later runs before a timer does; then everything on the page listens.
    let start = format!(
        "import init, {{ hydrate }} from '{}'; await init({{ module_or_path: '{}' }}); await hydrate(); \
         setTimeout(() => dispatchEvent(new Event('weft:awake'))); {AHEAD}",
        assets.js, assets.wasm
    );
    let needed = assets.chunks.iter().map(|chunk| {
        view! { <link rel="preload" href=chunk.clone() r#as="fetch" r#type="application/wasm" crossorigin="anonymous" /> }
    });
    let theme = (!assets.theme.is_empty()).then(|| assets.theme.clone());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="description" content="The control plane for a team's AI agents: workflows, runs, models, memory." />
                <link rel="stylesheet" href=assets.css />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="modulepreload" href=assets.js.clone() />
                <link rel="preload" href=assets.wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                {needed.collect_view()}
                <meta name="weft-later" content=assets.later.join(" ") />
                <script nonce=assets.nonce.clone() inner_html=EARLY></script>
                <script type="module" nonce=assets.nonce inner_html=start></script>
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The whole program in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    // Drawn first on both sides, so that the browser finds the server's answer under the same id.
    let visitor = SharedValue::new(|| use_context::<Visitor>().unwrap_or_default()).into_inner();
    if let Visitor(Some(me)) = visitor {
        provide_context(me);
    }
    view! {
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/login") view=chunks::login() ssr=SsrMode::Async />
                <Route path=path!("/setup") view=chunks::setup() ssr=SsrMode::Async />
                <Route path=path!("/invite") view=chunks::invite() ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=chunks::frame() ssr=SsrMode::Async>
                    <Route path=path!("/") view=chunks::dashboard() ssr=SsrMode::Async />
                    <Route path=path!("/approvals/:id?") view=chunks::approvals() ssr=SsrMode::Async />
                    <Route path=path!("/workflows") view=chunks::workflows() ssr=SsrMode::Async />
                    <Route path=path!("/workflows/:id") view=chunks::designer() ssr=SsrMode::Async />
                    <Route path=path!("/runs") view=chunks::runs() ssr=SsrMode::Async />
                    <Route path=path!("/runs/compare") view=chunks::compare() ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id") view=chunks::run() ssr=SsrMode::Async />
                    <Route path=path!("/agents") view=chunks::agents() ssr=SsrMode::Async />
                    <Route path=path!("/agents/new") view=chunks::new_agent() ssr=SsrMode::Async />
                    <Route path=path!("/agents/assignment") view=chunks::assignment() ssr=SsrMode::Async />
                    <Route path=path!("/agents/:id") view=chunks::agent() ssr=SsrMode::Async />
                    <Route path=path!("/agents/:id/edit") view=chunks::edit_agent() ssr=SsrMode::Async />
                    <Route path=path!("/triggers") view=chunks::triggers() ssr=SsrMode::Async />
                    <Route path=path!("/triggers/:id") view=chunks::trigger() ssr=SsrMode::Async />
                    <Route path=path!("/memory") view=chunks::memory() ssr=SsrMode::Async />
                    <Route path=path!("/memory/embedder") view=chunks::embedder() ssr=SsrMode::Async />
                    <Route path=path!("/memory/health") view=chunks::health() ssr=SsrMode::Async />
                    <Route path=path!("/memory/timeline") view=chunks::timeline() ssr=SsrMode::Async />
                    <Route path=path!("/memory/summaries") view=chunks::summaries() ssr=SsrMode::Async />
                    <Route path=path!("/memory/backups") view=chunks::backups() ssr=SsrMode::Async />
                    <Route path=path!("/memory/map") view=chunks::memory_map() ssr=SsrMode::Async />
                    <Route path=path!("/providers") view=chunks::providers() ssr=SsrMode::Async />
                    <Route path=path!("/providers/:id") view=chunks::provider() ssr=SsrMode::Async />
                    <Route path=path!("/gateway/routes") view=chunks::routes() ssr=SsrMode::Async />
                    <Route path=path!("/gateway/keys") view=chunks::keys() ssr=SsrMode::Async />
                    <Route path=path!("/gateway/calls") view=chunks::calls() ssr=SsrMode::Async />
                    <Route path=path!("/gateway/flags") view=chunks::flags() ssr=SsrMode::Async />
                    <Route path=path!("/gateway/budgets") view=chunks::budgets() ssr=SsrMode::Async />
                    <Route path=path!("/gateway/cache") view=chunks::cache() ssr=SsrMode::Async />
                    <Route path=path!("/gateway/redaction") view=chunks::redaction() ssr=SsrMode::Async />
                    <Route path=path!("/users") view=chunks::users() ssr=SsrMode::Async />
                    <Route path=path!("/account") view=chunks::account() ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// A path that leads nowhere.
#[component]
fn NotFound() -> impl IntoView {
    view! {
        <leptos_meta::Title text="No such page · Weft" />
        <main class="page" id="content">
            <div class="page-body">
                <div class="empty">
                    <h1>"No such page"</h1>
                    <p>"The address leads nowhere. It may have been mistyped, or what it named is gone."</p>
                    <div class="actions"><a class="button" href="/">"Open the dashboard"</a></div>
                </div>
            </div>
        </main>
    }
}
