//! The document around every page, and the routes.

use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

/// Holds `light` or `dark` when the person chose; readable by the page, it is no secret.
pub const THEME_COOKIE: &str = "weft-theme";

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

/// The document. Rendered on the server only.
pub fn shell() -> impl IntoView {
    let assets = use_context::<PageAssets>().unwrap_or_default();
    let start = format!("import init, {{ hydrate }} from '{}'; await init({{ module_or_path: '{}' }}); hydrate();", assets.js, assets.wasm);
    let theme = (!assets.theme.is_empty()).then(|| assets.theme.clone());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <link rel="stylesheet" href=assets.css />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="modulepreload" href=assets.js.clone() />
                <link rel="preload" href=assets.wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
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
    view! {
        <Router>
            <Routes fallback=|| view! { <p>"Not found"</p> }>
                <Route path=path!("/") view=|| view! { <main><h1>"Weft"</h1></main> } />
            </Routes>
        </Router>
    }
}
