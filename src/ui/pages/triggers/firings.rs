//! What became of each firing, newest first.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use crate::api::triggers::list_firings;
use crate::model::trigger::{Firing, Outcome};
use crate::model::{ApiError, Page, PageRequest, TriggerId};
use crate::ui::components::{
    Badge, Button, ButtonSize, Column, DataTable, EmptyState, Load, RelativeTime, SkeletonShape, Tone, use_toasts,
};
use crate::ui::format;

/// An outcome in its colour and its word.
#[component]
pub(super) fn OutcomeBadge(outcome: Outcome) -> impl IntoView {
    let tone = match outcome {
        Outcome::Starting => Tone::Live,
        Outcome::Started => Tone::Good,
        Outcome::Refused => Tone::Warn,
        Outcome::Failed => Tone::Bad,
        Outcome::Skipped | Outcome::Duplicate => Tone::Plain,
    };
    view! { <Badge label=outcome.label() tone /> }
}

/// The newest firings, as a page reads them at first.
pub(super) type First = Resource<Result<Page<Firing>, ApiError>>;

/// The firings of one trigger, or of all.
#[component]
pub(super) fn Firings(trigger: Option<TriggerId>, first: First, changed: RwSignal<u32>) -> impl IntoView {
    view! {
        <Load resource=first what="the firings" shape=SkeletonShape::Rows(4) let:page>
            <FiringList trigger page changed />
        </Load>
    }
}

#[component]
fn FiringList(trigger: Option<TriggerId>, page: Page<Firing>, changed: RwSignal<u32>) -> impl IntoView {
    let rows = RwSignal::new(page.items);
    let next = RwSignal::new(page.next);
    Effect::new(move |seen: Option<u32>| {
        let now = changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(reread(trigger, rows, next));
        }
        now
    });
    let mut columns =
        vec![Column::text("When"), Column::text("Outcome"), Column::text("What and why"), Column::text("Run")];
    if trigger.is_none() {
        columns.insert(3, Column::text("Trigger"));
    }
    let with_trigger = trigger.is_none();
    view! {
        <Show when=move || rows.with(Vec::is_empty)>
            <EmptyState title="Nothing has fired yet">
                "Each firing is listed here, also those that were refused, passed over or failed, with the reason."
            </EmptyState>
        </Show>
        <div hidden=move || rows.with(Vec::is_empty)>
            <DataTable label="Firings" columns>
                <For each=move || rows.get() key=|row| (row.id, row.outcome) let:row>
                    <FiringRow row with_trigger />
                </For>
            </DataTable>
            <More trigger rows next />
        </div>
    }
}

/// Reads as many rows as are shown; on an error all stay.
async fn reread(trigger: Option<TriggerId>, rows: RwSignal<Vec<Firing>>, next: RwSignal<Option<String>>) {
    let shown = rows.try_with_untracked(Vec::len).unwrap_or_default() as u32;
    let page = PageRequest { limit: shown.clamp(PageRequest::default().limit, 200), cursor: None };
    if let Ok(page) = list_firings(trigger, page).await {
        rows.try_set(page.items);
        next.try_set(page.next);
    }
}

#[component]
fn FiringRow(row: Firing, with_trigger: bool) -> impl IntoView {
    let what = told(&row.event);
    let reason = sentence(&row.reason);
    view! {
        <tr>
            <td class="nowrap"><RelativeTime at=row.at /></td>
            <td><OutcomeBadge outcome=row.outcome /></td>
            <td data-wrap="">
                {reason}
                {(!what.is_empty()).then(|| view! { <span class="dim block small">{what}</span> })}
            </td>
            {with_trigger.then(|| view! { <td><a class="link" href=format!("/triggers/{}", row.trigger_id)>"Open"</a></td> })}
            <td>{row.run_id.map(|run| view! { <a class="link nowrap" href=format!("/runs/{run}")>"Open the run"</a> })}</td>
        </tr>
    }
}

/// A reason with a capital.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What set a firing off, in a line: "namespace code, key a, version 3".
fn told(event: &Value) -> String {
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    // Who fired by hand stands in the reason.
    let fields =
        event.as_object().into_iter().flatten().filter(|(name, value)| !value.is_null() && *name != "fired_by");
    fields.map(|(name, field)| format!("{} {}", name.replace('_', " "), value(field))).collect::<Vec<_>>().join(", ")
}

#[component]
fn More(trigger: Option<TriggerId>, rows: RwSignal<Vec<Firing>>, next: RwSignal<Option<String>>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let load = move |()| {
        busy.set(true);
        let page = PageRequest { cursor: next.get_untracked(), ..PageRequest::default() };
        spawn_local(async move {
            match list_firings(trigger, page).await {
                Ok(page) => {
                    next.try_set(page.next);
                    rows.try_update(|rows| {
                        let fresh: Vec<_> =
                            page.items.into_iter().filter(|row| rows.iter().all(|known| known.id != row.id)).collect();
                        rows.extend(fresh);
                    });
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    view! {
        <Show when=move || next.read().is_some()>
            <nav class="pager" aria-label="Pages">
                <span class="tally">{move || format::plural(rows.read().len() as i64, "firing")}</span>
                <Button label="Load more" size=ButtonSize::Small busy on_press=load />
            </nav>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_told_in_a_line() {
        assert_eq!(told(&json!({"namespace": "code", "version": 3, "gone": null})), "namespace code, version 3");
        assert_eq!(sentence("no such thing"), "No such thing");
    }
}
