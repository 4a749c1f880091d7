//! What an agent was before, and what was changed when.

use leptos::prelude::*;

use super::configuration::Configuration;
use super::words::changes;
use crate::model::agent::AgentVersion;
use crate::ui::components::{Icon, RelativeTime};

#[component]
pub(super) fn Versions(versions: Vec<AgentVersion>) -> impl IntoView {
    let befores = versions.iter().skip(1).cloned().map(Some).chain([None]).collect::<Vec<_>>();
    let rows = versions.into_iter().zip(befores).map(|(version, before)| {
        let what = what(&version, before.as_ref());
        let by = version.by.clone().map(|by| format!(" by {by}"));
        let (number, at, spec) = (version.version, version.created_at, version.spec);
        view! {
            <details class="disclosure">
                <summary>
                    <span>{format!("Version {number}")}<span class="dim">{format!(": {what}")}</span></span>
                    <span class="aside"><RelativeTime at />{by}</span>
                    <span class="twist" aria-hidden="true"><Icon name="right" /></span>
                </summary>
                <div class="disclosure-body"><Configuration spec prefix=format!("version-{number}") /></div>
            </details>
        }
    });
    view! { <div class="disclosures agent-versions">{rows.collect_view()}</div> }
}

/// What was done to the one before.
fn what(version: &AgentVersion, before: Option<&AgentVersion>) -> String {
    let Some(before) = before else {
        return if version.version == 1 { "made" } else { "what was before it is no longer kept" }.to_owned();
    };
    match changes(&before.spec, &version.spec) {
        fields if fields.is_empty() => "only its name".to_owned(),
        fields => fields.join(", "),
    }
}
