//! `/triggers`: schedules, webhooks, events, and everything that fired.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::dialog::{Asked, TriggerDialog};
use super::fire::FireDialog;
use super::firings::Firings;
use super::row::{DeleteDialog, Row, RowActs, third_label};
use crate::api::triggers::{list_firings, list_triggers};
use crate::model::auth::{Action, Me};
use crate::model::live::{ServerMessage, Topic};
use crate::model::trigger::{Kind, Trigger, TriggerFilter};
use crate::model::{ApiError, Page, PageRequest};
use crate::ui::browser;
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, ButtonVariant, Column, DataTable, EmptyState, Load, PageHeader, SkeletonShape,
    Tab, TabPanel, Tabs, Tone, use_toasts,
};
use crate::ui::format;
use crate::ui::state::live::follow;

/// How long changes are gathered before a list is read anew, in ms.
const GATHER_MS: i32 = 250;

/// A tab of the page and the kinds it shows.
struct Part {
    name: &'static str,
    label: &'static str,
    kinds: &'static [Kind],
}

const PARTS: [Part; 3] = [
    Part { name: "schedules", label: "Schedules", kinds: &[Kind::Schedule] },
    Part { name: "webhooks", label: "Webhooks", kinds: &[Kind::Webhook] },
    Part { name: "events", label: "Events", kinds: &[Kind::Memory, Kind::RunFinished] },
];
const FIRINGS: &str = "firings";

/// `/triggers?show=webhooks&workflow=ID`.
#[component]
pub fn TriggersPage() -> impl IntoView {
    let query = use_query_map();
    let chosen = Memo::new(move |_| {
        let asked = query.with(|query| query.get("show")).unwrap_or_default();
        let known = PARTS.iter().map(|part| part.name).chain([FIRINGS]).find(|name| *name == asked);
        known.unwrap_or(PARTS[0].name).to_owned()
    });
    let workflow = Memo::new(move |_| query.with(|query| query.get("workflow")));
    let navigate = use_navigate();
    let choose = move |name: String| {
        let workflow = workflow.get_untracked().map(|id| format!("&workflow={id}")).unwrap_or_default();
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        navigate(&format!("/triggers?show={name}{workflow}"), options);
    };
    let mut tabs: Vec<Tab> = PARTS.iter().map(|part| Tab::new(part.name, part.label)).collect();
    tabs.push(Tab::new(FIRINGS, "Firings"));
    let changed = RwSignal::new(0);
    count_changes(changed);
    // The dialogs stand outside of what is drawn anew: a list that changes must not close what a person fills in.
    let asked = Asked::new(changed);
    let acts = RowActs::new(asked, changed);
    view! {
        <PageHeader title="Triggers" actions=ViewFnOnce::from(move || view! { <HeadActions chosen asked /> }) />
        <div class="page-body stack">
            <Tabs id="triggers" label="Triggers" tabs=Signal::stored(tabs) chosen on_choose=choose />
            {PARTS
                .iter()
                .map(|part| view! {
                    <TabPanel id="triggers" name=part.name chosen>
                        <Triggers part workflow changed acts />
                    </TabPanel>
                })
                .collect_view()}
            <TabPanel id="triggers" name=FIRINGS chosen><AllFirings changed /></TabPanel>
        </div>
        <TriggerDialog asked />
        <FireDialog acts />
        <DeleteDialog acts />
    }
}

/// Counts, a moment later, that triggers changed or fired.
pub(super) fn count_changes(changed: RwSignal<u32>) {
    let timer = browser::GuardSlot::new();
    let hear = move |message: ServerMessage| {
        if matches!(message, ServerMessage::Update(_)) {
            timer.keep(Some(browser::after_ms(GATHER_MS, move || {
                changed.try_update(|n| *n += 1);
            })));
        }
    };
    follow(Signal::stored(Some(Topic::Triggers)), || 0, hear);
}

#[component]
fn HeadActions(chosen: Memo<String>, asked: Asked) -> impl IntoView {
    let may = expect_context::<Me>().may(Action::ManageTrigger);
    let kinds = move || PARTS.iter().find(|part| part.name == chosen.get()).map_or(&[][..], |part| part.kinds);
    let button = move |kind: Kind, is_first: bool| {
        let label = match kind {
            Kind::Schedule => "New schedule",
            Kind::Webhook => "New webhook",
            Kind::Memory => "On a memory change",
            Kind::RunFinished => "On a run's end",
        };
        let variant = if is_first { ButtonVariant::Primary } else { ButtonVariant::Plain };
        view! {
            <Button label icon="plus" variant size=ButtonSize::Small shape=ButtonShape::Collapsing on_press=move |()| asked.make(kind) />
        }
    };
    move || {
        may.then(|| {
            kinds().iter().rev().enumerate().map(|(at, kind)| button(*kind, at + 1 == kinds().len())).collect_view()
        })
    }
}

#[component]
fn Triggers(
    part: &'static Part,
    workflow: Memo<Option<String>>,
    changed: RwSignal<u32>,
    acts: RowActs,
) -> impl IntoView {
    let filter = move || TriggerFilter {
        kind: Some(part.kinds[0]).filter(|_| part.kinds.len() == 1),
        workflow_id: workflow.get().and_then(|id| id.parse().ok()),
    };
    let first = Resource::new(filter, |filter| async move {
        let page = list_triggers(filter, PageRequest { limit: 200, cursor: None }).await?;
        Ok::<_, ApiError>((filter, page))
    });
    view! {
        <Load resource=first what="the triggers" shape=SkeletonShape::Rows(4) let:loaded>
            <TriggerList part filter=loaded.0 page=loaded.1 changed acts />
        </Load>
    }
}

#[component]
fn AllFirings(changed: RwSignal<u32>) -> impl IntoView {
    let first = Resource::new(|| (), |()| list_firings(None, PageRequest::default()));
    view! { <Firings trigger=None first changed /> }
}

#[component]
fn TriggerList(
    part: &'static Part,
    filter: TriggerFilter,
    page: Page<Trigger>,
    changed: RwSignal<u32>,
    acts: RowActs,
) -> impl IntoView {
    let rows = RwSignal::new(page.items);
    let next = RwSignal::new(page.next);
    Effect::new(move |seen: Option<u32>| {
        let now = changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(reread(filter, rows, next));
        }
        now
    });
    let shown = Memo::new(move |_| {
        rows.with(|rows| rows.iter().filter(|row| part.kinds.contains(&row.config.kind())).cloned().collect::<Vec<_>>())
    });
    let columns = vec![
        Column::text("Name"),
        Column::text("On"),
        Column::text("Starts"),
        Column::text(third_label(part.kinds[0])),
        Column::text("Last firing"),
        Column::text(""),
    ];
    view! {
        <Show when=move || shown.with(Vec::is_empty)><Nothing part /></Show>
        <div hidden=move || shown.with(Vec::is_empty)>
            <div class="table-folds trigger-list">
                <DataTable label=part.label columns>
                    <For each=move || shown.get() key=row_key let:row><Row row acts /></For>
                </DataTable>
            </div>
            <More filter rows next />
        </div>
    }
}

/// What a row shows.
fn row_key(row: &Trigger) -> impl std::hash::Hash + Eq + use<> {
    let last = row.last_firing.as_ref().map(|firing| (firing.id, firing.outcome));
    (row.id, row.revision, last, row.next.first().map(|moment| moment.at), row.workflow_name.clone())
}

/// Reads as many rows as are shown; on an error all stay.
async fn reread(filter: TriggerFilter, rows: RwSignal<Vec<Trigger>>, next: RwSignal<Option<String>>) {
    if let Ok(page) = list_triggers(filter, PageRequest { limit: 200, cursor: None }).await {
        rows.try_set(page.items);
        next.try_set(page.next);
    }
}

#[component]
fn Nothing(part: &'static Part) -> impl IntoView {
    let (title, text) = match part.kinds[0] {
        Kind::Schedule => (
            "No schedules yet",
            "A schedule starts a workflow at times that you name, in your own zone, also where clocks are set forward and back.",
        ),
        Kind::Webhook => (
            "No webhooks yet",
            "A webhook is an address that other programs call to start a workflow, and that can answer them.",
        ),
        Kind::Memory | Kind::RunFinished => (
            "No events yet",
            "An event starts a workflow when an entry of memory changes or when another run ends, as a handler of failures does.",
        ),
    };
    view! { <EmptyState title>{text}</EmptyState> }
}

#[component]
fn More(filter: TriggerFilter, rows: RwSignal<Vec<Trigger>>, next: RwSignal<Option<String>>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let load = move |()| {
        busy.set(true);
        let page = PageRequest { limit: 200, cursor: next.get_untracked() };
        spawn_local(async move {
            match list_triggers(filter, page).await {
                Ok(page) => {
                    next.try_set(page.next);
                    rows.try_update(|rows| rows.extend(page.items));
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    view! {
        <Show when=move || next.read().is_some()>
            <nav class="pager" aria-label="Pages">
                <span class="tally">{move || format::plural(rows.read().len() as i64, "trigger")}</span>
                <Button label="Load more" size=ButtonSize::Small busy on_press=load />
            </nav>
        </Show>
    }
}
