//! `/providers`: the endpoints of models, how they are, what they offer and what that costs.
//!
//! Owns the pages of those who set up models: the list, and `/providers/ID` with the dated prices. Keys go in and never come
//! out again. Offers changes only to those who may make them, by the permission table that the server obeys.

mod detail;
mod dialog;
mod form;
mod list;
mod price_form;
mod prices;

use leptos::prelude::*;

use super::gateway::{GatewayHeader, Part};
use crate::model::auth::{Action, Me};
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant};
pub use detail::ProviderPage;
use dialog::{Asked, ProviderDialog};
use list::List;

/// `/providers`.
#[component]
pub fn ProvidersPage() -> impl IntoView {
    let may_manage = expect_context::<Me>().may(Action::ManageProvider);
    // Goes up when something changed, so that the list asks again.
    let changed = RwSignal::new(0_u32);
    let asked = Asked::new(changed);
    let actions = move || {
        may_manage.then(|| view! {
            <Button
                label="Add a provider" icon="plus" variant=ButtonVariant::Primary size=ButtonSize::Small shape=ButtonShape::Collapsing
                on_press=move |()| asked.add()
            />
        })
    };
    view! {
        <GatewayHeader part=Part::Providers actions=ViewFnOnce::from(actions) />
        <div class="page-body stack">
            <List asked changed may_manage />
            {may_manage.then(|| view! { <ProviderDialog asked /> })}
        </div>
    }
}
