//! The people of the workspace: who is in it, who is invited, what each role may do; and the master key, for owners.
//!
//! Owns the admin's page. Offers a change only where the server allows it, by the same permission table.

mod invite_dialog;
mod invites;
mod master;
mod people;
mod roles;

use leptos::prelude::*;

use crate::model::auth::{Action, Me, Role};
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant, PageHeader, Tab, TabPanel, Tabs};
use invite_dialog::InviteDialog;
use invites::Invites;
use master::MasterKeys;
use people::People;
use roles::RoleTable;

/// `/users`.
#[component]
pub fn UsersPage() -> impl IntoView {
    let me = expect_context::<Me>();
    let may_manage = me.may(Action::ManageUser);
    let is_inviting = RwSignal::new(false);
    // Goes up when an invitation was made, so that the list asks again.
    let invited = RwSignal::new(0_u32);
    let chosen = RwSignal::new("people".to_owned());
    let mut tabs = vec![Tab::new("people", "People"), Tab::new("roles", "Roles")];
    if may_manage {
        tabs.insert(1, Tab::new("invites", "Invitations"));
    }
    let may_keep_keys = me.may(Action::ManageOwner);
    if may_keep_keys {
        tabs.push(Tab::new("master", "Master key"));
    }
    let tabs = Signal::stored(tabs);
    let actions = move || {
        may_manage.then(|| view! {
            <Button
                label="Invite" icon="plus" variant=ButtonVariant::Primary size=ButtonSize::Small shape=ButtonShape::Collapsing
                on_press=move |()| is_inviting.set(true)
            />
        })
    };
    view! {
        <PageHeader title="Users" actions=ViewFnOnce::from(actions) />
        <div class="page-body stack">
            <Tabs id="users" label="Users" tabs chosen=chosen on_choose=move |tab| chosen.set(tab) />
            <TabPanel id="users" name="people" chosen=chosen><People /></TabPanel>
            {may_manage.then(|| view! { <TabPanel id="users" name="invites" chosen=chosen><Invites invited /></TabPanel> })}
            <TabPanel id="users" name="roles" chosen=chosen><RoleTable /></TabPanel>
            {may_keep_keys.then(|| view! { <TabPanel id="users" name="master" chosen=chosen><MasterKeys /></TabPanel> })}
            {may_manage.then(|| view! { <InviteDialog open=is_inviting on_made=move |()| invited.update(|n| *n += 1) /> })}
        </div>
    }
}

/// The roles that a person may give: none above their own, owner only by owners.
fn givable(me: &Me) -> Vec<Role> {
    Role::ALL
        .into_iter()
        .filter(|role| *role >= me.role && (*role != Role::Owner || me.may(Action::ManageOwner)))
        .collect()
}
