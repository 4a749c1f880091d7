//! Answering: the form, a comment, and one button for each decision.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::case::Setting;
use super::words;
use crate::api::approvals::decide_approval;
use crate::model::workflow::{Approval, Decision, Question};
use crate::model::{ApiError, ApprovalId};
use crate::ui::browser;
use crate::ui::components::{Button, ButtonVariant, Icon, TextArea, Toasts, Tone, use_toasts};
use crate::ui::format;
use crate::ui::pages::workflows::inputs::{self, Field, Texts};
use crate::ui::pages::workflows::start::{InputField, Refused};
use crate::ui::state::approvals::Inbox;

/// The error of the comment, among those of the form's fields: no key of an object is empty here.
const COMMENT: &str = "";

/// The id of the button that gives the first decision.
pub(super) fn agree_id(setting: Setting) -> String {
    format!("{}-agree", setting.prefix())
}

/// The id of the button that turns down.
pub(super) fn turn_down_id(setting: Setting) -> String {
    format!("{}-turn-down", setting.prefix())
}

/// An answer that is being written. Copies write the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    /// As it stands.
    pub approval: RwSignal<Approval>,
    /// Where it is shown.
    pub setting: Setting,
    /// Which.
    pub id: ApprovalId,
    fields: StoredValue<Vec<Field>>,
    texts: RwSignal<Texts>,
    comment: RwSignal<String>,
    refused: RwSignal<Refused>,
    /// The decision that is on its way.
    sending: RwSignal<Option<String>>,
    on_answered: Option<Callback<Approval>>,
    inbox: Option<Inbox>,
    /// Where it is said what came of it.
    pub toasts: Toasts,
}

impl Answer {
    /// An answer with the defaults of the form in it.
    pub fn new(approval: Approval, setting: Setting, on_answered: Option<Callback<Approval>>) -> Self {
        let fields = inputs::fields(&approval.question.form);
        Self {
            setting,
            id: approval.id,
            texts: RwSignal::new(inputs::begin(&fields, None)),
            fields: StoredValue::new(fields),
            approval: RwSignal::new(approval),
            comment: RwSignal::new(String::new()),
            refused: RwSignal::new(Refused::default()),
            sending: RwSignal::new(None),
            on_answered,
            inbox: use_context::<Inbox>(),
            toasts: use_toasts(),
        }
    }

    /// Sends a decision with the form and the comment.
    fn give(self, decision: String) {
        if self.sending.with_untracked(Option::is_some) {
            return;
        }
        let form = self.approval.with_untracked(|a| {
            self.fields
                .with_value(|fields| self.texts.with_untracked(|texts| form(&a.question, fields, texts, &decision)))
        });
        let form = match form {
            Ok(form) => form,
            Err(fields) => return self.refuse(Refused { fields, whole: None }),
        };
        self.sending.set(Some(decision.clone()));
        self.refused.set(Refused::default());
        let comment = self.comment.get_untracked().trim().to_owned();
        spawn_local(async move {
            let outcome = decide_approval(self.id, Decision { decision, form, comment }).await;
            self.sending.try_set(None);
            match outcome {
                Ok(approval) => self.take(approval),
                Err(error) => {
                    let refused = self.fields.try_with_value(|fields| explained(&error, fields));
                    self.refuse(refused.unwrap_or_default());
                    // Somebody else may have been faster: what stands there now is read anew.
                    self.told();
                }
            }
        });
    }

    fn take(self, approval: Approval) {
        self.toasts.say(Tone::Good, said(&approval));
        self.approval.try_set(approval.clone());
        self.told();
        if let Some(on_answered) = self.on_answered {
            on_answered.try_run(approval);
        }
    }

    /// Shows what does not fit, and leads to the first of it.
    fn refuse(self, refused: Refused) {
        let first = self.fields.try_with_value(|fields| {
            fields.iter().find(|field| refused.fields.contains_key(&field.name)).map(|field| field.name.clone())
        });
        self.refused.try_set(refused);
        if let Some(name) = first.flatten() {
            browser::focus_id(&format!("{}-input-{name}", self.setting.prefix()));
        }
    }

    /// Something has changed about it.
    pub fn told(self) {
        if let Some(inbox) = self.inbox {
            inbox.touch();
        }
    }
}

/// What to send as the form. Whoever gives another decision than the first need not have filled it in.
fn form(
    question: &Question,
    fields: &[Field],
    texts: &Texts,
    decision: &str,
) -> Result<Value, BTreeMap<String, String>> {
    if question.form.is_null() {
        return Ok(Value::Null);
    }
    let agrees = question.decisions.first().is_some_and(|first| first == decision);
    match inputs::collect(fields, texts) {
        Ok(form) => Ok(form),
        Err(_) if !agrees => Ok(Value::Null),
        Err(errors) => Err(errors),
    }
}

/// What a toast says of an answer that was taken.
fn said(approval: &Approval) -> String {
    let title = &approval.question.title;
    match (&approval.outcome, words::progress(approval)) {
        (Some(outcome), _) => format!("{}: {title}", words::word(outcome)),
        (None, Some(progress)) => format!("Your answer counts, {progress}: {title}"),
        (None, None) => format!("Your answer counts: {title}"),
    }
}

/// Sorts what the server said to the fields that it is about.
fn explained(error: &ApiError, fields: &[Field]) -> Refused {
    let mut by_field = BTreeMap::new();
    if let ApiError::Invalid { fields: said, .. } = error {
        for one in said {
            // A list or an object is one field: what is wrong inside it stands beside it.
            let within = one.pointer.strip_prefix("/form/").and_then(|rest| rest.split('/').next());
            let field = fields.iter().find(|field| within == Some(field.name.as_str()));
            if let Some(field) = field {
                by_field.entry(field.name.clone()).or_insert_with(|| one.message.clone());
            } else if one.pointer == "/comment" {
                by_field.insert(COMMENT.to_owned(), one.message.clone());
            }
        }
    }
    let whole = by_field.is_empty().then(|| format::sentence(error.detail()));
    Refused { fields: by_field, whole }
}

/// The form and the comment.
#[component]
pub(super) fn AnswerFields(answer: Answer) -> impl IntoView {
    let Answer { setting, texts, refused, comment, .. } = answer;
    let field = move |field: Field| view! { <InputField field texts refused form=setting.prefix() /> };
    let comment_error = Signal::derive(move || refused.read().fields.get(COMMENT).cloned());
    view! {
        <div class="case-fields">
            {move || {
                refused.read().whole.clone().map(|text| {
                    view! { <div class="form-error" role="alert"><Icon name="s-failed" /><span>{text}</span></div> }
                })
            }}
            {answer.fields.get_value().into_iter().map(field).collect_view()}
            <TextArea
                id=format!("{}-comment", setting.prefix())
                label="Comment"
                aside=Signal::stored(Some("optional".to_owned()))
                rows=2
                placeholder="What should the team know?"
                value=comment
                error=comment_error
            />
        </div>
    }
}

/// One button for each decision, and the way to somebody else.
#[component]
pub(super) fn DecideBar(answer: Answer, handing_over: RwSignal<bool>) -> impl IntoView {
    let decisions = answer.approval.with_untracked(|a| a.question.decisions.clone());
    let downward = decisions.iter().position(|decision| words::turns_down(decision));
    let buttons = decisions.into_iter().enumerate().map(|(at, decision)| {
        let mark = Mark::of(at, downward);
        view! { <DecisionButton answer decision mark /> }
    });
    view! {
        <div class="decide">
            {buttons.collect_view()}
            <Button
                label="Hand over to…"
                variant=ButtonVariant::Quiet
                on_press=move |()| handing_over.set(true)
            />
        </div>
    }
}

/// What a decision is among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The first, which several may have to give.
    Agrees,
    /// The one that turns down.
    TurnsDown,
    Other,
}

impl Mark {
    fn of(at: usize, downward: Option<usize>) -> Self {
        match at {
            0 => Self::Agrees,
            at if Some(at) == downward => Self::TurnsDown,
            _ => Self::Other,
        }
    }
}

#[component]
fn DecisionButton(answer: Answer, decision: String, mark: Mark) -> impl IntoView {
    let setting = answer.setting;
    let (id, variant, icon, key) = match mark {
        Mark::Agrees => (Some(agree_id(setting)), ButtonVariant::Primary, "check", "A"),
        Mark::TurnsDown => (Some(turn_down_id(setting)), ButtonVariant::Danger, "x", "R"),
        Mark::Other => (None, ButtonVariant::Plain, "right", ""),
    };
    // Only the page of approvals listens to these keys.
    let keys = if setting == Setting::Inbox { key } else { "" };
    let label = words::verb(&decision);
    let busy = {
        let decision = decision.clone();
        Signal::derive(move || answer.sending.with(|sending| sending.as_ref() == Some(&decision)))
    };
    let press = move |()| answer.give(decision.clone());
    view! { <Button label icon variant keys busy on_press=press attr:id=id /> }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FieldError;

    fn asking(form: Value) -> Question {
        Question {
            title: "Publish?".to_owned(),
            text: String::new(),
            form,
            approvers: Vec::new(),
            required: 1,
            four_eyes: false,
            decisions: vec!["approved".to_owned(), "rejected".to_owned()],
        }
    }

    #[test]
    fn whoever_rejects_need_not_fill_the_form_in() {
        let question = asking(json!({"required": ["tag"], "properties": {"tag": {"type": "string"}}}));
        let fields = inputs::fields(&question.form);
        let given = |decision, text: &str| {
            form(&question, &fields, &Texts::from([("tag".to_owned(), text.to_owned())]), decision)
        };
        assert_eq!(given("rejected", ""), Ok(Value::Null));
        assert_eq!(given("rejected", "v1"), Ok(json!({"tag": "v1"})));
        assert_eq!(given("approved", "v1"), Ok(json!({"tag": "v1"})));
        assert_eq!(given("approved", "").expect_err("refused")["tag"], "this is required");
        assert_eq!(form(&asking(Value::Null), &[], &Texts::new(), "approved"), Ok(Value::Null));
    }

    #[test]
    fn what_the_server_refuses_stands_beside_its_field() {
        let fields = inputs::fields(&json!({"properties": {"tags": {"type": "array"}}}));
        let error = |pointer: &str| ApiError::Invalid {
            detail: "the form does not fit".into(),
            fields: vec![FieldError::new(pointer, "expected text")],
        };
        assert_eq!(explained(&error("/form/tags/0"), &fields).fields["tags"], "expected text");
        assert_eq!(explained(&error("/comment"), &fields).fields[COMMENT], "expected text");
        assert_eq!(explained(&error("/decision"), &fields).whole.as_deref(), Some("The form does not fit."));
        let late = ApiError::Conflict { detail: "it is decided".into() };
        assert_eq!(explained(&late, &fields).whole.as_deref(), Some("It is decided."));
    }
}
