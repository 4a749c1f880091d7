//! Tabs: one tab stop, arrows move, the chosen panel is the only one drawn.

use leptos::html;
use leptos::prelude::*;

use crate::ui::browser;

/// One of a row of tabs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tab {
    /// Its name in the URL and in the panel's id.
    pub name: &'static str,
    /// As a person reads it.
    pub label: &'static str,
    /// How many things it holds, shown beside it.
    pub count: Option<u32>,
}

impl Tab {
    /// A tab without a count.
    pub const fn new(name: &'static str, label: &'static str) -> Self {
        Self { name, label, count: None }
    }
}

/// A row of tabs. The caller keeps which is chosen (in the URL, best) and draws a [`TabPanel`] for each.
#[component]
pub fn Tabs(
    /// Unique on the page: the tabs are `{id}-{name}`, the panels `{id}-{name}-panel`.
    id: &'static str,
    /// What they are parts of.
    label: &'static str,
    #[prop(into)] tabs: Signal<Vec<Tab>>,
    /// The name of the chosen one.
    #[prop(into)]
    chosen: Signal<String>,
    #[prop(into)] on_choose: Callback<String>,
) -> impl IntoView {
    let element = NodeRef::<html::Div>::new();
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let tabs = tabs.get_untracked();
        let last = tabs.len().saturating_sub(1);
        let at = tabs.iter().position(|tab| chosen.with_untracked(|chosen| chosen == tab.name)).unwrap_or(0);
        let next = match event.key().as_str() {
            "ArrowRight" => {
                if at == last {
                    0
                } else {
                    at + 1
                }
            }
            "ArrowLeft" => at.checked_sub(1).unwrap_or(last),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        if let Some(tab) = tabs.get(next) {
            on_choose.run(tab.name.to_owned());
            browser::focus_id(&format!("{id}-{}", tab.name));
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-label=label node_ref=element on:keydown=keys>
            <For each=move || tabs.get() key=Clone::clone let:tab>
                <TabButton id tab chosen on_choose />
            </For>
        </div>
    }
}

#[component]
fn TabButton(id: &'static str, tab: Tab, chosen: Signal<String>, on_choose: Callback<String>) -> impl IntoView {
    let name = tab.name;
    let is_chosen = Memo::new(move |_| chosen.with(|chosen| chosen == name));
    view! {
        <button
            type="button"
            role="tab"
            id=format!("{id}-{name}")
            aria-selected=move || is_chosen.get().to_string()
            aria-controls=move || is_chosen.get().then(|| format!("{id}-{name}-panel"))
            tabindex=move || if is_chosen.get() { "0" } else { "-1" }
            on:click=move |_| on_choose.run(name.to_owned())
        >
            {tab.label}
            {tab.count.map(|count| view! { <span class="count">{count}</span> })}
        </button>
    }
}

/// What a tab shows, drawn while it is chosen.
#[component]
pub fn TabPanel(
    /// Of the [`Tabs`].
    id: &'static str,
    /// Of the [`Tab`].
    name: &'static str,
    #[prop(into)] chosen: Signal<String>,
    children: ChildrenFn,
) -> impl IntoView {
    let is_chosen = Memo::new(move |_| chosen.with(|chosen| chosen == name));
    let children = StoredValue::new(children);
    view! {
        <Show when=move || is_chosen.get()>
            <div role="tabpanel" id=format!("{id}-{name}-panel") aria-labelledby=format!("{id}-{name}")>
                {children.read_value()()}
            </div>
        </Show>
    }
}
