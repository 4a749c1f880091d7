//! Where a fork begins: now, at the start, at a step, in a container or at an event.

use leptos::prelude::*;

use super::fork::Draft;
use crate::model::workflow::{Edge, Step};
use crate::ui::components::{Choice, Select, TextInput};
use crate::ui::pages::runs::bodies::body_word;
use crate::ui::pages::runs::order::running_order;
use crate::ui::pages::runs::watch::Watch;

/// The choice of a step by its path.
pub const STEP: &str = "step:";
/// The choice of a path that one writes.
pub const PATH: &str = "path";

/// Where it begins.
#[component]
pub fn Whence(watch: Watch, draft: Draft) -> impl IntoView {
    let mut known =
        vec![Choice::new("end", "Where the run stands now"), Choice::new("start", "The start: every step again")];
    watch.definition.with_value(|definition| list(&definition.steps, &definition.edges, "", "", &mut known));
    let has_rounds = watch.definition.with_value(|definition| definition.steps.iter().any(|step| step.body.is_some()));
    if has_rounds {
        known.push(Choice::new(PATH, "An item, an iteration, or a step in one, by its path"));
    }
    known.push(Choice::new("seq", "After an event, by its number"));
    // What one came from stands in the list, however far inside.
    let choices = Signal::derive(move || {
        let from = draft.from.read();
        let mut choices = known.clone();
        if let Some(path) = from.strip_prefix(STEP).filter(|_| choices.iter().all(|choice| choice.value != *from)) {
            let label = watch.definition.with_value(|definition| label_of(&definition.steps, path));
            choices.insert(2, choice(path, &label.unwrap_or_else(|| path.to_owned())));
        }
        choices
    });
    let hint = Signal::derive(move || {
        Some(match draft.from.get().as_str() {
            "end" => "What has ended is kept; what failed or was cut off is tried again.".to_owned(),
            "start" => "Nothing is kept.".to_owned(),
            "seq" => "What had ended by that event is kept.".to_owned(),
            from if from.ends_with(']') => "All of it and what depends on it run again; the rest is kept.".to_owned(),
            _ => "This step and what depends on it run again; the rest is kept.".to_owned(),
        })
    });
    let last = watch.last_seq();
    view! {
        <Select id="fork-from" label="From" value=draft.from choices hint />
        <Show when=move || *draft.from.read() == "seq">
            <TextInput id="fork-seq" label="Event" value=draft.seq hint=Some(format!("1 to {last}")) kind="number" mono=true />
        </Show>
        <Show when=move || *draft.from.read() == PATH>
            <TextInput
                id="fork-path"
                label="Path"
                value=draft.path
                hint=Some("Items and iterations count from 0: each[3] is the fourth, each[3].fetch a step in it.".to_owned())
                mono=true
            />
        </Show>
    }
}

fn choice(path: &str, label: &str) -> Choice {
    Choice::new(format!("{STEP}{path}"), format!("Step: {label}"))
}

/// The steps as one reads them, with those inside of groups, which begin once.
fn list(steps: &[Step], edges: &[Edge], inside: &str, around: &str, choices: &mut Vec<Choice>) {
    for id in running_order(steps, edges) {
        let Some(step) = steps.iter().find(|step| step.id == id) else { continue };
        let (path, label) = (format!("{inside}{id}"), format!("{around}{}", step.label()));
        choices.push(choice(&path, &label));
        if let Some(body) = step.body.as_ref().filter(|_| step.kind == "group") {
            list(&body.steps, &body.edges, &format!("{path}[0]."), &format!("{label} › "), choices);
        }
    }
}

/// What people read for a path: `each[3].fetch` as “For each › Item 4 › Fetch”. `None` where the definition has no such step.
pub fn label_of(steps: &[Step], path: &str) -> Option<String> {
    let (mut words, mut steps, mut rest) = (Vec::new(), steps, path);
    loop {
        let (id, inside) = rest.split_once('[').map_or((rest, None), |(id, inside)| (id, Some(inside)));
        let step = steps.iter().find(|step| step.id == id)?;
        words.push(step.label().to_owned());
        let Some((index, after)) = inside.map(|inside| inside.split_once(']')).unwrap_or_default() else {
            return inside.is_none().then(|| words.join(" › "));
        };
        if step.kind != "group" {
            words.push(format!("{} {}", body_word(&step.kind), index.parse::<u32>().ok()?.checked_add(1)?));
        }
        if after.is_empty() {
            return Some(words.join(" › "));
        }
        steps = &step.body.as_ref()?.steps;
        rest = after.strip_prefix('.')?;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps() -> Vec<Step> {
        let fetch = json!({"id": "fetch", "kind": "http", "name": "Fetch it"});
        serde_json::from_value(json!([
            {"id": "each", "kind": "map", "name": "For each", "body": {"steps": [fetch]}},
            {"id": "both", "kind": "group", "body": {"steps": [fetch]}},
        ]))
        .expect("fits")
    }

    #[test]
    fn a_path_is_told_in_words() {
        let label = |path| label_of(&steps(), path);
        assert_eq!(label("each[3].fetch").as_deref(), Some("For each › Item 4 › Fetch it"));
        assert_eq!(label("each[3]").as_deref(), Some("For each › Item 4"));
        assert_eq!(label("both[0].fetch").as_deref(), Some("both › Fetch it"));
        assert_eq!(label("each").as_deref(), Some("For each"));
        for other in ["nobody", "each[3].nobody", "each[", "each[x]"] {
            assert_eq!(label(other), None, "{other}");
        }
    }

    #[test]
    fn the_steps_inside_of_a_group_are_listed_and_those_of_items_are_not() {
        let mut choices = Vec::new();
        list(&steps(), &[], "", "", &mut choices);
        let values: Vec<_> = choices.iter().map(|choice| choice.value.as_str()).collect();
        assert_eq!(values, ["step:each", "step:both", "step:both[0].fetch"]);
    }
}
