//! Chosen entries, and what can be done with all of them at once: in the list, on the map and on the page of health.
//!
//! What is done is done in parts, each a call, with how far it has come and a way to stop; all of it can be taken back by one press.

mod dialogs;
mod work;

pub(super) use dialogs::{BulkDialogs, Plan, PlanDialog};

use std::collections::BTreeMap;

use leptos::prelude::*;

use crate::model::auth::{Action as May, Me};
use crate::model::memory::{Entry, EntryAct, EntryLine, EntryName, EntryRefusal, EntryStep, MAX_MERGE};
use crate::ui::components::{Button, ButtonSize, ButtonVariant, Icon};
use crate::ui::format;

/// Entries with the version in which each was seen, if that is known.
pub(super) type Chosen = BTreeMap<EntryName, Option<i64>>;

/// What dialog is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Tag,
    Move,
    Merge,
}

/// The choice, and what is being done with it.
#[derive(Clone, Copy)]
pub(super) struct Bulk {
    pub chosen: RwSignal<Chosen>,
    /// What the last change did not reach.
    refused: RwSignal<Vec<EntryRefusal>>,
    /// How many of how many are done, while something is.
    progress: RwSignal<Option<(usize, usize)>>,
    /// Whether somebody wants it to stop.
    stop: RwSignal<bool>,
    ask: RwSignal<Option<Ask>>,
    /// Called after entries were changed.
    changed: Callback<()>,
}

impl Bulk {
    /// Nothing is chosen; `changed` is called after each change, also when the page is gone by then.
    pub(super) fn new(changed: Callback<()>) -> Self {
        Self {
            chosen: RwSignal::new(Chosen::new()),
            refused: RwSignal::new(Vec::new()),
            progress: RwSignal::new(None),
            stop: RwSignal::new(false),
            ask: RwSignal::new(None),
            changed,
        }
    }

    /// Chooses nothing.
    pub(super) fn clear(self) {
        self.chosen.update(Chosen::clear);
        self.refused.update(Vec::clear);
    }

    /// Chooses these too.
    pub(super) fn add<'a>(self, entries: impl Iterator<Item = &'a Entry>) {
        self.chosen.update(|chosen| chosen.extend(entries.map(|entry| (name_of(entry), Some(entry.version)))));
    }

    /// Chooses the entries of these lines too.
    pub(super) fn add_lines(self, lines: &[EntryLine]) {
        let name = |line: &EntryLine| EntryName { namespace: line.namespace.clone(), key: line.key.clone() };
        self.chosen.update(|chosen| chosen.extend(lines.iter().map(|line| (name(line), Some(line.version)))));
    }

    /// Chooses an entry, or no longer.
    pub(super) fn toggle(self, name: &EntryName, version: i64, on: bool) {
        self.chosen.update(|chosen| {
            if on {
                chosen.insert(name.clone(), Some(version));
            } else {
                chosen.remove(name);
            }
        });
    }

    /// The same act for everything that is chosen.
    fn steps(self, act: &EntryAct) -> Vec<EntryStep> {
        self.chosen.with_untracked(|chosen| {
            let step = |(name, version): (&EntryName, &Option<i64>)| EntryStep {
                namespace: name.namespace.clone(),
                key: name.key.clone(),
                version: *version,
                act: act.clone(),
            };
            chosen.iter().map(step).collect()
        })
    }
}

/// An entry's name.
pub(super) fn name_of(entry: &Entry) -> EntryName {
    EntryName { namespace: entry.namespace.clone(), key: entry.key.clone() }
}

/// "1 entry", "3 entries".
pub(super) fn entries(count: usize) -> String {
    match count {
        1 => "1 entry".to_owned(),
        many => format!("{} entries", format::count(many as i64)),
    }
}

/// The box of one row.
#[component]
pub(super) fn Tick(bulk: Bulk, name: EntryName, version: i64) -> impl IntoView {
    let label = format!("Choose {}", name.key);
    let own = name.clone();
    let on = Memo::new(move |_| bulk.chosen.with(|chosen| chosen.contains_key(&own)));
    view! {
        <input
            type="checkbox"
            aria-label=label
            prop:checked=move || on.get()
            on:change=move |event| bulk.toggle(&name, version, event_target_checked(&event))
        />
    }
}

/// What can be done with what is chosen; there while anything is.
#[component]
pub(super) fn BulkBar(
    bulk: Bulk,
    /// Why nothing can be changed now, if so.
    refused: Signal<Option<String>>,
    /// Chooses everything that is shown.
    #[prop(optional)]
    all: Option<Callback<()>>,
    /// Chooses nothing.
    none: Callback<()>,
) -> impl IntoView {
    let count = Memo::new(move |_| bulk.chosen.with(Chosen::len));
    let busy = Signal::derive(move || bulk.progress.with(Option::is_some));
    let is_there = move || count.get() > 0 || busy.get() || bulk.refused.with(|refused| !refused.is_empty());
    let cannot_merge = Signal::derive(move || {
        let few = format!("Choose 2 to {} entries", MAX_MERGE + 1);
        refused.get().or_else(|| (!(2..=MAX_MERGE + 1).contains(&count.get())).then_some(few))
    });
    let act = work::presser(bulk);
    let export = work::exporter(bulk);
    let quarantine = EntryAct::Quarantine { reason: "set aside together with others".to_owned() };
    view! {
        <Show when=is_there>
            <div class="bulk-bar" role="region" aria-label="Chosen entries">
                <strong role="status">{move || format!("{} chosen", entries(count.get()))}</strong>
                <Button label="Tag…" icon="tag" size=ButtonSize::Small busy refused on_press=move |()| bulk.ask.set(Some(Ask::Tag)) />
                <Button label="Move…" icon="folder" size=ButtonSize::Small busy refused on_press=move |()| bulk.ask.set(Some(Ask::Move)) />
                <Button label="Merge…" icon="into" size=ButtonSize::Small busy refused=cannot_merge on_press=move |()| bulk.ask.set(Some(Ask::Merge)) />
                <Button
                    label="Set aside" icon="shield" size=ButtonSize::Small busy refused
                    on_press={
                        let quarantine = quarantine.clone();
                        move |()| act.run((quarantine.clone(), "set aside"))
                    }
                />
                <Button label="Delete" icon="trash" size=ButtonSize::Small busy refused on_press=move |()| act.run((EntryAct::Delete {}, "deleted")) />
                <Button label="Export" icon="download" size=ButtonSize::Small busy on_press=move |()| export.run(()) />
                {all.map(|all| view! { <Button label="Choose all shown" variant=ButtonVariant::Quiet size=ButtonSize::Small busy on_press=all /> })}
                <Button label="Choose none" variant=ButtonVariant::Quiet size=ButtonSize::Small busy on_press=none />
                <Progress bulk />
                <Refusals bulk />
            </div>
        </Show>
    }
}

/// How far it has come, and a way to stop.
#[component]
fn Progress(bulk: Bulk) -> impl IntoView {
    move || {
        let (done, of) = bulk.progress.get()?;
        // What is over at once needs no words.
        (of > work::PART).then(|| {
            let said = format!("{} of {}", format::count(done as i64), format::count(of as i64));
            let stop = move |()| bulk.stop.set(true);
            view! {
                <span class="small" aria-live="off">{said}</span>
                <Button label="Stop" icon="stop" size=ButtonSize::Small on_press=stop />
            }
        })
    }
}

/// Those that the last change did not reach, each with its reason.
#[component]
fn Refusals(bulk: Bulk) -> impl IntoView {
    move || {
        let refused = bulk.refused.get();
        (!refused.is_empty()).then(|| {
            let more = refused.len().saturating_sub(work::MOST_TOLD);
            let row = |refusal: EntryRefusal| {
                view! {
                    <li data-fails="">
                        <Icon name="s-failed" />
                        <span class="over">{refusal.key} " " <span class="path">{refusal.namespace}</span></span>
                        <span class="grow">{refusal.reason}</span>
                    </li>
                }
            };
            view! {
                <ul class="told">
                    {refused.into_iter().take(work::MOST_TOLD).map(row).collect_view()}
                    {(more > 0).then(|| view! { <li>{format!("and {} more", format::count(more as i64))}</li> })}
                </ul>
            }
        })
    }
}

/// Why this person can't change entries, if they can't.
pub(super) fn refused_by_role() -> Option<String> {
    let may = use_context::<Me>().is_none_or(|me| me.may(May::WriteMemory));
    (!may).then(|| "Your role can't change memory".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_counted_in_words() {
        assert_eq!(
            (entries(1).as_str(), entries(0).as_str(), entries(1200).as_str()),
            ("1 entry", "0 entries", "1,200 entries")
        );
    }
}
