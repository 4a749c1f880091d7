//! What a task puts into the persona of an agent, and the personas that some tasks call for.

use std::collections::BTreeMap;

use leptos::prelude::*;

use super::acts::priorities;
use super::editor::Editor;
use super::form::Form;
use super::persona_form::Way;
use crate::model::ApiError;
use crate::model::agent::{AgentSpec, Conflict};
use crate::ui::browser;
use crate::ui::components::{
    Bound, Button, ButtonShape, ButtonSize, ButtonVariant, Card, Checkbox, Choice, Icon, Select, TextArea, TextInput,
};
use crate::ui::format;

/// Personas of an agent.
const MOST: usize = 20;

#[component]
pub(super) fn PersonaFields(editor: Editor) -> impl IntoView {
    let form = editor.form;
    let full = Signal::derive(move || {
        form.with(|form| (form.personas.len() >= MOST).then(|| format!("An agent has at most {MOST} of them")))
    });
    let add = move |()| {
        let key = form.try_update(Form::add_persona).unwrap_or_default();
        browser::after_ms_detached(0, move || browser::focus_id(&format!("persona-name-{key}")));
    };
    let keys = move || form.with(|form| form.personas.iter().map(|way| way.key).collect::<Vec<_>>());
    let several = Memo::new(move |_| form.with(|form| form.personas.len() > 1));
    let some = Memo::new(move |_| form.with(|form| !form.personas.is_empty() || !form.variables.trim().is_empty()));
    let list_error = editor.error("/spec/personas");
    let choices =
        Conflict::ALL.map(|one| Choice::new(one.as_str(), format::sentence(one.label()).trim_end_matches('.')));
    let between = (
        Signal::derive(move || form.with(|form| form.between_personas.as_str().to_owned())),
        Callback::new(move |name: String| {
            if let Some(one) = Conflict::ALL.into_iter().find(|one| one.as_str() == name) {
                form.update(|form| form.between_personas = one);
            }
        }),
    );
    view! {
        <Card id="agent-personas-title" title="Variables and other personas">
            <div class="form wide">
                <TextArea
                    id="agent-variables" label="Variables" rows=3 mono=true aside=Some("optional".to_owned())
                    error=editor.list_error("/spec/variables", |form| &form.variables) placeholder="language = English"
                    value=editor.bind(|form| form.variables.clone(), |form, value| form.variables = value)
                    hint=Some("One on a line, with what holds by itself after =; without it each task has to say it. The persona says {{ inputs.language }}.".to_owned())
                />
                <fieldset class="field" id="agent-personas" tabindex="-1" aria-describedby="agent-personas-hint">
                    <legend>"Personas for some tasks"</legend>
                    <span class="hint" id="agent-personas-hint">
                        "Of those that fit a task, the one with the highest priority stands in the place of the persona above, or below it. Where none fits, the persona above holds."
                    </span>
                    <ol class="agent-personas">
                        <For each=keys key=|key| *key let:key><PersonaRow editor key /></For>
                    </ol>
                    {move || list_error.get().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
                    <div><Button label="Add a persona" icon="plus" size=ButtonSize::Small refused=full on_press=add /></div>
                </fieldset>
                <Show when=move || several.get()>
                    <Select
                        id="agent-between" label="Where several of the same priority fit" value=between
                        choices=Signal::stored(choices.to_vec())
                    />
                </Show>
                <Show when=move || some.get()><PersonaTrial form /></Show>
            </div>
        </Card>
    }
}

/// One persona: when it is taken, and what it says.
#[component]
fn PersonaRow(editor: Editor, key: u32) -> impl IntoView {
    let form = editor.form;
    let place = Memo::new(move |_| form.with(|form| form.place_of_persona(key)).unwrap_or_default());
    let error = move |field: &'static str| {
        Signal::derive(move || {
            let below = format!("/spec/personas/{}/{field}", place.get());
            let Some(ApiError::Invalid { fields, .. }) = editor.refused() else { return None };
            fields.into_iter().find(|one| one.pointer.starts_with(&below)).map(|one| one.message)
        })
    };
    let bind = move |get: fn(&Way) -> String, set: fn(&mut Way, String)| {
        let read = Memo::new(move |before: Option<&String>| {
            let found = form.with(|form| form.personas.iter().find(|way| way.key == key).map(get));
            // Its row lives a moment longer than the persona.
            found.or_else(|| before.cloned()).unwrap_or_default()
        });
        let write = Callback::new(move |value| form.update(|form| form.alter_persona(key, |way| set(way, value))));
        Bound::from((read.into(), write))
    };
    let adds = Memo::new(move |_| form.with(|form| form.personas.iter().any(|way| way.key == key && way.persona.adds)));
    let set_adds = Callback::new(move |on| form.update(|form| form.alter_persona(key, |way| way.persona.adds = on)));
    let id = move |part: &str| format!("persona-{part}-{key}");
    view! {
        <li>
            <div class="grid pair">
                <TextInput
                    id=id("name") label="Name" required=true error=error("name") placeholder="reviewer"
                    value=bind(|way| way.persona.name.clone(), |way, value| way.persona.name = value)
                />
                <Select
                    id=id("priority") label="Priority" choices=Signal::stored(priorities())
                    value=bind(
                        |way| way.persona.priority.to_string(),
                        |way, value| way.persona.priority = value.parse().unwrap_or(way.persona.priority),
                    )
                />
            </div>
            <div class="grid pair">
                <TextInput
                    id=id("words") label="The task says one of" error=error("words") placeholder="review, look over"
                    value=bind(|way| way.words.clone(), |way, value| way.words = value)
                    hint=Some("Words, with commas between.".to_owned())
                />
                <TextInput
                    id=id("when") label="And this holds" mono=true error=error("when") placeholder="inputs.task | length > 200"
                    value=bind(|way| way.persona.when.clone(), |way, value| way.persona.when = value)
                    hint=Some("An expression over inputs.task and the variables.".to_owned())
                />
            </div>
            <TextArea
                id=id("text") label="How it works then" rows=4 required=true error=error("text")
                value=bind(|way| way.persona.text.clone(), |way, value| way.persona.text = value)
            />
            <div class="row">
                <Checkbox
                    id=id("adds") label="below its own persona, not in its place"
                    value=Bound::from((adds.into(), set_adds))
                />
                <span class="end">
                    <Button
                        label=Signal::derive(move || format!("Remove persona {}", place.get() + 1)) icon="x" size=ButtonSize::Small
                        variant=ButtonVariant::Quiet shape=ButtonShape::IconOnly
                        on_press=move |()| form.update(|form| form.personas.retain(|way| way.key != key))
                    />
                </span>
            </div>
        </li>
    }
}

/// Which persona a task would get, by the very function that chooses on the server.
#[component]
fn PersonaTrial(form: RwSignal<Form>) -> impl IntoView {
    let task = RwSignal::new(String::new());
    let spec = Memo::new(move |_| form.with(|form| form.draft().spec));
    let told = move || spec.with(|spec| task.with(|task| tell(spec, task)));
    view! {
        <TextArea
            id="persona-trial" label="Try it: a task such as" rows=2 value=task
            placeholder="Review the change to the loom."
        />
        <div class="agent-persona-trial" role="status">
            {move || match told() {
                None => view! { <p class="dim small">"What the agent would be told stands here."</p> }.into_any(),
                Some(Err(refused)) => view! { <p class="error"><Icon name="s-failed" />{refused}</p> }.into_any(),
                Some(Ok((why, text))) => view! { <p class="small">{why}</p><p class="persona">{text}</p> }.into_any(),
            }}
        </div>
    }
}

/// Why, and what it is told; `None` without a task. A variable that the task has to say is left as its name in brackets.
fn tell(spec: &AgentSpec, task: &str) -> Option<Result<(String, String), String>> {
    if task.trim().is_empty() {
        return None;
    }
    let open = spec.variables.iter().filter(|one| one.default.is_none());
    let given: BTreeMap<String, String> = open.map(|one| (one.name.clone(), format!("[{}]", one.name))).collect();
    Some(match spec.take_persona(task, &given) {
        Ok(taken) => Ok((taken.chosen.map_or_else(|| "As its persona.".to_owned(), |one| one.words()), taken.text)),
        Err(fault) => Err(format::sentence(&fault.message)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::{Persona, Variable};

    #[test]
    fn what_a_task_has_to_say_stands_in_brackets() {
        let spec = AgentSpec {
            variables: vec![
                Variable { name: "customer".into(), default: None },
                Variable { name: "language".into(), default: Some("English".into()) },
            ],
            ..AgentSpec::new("You work for {{ inputs.customer }} in {{ inputs.language }}.")
        };
        assert_eq!(tell(&spec, " "), None);
        let (why, text) = tell(&spec, "Weave.").unwrap().unwrap();
        assert_eq!((why.as_str(), text.as_str()), ("As its persona.", "You work for [customer] in English."));
    }

    #[test]
    fn a_persona_that_can_t_be_evaluated_says_so() {
        let odd = Persona {
            name: "odd".into(),
            text: "Odd.".into(),
            words: Vec::new(),
            when: "inputs.task | int > 3".into(),
            priority: 5,
            adds: false,
        };
        let spec = AgentSpec { personas: vec![odd], ..AgentSpec::new("You weave.") };
        assert!(tell(&spec, "Weave.").unwrap().unwrap_err().starts_with("The condition of the persona odd failed"));
    }
}
