//! `/agents/assignment`: what counts when a task goes to whoever is best, and whom other weights would give the tasks of today.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::weights_preview::Preview;
use crate::api::agents::{get_assignment_weights, reset_assignment_weights, set_assignment_weights};
use crate::model::agent::Weights;
use crate::model::auth::{Action as May, Me};
use crate::model::{ApiError, FieldError};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Column, Crumb, DataTable, Load, PageHeader, SkeletonShape, TextInput, Tone,
    use_toasts,
};

/// A part of the score: its name, as it is shown, and when it is 1.
const PARTS: [(&str, &str, &str); 5] = [
    (
        "availability",
        "Availability",
        "Who would have the task done soonest: the wait for a free place, and what such tasks took them.",
    ),
    ("expertise", "Expertise", "Who has every word that the task asks for; else the share of them."),
    ("workload", "Workload", "Who has least to do, beside the others."),
    ("success", "Success", "Who got its tasks done in the last 30 days; every agent begins with 3 done of 4."),
    (
        "affinity",
        "Affinity",
        "Who did what the task comes after, last worked at the same topic, or works in the same repository.",
    ),
];

/// What the controls hold: percent, as they are typed, in the order of [`PARTS`].
type Typed = [String; 5];

/// The page of the weights.
#[component]
pub fn AssignmentPage() -> impl IntoView {
    let weights = Resource::new(|| (), |()| get_assignment_weights());
    let may_edit = expect_context::<Me>().may(May::EditAgent);
    view! {
        <PageHeader title="How tasks are assigned" crumbs=vec![Crumb::new("/agents", "Agents")] />
        <div class="page-body stack">
            <p class="prose dim">
                "A task that is for whoever is best goes to the agent with the highest score. The score has five parts of 0 to 1; here is said what each of them counts."
            </p>
            <Load resource=weights what="the weights" shape=SkeletonShape::Rows(5) let:weights>
                {if may_edit { view! { <Form weights /> }.into_any() } else { view! { <Shown weights /> }.into_any() }}
            </Load>
        </div>
    }
}

/// For those who may look only.
#[component]
fn Shown(weights: Weights) -> impl IntoView {
    let columns = vec![Column::text("Part"), Column::number("Counts"), Column::text("Best is")];
    let rows = PARTS.into_iter().zip(weights.named()).map(|((_, label, best), (_, weight))| {
        view! { <tr><td>{label}</td><td class="num">{format!("{} %", typed_of(weight))}</td><td class="wrapped">{best}</td></tr> }
    });
    view! { <DataTable label="What the parts count" columns>{rows.collect_view()}</DataTable> }
}

#[component]
fn Form(weights: Weights) -> impl IntoView {
    let toasts = use_toasts();
    let saved = RwSignal::new(weights);
    let typed = RwSignal::new(typed(&weights));
    let read = Memo::new(move |_| typed.with(read));
    let save = Action::new(|weights: &Weights| set_assignment_weights(*weights));
    let reset = Action::new(|(): &()| reset_assignment_weights());
    let took = move |answer: Option<Result<Weights, ApiError>>, words: &'static str| match answer {
        Some(Ok(weights)) => {
            saved.set(weights);
            typed.set(self::typed(&weights));
            toasts.say(Tone::Good, words);
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    };
    Effect::new(move |_| took(save.value().get(), "The weights hold for every task that is given from now on"));
    Effect::new(move |_| took(reset.value().get(), "The weights are those that Weft comes with"));
    let busy = Signal::derive(move || save.pending().get() || reset.pending().get());
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if let (Ok(weights), false) = (read.get_untracked(), busy.get_untracked()) {
            save.dispatch(weights);
        }
    };
    let cannot_save = Signal::derive(move || match read.get() {
        Err(_) => Some("The weights do not fit".to_owned()),
        Ok(weights) => (weights == saved.get()).then(|| "Nothing was changed".to_owned()),
    });
    let cannot_reset =
        Signal::derive(move || (saved.get() == Weights::default()).then(|| "They are the defaults".to_owned()));
    let fields = PARTS.into_iter().enumerate().map(move |(place, (name, label, hint))| {
        let value = Memo::new(move |_| typed.with(|typed| typed[place].clone()));
        let set = Callback::new(move |text: String| typed.update(|typed| typed[place] = text));
        let error = Signal::derive(move || {
            let faults = read.get().err()?;
            faults.into_iter().find(|fault| fault.pointer == format!("/{name}")).map(|fault| fault.message)
        });
        view! {
            <TextInput
                id=format!("weight-{name}") label aside=Some("%".to_owned()) kind="number" hint=Some(hint.to_owned()) error
                value=Bound::from((value.into(), set))
            />
        }
    });
    view! {
        <form class="form wide agent-weights" novalidate on:submit=send>
            <div class="grid">{fields.collect_view()}</div>
            <Sum typed read />
            <div class="row wrap">
                <Button label="Save the weights" variant=ButtonVariant::Primary submit=true busy refused=cannot_save />
                <Button label="Reset to the defaults" busy refused=cannot_reset on_press=move |()| drop(reset.dispatch(())) />
            </div>
        </form>
        <Preview read saved />
    }
}

/// What they come to together, and the way to make that 100.
#[component]
fn Sum(typed: RwSignal<Typed>, read: Memo<Result<Weights, Vec<FieldError>>>) -> impl IntoView {
    let sum = Memo::new(move |_| typed.with(sum));
    let is_off = Memo::new(move |_| {
        sum.get().is_some_and(|sum| sum > 0.0)
            && read.with(|read| {
                read.as_ref().err().is_some_and(|faults| faults.iter().all(|fault| fault.pointer.is_empty()))
            })
    });
    view! {
        <p role="status" class="row wrap">
            <span>
                {move || match sum.get() {
                    Some(sum) => format!("Together {} %.", typed_of(sum / 100.0)),
                    None => "Together: not all of them are numbers.".to_owned(),
                }}
            </span>
            {move || is_off.get().then(|| view! {
                <span class="dim">"They must come to 100 %."</span>
                <Button label="Bring them to 100 %" on_press=move |()| typed.update(level) />
            })}
        </p>
    }
}

/// A weight as percent, with at most two places.
fn typed_of(weight: f64) -> String {
    let text = format!("{:.2}", weight * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn typed(weights: &Weights) -> Typed {
    weights.named().map(|(_, weight)| typed_of(weight))
}

/// Percent as a number.
fn percent(text: &str) -> Option<f64> {
    text.trim().replace(',', ".").parse::<f64>().ok().filter(|percent| percent.is_finite())
}

/// What they come to, in percent; `None` where one is no number.
fn sum(typed: &Typed) -> Option<f64> {
    typed.iter().map(|text| percent(text)).sum()
}

/// The weights that were typed, or what does not fit, as the server would say it, in percent.
fn read(typed: &Typed) -> Result<Weights, Vec<FieldError>> {
    let faults: Vec<FieldError> = PARTS
        .into_iter()
        .zip(typed)
        .filter(|(_, text)| !percent(text).is_some_and(|percent| (0.0..=100.0).contains(&percent)))
        .map(|((name, ..), _)| FieldError::new(format!("/{name}"), "Expected a number from 0 to 100."))
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let [availability, expertise, workload, success, affinity] =
        std::array::from_fn(|place| percent(&typed[place]).unwrap_or_default() / 100.0);
    let weights = Weights { availability, expertise, workload, success, affinity };
    weights.check().map(|()| weights)
}

/// Scales them so that they come to 100, to a hundredth of a percent; what rounding leaves goes to the largest.
fn level(typed: &mut Typed) {
    let Some(sum) = sum(typed).filter(|sum| *sum > 0.0) else { return };
    // Hundredths of a percent.
    let mut parts: [i64; 5] =
        std::array::from_fn(|place| (percent(&typed[place]).unwrap_or_default() / sum * 10_000.0).round() as i64);
    let missing = 10_000 - parts.iter().sum::<i64>();
    if let Some(largest) = parts.iter_mut().max() {
        *largest += missing;
    }
    for (text, part) in typed.iter_mut().zip(parts) {
        *text = typed_of(part as f64 / 10_000.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: [&str; 5]) -> Typed {
        texts.map(str::to_owned)
    }

    #[test]
    fn what_is_shown_of_the_defaults_is_read_back_as_them() {
        assert_eq!(typed(&Weights::default()), of(["30", "25", "20", "15", "10"]));
        assert_eq!(read(&typed(&Weights::default())), Ok(Weights::default()));
        assert_eq!(typed_of(0.125), "12.5");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let pointers = |texts| {
            let faults = read(&of(texts)).err().unwrap_or_default();
            faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        assert_eq!(pointers(["", "25", "-1", "101", "x"]), ["/availability", "/workload", "/success", "/affinity"]);
        assert_eq!(pointers(["30", "25", "20", "15", "11"]), [""]);
        assert_eq!(pointers(["30,5", "24.5", "20", "15", "10"]), [""; 0], "a comma is as good as a point");
    }

    #[test]
    fn weights_are_brought_to_a_hundred_however_they_round() {
        for texts in [["1", "1", "1", "0", "0"], ["90", "50", "20", "7", "3"], ["0.1", "0", "0", "0", "0"]] {
            let mut typed = of(texts);
            level(&mut typed);
            assert!(read(&typed).is_ok(), "{typed:?}");
        }
        let mut nothing = of(["0", "0", "0", "0", "0"]);
        level(&mut nothing);
        assert_eq!(nothing, of(["0", "0", "0", "0", "0"]));
    }
}
