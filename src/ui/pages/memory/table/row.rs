//! One row: what a line says, in the chosen columns; on a phone the same as a card.

use leptos::prelude::*;

use super::super::State;
use super::super::quarantine::source_badge;
use super::super::results::{siblings_badge, superseded_badge};
use super::column::Col;
use super::grid::row_id;
use crate::model::memory::{EntryLine, EntryName, Source};
use crate::ui::components::{Badge, RelativeTime};
use crate::ui::format;

/// Tags of an entry that a row names.
const TAGS: usize = 3;

/// The row with this number; empty until its line is here.
#[component]
pub(super) fn Row(row: u32, state: State) -> impl IntoView {
    let lines = state.lines;
    // Counted, not owned by the drawing: while another first page is on its way these rows are still there, and follow what
    // is chosen and open.
    let line = ArcMemo::new(move |_| lines.here.with(|lines| lines.get(row as usize).cloned()));
    let name = ArcMemo::new({
        let line = line.clone();
        move |_| line.with(|line| line.as_ref().map(name_of))
    });
    let chosen = ArcMemo::new({
        let name = name.clone();
        move |_| {
            name.with(|name| name.as_ref().is_some_and(|name| state.bulk.chosen.with(|all| all.contains_key(name))))
        }
    });
    let current = ArcMemo::new(move |_| {
        name.with(|name| {
            name.as_ref().is_some_and(|name| state.place.with(|place| place.is_open(&name.namespace, &name.key)))
        })
    });
    let cells = {
        let chosen = chosen.clone();
        move || match line.get() {
            Some(line) => view! { <Cells line row chosen=chosen.clone() state /> }.into_any(),
            None => view! { <div role="gridcell" class="dimmer waits">"…"</div> }.into_any(),
        }
    };
    view! {
        <div
            class="eline"
            role="row"
            id=row_id(row)
            aria-rowindex=(row + 2).to_string()
            aria-selected=move || chosen.get().to_string()
            aria-current=move || current.get().then_some("true")
            data-active=move || (lines.active.get() == Some(row)).then_some("")
            on:click=move |_| lines.active.set(Some(row))
        >
            {cells}
        </div>
    }
}

fn name_of(line: &EntryLine) -> EntryName {
    EntryName { namespace: line.namespace.clone(), key: line.key.clone() }
}

#[component]
fn Cells(line: EntryLine, row: u32, chosen: ArcMemo<bool>, state: State) -> impl IntoView {
    let (name, version) = (name_of(&line), line.version);
    let (at, key) = (line.namespace.clone(), line.key.clone());
    let href = move || state.place.with(|place| place.opening(&at, &key).href());
    let label = format!("Choose {}", line.key);
    let tick = move |event: leptos::ev::MouseEvent| {
        let on = event_target_checked(&event);
        if event.shift_key() && on {
            state.lines.choose_range(state, row);
        } else {
            state.lines.anchor.set_value(Some(row));
            state.bulk.toggle(&name, version, on);
        }
    };
    let excerpt = match &line.unreadable {
        Some(why) => format!("Can't be decrypted: {why}"),
        None => line.excerpt.clone(),
    };
    let shown = line.clone();
    let others = move || state.lines.columns.get().into_iter().map(|col| cell(col, &shown)).collect_view();
    view! {
        <div role="gridcell" class="pick">
            <input type="checkbox" tabindex="-1" aria-label=label prop:checked=move || chosen.get() on:click=tick />
        </div>
        <div role="rowheader" class="what">
            <span class="what-head">
                <a tabindex="-1" href=href>{line.key}</a>
                {source_badge(line.trust)}
                {siblings_badge(line.siblings)}
                {superseded_badge(line.superseded_at)}
            </span>
            <span class="what-text">{excerpt}</span>
        </div>
        {others}
    }
}

/// What a line says in a column; on a phone the name of the column stands before it.
fn cell(col: Col, line: &EntryLine) -> impl IntoView + use<> {
    let said = match col {
        Col::Namespace => line.namespace.clone().into_any(),
        Col::Changed => view! { <RelativeTime at=line.updated_at /> }.into_any(),
        Col::Created => view! { <RelativeTime at=line.created_at /> }.into_any(),
        Col::Importance => format!("{:.2}", line.importance).into_any(),
        Col::Reads => format::count(line.reads).into_any(),
        Col::Size => format::count(line.chars).into_any(),
        Col::Source => writer(&line.source).into_any(),
        Col::Tags => tags(&line.tags).into_any(),
    };
    view! {
        <div role="gridcell" class="cell" class:num=col.is_number()>
            <span class="name" aria-hidden="true">{col.label()}</span>
            <span class="said">{said}</span>
        </div>
    }
}

fn writer(source: &Source) -> String {
    match source {
        Source::User { name } => name.clone(),
        Source::Run { step, .. } => format!("a run, step {step}"),
        Source::Import { name: Some(name) } => format!("{name}, by import"),
        Source::Import { name: None } => "an import".to_owned(),
        Source::Cli {} => "the command line".to_owned(),
        Source::Expiry {} => "its expiry".to_owned(),
    }
}

fn tags(tags: &[String]) -> impl IntoView + use<> {
    let more = tags.len().saturating_sub(TAGS);
    let badges = tags.iter().take(TAGS).map(|tag| view! { <Badge label=tag.clone() /> }).collect_view();
    view! { {badges} {(more > 0).then(|| format!("+{more}"))} }
}
