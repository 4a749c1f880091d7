//! An invitation, from the invited side.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{Brand, FormInput, Frame, Refused, go_on, sentence};
use crate::api::auth::{AcceptInvite, find_invite};
use crate::model::ApiError;
use crate::model::credentials::{InvitePreview, Secret};
use crate::ui::components::{Button, ButtonLink, ButtonSize, ButtonVariant};

const FIELDS: &[&str] = &["/name", "/password"];

/// `/invite?token=TOKEN`.
#[component]
pub fn InvitePage() -> impl IntoView {
    let query = use_query_map();
    let token = Memo::new(move |_| query.with(|query| query.get("token").unwrap_or_default()));
    let preview = Resource::new_blocking(move || token.get(), |token| find_invite(Secret(token)));
    view! {
        <Frame title="Join">
            <Suspense>
                {move || Suspend::new(async move {
                    match preview.await {
                        Ok(preview) => view! { <AcceptForm token=token.get() preview /> }.into_any(),
                        Err(error) => view! { <Unusable error /> }.into_any(),
                    }
                })}
            </Suspense>
        </Frame>
    }
}

#[component]
fn AcceptForm(token: String, preview: InvitePreview) -> impl IntoView {
    let action = ServerAction::<AcceptInvite>::new();
    let answer = Signal::derive(move || action.value().get());
    go_on(move || answer.get());
    view! {
        <ActionForm action>
            <Brand />
            <h1>{format!("Join {}", preview.workspace)}</h1>
            <p class="lead">{format!("You are invited as {}. Choose a name and a password.", preview.role.label())}</p>
            <Refused answer fields=FIELDS />
            <input type="hidden" name="token" value=token />
            <div class="field">
                <label for="email">"Email"</label>
                <input class="input" id="email" type="email" autocomplete="username" readonly value=preview.email />
            </div>
            <FormInput id="name" name="name" label="Your name" autocomplete="name" answer autofocus=true />
            <FormInput
                id="password" name="password" label="Password" kind="password" autocomplete="new-password" answer
                hint="At least 10 characters"
            />
            <Button label="Create my account" variant=ButtonVariant::Primary size=ButtonSize::Wide submit=true busy=action.pending() />
        </ActionForm>
    }
}

#[component]
fn Unusable(error: ApiError) -> impl IntoView {
    view! {
        <div class="login-card">
            <Brand />
            <h1>"This invitation can't be used"</h1>
            <p class="lead">{sentence(&error)}</p>
            <ButtonLink href="/login" label="Log in" size=ButtonSize::Wide />
        </div>
    }
}
