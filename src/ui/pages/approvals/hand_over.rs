//! Handing an approval over: somebody else may answer it too.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::answer::Answer;
use crate::api::approvals::delegate_approval;
use crate::api::users::list_users;
use crate::model::auth::{Action, Me, User};
use crate::model::{ApiError, PageRequest};
use crate::ui::components::{
    Button, ButtonVariant, Choice, Dialog, ErrorState, Select, Skeleton, SkeletonShape, TextInput, Tone,
};
use crate::ui::format;

/// The choice that asks for an address; no address is that short.
const BY_ADDRESS: &str = "@";

/// To whom, and what was wrong with it.
#[derive(Debug, Clone, Copy)]
struct Draft {
    chosen: RwSignal<String>,
    address: RwSignal<String>,
    error: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
}

impl Draft {
    /// The address to send; `None` while nobody is chosen.
    fn email(self) -> Option<String> {
        let chosen = self.chosen.get_untracked();
        let email = if chosen == BY_ADDRESS { self.address.get_untracked() } else { chosen };
        Some(email.trim().to_owned()).filter(|email| !email.is_empty())
    }
}

/// The dialog.
#[component]
pub(super) fn HandOver(answer: Answer, open: RwSignal<bool>) -> impl IntoView {
    let draft = Draft {
        chosen: RwSignal::new(String::new()),
        address: RwSignal::new(String::new()),
        error: RwSignal::new(None),
        busy: RwSignal::new(false),
    };
    Effect::new(move |_| {
        if open.get() {
            draft.chosen.set(String::new());
            draft.address.set(String::new());
            draft.error.set(None);
        }
    });
    let send = Callback::new(move |()| hand_over(answer, draft, open));
    let footer = move || {
        view! {
            <Button label="Keep it" on_press=move |()| open.set(false) />
            <Button label="Hand over" variant=ButtonVariant::Primary busy=draft.busy on_press=send />
        }
    };
    let id = answer.setting.hand_over();
    view! {
        <Dialog id title="Hand over" open footer=ViewFn::from(footer)>
            <p class="dim">"Who you choose may answer in your place, and finds it among their approvals. You still may; together you have one voice, and the first answer counts."</p>
            <Whom prefix=id draft />
        </Dialog>
    }
}

fn hand_over(answer: Answer, draft: Draft, open: RwSignal<bool>) {
    let Some(email) = draft.email() else {
        draft.error.set(Some("choose a person, or enter an e-mail address".to_owned()));
        return;
    };
    draft.busy.set(true);
    draft.error.set(None);
    spawn_local(async move {
        let outcome = delegate_approval(answer.id, email.clone()).await;
        draft.busy.try_set(false);
        match outcome {
            Ok(approval) => {
                answer.toasts.say(Tone::Good, format!("{email} may answer too"));
                answer.approval.try_set(approval);
                open.try_set(false);
            }
            Err(error) => drop(draft.error.try_set(Some(explained(&error)))),
        }
        answer.told();
    });
}

/// What was wrong, as the field says it.
fn explained(error: &ApiError) -> String {
    error.field("/email").map_or_else(|| format::sentence(error.detail()), str::to_owned)
}

/// A person of the workspace, or an address.
#[component]
fn Whom(prefix: &'static str, draft: Draft) -> impl IntoView {
    let me = use_context::<Me>();
    let may_read = me.as_ref().is_some_and(|me| me.may(Action::ReadUser));
    let people = LocalResource::new(move || async move {
        if !may_read {
            return Ok(Vec::new());
        }
        Ok::<_, ApiError>(list_users(PageRequest { limit: PageRequest::MAX, cursor: None }).await?.items)
    });
    let me = StoredValue::new(me.map(|me| me.id));
    move || match people.get() {
        None => view! { <Skeleton what="the people" shape=SkeletonShape::Lines(2) /> }.into_any(),
        Some(Err(error)) => view! { <ErrorState error what="the people" /> }.into_any(),
        Some(Ok(people)) => {
            let others = people.into_iter().filter(|user| !user.disabled && Some(user.id) != me.get_value());
            view! { <WhomFields prefix choices=choices(others) draft /> }.into_any()
        }
    }
}

fn choices(people: impl Iterator<Item = User>) -> Vec<Choice> {
    let person = |user: User| Choice::new(user.email.clone(), format!("{}, {}", user.name, user.email));
    let mut choices: Vec<Choice> = people.map(person).collect();
    choices.sort_by_key(|choice| choice.label.to_lowercase());
    choices.insert(0, Choice::new("", "Choose a person"));
    choices.push(Choice::new(BY_ADDRESS, "By e-mail address…"));
    choices
}

#[component]
fn WhomFields(prefix: &'static str, choices: Vec<Choice>, draft: Draft) -> impl IntoView {
    let by_address = Memo::new(move |_| draft.chosen.with(|chosen| chosen == BY_ADDRESS));
    let beside = move |address: bool| Signal::derive(move || draft.error.get().filter(|_| by_address.get() == address));
    view! {
        <div class="form">
            <Select
                id=format!("{prefix}-person")
                label="Person"
                value=draft.chosen
                choices=Signal::stored(choices)
                error=beside(false)
            />
            <Show when=move || by_address.get()>
                <TextInput
                    id=format!("{prefix}-email")
                    label="E-mail address"
                    kind="email"
                    hint=Signal::stored(Some("Of somebody in this workspace.".to_owned()))
                    value=draft.address
                    error=beside(true)
                />
            </Show>
        </div>
    }
}
