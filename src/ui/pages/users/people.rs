//! The table of people, their roles, and who is shut out.

use leptos::prelude::*;

use super::givable;
use crate::api::users::{change_role, disable_user, enable_user, list_users};
use crate::model::auth::{Action, Me, Role, User};
use crate::model::{PageRequest, UserId};
use crate::ui::components::{
    Badge, Button, ButtonSize, Column, ConfirmDialog, DataTable, Load, RelativeTime, Tone, use_toasts,
};

/// What the rows do together: ask again, ask before disabling.
#[derive(Clone, Copy)]
struct Table {
    changed: RwSignal<u32>,
    disabling: RwSignal<Option<User>>,
    is_asking: RwSignal<bool>,
}

#[component]
pub(super) fn People() -> impl IntoView {
    let table = Table { changed: RwSignal::new(0), disabling: RwSignal::new(None), is_asking: RwSignal::new(false) };
    let cursor = RwSignal::new(None::<String>);
    let people = Resource::new(
        move || (table.changed.get(), cursor.get()),
        |(_, cursor)| list_users(PageRequest { limit: 50, cursor }),
    );
    view! {
        <Load resource=people what="the people" let:page>
            <div class="table-folds"><DataTable label="People" columns=vec![Column::text("Person"), Column::text("Role"), Column::text("Last seen"), Column::text("")]>
                {page.items.into_iter().map(|user| view! { <Row user table /> }).collect_view()}
            </DataTable></div>
            <Pager next=page.next cursor />
        </Load>
        <DisableDialog table />
    }
}

#[component]
fn Pager(next: Option<String>, cursor: RwSignal<Option<String>>) -> impl IntoView {
    let is_first = cursor.with_untracked(Option::is_none);
    (next.is_some() || !is_first).then(|| view! {
        <nav class="pager" aria-label="Pages">
            {(!is_first).then(|| view! { <Button label="From the start" size=ButtonSize::Small on_press=move |()| cursor.set(None) /> })}
            {next.map(|next| view! { <Button label="Later ones" size=ButtonSize::Small on_press=move |()| cursor.set(Some(next.clone())) /> })}
        </nav>
    })
}

#[component]
fn Row(user: User, table: Table) -> impl IntoView {
    let me = expect_context::<Me>();
    let is_me = user.id == me.id;
    let may_change = me.may(Action::ManageUser) && (user.role != Role::Owner || me.may(Action::ManageOwner));
    let initial: String = user.name.chars().take(1).flat_map(char::to_uppercase).collect();
    let seen = match user.last_seen_at {
        Some(at) => view! { <RelativeTime at /> }.into_any(),
        None => view! { <span class="dimmer">"never"</span> }.into_any(),
    };
    let role = if may_change {
        view! { <RoleSelect user=user.clone() me table /> }.into_any()
    } else {
        user.role.label().into_any()
    };
    let (name, email, disabled) = (user.name.clone(), user.email.clone(), user.disabled);
    view! {
        <tr>
            <td>
                <span class="person">
                    <span class="avatar" aria-hidden="true">{initial}</span>
                    <strong>{name}</strong>
                    <small>{email}</small>
                </span>
                {is_me.then(|| view! { <Badge label="You" tone=Tone::Accent /> })}
                {disabled.then(|| view! { <Badge label="Disabled" tone=Tone::Warn /> })}
            </td>
            <td>{role}</td>
            <td>{seen}</td>
            <td>{(may_change && !is_me).then(|| view! { <Shut user table /> })}</td>
        </tr>
    }
}

/// The role as a list to choose from; a refused choice goes back to what holds.
#[component]
fn RoleSelect(user: User, me: Me, table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let (id, held, name) = (user.id, user.role, user.name);
    let shown = RwSignal::new(held.as_str().to_owned());
    let change = Action_::new(move |role: &Role| change_role(id, *role));
    Effect::new(move |_| match change.value().get() {
        Some(Ok(user)) => {
            toasts.say(Tone::Good, format!("{} is {} now", user.name, user.role.label()));
            table.changed.update(|n| *n += 1);
        }
        Some(Err(error)) => {
            shown.set(held.as_str().to_owned());
            toasts.say(Tone::Bad, error.detail());
        }
        None => {}
    });
    let choose = move |event| {
        let value = event_target_value(&event);
        if let Some(role) = Role::parse(&value).filter(|role| *role != held) {
            shown.set(value);
            change.dispatch(role);
        }
    };
    let options = givable(&me).into_iter().map(|role| {
        view! { <option value=role.as_str() selected=role == held>{role.label()}</option> }
    });
    view! {
        <select
            class="input" data-fit data-size="sm" aria-label=format!("Role of {name}")
            aria-busy=move || change.pending().get().then_some("true")
            prop:value=move || shown.get()
            on:change=choose
        >
            {options.collect_view()}
        </select>
    }
}

/// Disable, or let in again.
#[component]
fn Shut(user: User, table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let enable = Action_::new(|id: &UserId| enable_user(*id));
    Effect::new(move |_| match enable.value().get() {
        Some(Ok(user)) => {
            toasts.say(Tone::Good, format!("{} can log in again", user.name));
            table.changed.update(|n| *n += 1);
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let id = user.id;
    if user.disabled {
        view! { <Button label="Enable" size=ButtonSize::Small busy=enable.pending() on_press=move |()| drop(enable.dispatch(id)) /> }
            .into_any()
    } else {
        let ask = move |()| {
            table.disabling.set(Some(user.clone()));
            table.is_asking.set(true);
        };
        view! { <Button label="Disable" size=ButtonSize::Small on_press=ask /> }.into_any()
    }
}

#[component]
fn DisableDialog(table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let name = move || table.disabling.with(|user| user.as_ref().map(|user| user.name.clone()).unwrap_or_default());
    let disable = Action_::new(|id: &UserId| disable_user(*id));
    Effect::new(move |_| match disable.value().get() {
        Some(Ok(user)) => {
            table.is_asking.set(false);
            toasts.say(Tone::Good, format!("{} is disabled", user.name));
            table.changed.update(|n| *n += 1);
        }
        Some(Err(error)) => {
            table.is_asking.set(false);
            toasts.say(Tone::Bad, error.detail());
        }
        None => {}
    });
    let confirm = move |()| {
        if let Some(id) = table.disabling.with_untracked(|user| user.as_ref().map(|user| user.id)) {
            disable.dispatch(id);
        }
    };
    view! {
        <ConfirmDialog
            id="disable-user"
            title=Signal::derive(move || format!("Disable {}?", name()))
            open=table.is_asking
            action="Disable"
            busy=disable.pending()
            on_confirm=confirm
        >
            <p>"They are signed out everywhere at once and can't log in. Their open invitations end. What they made stays, and you can enable them again."</p>
        </ConfirmDialog>
    }
}

/// Leptos' action; the permission's name is taken by the model.
type Action_<I, O> = leptos::prelude::Action<I, O>;
