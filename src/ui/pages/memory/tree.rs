//! The namespaces as a tree with counts.

use leptos::html;
use leptos::prelude::*;

use super::State;
use super::activity::Pulse;
use super::place::Place;
use crate::model::memory::Namespace;
use crate::ui::browser;
use crate::ui::components::{Icon, Load, SkeletonShape};
use crate::ui::format;

/// A namespace in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    /// From the top.
    path: String,
    /// Its last segment.
    name: String,
    /// Entries in it and below it.
    entries: i64,
    /// What it is for, where somebody said so.
    description: Option<String>,
    children: Vec<Node>,
}

/// Makes a tree of namespaces that come sorted by path; those in between that hold nothing themselves are added.
fn tree_of(namespaces: &[Namespace]) -> Vec<Node> {
    let mut top = Vec::new();
    for namespace in namespaces {
        let mut level: &mut Vec<Node> = &mut top;
        let mut end = 0;
        for name in namespace.path.split('/') {
            end += name.len();
            let at = level.iter().position(|node| node.name == name).unwrap_or_else(|| {
                let path = namespace.path[..end].to_owned();
                level.push(Node { path, name: name.to_owned(), entries: 0, description: None, children: Vec::new() });
                level.len() - 1
            });
            level[at].entries += namespace.entries;
            if end == namespace.path.len() {
                level[at].description.clone_from(&namespace.description);
            }
            level = &mut level[at].children;
            end += 1;
        }
    }
    top
}

/// The pane with the tree.
#[component]
pub(super) fn Namespaces(state: State, open: RwSignal<bool>) -> impl IntoView {
    let element = NodeRef::<html::Div>::new();
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            _ => return,
        };
        event.prevent_default();
        if let Some(element) = element.get() {
            browser::move_focus(&element, "[role=treeitem]", step);
        }
    };
    view! {
        <nav class="pane namespaces" aria-label="Namespaces" data-open=move || open.get().then_some("")>
            <div class="pane-head">
                <h2>"Namespaces"</h2>
            </div>
            <div node_ref=element on:keydown=keys>
                <Load resource=state.namespaces what="the namespaces" shape=SkeletonShape::Rows(6) let:namespaces>
                    <Tree namespaces state />
                </Load>
            </div>
        </nav>
    }
}

#[component]
fn Tree(namespaces: Vec<Namespace>, state: State) -> impl IntoView {
    let entries = namespaces.iter().map(|namespace| namespace.entries).sum();
    let all = Node { path: String::new(), name: "All".to_owned(), entries, description: None, children: Vec::new() };
    let nodes = tree_of(&namespaces).into_iter().map(|node| branch(node, 1, state)).collect_view();
    view! {
        <ul class="tree" role="tree" aria-label="Namespaces">
            {branch(all, 1, state)}
            {nodes}
        </ul>
    }
}

/// A namespace with what is below it. A plain function, since a component can't contain itself.
fn branch(node: Node, level: u32, state: State) -> AnyView {
    let Node { path, name, entries, description, children } = node;
    let parent = !children.is_empty();
    let place = state.place;
    let below = format!("{path}/");
    let holds_chosen = place.with_untracked(|place| place.namespace.starts_with(&below));
    let expanded = RwSignal::new(level == 1 || holds_chosen);
    let (own, written) = (path.clone(), path.clone());
    let chosen = Memo::new(move |_| place.with(|place| place.namespace == own));
    let choose = {
        let go = state.go;
        move || go.run(Place { namespace: path.clone(), ..place.get_untracked().closing() })
    };
    let press = choose.clone();
    let keys = move |event: leptos::ev::KeyboardEvent| {
        match event.key().as_str() {
            "Enter" | " " => choose(),
            "ArrowRight" if parent => expanded.set(true),
            "ArrowLeft" if parent => expanded.set(false),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let twist = move |event: leptos::ev::MouseEvent| {
        if parent {
            event.stop_propagation();
            expanded.update(|open| *open = !*open);
        }
    };
    let children = StoredValue::new(children);
    view! {
        <li
            role="treeitem"
            attr:aria-level=level.to_string()
            aria-expanded=move || parent.then(|| expanded.get().to_string())
            aria-selected=move || chosen.get().to_string()
            tabindex=move || if chosen.get() { "0" } else { "-1" }
            on:keydown=keys
        >
            <div class="tree-item" title=description on:click=move |_| press()>
                {if parent {
                    view! { <span class="twist" on:click=twist><Icon name="right" /></span> }.into_any()
                } else {
                    view! { <span class="twist leaf"></span> }.into_any()
                }}
                <span class="name">{name}</span>
                <Pulse path=written activity=state.activity />
                <span class="num">{format::count(entries)}</span>
            </div>
            {move || {
                (parent && expanded.get())
                    .then(|| {
                        let below = children.get_value().into_iter().map(|node| branch(node, level + 1, state));
                        view! { <ul role="group">{below.collect_view()}</ul> }
                    })
            }}
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_gaps_are_filled() {
        let flat = [("code", 2), ("code-x", 1), ("code/db/pg", 3), ("code/web", 4)].map(|(path, entries)| Namespace {
            path: path.to_owned(),
            entries,
            description: Some(format!("for {path}")),
            retention: None,
            read_only: false,
        });
        let tree = tree_of(&flat);
        let shape: Vec<(&str, i64)> = tree.iter().map(|n| (n.path.as_str(), n.entries)).collect();
        assert_eq!(shape, [("code", 9), ("code-x", 1)]);
        let below: Vec<(&str, i64)> = tree[0].children.iter().map(|n| (n.path.as_str(), n.entries)).collect();
        assert_eq!(below, [("code/db", 3), ("code/web", 4)]);
        assert_eq!(tree[0].description.as_deref(), Some("for code"));
        assert_eq!(tree[0].children[0].description, None, "it holds nothing itself");
        assert_eq!(tree[0].children[0].children[0].path, "code/db/pg");
    }
}
