//! What of the memory an agent was given, and why: over all its tasks, the last first.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::params::ParamsMap;

use super::card::task_href;
use crate::api::agents::list_agent_memory;
use crate::model::memory::{Reader, Reading, RunRead};
use crate::model::{AgentId, Page, PageRequest};
use crate::ui::components::{Button, ButtonSize, Column, DataTable, EmptyState, RelativeTime, Tone, use_toasts};
use crate::ui::format;
use crate::ui::pages::memory::how_often;

/// The list.
#[component]
pub(super) fn MemoryRead(id: AgentId, page: Page<RunRead>, changed: RwSignal<u32>) -> impl IntoView {
    let rows = RwSignal::new(page.items);
    let next = RwSignal::new(page.next);
    Effect::new(move |seen: Option<u32>| {
        let now = changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(reread(id, rows, next));
        }
        now
    });
    let is_empty = Memo::new(move |_| rows.with(Vec::is_empty));
    let columns = vec![
        Column::text("Entry"),
        Column::text("Why"),
        Column::text("How often"),
        Column::text("In which task"),
        Column::text("Last"),
    ];
    view! {
        {move || is_empty.get().then(|| view! {
            <EmptyState title="It has read no memory yet">
                "What it searches and opens in memory is listed here with the question that it asked. The last second may be missing."
            </EmptyState>
        })}
        <div hidden=move || is_empty.get()>
            <DataTable label="Memory that it read" columns>
                <For each=move || rows.get() key=row_key let:read><Row read /></For>
            </DataTable>
            <More id rows next />
        </div>
    }
}

/// What a row shows that changes, and which it is.
fn row_key(read: &RunRead) -> impl std::hash::Hash + Eq + use<> {
    let Reading { reads, found, last_at, .. } = read.reading;
    (read.namespace.clone(), read.key.clone(), step_of(read), reads, found, last_at)
}

/// Which entry it is, and who was given it.
fn which(read: &RunRead) -> (String, String, Option<(crate::model::RunId, String)>) {
    (read.namespace.clone(), read.key.clone(), step_of(read))
}

fn step_of(read: &RunRead) -> Option<(crate::model::RunId, String)> {
    match &read.reading.reader {
        Reader::Run { run_id, step, .. } => Some((*run_id, step.clone())),
        Reader::User { .. } | Reader::Cli {} => None,
    }
}

/// By which question it was found, or that it was opened by its name.
fn why(reading: &Reading) -> String {
    match &reading.sought {
        Some(sought) => format!("“{}”, place {}, score {:.2}", sought.query, sought.rank, sought.score),
        None => "opened by its key".to_owned(),
    }
}

#[component]
fn Row(read: RunRead) -> impl IntoView {
    let mut place = ParamsMap::new();
    place.insert("ns", read.namespace.clone());
    place.insert("key", read.key.clone());
    let href = format!("/memory{}", place.to_query_string());
    let task = step_of(&read).map(|(run, step)| {
        let href = task_href(run, &step);
        view! { <a class="link" href=href>{format!("step {step}")}</a> }
    });
    let often = format!("{}, version {}", how_often(read.reading.reads, read.reading.found), read.reading.version);
    view! {
        <tr>
            <td>
                <a class="link over" href=href>{read.key}</a>
                " "
                <span class="path small">{read.namespace}</span>
            </td>
            <td class="over">{why(&read.reading)}</td>
            <td>{often}</td>
            <td>{task}</td>
            <td><RelativeTime at=read.reading.last_at /></td>
        </tr>
    }
}

/// Reads as many rows as are shown; on an error all stay.
async fn reread(id: AgentId, rows: RwSignal<Vec<RunRead>>, next: RwSignal<Option<String>>) {
    let shown = rows.try_with_untracked(Vec::len).unwrap_or_default() as u32;
    let request = PageRequest { limit: shown.clamp(PageRequest::default().limit, PageRequest::MAX), cursor: None };
    if shown > PageRequest::MAX {
        return;
    }
    if let Ok(page) = list_agent_memory(id, request).await {
        rows.try_set(page.items);
        next.try_set(page.next);
    }
}

#[component]
fn More(id: AgentId, rows: RwSignal<Vec<RunRead>>, next: RwSignal<Option<String>>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let load = move |()| {
        busy.set(true);
        let page = PageRequest { cursor: next.get_untracked(), ..PageRequest::default() };
        spawn_local(async move {
            match list_agent_memory(id, page).await {
                Ok(page) => {
                    next.try_set(page.next);
                    rows.try_update(|rows| {
                        let is_known = |read: &RunRead| rows.iter().any(|row| which(row) == which(read));
                        let fresh: Vec<_> = page.items.into_iter().filter(|read| !is_known(read)).collect();
                        rows.extend(fresh);
                    });
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    view! {
        <nav class="pager" aria-label="Pages of memory">
            <span class="tally">{move || format::plural(rows.read().len() as i64, "reading")}</span>
            <Show when=move || next.read().is_some()>
                <Button label="Load older readings" size=ButtonSize::Small busy on_press=load />
            </Show>
        </nav>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::model::memory::Sought;

    #[test]
    fn why_it_was_given_is_the_question_or_its_key() {
        let mut reading = Reading {
            reader: Reader::Cli {},
            reads: 1,
            found: 0,
            version: 1,
            sought: None,
            first_at: Timestamp(0),
            last_at: Timestamp(0),
        };
        assert_eq!(why(&reading), "opened by its key");
        reading.sought = Some(Sought { query: "loom".into(), rank: 2, score: 0.5 });
        assert_eq!(why(&reading), "“loom”, place 2, score 0.50");
    }
}
