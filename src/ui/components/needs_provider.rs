//! What is said where something needs a provider of models, and there is none.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{ButtonLink, Icon};
use crate::api::providers::list_providers;
use crate::model::auth::{Action as May, Me};
use crate::model::gateway::Provider;

/// A notice with where to add a provider; nothing while there is one, and for who may not see the providers.
///
/// Asked for in the browser: nothing waits for it.
#[component]
pub fn NeedsProvider(
    /// What does not work without one, as a sentence.
    why: &'static str,
) -> impl IntoView {
    let me = use_context::<Me>();
    let may_see = me.as_ref().is_some_and(|me| me.may(May::ReadProvider));
    let label = if me.is_some_and(|me| me.may(May::ManageProvider)) { "Add a provider" } else { "See the providers" };
    let missing = RwSignal::new(None);
    Effect::new(move |_| {
        if may_see {
            spawn_local(async move {
                // What can't be read is not known to be missing.
                missing.try_set(list_providers().await.ok().and_then(|all| lack(&all)));
            });
        }
    });
    move || {
        missing.get().map(|lack| {
            view! {
                <div class="notice" data-tone="warn">
                    <Icon name="warning" />
                    <span class="grow">{format!("{lack} {why}")}</span>
                    <ButtonLink href="/providers" label />
                </div>
            }
        })
    }
}

/// What is wrong with the providers, if nobody can be asked.
fn lack(providers: &[Provider]) -> Option<&'static str> {
    match (providers, providers.iter().any(|one| one.enabled)) {
        ([], _) => Some("No provider of models is set up."),
        (_, false) => Some("All providers of models are switched off."),
        (_, true) => None,
    }
}
