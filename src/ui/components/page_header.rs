//! The header of a page.

use leptos::prelude::*;

use super::Icon;

/// A step of the way up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// Where to.
    pub href: String,
    /// Its page's title.
    pub label: String,
}

impl Crumb {
    /// A step of the way up.
    pub fn new(href: impl Into<String>, label: impl Into<String>) -> Self {
        Self { href: href.into(), label: label.into() }
    }
}

/// The way up, the title, what stands beside it, and the actions at the right.
#[component]
pub fn PageHeader(
    #[prop(into)] title: Signal<String>,
    /// The part of it that is open, for the window's title: "Routes".
    #[prop(optional)]
    part: Option<&'static str>,
    /// From the top; empty for a page that the rail names.
    #[prop(optional)]
    crumbs: Vec<Crumb>,
    /// At the right.
    #[prop(into, optional)]
    actions: ViewFnOnce,
    /// Beside the title: badges, a status, `.segmented.views`.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let way = crumbs
        .into_iter()
        .map(|crumb| view! { <li><a href=crumb.href>{crumb.label}</a><Icon name="right" /></li> })
        .collect::<Vec<_>>();
    // On the server the document's title is read when the page is sent, and by then the page's signals may be gone.
    let first = title.get_untracked();
    let part = part.map(|part| format!("{part} · ")).unwrap_or_default();
    let title_text = move || format!("{part}{} · Weft", title.try_get().as_ref().unwrap_or(&first));
    view! {
        <leptos_meta::Title text=title_text />
        <header class="page-head">
            {(!way.is_empty()).then(|| view! { <nav class="crumbs" aria-label="Breadcrumb"><ol>{way}</ol></nav> })}
            <h1>{move || title.get()}</h1>
            {children.map(|children| children())}
            <div class="actions">{actions.run()}</div>
        </header>
    }
}
