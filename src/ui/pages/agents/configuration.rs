//! What an agent is and may do, to be read.

use leptos::prelude::*;

use super::card::model_of;
use super::hooks;
use super::words::{OTHERWISE, effect, purpose, sentence};
use crate::model::agent::{AgentLimits, AgentSpec, AgentTool, Conflict, Persona, Variable};
use crate::model::gateway::ContextRule;
use crate::ui::components::Badge;
use crate::ui::format;

/// Everything of it, in parts with a heading each.
#[component]
pub(super) fn Configuration(
    spec: AgentSpec,
    /// Makes the ids of its headings unique on the page.
    prefix: String,
) -> impl IntoView {
    let rules = spec.rules.iter().map(|rule| view! { <li>{sentence(rule)}</li> }).collect_view();
    let has_rules = !spec.rules.is_empty();
    let hooks: Vec<String> = spec.hooks.iter().map(hooks::sentence).collect();
    let (answers, tools, pairs) = (answers(&spec), spec.tools.clone(), reach(&spec));
    let limits = limits(spec.limits, &spec.context);
    let team = team(&spec);
    let asked = if spec.approvers.is_empty() {
        "everybody who may answer approvals".to_owned()
    } else {
        spec.approvers.join(", ")
    };
    let (personas, variables) = (spec.personas, variables(&spec.variables));
    let id = move |part: &str| format!("{prefix}-{part}");
    view! {
        <div class="configuration">
            <section aria-labelledby=id("persona")>
                <h2 id=id("persona")>"Persona"</h2>
                <p class="persona">{spec.persona}</p>
                {(!variables.is_empty()).then(|| view! { <Pairs pairs=variables /> })}
                {(!personas.is_empty()).then(|| view! { <Personas personas between=spec.between_personas /> })}
            </section>
            <section aria-labelledby=id("model")>
                <h2 id=id("model")>"Model"</h2>
                <Pairs pairs=answers />
            </section>
            <section aria-labelledby=id("tools")>
                <h2 id=id("tools")>"Tools"</h2>
                <Tools tools />
                <Pairs pairs />
            </section>
            <section aria-labelledby=id("rules")>
                <h2 id=id("rules")>"Rules"</h2>
                {has_rules.then(|| view! { <ol class="targets">{rules}</ol> })}
                <p class="dim">{if has_rules { OTHERWISE } else { "There are none: a person is asked about what acts outside, and the rest is done." }}</p>
                <Pairs pairs=vec![("People who are asked", asked)] />
            </section>
            {(!hooks.is_empty()).then(|| view! {
                <section aria-labelledby=id("hooks")>
                    <h2 id=id("hooks")>"Hooks"</h2>
                    <ol class="targets">{hooks.into_iter().map(|words| view! { <li class="wrapped">{words}</li> }).collect_view()}</ol>
                </section>
            })}
            <section aria-labelledby=id("limits")>
                <h2 id=id("limits")>"Limits"</h2>
                <Pairs pairs=limits />
            </section>
            {(!team.is_empty()).then(|| view! {
                <section aria-labelledby=id("team")>
                    <h2 id=id("team")>"Team"</h2>
                    <Pairs pairs=team />
                </section>
            })}
        </div>
    }
}

/// The personas for some tasks, each with when it is taken.
#[component]
fn Personas(personas: Vec<Persona>, between: Conflict) -> impl IntoView {
    let several = personas.len() > 1;
    let rows = personas.into_iter().map(|persona| {
        let when = persona.occasion();
        view! { <li><strong>{persona.name}</strong><div class="small dim">{when}</div><p class="persona">{persona.text}</p></li> }
    });
    view! {
        <ol class="stack" role="list">{rows.collect_view()}</ol>
        {several.then(|| view! { <p class="dim">{format!("Where several of the same priority fit: {}.", between.label())}</p> })}
    }
}

#[component]
fn Tools(tools: Vec<AgentTool>) -> impl IntoView {
    if tools.is_empty() {
        return view! { <p class="dim">"None: it only talks."</p> }.into_any();
    }
    let rows = tools.into_iter().map(|tool| {
        let (what, tone) = effect(tool);
        view! { <li><strong>{tool.label()}</strong>" "<Badge label=what tone /><div class="small dim">{purpose(tool)}</div></li> }
    });
    view! { <ul class="stack" role="list">{rows.collect_view()}</ul> }.into_any()
}

#[component]
fn Pairs(pairs: Vec<(&'static str, String)>) -> impl IntoView {
    let rows = pairs.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd class="wrapped">{value}</dd> });
    view! { <dl class="pairs">{rows.collect_view()}</dl> }
}

fn variables(variables: &[Variable]) -> Vec<(&'static str, String)> {
    let said = variables.iter().map(|one| match &one.default {
        Some(default) => format!("{} = {default}", one.name),
        None => format!("{}, which each task says", one.name),
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { Vec::new() } else { vec![("Variables", said.join("; "))] }
}

fn answers(spec: &AgentSpec) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("Asks", model_of(&spec.model))];
    if !spec.expertise.is_empty() {
        pairs.push(("Knows", spec.expertise.join(", ")));
    }
    if let Some(tokens) = spec.max_tokens {
        pairs.push(("Longest answer", format!("{} tokens", format::count(i64::from(tokens)))));
    }
    if let Some(temperature) = spec.temperature {
        pairs.push(("Temperature", temperature.to_string()));
    }
    pairs
}

/// What its tools reach; a tool without anything to reach is said to have nothing.
fn reach(spec: &AgentSpec) -> Vec<(&'static str, String)> {
    use AgentTool as T;
    let has = |tools: &[T]| tools.iter().any(|tool| spec.tools.contains(tool));
    let list = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let parts = [
        ("Hosts", has(&[T::HttpRequest]), list(&spec.hosts)),
        ("Reads in memory", has(&[T::MemorySearch, T::MemoryRead]), list(&spec.reads)),
        ("Writes in memory", has(&[T::MemoryWrite]), list(&spec.writes)),
        ("Workflows", has(&[T::RunWorkflow]), list(&spec.workflows)),
        ("Agents", has(&[T::AskAgent, T::HandOver]), list(&spec.agents)),
        (
            if spec.repository.is_empty() { "Folder" } else { "Repository" },
            spec.tools.iter().any(|tool| tool.needs_folder()),
            match (spec.folder.as_str(), spec.repository.as_str()) {
                ("", "") => "one of its own".to_owned(),
                ("", repository) => format!("a copy of {repository} for each task"),
                (folder, _) => folder.to_owned(),
            },
        ),
    ];
    let mut pairs: Vec<_> =
        parts.into_iter().filter_map(|(name, is_used, value)| is_used.then_some((name, value))).collect();
    if !spec.folder.is_empty() || !spec.repository.is_empty() {
        pairs.push(("Leases", spec.leases.label().to_owned()));
    }
    if !spec.folder.is_empty() {
        pairs.push(("Where a file was changed", spec.on_conflict.label().to_owned()));
    }
    pairs
}

/// What is said of its team; nothing where nothing is.
fn team(spec: &AgentSpec) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    if let Some(team) = &spec.team {
        pairs.push(("Who may write to whom", team.topology.label().to_owned()));
        if !team.members.is_empty() {
            pairs.push(("Members", team.members.join(", ")));
        }
        if team.adaptive {
            let may: Vec<&str> = team.may.iter().map(|one| one.label()).collect();
            pairs.push(("It may change to", if may.is_empty() { "any".to_owned() } else { may.join(", ") }));
        }
    }
    if spec.hears_messages {
        pairs.push(("Messages of others", "shown before each turn".to_owned()));
    }
    pairs
}

fn limits(limits: AgentLimits, context: &ContextRule) -> Vec<(&'static str, String)> {
    let cost = limits.cost_micros.map_or_else(|| "as budgets allow".to_owned(), format::dollars);
    vec![
        ("Calls of its model", format::count(i64::from(limits.turns))),
        ("Tokens", format::count(limits.tokens)),
        ("Cost", cost),
        ("Work", format::duration(limits.work_ms)),
        ("Tasks at once", limits.parallel.map_or_else(|| "any number".to_owned(), |tasks| tasks.to_string())),
        (
            "Conversations over",
            format!(
                "{} tokens: {}",
                format::count(i64::from(context.window)),
                context.when_full.label().to_lowercase()
            ),
        ),
    ]
}
