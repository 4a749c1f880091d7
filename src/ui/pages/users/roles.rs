//! What each role may do: the permission table itself.

use leptos::prelude::*;

use crate::model::auth::{Action, Role};
use crate::ui::components::Icon;

#[component]
pub(super) fn RoleTable() -> impl IntoView {
    let head = Role::ALL.map(|role| view! { <th scope="col">{role.label()}</th> });
    let rows = Action::ALL.map(|action| view! { <RoleRow action /> });
    view! {
        <div class="table-wrap" tabindex="0" role="group" aria-label="What each role may do">
            <table class="table">
                <thead><tr><th scope="col">"May"</th>{head.collect_view()}</tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

#[component]
fn RoleRow(action: Action) -> impl IntoView {
    let phrase = action.phrase();
    let cells = Role::ALL.map(|role| {
        if role.allows(action) {
            view! { <td><Icon name="check" /><span class="visually-hidden">"yes"</span></td> }.into_any()
        } else {
            view! { <td><span class="dimmer" aria-hidden="true">"·"</span><span class="visually-hidden">"no"</span></td> }.into_any()
        }
    });
    let mut letters = phrase.chars();
    let capital = letters.next().map(|c| c.to_ascii_uppercase()).unwrap_or_default();
    view! { <tr><th scope="row">{format!("{capital}{}", letters.as_str())}</th>{cells.collect_view()}</tr> }
}
