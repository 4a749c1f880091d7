//! `Ctrl K`: finds pages, workflows, runs and memory, and runs actions, also those of the page that is open.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::api;
use crate::model::PageRequest;
use crate::model::auth::{Action, Me};
use crate::model::credentials::query_value;
use crate::model::memory::Search;
use crate::ui::browser;
use crate::ui::components::Icon;
use crate::ui::state::commands::{Commands, PageCommand};

/// Hits of each kind.
const MOST: u32 = 5;
/// How long typing must rest before the server is asked, in ms.
const REST_MS: i32 = 120;

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    group: &'static str,
    icon: &'static str,
    name: String,
    place: String,
    href: String,
}

impl Item {
    fn new(
        group: &'static str,
        icon: &'static str,
        name: impl Into<String>,
        place: impl Into<String>,
        href: impl Into<String>,
    ) -> Self {
        Self { group, icon, name: name.into(), place: place.into(), href: href.into() }
    }
}

/// Opens the keys sheet in place of a page.
const KEYS: &str = "#keys";
/// Gives the command of the page with the number behind it.
const COMMAND: &str = "#command-";

/// What the page that is open offers, as items.
fn of_page(commands: &[PageCommand]) -> impl Iterator<Item = Item> + '_ {
    let item = |(at, command): (usize, &PageCommand)| {
        Item::new("On this page", command.icon, command.name, command.keys, format!("{COMMAND}{at}"))
    };
    commands.iter().enumerate().map(item)
}

/// Pages and actions, by what the person may do.
fn fixed(me: &Me) -> Vec<Item> {
    let page = |label: &str, icon, href: &str| Item::new("Pages", icon, label, "", href);
    let action = |label: &str, icon, href: &str| Item::new("Actions", icon, label, "", href);
    let of_gateway = |label: &str, href: &str| Item::new("Pages", "gateway", label, "Gateway", href);
    let all = [
        (Action::StartRun, action("Run a workflow", "play", "/?run=choose")),
        (Action::EditWorkflow, action("New workflow", "plus", "/workflows?new=empty")),
        (Action::EditWorkflow, action("New workflow from a template", "template", "/workflows?new=template")),
        (Action::EditWorkflow, action("Import a workflow", "upload", "/workflows?new=import")),
        (Action::EditAgent, action("New agent", "agent", "/agents/new")),
        (Action::WriteMemory, action("Add a memory entry", "plus", "/memory?new=entry")),
        (Action::ManageUser, action("Invite somebody", "user", "/users?new=invite")),
        (Action::ViewDashboard, action("Show all keys", "keyboard", KEYS)),
        (Action::ViewDashboard, page("Dashboard", "dashboard", "/")),
        (Action::ReadRun, page("Approvals", "inbox", "/approvals")),
        (Action::ReadWorkflow, page("Workflows", "workflow", "/workflows")),
        (Action::ReadRun, page("Runs", "runs", "/runs")),
        (Action::ReadAgent, page("Agents", "agent", "/agents")),
        (Action::ReadAgent, Item::new("Pages", "agent", "How tasks are assigned", "Agents", "/agents/assignment")),
        (Action::ReadWorkflow, page("Triggers", "bolt", "/triggers")),
        (Action::ReadMemory, page("Memory", "memory", "/memory")),
        (Action::ReadMemory, Item::new("Pages", "memory", "How things are found", "Memory", "/memory/embedder")),
        (Action::ManageProvider, Item::new("Pages", "memory", "Backups of the memory", "Memory", "/memory/backups")),
        (Action::ReadProvider, of_gateway("Providers", "/providers")),
        (Action::ReadProvider, of_gateway("Routes", "/gateway/routes")),
        (Action::ReadProvider, of_gateway("Flags", "/gateway/flags")),
        (Action::ManageProvider, of_gateway("Gateway keys", "/gateway/keys")),
        (Action::ReadUsage, of_gateway("Calls of models", "/gateway/calls")),
        (Action::ReadUsage, of_gateway("Budgets", "/gateway/budgets")),
        (Action::ReadUsage, of_gateway("Cache of answers", "/gateway/cache")),
        (Action::ReadProvider, of_gateway("Redaction", "/gateway/redaction")),
        (Action::ReadUser, page("Users", "users", "/users")),
        (Action::ViewDashboard, page("Account and sessions", "user", "/account")),
    ];
    all.into_iter().filter(|(needs, _)| me.may(*needs)).map(|(_, item)| item).collect()
}

/// What the words find on the server; a source that fails is left out, the others are shown.
async fn find(me: Me, words: String) -> Vec<Item> {
    if words.trim().is_empty() {
        return Vec::new();
    }
    let page = PageRequest { limit: MOST, cursor: None };
    let workflows = async {
        if !me.may(Action::ReadWorkflow) {
            return Vec::new();
        }
        let found = api::workflows::list_workflows(words.clone(), page.clone()).await;
        let item = |w: crate::model::workflow::WorkflowSummary| {
            Item::new("Workflows", "workflow", w.name, format!("{} steps", w.steps), format!("/workflows/{}", w.id))
        };
        found.map(|page| page.items.into_iter().map(item).collect()).unwrap_or_default()
    };
    let runs = async {
        if !me.may(Action::ReadRun) {
            return Vec::new();
        }
        let filter = crate::model::workflow::RunFilter { query: words.clone(), ..Default::default() };
        let found = api::runs::list_runs(filter, page.clone()).await;
        let item = |r: crate::model::workflow::RunSummary| {
            Item::new("Runs", "runs", r.workflow_name, r.status.label(), format!("/runs/{}", r.id))
        };
        found.map(|page| page.items.into_iter().map(item).collect()).unwrap_or_default()
    };
    let memory = async {
        if !me.may(Action::ReadMemory) {
            return Vec::new();
        }
        let found = api::memory::search_memory(Search { limit: MOST, ..Search::text(&words) }).await;
        let item = |hit: crate::model::memory::Hit| {
            let href = format!("/memory?ns={}&key={}", query_value(&hit.entry.namespace), query_value(&hit.entry.key));
            Item::new("Memory", "memory", hit.entry.key, hit.entry.namespace, href)
        };
        found.map(|result| result.hits.into_iter().map(item).collect()).unwrap_or_default()
    };
    let (workflows, runs, memory): (Vec<Item>, Vec<Item>, Vec<Item>) = futures::join!(workflows, runs, memory);
    workflows.into_iter().chain(runs).chain(memory).collect()
}

/// Whether every word stands in the name, in any case.
fn matches(name: &str, words: &str) -> bool {
    let name = name.to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| name.contains(word))
}

/// The palette's dialog.
#[component]
pub(super) fn Palette(me: Me, open: RwSignal<bool>, keys_open: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let field = NodeRef::<html::Input>::new();
    let words = RwSignal::new(String::new());
    let rested = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let me = StoredValue::new(me);
    let commands = expect_context::<Commands>();
    Effect::new(move |_| {
        let open = open.get();
        if let Some(dialog) = dialog.get() {
            if open {
                words.set(String::new());
                chosen.set(0);
                browser::show_modal(&dialog);
                if let Some(field) = field.get() {
                    browser::focus(&field);
                }
            } else {
                browser::close_modal(&dialog);
            }
        }
    });
    Effect::new(move |_| {
        let now = words.get();
        StoredValue::new_local(browser::after_ms(REST_MS, move || {
            let _ = rested.try_set(now);
        }));
    });
    let found = LocalResource::new(move || find(me.get_value(), rested.get()));
    let items = Memo::new(move |_| {
        let words = words.read();
        let offered = commands.list();
        let own = of_page(&offered).chain(fixed(&me.read_value())).filter(|item| matches(&item.name, &words));
        own.chain(found.get().unwrap_or_default()).collect::<Vec<Item>>()
    });
    Effect::new(move |_| {
        items.track();
        chosen.set(0);
    });
    let navigate = use_navigate();
    let go = Callback::new(move |href: String| {
        open.set(false);
        if href == KEYS {
            keys_open.set(true);
        } else if let Some(at) = href.strip_prefix(COMMAND) {
            // Once the dialog has given back the focus.
            let command = at.parse().ok().and_then(|at: usize| untrack(|| commands.list()).get(at).copied());
            browser::next_frame(move || {
                if let Some(command) = command {
                    command.run.run(());
                }
            });
        } else {
            navigate(&href, Default::default());
        }
    });
    let on_key = move |event: KeyboardEvent| {
        let count = items.read().len();
        match event.key().as_str() {
            "ArrowDown" if count > 0 => chosen.update(|at| *at = (*at + 1) % count),
            "ArrowUp" if count > 0 => chosen.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(item) = items.read().get(chosen.get_untracked()) {
                    go.run(item.href.clone());
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <dialog class="dialog palette" aria-label="Search and actions" node_ref=dialog on:close=move |_| open.set(false)>
            <div class="palette-field">
                <Icon name="search" />
                <input
                    node_ref=field
                    role="combobox"
                    aria-label="Search pages, workflows, runs and memory"
                    aria-controls="palette-list"
                    aria-expanded="true"
                    aria-activedescendant=move || format!("palette-{}", chosen.get())
                    autocomplete="off"
                    spellcheck="false"
                    placeholder="Search, or say what to do"
                    prop:value=words
                    on:input=move |event| words.set(event_target_value(&event))
                    on:keydown=on_key
                />
                <kbd>"Esc"</kbd>
            </div>
            <PaletteList items chosen words go />
            <div class="palette-foot">
                <span><kbd>"↑"</kbd><kbd>"↓"</kbd>" move"</span>
                <span><kbd>"Enter"</kbd>" open"</span>
            </div>
        </dialog>
    }
}

#[component]
fn PaletteList(
    items: Memo<Vec<Item>>,
    chosen: RwSignal<usize>,
    words: RwSignal<String>,
    go: Callback<String>,
) -> impl IntoView {
    let groups = move || {
        let items = items.read();
        let mut groups: Vec<(&'static str, Vec<(usize, Item)>)> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            match groups.last_mut() {
                Some((name, members)) if *name == item.group => members.push((at, item.clone())),
                _ => groups.push((item.group, vec![(at, item.clone())])),
            }
        }
        groups
    };
    view! {
        <div class="palette-list" role="listbox" id="palette-list" aria-label="Results" tabindex="-1">
            {move || groups().into_iter().map(|(name, members)| view! {
                <div role="group" aria-label=name>
                    <div class="menu-label" aria-hidden="true">{name}</div>
                    {members.into_iter().map(|(at, item)| view! { <PaletteItem at item chosen go /> }).collect::<Vec<_>>()}
                </div>
            }).collect::<Vec<_>>()}
        </div>
        {move || items.read().is_empty().then(|| view! {
            <p class="palette-empty" role="status">{format!("Nothing is called “{}”.", words.get())}</p>
        })}
    }
}

#[component]
fn PaletteItem(at: usize, item: Item, chosen: RwSignal<usize>, go: Callback<String>) -> impl IntoView {
    let href = item.href.clone();
    view! {
        <div
            class="menu-item"
            role="option"
            id=format!("palette-{at}")
            aria-selected=move || (chosen.get() == at).to_string()
            on:pointermove=move |_| chosen.set(at)
            on:click=move |_| go.run(href.clone())
        >
            <Icon name=item.icon />
            <span class="name">{item.name}</span>
            <span class="where">{item.place}</span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn every_word_must_stand_in_the_name() {
        assert!(matches("New workflow from a template", "temp new"));
        assert!(!matches("New workflow", "temp new"));
        assert!(matches("Anything", "  "));
    }
}
