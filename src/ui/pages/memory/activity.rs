//! How much was written in each namespace lately, beside its name in the tree.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::memory::list_namespace_activity;
use crate::model::memory::{ACTIVE_DAYS, NamespaceActivity};
use crate::ui::components::chart::Spark;
use crate::ui::format;

/// Writes of each of the last days, by namespace; what is below counts too.
type Days = HashMap<String, [i64; ACTIVE_DAYS]>;

/// What is known of it. It is asked for by the browser alone: the tree does not wait for it.
#[derive(Clone, Copy)]
pub(super) struct Activity(RwSignal<Days>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(RwSignal::new(Days::new()))
    }

    /// Asks, and asks again whenever everything is loaded anew. What can't be told stays as it was.
    pub(super) fn follow(self, refresh: RwSignal<u32>) {
        Effect::new(move |_| {
            refresh.track();
            spawn_local(async move {
                if let Ok(found) = list_namespace_activity().await {
                    self.0.try_set(summed(&found));
                }
            });
        });
    }
}

/// What is written in a namespace is written in all above it, and in the whole memory, whose path is empty.
fn summed(found: &[NamespaceActivity]) -> Days {
    let mut days = Days::new();
    for NamespaceActivity { path, days: own } in found {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for above in std::iter::once("").chain(ends.map(|end| &path[..end])) {
            let sum = days.entry(above.to_owned()).or_default();
            for (sum, own) in sum.iter_mut().zip(own) {
                *sum += own;
            }
        }
    }
    days
}

/// The writes of a namespace, as a line and in words; nothing where nothing was written.
#[component]
pub(super) fn Pulse(path: String, activity: Activity) -> impl IntoView {
    let days = Memo::new(move |_| activity.0.with(|all| all.get(&path).copied()));
    move || {
        let days = days.get()?;
        let said = format!("{} in 7 days", format::plural(days.iter().sum(), "write"));
        let title = said.clone();
        let values: Vec<Option<f64>> = days.iter().map(|count| Some(*count as f64)).collect();
        Some(view! {
            <span class="pulse" title=title>
                <Spark values=Signal::stored(values) />
                <span class="visually-hidden">{said}</span>
            </span>
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_below_counts_above() {
        let one = |path: &str, days| NamespaceActivity { path: path.to_owned(), days };
        let days = summed(&[one("code", [1, 0, 0, 0, 0, 0, 0]), one("code/db/pg", [0, 0, 0, 0, 0, 0, 2])]);
        assert_eq!(days["code"], [1, 0, 0, 0, 0, 0, 2]);
        assert_eq!(days["code/db"], [0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(days[""], days["code"]);
        assert!(!days.contains_key("code/web"));
    }
}
