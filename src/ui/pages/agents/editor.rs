//! `/agents/new` and `/agents/ID/edit`: making an agent, and changing one.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map, use_query_map};

use super::fields::{LimitFields, TeamCard, ToolFields, WhoFields};
use super::form::{Form, lines};
use super::hooks::HookFields;
use super::personas::PersonaFields;
use super::rules::RuleFields;
use super::trial::Trial;
use crate::api::agents::{create_agent, get_agent, update_agent};
use crate::model::agent::{Agent, AgentSpec, AgentStanding, TEMPLATES};
use crate::model::auth::{Action as May, Me};
use crate::model::{AgentId, ApiError};
use crate::ui::browser;
use crate::ui::components::{
    Bound, Button, ButtonLink, ButtonSize, ButtonVariant, Crumb, ErrorState, Icon, Load, PageHeader, SkeletonShape,
    is_about,
};
use crate::ui::format;

/// The form that the button of the header sends.
const FORM: &str = "agent-form";
/// Where what is wrong is said, in the order of the form: the pointer, and the id of the control.
const PLACES: [(&str, &str); 29] = [
    ("/name", "agent-name"),
    ("/spec/description", "agent-description"),
    ("/spec/persona", "agent-persona"),
    ("/spec/variables", "agent-variables"),
    ("/spec/personas", "agent-personas"),
    ("/spec/model", "agent-model"),
    ("/spec/max_tokens", "agent-max-tokens"),
    ("/spec/temperature", "agent-temperature"),
    ("/spec/expertise", "agent-expertise"),
    ("/spec/hosts", "agent-hosts"),
    ("/spec/reads", "agent-reads"),
    ("/spec/writes", "agent-writes"),
    ("/spec/workflows", "agent-workflows"),
    ("/spec/agents", "agent-agents"),
    ("/spec/folder", "agent-folder"),
    ("/spec/repository", "agent-repository"),
    ("/spec/rules", "agent-rules"),
    ("/spec/hooks", "agent-hooks"),
    ("/spec/approvers", "agent-approvers"),
    ("/spec/limits/turns", "agent-turns"),
    ("/spec/limits/tokens", "agent-tokens"),
    ("/spec/limits/cost_micros", "agent-cost"),
    ("/spec/limits/work_ms", "agent-work"),
    ("/spec/limits/parallel", "agent-parallel"),
    ("/spec/context/window", "agent-window"),
    ("/spec/context/keep_recent", "agent-keep"),
    ("/spec/context/summary_route", "agent-summary"),
    ("/spec/team/members", "agent-team-members"),
    ("/spec/team/pairs", "agent-team-pairs"),
];

/// What the form is about: what it holds, and what became of sending it.
#[derive(Clone, Copy)]
pub(super) struct Editor {
    pub form: RwSignal<Form>,
    save: Action<Form, Result<Agent, ApiError>>,
}

impl Editor {
    fn new(editing: Option<(AgentId, i64)>, form: Form) -> Self {
        let save = Action::new(move |form: &Form| {
            let draft = form.draft();
            async move {
                match editing {
                    Some((id, version)) => update_agent(id, version, draft).await,
                    None => create_agent(draft).await,
                }
            }
        });
        Self { form: RwSignal::new(form), save }
    }

    /// A part of the form as a control reads and writes it.
    pub(super) fn bind<T: Clone + PartialEq + Send + Sync + 'static>(
        self,
        get: fn(&Form) -> T,
        set: fn(&mut Form, T),
    ) -> Bound<T> {
        let form = self.form;
        let read = Memo::new(move |_| form.with(get));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| set(form, value)))))
    }

    /// What is wrong with a field.
    pub(super) fn error(self, pointer: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.refused().and_then(|error| error.field(pointer).map(str::to_owned)))
    }

    /// What is wrong with a list of lines, and in which of them.
    pub(super) fn list_error(self, pointer: &'static str, text: fn(&Form) -> &String) -> Signal<Option<String>> {
        Signal::derive(move || {
            let Some(ApiError::Invalid { fields, .. }) = self.refused() else { return None };
            let field = fields.into_iter().find(|field| is_at(&field.pointer, pointer))?;
            let place = field.pointer[pointer.len()..].split('/').nth(1).and_then(|place| place.parse::<usize>().ok());
            let line = place.and_then(|at| self.form.with_untracked(|form| lines(text(form)).get(at).cloned()));
            Some(line.map_or_else(|| field.message.clone(), |line| format!("{line}: {}", field.message)))
        })
    }

    /// The refusal that the last sending met.
    pub(super) fn refused(self) -> Option<ApiError> {
        self.save.value().with(|answer| answer.as_ref().and_then(|answer| answer.as_ref().err().cloned()))
    }
}

/// Whether a pointer is that of a field, or of something in it.
fn is_at(pointer: &str, field: &str) -> bool {
    pointer.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What stands at no field, or how many fields are to be looked at.
fn whole(error: &ApiError) -> String {
    match error {
        ApiError::Invalid { fields, .. } if fields.iter().any(|field| place_of(&field.pointer).is_some()) => {
            let (known, rest): (Vec<_>, Vec<_>) = fields.iter().partition(|field| place_of(&field.pointer).is_some());
            let mut said = format!("Nothing was saved: {} can't stay so.", format::plural(known.len() as i64, "field"));
            for field in rest {
                said.push_str(&format!(" {}: {}.", field.pointer, field.message));
            }
            said
        }
        error => format::sentence(error.detail()),
    }
}

/// The id of the control of a field.
fn place_of(pointer: &str) -> Option<(usize, &'static str)> {
    PLACES.iter().enumerate().find(|(_, (field, _))| is_at(pointer, field)).map(|(at, (_, id))| (at, *id))
}

/// The page of a new agent: `/agents/new?template=NAME`.
#[component]
pub fn NewAgentPage() -> impl IntoView {
    let query = use_query_map();
    let template = Memo::new(move |_| query.with(|query| query.get("template")).unwrap_or_default());
    move || {
        let form = match TEMPLATES.iter().find(|one| template.with(|name| name == one.name)) {
            Some(template) => Form::new(template.name, &template.spec()),
            None => Form::new("", &AgentSpec::new("")),
        };
        view! { <Allowed><EditorView form=form.clone() editing=None /></Allowed> }
    }
}

/// The page on which an agent is changed.
#[component]
pub fn EditAgentPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<AgentId>().ok()));
    let agent = Resource::new(
        move || id.get(),
        |id| async move { get_agent(id.ok_or_else(|| ApiError::not_found("agent"))?).await },
    );
    let is_current = is_about(id, |standing: &AgentStanding| standing.agent.id);
    view! {
        <Load resource=agent what="the agent" shape=SkeletonShape::Block(12) is_current let:standing>
            <Allowed><EditorView form=Form::of(&standing.agent) editing=Some(standing.agent.clone()) /></Allowed>
        </Load>
    }
}

/// What only those see who may make agents.
#[component]
fn Allowed(children: ChildrenFn) -> impl IntoView {
    if expect_context::<Me>().may(May::EditAgent) {
        return children().into_any();
    }
    let error = ApiError::Forbidden { detail: "an admin of the workspace can give you one that does".to_owned() };
    view! { <PageHeader title="Agents" /><ErrorState error what="changing agents" /> }.into_any()
}

#[component]
fn EditorView(form: Form, editing: Option<Agent>) -> impl IntoView {
    let first = StoredValue::new(form.clone());
    let editor = Editor::new(editing.as_ref().map(|agent| (agent.id, agent.version)), form);
    let save = editor.save;
    let navigate = use_navigate();
    Effect::new(move |_| match save.value().get() {
        Some(Ok(agent)) => navigate(&format!("/agents/{}", agent.id), NavigateOptions::default()),
        Some(Err(ApiError::Invalid { fields, .. })) => {
            if let Some((_, id)) = fields.iter().filter_map(|field| place_of(&field.pointer)).min() {
                browser::after_ms_detached(0, move || browser::focus_id(id));
            }
        }
        Some(Err(_)) | None => {}
    });
    let is_unsaved = move || {
        let is_saved = save.value().with_untracked(|answer| matches!(answer, Some(Ok(_))));
        !is_saved && first.with_value(|first| editor.form.with_untracked(|form| first != form))
    };
    Effect::new(move |_| {
        StoredValue::new_local(browser::warn_before_leaving(is_unsaved));
    });
    let back = editing.as_ref().map_or_else(|| "/agents".to_owned(), |agent| format!("/agents/{}", agent.id));
    let mut crumbs = vec![Crumb::new("/agents", "Agents")];
    crumbs.extend(editing.as_ref().map(|agent| Crumb::new(back.clone(), agent.name.clone())));
    let is_new = editing.is_none();
    let title = if is_new { "New agent" } else { "Edit" };
    let actions = move || {
        let label = if is_new { "Add the agent" } else { "Save" };
        view! {
            <ButtonLink href=back label="Cancel" size=ButtonSize::Small />
            <Button label variant=ButtonVariant::Primary size=ButtonSize::Small submit=true busy=save.pending() attr:form=FORM />
        }
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if !save.pending().get_untracked() {
            save.dispatch(editor.form.get_untracked());
        }
    };
    view! {
        <PageHeader title crumbs actions=ViewFnOnce::from(actions) />
        <div class="page-body">
            <form class="form wide agent-form" id=FORM novalidate on:submit=send>
                <div role="alert">
                    {move || editor.refused().map(|error| view! {
                        <div class="form-error"><Icon name="s-failed" /><span>{whole(&error)}</span></div>
                    })}
                </div>
                <WhoFields editor />
                <PersonaFields editor />
                <ToolFields editor />
                <RuleFields editor />
                <Trial form=editor.form />
                <HookFields editor />
                <LimitFields editor />
                <TeamCard editor />
            </form>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FieldError;

    #[test]
    fn a_field_of_a_list_belongs_to_its_list() {
        assert!(is_at("/spec/hosts/2", "/spec/hosts"));
        assert!(!is_at("/spec/hosts_more", "/spec/hosts"));
        assert_eq!(place_of("/spec/limits/turns").map(|(_, id)| id), Some("agent-turns"));
        assert_eq!(place_of("/spec/tools"), None);
    }

    #[test]
    fn what_stands_at_no_field_is_said_above_them() {
        let invalid = |fields: Vec<FieldError>| whole(&ApiError::Invalid { detail: "tools: no".into(), fields });
        assert_eq!(invalid(vec![FieldError::new("/spec/tools", "no")]), "Tools: no.");
        assert_eq!(
            invalid(vec![FieldError::new("/name", "no"), FieldError::new("/spec/tools", "twice")]),
            "Nothing was saved: 1 field can't stay so. /spec/tools: twice."
        );
    }
}
