//! The document around every page, and the routes.

use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::pages::agents::{AgentPage, AgentsPage, EditAgentPage, NewAgentPage};
use super::pages::approvals::ApprovalsPage;
use super::pages::auth::{InvitePage, LoginPage, SetupPage};
use super::pages::budgets::BudgetsPage;
use super::pages::cache::CachePage;
use super::pages::dashboard::DashboardPage;
use super::pages::gateway::{CallsPage, KeysPage, RoutesPage};
use super::pages::memory::{EmbedderPage, HealthPage, MemoryPage};
use super::pages::providers::{ProviderPage, ProvidersPage};
use super::pages::redaction::RedactionPage;
use super::pages::runs::{ComparePage, RunPage, RunsPage};
use super::pages::sessions::SessionsPage;
use super::pages::triggers::{TriggerPage, TriggersPage};
use super::pages::users::UsersPage;
use super::pages::workflows::{DesignerPage, WorkflowsPage};
use crate::model::auth::Me;

/// Holds `light` or `dark` when the person chose; readable by the page, it is no secret.
pub const THEME_COOKIE: &str = "weft-theme";

/// Keeps what is typed and pressed before the program has come, and does it again once the page is awake. A page is
/// complete before its wasm is, on a slow line by seconds: nothing that a person does meanwhile is lost. Of several
/// presses only the last counts, as only that one is shown to be held.
const EARLY: &str = include_str!("early.js");

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
        "import init, {{ hydrate }} from '{}'; await init({{ module_or_path: '{}' }}); hydrate(); \
         setTimeout(() => dispatchEvent(new Event('weft:awake')));",
        assets.js, assets.wasm
    );
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
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async />
                <Route path=path!("/setup") view=SetupPage ssr=SsrMode::Async />
                <Route path=path!("/invite") view=InvitePage ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=Layout ssr=SsrMode::Async>
                    <Route path=path!("/") view=DashboardPage ssr=SsrMode::Async />
                    <Route path=path!("/approvals/:id?") view=ApprovalsPage ssr=SsrMode::Async />
                    <Route path=path!("/workflows") view=WorkflowsPage ssr=SsrMode::Async />
                    <Route path=path!("/workflows/:id") view=DesignerPage ssr=SsrMode::Async />
                    <Route path=path!("/runs") view=RunsPage ssr=SsrMode::Async />
                    <Route path=path!("/runs/compare") view=ComparePage ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id") view=RunPage ssr=SsrMode::Async />
                    <Route path=path!("/agents") view=AgentsPage ssr=SsrMode::Async />
                    <Route path=path!("/agents/new") view=NewAgentPage ssr=SsrMode::Async />
                    <Route path=path!("/agents/:id") view=AgentPage ssr=SsrMode::Async />
                    <Route path=path!("/agents/:id/edit") view=EditAgentPage ssr=SsrMode::Async />
                    <Route path=path!("/triggers") view=TriggersPage ssr=SsrMode::Async />
                    <Route path=path!("/triggers/:id") view=TriggerPage ssr=SsrMode::Async />
                    <Route path=path!("/memory") view=MemoryPage ssr=SsrMode::Async />
                    <Route path=path!("/memory/embedder") view=EmbedderPage ssr=SsrMode::Async />
                    <Route path=path!("/memory/health") view=HealthPage ssr=SsrMode::Async />
                    <Route path=path!("/providers") view=ProvidersPage ssr=SsrMode::Async />
                    <Route path=path!("/providers/:id") view=ProviderPage ssr=SsrMode::Async />
                    <Route path=path!("/gateway/routes") view=RoutesPage ssr=SsrMode::Async />
                    <Route path=path!("/gateway/keys") view=KeysPage ssr=SsrMode::Async />
                    <Route path=path!("/gateway/calls") view=CallsPage ssr=SsrMode::Async />
                    <Route path=path!("/gateway/budgets") view=BudgetsPage ssr=SsrMode::Async />
                    <Route path=path!("/gateway/cache") view=CachePage ssr=SsrMode::Async />
                    <Route path=path!("/gateway/redaction") view=RedactionPage ssr=SsrMode::Async />
                    <Route path=path!("/users") view=UsersPage ssr=SsrMode::Async />
                    <Route path=path!("/account") view=SessionsPage ssr=SsrMode::Async />
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
