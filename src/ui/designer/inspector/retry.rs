//! How often and how patiently a step is tried again, and after which errors.

use leptos::prelude::*;

use super::number::NumberLine;
use super::settings::Part;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Retry, Step};
use crate::ui::components::Switch;
use crate::ui::designer::action;
use crate::ui::designer::editor::use_editor;
use crate::ui::format;

/// The classes of errors that steps end with, and what they mean.
const CLASSES: [(&str, &str); 20] = [
    ("timeout", "It took longer than its limit"),
    ("connect", "No connection to the other side"),
    ("resolve", "The name of the other side is not known"),
    ("tls", "The other side could not prove who it is"),
    ("http_status", "The answer's status was not the expected one"),
    ("http_status:429", "The answer was that it is asked too often"),
    ("http_status:4xx", "The answer was a refusal: a status from 400 to 499"),
    ("http_status:5xx", "The other side failed: a status from 500 to 599"),
    ("exit_code", "The command ended with a bad code"),
    ("signal", "The command was killed"),
    ("rate_limited", "The model is asked too often"),
    ("overloaded", "The model has too much to do"),
    ("upstream", "The provider of the model failed"),
    ("unavailable", "Something that it needs was not there for the moment"),
    ("panic", "The step's code broke"),
    ("expression", "An expression could not be worked out"),
    ("config", "The config does not fit"),
    ("not_found", "What it asks for does not exist"),
    ("refused", "It may not do that"),
    ("too_large", "What came out is too large"),
];

/// Attempts, waits, and which errors are worth another attempt.
#[component]
pub fn RetryPart(step: RwSignal<Step>) -> impl IntoView {
    let editor = use_editor();
    let retry = Memo::new(move |_| step.read().retry.clone());
    let aside = Signal::derive(move || match retry.get() {
        Some(retry) if retry.max_attempts > 1 => {
            format!("{} attempts, from {}", retry.max_attempts, format::duration(retry.initial_ms as i64))
        }
        _ => "Once".to_owned(),
    });
    let set = move |by: fn(&mut Retry, f64)| {
        Callback::new(move |number: Option<f64>| {
            let mut altered = step.get_untracked();
            let mut retry = altered.retry.clone().unwrap_or_default();
            if let Some(number) = number {
                by(&mut retry, number);
            }
            altered.retry = (retry.max_attempts > 1).then_some(retry);
            editor.act(|document| action::set_step(document, altered, "retry"));
        })
    };
    let shown =
        move |read: fn(&Retry) -> String| Signal::derive(move || retry.read().as_ref().map(read).unwrap_or_default());
    let jitter = Signal::derive(move || retry.read().as_ref().is_some_and(|retry| retry.jitter));
    let set_jitter = Callback::new(move |on: bool| {
        let mut altered = step.get_untracked();
        if let Some(retry) = &mut altered.retry {
            retry.jitter = on;
        }
        editor.act(|document| action::set_step(document, altered, "retry"));
    });
    let anew = Signal::derive(move || retry.read().as_ref().is_some_and(|retry| retry.anew));
    let set_anew = Callback::new(move |on: bool| {
        let mut altered = step.get_untracked();
        if let Some(retry) = &mut altered.retry {
            retry.anew = on;
        }
        editor.act(|document| action::set_step(document, altered, "retry"));
    });
    let is_container = move || Kind::find(&step.read().kind).is_some_and(Kind::has_body);
    let classes = move |read: fn(&Retry) -> &Vec<String>| {
        Signal::derive(move || retry.read().as_ref().map(|retry| read(retry).clone()).unwrap_or_default())
    };
    let set_classes = move |write: fn(&mut Retry) -> &mut Vec<String>| {
        Callback::new(move |classes: Vec<String>| {
            let mut altered = step.get_untracked();
            if let Some(retry) = &mut altered.retry {
                *write(retry) = classes;
            }
            editor.act(|document| action::set_step(document, altered, "retry"));
        })
    };
    view! {
        <Part title="Retry" aside>
            <div class="grid" style="--cols: 1fr 1fr">
                <NumberLine
                    id="retry-attempts"
                    label="Attempts in all"
                    value=shown(|r| r.max_attempts.to_string())
                    placeholder="1".to_owned()
                    within=(1.0, 100.0)
                    whole=true
                    set=set(|r, n| r.max_attempts = n.clamp(1.0, 100.0) as u32)
                />
                <NumberLine
                    id="retry-initial"
                    label="First wait"
                    value=shown(|r| r.initial_ms.to_string())
                    within=(0.0, 86_400_000.0)
                    time=true
                    set=set(|r, n| r.initial_ms = n.min(86_400_000.0) as u64)
                />
                <NumberLine
                    id="retry-factor"
                    label="Each wait times"
                    value=shown(|r| r.factor.to_string())
                    within=(1.0, 10.0)
                    set=set(|r, n| r.factor = n.clamp(1.0, 10.0))
                />
                <NumberLine
                    id="retry-max"
                    label="Longest wait"
                    value=shown(|r| r.max_ms.to_string())
                    within=(0.0, 86_400_000.0)
                    time=true
                    set=set(|r, n| r.max_ms = n.min(86_400_000.0) as u64)
                />
            </div>
            <Show when=move || retry.read().is_some()>
                <Switch id="retry-jitter" label="Spread the waits, so that many runs don't return at once" value=(jitter, set_jitter) />
                <Show when=is_container>
                    <Switch id="retry-anew" label="Begin from the start: also what has ended inside runs again" value=(anew, set_anew) />
                </Show>
                <Classes
                    id="retry-only"
                    label="Only these errors"
                    hint="None chosen: every error that may pass."
                    value=classes(|retry| &retry.only)
                    set=set_classes(|retry| &mut retry.only)
                />
                <Classes
                    id="retry-never"
                    label="Never these errors"
                    hint="They fail the step at once."
                    value=classes(|retry| &retry.never)
                    set=set_classes(|retry| &mut retry.never)
                />
            </Show>
        </Part>
    }
}

/// Error classes: the known ones to press, others to type.
#[component]
fn Classes(
    id: &'static str,
    label: &'static str,
    hint: &'static str,
    value: Signal<Vec<String>>,
    set: Callback<Vec<String>>,
) -> impl IntoView {
    let toggle = move |class: String| set.run(toggled(value.get_untracked(), &class));
    let offered = move || {
        let mut classes: Vec<String> = CLASSES.iter().map(|(class, _)| (*class).to_owned()).collect();
        classes.extend(value.get().into_iter().filter(|class| !CLASSES.iter().any(|(known, _)| known == class)));
        classes
    };
    let add = move |event: leptos::ev::Event| {
        let class = event_target_value(&event).trim().to_owned();
        if !class.is_empty() && !value.read_untracked().contains(&class) {
            toggle(class);
        }
    };
    view! {
        <div class="field" role="group" aria-labelledby=format!("{id}-label")>
            <span class="label" id=format!("{id}-label")>{label}</span>
            <div class="toggles">
                <For each=offered key=Clone::clone let:class>
                    <Class class value on_press=Callback::new(toggle) />
                </For>
            </div>
            <input class="input" data-mono="" type="text" spellcheck="false" aria-label=format!("{label}: another class") placeholder="Another, such as exit_code:2" prop:value=move || { value.track(); String::new() } on:change=add />
            <span class="hint">{hint}</span>
        </div>
    }
}

#[component]
fn Class(class: String, value: Signal<Vec<String>>, on_press: Callback<String>) -> impl IntoView {
    let title = CLASSES.iter().find(|(known, _)| *known == class).map(|(_, words)| *words);
    let (own, shown) = (class.clone(), class.clone());
    let chosen = Memo::new(move |_| value.read().contains(&own));
    view! {
        <button
            type="button"
            class="chip"
            data-tone=move || chosen.get().then_some("accent")
            aria-pressed=move || chosen.get().to_string()
            title=title
            on:click=move |_| on_press.run(class.clone())
        >
            {shown}
        </button>
    }
}

/// With one more class, or without it if it was there.
fn toggled(mut classes: Vec<String>, class: &str) -> Vec<String> {
    let before = classes.len();
    classes.retain(|known| known != class);
    if classes.len() == before {
        classes.push(class.to_owned());
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_chosen_and_left_again() {
        let chosen = toggled(vec!["timeout".to_owned()], "tls");
        assert_eq!(chosen, ["timeout", "tls"]);
        assert_eq!(toggled(chosen, "timeout"), ["tls"]);
    }
}
