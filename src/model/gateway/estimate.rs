//! What a workflow may cost before it has ever run: reckoned from the words of its steps, from limits, and from how long answers of
//! the model usually are. Pure, and no more than that: each number comes with how it was reckoned.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::price::Price;
use super::response::Usage;
use super::tokens::TokensBy;

/// Tokens that one template is taken to put in, at most: about three pages.
pub const TEMPLATE_TOKENS: i64 = 2_000;
/// Tokens of an answer where nothing is known of it, at the least and at the most; budgets expect as much.
pub const UNKNOWN_OUTPUT: (i64, i64) = (64, 1_024);
/// Tokens of what stands around the words of a call.
const FRAME_TOKENS: i64 = 8;
/// Fields of a step that a model reads.
const READ: [&str; 6] = ["system", "prompt", "instructions", "text", "labels", "schema"];

/// Who would be asked, and what is known of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quote {
    /// As `provider/model`; empty where nobody could be asked.
    pub name: String,
    /// The model alone.
    pub model: String,
    /// What the model costs now.
    pub price: Option<Price>,
    /// Tokens that its answers in this workspace usually have.
    pub usual_output: Option<i64>,
}

/// The words of a step that a model reads: characters of its own, and how many templates put in more.
pub fn own_words(config: &Map<String, Value>) -> (u64, u32) {
    let (texts, templates) = own_texts(config);
    (texts.iter().map(|text| text.chars().count() as u64).sum(), templates)
}

/// The same as texts: what stands before, between and behind its templates.
pub fn own_texts(config: &Map<String, Value>) -> (Vec<String>, u32) {
    let texts = READ.iter().filter_map(|name| config.get(*name)).map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let (mut own, mut templates) = (Vec::new(), 0);
    for text in texts {
        let mut rest = text.as_str();
        while let Some((before, template)) = rest.split_once("{{") {
            templates += 1;
            own.push(before.to_owned());
            rest = template.split_once("}}").map_or("", |(_, after)| after);
        }
        own.push(rest.to_owned());
    }
    own.retain(|text| !text.is_empty());
    (own, templates)
}

/// What is known of a step before it ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    /// The step's path in the definition, such as `each.ask`.
    pub step: String,
    /// Tokens that a call reads in any case.
    pub tokens: i64,
    /// How those were reckoned.
    pub tokens_by: TokensBy,
    /// What is filled in by the run.
    pub templates: u32,
    /// Tokens of an answer at most, where the step says so.
    pub max_tokens: Option<i64>,
    /// Calls of one run, at the least and at the most.
    pub calls: (i64, i64),
    /// Tokens of all its calls and their cost in millionths of a US dollar, at the most, where something limits them.
    pub limits: (Option<i64>, Option<i64>),
    /// Why there may be several calls, in words; empty for one.
    pub why_calls: String,
}

/// What one step may cost in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepEstimate {
    /// The step's path in the definition, such as `each.ask`.
    pub step: String,
    /// Who would be asked first, as `provider/model`; empty where nobody could be.
    pub model: String,
    /// How many calls, at the least.
    pub least_calls: i64,
    /// And at the most.
    pub most_calls: i64,
    /// What they take, at the least.
    pub least: Usage,
    /// And at the most.
    pub most: Usage,
    /// Millionths of a US dollar, at the least; absent where the model has no price.
    pub least_micros: Option<i64>,
    /// And at the most.
    pub most_micros: Option<i64>,
    /// How the tokens that it reads of its own words were reckoned: by the model's own vocabulary, or by an estimate.
    #[serde(default)]
    pub reads_by: TokensBy,
    /// How that was reckoned, in a sentence.
    pub how: String,
}

/// What a run may cost, before there was one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostEstimate {
    /// Millionths of a US dollar, at the least, of the steps whose model has a price.
    pub least_micros: i64,
    /// And at the most.
    pub most_micros: i64,
    /// Steps whose model has no price, or for which nobody could be asked: the costs lack them.
    pub unpriced: u32,
    /// Each step that calls a model, the dearest first.
    pub steps: Vec<StepEstimate>,
    /// What was taken for granted, in sentences.
    pub assumes: Vec<String>,
}

impl CostEstimate {
    /// Reckons; each step with whom it would ask.
    pub fn of(asks: Vec<(Asks, Quote)>) -> Self {
        let mut steps: Vec<StepEstimate> = asks.iter().map(|(asks, quote)| step(asks, quote)).collect();
        steps.sort_by(|a, b| b.most_micros.cmp(&a.most_micros).then_with(|| a.step.cmp(&b.step)));
        let sum = |of: fn(&StepEstimate) -> Option<i64>| steps.iter().filter_map(of).fold(0_i64, i64::saturating_add);
        let (least_micros, most_micros) = (sum(|step| step.least_micros), sum(|step| step.most_micros));
        let unpriced = steps.iter().filter(|step| step.most_micros.is_none()).count() as u32;
        let mut assumes = vec!["Every step runs, and the first model of a route answers.".to_owned()];
        if asks.iter().any(|(asks, _)| asks.tokens_by == TokensBy::Estimate) {
            assumes.push("A token is four characters, where the model's own vocabulary is not known.".to_owned());
        }
        if asks.iter().any(|(asks, _)| asks.templates > 0) {
            assumes.push(format!("A template puts in 0 to {TEMPLATE_TOKENS} tokens."));
        }
        Self { least_micros, most_micros, unpriced, steps, assumes }
    }

    /// What a step may cost, by its path in the definition.
    pub fn step(&self, path: &str) -> Option<&StepEstimate> {
        self.steps.iter().find(|step| step.step == path)
    }
}

fn step(asks: &Asks, quote: &Quote) -> StepEstimate {
    let words = asks.tokens.saturating_add(FRAME_TOKENS);
    let filled = words + i64::from(asks.templates) * TEMPLATE_TOKENS;
    let (mut low, mut high) = match quote.usual_output {
        Some(usual) => ((usual / 2).max(1), usual.saturating_mul(2).max(1)),
        None => UNKNOWN_OUTPUT,
    };
    if let Some(most) = asks.max_tokens {
        (low, high) = (low.min(most), high.min(most));
    }
    let (least_calls, most_calls) = asks.calls;
    let usage = |calls: i64, input: i64, output: i64| Usage {
        input: calls.saturating_mul(input),
        output: calls.saturating_mul(output),
        ..Usage::default()
    };
    let least = usage(least_calls, words, low);
    let mut most = usage(most_calls, filled, high);
    let (most_tokens, most_cost) = asks.limits;
    if let Some(tokens) = most_tokens {
        // What each call writes the next one reads: they read as much as they may.
        most.output = most.output.min(tokens);
        most.input = tokens - most.output;
    }
    let cost = |usage: Usage| quote.price.as_ref().map(|price| price.cost_micros(usage));
    let most_micros = cost(most).map(|micros| most_cost.map_or(micros, |limit| micros.min(limit)));
    let least_micros = cost(least).map(|micros| most_micros.map_or(micros, |most| micros.min(most)));
    StepEstimate {
        step: asks.step.clone(),
        model: quote.name.clone(),
        least_calls,
        most_calls,
        least,
        most,
        least_micros,
        most_micros,
        reads_by: asks.tokens_by,
        how: how(asks, quote, (words, low, high)),
    }
}

fn how(asks: &Asks, quote: &Quote, (words, low, high): (i64, i64, i64)) -> String {
    let counted = if asks.tokens_by == TokensBy::Tokenizer { ", counted by the model's vocabulary" } else { "" };
    let mut parts = vec![format!("reads {words} tokens of its own{counted}")];
    match asks.templates {
        0 => {}
        1 => parts.push("and what its template puts in".to_owned()),
        many => parts.push(format!("and what its {many} templates put in")),
    }
    let from = match (quote.usual_output, asks.max_tokens) {
        (Some(_), _) => "half to twice what this model usually writes here",
        (None, Some(most)) if most <= UNKNOWN_OUTPUT.1 => "up to its limit",
        (None, _) => "as nothing is known of its answers",
    };
    let mut said = format!("{}; writes {low} to {high} tokens, {from}", parts.join(" "));
    if !asks.why_calls.is_empty() {
        said.push_str("; ");
        said.push_str(&asks.why_calls);
    }
    if quote.name.is_empty() {
        said.push_str("; nobody could be asked");
    } else if quote.price.is_none() {
        said.push_str("; the model has no price");
    }
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::model::{PriceId, ProviderId, Timestamp};

    fn quote(usual_output: Option<i64>) -> Quote {
        let price = Price {
            id: PriceId(Uuid::nil()),
            provider_id: ProviderId(Uuid::nil()),
            model: "big".into(),
            from: Timestamp(0),
            input: 1_000_000,
            output: 10_000_000,
            cache_read: None,
            cache_write: None,
            cache_write_hour: None,
        };
        Quote { name: "acme/big".into(), model: "big".into(), price: Some(price), usual_output }
    }

    fn asks(step: &str) -> Asks {
        Asks {
            step: step.into(),
            tokens: 92,
            tokens_by: TokensBy::Estimate,
            templates: 0,
            max_tokens: None,
            calls: (1, 1),
            limits: (None, None),
            why_calls: String::new(),
        }
    }

    #[test]
    fn a_step_costs_its_words_and_an_answer() {
        let estimate = CostEstimate::of(vec![(asks("ask"), quote(None))]);
        // 100 read, and 64 to 1,024 written at ten times the price.
        assert_eq!((estimate.least_micros, estimate.most_micros, estimate.unpriced), (740, 10_340, 0));
        let known = CostEstimate::of(vec![(Asks { max_tokens: Some(150), ..asks("ask") }, quote(Some(100)))]);
        assert_eq!((known.least_micros, known.most_micros), (600, 1_600), "half to twice, and never beyond the limit");
        assert!(known.steps[0].how.ends_with("half to twice what this model usually writes here"));
    }

    #[test]
    fn what_a_run_fills_in_and_how_often_it_asks_widens_the_span() {
        let wide = Asks { templates: 2, calls: (1, 3), ..asks("ask") };
        let estimate = CostEstimate::of(vec![(wide, quote(None))]);
        let step = estimate.step("ask").unwrap();
        assert_eq!((step.least.input, step.most.input, step.most.output), (100, 3 * 4_100, 3 * 1_024));
        assert_eq!(estimate.assumes.len(), 3);
    }

    #[test]
    fn limits_of_an_agent_hold() {
        let limited = Asks { calls: (1, 30), limits: (Some(50_000), Some(9_000)), ..asks("work") };
        let estimate = CostEstimate::of(vec![(limited, quote(None))]);
        let most = estimate.steps[0].most;
        assert_eq!((most.input + most.output, estimate.most_micros), (50_000, 9_000));
    }

    #[test]
    fn without_a_price_nothing_is_made_up() {
        let unpriced = Quote { price: None, ..quote(None) };
        let estimate =
            CostEstimate::of(vec![(asks("a"), unpriced), (asks("b"), quote(None)), (asks("c"), Quote::default())]);
        assert_eq!((estimate.unpriced, estimate.steps[0].step.as_str()), (2, "b"));
        assert!(estimate.step("a").unwrap().how.ends_with("the model has no price"));
        assert!(estimate.step("c").unwrap().how.ends_with("nobody could be asked"));
    }

    #[test]
    fn what_was_counted_is_told_from_what_was_guessed() {
        let counted = Asks { tokens_by: TokensBy::Tokenizer, ..asks("ask") };
        let estimate = CostEstimate::of(vec![(counted, quote(None))]);
        assert_eq!((estimate.steps[0].reads_by, estimate.assumes.len()), (TokensBy::Tokenizer, 1));
        assert!(estimate.steps[0].how.starts_with("reads 100 tokens of its own, counted by the model's vocabulary; "));
        let guessed = CostEstimate::of(vec![(asks("ask"), quote(None))]);
        assert!(guessed.assumes[1].starts_with("A token is four characters"), "{:?}", guessed.assumes);
    }

    #[test]
    fn words_are_counted_without_what_is_put_in() {
        let config = json!({"prompt": "four{{ inputs.a }}four{{ inputs.b }}", "model": "ignored"});
        assert_eq!(own_words(config.as_object().unwrap()), (8, 2));
        assert_eq!(own_texts(config.as_object().unwrap()), (vec!["four".to_owned(), "four".to_owned()], 2));
    }
}
