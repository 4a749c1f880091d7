//! `/providers`: the endpoints of models, how they are, and what they offer.
//!
//! Owns the page of those who set up models. Keys go in and never come out again. Offers changes only to those who may make
//! them, by the permission table that the server obeys.

mod dialog;
mod form;
mod list;

use leptos::prelude::*;

use crate::model::auth::{Action, Me};
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant, PageHeader};
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
        <PageHeader title="Providers" actions=ViewFnOnce::from(actions) />
        <div class="page-body stack">
            <List asked changed may_manage />
            {may_manage.then(|| view! { <ProviderDialog asked /> })}
        </div>
    }
}
