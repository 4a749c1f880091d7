//! Where to go with a step that failed, or waits, for a reason that is set up elsewhere.

use leptos::prelude::*;

use super::{ButtonLink, ButtonSize};
use crate::model::auth::{Action as May, Me};
use crate::model::workflow::StepError;

/// Where the reason is set up, what is done there, and who may see it; `None` for all other classes of errors.
fn place(class: &str) -> Option<(&'static str, &'static str, May)> {
    match class {
        "no_provider" => Some(("/providers", "Add a provider", May::ReadProvider)),
        "no_model" | "credential" | "resting" => Some(("/providers", "See the providers", May::ReadProvider)),
        StepError::BUDGET => Some(("/gateway/budgets", "See the budgets", May::ReadUsage)),
        _ => None,
    }
}

/// A link to where the reason of an error is set up; nothing where there is no such place, or for who may not see it.
#[component]
pub fn Remedy(
    /// The error's.
    class: String,
) -> impl IntoView {
    let me = use_context::<Me>();
    let found = place(&class).filter(|(_, _, needs)| me.is_some_and(|me| me.may(*needs)));
    found.map(|(href, label, _)| view! { <ButtonLink href label size=ButtonSize::Small /> })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_up_elsewhere_leads_there() {
        assert_eq!(place("no_provider").map(|(href, label, _)| (href, label)), Some(("/providers", "Add a provider")));
        assert_eq!(place("budget").map(|(href, _, _)| href), Some("/gateway/budgets"));
        assert!(place("timeout").is_none() && place("").is_none());
    }
}
