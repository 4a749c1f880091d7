//! Inviting a person: an address and a role go in, a link comes out and is shown once.

use leptos::prelude::*;

use super::givable;
use crate::api::users::create_invite;
use crate::model::ApiError;
use crate::model::auth::{Me, Role};
use crate::model::credentials::InviteMade;
use crate::ui::components::{Button, ButtonShape, ButtonVariant, Choice, CopyButton, Dialog, Icon, Select, TextInput};

type Making = Action<(String, Role), Result<InviteMade, ApiError>>;

#[component]
pub(super) fn InviteDialog(
    open: RwSignal<bool>,
    /// Called when an invitation was made.
    #[prop(into)]
    on_made: Callback<()>,
) -> impl IntoView {
    let make: Making = Action::new(|(email, role): &(String, Role)| create_invite(email.clone(), *role));
    let email = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Viewer.as_str().to_owned());
    Effect::new(move |_| {
        if matches!(make.value().get(), Some(Ok(_))) {
            on_made.run(());
        }
    });
    Effect::new(move |_| {
        if open.get() {
            make.value().set(None);
            email.set(String::new());
        }
    });
    let made = Memo::new(move |_| make.value().get().and_then(Result::ok));
    let send = move || {
        if let Some(role) = Role::parse(&role.get_untracked()) {
            make.dispatch((email.get_untracked(), role));
        }
    };
    let footer = move || {
        if made.with(Option::is_some) {
            view! { <Button label="Done" variant=ButtonVariant::Primary on_press=move |()| open.set(false) /> }
                .into_any()
        } else {
            view! {
                <Button label="Cancel" on_press=move |()| open.set(false) />
                <Button label="Make the link" variant=ButtonVariant::Primary busy=make.pending() on_press=move |()| send() />
            }
            .into_any()
        }
    };
    view! {
        <Dialog id="invite-title" title="Invite a person" open footer=ViewFn::from(footer)>
            {move || match made.get() {
                Some(made) => view! { <Made made /> }.into_any(),
                None => view! { <Ask make email role send=Callback::new(move |()| send()) /> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn Ask(make: Making, email: RwSignal<String>, role: RwSignal<String>, send: Callback<()>) -> impl IntoView {
    let me = expect_context::<Me>();
    let choices: Vec<Choice> = givable(&me).into_iter().map(|role| Choice::new(role.as_str(), role.label())).collect();
    let field_error = Signal::derive(move || {
        make.value().with(|answer| match answer {
            Some(Err(error)) => error.field("/email").map(str::to_owned),
            _ => None,
        })
    });
    let other_error = move || {
        make.value().with(|answer| match answer {
            Some(Err(error)) if error.field("/email").is_none() => Some(error.detail().to_owned()),
            _ => None,
        })
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        send.run(());
    };
    view! {
        <form class="form" on:submit=submit novalidate>
            <div role="alert">
                {move || other_error().map(|text| view! { <div class="form-error"><Icon name="s-failed" /><span>{text}</span></div> })}
            </div>
            <TextInput id="invite-email" label="Email" kind="email" autocomplete="off" value=email error=field_error required=true />
            <Select id="invite-role" label="Role" value=role choices=Signal::stored(choices) hint=Some("What each role may do is under Roles.".to_owned()) />
            <button type="submit" class="visually-hidden" tabindex="-1" aria-hidden="true">"Make the link"</button>
        </form>
    }
}

#[component]
fn Made(made: InviteMade) -> impl IntoView {
    let link = made.link.clone();
    view! {
        <p>{format!("Give this link to {}. It works once, for seven days, and is not shown again.", made.invite.email)}</p>
        <div class="secret">
            <code>{made.link}</code>
            <CopyButton text=Signal::stored(link) label="Copy the link" shape=ButtonShape::Labelled />
        </div>
    }
}
