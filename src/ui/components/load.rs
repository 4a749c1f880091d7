//! One look for loading, failing, having nothing, and having something.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::tachys::reactive_graph::OwnedView;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ErrorState, Skeleton, SkeletonShape};
use crate::model::ApiError;
use crate::ui::browser;
use crate::ui::state::live::Connection;

/// The answer of a resource, for a `Suspend` that draws it. On the server all that follows runs once.
///
/// Without it the server draws up to three times, and only the last drawing is sent. What is drawn makes no `Resource` of
/// its own in any case: the browser would take over the answer that the first drawing got, and not find what the last one
/// drew. A page makes its resources, and what it draws gets them handed down. Nor does a `Memo`, or the `when` of a
/// `Show`, read a resource that this has not waited for: what waits may go on in the moment between the answer and the word
/// of it to the memo, which then still says that there is none, and the browser finds another page than the server sent.
///
/// # Errors
/// The resource's own.
pub async fn settled<T>(resource: Resource<Result<T, ApiError>>) -> Result<T, ApiError>
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let answer = resource.await;
    browser::past_dry_runs().await;
    answer
}

/// For [`Load`]: whether what it drew is about the id that the address names by now.
pub fn is_about<T, K>(id: Memo<Option<K>>, id_of: fn(&T) -> K) -> Callback<T, Signal<bool>>
where
    T: 'static,
    K: PartialEq + Send + Sync + 'static,
{
    Callback::new(move |shown: T| {
        let shown = id_of(&shown);
        Signal::derive(move || id.with(|id| id.as_ref() == Some(&shown)))
    })
}

/// Whether the question never had an answer: then it is asked again as soon as the server can be reached.
const fn is_unanswered<T>(answer: Option<&Result<T, ApiError>>) -> bool {
    matches!(answer, Some(Err(ApiError::Network { .. })))
}

/// Asks again, each time that the live connection comes back, for what could not be asked while it was gone.
fn ask_again_once_connected<T>(resource: Resource<Result<T, ApiError>>)
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let Some(Connection(is_connected)) = use_context::<Connection>() else { return };
    Effect::new(move |was: Option<bool>| {
        let is = is_connected.get();
        if is && was == Some(false) && is_unanswered(resource.get_untracked().as_ref()) {
            resource.refetch();
        }
        is
    });
}

/// What `draw` draws, with an owner of its own below `place`, that lives for as long as it is shown.
///
/// What is drawn inside a `Suspend` belongs to the effect that asks, and all that belongs to it is disposed of as soon as
/// the resource is asked anew, while its buttons can still be pressed.
pub fn drawn_in<V: IntoView>(place: Option<Owner>, draw: impl FnOnce() -> V) -> OwnedView<V> {
    let owner = place.map_or_else(Owner::new, |place| place.child());
    let drawn = owner.with(draw);
    OwnedView::new_with_owner(drawn, owner)
}

/// Shows a resource: bars while it loads the first time, its value, or what went wrong with a way to ask again. What the
/// server could not be asked is asked again by itself when the connection is back.
/// While it loads again the old content stays, and works, until the new one stands in its place; what is about something
/// else than the address by then can be seen, but not pressed, so that nobody cancels or approves one thing who means the
/// next.
#[component]
pub fn Load<T, V>(
    /// What to show.
    resource: Resource<Result<T, ApiError>>,
    /// What it is, with its article: "the runs".
    what: &'static str,
    /// The bars while it loads.
    #[prop(optional)]
    shape: SkeletonShape,
    /// Whether a value, once drawn, is still about what the address names. Without it every value is.
    #[prop(optional, into)]
    is_current: Option<Callback<T, Signal<bool>>>,
    /// Draws the value, an empty one as well.
    children: impl Fn(T) -> V + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    V: IntoView + 'static,
{
    ask_again_once_connected(resource);
    let draw = Arc::new(children);
    let again = Callback::new(move |()| resource.refetch());
    view! {
        <Transition fallback=move || view! { <Skeleton shape what /> }>
            {
                let place = Owner::current();
                move || {
                    let (draw, place) = (Arc::clone(&draw), place.clone());
                    Suspend::new(async move {
                        let answer = settled(resource).await;
                        drawn_in(place, move || match answer {
                            Ok(value) => {
                                let Some(is_current) = is_current.map(|is_current| is_current.run(value.clone())) else {
                                    return draw(value).into_any();
                                };
                                view! { <div class="loaded" inert=move || !is_current.get()>{draw(value)}</div> }.into_any()
                            }
                            Err(error) => view! { <ErrorState error what on_retry=again /> }.into_any(),
                        })
                    })
                }
            }
        </Transition>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_never_reached_the_server_is_asked_again_unasked() {
        let asked_again = |error| is_unanswered(Some(&Err::<(), _>(error)));
        assert!(asked_again(ApiError::Network { detail: "gone".to_owned() }));
        assert!(!asked_again(ApiError::Forbidden { detail: "no".to_owned() }));
        assert!(!asked_again(ApiError::Internal { trace_id: "t".to_owned() }));
        assert!(!is_unanswered(Some(&Ok(()))) && !is_unanswered::<()>(None));
    }
}
