//! What surrounds every page of a signed-in person: rail, phone bars, palette, keys, toasts.
//!
//! A page inside finds in its context who is signed in; everybody else is led to the login page.

mod keys;
mod palette;
mod rail;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use crate::api::auth::get_me;
use crate::model::ApiError;
use crate::model::auth::Me;
use crate::model::credentials::login_path;
use crate::ui::browser;
use crate::ui::components::{Icon, Toaster, provide_now, provide_toasts};
use crate::ui::state::approvals::Inbox;
use crate::ui::state::commands::Commands;
use crate::ui::state::live::Connection;
pub use keys::is_typing;

/// The frame around every page behind the login.
///
/// Nothing here waits: a `Suspend` around the outlet would draw each page twice on the server, and what the first drawing
/// started would read signals that the second had disposed.
#[component]
pub fn Layout() -> impl IntoView {
    provide_toasts();
    Commands::provide();
    provide_now();
    Connection::provide();
    match use_context::<Me>() {
        Some(me) => view! { <Frame me /> }.into_any(),
        None => {
            to_login();
            ().into_any()
        }
    }
}

/// Leads to the login page, as a new page, and from there back to here. The server has done so before it renders; this
/// is for a visitor who follows a link inside the browser.
fn to_login() {
    let location = use_location();
    Effect::new(move |_| {
        let query = location.search.get();
        browser::load_page(&login_path(&location.pathname.get(), query.trim_start_matches('?')));
    });
}

#[component]
fn Frame(me: Me) -> impl IntoView {
    let palette_open = RwSignal::new(false);
    let keys_open = RwSignal::new(false);
    keys::listen(palette_open, keys_open);
    Inbox::provide(&me);
    let initial = me.name.chars().next().map(String::from);
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
                <a class="button" data-variant="quiet" data-icon="" href="/account" aria-label="Account and sessions">
                    <span class="avatar" aria-hidden="true">{initial}</span>
                </a>
            </header>
            <rail::Rail me=me.clone() palette_open keys_open />
            <main class="page" id="content" tabindex="-1">
                <Outlet />
            </main>
            <rail::TabBar me=me.clone() />
        </div>
        <Offline />
        <palette::Palette me=me open=palette_open keys_open />
        <keys::KeysSheet open=keys_open />
        <Toaster />
    }
}

/// Says that what one looks at may be old, and why.
///
/// A socket that is not opened says nothing of the reason, so the server is asked each time: whether it answers, and knows
/// who asks.
#[component]
fn Offline() -> impl IntoView {
    let Connection(is_connected) = expect_context::<Connection>();
    let is_signed_out = RwSignal::new(false);
    Effect::new(move |_| {
        if is_connected.get() {
            return is_signed_out.set(false);
        }
        spawn_local(async move {
            // An answer that comes after the socket has opened again is about the time before.
            if matches!(get_me().await, Err(ApiError::Unauthenticated { .. }))
                && is_connected.try_get_untracked() == Some(false)
            {
                is_signed_out.try_set(true);
            }
        });
    });
    let location = use_location();
    let login =
        move || location.search.with(|query| login_path(&location.pathname.get(), query.trim_start_matches('?')));
    let said = move || {
        if is_signed_out.get() {
            // As a new page: this one stands for somebody who is signed in.
            view! { "You are signed out. " <a class="link" href=login rel="external">"Log in"</a> }.into_any()
        } else {
            "The connection is lost. Reconnecting…".into_any()
        }
    };
    view! {
        <div class="offline" role="status">
            <Show when=move || !is_connected.get()>
                <p><Icon name="warning" /><span>{said}</span></p>
            </Show>
        </div>
    }
}
