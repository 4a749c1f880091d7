//! How long a conversation may get, what is done once it is longer, and what was done.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tokens::TokensBy;
use crate::model::FieldError;

/// Tokens that a conversation and its answer may have where nobody says otherwise.
pub const USUAL_WINDOW: u32 = 100_000;
/// Messages at the end that stay where nobody says otherwise: three calls of tools with what they gave.
pub const USUAL_RECENT: u32 = 6;
/// The smallest window: below, a task and its tools leave no room for a conversation.
pub const LEAST_WINDOW: u32 = 2_000;
/// The largest window, beyond what any model holds.
pub const MOST_WINDOW: u32 = 10_000_000;
/// Most messages at the end that stay.
pub const MOST_RECENT: u32 = 100;
/// Most things that the person said which a caller may pin.
const MOST_PINS: usize = 50;
/// Characters of a name: room for `provider/model` of the longest names of both.
const MAX_NAME: usize = 261;

/// What is done with a conversation that is longer than its window.
// Its name in the OpenAPI document is another: `WhenFull` is there what becomes of a run whose key is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = WhenWindowFull)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// It is not sent; who asks is told how long it is.
    Refuse,
    /// Old results of tools are left out, then old turns.
    #[default]
    Prune,
    /// The same, but what goes is summarized by a model.
    Summarize,
}

impl WhenFull {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Refuse, Self::Prune, Self::Summarize];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Prune => "prune",
            Self::Summarize => "summarize",
        }
    }

    /// Reads [`WhenFull::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == text)
    }

    /// As people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Refuse => "The call is refused",
            Self::Prune => "Old turns are left out",
            Self::Summarize => "Old turns are summarized",
        }
    }
}

/// How long a conversation may get, and what is done once it is longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContextRule {
    /// What is done.
    pub when_full: WhenFull,
    /// Tokens of the request and its answer together, by an estimate, 2,000..=10,000,000. A model that holds less counts with
    /// what it holds.
    pub window: u32,
    /// Messages at the end that stay, 1..=100.
    pub keep_recent: u32,
    /// Who summarizes: a route, `provider/model`, or a model; empty: what was asked for.
    pub summary_route: String,
}

impl Default for ContextRule {
    fn default() -> Self {
        Self {
            when_full: WhenFull::default(),
            window: USUAL_WINDOW,
            keep_recent: USUAL_RECENT,
            summary_route: String::new(),
        }
    }
}

impl ContextRule {
    /// Whether it is what holds where nobody says otherwise.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What does not fit, by its place below `at`.
    pub fn faults(&self, at: &str) -> Vec<FieldError> {
        let mut found = Vec::new();
        for (name, value, least, most) in
            [("window", self.window, LEAST_WINDOW, MOST_WINDOW), ("keep_recent", self.keep_recent, 1, MOST_RECENT)]
        {
            if !(least..=most).contains(&value) {
                let message = format!("expected a whole number from {least} to {most}");
                found.push(FieldError::new(format!("{at}/{name}"), message));
            }
        }
        let name = &self.summary_route;
        if name.chars().count() > MAX_NAME || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            let message = format!("expected at most {MAX_NAME} characters without blanks, or nothing");
            found.push(FieldError::new(format!("{at}/summary_route"), message));
        }
        found
    }
}

/// What one caller says of its own conversation; what is absent is as its route has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContextWish {
    /// What is done once it is too long.
    pub when_full: Option<WhenFull>,
    /// Tokens at most. It never widens the window of a route.
    pub window: Option<u32>,
    /// Messages at the end that stay.
    pub keep_recent: Option<u32>,
    /// Who summarizes.
    pub summary_route: String,
    /// Which of the things that the person said stay, counted from 1; what tools gave is not counted.
    pub pinned: Vec<u32>,
}

impl ContextWish {
    /// Reads the header `x-weft-context`: `refuse`, `prune` or `summarize`, `window=TOKENS`, `keep=MESSAGES` and `pin=N`, with commas
    /// between.
    ///
    /// # Errors
    /// What was found and what was expected.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut wish = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let lower = word.to_ascii_lowercase();
            let short = || word.chars().take(40).collect::<String>();
            let number = |text: &str, least: u32, most: u32| {
                let number = text.trim().parse::<u32>().ok().filter(|number| (least..=most).contains(number));
                number.ok_or_else(|| format!("expected a whole number from {least} to {most}, found {:?}", short()))
            };
            match lower.split_once('=') {
                Some(("window", value)) => wish.window = Some(number(value, LEAST_WINDOW, MOST_WINDOW)?),
                Some(("keep", value)) => wish.keep_recent = Some(number(value, 1, MOST_RECENT)?),
                Some(("pin", value)) => wish.pinned.push(number(value, 1, u32::MAX)?),
                _ => match (WhenFull::parse(&lower), wish.when_full) {
                    (Some(way), None) => wish.when_full = Some(way),
                    (Some(way), Some(before)) if way == before => {}
                    (Some(_), Some(_)) => {
                        return Err("expected one of refuse, prune and summarize, found two".to_owned());
                    }
                    (None, _) => {
                        let expected = "expected refuse, prune, summarize, window=TOKENS, keep=MESSAGES or pin=N";
                        return Err(format!("{expected}, found {:?}", short()));
                    }
                },
            }
        }
        if wish.pinned.len() > MOST_PINS {
            return Err(format!("expected at most {MOST_PINS} pins, found {}", wish.pinned.len()));
        }
        Ok(wish)
    }

    /// What a caller with a rule of its own says: all of it, and that the first thing said, its task, stays.
    pub fn of(rule: &ContextRule) -> Self {
        Self {
            when_full: Some(rule.when_full),
            window: Some(rule.window),
            keep_recent: Some(rule.keep_recent),
            summary_route: rule.summary_route.clone(),
            pinned: vec![1],
        }
    }

    /// What holds for the call: what the caller says, within the window of its route. `None`: nobody says anything, and only what a
    /// model is known to hold counts.
    pub fn over(&self, route: Option<&ContextRule>) -> Option<ContextRule> {
        let says_nothing = self.when_full.is_none() && self.window.is_none() && self.keep_recent.is_none();
        if says_nothing {
            return route.cloned();
        }
        let base = route.cloned().unwrap_or_default();
        let window = match (self.window, route) {
            (Some(own), Some(route)) => own.min(route.window),
            (Some(own), None) => own,
            (None, _) => base.window,
        };
        let summary_route = if self.summary_route.is_empty() { base.summary_route } else { self.summary_route.clone() };
        Some(ContextRule {
            when_full: self.when_full.unwrap_or(base.when_full),
            window,
            keep_recent: self.keep_recent.unwrap_or(base.keep_recent),
            summary_route,
        })
    }
}

/// What a step says of the conversations of its calls; what is absent is as its agent or its route has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StepContext {
    /// What is done once one is too long.
    pub when_full: Option<WhenFull>,
    /// Tokens at most.
    pub window: Option<u32>,
    /// Messages at the end that stay.
    pub keep_recent: Option<u32>,
    /// Who summarizes.
    pub summary_route: String,
}

impl StepContext {
    /// What does not fit, by its place below `at`.
    pub fn faults(&self, at: &str) -> Vec<FieldError> {
        self.over(&ContextRule { window: MOST_WINDOW, ..ContextRule::default() }).faults(at)
    }

    /// What its calls say to the gateway. The task stays, whatever came after it.
    pub fn wish(&self) -> ContextWish {
        let Self { when_full, window, keep_recent, .. } = *self;
        let says_nothing = *self == Self::default();
        let pinned = if says_nothing { Vec::new() } else { vec![1] };
        ContextWish { when_full, window, keep_recent, summary_route: self.summary_route.clone(), pinned }
    }

    /// What holds for an agent that has a rule of its own, whose window is never widened.
    pub fn over(&self, own: &ContextRule) -> ContextRule {
        let summary_route = if self.summary_route.is_empty() { &own.summary_route } else { &self.summary_route };
        ContextRule {
            when_full: self.when_full.unwrap_or(own.when_full),
            window: self.window.map_or(own.window, |window| window.min(own.window)),
            keep_recent: self.keep_recent.unwrap_or(own.keep_recent),
            summary_route: summary_route.clone(),
        }
    }
}

/// What was left out of a conversation before it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContextUse {
    /// The window that it had to fit, with its answer.
    pub window: i64,
    /// Messages that were left out.
    pub turns: u32,
    /// Results of tools that were left out of messages that stayed.
    pub results: u32,
    /// Tokens less than before.
    pub tokens: i64,
    /// How those were reckoned: by the vocabulary of the model, or by an estimate.
    #[serde(default = "by_estimate")]
    pub by: TokensBy,
    /// Whether a summary stands in the place of the messages.
    pub summarized: bool,
    /// Why there is none, where one was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_summarized: Option<String>,
}

/// How tokens were reckoned before there was another way.
const fn by_estimate() -> TokensBy {
    TokensBy::Estimate
}

impl ContextUse {
    /// As the header `x-weft-context` has it, such as `summarized; turns=12, results=3, tokens=34000, window=100000`.
    pub fn header(&self) -> String {
        let what = if self.summarized { "summarized" } else { "pruned" };
        let Self { turns, results, tokens, window, .. } = self;
        format!("{what}; turns={turns}, results={results}, tokens={tokens}, window={window}")
    }

    /// For people, such as "12 turns and 3 results of tools were left out, some 34000 tokens; a summary stands for the turns".
    pub fn words(&self) -> String {
        let count = |n: u32, one: &str, many: &str| match n {
            0 => None,
            1 => Some(format!("1 {one}")),
            n => Some(format!("{n} {many}")),
        };
        let parts = [count(self.turns, "turn", "turns"), count(self.results, "result of a tool", "results of tools")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let verb = if self.turns + self.results == 1 { "was" } else { "were" };
        let some = if self.by == TokensBy::Estimate { "some " } else { "" };
        let mut words = format!("{} {verb} left out, {some}{} tokens", parts.join(" and "), self.tokens);
        if self.summarized {
            words.push_str("; a summary stands for the turns");
        }
        if let Some(why) = &self.not_summarized {
            words.push_str("; no summary could be had: ");
            words.push_str(why);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_is_done_and_how_much_stays() {
        let wish = ContextWish::read("Summarize, window=50000,keep=4, pin=1,pin=3").unwrap();
        assert_eq!((wish.when_full, wish.window, wish.keep_recent), (Some(WhenFull::Summarize), Some(50_000), Some(4)));
        assert_eq!(wish.pinned, [1, 3]);
        assert_eq!(ContextWish::read(" , "), Ok(ContextWish::default()));
        assert!(ContextWish::read("drop").unwrap_err().contains("found \"drop\""));
        assert!(ContextWish::read("window=10").unwrap_err().contains("from 2000"));
        assert!(ContextWish::read("pin=0").unwrap_err().contains("from 1"));
        assert!(ContextWish::read("prune, refuse").unwrap_err().contains("found two"));
        assert!(ContextWish::read(&"pin=1,".repeat(51)).unwrap_err().contains("at most 50"));
    }

    #[test]
    fn a_caller_says_what_is_done_within_the_window_of_its_route() {
        let route = ContextRule { when_full: WhenFull::Refuse, window: 50_000, ..ContextRule::default() };
        let nothing = ContextWish::default();
        assert_eq!(nothing.over(None), None, "nobody says anything");
        assert_eq!(nothing.over(Some(&route)), Some(route.clone()));
        let wish = ContextWish::of(&ContextRule::default());
        assert_eq!(wish.over(None), Some(ContextRule::default()));
        let both = wish.over(Some(&route)).unwrap();
        assert_eq!((both.when_full, both.window), (WhenFull::Prune, 50_000), "a window is not widened");
        let narrow = ContextWish { window: Some(8_000), ..ContextWish::default() };
        let both = narrow.over(Some(&route)).unwrap();
        assert_eq!((both.when_full, both.window), (WhenFull::Refuse, 8_000));
        assert_eq!(ContextWish { pinned: vec![1], ..nothing }.over(None), None, "a pin alone asks for nothing");
    }

    #[test]
    fn a_step_says_what_it_wants_within_the_window_of_its_agent() {
        let own = ContextRule { window: 50_000, summary_route: "cheap".into(), ..ContextRule::default() };
        assert_eq!(StepContext::default().over(&own), own);
        assert_eq!(StepContext::default().wish(), ContextWish::default(), "nothing is said");
        let step = StepContext { when_full: Some(WhenFull::Refuse), window: Some(60_000), ..StepContext::default() };
        let both = step.over(&own);
        assert_eq!((both.when_full, both.window, both.summary_route.as_str()), (WhenFull::Refuse, 50_000, "cheap"));
        assert_eq!(StepContext { window: Some(8_000), ..step.clone() }.over(&own).window, 8_000);
        assert_eq!((step.wish().window, step.wish().pinned), (Some(60_000), vec![1]));
        let wrong = StepContext { window: Some(1_999), keep_recent: Some(0), ..StepContext::default() };
        let places: Vec<String> = wrong.faults("/context").into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(places, ["/context/window", "/context/keep_recent"]);
    }

    #[test]
    fn what_was_left_out_is_told_in_words() {
        let mut what =
            ContextUse { window: 8_000, turns: 1, tokens: 900, by: TokensBy::Tokenizer, ..ContextUse::default() };
        assert_eq!(what.words(), "1 turn was left out, 900 tokens");
        what.by = TokensBy::Estimate;
        assert_eq!(what.words(), "1 turn was left out, some 900 tokens");
        what = ContextUse { turns: 12, results: 3, tokens: 34_000, summarized: true, ..what };
        assert_eq!(
            what.words(),
            "12 turns and 3 results of tools were left out, some 34000 tokens; a summary stands for the turns"
        );
        assert_eq!(what.header(), "summarized; turns=12, results=3, tokens=34000, window=8000");
        what = ContextUse { summarized: false, not_summarized: Some("it rests".into()), ..what };
        assert!(what.words().ends_with("; no summary could be had: it rests"), "{}", what.words());
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_field() {
        let places =
            |rule: ContextRule| rule.faults("/context").into_iter().map(|fault| fault.pointer).collect::<Vec<String>>();
        assert_eq!(places(ContextRule::default()), [""; 0]);
        let rule = ContextRule { window: 1_999, keep_recent: 0, summary_route: "a b".into(), ..ContextRule::default() };
        assert_eq!(places(rule), ["/context/window", "/context/keep_recent", "/context/summary_route"]);
    }
}
