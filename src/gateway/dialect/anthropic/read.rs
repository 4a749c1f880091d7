//! Requests and whole answers, from Anthropic's JSON.

use serde_json::Value;

use super::block::{read_content, read_tool};
use super::{read_stop, read_usage};
use crate::gateway::dialect::fields::Fields;
use crate::model::gateway::{
    Dialect, Effort, Fault, Message, Output, Request, Response, Role, Sampling, Thinking, Tool, ToolChoice,
};

pub(in crate::gateway::dialect) fn read_request(body: Value) -> Result<Request, Fault> {
    let request = read_count_request(body)?;
    if request.max_tokens.is_none_or(|tokens| tokens == 0) {
        return Err(Fault::invalid("/max_tokens", "expected a whole number from 1"));
    }
    Ok(request)
}

/// The same without a limit of the answer, as where tokens are counted.
pub(in crate::gateway::dialect) fn read_count_request(body: Value) -> Result<Request, Fault> {
    let mut fields = Fields::of(body, "")?;
    let mut request = Request::new(Dialect::Anthropic, fields.need_text("model")?);
    request.max_tokens = fields.count("max_tokens")?;
    if let Some(system) = fields.value("system") {
        request.system = read_content(system, "/system")?;
    }
    let messages = fields.need_list("messages")?.into_iter().enumerate();
    request.messages = messages.map(|(index, value)| read_message(value, index)).collect::<Result<_, _>>()?;
    let tools = fields.list("tools")?.unwrap_or_default().into_iter().enumerate();
    request.tools =
        tools.map(|(index, value)| read_tool(value, &format!("/tools/{index}"))).collect::<Result<Vec<Tool>, _>>()?;
    (request.tool_choice, request.parallel_tools) = read_tool_choice(&mut fields)?;
    request.sampling = Sampling {
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.count("top_k")?,
        ..Sampling::default()
    };
    request.stop = fields.texts("stop_sequences")?;
    request.stream = fields.flag("stream")?.unwrap_or(false);
    read_thinking(&mut fields, &mut request)?;
    read_output(&mut fields, &mut request)?;
    request.extra.extend(fields.rest());
    Ok(request)
}

fn read_message(value: Value, index: usize) -> Result<Message, Fault> {
    let at = format!("/messages/{index}");
    let mut fields = Fields::of(value, at.as_str())?;
    let role = match fields.need_text("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => {
            return Err(Fault::invalid(format!("{at}/role"), format!("expected user or assistant, found {other}")));
        }
    };
    let content = read_content(fields.need("content")?, &format!("{at}/content"))?;
    Ok(Message { role, content, extra: fields.rest() })
}

fn read_tool_choice(fields: &mut Fields) -> Result<(Option<ToolChoice>, Option<bool>), Fault> {
    let Some(mut choice) = fields.object("tool_choice")? else { return Ok((None, None)) };
    let made = match choice.need_text("type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Any,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Tool { name: choice.need_text("name")? },
        other => {
            let message = format!("expected auto, any, tool or none, found {other}");
            return Err(Fault::invalid("/tool_choice/type", message));
        }
    };
    Ok((Some(made), choice.flag("disable_parallel_tool_use")?.map(|disabled| !disabled)))
}

/// What is beside the budget, such as how thoughts are shown, stays in `extra`, and is merged back by the writer.
fn read_thinking(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let Some(mut thinking) = fields.object("thinking")? else { return Ok(()) };
    request.thinking = Some(match thinking.need_text("type")?.as_str() {
        "disabled" => Thinking::Off,
        "adaptive" => Thinking::Adaptive,
        "enabled" => match thinking.count("budget_tokens")? {
            Some(tokens) => Thinking::Budget { tokens },
            None => return Err(Fault::invalid("/thinking/budget_tokens", "this field is required")),
        },
        other => {
            let message = format!("expected enabled, adaptive or disabled, found {other}");
            return Err(Fault::invalid("/thinking/type", message));
        }
    });
    keep_rest(request, "thinking", thinking);
    Ok(())
}

fn keep_rest(request: &mut Request, name: &str, fields: Fields) {
    let rest = fields.rest();
    if !rest.is_empty() {
        request.extra.insert(name.to_owned(), Value::Object(rest));
    }
}

fn read_output(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let mut format = fields.object("output_format")?;
    if let Some(mut config) = fields.object("output_config")? {
        if let Some(word) = config.text("effort")? {
            let effort = Effort::parse(&word);
            request.effort = Some(effort.ok_or_else(|| {
                Fault::invalid(
                    "/output_config/effort",
                    format!("expected low, medium, high, xhigh or max, found {word}"),
                )
            })?);
        }
        format = config.object("format")?.or(format);
        keep_rest(request, "output_config", config);
    }
    let Some(mut format) = format else { return Ok(()) };
    match format.need_text("type")?.as_str() {
        "json_schema" => {
            let schema = format.need("schema")?;
            request.output = Some(Output::Schema { name: None, description: None, schema, strict: None });
            Ok(())
        }
        other => Err(Fault::invalid("/output_config/format/type", format!("expected json_schema, found {other}"))),
    }
}

pub(in crate::gateway::dialect) fn read_response(body: Value) -> Result<Response, Fault> {
    let mut fields = Fields::of(body, "")?;
    let (id, model) = (fields.need_text("id")?, fields.need_text("model")?);
    let content = read_content(fields.need("content")?, "/content")?;
    let stop = read_stop(&fields.text("stop_reason")?.unwrap_or_else(|| "end_turn".to_owned()));
    let stop_sequence = fields.text("stop_sequence")?;
    let reported = fields.value("usage");
    let usage = read_usage(reported.clone(), "/usage")?;
    let (_, _) = (fields.value("type"), fields.value("role"));
    let mut extra = fields.rest();
    // What is counted besides tokens, such as searches.
    extra.extend(reported.map(|reported| ("usage".to_owned(), reported)));
    Ok(Response { id, model, content, stop, stop_sequence, usage, extra, others: Vec::new() })
}
