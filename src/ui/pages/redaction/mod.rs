//! What is masked before a call leaves: the rules, and a box to try them with.
//!
//! Owns the page `/gateway/redaction`. Promises that what is tried goes by the rules as they stand in the form, saved or not, and
//! by the server's own code. Who may not change the rules sees them.

mod form;
mod rules;
mod trial;

use leptos::prelude::*;

use super::gateway::{GatewayHeader, Part};
use crate::api::redaction::get_redaction;
use crate::ui::components::{Load, SkeletonShape};

/// `/gateway/redaction`.
#[component]
pub fn RedactionPage() -> impl IntoView {
    let wanted = Resource::new(|| (), |()| get_redaction());
    view! {
        <GatewayHeader part=Part::Redaction />
        <div class="page-body">
            <Load resource=wanted what="what is masked" shape=SkeletonShape::Block(16) let:redaction>
                <Both redaction />
            </Load>
        </div>
    }
}

#[component]
fn Both(redaction: crate::model::gateway::Redaction) -> impl IntoView {
    let form = RwSignal::new(form::Form::of(&redaction.draft()));
    view! {
        <div class="with-aside">
            <rules::RulesCard form revision=redaction.revision />
            <trial::TrialCard form />
        </div>
    }
}
