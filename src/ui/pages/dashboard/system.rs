//! How the machine and the program are.

use leptos::prelude::*;

use crate::model::dashboard::{Health, Overview};
use crate::ui::components::{Badge, Card, Tone};
use crate::ui::format;

#[component]
pub(super) fn SystemHealth(shown: Signal<Overview>) -> impl IntoView {
    let health = Memo::new(move |_| shown.with(|shown| shown.health.clone()));
    let problems = Memo::new(move |_| health.with(|health| health.problems.clone()));
    let label = Signal::derive(move || match problems.read().len() {
        0 => "Healthy".to_owned(),
        count => format::plural(count as i64, "problem"),
    });
    let tone = Signal::derive(move || if problems.read().is_empty() { Tone::Good } else { Tone::Warn });
    let actions = move || view! { <Badge label tone /> };
    let told = move || {
        let problem = |text: String| view! { <li>{text}</li> };
        let problems = problems.get();
        (!problems.is_empty())
            .then(|| view! { <ul class="dash-problems">{problems.into_iter().map(problem).collect::<Vec<_>>()}</ul> })
    };
    let rows = move || {
        let row = |(name, value): (&'static str, String)| {
            view! {
                <dt>{name}</dt>
                <dd>{value}</dd>
            }
        };
        health.with(|health| facts(health).into_iter().map(row).collect::<Vec<_>>())
    };
    view! {
        <Card id="system" title="System" span=4 actions>
            {told}
            <dl class="pairs">{rows}</dl>
        </Card>
    }
}

/// Label and value of what is known; what the system doesn't say is left out.
fn facts(health: &Health) -> Vec<(&'static str, String)> {
    let bytes = |count: Option<i64>| Some(format::bytes(u64::try_from(count?).ok()?));
    let size = bytes(health.database_bytes).map(|size| format!(", {size}")).unwrap_or_default();
    let database = format!("{}{size}, answers in {}", health.database, latency(health.database_ms));
    let rows = [
        ("Database", Some(database)),
        ("Memory", bytes(health.memory_bytes).map(|size| format!("{size} resident"))),
        ("Disk", bytes(health.disk_free_bytes).map(|size| format!("{size} free"))),
        ("Sandbox", Some(health.sandbox.clone())),
        ("Up for", health.uptime_ms.map(format::duration)),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// A short time with as many digits as tell something: "0.2 ms", "14 ms".
fn latency(ms: f64) -> String {
    if ms < 9.95 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_does_not_say_is_left_out() {
        let health = Health {
            database: "SQLite".to_owned(),
            database_bytes: Some(212_000_000),
            database_ms: 0.234,
            memory_bytes: None,
            uptime_ms: Some(7_500_000),
            disk_free_bytes: Some(-1),
            sandbox: "Landlock and seccomp".to_owned(),
            problems: Vec::new(),
        };
        let expected = [
            ("Database", "SQLite, 212 MB, answers in 0.2 ms"),
            ("Sandbox", "Landlock and seccomp"),
            ("Up for", "2 h 5 min"),
        ];
        assert_eq!(facts(&health), expected.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(latency(14.2), "14 ms");
    }
}
