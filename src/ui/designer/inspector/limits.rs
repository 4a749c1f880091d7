//! Flow control: what limits the runs of the workflow, and what limits one step over all runs.

use leptos::prelude::*;

use super::number::NumberLine;
use super::settings::Part;
use super::workflow::alter;
use crate::model::workflow::Step;
use crate::model::workflow::flow::{
    Concurrency, Flow, MAX_COUNT, MAX_LIMIT, MAX_PER_MS, MAX_SLOTS, Priority, Rate, StepConcurrency, WhenFull,
};
use crate::ui::components::{Choice, Select};
use crate::ui::designer::action;
use crate::ui::designer::editor::{Editor, use_editor};
use crate::ui::designer::inspector::number_or_text;
use crate::ui::designer::problems::{sentence, use_problems};
use crate::ui::format;

/// A template in one line, absent when empty; says what the checker has against it.
#[component]
pub(super) fn TemplateLine(
    id: &'static str,
    label: &'static str,
    #[prop(into)] value: Signal<String>,
    set: Callback<String>,
    placeholder: &'static str,
    hint: &'static str,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                class="input"
                data-mono=""
                id=id
                type="text"
                spellcheck="false"
                placeholder=placeholder
                aria-invalid=move || error.read().is_some().then_some("true")
                aria-describedby=format!("{id}-notes")
                prop:value=move || value.get()
                on:change=move |event| set.run(event_target_value(&event))
            />
            <span class="hint" id=format!("{id}-notes")>
                {hint} {move || error.get().map(|error| view! { <span class="error">{sentence(&error)}</span> })}
            </span>
        </div>
    }
}

/// What the checker has against a field of the workflow.
pub(super) fn problem_at(field: &'static str) -> Memo<Option<String>> {
    let all = use_problems().all();
    Memo::new(move |_| {
        let all = all.read();
        all.iter()
            .find(|problem| problem.step.is_none() && problem.field == field)
            .map(|problem| problem.message.clone())
    })
}

fn alter_flow(editor: Editor, what: &str, by: impl FnOnce(&mut Flow)) {
    alter(editor, what, |details| by(&mut details.flow));
}

/// How often, in what order and how many at a time its runs may begin, and how long they are kept.
#[component]
pub fn RunLimits() -> impl IntoView {
    view! {
        <h3 class="label">"Limits"</h3>
        <div class="disclosures">
            <ConcurrencyPart />
            <RatePart />
            <PriorityPart />
            <RetentionPart />
        </div>
    }
}

#[component]
fn ConcurrencyPart() -> impl IntoView {
    let editor = use_editor();
    let concurrency = Memo::new(move |_| editor.details.read().flow.concurrency.clone());
    let aside = Signal::derive(move || match concurrency.get() {
        Some(concurrency) => format!("{} for each key", concurrency.limit),
        None => "Any number".to_owned(),
    });
    let key = Signal::derive(move || concurrency.get().map(|concurrency| concurrency.key).unwrap_or_default());
    let set_key = Callback::new(move |key: String| {
        alter_flow(editor, "the concurrency key", |flow| {
            flow.concurrency = (!key.trim().is_empty()).then(|| {
                let known = flow.concurrency.take();
                let known = known.unwrap_or(Concurrency { key: String::new(), limit: 1, when_full: WhenFull::Queue });
                Concurrency { key, ..known }
            });
        });
    });
    let limit = Signal::derive(move || concurrency.get().map(|c| c.limit.to_string()).unwrap_or_default());
    let set_limit = Callback::new(move |number: Option<f64>| {
        alter_flow(editor, "the concurrency limit", |flow| {
            if let Some(concurrency) = &mut flow.concurrency {
                concurrency.limit = number.unwrap_or(1.0).clamp(1.0, f64::from(MAX_LIMIT)) as u32;
            }
        });
    });
    let when_full =
        Signal::derive(move || concurrency.get().map(|c| c.when_full).unwrap_or_default().as_str().to_owned());
    let set_when_full = Callback::new(move |word: String| {
        alter_flow(editor, "what a full key does", |flow| {
            if let Some(concurrency) = &mut flow.concurrency {
                concurrency.when_full =
                    WhenFull::ALL.into_iter().find(|when| when.as_str() == word).unwrap_or_default();
            }
        });
    });
    let choices = Signal::stored(WhenFull::ALL.map(|when| Choice::new(when.as_str(), words(when))).to_vec());
    view! {
        <Part title="Runs at a time" aside>
            <TemplateLine
                id="flow-key"
                label="Key"
                value=key
                set=set_key
                placeholder="{{ inputs.customer }}"
                hint="Runs with the same key share it, also those of other workflows. Empty: no limit."
                error=problem_at("/flow/concurrency/key")
            />
            <Show when=move || concurrency.read().is_some()>
                <NumberLine id="flow-limit" label="Runs in progress for each key" value=limit placeholder="1".to_owned() within=(1.0, f64::from(MAX_LIMIT)) whole=true set=set_limit />
                <Select
                    id="flow-when-full"
                    label="A run that finds its key full"
                    value=(when_full, set_when_full)
                    choices
                />
            </Show>
        </Part>
    }
}

const fn words(when: WhenFull) -> &'static str {
    match when {
        WhenFull::Queue => "Waits for its turn",
        WhenFull::CancelRunning => "Cancels the oldest and takes its place",
        WhenFull::Reject => "Is refused",
    }
}

#[component]
fn RatePart() -> impl IntoView {
    let editor = use_editor();
    let rate = Memo::new(move |_| editor.details.read().flow.rate.clone());
    let aside = Signal::derive(move || match rate.get() {
        Some(rate) => format!("{} in {}", rate.count, format::duration(rate.per_ms as i64)),
        None => "Any number".to_owned(),
    });
    let key = Signal::derive(move || rate.get().map(|rate| rate.key).unwrap_or_default());
    let set_key = Callback::new(move |key: String| {
        alter_flow(editor, "the rate's key", |flow| {
            flow.rate = (!key.trim().is_empty()).then(|| {
                let known = flow.rate.take().unwrap_or(Rate { key: String::new(), count: 10, per_ms: 60_000 });
                Rate { key, ..known }
            });
        });
    });
    let set = move |by: fn(&mut Rate, f64)| {
        Callback::new(move |number: Option<f64>| {
            alter_flow(editor, "the rate", |flow| {
                if let (Some(rate), Some(number)) = (&mut flow.rate, number) {
                    by(rate, number);
                }
            });
        })
    };
    let shown =
        move |read: fn(&Rate) -> String| Signal::derive(move || rate.read().as_ref().map(read).unwrap_or_default());
    view! {
        <Part title="Runs in a time" aside>
            <TemplateLine
                id="flow-rate-key"
                label="Key"
                value=key
                set=set_key
                placeholder="{{ workflow.name }}"
                hint="Runs with the same key are counted together. Empty: no limit."
                error=problem_at("/flow/rate/key")
            />
            <Show when=move || rate.read().is_some()>
                <div class="grid" style="--cols: 1fr 1fr">
                    <NumberLine
                        id="flow-rate-count"
                        label="Runs that may begin"
                        value=shown(|rate| rate.count.to_string())
                        within=(1.0, f64::from(MAX_COUNT))
                        whole=true
                        set=set(|rate, n| rate.count = n.clamp(1.0, f64::from(MAX_COUNT)) as u32)
                    />
                    <NumberLine
                        id="flow-rate-ms"
                        label="In any"
                        value=shown(|rate| rate.per_ms.to_string())
                        within=(1.0, MAX_PER_MS as f64)
                        time=true
                        set=set(|rate, n| rate.per_ms = n.clamp(1.0, MAX_PER_MS as f64) as u64)
                    />
                </div>
            </Show>
        </Part>
    }
}

#[component]
fn PriorityPart() -> impl IntoView {
    let editor = use_editor();
    let text = Memo::new(move |_| match &editor.details.read().flow.priority {
        Some(Priority::Level(level)) => level.to_string(),
        Some(Priority::Template(template)) => template.clone(),
        None => String::new(),
    });
    let aside =
        Signal::derive(move || Some(text.get()).filter(|text| !text.is_empty()).unwrap_or_else(|| "5".to_owned()));
    let set = Callback::new(move |typed: String| {
        alter_flow(editor, "the priority", |flow| {
            flow.priority = number_or_text(&typed).map(|value| match value.as_i64() {
                Some(level) => Priority::Level(level),
                None => Priority::Template(typed.trim().to_owned()),
            });
        });
    });
    view! {
        <Part title="Priority" aside>
            <TemplateLine
                id="flow-priority"
                label="From 1 to 9, or a template"
                value=text
                set
                placeholder="5"
                hint="9 begins first, and its steps get free slots first."
                error=problem_at("/flow/priority")
            />
        </Part>
    }
}

#[component]
fn RetentionPart() -> impl IntoView {
    let editor = use_editor();
    let days = Memo::new(move |_| editor.details.read().retention_days);
    let aside = Signal::derive(move || match days.get() {
        Some(1) => "1 day".to_owned(),
        Some(days) => format!("{days} days"),
        None => "As the server has it".to_owned(),
    });
    let set = Callback::new(move |number: Option<f64>| {
        alter(editor, "how long runs are kept", |details| {
            details.retention_days = number.map(|days| days.clamp(1.0, 3650.0) as u32);
        });
    });
    view! {
        <Part title="Ended runs are kept" aside>
            <NumberLine
                id="retention-days"
                label="Days"
                value=Signal::derive(move || days.get().map(|days| days.to_string()).unwrap_or_default())
                within=(1.0, 3650.0)
                whole=true
                set
            />
        </Part>
    }
}

/// What limits one step over all runs: a key that it shares, and the slots that it takes.
#[component]
pub fn StepLimits(step: RwSignal<Step>) -> impl IntoView {
    let editor = use_editor();
    let put = move |what: &'static str, by: &dyn Fn(&mut Step)| {
        let mut altered = step.get_untracked();
        by(&mut altered);
        editor.act(|document| action::set_step(document, altered, what));
    };
    let concurrency = Memo::new(move |_| step.read().concurrency.clone());
    let slots = Memo::new(move |_| step.read().slots);
    let aside = Signal::derive(move || match (concurrency.get(), slots.get()) {
        (None, None) => "None".to_owned(),
        (Some(concurrency), None) => format!("{} for each key", concurrency.limit),
        (None, Some(slots)) => action::counted(slots as usize, "slot"),
        (Some(concurrency), Some(slots)) => {
            format!("{} for each key, {}", concurrency.limit, action::counted(slots as usize, "slot"))
        }
    });
    let key = Signal::derive(move || concurrency.get().map(|concurrency| concurrency.key).unwrap_or_default());
    let set_key = Callback::new(move |key: String| {
        put("the concurrency key", &|step| {
            let limit = step.concurrency.as_ref().map_or(1, |concurrency| concurrency.limit);
            step.concurrency = (!key.trim().is_empty()).then(|| StepConcurrency { key: key.clone(), limit });
        });
    });
    let limit = Signal::derive(move || concurrency.get().map(|c| c.limit.to_string()).unwrap_or_default());
    let set_limit = Callback::new(move |number: Option<f64>| {
        put("the concurrency limit", &|step| {
            if let Some(concurrency) = &mut step.concurrency {
                concurrency.limit = number.unwrap_or(1.0).clamp(1.0, f64::from(MAX_LIMIT)) as u32;
            }
        });
    });
    let set_slots = Callback::new(move |number: Option<f64>| {
        put("the slots", &|step| step.slots = number.map(|slots| slots.clamp(1.0, f64::from(MAX_SLOTS)) as u32));
    });
    let error = use_problems().at(step.with_untracked(|step| step.id.clone()), "/concurrency/key");
    view! {
        <Part title="Limits" aside>
            <TemplateLine
                id="step-key"
                label="Key"
                value=key
                set=set_key
                placeholder="crm {{ inputs.customer }}"
                hint="Steps with the same key share it, over all runs. Empty: no limit."
                error
            />
            <Show when=move || concurrency.read().is_some()>
                <NumberLine id="step-key-limit" label="Steps at work for each key" value=limit placeholder="1".to_owned() within=(1.0, f64::from(MAX_LIMIT)) whole=true set=set_limit />
            </Show>
            <NumberLine
                id="step-slots"
                label="Slots of the server that it takes"
                value=Signal::derive(move || slots.get().map(|slots| slots.to_string()).unwrap_or_default())
                placeholder="1".to_owned()
                within=(1.0, f64::from(MAX_SLOTS))
                whole=true
                set=set_slots
            />
        </Part>
    }
}
