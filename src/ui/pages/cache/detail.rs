//! One kept answer: what was asked, what was said, what it depends on.

use leptos::prelude::*;

use crate::api::cache::get_kept;
use crate::model::cache::{Dependency, KeptDetail};
use crate::model::{ApiError, CacheEntryId};
use crate::ui::components::{Button, Dialog, DialogSize, Icon, JsonTree, Skeleton, SkeletonShape};

type Loading = Action<CacheEntryId, Result<KeptDetail, ApiError>>;

/// Which answer is looked at.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    open: RwSignal<bool>,
    load: Loading,
}

impl Shown {
    pub(super) fn new() -> Self {
        Self { open: RwSignal::new(false), load: Action::new(|id: &CacheEntryId| get_kept(*id)) }
    }

    /// Opens the dialog, and fetches what was said.
    pub(super) fn show(self, id: CacheEntryId) {
        self.load.value().set(None);
        self.load.dispatch(id);
        self.open.set(true);
    }
}

#[component]
pub(super) fn DetailDialog(shown: Shown) -> impl IntoView {
    let footer = move || view! { <Button label="Close" on_press=move |()| shown.open.set(false) /> };
    // Closed, what was said is nowhere any more.
    Effect::new(move |_| {
        if !shown.open.get() {
            shown.load.value().set(None);
        }
    });
    view! {
        <Dialog id="kept-dialog" title="A kept answer" open=shown.open size=DialogSize::Large footer=ViewFn::from(footer)>
            {move || match shown.load.value().get() {
                None => view! { <Skeleton what="the answer" shape=SkeletonShape::Block(12) /> }.into_any(),
                Some(Ok(detail)) => view! { <Detail detail /> }.into_any(),
                Some(Err(error)) => view! {
                    <div class="notice" data-tone="bad"><Icon name="s-failed" /><span class="grow">{error.detail().to_owned()}</span></div>
                }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn Detail(detail: KeptDetail) -> impl IntoView {
    let KeptDetail { kept, depends_on, request, text, answer, withheld } = detail;
    let withheld = withheld.map(|why| {
        view! { <div class="notice" data-tone="warn"><Icon name="info" /><span class="grow">{why}</span></div> }
    });
    let text = text.filter(|text| !text.is_empty()).map(|text| {
        view! {
            <section class="stack">
                <h3>"Answer"</h3>
                <pre class="code kept-text" tabindex="0">{text}</pre>
            </section>
        }
    });
    let has_words = answer.is_some();
    let request = match request {
        Some(request) => Some(
            view! { <section class="stack"><h3>"Request, as the provider got it"</h3><JsonTree label="Request" value=Signal::stored(request) /></section> }
                .into_any(),
        ),
        None => has_words.then(|| view! { <p class="dim">"The request was too long to be kept beside its answer."</p> }.into_any()),
    };
    let answer = answer.map(|answer| {
        view! {
            <details>
                <summary>"The whole answer"</summary>
                <JsonTree label="Answer" value=Signal::stored(answer) />
            </details>
        }
    });
    view! {
        <div class="stack">
            {withheld}
            <dl class="pairs">
                <dt>"Model"</dt><dd class="mono wrapped">{format!("{}/{}", kept.provider, kept.model)}</dd>
                <dt>"Entry"</dt><dd class="mono small wrapped">{kept.id.to_string()}</dd>
                <DependsOn depends_on />
            </dl>
            {text}
            {request}
            {answer}
        </div>
    }
}

#[component]
fn DependsOn(depends_on: Vec<Dependency>) -> impl IntoView {
    if depends_on.is_empty() {
        return view! { <dt>"Depends on"</dt><dd>"nothing that was named"</dd> }.into_any();
    }
    let item = |one: Dependency| {
        let state = one.fingerprint.map(|print| view! { " "<span class="small dim mono">{print}</span> });
        view! { <li>{one.kind.as_str()}" "<span class="mono wrapped">{one.id}</span>{state}</li> }
    };
    let items = depends_on.into_iter().map(item).collect_view();
    view! { <dt>"Depends on"</dt><dd><ul>{items}</ul></dd> }.into_any()
}
