//! Trying hooks on a call that nobody makes.

use leptos::prelude::*;
use serde_json::Value;

use super::super::form::Form;
use super::super::trial::example;
use crate::api::agents::try_agent_hooks;
use crate::model::ApiError;
use crate::model::agent::{AgentTool, HookOutcome, HookTrial, HookTried, Judgement};
use crate::ui::components::{
    Badge, Button, ButtonSize, Checkbox, Choice, HookEdits, HookList, Icon, Select, TextArea, Tone,
};
use crate::ui::format;

type Told = (HookTrial, Result<HookTried, ApiError>);

#[component]
pub fn HookTrialBox(form: RwSignal<Form>) -> impl IntoView {
    let chosen = form.with_untracked(|form| form.tools.clone());
    let first = [AgentTool::Shell, AgentTool::HttpRequest].into_iter().find(|tool| chosen.contains(tool));
    let tool = RwSignal::new(first.or_else(|| chosen.first().copied()).unwrap_or(AgentTool::Shell));
    let arguments = RwSignal::new(example(tool.get_untracked()).to_owned());
    let (result, tainted) = (RwSignal::new(String::new()), RwSignal::new(false));
    let (answer, heard) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let choose = move |name: String| {
        if let Some(new) = AgentTool::parse(&name) {
            // What a person wrote stays; an example gives way to the next.
            if arguments.with_untracked(|text| text == example(tool.get_untracked())) {
                arguments.set(example(new).to_owned());
            }
            tool.set(new);
        }
    };
    let value = (Signal::derive(move || tool.get().as_str().to_owned()), Callback::new(choose));
    let choices = AgentTool::ALL.map(|one| Choice::new(one.as_str(), one.label())).to_vec();
    let trial = Memo::new(move |_| {
        let arguments = arguments.with(|text| serde_json::from_str::<Value>(text));
        arguments.map_err(|error| format!("The arguments are not JSON yet: {error}.")).map(|arguments| HookTrial {
            hooks: form.with(Form::hooks),
            agent: form.with(|form| form.name.trim().to_owned()),
            tool: tool.get(),
            arguments,
            tainted: tainted.get(),
            result: Some(result.get()).filter(|text| !text.is_empty()),
            is_error: false,
            answer: Some(answer.get()).filter(|text| !text.is_empty()),
            heard: Some(heard.get()).filter(|text| !text.is_empty()),
        })
    });
    let asked = Action::new(move |trial: &HookTrial| {
        let trial = trial.clone();
        async move {
            let told = try_agent_hooks(trial.clone()).await;
            (trial, told)
        }
    });
    let press = move |()| {
        if let Ok(trial) = trial.get_untracked() {
            asked.dispatch(trial);
        }
    };
    let refused = Signal::derive(move || trial.with(|trial| trial.as_ref().err().cloned()));
    let told = move || asked.value().get().map(|(of, told): Told| (trial.with(|now| now.as_ref() == Ok(&of)), told));
    view! {
        <section class="stack hook-trial" aria-labelledby="hook-trial-title">
            <h3 id="hook-trial-title">"Try the hooks"</h3>
            <div class="grid pair">
                <div class="stack">
                    <Select id="hook-trial-tool" label="Tool to try" value choices=Signal::stored(choices) />
                    <Checkbox id="hook-trial-tainted" label="it has read strangers' words by then" value=tainted />
                </div>
                <TextArea id="hook-trial-arguments" label="Arguments to try (JSON)" rows=3 mono=true value=arguments />
            </div>
            <TextArea
                id="hook-trial-result" label="What it would give" rows=2 value=result aside=Some("optional".to_owned())
                hint=Some("To try the hooks after the call too.".to_owned())
            />
            <div class="grid pair">
                <TextArea
                    id="hook-trial-answer" label="What it would answer" rows=2 value=answer aside=Some("optional".to_owned())
                    hint=Some("To try the hooks of its answer.".to_owned())
                />
                <TextArea
                    id="hook-trial-heard" label="What another would write to it" rows=2 value=heard aside=Some("optional".to_owned())
                    hint=Some("To try the hooks of what others write to it.".to_owned())
                />
            </div>
            <div><Button label="Try the hooks" icon="play" size=ButtonSize::Small busy=asked.pending() refused on_press=press /></div>
            <div role="status">{move || told().map(|(is_current, told)| view! { <Answer is_current told /> })}</div>
        </section>
    }
}

#[component]
fn Answer(is_current: bool, told: Result<HookTried, ApiError>) -> impl IntoView {
    if !is_current {
        return view! { <p class="dim">"Something was changed since. Try again."</p> }.into_any();
    }
    let tried = match told {
        Ok(tried) => tried,
        Err(error) => {
            let words = format::sentence(error.detail());
            return view! { <p class="error"><Icon name="s-failed" /><span>{words}</span></p> }.into_any();
        }
    };
    let (word, tone, why) = outcome(&tried);
    let HookTried { before, after, answer, heard, .. } = tried;
    let said = before.said.clone();
    view! {
        <div class="stack">
            <div class="row wrap"><Badge label=word tone /><span class="grow wrapped">{why}</span></div>
            <HookList said label="Hooks before the call" />
            <HookEdits judgement=before />
            {after.map(|judgement| view! { <Words judgement label="Hooks after the call" /> })}
            {answer.map(|judgement| view! { <Words judgement label="Hooks of the answer" /> })}
            {heard.map(|judgement| view! { <Words judgement label="Hooks of the message" /> })}
        </div>
    }
    .into_any()
}

/// What hooks make of a result, or of words.
#[component]
fn Words(judgement: Judgement, label: &'static str) -> impl IntoView {
    let (said, held) = (judgement.said.clone(), judgement.denial());
    let is_asked = judgement.outcome == HookOutcome::Asked;
    view! {
        <h4 class="small dim">{label}</h4>
        <HookList said label />
        <HookEdits judgement />
        {is_asked.then(|| view! { <p class="small dim">"A person is asked first."</p> })}
        {held.map(|text| view! { <p class="small dim">"The model reads: "{text}</p> })}
    }
}

/// In a word, its tone, and why.
fn outcome(tried: &HookTried) -> (&'static str, Tone, String) {
    let by = &tried.before.by;
    if let Some(misfit) = tried.misfit.as_ref().filter(|_| tried.before.outcome != HookOutcome::Denied) {
        return ("Refused", Tone::Bad, format!("The arguments do not fit the tool: {misfit}."));
    }
    match tried.before.outcome {
        HookOutcome::Denied => ("Denied", Tone::Bad, format!("The hook {by} denies it.")),
        HookOutcome::Asked => ("Asked", Tone::Warn, format!("The hook {by} has a person asked first.")),
        HookOutcome::Allowed => ("Goes on", Tone::Good, format!("The hook {by} ends the hooks; the rules decide.")),
        HookOutcome::Undecided => ("Goes on", Tone::Good, "No hook decides; the rules do.".to_owned()),
    }
}
