//! The span that the dashboard looks back over: in the address, so that a link keeps it.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::model::dashboard::Period;

/// The period of the address; a day when it names none that is known.
pub(super) fn use_period() -> Memo<Period> {
    let query = use_query_map();
    Memo::new(move |_| query.read().get("period").and_then(|text| Period::parse(&text)).unwrap_or_default())
}

/// As the switch says it: "24 h".
pub(super) const fn label(period: Period) -> &'static str {
    match period {
        Period::Day => "24 h",
        Period::Week => "7 days",
        Period::Month => "30 days",
    }
}

/// The first half of it, in words: "12 h".
pub(super) const fn half(period: Period) -> &'static str {
    match period {
        Period::Day => "12 h",
        Period::Week => "3 days",
        Period::Month => "15 days",
    }
}

/// The dashboard over a period.
pub(super) fn href(period: Period) -> String {
    match period {
        Period::Day => "/".to_owned(),
        other => format!("/?period={}", other.as_str()),
    }
}

/// The runs of a period with this status (or all), in the list of runs.
pub(super) fn runs_href(period: Period, status: &str) -> String {
    let since = match period {
        Period::Day => "24h",
        Period::Week => "7d",
        Period::Month => "30d",
    };
    if status.is_empty() { format!("/runs?since={since}") } else { format!("/runs?status={status}&since={since}") }
}

/// Chooses the period.
#[component]
pub(super) fn PeriodSwitch(period: Memo<Period>) -> impl IntoView {
    let link = move |own: Period| {
        let current = move || (period.get() == own).then_some("true");
        view! { <a href=href(own) aria-current=current>{label(own)}</a> }
    };
    view! { <div class="segmented" role="group" aria-label="Time range">{Period::ALL.map(link).into_iter().collect::<Vec<_>>()}</div> }
}
