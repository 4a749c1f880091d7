//! What in the memory may need somebody: copies, contradictions, what says little, what nobody reads, what is old, long, soon gone,
//! or in quarantine.
//!
//! Owns the page `/memory/health`. Each entry shows how it begins, leads to itself, and can be deleted with a way back.

mod doubts;

use leptos::prelude::*;

use self::doubts::{Contradictions, Doubts};
use super::bulk::{Bulk, BulkBar, BulkDialogs, Plan, PlanDialog, Tick, refused_by_role};
use super::encryption::EncryptionCard;
use super::place::Place;
use super::quarantine::source_badge;
use super::remove::remove;
use crate::api::memory::get_memory_health;
use crate::model::memory::{Alike, EntryAct, EntryName, EntryStep, HealthEntry, MemoryHealth, Poor};
use crate::ui::components::{
    Badge, Button, ButtonShape, ButtonSize, ButtonVariant, Card, Crumb, EmptyState, Load, PageHeader, RelativeTime,
    SkeletonShape,
};
use crate::ui::format;

/// What the lists share.
#[derive(Clone, Copy)]
struct Acts {
    /// Goes up when everything must be loaded anew.
    refresh: RwSignal<u32>,
    /// Why this person can't delete, if they can't.
    refused: Signal<Option<String>>,
    bulk: Bulk,
    /// The clean-up that waits for a yes.
    plan: RwSignal<Plan>,
    asks: RwSignal<bool>,
}

impl Acts {
    /// Shows what a clean-up would do.
    fn propose(self, entries: Vec<(HealthEntry, String)>) {
        let step = |(entry, why): (HealthEntry, String)| {
            let HealthEntry { namespace, key, version, .. } = entry;
            (EntryStep { namespace, key, version: Some(version), act: EntryAct::Delete {} }, why)
        };
        self.plan.set(Plan { steps: entries.into_iter().map(step).collect() });
        self.asks.set(true);
    }

    fn load_anew(self) {
        // A task may end after the page is gone.
        self.refresh.try_update(|count| *count += 1);
    }
}

/// Entries that a list shows at most; as the server tells of.
const MOST_LISTED: usize = 50;

/// What a row says beside the entry.
#[derive(Clone, Copy)]
enum Beside {
    Changed,
    Expires,
    Length,
}

/// `/memory/health`.
#[component]
pub fn HealthPage() -> impl IntoView {
    let refresh = RwSignal::new(0_u32);
    let health = Resource::new(move || refresh.get(), |_| get_memory_health());
    let refused = Signal::stored(refused_by_role());
    let bulk = Bulk::new(Callback::new(move |()| {
        // A change may end after the page is gone.
        refresh.try_update(|count| *count += 1);
    }));
    let (plan, asks) = (RwSignal::new(Plan::default()), RwSignal::new(false));
    let acts = Acts { refresh, refused, bulk, plan, asks };
    view! {
        <PageHeader title="Health of the memory" crumbs=vec![Crumb::new("/memory", "Memory")] />
        <div class="page-body stack" data-narrow>
            <BulkBar bulk refused none=Callback::new(move |()| bulk.clear()) />
            <Load resource=health what="the health of the memory" shape=SkeletonShape::Block(10) let:health>
                <Lists health acts />
            </Load>
            <EncryptionCard />
        </div>
        <BulkDialogs bulk />
        <PlanDialog bulk plan open=asks />
    }
}

/// Proposes to delete what a list shows.
#[component]
fn CleanUp(acts: Acts, #[prop(into)] propose: Callback<()>) -> impl IntoView {
    view! { <Button label="Clean up…" icon="tidy" size=ButtonSize::Small refused=acts.refused on_press=propose /> }
}

#[component]
fn Lists(health: MemoryHealth, acts: Acts) -> impl IntoView {
    let MemoryHealth {
        entries,
        compared,
        duplicates,
        contradictions,
        doubtful,
        poor,
        never_read,
        stale,
        oversized,
        expiring,
        unreadable,
        quarantined,
    } = health;
    let lists = [&never_read, &stale, &oversized, &expiring, &unreadable, &quarantined];
    let is_well = duplicates.is_empty()
        && contradictions.is_empty()
        && doubtful.is_empty()
        && poor.is_empty()
        && lists.iter().all(|entries| entries.is_empty());
    let tally = format!(
        "{} entries; copies, contradictions and what says little are looked for among the {} that changed last. Each list shows 50 at most.",
        format::count(entries),
        format::count(compared)
    );
    view! {
        <p class="dim">{tally}</p>
        {is_well.then(|| view! { <EmptyState title="Nothing needs you">"No copies, no contradictions, nothing empty, unread, old, too long, soon gone or in quarantine."</EmptyState> })}
        <List id="memory-unreadable" title="Can't be decrypted" entries=unreadable beside=Beside::Changed acts />
        {(!quarantined.is_empty()).then(|| view! { <Held entries=quarantined acts /> })}
        {(!duplicates.is_empty()).then(|| view! { <Copies groups=duplicates acts /> })}
        {(!contradictions.is_empty()).then(|| view! { <Contradictions pairs=contradictions acts /> })}
        {(!doubtful.is_empty()).then(|| view! { <Doubts pairs=doubtful acts /> })}
        {(!poor.is_empty()).then(|| view! { <LittleSaid poor acts /> })}
        <List id="memory-never-read" title="Never read in 30 days" entries=never_read beside=Beside::Changed acts />
        <List id="memory-expiring" title="Gone within seven days" entries=expiring beside=Beside::Expires acts />
        <List id="memory-stale" title="Not changed for half a year" entries=stale beside=Beside::Changed acts />
        <List id="memory-oversized" title="Longer than 30,000 characters" entries=oversized beside=Beside::Length acts />
    }
}

/// How many a list shows.
fn how_many(count: usize) -> String {
    if count >= MOST_LISTED { format!("the first {MOST_LISTED}") } else { count.to_string() }
}

/// What says little or nothing, each with what is wrong with it.
#[component]
fn LittleSaid(poor: Vec<Poor>, acts: Acts) -> impl IntoView {
    let sub = Some(how_many(poor.len()));
    let wasted: Vec<(HealthEntry, String)> =
        poor.iter().map(|Poor { entry, flaw }| (entry.clone(), format!("it {}", flaw.label()))).collect();
    let propose = move |()| acts.propose(wasted.clone());
    let clean_up = move || view! { <CleanUp acts propose /> };
    let rows = poor.into_iter().map(move |Poor { entry, flaw }| {
        view! { <Row entry beside=Beside::Changed is_held=false note=format!("it {}", flaw.label()) acts /> }
    });
    view! {
        <Card id="memory-poor" title="Say little or nothing" sub actions=ViewFnOnce::from(clean_up)>
            <ul class="stack" role="list">{rows.collect_view()}</ul>
        </Card>
    }
}

#[component]
fn List(id: &'static str, title: &'static str, entries: Vec<HealthEntry>, beside: Beside, acts: Acts) -> impl IntoView {
    (!entries.is_empty()).then(move || {
        let old = entries.clone();
        let count = how_many(entries.len());
        let why = title.to_lowercase();
        let propose = move |()| acts.propose(old.iter().map(|entry| (entry.clone(), why.clone())).collect());
        // What is long is no waste by that.
        let clean_up = move || (!matches!(beside, Beside::Length)).then(|| view! { <CleanUp acts propose /> });
        let rows = entries.into_iter().map(move |entry| view! { <Row entry beside is_held=false acts /> });
        view! {
            <Card id title sub=Some(count) actions=ViewFnOnce::from(clean_up)>
                <ul class="stack" role="list">{rows.collect_view()}</ul>
            </Card>
        }
    })
}

/// What is in quarantine; it is let out on its page, where the reasons are.
#[component]
fn Held(entries: Vec<HealthEntry>, acts: Acts) -> impl IntoView {
    let sub = Some(format!("{}; no search, step or agent finds these", how_many(entries.len())));
    let rows = entries.into_iter().map(move |entry| view! { <Row entry beside=Beside::Changed is_held=true acts /> });
    view! {
        <Card id="memory-held" title="In quarantine" sub>
            <ul class="stack" role="list">{rows.collect_view()}</ul>
        </Card>
    }
}

/// Of each group all but the one that changed last, and beside each which one stays. One that stands in two groups is named once.
fn copies_of(groups: &[Alike]) -> Vec<(HealthEntry, String)> {
    let mut kept: Vec<(&str, &str)> = Vec::new();
    let mut copies: Vec<(HealthEntry, String)> = Vec::new();
    for Alike { entries, .. } in groups {
        let Some((newest, older)) = entries.split_first() else { continue };
        // What goes already stays in no group: then the next one does.
        let goes = |entry: &HealthEntry, copies: &[(HealthEntry, String)]| {
            copies.iter().any(|(copy, _)| (&copy.namespace, &copy.key) == (&entry.namespace, &entry.key))
        };
        if goes(newest, &copies) {
            continue;
        }
        kept.push((&newest.namespace, &newest.key));
        for entry in older {
            if !goes(entry, &copies) && !kept.contains(&(entry.namespace.as_str(), entry.key.as_str())) {
                copies.push((entry.clone(), format!("{} says nearly the same and stays", newest.key)));
            }
        }
    }
    copies
}

#[component]
fn Copies(groups: Vec<Alike>, acts: Acts) -> impl IntoView {
    let copies = copies_of(&groups);
    let sub = Some(format!("{} in one namespace", format::plural(groups.len() as i64, "group")));
    let propose = move |()| acts.propose(copies.clone());
    let clean_up = move || view! { <CleanUp acts propose /> };
    let group = move |alike: Alike| {
        let share = format!("{:.0} % alike", alike.likeness * 100.0);
        let rows = alike
            .entries
            .into_iter()
            .map(move |entry| view! { <Row entry beside=Beside::Changed is_held=false acts /> });
        view! {
            <li class="stack">
                <span><Badge label=share /></span>
                <ul class="stack" role="list">{rows.collect_view()}</ul>
            </li>
        }
    };
    view! {
        <Card id="memory-copies" title="Say nearly the same" sub actions=ViewFnOnce::from(clean_up)>
            <ul class="stack" role="list">{groups.into_iter().map(group).collect_view()}</ul>
        </Card>
    }
}

#[component]
fn Row(
    entry: HealthEntry,
    beside: Beside,
    is_held: bool,
    /// What is wrong with it, in place of when it changed.
    #[prop(into, default = String::new())]
    note: String,
    acts: Acts,
) -> impl IntoView {
    let HealthEntry { namespace, key, version, excerpt, chars, trust, updated_at, expires_at, unreadable } = entry;
    let excerpt = unreadable.unwrap_or(excerpt);
    let href = Place { is_quarantine: is_held, ..Place::default() }.opening(&namespace, &key).href();
    let note = match (beside, expires_at) {
        _ if !note.is_empty() => note.into_any(),
        (Beside::Length, _) => format!("{} characters", format::count(chars)).into_any(),
        (Beside::Expires, Some(at)) => view! { "gone "<RelativeTime at /> }.into_any(),
        _ => view! { "changed "<RelativeTime at=updated_at /> }.into_any(),
    };
    let label = format!("Delete {key}");
    let place = (namespace.clone(), key.clone(), version);
    let name = EntryName { namespace: namespace.clone(), key: key.clone() };
    let delete = move |()| remove(place.clone(), move || acts.load_anew(), move || acts.load_anew());
    view! {
        <li class="row">
            <Tick bulk=acts.bulk name version />
            <div class="grow stack">
                <span class="row wrap">
                    <a class="link over" href=href>{format!("{namespace}/{key}")}</a>
                    {source_badge(trust)}
                    <span class="small dimmer">{note}</span>
                </span>
                <span class="small dim over">{excerpt}</span>
            </div>
            <Button label icon="trash" shape=ButtonShape::IconOnly size=ButtonSize::Small variant=ButtonVariant::Quiet refused=acts.refused on_press=delete />
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::model::memory::Trust;

    fn group(keys: &[&str]) -> Alike {
        let entry = |key: &&str| HealthEntry {
            namespace: "a".to_owned(),
            key: (*key).to_owned(),
            version: 1,
            excerpt: String::new(),
            chars: 1,
            trust: Trust::User,
            updated_at: Timestamp(0),
            expires_at: None,
            unreadable: None,
        };
        Alike { likeness: 0.9, entries: keys.iter().map(entry).collect() }
    }

    #[test]
    fn of_each_group_the_newest_stays_and_nothing_goes_twice() {
        let copies = copies_of(&[group(&["new", "old", "older"]), group(&["other", "old"]), group(&["other", "new"])]);
        let keys: Vec<&str> = copies.iter().map(|(entry, _)| entry.key.as_str()).collect();
        assert_eq!(keys, ["old", "older"]);
        assert_eq!(copies[0].1, "new says nearly the same and stays");
    }
}
