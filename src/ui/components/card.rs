//! A surface with a title.

use leptos::prelude::*;

/// A part of a page: a title, what it counts, what one can do with all of it, the content.
#[component]
pub fn Card(
    /// The id of the title, unique on the page: it names the section.
    id: &'static str,
    #[prop(into)] title: Signal<String>,
    /// A few words beside the title: "823 in 24 h".
    #[prop(into, optional)]
    sub: Signal<Option<String>>,
    /// At the right of the title.
    #[prop(into, optional)]
    actions: ViewFnOnce,
    /// Columns of the dashboard's twelve, 1 to 12.
    #[prop(optional)]
    span: Option<u8>,
    /// Padded, unless the content brings its own rows or table.
    #[prop(optional)]
    flush: bool,
    children: Children,
) -> impl IntoView {
    let body = children();
    view! {
        <section class="card" aria-labelledby=id style=span.map(|span| format!("--span: {span}"))>
            <div class="card-head">
                <h2 id=id>{move || title.get()}</h2>
                {move || sub.get().map(|sub| view! { <span class="sub">{sub}</span> })}
                <div class="actions">{actions.run()}</div>
            </div>
            {if flush { body.into_any() } else { view! { <div class="card-body">{body}</div> }.into_any() }}
        </section>
    }
}
