//! Requests and whole answers, as OpenAI's JSON.

use serde_json::{Value, json};

use super::block::{Destination, write_call, write_message, write_parts, write_tool};
use super::{write_stop, write_usage};
use crate::gateway::dialect::fields::Built;
use crate::gateway::dialect::{Addressee, Envelope, foreign};
use crate::model::gateway::{
    Block, Dialect, Effort, Fault, Output, ProviderKind, Request, Response, ToolChoice, declined,
};

pub(in crate::gateway::dialect) fn write_request(request: &Request, to: Addressee<'_>) -> Result<Value, Fault> {
    let same = request.dialect == Dialect::OpenAi;
    let out = Destination::of(to.kind, same);
    let mut built = Built::default();
    built.set("model", to.model.id.as_str());
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        let system: Vec<&Block> = request.system.iter().collect();
        messages.push(json!({"role": "system", "content": write_parts(&system, &out, "/system")?}));
    }
    for (index, message) in request.messages.iter().enumerate() {
        write_message(message, &format!("/messages/{index}/content"), &out, &mut messages)?;
    }
    built.set("messages", messages);
    write_tools(request, same, &mut built)?;
    // OpenAI's newer models know only the newer name, other servers mostly the older one.
    let max_tokens = if to.kind == ProviderKind::OpenAi { "max_completion_tokens" } else { "max_tokens" };
    built.put(max_tokens, request.max_tokens);
    write_sampling(request, to.kind, &mut built)?;
    built.put("n", (request.answers > 1).then_some(request.answers));
    if !request.stop.is_empty() {
        built.set("stop", request.stop.clone());
    }
    if request.stream {
        built.set("stream", true);
        // Always, since calls are metered.
        built.set("stream_options", json!({"include_usage": true}));
    }
    built.put("reasoning_effort", effort_of(request).map(Effort::as_str));
    built.put("response_format", request.output_for(to.model.json_schema).map(write_output));
    if same {
        built.extend(&request.extra);
    } else {
        foreign::refuse(request, &[], "in Chat Completions")?;
    }
    Ok(built.into())
}

/// The effort as OpenAI is told it: all that Anthropic knows is more than most of OpenAI's models take.
pub(in crate::gateway::dialect) fn effort_of(request: &Request) -> Option<Effort> {
    let is_foreign = request.dialect == Dialect::Anthropic;
    request.effort.map(|effort| if effort == Effort::Max && is_foreign { Effort::Xhigh } else { effort })
}

fn write_tools(request: &Request, same: bool, built: &mut Built) -> Result<(), Fault> {
    if request.tools.is_empty() {
        return Ok(());
    }
    let tools = request.tools.iter().enumerate();
    let tools = tools.map(|(index, tool)| write_tool(tool, same, &format!("/tools/{index}")));
    built.set("tools", tools.collect::<Result<Vec<Value>, Fault>>()?);
    built.put(
        "tool_choice",
        request.tool_choice.as_ref().map(|choice| match choice {
            ToolChoice::Auto => json!("auto"),
            ToolChoice::Any => json!("required"),
            ToolChoice::None => json!("none"),
            ToolChoice::Tool { name } => json!({"type": "function", "function": {"name": name}}),
        }),
    );
    built.put("parallel_tool_calls", request.parallel_tools);
    Ok(())
}

fn write_sampling(request: &Request, kind: ProviderKind, built: &mut Built) -> Result<(), Fault> {
    let sampling = request.sampling;
    built.put("temperature", sampling.temperature);
    built.put("top_p", sampling.top_p);
    if sampling.top_k.is_some() && kind == ProviderKind::OpenAi {
        return Err(Fault::untranslatable("/top_k", "this field has no counterpart at OpenAI"));
    }
    built.put("top_k", sampling.top_k);
    built.put("seed", sampling.seed);
    built.put("frequency_penalty", sampling.frequency_penalty);
    built.put("presence_penalty", sampling.presence_penalty);
    Ok(())
}

fn write_output(output: &Output) -> Value {
    match output {
        Output::Json => json!({"type": "json_object"}),
        Output::Schema { name, description, schema, strict } => {
            let mut built = Built::default();
            // The dialect wants a name.
            built.set("name", name.as_deref().unwrap_or("answer"));
            built.put("description", description.as_deref());
            built.set("schema", schema.clone());
            built.put("strict", *strict);
            json!({"type": "json_schema", "json_schema": Value::from(built)})
        }
    }
}

pub(in crate::gateway::dialect) fn write_response(response: &Response, envelope: &Envelope) -> Value {
    let mut built = Built::default();
    built.set("id", response.id.as_str());
    built.set("object", "chat.completion");
    built.set("created", envelope.at.unix_ms().div_euclid(1000));
    built.set("model", response.model.as_str());
    let others = response.others.iter().map(|other| (other.content.as_slice(), &other.stop));
    let answers = std::iter::once((response.content.as_slice(), &response.stop)).chain(others);
    let choices = answers.enumerate().map(|(index, (content, stop))| {
        let message = write_said(content, envelope.same_dialect);
        let reason = write_stop(stop, declined(content));
        let logprobs = beside(content, "logprobs", envelope.same_dialect).next();
        json!({"index": index, "message": message, "logprobs": logprobs, "finish_reason": reason})
    });
    built.set("choices", choices.collect::<Vec<Value>>());
    built.set("usage", write_usage(response.usage));
    if envelope.same_dialect {
        built.extend(&response.extra);
    }
    built.into()
}

/// What stands beside the words, by its name.
fn beside<'a>(content: &'a [Block], name: &'a str, same: bool) -> impl Iterator<Item = &'a Value> {
    content.iter().filter(move |_| same).filter_map(move |block| match block {
        Block::Text { extra, .. } => extra.get(name),
        _ => None,
    })
}

fn write_said(content: &[Block], same: bool) -> Value {
    let (mut text, mut refusal, mut thoughts) = (None::<String>, None::<String>, None::<String>);
    let (mut calls, mut blocks) = (Vec::new(), Vec::new());
    for block in content {
        match block {
            Block::Text { text: piece, .. } => text.get_or_insert_default().push_str(piece),
            Block::Refusal { text: piece } => refusal.get_or_insert_default().push_str(piece),
            Block::Thinking { text: piece, .. } => {
                thoughts.get_or_insert_default().push_str(piece);
                blocks.extend(write_thought(block));
            }
            Block::RedactedThinking { .. } => blocks.extend(write_thought(block)),
            Block::ToolUse { .. } => calls.push(write_call(block, same)),
            Block::Native { value } if same => calls.push(value.clone()),
            _ => {}
        }
    }
    let mut said = Built::default();
    said.set("role", "assistant");
    said.set("content", text.map_or(Value::Null, Value::from));
    said.set("refusal", refusal.map_or(Value::Null, Value::from));
    said.put("reasoning_content", thoughts);
    said.put("thinking_blocks", (!blocks.is_empty()).then_some(blocks));
    said.put("tool_calls", (!calls.is_empty()).then_some(calls));
    let annotations: Vec<Value> =
        beside(content, "annotations", same).filter_map(Value::as_array).flatten().cloned().collect();
    said.put("annotations", (!annotations.is_empty()).then_some(annotations));
    said.into()
}

/// A thought with its proof, to be sent back as it is. One without a proof has nothing to be sent back.
pub(super) fn write_thought(block: &Block) -> Option<Value> {
    match block {
        Block::Thinking { text, signature: Some(signature) } => {
            Some(json!({"type": "thinking", "thinking": text, "signature": signature}))
        }
        Block::RedactedThinking { data } => Some(json!({"type": "redacted_thinking", "data": data})),
        _ => None,
    }
}
