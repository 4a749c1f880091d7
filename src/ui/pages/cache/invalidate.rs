//! Throwing away many answers at once.

use leptos::prelude::*;

use crate::api::cache::invalidate_kept;
use crate::api::providers::list_providers;
use crate::api::routes::list_routes;
use crate::model::cache::Invalidation;
use crate::ui::components::{Bound, Choice, ConfirmDialog, Select, Tone, use_toasts};
use crate::ui::format;

/// Before the name of a model in the list.
const MODEL: &str = "model ";
/// Before the name of a route.
const ROUTE: &str = "route ";

#[component]
pub(super) fn InvalidateDialog(open: RwSignal<bool>, changed: RwSignal<u32>) -> impl IntoView {
    let toasts = use_toasts();
    let which = RwSignal::new(String::new());
    let known = Action::new(|(): &()| async { futures::try_join!(list_routes(), list_providers()) });
    Effect::new(move |_| {
        if open.get() {
            which.set(String::new());
            known.dispatch(());
        }
    });
    let choices = Signal::derive(move || {
        let mut choices = vec![Choice::new("", "All answers")];
        if let Some(Ok((routes, providers))) = known.value().get() {
            let models = providers
                .iter()
                .flat_map(|provider| provider.models.iter().map(|model| format!("{}/{}", provider.name, model.id)));
            choices.extend(routes.iter().map(|route| {
                Choice::new(format!("{ROUTE}{}", route.name), format!("Asked by the route {}", route.name))
            }));
            choices.extend(models.map(|name| Choice::new(format!("{MODEL}{name}"), format!("Of {name}"))));
        }
        choices
    });
    let throw = Action::new(|which: &Invalidation| invalidate_kept(which.clone()));
    Effect::new(move |_| match throw.value().get() {
        Some(Ok(gone)) => {
            open.set(false);
            changed.update(|n| *n += 1);
            toasts.say(Tone::Good, format!("{} thrown away", format::plural(gone.invalidated, "answer")));
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let confirm = move |()| {
        throw.dispatch(read(&which.get_untracked()));
    };
    view! {
        <ConfirmDialog
            id="invalidate-cache" title="Throw away kept answers?" open action="Throw away" busy=throw.pending() on_confirm=confirm
        >
            <div class="form wide">
                <p>"Who asks the same again gets a new answer, and pays for it. Answers that are called wrong stay so."</p>
                <Select id="invalidate-which" label="Which" choices value=Bound::from(which) />
            </div>
        </ConfirmDialog>
    }
}

/// What a choice of the list means.
fn read(which: &str) -> Invalidation {
    if let Some(model) = which.strip_prefix(MODEL) {
        return Invalidation { model: Some(model.to_owned()), ..Invalidation::default() };
    }
    match which.strip_prefix(ROUTE) {
        Some(route) => Invalidation { route: Some(route.to_owned()), ..Invalidation::default() },
        None => Invalidation { all: true, ..Invalidation::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_all_or_one_thing() {
        assert!(read("").all);
        assert_eq!(read("model acme/big").model.as_deref(), Some("acme/big"));
        assert_eq!(read("route smart").route.as_deref(), Some("smart"));
        assert!(!read("route smart").all);
    }
}
