//! Requests and whole answers, as Anthropic's JSON.

use serde_json::{Value, json};

use super::block::{write_block, write_content, write_tool};
use super::{DEFAULT_MAX_TOKENS, write_stop, write_usage};
use crate::gateway::dialect::fields::Built;
use crate::gateway::dialect::{Addressee, Envelope, foreign};
use crate::model::gateway::{Block, Dialect, Effort, Fault, Output, Request, Response, Role, Thinking, ToolChoice};

/// Anthropic's smallest budget of thoughts.
const LEAST_BUDGET: u32 = 1024;

pub(in crate::gateway::dialect) fn write_request(request: &Request, to: Addressee<'_>) -> Result<Value, Fault> {
    let same = request.dialect == Dialect::Anthropic;
    let mut built = Built::default();
    built.set("model", to.model.id.as_str());
    let max_tokens = max_tokens(request, to);
    built.set("max_tokens", max_tokens);
    write_messages(request, same, &mut built)?;
    if !request.tools.is_empty() {
        let tools = request.tools.iter().enumerate();
        let tools = tools.map(|(index, tool)| write_tool(tool, same, &format!("/tools/{index}")));
        built.set("tools", tools.collect::<Result<Vec<Value>, Fault>>()?);
    }
    write_tool_choice(request, &mut built);
    write_sampling(request, same, &mut built)?;
    if !request.stop.is_empty() {
        built.set("stop_sequences", request.stop.clone());
    }
    built.put("stream", request.stream.then_some(true));
    write_thinking(request, to, &mut built);
    write_output(request, request.output_for(to.model.json_schema), same, &mut built)?;
    if same {
        built.extend(&request.extra);
    } else {
        foreign::refuse(request, &[], "at Anthropic")?;
    }
    Ok(built.into())
}

/// What the task says in the middle of a conversation of another dialect joins the task at its beginning.
fn write_messages(request: &Request, same: bool, built: &mut Built) -> Result<(), Fault> {
    let mut system = request.system.clone();
    let mut messages = Vec::new();
    for (index, message) in request.messages.iter().enumerate() {
        let at = format!("/messages/{index}/content");
        let role = match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System if same => "system",
            Role::System => {
                system.extend(message.content.iter().cloned());
                continue;
            }
        };
        let mut turn = Built::default();
        turn.set("role", role);
        let content = write_content(&message.content, same, &at)?;
        // A turn of which nothing is left, such as thoughts that nobody takes back.
        if content.as_array().is_some_and(Vec::is_empty) && !message.content.is_empty() {
            continue;
        }
        turn.set("content", content);
        if same {
            turn.extend(&message.extra);
        }
        messages.push(Value::from(turn));
    }
    if !system.is_empty() {
        built.set("system", write_content(&system, same, "/system")?);
    }
    built.set("messages", messages);
    Ok(())
}

fn write_tool_choice(request: &Request, built: &mut Built) {
    let single = (request.parallel_tools == Some(false)).then_some(true);
    let choice = match (&request.tool_choice, single) {
        (None, None) => return,
        (None | Some(ToolChoice::Auto), _) => json!({"type": "auto"}),
        (Some(ToolChoice::Any), _) => json!({"type": "any"}),
        (Some(ToolChoice::None), _) => json!({"type": "none"}),
        (Some(ToolChoice::Tool { name }), _) => json!({"type": "tool", "name": name}),
    };
    // Without tools there is nothing to choose, and the dialect refuses the choice.
    if request.tools.is_empty() {
        return;
    }
    let mut choice = choice;
    if let Some(parallel) = request.parallel_tools
        && request.tool_choice != Some(ToolChoice::None)
    {
        choice["disable_parallel_tool_use"] = json!(!parallel);
    }
    built.set("tool_choice", choice);
}

fn write_sampling(request: &Request, same: bool, built: &mut Built) -> Result<(), Fault> {
    let sampling = request.sampling;
    let zero = |value: Option<f64>| value.is_none_or(|value| value == 0.0);
    if !zero(sampling.frequency_penalty) {
        return Err(Fault::untranslatable("/frequency_penalty", "this field has no counterpart at Anthropic"));
    }
    if !zero(sampling.presence_penalty) {
        return Err(Fault::untranslatable("/presence_penalty", "this field has no counterpart at Anthropic"));
    }
    // OpenAI's range ends at 2, Anthropic's at 1: more random than at 1 it does not get. A seed is only ever best effort.
    let temperature = sampling.temperature.map(|value| if same { value } else { value.min(1.0) });
    built.put("temperature", temperature);
    built.put("top_p", sampling.top_p);
    built.put("top_k", sampling.top_k);
    Ok(())
}

fn max_tokens(request: &Request, to: Addressee<'_>) -> u32 {
    request.max_tokens.or(to.model.max_output_tokens).unwrap_or(DEFAULT_MAX_TOKENS)
}

/// The tokens of thoughts that effort in OpenAI's words becomes; `None` where there are to be none, or where there is no room for
/// them.
pub(in crate::gateway::dialect) fn budget_of(request: &Request, to: Addressee<'_>) -> Option<u32> {
    if request.dialect == Dialect::Anthropic {
        return None;
    }
    let budget = match request.effort? {
        Effort::None | Effort::Minimal => 0,
        Effort::Low => 2048,
        Effort::Medium => 8192,
        Effort::High => 16_384,
        Effort::Xhigh | Effort::Max => 32_768,
    };
    // Thoughts are a part of the answer's tokens in both dialects.
    let tokens = budget.min(max_tokens(request, to).saturating_sub(LEAST_BUDGET));
    (tokens >= LEAST_BUDGET).then_some(tokens)
}

/// Effort in OpenAI's words becomes a budget of thoughts, which every model that thinks knows.
fn write_thinking(request: &Request, to: Addressee<'_>, built: &mut Built) {
    let same = request.dialect == Dialect::Anthropic;
    let effort = || budget_of(request, to).map(|tokens| Thinking::Budget { tokens });
    let thinking = request.thinking.or_else(effort);
    let value = thinking.map(|thinking| match thinking {
        Thinking::Off => json!({"type": "disabled"}),
        Thinking::Budget { tokens } => json!({"type": "enabled", "budget_tokens": tokens}),
        Thinking::Adaptive => json!({"type": "adaptive"}),
    });
    // Thinking goes with no temperature but 1 and no top_k.
    if value.is_some() && !same {
        built.0.remove("temperature");
        built.0.remove("top_k");
    }
    let own = request.extra.get("thinking").filter(|_| same).and_then(Value::as_object);
    let value = value.map(|mut value| {
        for (name, own) in own.into_iter().flatten() {
            value[name] = own.clone();
        }
        value
    });
    built.put("thinking", value);
}

fn write_output(request: &Request, output: Option<&Output>, same: bool, built: &mut Built) -> Result<(), Fault> {
    let mut config = Built::default();
    config.put("effort", request.effort.filter(|_| same).map(Effort::as_str));
    match output {
        None => {}
        Some(Output::Schema { schema, .. }) => config.set("format", json!({"type": "json_schema", "schema": schema})),
        Some(Output::Json) => {
            let why = "json_object has no counterpart at Anthropic; ask for json_schema";
            return Err(Fault::untranslatable(foreign::output_field(request.dialect), why));
        }
    }
    if same && let Some(Value::Object(rest)) = request.extra.get("output_config") {
        config.extend(rest);
    }
    if !config.0.is_empty() {
        built.set("output_config", config);
    }
    Ok(())
}

pub(in crate::gateway::dialect) fn write_response(response: &Response, envelope: &Envelope) -> Value {
    let content = response.content.iter().filter_map(|block| answer_block(block, envelope.same_dialect));
    let mut built = Built::default();
    built.set("id", response.id.as_str());
    built.set("type", "message");
    built.set("role", "assistant");
    built.set("model", response.model.as_str());
    built.set("content", content.collect::<Vec<Value>>());
    built.set("stop_reason", write_stop(&response.stop));
    built.set("stop_sequence", response.stop_sequence.as_deref().map_or(Value::Null, Value::from));
    let mut usage = write_usage(response.usage);
    if envelope.same_dialect {
        for (name, counted) in response.extra.get("usage").and_then(Value::as_object).into_iter().flatten() {
            if usage.get(name).is_none() {
                usage[name] = counted.clone();
            }
        }
        built.set("usage", usage);
        built.extend(&response.extra);
    } else {
        built.set("usage", usage);
    }
    built.into()
}

/// A block of an answer; what only the other dialect knows has no place in it.
pub(super) fn answer_block(block: &Block, same: bool) -> Option<Value> {
    match block {
        Block::Native { .. } if !same => None,
        block => write_block(block, same, "").ok(),
    }
}
