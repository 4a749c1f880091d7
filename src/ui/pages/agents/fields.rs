//! The fields of an agent: who it is, what it may use, and when it is stopped.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::editor::Editor;
use super::form::Form;
use super::words::{effect, purpose};
use crate::api::routes::list_routes;
use crate::model::agent::{AgentTool, OnConflict, TakesLeases};
use crate::model::auth::{Action as May, Me};
use crate::ui::components::{
    Badge, Card, Checkbox, Choice, ContextFields, Field, Select, TeamFields, TextArea, TextInput,
};

/// Its name, what it is for, how it works, and which model it asks.
#[component]
pub(super) fn WhoFields(editor: Editor) -> impl IntoView {
    view! {
        <Card id="agent-who" title="Who it is">
            <div class="form wide">
                <div class="grid pair">
                    <TextInput
                        id="agent-name" label="Name" required=true mono=true placeholder="reviewer" error=editor.error("/name")
                        value=editor.bind(|form| form.name.clone(), |form, value| form.name = value)
                        hint=Some("Workflows and other agents call it by this.".to_owned())
                    />
                    <TextInput
                        id="agent-description" label="What it is for" error=editor.error("/spec/description")
                        value=editor.bind(|form| form.description.clone(), |form, value| form.description = value)
                        hint=Some("Other agents choose it by this.".to_owned())
                    />
                </div>
                <TextArea
                    id="agent-persona" label="Persona" rows=12 required=true error=editor.error("/spec/persona")
                    value=editor.bind(|form| form.persona.clone(), |form, value| form.persona = value)
                    hint=Some("How it is to work, said to the model before everything else.".to_owned())
                />
                <TextArea
                    id="agent-expertise" label="What it knows" rows=2 aside=Some("optional".to_owned()) error=editor.list_error("/spec/expertise", |form| &form.expertise)
                    value=editor.bind(|form| form.expertise.clone(), |form, value| form.expertise = value)
                    hint=Some("Words, one on a line: rust, tax law. Tasks that ask for them go to whoever knows most of them.".to_owned())
                />
                <div class="grid pair">
                    <ModelField editor />
                    <div class="grid agent-two">
                        <TextInput
                            id="agent-max-tokens" label="Longest answer, in tokens" aside=Some("optional".to_owned()) error=editor.error("/spec/max_tokens")
                            value=editor.bind(|form| form.max_tokens.clone(), |form, value| form.max_tokens = value) attr:inputmode="numeric"
                        />
                        <TextInput
                            id="agent-temperature" label="Temperature" aside=Some("optional".to_owned()) error=editor.error("/spec/temperature")
                            value=editor.bind(|form| form.temperature.clone(), |form, value| form.temperature = value) attr:inputmode="decimal"
                        />
                    </div>
                </div>
            </div>
        </Card>
    }
}

/// A model, with the routes that there are to choose from.
#[component]
fn ModelField(editor: Editor) -> impl IntoView {
    let may = expect_context::<Me>().may(May::ReadProvider);
    // Asked for in the browser: the form does not wait for what it suggests, and does without it.
    let routes = RwSignal::new(Vec::new());
    Effect::new(move |_| {
        if may {
            spawn_local(async move {
                routes.try_set(list_routes().await.unwrap_or_default());
            });
        }
    });
    let options = move || {
        routes
            .get()
            .into_iter()
            .map(|route| view! { <option value=route.name>{route.description}</option> })
            .collect_view()
    };
    let error = editor.error("/spec/model");
    let value = editor.bind(|form| form.model.clone(), |form, value| form.model = value);
    let hint =
        "A route, or provider/model. Empty: the route called default, else the first model of the oldest provider.";
    view! {
        <Field id="agent-model" label="Model" error hint=Some(hint.to_owned()) aside=Some("optional".to_owned())>
            <input
                class="input" data-mono="" spellcheck="false" autocomplete="off" id="agent-model" name="agent-model" list="agent-models"
                aria-describedby=move || if error.with(Option::is_some) { "agent-model-hint agent-model-error" } else { "agent-model-hint" }
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                prop:value=move || value.get.get() on:input=move |event| value.set.run(event_target_value(&event))
            />
            <datalist id="agent-models">{options}</datalist>
        </Field>
    }
}

/// What it may use, and where.
#[component]
pub(super) fn ToolFields(editor: Editor) -> impl IntoView {
    let boxes = AgentTool::ALL.map(|tool| view! { <ToolBox form=editor.form tool /> }).into_iter().collect_view();
    view! {
        <Card id="agent-tools" title="What it may use">
            <div class="form wide">
                <fieldset class="field">
                    <legend class="visually-hidden">"Tools"</legend>
                    <div class="mask-kinds">{boxes}</div>
                </fieldset>
                <Reach editor />
            </div>
        </Card>
    }
}

#[component]
fn ToolBox(form: RwSignal<Form>, tool: AgentTool) -> impl IntoView {
    let id = format!("agent-tool-{}", tool.as_str());
    let hint = format!("{id}-hint");
    let (what, tone) = effect(tool);
    let is_on = move || form.with(|form| form.tools.contains(&tool));
    view! {
        <div class="toggle agent-tool">
            <input
                type="checkbox" id=id.clone() name=id.clone() aria-describedby=hint.clone() checked=form.with_untracked(|form| form.tools.contains(&tool))
                prop:checked=is_on on:change=move |event| form.update(|form| form.switch(tool, event_target_checked(&event)))
            />
            <label for=id>{tool.label()}</label>
            <span class="hint" id=hint>{purpose(tool)}" "<Badge label=what tone /></span>
        </div>
    }
}

/// A list that some tools need.
#[derive(Clone, Copy)]
struct Listed {
    id: &'static str,
    pointer: &'static str,
    label: &'static str,
    hint: &'static str,
    tools: &'static [AgentTool],
    get: fn(&Form) -> &String,
    set: fn(&mut Form, String),
}

const LISTS: [Listed; 5] = [
    Listed {
        id: "agent-hosts",
        pointer: "/spec/hosts",
        label: "Hosts that it may reach",
        hint: "One on a line: api.example.org, or *.example.org for all below.",
        tools: &[AgentTool::HttpRequest],
        get: |form| &form.hosts,
        set: |form, value| form.hosts = value,
    },
    Listed {
        id: "agent-reads",
        pointer: "/spec/reads",
        label: "Namespaces that it may read",
        hint: "One on a line, with all below: decisions/api.",
        tools: &[AgentTool::MemorySearch, AgentTool::MemoryRead],
        get: |form| &form.reads,
        set: |form, value| form.reads = value,
    },
    Listed {
        id: "agent-writes",
        pointer: "/spec/writes",
        label: "Namespaces that it may write",
        hint: "One on a line, with all below.",
        tools: &[AgentTool::MemoryWrite],
        get: |form| &form.writes,
        set: |form, value| form.writes = value,
    },
    Listed {
        id: "agent-workflows",
        pointer: "/spec/workflows",
        label: "Workflows that it may run",
        hint: "Names, one on a line.",
        tools: &[AgentTool::RunWorkflow],
        get: |form| &form.workflows,
        set: |form, value| form.workflows = value,
    },
    Listed {
        id: "agent-agents",
        pointer: "/spec/agents",
        label: "Agents that it may ask",
        hint: "Names, one on a line.",
        tools: &[AgentTool::AskAgent, AgentTool::HandOver],
        get: |form| &form.agents,
        set: |form, value| form.agents = value,
    },
];

/// Where its tools reach: what no tool needs is left out, unless something is in it.
#[component]
fn Reach(editor: Editor) -> impl IntoView {
    let form = editor.form;
    let lists = LISTS.map(|list| {
        let is_shown = Memo::new(move |_| form.with(|form| form.has(list.tools) || !(list.get)(form).is_empty()));
        move || is_shown.get().then(|| view! { <ListField list editor /> })
    });
    let has_folder = Memo::new(move |_| {
        form.with(|form| {
            form.tools.iter().any(|tool| tool.needs_folder()) || !form.folder.is_empty() || !form.repository.is_empty()
        })
    });
    let folder = move || {
        has_folder.get().then(|| view! {
            <TextInput
                id="agent-repository" label="Repository" mono=true aside=Some("optional".to_owned()) error=editor.error("/spec/repository")
                value=editor.bind(|form| form.repository.clone(), |form, value| form.repository = value)
                hint=Some("The path of a git repository on the server. Each task works in a copy of its own.".to_owned())
            />
            <TextInput
                id="agent-folder" label="Folder" mono=true aside=Some("optional".to_owned()) error=editor.error("/spec/folder")
                value=editor.bind(|form| form.folder.clone(), |form, value| form.folder = value)
                hint=Some("Instead: a folder of the server that scripts and files are in. Empty: one of its own, gone after the task.".to_owned())
            />
            <SharedFields editor />
        })
    };
    view! {
        <div class="grid pair">
            {lists.into_iter().collect_view()}
            {folder}
        </div>
    }
}

/// What is done where others work in the same folder or repository.
#[component]
fn SharedFields(editor: Editor) -> impl IntoView {
    let is_shared = Memo::new(move |_| {
        editor.form.with(|form| !form.folder.trim().is_empty() || !form.repository.trim().is_empty())
    });
    let leases = || TakesLeases::ALL.map(|takes| Choice::new(takes.as_str(), takes.label())).to_vec();
    let ways = || OnConflict::ALL.map(|way| Choice::new(way.as_str(), way.label())).to_vec();
    move || {
        is_shared.get().then(|| view! {
            <Select
                id="agent-leases" label="Takes leases by itself" choices=Signal::stored(leases())
                value=editor.bind(
                    |form| form.leases.as_str().to_owned(),
                    |form, value| form.leases = TakesLeases::parse(&value).unwrap_or_default(),
                )
                hint=Some("So that no two agents write the same file, or publish into the same repository, at once.".to_owned())
            />
            <Select
                id="agent-on-conflict" label="Where somebody else has changed a file" choices=Signal::stored(ways())
                value=editor.bind(
                    |form| form.on_conflict.as_str().to_owned(),
                    |form, value| form.on_conflict = OnConflict::parse(&value).unwrap_or_default(),
                )
                hint=Some("In the folder, since the agent read the file: what others wrote is never lost unawares.".to_owned())
            />
        })
    }
}

#[component]
fn ListField(list: Listed, editor: Editor) -> impl IntoView {
    let form = editor.form;
    let read = Memo::new(move |_| form.with(|form| (list.get)(form).clone()));
    let value = (read.into(), Callback::new(move |value| form.update(|form| (list.set)(form, value))));
    view! {
        <TextArea
            id=list.id label=list.label rows=3 mono=true value hint=Some(list.hint.to_owned()) error=editor.list_error(list.pointer, list.get)
        />
    }
}

/// Who is asked, how much one task may take, and how many it works at.
#[component]
pub(super) fn LimitFields(editor: Editor) -> impl IntoView {
    let cost_error = Signal::derive(move || {
        editor.error("/spec/limits/cost_micros").get().map(|_| "expected dollars above 0, such as 5 or 0.50".to_owned())
    });
    let optional = || Some("optional".to_owned());
    view! {
        <Card id="agent-limits" title="Who is asked, and how much it may take">
            <div class="form wide">
                <TextArea
                    id="agent-approvers" label="People who are asked" rows=2 mono=true aside=optional() error=editor.list_error("/spec/approvers", |form| &form.approvers)
                    value=editor.bind(|form| form.approvers.clone(), |form, value| form.approvers = value)
                    hint=Some("E-mail addresses, or roles as role:admin; one on a line. Empty: everybody who may answer approvals.".to_owned())
                />
                <div class="grid agent-four">
                    <TextInput
                        id="agent-turns" label="Calls of its model" error=editor.error("/spec/limits/turns") attr:inputmode="numeric"
                        value=editor.bind(|form| form.turns.clone(), |form, value| form.turns = value)
                    />
                    <TextInput
                        id="agent-tokens" label="Tokens" error=editor.error("/spec/limits/tokens") attr:inputmode="numeric"
                        value=editor.bind(|form| form.tokens.clone(), |form, value| form.tokens = value)
                    />
                    <TextInput
                        id="agent-cost" label="US dollars" aside=optional() error=cost_error attr:inputmode="decimal"
                        value=editor.bind(|form| form.cost.clone(), |form, value| form.cost = value)
                    />
                    <TextInput
                        id="agent-work" label="Minutes of work" error=editor.error("/spec/limits/work_ms") attr:inputmode="decimal"
                        value=editor.bind(|form| form.work.clone(), |form, value| form.work = value)
                    />
                    <TextInput
                        id="agent-parallel" label="Tasks at once" aside=optional() error=editor.error("/spec/limits/parallel") attr:inputmode="numeric"
                        value=editor.bind(|form| form.parallel.clone(), |form, value| form.parallel = value)
                    />
                </div>
                <p class="small dim">
                    "What one task reaches ends it; waiting for people or for other runs is not work. Tasks beyond those at once wait in a queue."
                </p>
                <ContextFields
                    prefix="agent" value=editor.bind(|form| form.context.clone(), |form, value| form.context = value)
                    errors=["/spec/context/window", "/spec/context/keep_recent", "/spec/context/summary_route"].map(|pointer| editor.error(pointer))
                />
            </div>
        </Card>
    }
}

/// What it hears of other agents, and who may write to whom in its tasks.
#[component]
pub(super) fn TeamCard(editor: Editor) -> impl IntoView {
    let members = editor.list_error("/spec/team/members", |form| &form.team.members);
    let pairs = editor.list_error("/spec/team/pairs", |form| &form.team.pairs);
    view! {
        <Card id="agent-team" title="Its team">
            <div class="form wide">
                <Checkbox
                    id="agent-hears" label="Show it what other agents write to it, before each of its turns"
                    value=editor.bind(|form| form.hears_messages, |form, value| form.hears_messages = value)
                />
                <TeamFields
                    prefix="agent-team" value=editor.bind(|form| form.team.clone(), |form, value| form.team = value)
                    supervisor=None errors=[members, pairs]
                />
                <p class="small dim">
                    "Of the agents that work under a task that this one is given directly; it supervises them. In a workflow the workflow says so."
                </p>
            </div>
        </Card>
    }
}
