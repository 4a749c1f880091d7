//! What surrounds every page of a signed-in person: rail, phone bars, palette, keys, toasts.
//!
//! Asks once who is signed in and leads everybody else to the login page; a page inside finds [`Me`](crate::model::auth::Me)
//! in its context.

mod keys;
mod palette;
mod rail;

use leptos::prelude::*;
use leptos_router::components::{Outlet, Redirect};
use leptos_router::hooks::use_location;

use crate::api;
use crate::model::ApiError;
use crate::model::auth::Me;
use crate::ui::components::{ErrorState, Icon, Toaster, provide_now, provide_toasts};
use crate::ui::state::live::Connection;

/// The frame around every page behind the login.
#[component]
pub fn Layout() -> impl IntoView {
    provide_toasts();
    provide_now();
    Connection::provide();
    let me = Resource::new_blocking(|| (), |()| api::auth::get_me());
    let again = Callback::new(move |()| me.refetch());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match me.await {
                    Ok(me) => {
                        provide_context(me.clone());
                        view! { <Frame me /> }.into_any()
                    }
                    Err(ApiError::Unauthenticated { .. }) => view! { <ToLogin /> }.into_any(),
                    Err(error) => view! { <main class="page" id="content"><ErrorState error what="Weft" on_retry=again /></main> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// Leads to the login page, and from there back to here.
#[component]
fn ToLogin() -> impl IntoView {
    let location = use_location();
    let here = format!(
        "{}{}",
        location.pathname.get_untracked(),
        location.search.with_untracked(|s| if s.is_empty() { String::new() } else { format!("?{s}") })
    );
    let path = if here == "/" { "/login".to_owned() } else { format!("/login?next={}", percent(&here)) };
    view! { <Redirect path /> }
}

/// Escapes what may not stand in a query value.
fn percent(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[component]
fn Frame(me: Me) -> impl IntoView {
    let palette_open = RwSignal::new(false);
    let keys_open = RwSignal::new(false);
    keys::listen(palette_open, keys_open);
    let pathname = use_location().pathname;
    // The canvas and the timeline need the width.
    let compact = move || {
        let path = pathname.read();
        (path.starts_with("/workflows/") || path.starts_with("/runs/")).then_some("compact")
    };
    view! {
        <a class="skip-link" href="#content">"Skip to content"</a>
        <div class="shell" data-rail=compact>
            <header class="topbar">
                <Icon name="weft" />
                <strong>{me.workspace.name.clone()}</strong>
                <button class="button" type="button" data-variant="quiet" data-icon="" aria-label="Search" on:click=move |_| palette_open.set(true)>
                    <Icon name="search" />
                </button>
            </header>
            <rail::Rail me=me.clone() palette_open keys_open />
            <main class="page" id="content" tabindex="-1">
                <Outlet />
            </main>
            <rail::TabBar />
        </div>
        <palette::Palette me=me open=palette_open keys_open />
        <keys::KeysSheet open=keys_open />
        <Toaster />
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_path_with_a_query_survives_as_a_query_value() {
        assert_eq!(percent("/runs?status=failed&q=a b"), "/runs%3Fstatus%3Dfailed%26q%3Da%20b");
    }
}
