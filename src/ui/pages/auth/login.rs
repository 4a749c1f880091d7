//! Log in.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{Brand, FormInput, Frame, Refused, go_on};
use crate::api::auth::{LogIn, is_setup_pending};
use crate::ui::components::{Button, ButtonSize, ButtonVariant, Icon};

/// `/login?next=PATH`.
#[component]
pub fn LoginPage() -> impl IntoView {
    let action = ServerAction::<LogIn>::new();
    let answer = Signal::derive(move || action.value().get());
    let query = use_query_map();
    let next = move || query.with(|query| query.get("next").unwrap_or_default());
    go_on(move || answer.get());
    view! {
        <Frame title="Log in">
            <ActionForm action>
                <Brand />
                <h1>"Log in"</h1>
                <SetupNotice />
                <Refused answer fields=&[] />
                <input type="hidden" name="next" value=next />
                <FormInput id="email" name="email" label="Email" kind="email" autocomplete="username" answer autofocus=true />
                <FormInput id="password" name="password" label="Password" kind="password" autocomplete="current-password" answer />
                <Button label="Log in" variant=ButtonVariant::Primary size=ButtonSize::Wide submit=true busy=action.pending() />
            </ActionForm>
        </Frame>
    }
}

/// Says on a new server that nobody can log in yet.
#[component]
fn SetupNotice() -> impl IntoView {
    let pending = Resource::new_blocking(|| (), |()| is_setup_pending());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                matches!(pending.await, Ok(true)).then(|| view! {
                    <div class="notice" data-tone="live">
                        <Icon name="info" />
                        <span class="grow">
                            "This server has no owner yet. Open the set-up link that it printed when it started; its token is also in the file setup-token of the data folder."
                        </span>
                    </div>
                })
            })}
        </Suspense>
    }
}
