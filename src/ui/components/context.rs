//! How long a conversation may get, and what is done once it is longer: a part of the forms of routes and of agents.

use leptos::prelude::*;

use super::{Bound, Choice, Select, TextInput};
use crate::model::gateway::{ContextRule, WhenFull};

/// What the controls hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextForm {
    /// A [`WhenFull`] as sent; empty: nothing is said.
    pub when_full: String,
    /// Tokens.
    pub window: String,
    /// Messages.
    pub keep_recent: String,
    /// A route or a model; empty: what was asked for.
    pub summary_route: String,
}

impl ContextForm {
    /// Of a rule that there is, if there is one.
    pub fn of(rule: Option<&ContextRule>) -> Self {
        let usual = ContextRule::default();
        let ContextRule { window, keep_recent, summary_route, .. } = rule.unwrap_or(&usual);
        Self {
            when_full: rule.map(|rule| rule.when_full.as_str().to_owned()).unwrap_or_default(),
            window: window.to_string(),
            keep_recent: keep_recent.to_string(),
            summary_route: summary_route.clone(),
        }
    }

    /// What is sent; a number that can't be read is sent as one that the server refuses by its field.
    pub fn rule(&self) -> Option<ContextRule> {
        let number = |text: &str| {
            let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
            digits.parse().unwrap_or(0)
        };
        Some(ContextRule {
            when_full: WhenFull::parse(&self.when_full)?,
            window: number(&self.window),
            keep_recent: number(&self.keep_recent),
            summary_route: self.summary_route.trim().to_owned(),
        })
    }
}

/// What is done, in a sentence.
fn hint(way: Option<WhenFull>) -> &'static str {
    match way {
        None => {
            "A model of which it is known how much it holds is passed over by what is longer. Programs that shorten their own conversations are best left so."
        }
        Some(WhenFull::Refuse) => "Nothing is sent, and who asks is told how long it is.",
        Some(WhenFull::Prune) => {
            "Old results of tools are left out first, then old turns. The task, the newest turns and what is pinned stay, and every answer says what was left out."
        }
        Some(WhenFull::Summarize) => {
            "The same, and a model writes a summary of the turns that go. That costs a call now and then."
        }
    }
}

/// The controls. Numbers are there while something is to be done.
#[component]
pub fn ContextFields(
    /// What the ids of the controls begin with.
    prefix: &'static str,
    #[prop(into)] value: Bound<ContextForm>,
    /// What is offered for nothing to be said; `None` where something always is.
    #[prop(optional)]
    without: Option<&'static str>,
    /// What is wrong with the window, the messages that stay and who summarizes.
    errors: [Signal<Option<String>>; 3],
) -> impl IntoView {
    let part = move |get: fn(&ContextForm) -> &String, set: fn(&mut ContextForm, String)| {
        let read = Memo::new(move |_| value.get.with(|form| get(form).clone()));
        let write = move |text: String| {
            let mut form = value.get.get_untracked();
            set(&mut form, text);
            value.set.run(form);
        };
        Bound::from((read.into(), Callback::new(write)))
    };
    let way = Memo::new(move |_| value.get.with(|form| WhenFull::parse(&form.when_full)));
    let nothing = without.map(|label| Choice::new("", label));
    let ways = WhenFull::ALL.into_iter().map(|way| Choice::new(way.as_str(), way.label()));
    let choices: Vec<Choice> = nothing.into_iter().chain(ways).collect();
    let [window, keep_recent, summary_route] = errors;
    view! {
        <Select
            id=format!("{prefix}-context") label="When a conversation gets too long" choices=Signal::stored(choices)
            value=part(|form| &form.when_full, |form, value| form.when_full = value)
            hint=Signal::derive(move || Some(hint(way.get()).to_owned()))
        />
        <Show when=move || way.get().is_some()>
            <div class="grid pair">
                <TextInput
                    id=format!("{prefix}-window") label="Too long from, in tokens" error=window attr:inputmode="numeric"
                    value=part(|form| &form.window, |form, value| form.window = value)
                    hint=Some("With the answer, by an estimate. A model that holds less counts with what it holds.".to_owned())
                />
                <Show when=move || way.get() != Some(WhenFull::Refuse)>
                    <TextInput
                        id=format!("{prefix}-keep") label="Newest messages that stay" error=keep_recent attr:inputmode="numeric"
                        value=part(|form| &form.keep_recent, |form, value| form.keep_recent = value)
                        hint=Some("A tool's call and its result are two.".to_owned())
                    />
                </Show>
            </div>
        </Show>
        <Show when=move || way.get() == Some(WhenFull::Summarize)>
            <TextInput
                id=format!("{prefix}-summary") label="Who summarizes" mono=true aside=Some("optional".to_owned()) error=summary_route
                value=part(|form| &form.summary_route, |form, value| form.summary_route = value)
                hint=Some("A route, a model, or provider/model. Empty: who is asked anyway.".to_owned())
            />
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_back_as_it_was() {
        let rule = ContextRule {
            when_full: WhenFull::Summarize,
            window: 8_000,
            keep_recent: 3,
            summary_route: "cheap".into(),
        };
        assert_eq!(ContextForm::of(Some(&rule)).rule(), Some(rule));
        assert_eq!(ContextForm::of(None).rule(), None);
    }

    #[test]
    fn what_is_no_number_is_left_to_the_server_to_refuse() {
        let form = ContextForm {
            window: "much".into(),
            keep_recent: "1,0".into(),
            ..ContextForm::of(Some(&ContextRule::default()))
        };
        let rule = form.rule().unwrap();
        assert_eq!((rule.window, rule.keep_recent), (0, 10));
    }
}
