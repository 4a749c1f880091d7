//! The first set-up: the owner and the workspace.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{Brand, FormInput, Frame, Refused, go_on};
use crate::api::auth::{SetUp, is_setup_pending};
use crate::ui::components::{Button, ButtonLink, ButtonSize, ButtonVariant};

const FIELDS: &[&str] = &["/workspace", "/name", "/email", "/password"];

/// `/setup?token=TOKEN`.
#[component]
pub fn SetupPage() -> impl IntoView {
    let query = use_query_map();
    let token = Memo::new(move |_| query.with(|query| query.get("token").unwrap_or_default()));
    let pending = Resource::new_blocking(|| (), |()| is_setup_pending());
    view! {
        <Frame title="Set up">
            <Suspense>
                {move || Suspend::new(async move {
                    match pending.await {
                        Ok(false) => view! { <Done /> }.into_any(),
                        _ if token.with(String::is_empty) => view! { <NoToken /> }.into_any(),
                        _ => view! { <SetupForm token=token.get() /> }.into_any(),
                    }
                })}
            </Suspense>
        </Frame>
    }
}

#[component]
fn SetupForm(token: String) -> impl IntoView {
    let action = ServerAction::<SetUp>::new();
    let answer = Signal::derive(move || action.value().get());
    go_on(move || answer.get());
    view! {
        <ActionForm action>
            <Brand />
            <h1>"Set up Weft"</h1>
            <p class="lead">"Make the owner account and name the workspace. You can invite others afterwards."</p>
            <Refused answer fields=FIELDS />
            <input type="hidden" name="token" value=token />
            <FormInput id="workspace" name="workspace" label="Workspace" autocomplete="organization" answer autofocus=true />
            <FormInput id="name" name="name" label="Your name" autocomplete="name" answer />
            <FormInput id="email" name="email" label="Email" kind="email" autocomplete="username" answer />
            <FormInput
                id="password" name="password" label="Password" kind="password" autocomplete="new-password" answer
                hint="At least 10 characters"
            />
            <Button label="Create the owner account" variant=ButtonVariant::Primary size=ButtonSize::Wide submit=true busy=action.pending() />
        </ActionForm>
    }
}

#[component]
fn Done() -> impl IntoView {
    view! {
        <div class="login-card">
            <Brand />
            <h1>"Set up already"</h1>
            <p class="lead">"This server has an owner. Log in, or ask them for an invitation."</p>
            <ButtonLink href="/login" label="Log in" variant=ButtonVariant::Primary size=ButtonSize::Wide />
        </div>
    }
}

#[component]
fn NoToken() -> impl IntoView {
    view! {
        <div class="login-card">
            <Brand />
            <h1>"The link is incomplete"</h1>
            <p class="lead">
                "Open the whole set-up link that the server printed when it started. Its token is also in the file setup-token of the data folder: add it to this address as ?token=…"
            </p>
        </div>
    }
}
