//! Entries that contradict each other, as somebody said, and those that may, two by two: what they differ in, and how one decides.

use leptos::prelude::*;

use super::super::relations::say;
use super::{Acts, Beside, CleanUp, Row, how_many};
use crate::model::memory::{Contradiction, Difference, Doubtful, EntryName, HealthEntry, RelationKind, RelationWay};
use crate::ui::components::{Badge, Button, ButtonSize, Card, use_toasts};

/// What two entries differ in: "a number: 24 here, 20 in the older".
fn said(differs: &[Difference]) -> String {
    let part = |Difference { kind, newer, older }: &Difference| {
        let list = |words: &[String]| if words.is_empty() { "none".to_owned() } else { words.join(" ") };
        format!("{}: {} in the newer, {} in the older", kind.label(), list(newer), list(older))
    };
    differs.iter().map(part).collect::<Vec<_>>().join("; ")
}

/// Of each pair the older, and beside each what says it otherwise. One that stands in two pairs is named once.
fn older_ones(pairs: &[Doubtful]) -> Vec<(HealthEntry, String)> {
    let mut older: Vec<(HealthEntry, String)> = Vec::new();
    for pair in pairs {
        let is_named =
            older.iter().any(|(entry, _)| (&entry.namespace, &entry.key) == (&pair.older.namespace, &pair.older.key));
        if !is_named {
            older.push((
                pair.older.clone(),
                format!("{} says it otherwise, later: {}", pair.newer.key, said(&pair.differs)),
            ));
        }
    }
    older
}

fn name_of(entry: &HealthEntry) -> EntryName {
    EntryName { namespace: entry.namespace.clone(), key: entry.key.clone() }
}

/// The ways to decide about two entries; `marks` offers to leave it to somebody else.
#[component]
fn Decide(first: HealthEntry, second: HealthEntry, marks: bool, acts: Acts) -> impl IntoView {
    let toasts = use_toasts();
    let (one, two) = (name_of(&first), name_of(&second));
    // Of candidates nothing was said yet.
    let before = (!marks).then_some(RelationWay::Contradicts);
    let button = |label: String, from: &EntryName, kind: RelationKind, to: &EntryName, done: &'static str| {
        let (from, to) = (from.clone(), to.clone());
        let press = move |()| say(toasts, from.clone(), (kind, to.clone()), (before, done), move || acts.load_anew());
        view! { <Button label size=ButtonSize::Small refused=acts.refused on_press=press /> }
    };
    let decided = "It takes the place of the other";
    let mark = marks.then(|| {
        button(
            "They contradict".to_owned(),
            &one,
            RelationKind::Contradicts,
            &two,
            "Both are marked until somebody decides",
        )
    });
    view! {
        <div class="row wrap">
            {button(format!("{} holds", one.key), &one, RelationKind::Supersedes, &two, decided)}
            {button(format!("{} holds", two.key), &two, RelationKind::Supersedes, &one, decided)}
            {button("Both hold".to_owned(), &one, RelationKind::Agrees, &two, "Both hold")}
            {mark}
        </div>
    }
}

/// What somebody said can't both be true, until somebody decides.
#[component]
pub(super) fn Contradictions(pairs: Vec<Contradiction>, acts: Acts) -> impl IntoView {
    let sub = Some(format!("{}; somebody has to decide", how_many(pairs.len())));
    let pair = move |Contradiction { one, other, .. }: Contradiction| {
        let (first, second) = (one.clone(), other.clone());
        view! {
            <li class="stack">
                <ul class="stack" role="list">
                    <Row entry=one beside=Beside::Changed is_held=false acts />
                    <Row entry=other beside=Beside::Changed is_held=false acts />
                </ul>
                <Decide first second marks=false acts />
            </li>
        }
    };
    view! {
        <Card id="memory-contradictions" title="Can't both be true" sub>
            <ul class="stack" role="list">{pairs.into_iter().map(pair).collect_view()}</ul>
        </Card>
    }
}

/// The candidates.
#[component]
pub(super) fn Doubts(pairs: Vec<Doubtful>, acts: Acts) -> impl IntoView {
    let sub = Some(format!("{}; nearly the same but for a number, a date or a negation", how_many(pairs.len())));
    let older = older_ones(&pairs);
    let propose = move |()| acts.propose(older.clone());
    let clean_up = move || view! { <CleanUp acts propose /> };
    let pair = move |Doubtful { likeness, differs, newer, older }: Doubtful| {
        let share = format!("{:.0} % alike", likeness * 100.0);
        let (first, second) = (newer.clone(), older.clone());
        view! {
            <li class="stack">
                <span class="row wrap"><Badge label=share /> <span class="small">{said(&differs)}</span></span>
                <ul class="stack" role="list">
                    <Row entry=newer beside=Beside::Changed is_held=false acts />
                    <Row entry=older beside=Beside::Changed is_held=false acts />
                </ul>
                <Decide first second marks=true acts />
            </li>
        }
    };
    view! {
        <Card id="memory-doubts" title="May contradict each other" sub actions=ViewFnOnce::from(clean_up)>
            <ul class="stack" role="list">{pairs.into_iter().map(pair).collect_view()}</ul>
        </Card>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::model::memory::{DifferenceKind, Trust};

    fn entry(key: &str) -> HealthEntry {
        HealthEntry {
            namespace: "a".to_owned(),
            key: key.to_owned(),
            version: 1,
            excerpt: String::new(),
            chars: 1,
            trust: Trust::User,
            updated_at: Timestamp(0),
            expires_at: None,
            unreadable: None,
        }
    }

    #[test]
    fn the_older_of_each_pair_is_proposed_once_with_what_says_it_otherwise() {
        let differs =
            vec![Difference { kind: DifferenceKind::Number, newer: vec!["24".to_owned()], older: Vec::new() }];
        let pair = |newer: &str, older: &str| Doubtful {
            likeness: 1.0,
            differs: differs.clone(),
            newer: entry(newer),
            older: entry(older),
        };
        let older = older_ones(&[pair("new", "old"), pair("newer", "old"), pair("new", "other")]);
        let keys: Vec<&str> = older.iter().map(|(entry, _)| entry.key.as_str()).collect();
        assert_eq!(keys, ["old", "other"]);
        assert_eq!(older[0].1, "new says it otherwise, later: a number: 24 in the newer, none in the older");
    }
}
