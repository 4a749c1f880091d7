//! `prompt`: one question to a model, through the gateway; with a schema, asked again while the answer does not fit.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, StepCall};
use crate::gateway::{self, Answered, Order};
use crate::model::AgentId;
use crate::model::cache::{CacheMode, CacheWish};
use crate::model::gateway::{
    Block, CallSource, ContextUse, ContextWish, Dialect, Fault, FaultClass, Message, Output, Request, Response, Role,
    StepContext, StopReason, Usage, format_usd,
};
use crate::model::workflow::StepError;
use crate::workflow::engine::Stream;

/// Times that an answer that does not fit is asked for again, where the step says nothing.
pub const REPAIRS: u32 = 2;
/// Reasons that are told to the model, and to people.
const MAX_REASONS: usize = 8;
/// Bytes that are gathered before they are printed, unless a line ends or it takes too long.
const PRINT_AT: usize = 120;
/// Milliseconds after which what has come is printed.
const PRINT_AFTER_MS: i64 = 500;

/// What is asked, and of whom.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PromptConfig {
    #[serde(default)]
    pub(super) prompt: String,
    #[serde(default)]
    pub(super) system: String,
    #[serde(default)]
    route: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    pub(super) schema: Value,
    #[serde(default)]
    repairs: Option<u32>,
    #[serde(default)]
    max_tokens: Option<u32>,
    #[serde(default)]
    temperature: Option<f64>,
    #[serde(default)]
    cache: String,
    #[serde(default)]
    depends_on: Value,
    #[serde(default)]
    context: Value,
}

/// What the calls of one attempt came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) usage: Usage,
    /// `None` once a call had no price.
    pub(super) cost_micros: Option<i64>,
    calls: u32,
    /// How many of them a kept answer was given for.
    cached: u32,
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) why: String,
    /// What was left out of the last conversation, so that it fits.
    pub(super) context: Option<ContextUse>,
}

/// One call to make.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) cache: CacheWish,
    pub(super) context: ContextWish,
    /// The agent, if one asks.
    pub(super) agent: Option<AgentId>,
}

/// Asks, and asks again while the answer does not fit its schema, at most `repairs` times.
pub async fn run(call: StepCall) -> Result<Outcome, StepError> {
    let config: PromptConfig = call.config()?;
    let mut tally = Tally::new();
    let said = converse(&call, &config, &mut tally).await?;
    Ok(Outcome::out(tally.told(json!({"text": said.text, "json": said.json, "stop": said.stop}))))
}

/// What a model said in the end.
#[derive(Debug)]
pub(super) struct Said {
    /// Its words.
    pub(super) text: String,
    /// The value that fits the schema; null without one.
    pub(super) json: Value,
    /// Why it ended there.
    pub(super) stop: StopReason,
}

/// One question, and the same again while its answer does not fit.
pub(super) async fn converse(call: &StepCall, config: &PromptConfig, tally: &mut Tally) -> Result<Said, StepError> {
    let schema = Some(&config.schema).filter(|schema| !schema.is_null() && **schema != json!(""));
    let validator = schema
        .map(jsonschema::validator_for)
        .transpose()
        .map_err(|error| StepError::permanent("config", format!("schema: expected a JSON Schema: {error}")))?;
    let mut request = build(config, schema);
    request.session = Some(call.run_id.to_string());
    let mut wish = wish(config)?;
    // An attempt that follows one that failed gets no answer again that may be why.
    wish.refresh = call.attempt > 1;
    let context = read_context(&config.context)?.wish();
    let repairs = config.repairs.unwrap_or(REPAIRS).min(5);
    let asked_before = tally.calls - tally.cached;
    loop {
        let kept_before = tally.cached;
        let asked = Asked { request: request.clone(), cache: wish.clone(), context: context.clone(), agent: None };
        let response = ask(call, asked, tally).await?;
        let text = response.text();
        if response.stop == StopReason::Refusal {
            let start: String = text.chars().take(300).collect();
            return Err(StepError::permanent("refused_by_model", format!("the model declined to answer: {start}")));
        }
        let Some(validator) = &validator else {
            return Ok(said(&response, text, Value::Null));
        };
        let reasons = match fit(&text, validator) {
            Ok(value) => return Ok(said(&response, text, value)),
            Err(reasons) => reasons,
        };
        if tally.cached > kept_before {
            call.log
                .write(
                    Stream::Log,
                    &format!("A kept answer does not fit the schema, and is asked for anew: {reasons}\n"),
                )
                .await;
            wish.refresh = true;
            continue;
        }
        if response.stop == StopReason::MaxTokens {
            let message = "the answer was cut at its limit of tokens before its JSON was complete; raise max_tokens";
            return Err(StepError::permanent("max_tokens", message));
        }
        let answers = (tally.calls - tally.cached) - asked_before;
        if answers > repairs {
            let message = format!("after {answers} answers none fits the schema: {reasons}");
            return Err(StepError::transient("schema", message));
        }
        call.log.write(Stream::Log, &format!("The answer does not fit the schema: {reasons}\n")).await;
        request.messages.push(Message::text(Role::Assistant, text));
        let again = format!(
            "That does not fit the JSON Schema: {reasons}\nAnswer again, with the whole JSON value and nothing else."
        );
        request.messages.push(Message::text(Role::User, again));
    }
}

fn build(config: &PromptConfig, schema: Option<&Value>) -> Request {
    let name = if config.route.is_empty() { &config.model } else { &config.route };
    let mut request = Request::new(Dialect::Anthropic, name.trim());
    if !config.system.is_empty() {
        request.system.push(Block::text(config.system.as_str()));
    }
    if let Some(schema) = schema {
        let words = format!("Answer with one JSON value that fits this JSON Schema, and with nothing else:\n{schema}");
        request.system.push(Block::text(words));
        let (name, schema) = (Some("answer".to_owned()), schema.clone());
        request.output = Some(Output::Schema { name, description: None, schema, strict: None });
        request.words_suffice = true;
    }
    request.messages.push(Message::text(Role::User, config.prompt.as_str()));
    request.max_tokens = config.max_tokens;
    request.sampling.temperature = config.temperature;
    request.stream = true;
    request
}

/// What the step wishes of the cache.
fn wish(config: &PromptConfig) -> Result<CacheWish, StepError> {
    let mode = match config.cache.trim() {
        "" => CacheMode::Auto,
        word => CacheMode::parse(word).ok_or_else(|| {
            StepError::permanent("config", format!("cache: expected auto, always or never, found {word:?}"))
        })?,
    };
    let depends_on = match &config.depends_on {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        list => serde_json::from_value(list.clone()).map_err(|error| {
            StepError::permanent("config", format!("depends_on: expected a list of kind, id and fingerprint: {error}"))
        })?,
    };
    CacheWish { mode, ..CacheWish::default() }.depending_on(depends_on).map_err(|faults| {
        let first = faults.first().map(|fault| format!("{}: {}", fault.pointer.trim_start_matches('/'), fault.message));
        StepError::permanent("config", first.unwrap_or_default())
    })
}

/// What a step says of conversations that get too long.
pub(super) fn read_context(value: &Value) -> Result<StepContext, StepError> {
    if value.is_null() || *value == json!("") {
        return Ok(StepContext::default());
    }
    let wrong = |why: String| StepError::permanent("config", format!("context: {why}"));
    let context: StepContext = serde_json::from_value(value.clone()).map_err(|error| wrong(error.to_string()))?;
    match context.faults("").first() {
        Some(fault) => Err(wrong(format!("{}: {}", fault.pointer.trim_start_matches('/'), fault.message))),
        None => Ok(context),
    }
}

/// One call, printed while it comes.
pub(super) async fn ask(call: &StepCall, asked: Asked, tally: &mut Tally) -> Result<Response, StepError> {
    let Asked { request, mut cache, context, agent } = asked;
    if !super::memory::may_depend(call, &cache.depends_on).await? {
        cache.mode = CacheMode::Never;
    }
    let step = Some((call.run_id, call.step.clone()));
    let on_behalf_of = call.started_by.as_ref().map(|(id, _)| *id);
    let cancelled = || StepError::transient("cancelled", "the call of the model was cancelled");
    // Dropped after the answer, which is in the log of calls by then.
    let _reserved = Box::pin(super::agent::reserve(call, &request)).await?;
    let order = Order { request, source: CallSource::Step, step, agent, on_behalf_of, cache, context };
    let answered = tokio::select! {
        answered = gateway::call(&call.ctx, order) => answered.map_err(failure)?,
        () = call.cancel.cancelled() => return Err(cancelled()),
    };
    let Answered::Live(mut live) = answered else {
        return Err(StepError::permanent("internal", "the gateway gave a whole answer where a stream was asked for"));
    };
    let (mut line, mut chars) = (String::new(), 0);
    let mut printed_at = call.ctx.clock.now();
    loop {
        let delta = tokio::select! {
            delta = live.next() => delta,
            () = call.cancel.cancelled() => return Err(cancelled()),
        };
        let Some(delta) = delta else { break };
        if let crate::model::gateway::Delta::Text { text, .. } = delta.map_err(|fault| told(&fault))? {
            chars += text.chars().count();
            call.progress.tell(&format!("{chars} characters answered"), None);
            line.push_str(&text);
            let now = call.ctx.clock.now();
            let end = ready(&line, now.ms_since(printed_at) >= PRINT_AFTER_MS);
            if end > 0 {
                let rest = line.split_off(end);
                call.log.write(Stream::Stdout, &std::mem::replace(&mut line, rest)).await;
                printed_at = now;
            }
        }
    }
    if !line.is_empty() {
        line.push('\n');
        call.log.write(Stream::Stdout, &line).await;
    }
    tally.calls += 1;
    tally.why = live.choice().why();
    tally.context.clone_from(&live.choice().context);
    tally.provider = live.choice().tried.last().map(|tried| tried.provider.clone()).unwrap_or_default();
    let (provider, model) = live.answerer();
    let (model, usage) = (model.to_owned(), live.usage_so_far());
    let cost = if live.is_kept() {
        tally.cached += 1;
        Some(0)
    } else {
        gateway::cost_micros(&call.ctx, provider, &model, usage).await.map_err(failure)?
    };
    tally.cost_micros = tally.cost_micros.zip(cost).map(|(sum, cost)| sum + cost);
    tally.usage = tally.usage.plus(usage);
    tally.model.clone_from(&model);
    Ok(Response { model, ..live.finish() })
}

/// How many bytes of what has come are printed: whole lines, else whole words once they are enough or have waited long enough.
fn ready(text: &str, is_due: bool) -> usize {
    let is_much = text.len() >= PRINT_AT;
    match (text.rfind('\n'), text.rfind(' ')) {
        (Some(end), _) => end + 1,
        (None, Some(end)) if is_due || is_much => end + 1,
        (None, None) if is_much => text.len(),
        _ => 0,
    }
}

fn said(response: &Response, text: String, json: Value) -> Said {
    Said { text: text.replace('\0', "\u{fffd}"), json, stop: response.stop.clone() }
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { cost_micros: Some(0), ..Self::default() }
    }

    /// Adds what the calls came to to the output of a step.
    pub(super) fn told(&self, mut output: Value) -> Value {
        let cost = self.cost_micros.and_then(|micros| format_usd(micros).parse::<f64>().ok());
        let calls = json!({
            "model": self.model,
            "provider": self.provider,
            "usage": self.usage,
            "cost_usd": cost,
            "calls": self.calls,
            "cached": self.cached,
            "why": self.why,
        });
        if let (Value::Object(output), Value::Object(calls)) = (&mut output, calls) {
            output.extend(calls);
            if let Some(left_out) = &self.context {
                output.insert("context".to_owned(), json!(left_out));
            }
        }
        output
    }
}

/// The JSON value in an answer, if it fits a schema; else why not.
pub(super) fn fit_schema(text: &str, schema: &Value) -> Result<Value, String> {
    let validator = jsonschema::validator_for(schema).map_err(|error| format!("the schema is none: {error}"))?;
    fit(text, &validator)
}

/// The JSON value in an answer, if it fits; else why not.
fn fit(text: &str, validator: &jsonschema::Validator) -> Result<Value, String> {
    let bare = unfenced(text);
    let value: Value = serde_json::from_str(bare).map_err(|error| format!("expected JSON: {error}"))?;
    let reasons: Vec<String> = validator
        .iter_errors(&value)
        .take(MAX_REASONS)
        .map(|error| match error.instance_path().to_string() {
            at if at.is_empty() => error.to_string(),
            at => format!("{at}: {error}"),
        })
        .collect();
    if reasons.is_empty() { Ok(value) } else { Err(reasons.join("; ")) }
}

/// Without the fence that models like to put around code.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inside) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return text };
    inside.split_once('\n').map_or(inside, |(_, body)| body).trim()
}

fn failure(error: gateway::Error) -> StepError {
    match error {
        gateway::Error::Fault(fault) => told(&fault),
        gateway::Error::Db(error) if error.is_transient() => StepError::transient("unavailable", error.to_string()),
        error => StepError::permanent("refused", error.to_string()),
    }
}

fn told(fault: &Fault) -> StepError {
    let may_help = fault.class.may_pass() || matches!(fault.class, FaultClass::Interrupted | FaultClass::Resting);
    if may_help {
        StepError::transient(fault.class.as_str(), fault.message.as_str())
    } else {
        StepError::permanent(fault.class.as_str(), fault.message.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_around_json_is_taken_off() {
        for text in ["{\"a\":1}", " {\"a\":1}\n", "```json\n{\"a\":1}\n```", "```\n{\"a\":1}\n```"] {
            assert_eq!(unfenced(text), "{\"a\":1}", "{text:?}");
        }
        assert_eq!(unfenced("```"), "```");
    }

    #[test]
    fn what_comes_is_printed_by_whole_lines_and_words() {
        assert_eq!(ready("A loom we", false), 0);
        assert_eq!(ready("A loom we", true), "A loom ".len());
        assert_eq!(ready("A loom.\nIt w", false), "A loom.\n".len());
        assert_eq!(ready("織", true), 0, "a word that may go on");
        let (long, words) = ("織".repeat(40), format!("{} we", "w".repeat(120)));
        assert_eq!((ready(&long, false), ready(&words, false)), (120, 121));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert_eq!(fit("{\"n\": 3}", &validator), Ok(json!({"n": 3})));
        assert!(fit("three", &validator).unwrap_err().starts_with("expected JSON"));
        assert!(fit("{\"n\": \"3\"}", &validator).unwrap_err().contains("/n"));
        assert!(fit("{}", &validator).unwrap_err().contains("required"));
    }
}
