//! How many of several branches must arrive before a step starts.

use leptos::prelude::*;

use super::number::NumberLine;
use super::settings::{Part, alter};
use crate::model::workflow::{Join, Step};
use crate::ui::components::{Choice, Select, Switch};

/// The join, for a step that several edges lead to.
#[component]
pub fn JoinPart(
    step: RwSignal<Step>,
    /// How many lead to it.
    edges: Memo<usize>,
) -> impl IntoView {
    let join = Memo::new(move |_| step.read().join);
    let aside = Signal::derive(move || match join.get() {
        Join::All => "Waits for all".to_owned(),
        Join::Any => "Starts with the first".to_owned(),
        Join::Count(count) => format!("Starts with {count} of {}", edges.get()),
    });
    let get = Signal::derive(move || word(join.get()).to_owned());
    let set = Callback::new(move |text: String| alter(step, "the join", |step| choose(step, &text)));
    let choices = vec![
        Choice::new("all", "Wait until every branch is settled"),
        Choice::new("any", "Start with the first branch that arrives"),
        Choice::new("count", "Start with so many branches"),
    ];
    let count = Signal::derive(move || match join.get() {
        Join::Count(count) => count.to_string(),
        _ => String::new(),
    });
    let set_count = Callback::new(move |number: Option<f64>| {
        alter(step, "the join", |step| step.join = Join::Count(number.unwrap_or(2.0).clamp(1.0, 1000.0) as u32));
    });
    let label = Signal::derive(move || format!("Branches, of {}", edges.get()));
    let cancels = Signal::derive(move || step.read().cancel_others);
    let set_cancels = Callback::new(move |on: bool| alter(step, "the join", |step| step.cancel_others = on));
    view! {
        <Part title="Several branches lead here" aside>
            <Select id="join" label="Join" value=(get, set) choices=Signal::stored(choices.clone()) />
            <Show when=move || matches!(join.get(), Join::Count(_))>
                <NumberLine id="join-count" label=label value=count placeholder="2".to_owned() within=(1.0, 1000.0) whole=true set=set_count />
            </Show>
            <Show when=move || join.get() != Join::All>
                <Switch id="cancel-others" label="Cancel the branches that lost" value=(cancels, set_cancels) />
            </Show>
        </Part>
    }
}

const fn word(join: Join) -> &'static str {
    match join {
        Join::All => "all",
        Join::Any => "any",
        Join::Count(_) => "count",
    }
}

/// A join that waits for all has nobody to cancel.
fn choose(step: &mut Step, word: &str) {
    step.join = match (word, step.join) {
        ("any", _) => Join::Any,
        ("count", Join::Count(count)) => Join::Count(count),
        ("count", _) => Join::Count(2),
        _ => Join::All,
    };
    step.cancel_others &= step.join != Join::All;
}
