//! What is asked before entries are tagged or moved, and the preview of a clean-up.

use leptos::prelude::*;

use super::{Ask, Bulk, Chosen, entries, work};
use crate::model::memory::{EntryAct, EntryName, EntryStep};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Choice, ConfirmDialog, Dialog, Select, TextInput, use_toasts,
};

/// The dialogs of the bar; they stand at the level of the page, not inside what loads anew.
#[component]
pub(in crate::ui::pages::memory) fn BulkDialogs(bulk: Bulk) -> impl IntoView {
    view! { <TagDialog bulk /> <MoveDialog bulk /> <MergeDialog bulk /> }
}

/// Whether this dialog is open, both ways.
fn opened(bulk: Bulk, ask: Ask) -> RwSignal<bool> {
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(bulk.ask.get() == Some(ask)));
    Effect::new(move |before: Option<bool>| {
        let is_open = open.get();
        if before == Some(true) && !is_open && bulk.ask.get_untracked() == Some(ask) {
            bulk.ask.set(None);
        }
        is_open
    });
    open
}

/// Words between commas.
fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn count(bulk: Bulk) -> usize {
    bulk.chosen.with(Chosen::len)
}

#[component]
fn TagDialog(bulk: Bulk) -> impl IntoView {
    let open = opened(bulk, Ask::Tag);
    let (add, remove) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let act = work::presser(bulk);
    let nothing = Signal::derive(move || {
        let is_empty = add.with(|text| words(text).is_empty()) && remove.with(|text| words(text).is_empty());
        is_empty.then(|| "Name a tag to add or to remove".to_owned())
    });
    let send = move |()| {
        let (add, remove) = (add.with_untracked(|text| words(text)), remove.with_untracked(|text| words(text)));
        bulk.ask.set(None);
        act.run((EntryAct::Tag { add, remove }, "tagged"));
    };
    let title = Signal::derive(move || format!("Tag {}", entries(count(bulk))));
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| bulk.ask.set(None) />
            <Button label="Tag" variant=ButtonVariant::Primary refused=nothing on_press=send />
        }
    };
    let hint = Signal::stored(Some("With commas between.".to_owned()));
    view! {
        <Dialog id="memory-bulk-tag" title open footer=ViewFn::from(footer)>
            <div class="form">
                <TextInput id="bulk-tags-add" label="Tags to add" value=Bound::from(add) hint />
                <TextInput id="bulk-tags-remove" label="Tags to remove" value=Bound::from(remove) hint />
            </div>
        </Dialog>
    }
}

#[component]
fn MoveDialog(bulk: Bulk) -> impl IntoView {
    let open = opened(bulk, Ask::Move);
    let to = RwSignal::new(String::new());
    let act = work::presser(bulk);
    let trimmed = move || to.with(|to| to.trim().trim_matches('/').to_owned());
    let nothing = Signal::derive(move || trimmed().is_empty().then(|| "Name a namespace".to_owned()));
    let send = move |()| {
        let to = to.with_untracked(|to| to.trim().trim_matches('/').to_owned());
        bulk.ask.set(None);
        act.run((EntryAct::Move { to }, "moved"));
    };
    let title = Signal::derive(move || format!("Move {}", entries(count(bulk))));
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| bulk.ask.set(None) />
            <Button label="Move" variant=ButtonVariant::Primary refused=nothing on_press=send />
        }
    };
    let hint = Signal::stored(Some("A path such as code/decisions. Keys and versions stay.".to_owned()));
    view! {
        <Dialog id="memory-bulk-move" title open footer=ViewFn::from(footer)>
            <div class="form">
                <TextInput id="bulk-move-to" label="To the namespace" value=Bound::from(to) hint />
            </div>
        </Dialog>
    }
}

/// Several become one: which of them stays, with what the others say.
#[component]
fn MergeDialog(bulk: Bulk) -> impl IntoView {
    let open = opened(bulk, Ask::Merge);
    let toasts = use_toasts();
    // What was chosen when somebody asked, and the place of the one that stays among it: what others do meanwhile moves neither.
    let (asked, kept) = (RwSignal::new(Chosen::new()), RwSignal::new("0".to_owned()));
    Effect::new(move |_| {
        if open.get() {
            asked.set(bulk.chosen.get_untracked());
            kept.set("0".to_owned());
        }
    });
    let choices = Signal::derive(move || {
        let name =
            |(at, name): (usize, &EntryName)| Choice::new(at.to_string(), format!("{} ({})", name.key, name.namespace));
        asked.with(|asked| asked.keys().enumerate().map(name).collect::<Vec<_>>())
    });
    let send = move |()| {
        let at = kept.with_untracked(|kept| kept.parse::<usize>().unwrap_or_default());
        let step = asked.with_untracked(|asked| merging(asked, at));
        bulk.ask.set(None);
        work::begin(bulk, toasts, step.into_iter().collect(), "merged");
    };
    let title = Signal::derive(move || format!("Merge {}", entries(asked.with(Chosen::len))));
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| bulk.ask.set(None) />
            <Button label="Merge" variant=ButtonVariant::Primary on_press=send />
        }
    };
    view! {
        <Dialog id="memory-bulk-merge" title open footer=ViewFn::from(footer)>
            <div class="form">
                <Select id="bulk-merge-into" label="Into" value=Bound::from(kept) choices />
                <p class="small dim">"Its next version says what all of them say, each text once, with their tags. It takes the place of the others: they stay as they are, say so, and are found behind it."</p>
            </div>
        </Dialog>
    }
}

/// What merges all that is chosen into one of them.
fn merging(chosen: &Chosen, at: usize) -> Option<EntryStep> {
    let (kept, version) = chosen.iter().nth(at)?;
    let with = chosen.keys().filter(|name| *name != kept).cloned().collect();
    let EntryName { namespace, key } = kept.clone();
    Some(EntryStep { namespace, key, version: *version, act: EntryAct::Merge { with } })
}

/// A clean-up that waits for a yes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::ui::pages::memory) struct Plan {
    /// What is done with each entry, and beside it why.
    pub steps: Vec<(EntryStep, String)>,
}

/// Shows what a clean-up would do, entry by entry, and does it on a yes.
#[component]
pub(in crate::ui::pages::memory) fn PlanDialog(
    bulk: Bulk,
    plan: RwSignal<Plan>,
    open: RwSignal<bool>,
) -> impl IntoView {
    let toasts = use_toasts();
    let count = move || entries(plan.with(|plan| plan.steps.len()));
    let title = Signal::derive(move || format!("Delete {}?", count()));
    let action = Signal::derive(move || format!("Delete {}", count()));
    let confirm = move |()| {
        open.set(false);
        let steps = plan.with_untracked(|plan| plan.steps.iter().map(|(step, _)| step.clone()).collect());
        work::begin(bulk, toasts, steps, "deleted");
    };
    let rows = move || {
        let row = |(step, why): (EntryStep, String)| {
            view! { <li class="small over"><b>{step.key}</b> " " <span class="path">{step.namespace}</span> ": " {why}</li> }
        };
        plan.get().steps.into_iter().map(row).collect_view()
    };
    view! {
        <ConfirmDialog id="memory-clean-up" title open action keep="Keep them" on_confirm=confirm>
            <p>"They can be brought back at once with Undo, and for 30 days one by one."</p>
            <ul class="stack" role="list" aria-label="What is deleted">{rows}</ul>
        </ConfirmDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_chosen_is_merged_into_one_of_them() {
        let name = |key: &str| EntryName { namespace: "a".to_owned(), key: key.to_owned() };
        let chosen: Chosen = [(name("one"), Some(3)), (name("two"), None)].into_iter().collect();
        let step = merging(&chosen, 0).expect("it is there");
        assert_eq!((step.key.as_str(), step.version), ("one", Some(3)));
        assert_eq!(step.act, EntryAct::Merge { with: vec![name("two")] });
        assert!(merging(&chosen, 2).is_none());
    }

    #[test]
    fn tags_stand_between_commas() {
        assert_eq!(words(" a, b c ,,"), ["a", "b c"]);
        assert!(words(" , ").is_empty());
    }
}
