//! `/gateway/budgets`: how much calls of models may cost, and what is spent of it.
//!
//! Owns the page of those who answer for the money. Everybody who may see what calls cost sees it; changes are offered to
//! those who may make them.

mod dialog;
mod form;
mod list;

use leptos::prelude::*;

use crate::model::auth::{Action, Me};
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant, NeedsProvider};
use crate::ui::pages::gateway::{GatewayHeader, Part};
use dialog::{Asked, BudgetDialog};
use list::List;

/// `/gateway/budgets`.
#[component]
pub fn BudgetsPage() -> impl IntoView {
    let may_manage = expect_context::<Me>().may(Action::ManageProvider);
    // Goes up when something changed, so that the list asks again.
    let changed = RwSignal::new(0_u32);
    let asked = Asked::new(changed);
    let actions = move || {
        may_manage.then(|| view! {
            <Button
                label="Add a budget" icon="plus" variant=ButtonVariant::Primary size=ButtonSize::Small shape=ButtonShape::Collapsing
                on_press=move |()| asked.add()
            />
        })
    };
    view! {
        <GatewayHeader part=Part::Budgets actions=ViewFnOnce::from(actions) />
        <div class="page-body stack">
            <NeedsProvider why="Until models can be asked, nothing is spent." />
            <List asked changed may_manage />
            {may_manage.then(|| view! { <BudgetDialog asked /> })}
        </div>
    }
}
