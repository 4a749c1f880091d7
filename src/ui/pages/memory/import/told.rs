//! What came of a file, or would: how many, where, and what is left out with the reasons.

use leptos::prelude::*;

use crate::model::memory::{ImportRefusal, ImportReport, ImportSample};
use crate::ui::components::Icon;
use crate::ui::format;

/// Namespaces, entries and refusals that are named.
const MOST_NAMED: usize = 20;

/// How many of what, in a line: "3 new, 1 changed, 2 as they are already, 1 left out".
fn sums(report: &ImportReport) -> String {
    let parts = [
        (report.new, "new"),
        (report.updated, "changed"),
        (report.unchanged, "as they are already"),
        (report.held, "of them in quarantine"),
        (report.all_refused(), "left out"),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", format::count(count.into())))
        .collect();
    if said.is_empty() { "no entries".to_owned() } else { said.join(", ") }
}

/// The report.
#[component]
pub(super) fn Told(report: ImportReport, is_done: bool) -> impl IntoView {
    let title = if is_done { "What was imported" } else { "What would be imported" };
    let sums = sums(&report);
    let all = report.namespaces.len();
    let row = |(namespace, count): (String, u32)| {
        view! { <li class="row"><span class="path grow over">{namespace}</span><span class="num">{format::count(count.into())}</span></li> }
    };
    let namespaces = report.namespaces.into_iter().take(MOST_NAMED).map(row).collect_view();
    let more = all.saturating_sub(MOST_NAMED);
    let sample = report.sample.into_iter().take(MOST_NAMED).map(|ImportSample { namespace, key, excerpt }| {
        view! {
            <li class="stack">
                <span class="row wrap"><b class="over">{key}</b><span class="path small">{namespace}</span></span>
                <span class="small dim over">{excerpt}</span>
            </li>
        }
    });
    let sample = sample.collect::<Vec<_>>();
    let left_out = report.refused.len() as u32 + report.more_refused;
    let refused = report.refused.into_iter().take(MOST_NAMED).map(|ImportRefusal { place, reason }| {
        view! {
            <li data-fails="">
                <Icon name="s-failed" />
                <span class="over">{place}</span>
                <span class="grow">{reason}</span>
            </li>
        }
    });
    let refused = refused.collect::<Vec<_>>();
    let unnamed = left_out.saturating_sub(refused.len() as u32);
    view! {
        <section class="stack" aria-label=title>
            <h3>{title}</h3>
            <p role="status">{sums}</p>
            {(all > 0).then(|| view! {
                <ul class="stack" role="list" aria-label="Namespaces">{namespaces}</ul>
                {(more > 0).then(|| view! { <p class="small dimmer">{format!("and {more} more namespaces")}</p> })}
            })}
            {(!refused.is_empty()).then(|| view! {
                <h3>"Left out"</h3>
                <ul class="told" aria-label="Left out">
                    {refused}
                    {(unnamed > 0).then(|| view! { <li>{format!("and {} more", format::count(unnamed.into()))}</li> })}
                </ul>
            })}
            {(!is_done && !sample.is_empty()).then(|| view! {
                <h3>"The first of them"</h3>
                <ul class="stack" role="list" aria-label="The first of them">{sample}</ul>
            })}
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_it_is_said_in_a_line() {
        let mut report = ImportReport { new: 1200, unchanged: 2, ..ImportReport::default() };
        report.refuse("line 3", "no".to_owned());
        assert_eq!(sums(&report), "1,200 new, 2 as they are already, 1 left out");
        assert_eq!(sums(&ImportReport::default()), "no entries");
    }
}
