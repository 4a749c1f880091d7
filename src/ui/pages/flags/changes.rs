//! Who changed what of the flags.

use leptos::prelude::*;

use crate::api::flags::list_flag_changes;
use crate::model::PageRequest;
use crate::model::gateway::FlagChange;
use crate::ui::components::{Column, DataTable, Load, RelativeTime};
use crate::ui::format;

/// Changes that are shown; more are told over REST.
const SHOWN: u32 = 20;

#[component]
pub(super) fn Changes(changed: RwSignal<u32>) -> impl IntoView {
    let changes = Resource::new(
        move || changed.get(),
        |_| async { list_flag_changes(PageRequest { limit: SHOWN, cursor: None }).await },
    );
    view! {
        <Load resource=changes what="the changes" let:page>
            {(!page.items.is_empty()).then(|| view! { <List changes=page.items has_more=page.next.is_some() /> })}
        </Load>
    }
}

#[component]
fn List(changes: Vec<FlagChange>, has_more: bool) -> impl IntoView {
    let row = |change: FlagChange| {
        let who = if change.by.is_empty() { "The command line".to_owned() } else { change.by.clone() };
        view! {
            <tr>
                <td class="small"><RelativeTime at=change.at /></td>
                <td>{who}</td>
                <td class="mono">{change.name.clone()}</td>
                <td data-wrap="">{format::sentence(&change.words())}</td>
            </tr>
        }
    };
    let columns = vec![Column::text("When"), Column::text("Who"), Column::text("Flag"), Column::text("What")];
    view! {
        <section class="stack" aria-labelledby="flag-changes">
            <h2 id="flag-changes">"Who changed what"</h2>
            <DataTable label="Changes of flags" columns=columns>{changes.into_iter().map(row).collect_view()}</DataTable>
            {has_more.then(|| view! {
                <p class="small dim">"The newest of them. All that are kept, a thousand, are told by "<code>"GET /api/v1/flags/changes"</code>"."</p>
            })}
        </section>
    }
}
