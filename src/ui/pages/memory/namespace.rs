//! The chosen namespace: what it is for and how long it keeps what it holds, above the list, and the dialog in which a team says so.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::State;
use super::access::{Granting, GrantingFields};
use super::retention::{Keeping, KeepingFields, kept};
use crate::api::memory::describe_namespace;
use crate::model::ApiError;
use crate::model::auth::{Action as May, Me};
use crate::model::memory::{MAX_DESCRIPTION_CHARS, Namespace, is_within};
use crate::ui::components::{
    Bound, Button, ButtonSize, ButtonVariant, Dialog, Load, SkeletonShape, TextArea, Tone, use_toasts,
};

/// Which namespace is about to be governed. It is the page's, not the pane's: what is drawn anew while somebody writes must not
/// close the dialog.
#[derive(Clone, Copy)]
pub(super) struct Governed {
    open: RwSignal<bool>,
    path: RwSignal<String>,
    description: RwSignal<String>,
    /// The description when the dialog was opened.
    described: RwSignal<String>,
    keeping: Keeping,
    granting: Granting,
}

impl Governed {
    pub(super) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            path: RwSignal::default(),
            description: RwSignal::default(),
            described: RwSignal::default(),
            keeping: Keeping::new(),
            granting: Granting::new(),
        }
    }

    /// Opens the dialog for a namespace as it was seen.
    fn begin(self, path: &str, namespace: Option<&Namespace>) {
        let description = namespace.and_then(|it| it.description.clone()).unwrap_or_default();
        self.path.set(path.to_owned());
        self.described.set(description.clone());
        self.description.set(description);
        self.keeping.begin(path, namespace);
        self.open.set(true);
    }
}

/// Above the list: what the chosen namespace is for. Nothing while none is chosen.
#[component]
pub(super) fn NamespaceHead(state: State) -> impl IntoView {
    let chosen = Memo::new(move |_| state.place.with(|place| place.namespace.clone()));
    let is_chosen = Memo::new(move |_| chosen.with(|path| !path.is_empty()));
    move || {
        is_chosen.get().then(|| {
            view! {
                <section class="tally" aria-label="Namespace">
                    <Load resource=state.namespaces what="what this namespace is for" shape=SkeletonShape::Lines(1) let:namespaces>
                        <About namespaces chosen state />
                    </Load>
                </section>
            }
        })
    }
}

#[component]
fn About(namespaces: Vec<Namespace>, chosen: Memo<String>, state: State) -> impl IntoView {
    let namespaces = StoredValue::new(namespaces);
    let administers = administers();
    let find = move |path: &str| namespaces.with_value(|all| seen(all, path));
    let said = move || {
        let found = chosen.with(|path| find(path));
        let description = found.and_then(|namespace| namespace.description);
        description.unwrap_or_else(|| "Nobody has said what it is for.".to_owned())
    };
    let held = move || {
        let rule = chosen.with(|path| find(path)).and_then(|namespace| namespace.retention);
        rule.map(|rule| view! { <p class="small dimmer over">{chosen.with(|path| kept(&rule, path))}</p> })
    };
    let closed = move || {
        let is_read_only = chosen.with(|path| find(path)).is_some_and(|namespace| namespace.read_only);
        is_read_only.then(|| view! { <p class="small dimmer">"A rule lets you read here, and no more."</p> })
    };
    let govern = move |()| {
        let path = chosen.get_untracked();
        state.governed.begin(&path, find(&path).as_ref());
        if administers {
            state.governed.granting.begin(path);
        }
    };
    view! {
        <div class="row wrap">
            <div class="grow stack">
                <p class="small dimmer over">{said}</p>
                {held}
                {closed}
            </div>
            <Button label="Govern" icon="settings" size=ButtonSize::Small refused=state.refused on_press=govern />
        </div>
    }
}

/// The namespace as it was listed. One that only lies between listed ones is not; the rule over it is known by theirs.
fn seen(all: &[Namespace], path: &str) -> Option<Namespace> {
    if let Some(listed) = all.iter().find(|namespace| namespace.path == path) {
        return Some(listed.clone());
    }
    let rules = all.iter().filter_map(|namespace| namespace.retention.as_ref());
    let over = rules.filter(|rule| is_within(path, &rule.path)).max_by_key(|rule| rule.path.len())?;
    Some(Namespace {
        path: path.to_owned(),
        entries: 0,
        description: None,
        retention: Some(over.clone()),
        read_only: false,
    })
}

/// Saves what was changed.
async fn save(
    namespace: String,
    (description, before): (String, String),
    (keeping, granting): (Keeping, Granting),
) -> Result<(), ApiError> {
    if description != before {
        describe_namespace(namespace.clone(), description).await?;
    }
    keeping.save(namespace.clone()).await?;
    granting.save(namespace).await
}

/// Whether who looks administers memory.
fn administers() -> bool {
    use_context::<Me>().is_none_or(|me| me.may(May::ManageProvider))
}

/// The dialog in which a namespace is governed.
#[component]
pub(super) fn NamespaceDialog(state: State) -> impl IntoView {
    let Governed { open, path, description, described, keeping, granting } = state.governed;
    let administers = administers();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let refusal = RwSignal::new(None::<ApiError>);
    Effect::new(move |_| {
        if open.get() {
            refusal.set(None);
        }
    });
    let send = move |()| {
        let (namespace, said) = (path.get_untracked(), description.get_untracked());
        let before = described.get_untracked();
        busy.set(true);
        spawn_local(async move {
            match save(namespace.clone(), (said, before), (keeping, granting)).await {
                Ok(()) => {
                    toasts.say(Tone::Good, format!("{namespace} is governed so"));
                    let _ = open.try_set(false);
                }
                Err(error) => drop(refusal.try_set(Some(error))),
            }
            let _ = busy.try_set(false);
            state.load_anew();
        });
    };
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| open.set(false) />
            <Button label="Save" variant=ButtonVariant::Primary busy on_press=send />
        }
    };
    let error = Signal::derive(move || {
        let refusal = refusal.get().filter(|error| error.field("/days").is_none())?;
        Some(refusal.field("/description").unwrap_or_else(|| refusal.detail()).to_owned())
    });
    let title = Signal::derive(move || format!("Govern {}", path.get()));
    let hint =
        format!("At most {MAX_DESCRIPTION_CHARS} characters. People and agents read it where they choose a namespace.");
    view! {
        <Dialog id="namespace-title" title open footer=ViewFn::from(footer)>
            <div class="form">
                <TextArea
                    id="namespace-description" label="What it is for" value=Bound::from(description) rows=3 error
                    hint=Some(hint.clone()) aside=Some("optional".to_owned())
                />
                <KeepingFields keeping path refusal=Signal::from(refusal) may=administers />
                {administers.then(|| view! {
                    <GrantingFields granting />
                    <p class="small dim"><a class="link" href="/memory/backups">"Backups"</a> " copy namespaces by themselves, to a folder or an object store."</p>
                })}
            </div>
        </Dialog>
    }
}
