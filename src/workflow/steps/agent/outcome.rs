//! What came of a call, as the model is told.

use serde_json::Value;

use super::work::Call;
use crate::model::agent::{AgentTool, Processes, ToolResult};
use crate::model::workflow::StepError;

/// Characters of one result that the model is given: the beginning and the end of what is longer.
pub const MAX_RESULT: usize = 16_000;

/// A result with its middle left out where it is too long.
pub fn result(call: &Call, content: &str, is_error: bool) -> ToolResult {
    let (content, omitted) = cut(content);
    ToolResult {
        id: call.id.clone(),
        tool: call.name.clone(),
        content: content.replace('\0', "\u{fffd}"),
        is_error,
        is_untrusted: call.tool.is_some_and(AgentTool::gives_untrusted),
        trust: None,
        omitted,
        seen: None,
        processes: Processes::default(),
        leases: Vec::new(),
    }
}

/// A call that is not done, and why.
pub fn refused(call: &Call, why: &str) -> ToolResult {
    ToolResult { is_untrusted: false, ..result(call, why, true) }
}

/// What came of waiting: a person's word, or what another run gave.
pub fn of_wait(call: &Call, is_consent: bool, port: &str, output: &Value, error: Option<&StepError>) -> ToolResult {
    let comment = output.get("comment").and_then(Value::as_str).unwrap_or_default().trim();
    let said = if comment.is_empty() { String::new() } else { format!(" They said: {comment}") };
    if let Some(error) = error {
        return result(call, &format!("It failed: {}", error.message), true);
    }
    if is_consent {
        let why = match port {
            "expired" => "Nobody answered in time whether you may do this; it was not done.".to_owned(),
            _ => format!("A person declined this; it was not done.{said}"),
        };
        return refused(call, &why);
    }
    match call.tool {
        Some(AgentTool::AskPerson) => match port {
            "answered" => {
                let answer = output.pointer("/form/answer").and_then(Value::as_str).unwrap_or_default();
                // Whoever answers is one of the team.
                let told = if answer.is_empty() { comment.to_owned() } else { format!("{answer}\n{comment}") };
                ToolResult { is_untrusted: false, ..result(call, told.trim(), false) }
            }
            "expired" => refused(call, "Nobody answered in time."),
            _ => refused(call, &format!("The person does not want to answer.{said}")),
        },
        Some(AgentTool::AskAgent | AgentTool::HandOver) => result(call, &answer_of(output), false),
        _ => result(call, &pretty(output), false),
    }
}

/// What another agent answered: the value, where it was to fit a schema, else its words.
pub fn answer_of(output: &Value) -> String {
    let text = output.get("text").and_then(Value::as_str).map(str::to_owned);
    let json = output.get("json").filter(|json| !json.is_null()).map(Value::to_string);
    json.or(text).unwrap_or_else(|| output.to_string())
}

/// A value as the model reads it.
pub fn pretty(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "It gave nothing.".to_owned(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// The beginning and the end of a text that is too long, and how many characters were left out between them.
pub fn cut(text: &str) -> (String, u64) {
    let count = text.chars().count();
    if count <= MAX_RESULT {
        return (text.to_owned(), 0);
    }
    let half = MAX_RESULT / 2;
    let omitted = count - 2 * half;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(count - half).collect();
    (format!("{head}\n[… {omitted} characters left out …]\n{tail}"), omitted as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_result_the_middle_is_left_out_and_counted() {
        let text = format!("{}{}", "a".repeat(20_000), "ä".repeat(20_000));
        let (shown, omitted) = cut(&text);
        assert_eq!(omitted, 24_000);
        assert!(shown.starts_with("aaa") && shown.ends_with("äää"), "both ends are there");
        assert_eq!(cut("short"), ("short".to_owned(), 0));
    }
}
