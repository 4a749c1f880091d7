//! The memory page: namespaces, what was found, and one entry.
//!
//! The URL says which namespace, query, tag and entry are shown; everything loaded follows from it. Changes that others make
//! arrive over the live socket and load the panes anew, without touching a form that is open.

mod access;
mod activity;
mod backups;
mod bulk;
mod diff;
mod draft;
mod embedder;
mod encryption;
mod entry;
mod form;
mod health;
mod import;
mod keys;
mod loading;
mod map;
mod namespace;
mod operators;
mod place;
mod quarantine;
mod readers;
mod related;
mod relations;
mod remove;
mod results;
mod retention;
mod rules;
mod setter;
mod siblings;
mod summaries;
mod summary;
mod table;
mod then;
mod timeline;
mod tree;
mod versions;
mod why;

pub use backups::BackupsPage;
pub use embedder::EmbedderPage;
pub use health::HealthPage;
pub use map::MapPage;
pub(crate) use readers::how_often;
pub use summaries::SummariesPage;
pub use timeline::TimelinePage;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use self::activity::Activity;
use self::bulk::{Bulk, BulkDialogs};
use self::draft::Start;
use self::entry::EntryPane;
use self::form::{EntryDialog, Form};
use self::import::{Import, ImportDialog};
use self::loading::{Listing, load_entry, load_listing};
use self::namespace::{Governed, NamespaceDialog};
use self::place::Place;
use self::quarantine::{Aside, QuarantineDialog};
use self::readers::ReadBy;
use self::related::About;
use self::relations::{Relate, RelateDialog, Said};
use self::results::Results;
use self::rules::{Rules, RulesDialog};
use self::siblings::Beside;
use self::summary::{Summary, SummaryDialog, Ways};
use self::table::{ColumnsDialog, Lines};
use self::tree::Namespaces;
use crate::api::memory::list_namespaces;
use crate::model::ApiError;
use crate::model::auth::{Action, Me};
use crate::model::live::{ServerMessage, Topic};
use crate::model::memory::{Entry, Namespace};
use crate::ui::browser;
use crate::ui::components::{Button, ButtonLink, ButtonShape, ButtonSize, ButtonVariant, PageHeader};
use crate::ui::state::live::follow;

/// Entries that a list shows at first, and that "Load more" adds.
const STEP: u32 = 50;
/// Entries that a list shows at most; beyond it, searching is the way.
const MOST_LISTED: u32 = 1000;
/// Hits that a search shows at most.
const MOST_HITS: u32 = 100;
/// Changes that arrive within this time are loaded together, in ms.
const GATHER_MS: i32 = 300;

/// What the panes share.
#[derive(Clone, Copy)]
struct State {
    /// As the URL says.
    place: Memo<Place>,
    /// Goes to another view, as a new step of the browser's history.
    go: Callback<Place>,
    /// Goes to another view in place of this one.
    replace: Callback<Place>,
    namespaces: Resource<Result<Vec<Namespace>, ApiError>>,
    activity: Activity,
    listing: Resource<Result<Listing, ApiError>>,
    entry: Resource<Result<Option<Entry>, ApiError>>,
    siblings: Resource<Result<Beside, ApiError>>,
    related: Resource<Result<About, ApiError>>,
    relations: Resource<Result<Said, ApiError>>,
    readers: Resource<Result<ReadBy, ApiError>>,
    ways: Resource<Result<Ways, ApiError>>,
    summary: Summary,
    /// How many rows of the list are wanted.
    shown: RwSignal<u32>,
    /// Goes up when everything must be loaded anew.
    refresh: RwSignal<u32>,
    form: Form,
    rules: Rules,
    relate: Relate,
    governed: Governed,
    aside: Aside,
    bulk: Bulk,
    import: Import,
    lines: Lines,
    /// Why this person can't write, if they can't.
    refused: Signal<Option<String>>,
}

impl State {
    fn new() -> Self {
        let query = use_query_map();
        let place = Memo::new(move |_| query.with(Place::read));
        let refresh = RwSignal::new(0);
        let shown = RwSignal::new(STEP);
        let listed = Memo::new(move |_| place.with(Place::listed));
        let opened = Memo::new(move |_| place.with(|place| (place.at.clone(), place.key.clone(), place.then)));
        let navigate = use_navigate();
        let replacing = navigate.clone();
        let may = use_context::<Me>().is_none_or(|me| me.may(Action::WriteMemory));
        Self {
            place,
            go: Callback::new(move |to: Place| {
                navigate(&to.href(), NavigateOptions { scroll: false, ..NavigateOptions::default() })
            }),
            replace: Callback::new(move |to: Place| {
                replacing(&to.href(), NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
            }),
            namespaces: Resource::new(move || refresh.get(), |_| list_namespaces()),
            listing: Resource::new(
                move || {
                    let place = listed.get();
                    // The table loads anew by itself, behind what it shows.
                    let round = if loading::is_table(&place) { (0, 0) } else { (shown.get(), refresh.get()) };
                    (place, round)
                },
                |(place, (shown, _))| load_listing(place, shown),
            ),
            entry: Resource::new(
                move || (opened.get(), refresh.get()),
                |((at, key, then), _)| load_entry(at, key, then),
            ),
            siblings: Resource::new(
                move || (opened.get(), refresh.get()),
                |((at, key, then), _)| siblings::load(at, key, then),
            ),
            related: Resource::new(
                move || (opened.get(), refresh.get()),
                |((at, key, then), _)| related::load(at, key, then),
            ),
            relations: Resource::new(
                move || (opened.get(), refresh.get()),
                |((at, key, then), _)| relations::load(at, key, then),
            ),
            readers: Resource::new(
                move || (opened.get(), refresh.get()),
                |((at, key, then), _)| readers::load(at, key, then),
            ),
            ways: Resource::new(
                move || (opened.get(), refresh.get()),
                |((at, key, then), _)| summary::load(at, key, then),
            ),
            summary: Summary::new(),
            shown,
            refresh,
            form: Form::new(),
            rules: Rules::new(),
            relate: Relate::new(),
            governed: Governed::new(),
            aside: Aside::new(),
            bulk: Bulk::new(Callback::new(move |()| {
                // A change may end after the page is gone.
                refresh.try_update(|count| *count += 1);
            })),
            activity: Activity::new(),
            import: Import::new(),
            lines: Lines::new(),
            refused: Signal::derive(move || {
                if place.with(|place| place.then.is_some()) {
                    return Some(then::REFUSED.to_owned());
                }
                (!may).then(|| "Your role can't change memory".to_owned())
            }),
        }
    }

    /// Opens the form for a new entry in the chosen namespace.
    fn add(self) {
        if self.refused.with_untracked(Option::is_none) {
            let namespace = self.place.with_untracked(|place| place.namespace.clone());
            self.form.begin(Start::within(namespace));
        }
    }

    /// Opens the form for an entry.
    fn edit(self, entry: &Entry) {
        if self.refused.with_untracked(Option::is_none) {
            self.form.begin(Start::of(entry));
        }
    }

    fn load_anew(self) {
        // A task may end after the page is gone.
        self.refresh.try_update(|count| *count += 1);
    }
}

/// Loads the panes anew when somebody writes or deletes in the chosen namespace.
fn follow_changes(state: State) {
    let topic = Signal::derive(move || Some(Topic::Memory(state.place.with(|place| place.namespace.clone()))));
    let seen = StoredValue::new(0_i64);
    let timer = browser::GuardSlot::new();
    let load_soon = move || timer.keep(Some(browser::after_ms(GATHER_MS, move || state.load_anew())));
    follow(
        topic,
        move || seen.get_value(),
        move |message| match message {
            ServerMessage::Update(update) => {
                seen.set_value(update.seq);
                load_soon();
            }
            ServerMessage::Snapshot { seq, .. } => {
                // The first one only says where the topic stands.
                if seen.get_value() > 0 {
                    load_soon();
                }
                seen.set_value(seq);
            }
            ServerMessage::Pong { .. } | ServerMessage::Error { .. } => {}
        },
    );
}

/// What is chosen is chosen in one view: another namespace, query or filter begins without, another order does not.
fn forget_choice(state: State) {
    let listed = Memo::new(move |_| Place { order: Default::default(), ..state.place.with(Place::listed) });
    Effect::new(move |before: Option<()>| {
        listed.track();
        if before.is_some() {
            state.bulk.clear();
        }
    });
}

/// The memory page.
#[component]
pub fn MemoryPage() -> impl IntoView {
    let state = State::new();
    let tree_open = RwSignal::new(false);
    follow_changes(state);
    forget_choice(state);
    state.activity.follow(state.refresh);
    keys::listen(state);
    let may_summarize = summary::refused(state);
    let phone = move || state.place.with(|place| if place.key.is_empty() { "list" } else { "detail" });
    let actions = move || {
        view! {
            <span class="tree-switch">
                <Button
                    label="Namespaces"
                    icon="folder"
                    size=ButtonSize::Small
                    shape=ButtonShape::Collapsing
                    pressed=Signal::derive(move || Some(tree_open.get()))
                    on_press=move |()| tree_open.update(|open| *open = !*open)
                />
            </span>
            <Button
                label="Quarantine"
                icon="shield"
                size=ButtonSize::Small
                shape=ButtonShape::Collapsing
                pressed=Signal::derive(move || Some(state.place.with(|place| place.is_quarantine)))
                on_press=move |()| state.go.run(state.place.with_untracked(Place::turning_to_quarantine))
            />
            <ButtonLink
                href=Signal::derive(move || state.place.with(Place::timeline_href))
                label="Timeline"
                icon="history"
                size=ButtonSize::Small
                shape=ButtonShape::Collapsing
            />
            <ButtonLink
                href=Signal::derive(move || state.place.with(Place::map_href))
                label="Map"
                icon="map"
                size=ButtonSize::Small
                shape=ButtonShape::Collapsing
            />
            <ButtonLink
                href="/memory/health"
                label="Health"
                icon="tidy"
                size=ButtonSize::Small
                shape=ButtonShape::Collapsing
            />
            <ButtonLink
                href="/memory/embedder"
                label="How things are found"
                icon="settings"
                size=ButtonSize::Small
                shape=ButtonShape::Collapsing
            />
            <Button
                label="Summarize"
                icon="collapse"
                size=ButtonSize::Small
                shape=ButtonShape::IconOnly
                refused=may_summarize
                on_press=move |()| state.summary.begin(state.place.with_untracked(|place| place.namespace.clone()))
            />
            <Button
                label="Import…"
                icon="upload"
                size=ButtonSize::Small
                shape=ButtonShape::IconOnly
                refused=state.refused
                on_press=move |()| state.import.begin()
            />
            <Button
                label="Add entry"
                icon="plus"
                keys="N"
                size=ButtonSize::Small
                variant=ButtonVariant::Primary
                shape=ButtonShape::Collapsing
                refused=state.refused
                on_press=move |()| state.add()
            />
        }
    };
    view! {
        <PageHeader title="Memory" actions=ViewFnOnce::from(actions) />
        <div class="page-body" data-flush>
            <div class="panes memory" data-phone=phone>
                <Namespaces state open=tree_open />
                <Results state />
                <EntryPane state />
            </div>
        </div>
        <EntryDialog state />
        <RulesDialog rules=state.rules />
        <NamespaceDialog state />
        <QuarantineDialog state />
        <RelateDialog state />
        <ImportDialog state />
        <SummaryDialog state />
        <BulkDialogs bulk=state.bulk />
        <ColumnsDialog lines=state.lines />
    }
}
