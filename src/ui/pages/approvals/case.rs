//! One approval: what is asked, by which run, what others answered, and the answer. Used wherever an approval is shown.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::answer::{Answer, AnswerFields, DecideBar};
use super::due::Due;
use super::hand_over::HandOver;
use super::words;
use crate::api::approvals::get_approval;
use crate::model::workflow::{Approval, Question, Vote};
use crate::ui::components::{Icon, Markdown, RelativeTime};
use crate::ui::format;
use crate::ui::pages::workflows::inputs;
use crate::ui::state::approvals::Inbox;

/// Where an approval is shown. At most one stands on a page in each setting, which makes its ids unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// On the page of approvals.
    Inbox,
    /// In the dialog of a run's head.
    RunHead,
    /// In the panel of a step of a run.
    RunStep,
}

impl Setting {
    /// What the ids of its fields and buttons begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Inbox => "case",
            Self::RunHead => "case-head",
            Self::RunStep => "case-step",
        }
    }

    /// The id of the dialog that hands it over.
    pub const fn hand_over(self) -> &'static str {
        match self {
            Self::Inbox => "hand-over",
            Self::RunHead => "hand-over-head",
            Self::RunStep => "hand-over-step",
        }
    }
}

/// An approval with its answer. It follows what others answer; what is typed stays.
#[component]
pub fn Case(
    approval: Approval,
    setting: Setting,
    /// Called with what came of this person's answer.
    #[prop(into, optional)]
    on_answered: Option<Callback<Approval>>,
) -> impl IntoView {
    let text = approval.question.text.clone();
    let answer = Answer::new(approval, setting, on_answered);
    follow(answer.approval);
    let may = Memo::new(move |_| answer.approval.with(|a| a.outcome.is_none() && a.refusal.is_none()));
    let handing_over = RwSignal::new(false);
    view! {
        <form class="case" data-setting=setting.prefix() novalidate on:submit=|event| event.prevent_default()>
            <CaseHead approval=answer.approval setting />
            {(!text.trim().is_empty()).then(|| view! { <Markdown text /> })}
            <Votes approval=answer.approval />
            <Show when=move || may.get() fallback=move || view! { <Refusal approval=answer.approval /> }>
                <AnswerFields answer />
            </Show>
            <Rules question=answer.approval.with_untracked(|a| a.question.clone()) />
            <Show when=move || may.get()>
                <DecideBar answer handing_over />
            </Show>
        </form>
        <HandOver answer open=handing_over />
    }
}

/// Reads the approval anew when something has changed, as long as the caller lives.
fn follow(approval: RwSignal<Approval>) {
    let Some(inbox) = use_context::<Inbox>() else { return };
    let id = approval.with_untracked(|approval| approval.id);
    Effect::new(move |before: Option<u32>| {
        let now = inbox.changes.get();
        if before.is_some_and(|before| before != now) {
            spawn_local(async move {
                // What can't be read now stays as it is until the next change.
                if let Ok(newer) = get_approval(id).await
                    && approval.try_with_untracked(|known| *known != newer) == Some(true)
                {
                    approval.try_set(newer);
                }
            });
        }
        now
    });
}

/// Where it stands, the question, and the run that asks.
#[component]
fn CaseHead(approval: RwSignal<Approval>, setting: Setting) -> impl IntoView {
    let (title, deadline, asked_at) =
        approval.with_untracked(|a| (a.question.title.clone(), a.deadline_at, a.created_at));
    let title = match setting {
        Setting::Inbox => view! { <h2>{title}</h2> }.into_any(),
        Setting::RunHead | Setting::RunStep => view! { <h3>{title}</h3> }.into_any(),
    };
    let note = move || {
        (deadline.is_some() && approval.read().outcome.is_none())
            .then_some(" Without an answer by then, the run goes on by “expired”.")
    };
    view! {
        <header class="case-head">
            <div class="row wrap">
                <Pill approval />
                <span class="dimmer small">"Asked " <RelativeTime at=asked_at /> "." {note}</span>
            </div>
            {title}
            {(setting == Setting::Inbox).then(|| view! { <FromRun approval=approval.get_untracked() /> })}
        </header>
    }
}

/// When it is due, or how it ended.
#[component]
fn Pill(approval: RwSignal<Approval>) -> impl IntoView {
    let look = Memo::new(move |_| approval.with(|a| words::status(&a.question, a.outcome.as_deref())));
    let icon = Signal::derive(move || look.get().1);
    let text = move || {
        approval.with(|a| match (&a.outcome, a.deadline_at) {
            (Some(outcome), _) => words::word(outcome).into_any(),
            (None, None) => "Waits for an answer".into_any(),
            (None, deadline) => view! { <Due deadline /> }.into_any(),
        })
    };
    let progress = move || {
        let text = approval.with(|a| words::progress(a).filter(|_| a.outcome.is_none()));
        text.map(|text| view! { <span class="badge">{text}</span> })
    };
    view! {
        <span class="status case-pill" role="status" data-variant="pill" data-status=move || look.get().0>
            <Icon name=icon />
            {text}
        </span>
        {progress}
    }
}

/// "A run of Ship a release, started by Ada, asks in its step `sign-off`."
#[component]
fn FromRun(approval: Approval) -> impl IntoView {
    let Approval { run_id, workflow_id, workflow_name, started_by, step, .. } = approval;
    let workflow = match workflow_id {
        Some(id) => view! { <a class="link" href=format!("/workflows/{id}")>{workflow_name}</a> }.into_any(),
        None => workflow_name.into_any(),
    };
    let run = format!("/runs/{run_id}?step={}", crate::model::credentials::query_value(&step));
    let by = started_by.map(|name| format!(", started by {name},"));
    view! {
        <p class="dim">
            "A " <a class="link" href=run>"run"</a> " of " {workflow} {by} " asks in its step " <code>{step}</code> "."
        </p>
    }
}

/// What has been answered so far.
#[component]
fn Votes(approval: RwSignal<Approval>) -> impl IntoView {
    let votes = Memo::new(move |_| approval.with(|a| a.votes.clone()));
    let row = move |vote: Vote| {
        let question = approval.with_untracked(|a| a.question.clone());
        view! { <VoteRow vote question /> }
    };
    view! {
        <Show when=move || !votes.read().is_empty()>
            <ul class="votes" aria-label="Answers so far">{move || votes.get().into_iter().map(row).collect_view()}</ul>
        </Show>
    }
}

#[component]
fn VoteRow(vote: Vote, question: Question) -> impl IntoView {
    let Vote { name, decision, form, comment, .. } = vote;
    let (status, icon) = words::status(&question, Some(&decision));
    let initial: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    let filled = filled_in(&question.form, &form);
    view! {
        <li>
            <span class="avatar" aria-hidden="true">{initial}</span>
            <div class="grow stack">
                <span class="row wrap">
                    <strong>{name}</strong>
                    <span class="status" data-status=status><Icon name=icon />{words::word(&decision)}</span>
                </span>
                {(!comment.is_empty()).then(|| view! { <p class="vote-comment">{comment}</p> })}
                {(!filled.is_empty()).then(|| view! {
                    <dl class="pairs">
                        {filled.into_iter().map(|(label, value)| view! { <dt>{label}</dt><dd>{value}</dd> }).collect_view()}
                    </dl>
                })}
            </div>
        </li>
    }
}

/// What was filled in, by the labels of the form.
fn filled_in(schema: &Value, form: &Value) -> Vec<(String, String)> {
    let value = |field: &inputs::Field| {
        let text = match form.get(&field.name)? {
            Value::Bool(true) => "Yes".to_owned(),
            Value::Bool(false) => "No".to_owned(),
            value => inputs::written(field, value),
        };
        Some((field.label.clone(), text))
    };
    inputs::fields(schema).iter().filter_map(value).collect()
}

/// Why this person can't answer; absent once it is decided, which the head says.
#[component]
fn Refusal(approval: RwSignal<Approval>) -> impl IntoView {
    let why = Memo::new(move |_| approval.with(|a| a.refusal.clone().filter(|_| a.outcome.is_none())));
    move || {
        why.get().map(|why| {
            view! {
                <div class="notice" data-tone="plain">
                    <Icon name="info" />
                    <span class="grow">{format::sentence(&why)}</span>
                </div>
            }
        })
    }
}

/// Who may answer, and what it takes.
#[component]
fn Rules(question: Question) -> impl IntoView {
    let rule = words::rule(&question);
    view! {
        <dl class="pairs case-rules">
            <dt>"Who may answer"</dt>
            <dd>{format::sentence(&words::whom(&question))}</dd>
            {rule.map(|rule| view! { <dt>"What it takes"</dt><dd>{rule}</dd> })}
        </dl>
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_filled_in_is_read_by_the_labels_of_the_form() {
        let schema = json!({"properties": {
            "channel": {"type": "string", "title": "Where to"},
            "max_items": {"type": "integer"},
            "notify": {"type": "boolean"},
        }});
        let form = json!({"channel": "stable", "max_items": 3, "notify": false, "unknown": 1});
        let expected = [("Where to", "stable"), ("Max items", "3"), ("Notify", "No")];
        assert_eq!(filled_in(&schema, &form), expected.map(|(label, value)| (label.to_owned(), value.to_owned())));
        assert_eq!(filled_in(&Value::Null, &Value::Null), []);
    }
}
