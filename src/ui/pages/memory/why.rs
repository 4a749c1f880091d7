//! Why an entry was found, in words and in numbers.

use leptos::prelude::*;

use super::State;
use crate::model::memory::{Hit, Signal, TermMatch, Why};
use crate::ui::components::{Button, ButtonSize};

/// Entries that a search leaves out at most.
const MOST_WITHOUT: usize = 20;
/// What the signal of vectors is called.
const MEANING: &str = "Meaning";

/// A sentence about one word of the query: which word it met, and how.
fn met(word: &str, term: &TermMatch) -> String {
    let points = format!("{:.2}", term.score);
    match term.edits {
        0 if term.met == word => format!("“{word}” stands in it: {points}"),
        0 => format!("“{word}” meets “{}”: {points}", term.met),
        1 => format!("“{word}” is one letter from “{}”: {points}", term.met),
        more => format!("“{word}” is {more} letters from “{}”: {points}", term.met),
    }
}

/// What a factor did, in a word.
fn effect(factor: f64, up: &'static str, even: &'static str, down: &'static str) -> &'static str {
    if factor > 1.02 {
        up
    } else if factor < 0.98 {
        down
    } else {
        even
    }
}

/// One sentence about the whole.
fn summary(why: &Why, matched: u32) -> String {
    let words = match (why.text.as_ref().map(|text| text.rank), matched) {
        (None, _) if why.cosine.is_some() && why.vector.is_some() => {
            "Shares no word with the question; found by what it means".to_owned()
        }
        (None, _) => "Found by what stands around it".to_owned(),
        (Some(1), 0 | 1) => "The only entry that matches".to_owned(),
        (Some(1), _) => format!("Best word match of {matched}"),
        (Some(rank), _) => format!("Word match {rank} of {matched}"),
    };
    let age = effect(why.recency, "newer than most", "of middling age", "older than most");
    let weight = effect(why.importance, "marked important", "of usual importance", "marked less important");
    format!("{words}; {age}, {weight}.")
}

/// The signals that speak for a hit, with their names, in the order of the sum.
fn signals(why: &Why) -> Vec<(&'static str, &Signal)> {
    let named = [
        ("Text", &why.text),
        ("Neighbours", &why.neighbours),
        ("Group", &why.group),
        ("Word pairs", &why.pairs),
        ("Best passage", &why.passage),
        (MEANING, &why.vector),
    ];
    named.into_iter().filter_map(|(name, signal)| Some((name, signal.as_ref()?))).collect()
}

/// How the score came about, as a formula.
fn sum(why: &Why, score: f64) -> String {
    let parts: Vec<String> =
        signals(why).into_iter().map(|(name, signal)| format!("{} {:.2}", name.to_lowercase(), signal.score)).collect();
    let mut factors = String::new();
    if why.speaker > 1.02 {
        factors = format!(" × speaker {:.2}", why.speaker);
    }
    format!(
        "({}){factors} × recency {:.2} × importance {:.2} = {score:.2}",
        parts.join(" + "),
        why.recency,
        why.importance
    )
}

/// The bars of signals under a hit: its own words, what stands around it, and what it means.
fn bars(why: &Why) -> Vec<(&'static str, Signal)> {
    let around = [&why.neighbours, &why.group].into_iter().flatten().fold(None, |sum: Option<Signal>, signal| {
        let (rank, score) = sum.map_or((signal.rank, 0.0), |sum| (sum.rank, sum.score));
        Some(Signal { rank, score: score + signal.score })
    });
    let text = why.text.clone().map(|text| ("Text", text));
    let meaning = why.vector.clone().map(|vector| (MEANING, vector));
    text.into_iter().chain(around.map(|around| ("Context", around))).chain(meaning).collect()
}

/// The highest score that a bar of this hit shows.
pub(super) fn strongest(why: &Why) -> f64 {
    bars(why).into_iter().map(|(_, signal)| signal.score).fold(0.0, f64::max)
}

/// How alike two vectors are, in words.
fn alike(cosine: f64) -> String {
    let how = match cosine {
        0.6.. => "means nearly what was asked",
        0.4.. => "means something like what was asked",
        0.2.. => "is about something near what was asked",
        _ => "is about something else",
    };
    format!("By its vector it {how}: cosine {cosine:.2}")
}

/// The bars under a hit: text, context, meaning, recency, importance. `best` is the highest score that a bar of the answer shows.
#[component]
pub(super) fn WhyBars(why: Why, best: f64) -> impl IntoView {
    let bars = bars(&why).into_iter().map(|(label, signal)| {
        let share = if best > 0.0 { signal.score / best * 100.0 } else { 0.0 };
        let (value, note) = (format!("#{}", signal.rank), format!("{:.2}", signal.score));
        let signal = if label == MEANING { "vector" } else { "text" };
        view! { <WhyBar label value signal share note /> }
    });
    let bars = bars.collect_view();
    let age = effect(why.recency, "new", "about a month", "old");
    let weight = effect(why.importance, "raised", "usual", "lowered");
    // Each factor's range fills its bar: recency 0.75 to 1.25, importance 0.6 to 1.4.
    let recency = (why.recency - 0.75) * 200.0;
    let importance = (why.importance - 0.6) * 125.0;
    view! {
        <dl class="why">
            {bars}
            <WhyBar label="Recency" value=format!("×{:.2}", why.recency) signal="recency" share=recency note=age.to_owned() />
            <WhyBar label="Importance" value=format!("×{:.2}", why.importance) signal="importance" share=importance note=weight.to_owned() />
        </dl>
    }
}

#[component]
fn WhyBar(label: &'static str, value: String, signal: &'static str, share: f64, note: String) -> impl IntoView {
    view! {
        <div>
            <dt>{label} " " <b>{value}</b></dt>
            <dd>
                <span class="score" data-signal=signal style=format!("--value: {:.0}%", share.clamp(0.0, 100.0))></span>
                <span class="note">{note}</span>
            </dd>
        </div>
    }
}

/// The whole explanation beside an entry.
#[component]
pub(super) fn WhyCard(hit: Hit, matched: u32, state: State) -> impl IntoView {
    let (why, id) = (hit.why, hit.entry.id);
    let left_out = state.place.with_untracked(|place| place.without.len());
    let leave_out = move |()| {
        let mut place = state.place.get_untracked().closing();
        place.without.push(id);
        state.go.run(place);
    };
    let again = (left_out < MOST_WITHOUT).then(|| {
        view! { <div><Button label="Search without this entry" icon="minus" size=ButtonSize::Small on_press=leave_out /></div> }
    });
    let sum = sum(&why, hit.score);
    let words = why.terms.iter().map(|(word, term)| view! { <li>{met(word, term)}</li> }).collect_view();
    view! {
        <section class="stack">
            <h3>"Why it was found"</h3>
            <div class="card why-card">
                <p class="dim">{summary(&why, matched)}</p>
                <ul class="small dim">{words}{why.cosine.map(|cosine| view! { <li>{alike(cosine)}</li> })}</ul>
                <p class="small dimmer mono">{sum}</p>
                {again}
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::memory::Signal;

    #[test]
    fn a_word_says_what_it_met() {
        let term = |met: &str, edits| TermMatch { met: met.to_owned(), edits, score: 1.5 };
        assert_eq!(met("pool", &term("pool", 0)), "“pool” stands in it: 1.50");
        assert_eq!(met("pools", &term("pool", 0)), "“pools” meets “pool”: 1.50");
        assert_eq!(met("conection", &term("connection", 1)), "“conection” is one letter from “connection”: 1.50");
        assert_eq!(met("konnektion", &term("connection", 2)), "“konnektion” is 2 letters from “connection”: 1.50");
    }

    fn why(text: Option<Signal>) -> Why {
        Why {
            text,
            neighbours: Some(Signal { rank: 1, score: 0.5 }),
            group: None,
            pairs: None,
            passage: None,
            vector: None,
            cosine: None,
            speaker: 1.0,
            recency: 1.2,
            importance: 1.0,
            terms: Default::default(),
        }
    }

    #[test]
    fn the_summary_names_rank_age_and_weight() {
        let found = why(Some(Signal { rank: 2, score: 3.0 }));
        assert_eq!(summary(&found, 38), "Word match 2 of 38; newer than most, of usual importance.");
        assert_eq!(summary(&why(None), 38), "Found by what stands around it; newer than most, of usual importance.");
    }

    #[test]
    fn what_a_vector_says_is_told_in_words() {
        let meant = Why { vector: Some(Signal { rank: 1, score: 2.0 }), cosine: Some(0.62), ..why(None) };
        assert!(summary(&meant, 3).starts_with("Shares no word with the question; found by what it means;"));
        assert_eq!(bars(&meant).last(), Some(&("Meaning", Signal { rank: 1, score: 2.0 })));
        assert!(sum(&meant, 2.5).contains("+ meaning 2.00)"));
        assert_eq!(alike(0.62), "By its vector it means nearly what was asked: cosine 0.62");
        assert_eq!(alike(-0.1), "By its vector it is about something else: cosine -0.10");
    }

    #[test]
    fn neighbours_and_group_share_a_bar() {
        let group = Some(Signal { rank: 4, score: 0.25 });
        let shown = bars(&Why { group, ..why(None) });
        assert_eq!(shown, [("Context", Signal { rank: 1, score: 0.75 })]);
    }

    #[test]
    fn the_sum_shows_only_what_speaks_for_the_hit() {
        let found = why(Some(Signal { rank: 2, score: 3.0 }));
        assert_eq!(sum(&found, 4.2), "(text 3.00 + neighbours 0.50) × recency 1.20 × importance 1.00 = 4.20");
        let named = Why { speaker: 1.3, ..why(None) };
        assert_eq!(sum(&named, 0.78), "(neighbours 0.50) × speaker 1.30 × recency 1.20 × importance 1.00 = 0.78");
    }
}
