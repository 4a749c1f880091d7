//! `/gateway/flags`: who already gets what is being rolled out, and who decided so.
//!
//! Owns the page of those who roll models out. Everybody who may see routes sees it; changes are offered to those who may make
//! them.

mod audience;
mod changes;
mod dialog;
mod form;
mod list;

use leptos::prelude::*;

use crate::model::auth::{Action, Me};
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant, NeedsProvider};
use crate::ui::pages::gateway::{GatewayHeader, Part};
use changes::Changes;
use dialog::{Asked, FlagDialog};
use list::List;

/// `/gateway/flags`.
#[component]
pub fn FlagsPage() -> impl IntoView {
    let may_manage = expect_context::<Me>().may(Action::ManageProvider);
    // Goes up when something changed, so that the lists ask again.
    let changed = RwSignal::new(0_u32);
    let asked = Asked::new(changed);
    let actions = move || {
        may_manage.then(|| view! {
            <Button
                label="Add a flag" icon="plus" variant=ButtonVariant::Primary size=ButtonSize::Small shape=ButtonShape::Collapsing
                on_press=move |()| asked.add()
            />
        })
    };
    view! {
        <GatewayHeader part=Part::Flags actions=ViewFnOnce::from(actions) />
        <div class="page-body stack">
            <NeedsProvider why="Without one there is nothing to roll out." />
            <List asked changed may_manage />
            <Changes changed />
            {may_manage.then(|| view! { <FlagDialog asked /> })}
        </div>
    }
}
