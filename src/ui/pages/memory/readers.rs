//! Who was given the open entry, and when.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::State;
use crate::api::memory::list_readers;
use crate::model::memory::{Entry, Reader, Readers, Reading};
use crate::model::{ApiError, Timestamp};
use crate::ui::components::RelativeTime;

/// Readers that are shown before somebody asks for all of them.
const FIRST: usize = 5;

/// The readers, and of which entry they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct ReadBy {
    at: String,
    key: String,
    readers: Readers,
}

/// Loads them; none of the past.
pub(super) async fn load(at: String, key: String, then: Option<Timestamp>) -> Result<ReadBy, ApiError> {
    if key.is_empty() || then.is_some() {
        return Ok(ReadBy::default());
    }
    // The pane says itself that there is no such entry.
    let readers = list_readers(at.clone(), key.clone()).await.or_else(|error| match error {
        ApiError::NotFound { .. } => Ok(Readers::default()),
        error => Err(error),
    })?;
    Ok(ReadBy { at, key, readers })
}

/// `opened 3 times, found twice`; what did not happen is not told.
pub(crate) fn how_often(reads: i64, found: i64) -> String {
    let times = |count: i64| match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    };
    let opened = (reads > 0).then(|| format!("opened {}", times(reads)));
    let found = (found > 0).then(|| format!("found {}", times(found)));
    opened.into_iter().chain(found).collect::<Vec<_>>().join(", ")
}

/// The card under an entry; nothing while nobody was given it, or while the readers are still those of another.
pub(super) fn read_by(state: State, entry: &Entry) -> Option<impl IntoView + use<>> {
    let Some(Ok(ReadBy { at, key, readers })) = state.readers.get() else { return None };
    if readers.items.is_empty() || (&at, &key) != (&entry.namespace, &entry.key) {
        return None;
    }
    let sums = how_often(readers.reads, readers.found);
    let since = readers.since.map(|at| view! { ", since " <RelativeTime at /> });
    let newest = entry.version;
    let mut first = readers.items;
    let others = first.split_off(first.len().min(FIRST));
    let count = others.len();
    let rest = (count > 0).then(|| {
        view! {
            <details>
                <summary>{format!("{count} more")}</summary>
                <ul class="stack" role="list">{rows(others, newest)}</ul>
            </details>
        }
    });
    Some(view! {
        <section class="stack" aria-label="Read by">
            <h3>"Read by"</h3>
            <p class="small dim">"In all " {sums} {since}</p>
            <ul class="stack" role="list">{rows(first, newest)}</ul>
            {rest}
        </section>
    })
}

fn rows(readings: Vec<Reading>, newest: i64) -> Vec<AnyView> {
    readings.into_iter().map(|reading| row(reading, newest)).collect()
}

fn row(reading: Reading, newest: i64) -> AnyView {
    let often = how_often(reading.reads, reading.found);
    let older = (reading.version < newest).then(|| format!(", last version {}", reading.version));
    let asked = reading.sought.map(|sought| {
        view! { <span class="small dim over">{format!("“{}”, place {}", sought.query, sought.rank)}</span> }
    });
    view! {
        <li class="stack">
            <span class="row wrap">
                {who(reading.reader)}
                <span class="small dim">{often} {older} ", " <RelativeTime at=reading.last_at /></span>
            </span>
            {asked}
        </li>
    }
    .into_any()
}

/// A reader, with the way to it.
fn who(reader: Reader) -> AnyView {
    match reader {
        Reader::User { name } => view! { <span>{name}</span> }.into_any(),
        Reader::Run { run_id, step, agent } => {
            let (agent, href) = (agent.map(|agent| format!("{agent}, ")), format!("/runs/{run_id}"));
            view! { <span>{agent} <a class="link" href=href>"a run"</a> ", step " {step}</span> }.into_any()
        }
        Reader::Cli {} => view! { <span>"the command line"</span> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_happen_is_not_told() {
        assert_eq!(how_often(3, 2), "opened 3 times, found twice");
        assert_eq!(how_often(0, 1), "found once");
        assert_eq!(how_often(1, 0), "opened once");
    }
}
