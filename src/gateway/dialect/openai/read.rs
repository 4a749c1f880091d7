//! Requests and whole answers, from OpenAI's JSON.

use serde_json::{Value, json};

use super::block::{read_answer, read_message, read_tool};
use super::{read_stop, read_usage};
use crate::gateway::dialect::fields::{Fields, kind};
use crate::model::gateway::{
    Block, Dialect, Effort, Fault, Message, Other, Output, Request, Response, Role, Sampling, StopReason, Tool,
    ToolChoice, declined, wants_tool,
};

/// Answers to one question at most, as at OpenAI.
pub(super) const MOST_ANSWERS: u32 = 128;

pub(in crate::gateway::dialect) fn read_request(body: Value) -> Result<Request, Fault> {
    let mut fields = Fields::of(body, "")?;
    let mut request = Request::new(Dialect::OpenAi, fields.need_text("model")?);
    request.answers = match fields.count("n")? {
        None => 1,
        Some(answers @ 1..=MOST_ANSWERS) => answers,
        Some(_) => return Err(Fault::invalid("/n", format!("expected 1 to {MOST_ANSWERS} answers"))),
    };
    refuse_what_is_not_carried(&mut fields)?;
    // Where they are not wanted there is nothing to carry.
    if fields.flag("logprobs")?.unwrap_or(false) {
        request.extra.insert("logprobs".to_owned(), Value::Bool(true));
    }
    for (index, value) in fields.need_list("messages")?.into_iter().enumerate() {
        add_message(&mut request, read_message(value, &format!("/messages/{index}"))?);
    }
    let tools = fields.list("tools")?.unwrap_or_default().into_iter().enumerate();
    request.tools =
        tools.map(|(index, value)| read_tool(value, &format!("/tools/{index}"))).collect::<Result<Vec<Tool>, _>>()?;
    read_tool_choice(&mut fields, &mut request)?;
    request.parallel_tools = fields.flag("parallel_tool_calls")?;
    request.output = read_output(&mut fields)?;
    let (newer, older) = (fields.count("max_completion_tokens")?, fields.count("max_tokens")?);
    request.max_tokens = newer.or(older);
    request.sampling = Sampling {
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.count("top_k")?,
        seed: fields.integer("seed")?,
        frequency_penalty: fields.number("frequency_penalty")?,
        presence_penalty: fields.number("presence_penalty")?,
    };
    request.stop = match fields.value("stop") {
        None => Vec::new(),
        Some(Value::String(text)) => vec![text],
        Some(list) => Fields::of(json!({"stop": list}), "")?.texts("stop")?,
    };
    request.stream = fields.flag("stream")?.unwrap_or(false);
    if let Some(mut options) = fields.object("stream_options")? {
        request.stream_usage = options.flag("include_usage")?.unwrap_or(false);
    }
    if let Some(word) = fields.text("reasoning_effort")? {
        let effort = Effort::parse(&word);
        request.effort = Some(effort.ok_or_else(|| {
            let message = format!("expected none, minimal, low, medium, high or xhigh, found {word}");
            Fault::invalid("/reasoning_effort", message)
        })?);
    }
    request.extra.extend(fields.rest());
    Ok(request)
}

/// What stands before the conversation is the task; what tools gave in a row belongs together.
fn add_message(request: &mut Request, message: Message) {
    let is_result = |message: &Message| {
        message.role == Role::User && matches!(message.content.as_slice(), [Block::ToolResult { .. }, ..])
    };
    if message.role == Role::System && request.messages.is_empty() && message.extra.is_empty() {
        request.system.extend(message.content);
    } else if let Some(last) = request.messages.last_mut()
        && is_result(&message)
        && is_result(last)
        && message.extra == last.extra
    {
        last.content.extend(message.content);
    } else {
        request.messages.push(message);
    }
}

fn refuse_what_is_not_carried(fields: &mut Fields) -> Result<(), Fault> {
    for name in ["functions", "function_call"] {
        if fields.value(name).is_some() {
            return Err(Fault::invalid(format!("/{name}"), "expected tools and tool_choice, which replace this field"));
        }
    }
    let modalities = fields.texts("modalities")?;
    if modalities.iter().any(|word| word != "text") || fields.value("audio").is_some() {
        return Err(Fault::invalid("/modalities", "expected text alone: sound is not carried"));
    }
    Ok(())
}

fn read_tool_choice(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let Some(value) = fields.value("tool_choice") else { return Ok(()) };
    request.tool_choice = match &value {
        Value::String(word) => Some(match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Any,
            other => {
                let message = format!("expected auto, none, required or a tool, found {other}");
                return Err(Fault::invalid("/tool_choice", message));
            }
        }),
        Value::Object(_) => match value["function"]["name"].as_str() {
            Some(name) => Some(ToolChoice::Tool { name: name.to_owned() }),
            None => {
                // A choice among several, or of a kind that only this dialect knows.
                request.extra.insert("tool_choice".to_owned(), value);
                None
            }
        },
        other => {
            return Err(Fault::invalid("/tool_choice", format!("expected text or an object, found {}", kind(other))));
        }
    };
    Ok(())
}

fn read_output(fields: &mut Fields) -> Result<Option<Output>, Fault> {
    let Some(mut format) = fields.object("response_format")? else { return Ok(None) };
    match format.need_text("type")?.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(Output::Json)),
        "json_schema" => {
            let mut schema = Fields::of(format.need("json_schema")?, "/response_format/json_schema")?;
            Ok(Some(Output::Schema {
                name: schema.text("name")?,
                description: schema.text("description")?,
                schema: schema.value("schema").unwrap_or_else(|| json!({})),
                strict: schema.flag("strict")?,
            }))
        }
        other => {
            let message = format!("expected text, json_object or json_schema, found {other}");
            Err(Fault::invalid("/response_format/type", message))
        }
    }
}

pub(in crate::gateway::dialect) fn read_response(body: Value) -> Result<Response, Fault> {
    let mut fields = Fields::of(body, "")?;
    let id = fields.text("id")?.unwrap_or_default();
    let model = fields.text("model")?.unwrap_or_default();
    let usage = read_usage(fields.value("usage"), "/usage")?;
    let mut choices = fields.need_list("choices")?;
    // In the order of their numbers, whatever the order in which they come.
    choices.sort_by_key(|choice| choice["index"].as_u64().unwrap_or(0));
    let mut answers = Vec::with_capacity(choices.len());
    for (place, choice) in choices.into_iter().take(MOST_ANSWERS as usize).enumerate() {
        answers.push(read_choice(choice, &format!("/choices/{place}"))?);
    }
    let mut answers = answers.into_iter();
    let first = answers.next().ok_or_else(|| Fault::invalid("/choices", "expected an answer, found none"))?;
    let (content, stop, others) = (first.content, first.stop, answers.collect());
    let (_, _) = (fields.value("object"), fields.value("created"));
    Ok(Response { id, model, content, stop, stop_sequence: None, usage, extra: fields.rest(), others })
}

fn read_choice(choice: Value, at: &str) -> Result<Other, Fault> {
    let mut choice = Fields::of(choice, at)?;
    let word = choice.text("finish_reason")?.unwrap_or_else(|| "stop".to_owned());
    let place = format!("{at}/message");
    let mut message = Fields::of(choice.need("message")?, place.as_str())?;
    let content = message.value("content");
    let mut content = read_answer(&mut message, content, &format!("{place}/content"))?;
    // What stands beside the words is kept with them.
    if let Some(Block::Text { extra, .. }) = content.iter_mut().find(|block| matches!(block, Block::Text { .. })) {
        let beside = [("logprobs", choice.value("logprobs")), ("annotations", message.value("annotations"))];
        let said = beside.into_iter().filter_map(|(name, value)| Some((name, value?)));
        extra.extend(said.filter(|(_, value)| *value != json!([])).map(|(name, value)| (name.to_owned(), value)));
    }
    let stop = stopped_for(read_stop(&word), wants_tool(&content), declined(&content));
    Ok(Other { content, stop })
}

/// Some servers say `stop` where the model waits for a tool, and OpenAI where the model declined in words.
pub(super) fn stopped_for(stop: StopReason, wants_tool: bool, declined: bool) -> StopReason {
    match stop {
        StopReason::EndTurn if wants_tool => StopReason::ToolUse,
        StopReason::EndTurn if declined => StopReason::Refusal,
        stop => stop,
    }
}
