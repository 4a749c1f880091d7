//! What else the memory holds about the matter of the open entry.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::State;
use super::quarantine::source_badge;
use crate::api::memory::list_related;
use crate::model::memory::{Entry, HealthEntry};
use crate::model::{ApiError, Timestamp};

/// The related entries, and of which entry they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct About {
    at: String,
    key: String,
    entries: Vec<HealthEntry>,
}

/// Loads them; none of the past, of which nobody asked yet what was related.
pub(super) async fn load(at: String, key: String, then: Option<Timestamp>) -> Result<About, ApiError> {
    if key.is_empty() || then.is_some() {
        return Ok(About::default());
    }
    // Of what is in quarantine nothing is related: the pane says what there is.
    let entries = list_related(at.clone(), key.clone()).await.or_else(|error| match error {
        ApiError::NotFound { .. } => Ok(Vec::new()),
        error => Err(error),
    })?;
    Ok(About { at, key, entries })
}

/// The card under an entry; nothing while there are none, or while they are still those of another.
pub(super) fn related(state: State, entry: &Entry) -> Option<impl IntoView + use<>> {
    let Some(Ok(About { at, key, entries })) = state.related.get() else { return None };
    if entries.is_empty() || (&at, &key) != (&entry.namespace, &entry.key) {
        return None;
    }
    let row = |entry: HealthEntry| {
        let href = state.place.get_untracked().opening(&entry.namespace, &entry.key).href();
        view! {
            <li class="stack">
                <span class="row wrap"><a class="link over" href=href>{entry.key}</a><span class="path small">{entry.namespace}</span>{source_badge(entry.trust)}</span>
                <span class="small dim over">{entry.excerpt.chars().take(120).collect::<String>()}</span>
            </li>
        }
    };
    Some(view! {
        <section class="stack">
            <h3>"Related"</h3>
            <ul class="stack" role="list">{entries.into_iter().map(row).collect_view()}</ul>
        </section>
    })
}
