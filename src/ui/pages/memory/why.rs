//! Why an entry was found, in words and in numbers.

use leptos::prelude::*;

use crate::model::memory::{Hit, TermMatch, Why};

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
    let rank = why.text.as_ref().map_or(0, |text| text.rank);
    let words = match (rank, matched) {
        (1, 0 | 1) => "The only entry that matches".to_owned(),
        (1, _) => format!("Best word match of {matched}"),
        (rank, _) => format!("Word match {rank} of {matched}"),
    };
    let age = effect(why.recency, "newer than most", "of middling age", "older than most");
    let weight = effect(why.importance, "marked important", "of usual importance", "marked less important");
    format!("{words}; {age}, {weight}.")
}

/// The bars under a hit: text, recency, importance. `best` is the best text score of the answer.
#[component]
pub(super) fn WhyBars(why: Why, best: f64) -> impl IntoView {
    let text = why.text.clone().map(|text| {
        let share = if best > 0.0 { text.score / best * 100.0 } else { 0.0 };
        view! { <WhyBar label="Text" value=format!("#{}", text.rank) signal="text" share note=format!("{:.2}", text.score) /> }
    });
    let age = effect(why.recency, "new", "about a month", "old");
    let weight = effect(why.importance, "raised", "usual", "lowered");
    // Each factor's range fills its bar: recency 0.75 to 1.25, importance 0.6 to 1.4.
    let recency = (why.recency - 0.75) * 200.0;
    let importance = (why.importance - 0.6) * 125.0;
    view! {
        <dl class="why">
            {text}
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
pub(super) fn WhyCard(hit: Hit, matched: u32) -> impl IntoView {
    let why = hit.why;
    let text = why.text.as_ref().map_or(0.0, |text| text.score);
    let sum = format!("{text:.2} × {:.2} × {:.2} = {:.2}", why.recency, why.importance, hit.score);
    let words = why.terms.iter().map(|(word, term)| view! { <li>{met(word, term)}</li> }).collect_view();
    view! {
        <section class="stack">
            <h3>"Why it was found"</h3>
            <div class="card why-card">
                <p class="dim">{summary(&why, matched)}</p>
                <ul class="small dim">{words}</ul>
                <p class="small dimmer mono">{sum}</p>
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

    #[test]
    fn the_summary_names_rank_age_and_weight() {
        let why = Why {
            text: Some(Signal { rank: 2, score: 3.0 }),
            recency: 1.2,
            importance: 1.0,
            terms: Default::default(),
        };
        assert_eq!(summary(&why, 38), "Word match 2 of 38; newer than most, of usual importance.");
    }
}
