//! "Move to the newest version": what stands in the way, or the move.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::model::ApiError;
use crate::model::workflow::{Misfit, Movable};
use crate::ui::components::{
    Button, ButtonVariant, Dialog, ErrorState, Icon, Skeleton, SkeletonShape, Tone, use_toasts,
};
use crate::ui::pages::runs::watch::Watch;

/// Asks whether the run fits, and moves it.
#[component]
pub fn VersionDialog(watch: Watch, open: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let found = RwSignal::new(None::<Result<Movable, ApiError>>);
    Effect::new(move |_| {
        if !open.get() {
            return found.set(None);
        }
        spawn_local(async move {
            let answer = api::versions::check_migration(watch.id, None).await;
            found.try_set(Some(answer));
        });
    });
    let to = move || found.with(|found| found.as_ref()?.as_ref().ok().map(|movable| movable.version));
    let refused = Signal::derive(move || {
        found.with(|found| match found {
            None => Some("Looking whether it fits".to_owned()),
            Some(Err(error)) => Some(error.detail().to_owned()),
            Some(Ok(movable)) if !movable.misfits.is_empty() => {
                Some("The version differs where the run already is".to_owned())
            }
            Some(Ok(_)) => None,
        })
    });
    let press = move |()| {
        let Some(version) = to() else { return };
        busy.set(true);
        spawn_local(async move {
            match api::versions::migrate_run(watch.id, Some(version)).await {
                Ok(summary) => {
                    open.try_set(false);
                    toasts.say(Tone::Good, format!("The run goes on with version {version}."));
                    watch.take_summary(summary);
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    let action = Signal::derive(move || to().map_or_else(|| "Move".to_owned(), |to| format!("Move to version {to}")));
    let footer = move || {
        view! {
            <Button label="Not now" on_press=move |()| open.set(false) />
            <Button label=action variant=ButtonVariant::Primary busy refused on_press=press />
        }
    };
    view! {
        <Dialog id="version-title" title="Move to the newest version" open footer=ViewFn::from(footer)>
            <p>
                "A run keeps the version that it began with. It can go on with a newer one that agrees with everything it has come to: what has ended stays, what lies ahead is the new version's."
            </p>
            <div role="status">
                {move || match found.get() {
                    None => view! { <Skeleton what="what differs" shape=SkeletonShape::Rows(2) /> }.into_any(),
                    Some(Err(ApiError::Conflict { detail })) => view! { <p class="dim">{sentence(&detail)}</p> }.into_any(),
                    Some(Err(error)) => view! { <ErrorState error what="what differs" /> }.into_any(),
                    Some(Ok(Movable { version, misfits, .. })) if misfits.is_empty() => {
                        view! { <p>{format!("It fits version {version}.")}</p> }.into_any()
                    }
                    Some(Ok(Movable { version, misfits, .. })) => {
                        view! {
                            <p>{format!("It does not fit version {version}:")}</p>
                            <Misfits misfits />
                        }
                            .into_any()
                    }
                }}
            </div>
        </Dialog>
    }
}

/// What stands in the way, one line each.
#[component]
fn Misfits(misfits: Vec<Misfit>) -> impl IntoView {
    let row = |misfit: Misfit| {
        view! {
            <li data-fails="">
                <Icon name="s-failed" />
                <span class="grow">{sentence(&misfit.message)}</span>
            </li>
        }
    };
    view! { <ul class="told">{misfits.into_iter().map(row).collect_view()}</ul> }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
