//! Who has what to itself or shares it, who waits for what, and why.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::acts::Acts;
use super::card::task_href;
use crate::api::agents::{end_agent_lease, list_agent_leases};
use crate::model::LeaseId;
use crate::model::agent::{Lease, LeaseMode};
use crate::ui::components::{
    Button, ButtonSize, Column, DataTable, RelativeTime, StatusBadge, StatusLook, StatusShape, Tone, use_toasts,
};

/// The leases of the workspace; nothing where there are none.
#[component]
pub(super) fn Leases(
    list: Vec<Lease>,
    acts: Acts,
    /// Set to whether there are any.
    has_any: RwSignal<bool>,
) -> impl IntoView {
    let rows = RwSignal::new(list);
    Effect::new(move |seen: Option<u32>| {
        let now = acts.changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(async move {
                // On an error what is shown stays.
                if let Ok(list) = list_agent_leases().await {
                    rows.try_set(list);
                }
            });
        }
        now
    });
    let is_empty = Memo::new(move |_| rows.with(Vec::is_empty));
    Effect::new(move |_| {
        has_any.try_set(!is_empty.get());
    });
    let columns = vec![
        Column::text("What"),
        Column::text("Agent"),
        Column::text("Stands"),
        Column::text("Since"),
        Column::text(""),
    ];
    view! {
        <section class="stack agent-queue" aria-labelledby="agent-leases" hidden=move || is_empty.get()>
            <h2 id="agent-leases">"Who has what, and who waits for it"</h2>
            <DataTable label="Leases" columns>
                <For each=move || rows.get() key=row_key let:lease><Row lease acts /></For>
            </DataTable>
        </section>
    }
}

/// What a row shows that changes.
fn row_key(lease: &Lease) -> impl std::hash::Hash + Eq + use<> {
    let behind: Vec<LeaseId> = lease.behind.iter().map(|other| other.id).collect();
    (lease.id, lease.is_held, lease.position, behind)
}

const fn look(is_held: bool) -> StatusLook {
    if is_held {
        StatusLook { name: "running", label: "Has it" }
    } else {
        StatusLook { name: "waiting", label: "Waits" }
    }
}

#[component]
fn Row(lease: Lease, acts: Acts) -> impl IntoView {
    let (what, why) = (what(&lease), why(&lease));
    let Lease { id, is_held, since, agent, agent_name, run_id, step, .. } = lease;
    view! {
        <tr>
            <td class="wrapped">{what}</td>
            <td>
                <a class="link" href=format!("/agents/{agent}")>{agent_name}</a>
                ", "
                <a class="link" href=task_href(run_id, &step)>"its work"</a>
            </td>
            <td>
                <StatusBadge status=Signal::stored(look(is_held)) shape=StatusShape::Pill />
                {(!why.is_empty()).then(|| view! { <div class="small dim">{why}</div> })}
            </td>
            <td><RelativeTime at=since /></td>
            <td>{acts.may_control.then(|| view! { <End id is_held acts /> })}</td>
        </tr>
    }
}

/// The thing, and how much of it.
fn what(lease: &Lease) -> String {
    let how = match lease.mode {
        LeaseMode::Shared => ", shared",
        LeaseMode::Exclusive => "",
    };
    format!("{}{how}", lease.thing)
}

/// Who keeps it waiting, by what.
fn why(lease: &Lease) -> String {
    let others = lease.behind.iter().map(|other| {
        let has = if other.is_held { "has" } else { "waits before it for" };
        format!("{} {has} {}", other.agent_name, other.thing)
    });
    others.collect::<Vec<_>>().join(", ")
}

#[component]
fn End(id: LeaseId, is_held: bool, acts: Acts) -> impl IntoView {
    let toasts = use_toasts();
    let end = Action::new(move |(): &()| end_agent_lease(id));
    Effect::new(move |_| match end.value().get() {
        Some(Ok(())) => acts.changed.update(|n| *n += 1),
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let label = if is_held { "End the lease" } else { "End the wait" };
    view! { <Button label size=ButtonSize::Small busy=end.pending() on_press=move |()| drop(end.dispatch(())) /> }
}
