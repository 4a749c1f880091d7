//! What an agent called, and what it was answered, in words.

use serde_json::Value;

use crate::model::agent::AgentTool;

/// What a call is about in one line, and its arguments.
pub(super) fn call_words(name: &str, input: &Value) -> (String, String) {
    let text = |field: &str| input.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let whole = || serde_json::to_string_pretty(input).unwrap_or_default();
    match AgentTool::parse(name) {
        Some(AgentTool::HttpRequest) => (format!("{} {}", text("method"), text("url")), text("body")),
        Some(AgentTool::MemorySearch) => (text("query"), String::new()),
        Some(AgentTool::MemoryRead) => (format!("{}/{}", text("namespace"), text("key")), String::new()),
        Some(AgentTool::MemoryWrite) => (format!("{}/{}", text("namespace"), text("key")), text("content")),
        Some(AgentTool::Shell) => (String::new(), text("script")),
        Some(AgentTool::ListFiles) => (text("folder"), String::new()),
        Some(AgentTool::ReadFile | AgentTool::OutlineCode | AgentTool::AnalyzeCode) => (text("path"), String::new()),
        Some(AgentTool::SearchFiles) => (format!("{} {}", text("pattern"), text("folder")), String::new()),
        Some(AgentTool::FindSymbol) => (format!("{} {}", text("name"), text("path")), String::new()),
        Some(AgentTool::WriteFile) => (text("path"), text("content")),
        Some(AgentTool::EditFile) => (text("path"), replacement(&text("find"), &text("replace"))),
        Some(AgentTool::ShowChanges) => (format!("{} {}", text("since"), text("path")), String::new()),
        Some(AgentTool::PublishChanges | AgentTool::CommitChanges) => (String::new(), text("message")),
        Some(AgentTool::AskAgent | AgentTool::HandOver) => (text("agent"), text("task")),
        Some(AgentTool::AskPerson) => (text("question"), text("details")),
        Some(AgentTool::SendMessage) => (format!("{} to {}", text("kind"), text("to")), text("body")),
        Some(AgentTool::ReadMessages) => (String::new(), String::new()),
        Some(AgentTool::SetTopology) => (text("topology"), String::new()),
        Some(AgentTool::RunWorkflow) => {
            let inputs = input.get("inputs").filter(|inputs| !inputs.is_null());
            let inputs = inputs.and_then(|inputs| serde_json::to_string_pretty(inputs).ok());
            (text("workflow"), inputs.unwrap_or_default())
        }
        Some(AgentTool::LeaseTake | AgentTool::LeaseRelease) => {
            (format!("{} {} {}", text("kind"), text("name"), text("mode")), String::new())
        }
        None => (String::new(), whole()),
    }
}

/// What goes and what comes, a sign before each line.
fn replacement(find: &str, replace: &str) -> String {
    let gone = find.lines().map(|line| format!("-{line}"));
    let come = replace.lines().map(|line| format!("+{line}"));
    gone.chain(come).collect::<Vec<_>>().join("\n")
}

/// The symbol and the sentence of an answer.
pub(super) fn answer_words(port: &str, output: &Value, error: Option<&str>) -> (&'static str, String) {
    let text = |field: &str| output.get(field).and_then(Value::as_str).unwrap_or_default();
    let by = if text("by").is_empty() { "Somebody" } else { text("by") };
    let said = if text("comment").is_empty() { String::new() } else { format!(": {}", text("comment")) };
    if let Some(error) = error {
        return ("s-failed", format!("The other run failed: {error}"));
    }
    if output.get("lease").is_some_and(Value::is_string) {
        return ("clock", "What it waited for is free, or it was told why not.".to_owned());
    }
    match port {
        "approved" => ("approval", format!("{by} agreed{said}")),
        "rejected" => ("ban", format!("{by} declined{said}")),
        "declined" => ("ban", format!("{by} does not want to answer{said}")),
        "answered" => {
            let answer = output.pointer("/form/answer").and_then(Value::as_str).unwrap_or_default();
            ("user", format!("{by} answered: {}", if answer.is_empty() { text("comment") } else { answer }))
        }
        "expired" => ("clock", "Nobody answered in time.".to_owned()),
        _ => {
            let answer = text("text");
            (
                "into",
                if answer.is_empty() {
                    "The other run has ended.".to_owned()
                } else {
                    format!("It answered: {answer}")
                },
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_told_with_who_gave_it_and_what_they_said() {
        let said = |port: &str, output: Value| answer_words(port, &output, None).1;
        assert_eq!(said("approved", json!({"by": "Ada", "comment": ""})), "Ada agreed");
        assert_eq!(said("rejected", json!({"by": "Ada", "comment": "not today"})), "Ada declined: not today");
        assert_eq!(said("answered", json!({"by": "Ada", "form": {"answer": "blue"}})), "Ada answered: blue");
        assert_eq!(answer_words("error", &Value::Null, Some("no")).1, "The other run failed: no");
        assert!(said("out", json!({"lease": "0198"})).contains("free"));
    }

    #[test]
    fn a_call_is_told_by_what_matters_of_it() {
        assert_eq!(call_words("shell", &json!({"script": "ls"})), (String::new(), "ls".to_owned()));
        assert_eq!(
            call_words("http_request", &json!({"method": "GET", "url": "https://a.example"})).0,
            "GET https://a.example"
        );
        assert_eq!(
            call_words("edit_file", &json!({"path": "a.rs", "find": "a\nb", "replace": "c"})),
            ("a.rs".to_owned(), "-a\n-b\n+c".to_owned())
        );
        assert!(call_words("something", &json!({"a": 1})).1.contains("\"a\": 1"));
    }
}
