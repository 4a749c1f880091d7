//! One look for loading, failing, having nothing, and having something.

use std::sync::Arc;

use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ErrorState, Skeleton, SkeletonShape};
use crate::model::ApiError;

/// Shows a resource: bars while it loads the first time, its value, or what went wrong with a way to ask again.
/// While it loads again the old content stays.
#[component]
pub fn Load<T, V>(
    /// What to show.
    resource: Resource<Result<T, ApiError>>,
    /// What it is, with its article: "the runs".
    what: &'static str,
    /// The bars while it loads.
    #[prop(optional)]
    shape: SkeletonShape,
    /// Draws the value, an empty one as well.
    children: impl Fn(T) -> V + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let draw = Arc::new(children);
    let again = Callback::new(move |()| resource.refetch());
    view! {
        <Transition fallback=move || view! { <Skeleton shape what /> }>
            {move || {
                let draw = Arc::clone(&draw);
                Suspend::new(async move {
                    match resource.await {
                        Ok(value) => draw(value).into_any(),
                        Err(error) => view! { <ErrorState error what on_retry=again /> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}
