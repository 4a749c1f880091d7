//! Under which master keys everything rests, how far a change has come, and which key can be given up.
//!
//! Shows and changes nothing: who makes a new key has the file of every server in mind, and does it from a shell. While a change
//! goes on the numbers are asked for again.

use leptos::prelude::*;

use crate::api::master::get_master_key;
use crate::model::master::{MasterKeyInfo, MasterKeyReport, MasterKeyState, NotYetSealed};
use crate::ui::browser;
use crate::ui::components::{
    Badge, Column, DataTable, EmptyState, Load, RelativeTime, SkeletonShape, Tone, use_toasts,
};
use crate::ui::format;

/// How often the numbers are asked for while a change goes on, in ms. Each time every sealed value is counted.
const AGAIN_MS: i32 = 10_000;

#[component]
pub(super) fn MasterKeys() -> impl IntoView {
    let read = Resource::new(|| (), |()| get_master_key());
    view! {
        <Load resource=read what="the master keys" shape=SkeletonShape::Block(4) let:report>
            {match report {
                Some(report) => view! { <Keys report /> }.into_any(),
                None => view! {
                    <EmptyState title="The key of the installation">
                        "All workspaces rest under one master key. Owners of the first workspace look after it."
                    </EmptyState>
                }.into_any(),
            }}
        </Load>
    }
}

/// The keys; the table stays while the numbers change.
#[component]
fn Keys(report: MasterKeyReport) -> impl IntoView {
    let toasts = use_toasts();
    let report = RwSignal::new(report);
    let look = Action::new(|(): &()| get_master_key());
    Effect::new(move |_| match look.value().get() {
        Some(Ok(Some(fresh))) => report.set(fresh),
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        Some(Ok(None)) | None => {}
    });
    let timer = browser::GuardSlot::new();
    Effect::new(move |_| {
        look.value().track();
        let again = report.with(|report| !report.whole);
        timer.keep(again.then(|| browser::after_ms(AGAIN_MS, move || drop(look.dispatch(())))));
    });
    let shown = Memo::new(move |_| report.get());
    view! { <div class="stack">{move || view! { <State report=shown.get() /> }}</div> }
}

#[component]
fn State(report: MasterKeyReport) -> impl IntoView {
    let said = said(&report);
    let (tone, word) = if report.whole { (Tone::Good, "Whole") } else { (Tone::Live, "At work") };
    let left = report.left.iter().map(|NotYetSealed { what, values }| {
        view! { <li>{format!("{} {what}", format::count(*values))}</li> }
    });
    let left = (!report.left.is_empty()).then(|| view! { <ul class="small dim">{left.collect_view()}</ul> });
    let columns = ["Key", "State", "File of this server", "Seals since", "Next"].map(Column::text).to_vec();
    let rows = report.keys.iter().map(|key| view! { <Row key=key.clone() next=next(key, report.whole) /> });
    let rows = rows.collect_view();
    view! {
        <div class="row wrap">
            <Badge label=word tone />
            <span role="status">{said}</span>
        </div>
        {left}
        <DataTable label="Master keys" columns>{rows}</DataTable>
        <p class="small dim">
            "Every secret at rest, and the keys of the memory, are under the master key, which is in a file and never in the database. Put another one in its place with "
            <code>"weft key rotate"</code>". Keep each key as long as there are backups of its time."
        </p>
    }
}

#[component]
fn Row(key: MasterKeyInfo, next: String) -> impl IntoView {
    let tone = match key.state {
        MasterKeyState::Sealing if key.in_file => Tone::Good,
        MasterKeyState::Sealing => Tone::Bad,
        MasterKeyState::Waiting | MasterKeyState::Opening | MasterKeyState::Retired => Tone::Plain,
    };
    view! {
        <tr>
            <td><code>{key.id}</code></td>
            <td><Badge label=key.state.label() tone /></td>
            <td>{if key.in_file { "has it" } else { "does not have it" }}</td>
            <td>{key.since.map(|at| view! { <RelativeTime at /> })}</td>
            <td>{next}</td>
        </tr>
    }
}

/// How far it is.
fn said(report: &MasterKeyReport) -> String {
    let left: i64 = report.left.iter().map(|left| left.values).sum();
    let mut said = match (report.whole, left) {
        (true, _) => "Everything that can be opened is under the key that seals.".to_owned(),
        (false, 0) => {
            "Nothing is left under an older key; the last look comes three minutes after the change began.".to_owned()
        }
        (false, left) => {
            format!("{} values are still to be brought under the key that seals:", format::count(left))
        }
    };
    if report.unreadable > 0 {
        let unreadable = format::count(report.unreadable);
        said.push_str(&format!(" {unreadable} open with no key of the file, and stay as they are."));
    }
    said
}

/// What can be done with a key.
fn next(key: &MasterKeyInfo, is_whole: bool) -> String {
    match (key.state, key.in_file) {
        (MasterKeyState::Sealing, true) | (MasterKeyState::Retired, false) => String::new(),
        (MasterKeyState::Sealing, false) => {
            "This server can seal nothing: bring it the file in which the key is".to_owned()
        }
        (MasterKeyState::Waiting, _) if is_whole => "Once every server has it: weft key rotate".to_owned(),
        (MasterKeyState::Waiting, _) => "It can seal when the change before it is over".to_owned(),
        (MasterKeyState::Opening, true) if is_whole => format!("Can be given up: weft key retire {}", key.id),
        (MasterKeyState::Opening, _) => "Still needed".to_owned(),
        (MasterKeyState::Retired, true) => {
            format!("Given up; to take it out of this server's file as well: weft key retire {}", key.id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(state: MasterKeyState, in_file: bool) -> MasterKeyInfo {
        let id = "0123456789abcdef".to_owned();
        MasterKeyInfo { id, state, in_file, since: None, whole_at: None, retired_at: None }
    }

    #[test]
    fn an_older_key_can_be_given_up_once_everything_is_under_the_new_one() {
        let old = key(MasterKeyState::Opening, true);
        assert_eq!(next(&old, false), "Still needed");
        assert_eq!(next(&old, true), "Can be given up: weft key retire 0123456789abcdef");
        assert!(next(&key(MasterKeyState::Sealing, false), true).contains("seal nothing"));
        assert_eq!(next(&key(MasterKeyState::Sealing, true), true), "");
    }

    #[test]
    fn how_far_it_is_stands_in_a_sentence() {
        let left = vec![NotYetSealed { what: "kept answers".to_owned(), values: 1200 }];
        let report = MasterKeyReport { left, ..MasterKeyReport::default() };
        assert!(
            said(&report).ends_with("values are still to be brought under the key that seals:"),
            "{}",
            said(&report)
        );
        let report = MasterKeyReport { whole: true, unreadable: 2, ..MasterKeyReport::default() };
        assert!(said(&report).ends_with("2 open with no key of the file, and stay as they are."), "{}", said(&report));
    }
}
