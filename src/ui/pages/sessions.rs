//! One's own account: name, password, and where one is signed in.

use leptos::prelude::*;

use crate::api::auth::{
    change_name, change_password, list_login_sessions, log_out, revoke_login_session, revoke_other_login_sessions,
};
use crate::model::auth::{LoginKind, LoginSession, Me};
use crate::model::{ApiError, LoginSessionId};
use crate::ui::browser;
use crate::ui::components::{
    Badge, Button, ButtonSize, ButtonVariant, Card, Icon, Load, PageHeader, RelativeTime, TextInput, Tone, use_toasts,
};
use crate::ui::state::theme::ThemeButton;

/// `/account`.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let leave = Action::new(|&(): &()| log_out());
    Effect::new(move |_| {
        if let Some(Ok(path)) = leave.value().get() {
            browser::load_page(&path);
        }
    });
    let actions = move || {
        view! {
            <Button label="Log out" icon="logout" size=ButtonSize::Small busy=leave.pending() on_press=move |()| drop(leave.dispatch(())) />
        }
    };
    view! {
        <PageHeader title="Your account" actions=ViewFnOnce::from(actions) />
        <div class="page-body stack" data-narrow>
            <SignIns />
            <NameForm />
            <PasswordForm />
            // The rail has it, and a phone has no rail.
            <div class="phone-only"><Card id="theme" title="Theme"><ThemeButton /></Card></div>
        </div>
    }
}

#[component]
fn SignIns() -> impl IntoView {
    let toasts = use_toasts();
    let changed = RwSignal::new(0_u32);
    let sessions = Resource::new(move || changed.get(), |_| list_login_sessions());
    let revoke_others = Action::new(|&(): &()| revoke_other_login_sessions());
    Effect::new(move |_| match revoke_others.value().get() {
        Some(Ok(count)) => {
            toasts.say(Tone::Good, format!("{count} other sign-ins ended"));
            changed.update(|n| *n += 1);
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let actions = move || {
        view! {
            <Button label="Revoke all others" size=ButtonSize::Small busy=revoke_others.pending() on_press=move |()| drop(revoke_others.dispatch(())) />
        }
    };
    view! {
        <Card id="sign-ins" title="Where you are signed in" actions=ViewFnOnce::from(actions) flush=true>
            <Load resource=sessions what="your sign-ins" let:list>
                <ul class="rows">{list.into_iter().map(|session| view! { <SignIn session changed /> }).collect_view()}</ul>
            </Load>
        </Card>
    }
}

#[component]
fn SignIn(session: LoginSession, changed: RwSignal<u32>) -> impl IntoView {
    let toasts = use_toasts();
    let revoke = Action::new(|id: &LoginSessionId| revoke_login_session(*id));
    Effect::new(move |_| match revoke.value().get() {
        Some(Ok(())) => {
            toasts.say(Tone::Good, "The sign-in is revoked");
            changed.update(|n| *n += 1);
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let (id, is_current) = (session.id, session.current);
    let address = if session.address.is_empty() { "unknown address".to_owned() } else { session.address };
    let icon = if session.kind == LoginKind::Token { "key" } else { "device" };
    view! {
        <li class="item-row">
            <Icon name=icon />
            <span class="grow">
                <strong>{device(&session.user_agent, session.kind)}</strong>
                <small>{address}", last used "<RelativeTime at=session.last_seen_at /></small>
            </span>
            {if is_current {
                view! { <Badge label="This one" tone=Tone::Accent /> }.into_any()
            } else {
                view! {
                    <Button label="Revoke" size=ButtonSize::Small busy=revoke.pending() on_press=move |()| drop(revoke.dispatch(id)) />
                }.into_any()
            }}
        </li>
    }
}

#[component]
fn NameForm() -> impl IntoView {
    let toasts = use_toasts();
    let name = RwSignal::new(expect_context::<Me>().name);
    let change = Action::new(|name: &String| change_name(name.clone()));
    let error = Signal::derive(move || field_error(change.value().get().and_then(Result::err), "/name"));
    Effect::new(move |_| {
        if let Some(Ok(me)) = change.value().get() {
            name.set(me.name);
            toasts.say(Tone::Good, "Your name is changed");
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        change.dispatch(name.get_untracked());
    };
    view! {
        <Card id="own-name" title="Name">
            <form class="form" on:submit=submit novalidate>
                <TextInput id="name" label="Name" autocomplete="name" value=name error />
                <div class="form-actions"><Button label="Change the name" submit=true busy=change.pending() /></div>
            </form>
        </Card>
    }
}

#[component]
fn PasswordForm() -> impl IntoView {
    let toasts = use_toasts();
    let email = expect_context::<Me>().email;
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let change =
        Action::new(|(current, new): &(String, String)| change_password(current.as_str().into(), new.as_str().into()));
    let refused = move || change.value().get().and_then(Result::err);
    let current_error = Signal::derive(move || {
        let error = refused();
        let is_about_new = error.as_ref().is_some_and(|error| error.field("/new").is_some());
        if is_about_new { None } else { field_error(error, "/current") }
    });
    let new_error = Signal::derive(move || refused().and_then(|error| error.field("/new").map(str::to_owned)));
    Effect::new(move |_| {
        if let Some(Ok(())) = change.value().get() {
            current.set(String::new());
            new.set(String::new());
            toasts.say(Tone::Good, "Your password is changed; every other sign-in ended");
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        change.dispatch((current.get_untracked(), new.get_untracked()));
    };
    view! {
        <Card id="own-password" title="Password">
            <form class="form" on:submit=submit novalidate>
                // Password managers tell by it whose password this is.
                <input type="email" name="username" autocomplete="username" hidden value=email readonly />
                <TextInput id="current-password" label="Current password" kind="password" autocomplete="current-password" value=current error=current_error />
                <TextInput
                    id="new-password" label="New password" kind="password" autocomplete="new-password" value=new error=new_error
                    hint=Some("At least 10 characters. You stay signed in here and are signed out everywhere else.".to_owned())
                />
                <div class="form-actions">
                    <Button label="Change the password" variant=ButtonVariant::Plain submit=true busy=change.pending() />
                </div>
            </form>
        </Card>
    }
}

/// The message for a field, or the whole error's, when it concerns no field.
fn field_error(error: Option<ApiError>, pointer: &str) -> Option<String> {
    let error = error?;
    Some(error.field(pointer).unwrap_or(error.detail()).to_owned())
}

/// What a person calls the thing that signed in: "Firefox on Linux".
fn device(user_agent: &str, kind: LoginKind) -> String {
    let first =
        |table: &[(&str, &'static str)]| table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|row| row.1);
    // The order matters: Edge and Opera call themselves Chrome too, Chrome calls itself Safari, Android is a Linux.
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system, kind) {
        (Some(browser), Some(system), _) => format!("{browser} on {system}"),
        (Some(one), None, _) | (None, Some(one), _) => one.to_owned(),
        (None, None, LoginKind::Token) => "API client".to_owned(),
        (None, None, LoginKind::Browser) => "Unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_called_by_its_browser_and_system() {
        let rows = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0",
                "Edge on Windows",
            ),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
            ("curl/8.14.1", "curl"),
            ("", "API client"),
        ];
        for (user_agent, expected) in rows {
            assert_eq!(device(user_agent, LoginKind::Token), expected);
        }
    }
}
