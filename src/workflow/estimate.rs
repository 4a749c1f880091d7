//! What a workflow may cost before its first run: what its draft would ask, of whom, and how often.

use std::collections::HashMap;

use serde_json::Value;

use super::store::run::find_draft;
use super::{Error, steps};
use crate::agents;
use crate::gateway;
use crate::model::WorkflowId;
use crate::model::auth::Action;
use crate::model::gateway::{Asks, CostEstimate, Quote, TokensBy, estimate_tokens, own_texts};
use crate::model::workflow::Step;
use crate::model::workflow::kind::Kind;
use crate::runtime::Ctx;

/// Iterations that are reckoned with where nobody knows how many there will be.
const ITERATIONS: i64 = 10;
/// Iterations of a `repeat` that does not say how many at the most.
const USUAL_REPEATS: i64 = 100;

/// What is found on the way through a definition.
struct Walk<'a> {
    ctx: &'a Ctx,
    /// By what is asked for.
    quotes: HashMap<String, Quote>,
    asks: Vec<(Asks, Quote)>,
}

/// Where a step stands: the path of what is around it, and how often that runs.
#[derive(Clone)]
struct Around {
    path: Vec<String>,
    times: (i64, i64),
    /// Why it may run several times, in words.
    why: Vec<String>,
}

/// What a run of a workflow's draft may cost, step by step, with a span and how it was reckoned. Runs that it starts are not in it.
///
/// # Errors
/// [`Error::Denied`], [`Error::NotFound`], or the database's.
pub async fn estimate_cost(ctx: &Ctx, workflow: WorkflowId) -> Result<CostEstimate, Error> {
    ctx.authorize(Action::ReadUsage)?;
    let draft = find_draft(&ctx.db, ctx.workspace(), workflow).await?.ok_or(Error::NotFound("workflow"))?;
    let mut walk = Walk { ctx, quotes: HashMap::new(), asks: Vec::new() };
    // Containers that are still to be looked into, instead of a call within a call.
    let mut open = vec![(Around { path: Vec::new(), times: (1, 1), why: Vec::new() }, draft.steps)];
    let mut starts_others = false;
    while let Some((around, steps)) = open.pop() {
        for step in steps {
            if step.disabled || step.pinned.is_some() {
                continue;
            }
            starts_others |= step.kind == "workflow" && step.body.is_none();
            if Kind::find(&step.kind).is_some_and(Kind::calls_models) {
                walk.add(&around, &step).await?;
            }
            let inside = around.inside(&step);
            if let Some(body) = step.body {
                open.push((inside, body.steps));
            }
        }
    }
    let mut estimate = CostEstimate::of(walk.asks);
    if starts_others {
        estimate.assumes.push("What runs of other workflows cost is not in it.".to_owned());
    }
    Ok(estimate)
}

impl Around {
    /// Around what stands in this container.
    fn inside(&self, container: &Step) -> Self {
        let (mut times, mut why) = (self.times, self.why.clone());
        let id = &container.id;
        let known = |name: &str| container.config.get(name).and_then(Value::as_i64);
        match container.kind.as_str() {
            "map" => match container.config.get("items") {
                Some(Value::Array(items)) => {
                    let count = items.len() as i64;
                    times = (times.0.saturating_mul(count), times.1.saturating_mul(count));
                    why.push(format!("{id} has {count} items"));
                }
                _ => {
                    times.1 = times.1.saturating_mul(ITERATIONS);
                    why.push(format!("{id} is taken to have 1 to {ITERATIONS} items"));
                }
            },
            "repeat" => {
                let most = known("max_iterations").unwrap_or(USUAL_REPEATS).max(1);
                times.1 = times.1.saturating_mul(most);
                why.push(format!("{id} repeats 1 to {most} times"));
            }
            _ => {}
        }
        let path = self.path.iter().chain([id]).cloned().collect();
        Self { path, times, why }
    }
}

impl Walk<'_> {
    async fn add(&mut self, around: &Around, step: &Step) -> Result<(), Error> {
        let path: Vec<&str> = around.path.iter().map(String::as_str).chain([step.id.as_str()]).collect();
        let (mut texts, templates) = own_texts(&step.config);
        let mut asks = Asks {
            step: path.join("."),
            tokens: 0,
            tokens_by: TokensBy::Estimate,
            templates,
            max_tokens: step.config.get("max_tokens").and_then(Value::as_i64).filter(|tokens| *tokens > 0),
            calls: around.times,
            limits: (None, None),
            why_calls: String::new(),
        };
        let mut why = around.why.clone();
        let text = |name: &str| step.config.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let asked = if step.kind == "agent" {
            self.add_agent(&text("agent"), (&mut asks, &mut texts), &mut why).await?
        } else {
            if let Some(repairs) = repairs(step) {
                asks.calls.1 = asks.calls.1.saturating_mul(1 + repairs);
                why.push(format!("asked again up to {repairs} times where the answer does not fit"));
            }
            let route = text("route");
            Some(if route.is_empty() { text("model") } else { route })
        };
        asks.why_calls = why.join("; ");
        let quote = match asked {
            Some(name) => self.quote(name).await?,
            None => Quote::default(),
        };
        (asks.tokens, asks.tokens_by) = self.count(&texts, &quote).await?;
        self.asks.push((asks, quote));
        Ok(())
    }

    /// Tokens of a step's own words for who would be asked.
    async fn count(&self, texts: &[String], quote: &Quote) -> Result<(i64, TokensBy), Error> {
        let counted = gateway::count_texts(self.ctx, texts, &quote.model).await;
        let counted = counted.map_err(|error| Error::Other(error.into()))?;
        if counted.by == TokensBy::Estimate {
            // Of all together: each by itself would be rounded up.
            let chars = texts.iter().map(|text| text.chars().count() as u64).sum();
            return Ok((estimate_tokens(chars), counted.by));
        }
        Ok((counted.input_tokens, counted.by))
    }

    /// What an agent brings along: its persona and its limits. Gives what it asks for; `None` where nobody knows the agent.
    async fn add_agent(
        &self,
        name: &str,
        (asks, texts): (&mut Asks, &mut Vec<String>),
        why: &mut Vec<String>,
    ) -> Result<Option<String>, Error> {
        let agent = match agents::find_by_name(self.ctx, name).await {
            Ok(agent) => agent,
            Err(agents::Error::NotFound(_) | agents::Error::Denied(_)) => {
                why.push(format!("the agent {name:?} is not known"));
                return Ok(None);
            }
            Err(error) => return Err(Error::Other(error.into())),
        };
        let limits = agent.spec.limits;
        let runs = asks.calls.1;
        texts.push(agent.spec.persona.clone());
        asks.max_tokens = agent.spec.max_tokens.map(i64::from);
        asks.calls.1 = runs.saturating_mul(i64::from(limits.turns));
        asks.limits =
            (Some(runs.saturating_mul(limits.tokens)), limits.cost_micros.map(|micros| runs.saturating_mul(micros)));
        why.push(format!("the agent calls its model 1 to {} times, as its limits allow", limits.turns));
        Ok(Some(agent.spec.model))
    }

    async fn quote(&mut self, name: String) -> Result<Quote, Error> {
        if let Some(known) = self.quotes.get(&name) {
            return Ok(known.clone());
        }
        let quote = gateway::quote(self.ctx, &name).await.map_err(|error| Error::Other(error.into()))?;
        self.quotes.insert(name, quote.clone());
        Ok(quote)
    }
}

/// How often an answer that does not fit is asked for again; `None` where none is checked.
fn repairs(step: &Step) -> Option<i64> {
    let is_checked =
        matches!(step.kind.as_str(), "classify" | "extract") || step.config.get("schema").is_some_and(has_words);
    let said = step.config.get("repairs").and_then(Value::as_i64);
    let repairs = said.unwrap_or(i64::from(steps::USUAL_REPAIRS)).clamp(0, 5);
    (is_checked && repairs > 0).then_some(repairs)
}

fn has_words(schema: &Value) -> bool {
    match schema {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}
