//! The open invitations.

use leptos::prelude::*;

use super::givable;
use crate::api::users::{delete_invite, list_invites};
use crate::model::InviteId;
use crate::model::auth::{Invite, Me};
use crate::ui::components::{Button, ButtonSize, Column, DataTable, EmptyState, Load, RelativeTime, Tone, use_toasts};

#[component]
pub(super) fn Invites(
    /// Goes up when one was made.
    invited: RwSignal<u32>,
) -> impl IntoView {
    let invites = Resource::new(move || invited.get(), |_| list_invites());
    view! {
        <Load resource=invites what="the invitations" let:list>
            {if list.is_empty() {
                view! {
                    <EmptyState title="No open invitations">
                        "Invite a person to get a link for them. It works once, for seven days."
                    </EmptyState>
                }.into_any()
            } else {
                view! {
                    <DataTable label="Open invitations" columns=vec![Column::text("Email"), Column::text("Role"), Column::text("Made"), Column::text("Ends"), Column::text("")]>
                        {list.into_iter().map(|invite| view! { <Row invite invited /> }).collect_view()}
                    </DataTable>
                }.into_any()
            }}
        </Load>
    }
}

#[component]
fn Row(invite: Invite, invited: RwSignal<u32>) -> impl IntoView {
    let toasts = use_toasts();
    let may_withdraw = givable(&expect_context::<Me>()).contains(&invite.role);
    let withdraw = Action::new(|id: &InviteId| delete_invite(*id));
    Effect::new(move |_| match withdraw.value().get() {
        Some(Ok(())) => {
            toasts.say(Tone::Good, "The invitation is withdrawn");
            invited.update(|n| *n += 1);
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let id = invite.id;
    view! {
        <tr>
            <td>{invite.email}</td>
            <td>{invite.role.label()}</td>
            <td><RelativeTime at=invite.created_at /></td>
            <td><RelativeTime at=invite.expires_at /></td>
            <td>
                {may_withdraw.then(|| view! {
                    <Button label="Withdraw" size=ButtonSize::Small busy=withdraw.pending() on_press=move |()| drop(withdraw.dispatch(id)) />
                })}
            </td>
        </tr>
    }
}
