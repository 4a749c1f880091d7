//! What is said of the open entry and others: which takes whose place, which can't both be true, and how one decides.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::{Deserialize, Serialize};

use super::State;
use super::entry::origin;
use crate::api::memory::{list_relations, relate_entries, unrelate_entries};
use crate::model::memory::{Entry, EntryName, HealthEntry, Relation, RelationDraft, RelationKind, RelationWay};
use crate::model::{ApiError, Timestamp};
use crate::ui::components::{
    Bound, Button, ButtonSize, ButtonVariant, Choice, Dialog, Icon, RelativeTime, Select, TextInput, Toasts, Tone,
    use_toasts,
};

/// What is said, and of which entry.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Said {
    at: String,
    key: String,
    relations: Vec<Relation>,
}

/// Loads it; nothing of the past, where nothing can be decided.
pub(super) async fn load(at: String, key: String, then: Option<Timestamp>) -> Result<Said, ApiError> {
    if key.is_empty() || then.is_some() {
        return Ok(Said::default());
    }
    match list_relations(at.clone(), key.clone()).await {
        Ok(relations) => Ok(Said { at, key, relations }),
        // The pane says itself that there is no such entry.
        Err(ApiError::NotFound { .. }) => Ok(Said::default()),
        Err(error) => Err(error),
    }
}

fn name_of(entry: &HealthEntry) -> EntryName {
    EntryName { namespace: entry.namespace.clone(), key: entry.key.clone() }
}

/// Says something of two entries and tells how it went; the way back says again what was said of them before, or takes it away.
pub(super) fn say(
    toasts: Toasts,
    one: EntryName,
    (kind, other): (RelationKind, EntryName),
    (before, done): (Option<RelationWay>, &'static str),
    changed: impl Fn() + Clone + Send + Sync + 'static,
) {
    spawn_local(async move {
        if let Err(error) = try_to_say(toasts, one, (kind, other), (before, done), changed).await {
            toasts.say(Tone::Bad, error.detail());
        }
    });
}

/// The same, for who waits for it and tells themselves what is refused.
async fn try_to_say(
    toasts: Toasts,
    one: EntryName,
    (kind, other): (RelationKind, EntryName),
    (before, done): (Option<RelationWay>, &'static str),
    changed: impl Fn() + Clone + Send + Sync + 'static,
) -> Result<(), ApiError> {
    let draft = RelationDraft { kind, namespace: other.namespace.clone(), key: other.key.clone() };
    relate_entries(one.namespace.clone(), one.key.clone(), draft).await?;
    // The toast outlives the page, so what it calls has an owner of its own, kept by the call itself.
    let owner = Owner::new_root(None);
    let (kept, again) = (owner.clone(), changed.clone());
    let undo = owner.with(|| {
        Callback::new(move |()| {
            let _owner = &kept;
            let (one, other) = (one.clone(), other.clone());
            match before {
                None => take_back(toasts, one, other, again.clone()),
                Some(way) => say_again(toasts, one, (way, other), again.clone()),
            }
        })
    });
    toasts.say_with_undo(done.to_owned(), "Undo", undo);
    changed();
    Ok(())
}

/// Says of two entries what was said before.
fn say_again(toasts: Toasts, one: EntryName, (way, other): (RelationWay, EntryName), changed: impl Fn() + 'static) {
    let (from, kind, to) = match way {
        RelationWay::Supersedes => (one, RelationKind::Supersedes, other),
        RelationWay::SupersededBy => (other, RelationKind::Supersedes, one),
        RelationWay::Contradicts => (one, RelationKind::Contradicts, other),
        RelationWay::Agrees => (one, RelationKind::Agrees, other),
    };
    spawn_local(async move {
        let draft = RelationDraft { kind, namespace: to.namespace, key: to.key };
        match relate_entries(from.namespace, from.key, draft).await {
            Ok(_) => toasts.say(Tone::Good, "What was said of the two before is said again"),
            Err(error) => toasts.say(Tone::Bad, error.detail()),
        }
        changed();
    });
}

/// Takes back what is said of two entries.
pub(super) fn take_back(toasts: Toasts, one: EntryName, other: EntryName, changed: impl Fn() + 'static) {
    spawn_local(async move {
        match unrelate_entries(one.namespace, one.key, other).await {
            Ok(()) => toasts.say(Tone::Good, "Nothing is said of the two any more"),
            Err(error) => toasts.say(Tone::Bad, error.detail()),
        }
        changed();
    });
}

/// The notices above an entry and the lines about what it took the place of; nothing while they are still those of another.
pub(super) fn said_of(state: State, entry: &Entry) -> Option<impl IntoView + use<>> {
    let Some(Ok(Said { at, key, relations })) = state.relations.get() else { return None };
    if relations.is_empty() || (&at, &key) != (&entry.namespace, &entry.key) {
        return None;
    }
    let own = EntryName { namespace: at, key };
    let rows = relations.into_iter().map(move |relation| view! { <Line own=own.clone() relation state /> });
    Some(view! { <section class="stack" aria-label="Relations">{rows.collect_view()}</section> })
}

#[component]
fn Line(own: EntryName, relation: Relation, state: State) -> impl IntoView {
    let toasts = use_toasts();
    let Relation { way, other, by, at } = relation;
    let href = state.place.get_untracked().opening(&other.namespace, &other.key).href();
    let (tone, icon, before, behind) = match way {
        RelationWay::SupersededBy => {
            ("warn", "history", "", " takes the place of this entry. It is found behind that one.")
        }
        RelationWay::Supersedes => ("plain", "history", "This entry takes the place of ", "."),
        RelationWay::Contradicts => ("warn", "warning", "This entry and ", " can't both be true."),
        RelationWay::Agrees => ("plain", "check", "This entry and ", " both hold."),
    };
    let there = name_of(&other);
    let choose = move |one: EntryName, kind: RelationKind, two: EntryName, done: &'static str| {
        say(toasts, one, (kind, two), (Some(RelationWay::Contradicts), done), move || state.load_anew());
    };
    let buttons = if way == RelationWay::Contradicts {
        let (this, that, both) = ((own.clone(), there.clone()), (there.clone(), own.clone()), (own, there));
        let this = move |()| choose(this.0.clone(), RelationKind::Supersedes, this.1.clone(), "This one holds");
        let that = move |()| choose(that.0.clone(), RelationKind::Supersedes, that.1.clone(), "The other one holds");
        let both = move |()| choose(both.0.clone(), RelationKind::Agrees, both.1.clone(), "Both hold");
        view! {
            <Button label="This one holds" size=ButtonSize::Small refused=state.refused on_press=this />
            <Button label="The other holds" size=ButtonSize::Small refused=state.refused on_press=that />
            <Button label="Both hold" size=ButtonSize::Small refused=state.refused on_press=both />
        }
        .into_any()
    } else {
        let back = move |()| take_back(toasts, own.clone(), there.clone(), move || state.load_anew());
        view! { <Button label="Take back" size=ButtonSize::Small variant=ButtonVariant::Quiet refused=state.refused on_press=back /> }
            .into_any()
    };
    view! {
        <div class="notice" data-tone=tone>
            <Icon name=icon />
            <div class="grow stack">
                <p>
                    {before}
                    <a class="link" href=href>{other.key}</a>
                    " "
                    <span class="path small">{other.namespace}</span>
                    {behind}
                </p>
                <p class="small dim over">{other.excerpt.chars().take(120).collect::<String>()}</p>
                <p class="small dimmer">"Said by " {origin(by)} " " <RelativeTime at /> "."</p>
                <div class="row wrap">{buttons}</div>
            </div>
        </div>
    }
}

/// What is said of an entry and another, as far as it is loaded.
fn way_between(state: State, own: &EntryName, other: &EntryName) -> Option<RelationWay> {
    let Some(Ok(Said { at, key, relations })) = state.relations.get_untracked() else { return None };
    if (&at, &key) != (&own.namespace, &own.key) {
        return None;
    }
    relations.into_iter().find(|relation| name_of(&relation.other) == *other).map(|relation| relation.way)
}

/// The dialog in which one says something of an entry and another.
#[derive(Clone, Copy)]
pub(super) struct Relate {
    /// Of which entry; none while it is closed.
    of: RwSignal<Option<EntryName>>,
    open: RwSignal<bool>,
    kind: RwSignal<String>,
    namespace: RwSignal<String>,
    key: RwSignal<String>,
    busy: RwSignal<bool>,
    /// Why it was refused.
    refusal: RwSignal<Option<String>>,
}

impl Relate {
    pub(super) fn new() -> Self {
        Self {
            of: RwSignal::new(None),
            open: RwSignal::new(false),
            kind: RwSignal::new(RelationKind::Supersedes.as_str().to_owned()),
            namespace: RwSignal::new(String::new()),
            key: RwSignal::new(String::new()),
            busy: RwSignal::new(false),
            refusal: RwSignal::new(None),
        }
    }

    /// Asks about an entry.
    pub(super) fn begin(self, entry: &Entry) {
        self.kind.set(RelationKind::Supersedes.as_str().to_owned());
        self.namespace.set(entry.namespace.clone());
        self.key.set(String::new());
        self.refusal.set(None);
        self.of.set(Some(EntryName { namespace: entry.namespace.clone(), key: entry.key.clone() }));
        self.open.set(true);
    }
}

/// It stands at the level of the page.
#[component]
pub(super) fn RelateDialog(state: State) -> impl IntoView {
    let toasts = use_toasts();
    let Relate { of, open, kind, namespace, key, busy, refusal } = state.relate;
    let title = Signal::derive(move || {
        let own = of.with(|of| of.as_ref().map(|of| of.key.clone()).unwrap_or_default());
        format!("{own} and another entry")
    });
    let choices = vec![
        Choice::new(RelationKind::Supersedes.as_str(), "This one takes the place of the other"),
        Choice::new(RelationKind::Contradicts.as_str(), "Both can't be true"),
        Choice::new(RelationKind::Agrees.as_str(), "Both hold, however alike they look"),
    ];
    let nothing = Signal::derive(move || {
        let is_empty = namespace.with(|text| text.trim().is_empty()) || key.with(|text| text.trim().is_empty());
        is_empty.then(|| "Name the other entry".to_owned())
    });
    let send = move |()| {
        let (Some(own), Some(kind)) = (of.get_untracked(), RelationKind::parse(&kind.get_untracked())) else { return };
        let trimmed = |text: RwSignal<String>| text.with_untracked(|text| text.trim().to_owned());
        let other = EntryName { namespace: trimmed(namespace).trim_matches('/').to_owned(), key: trimmed(key) };
        let done = match kind {
            RelationKind::Supersedes => "It takes the place of the other",
            RelationKind::Contradicts => "Both are marked until somebody decides",
            RelationKind::Agrees => "Both hold",
        };
        let before = way_between(state, &own, &other);
        refusal.set(None);
        busy.set(true);
        spawn_local(async move {
            match try_to_say(toasts, own, (kind, other), (before, done), move || state.load_anew()).await {
                Ok(()) => drop(open.try_set(false)),
                // What was typed stays: mostly it is a name that is not quite right.
                Err(error) => drop(refusal.try_set(Some(error.detail().to_owned()))),
            }
            let _ = busy.try_set(false);
        });
    };
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| open.set(false) />
            <Button label="Say so" variant=ButtonVariant::Primary busy refused=nothing on_press=send />
        }
    };
    let choices = StoredValue::new(choices);
    view! {
        <Dialog id="memory-relate" title open footer=ViewFn::from(footer)>
            <div class="form">
                <Select id="relate-kind" label="What is so" value=Bound::from(kind) choices=Signal::derive(move || choices.get_value()) />
                <TextInput id="relate-namespace" label="Namespace of the other" value=Bound::from(namespace) />
                <TextInput id="relate-key" label="Key of the other" value=Bound::from(key) error=refusal />
            </div>
        </Dialog>
    }
}
