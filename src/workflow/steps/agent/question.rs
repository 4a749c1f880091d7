//! What an agent asks people.

use serde_json::{Value, json};

use super::work::{Call, Work, unreadable};
use crate::model::ApprovalId;
use crate::model::agent::{AgentTool, Changes};
use crate::model::gateway::{Block, Role};
use crate::model::workflow::{Await, DEFAULT_DECISIONS, Question, StepError};
use crate::workflow::steps::{Outcome, StepCall};

/// Characters of a title.
const MAX_TITLE: usize = 200;
/// Characters of the task, and of the agent's reason, that stand beside a question.
const MAX_QUOTE: usize = 600;
/// Characters of a diff.
const MAX_DIFF: usize = 60_000;

/// Asks whether a call may be done. The question is about these very arguments and changes: its id is made of them.
pub fn consent(step: &StepCall, work: &Work, call: &Call, changes: Option<&Changes>) -> Outcome {
    let title = format!("May {} {}?", work.name, wish(call));
    let mut text = format!("The agent **{}** works on:\n\n{}\n", work.name, quoted(&work.prompt));
    if let Some(reason) = reason(work) {
        text.push_str(&format!("\nIt says:\n\n{}\n", quoted(&reason)));
    }
    match changes {
        Some(changes) => text.push_str(&publication(work, call, changes)),
        None => text.push_str(&format!("\nIt wants to do exactly this:\n\n{}\n", fenced(call))),
    }
    text.push_str(&super::hooks::question(call));
    if let Some(file) = &call.conflict {
        text.push_str(&format!(
            "\n**Somebody else has changed `{}` since the agent read it.** What they wrote there is lost if you agree.\n",
            file.path.replace('`', "'")
        ));
    }
    if work.is_tainted {
        text.push_str("\nIt has read things that strangers may have written: look whether this is what *you* want.\n");
    }
    let decisions = DEFAULT_DECISIONS.map(str::to_owned).to_vec();
    let commit = changes.map_or("", |changes| &changes.commit);
    waiting(step, work, call, commit, Question { text, decisions, ..question(work, &title) })
}

/// What would be published, whole as far as a page can hold it.
fn publication(work: &Work, call: &Call, changes: &Changes) -> String {
    let message = call.arguments.get("message").and_then(Value::as_str).unwrap_or_default();
    let shown: String = changes.diff.chars().take(MAX_DIFF).collect();
    let left = changes.diff.chars().count() - shown.chars().count() + changes.omitted as usize;
    let mut text = format!(
        "\nIt wants to put these changes into `{}`, as the branch `{}` (commit {}: {}), with the message:\n\n{}\n\n{}\n",
        work.spec.repository.trim(),
        changes.branch,
        &changes.commit[..changes.commit.len().min(12)],
        changes.summary(),
        quoted(message),
        fence("diff", &shown)
    );
    if left > 0 {
        text.push_str(&format!("\n**{left} characters of the changes are not shown here.**\n"));
    }
    text
}

/// Asks a person what the agent wants to know.
pub fn to_person(step: &StepCall, work: &Work, call: &Call) -> Outcome {
    let text = |name: &str| call.arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let choices: Vec<&Value> =
        call.arguments.get("choices").and_then(Value::as_array).into_iter().flatten().take(5).collect();
    let answer = if choices.is_empty() {
        json!({"type": "string", "title": "Answer", "format": "multiline", "minLength": 1})
    } else {
        json!({"title": "Answer", "enum": choices})
    };
    let form = json!({"type": "object", "required": ["answer"], "properties": {"answer": answer}});
    let details = text("details");
    let words = format!("The agent **{}** asks, working on:\n\n{}\n\n{details}", work.name, quoted(&work.prompt));
    let decisions = vec!["answered".to_owned(), "declined".to_owned()];
    waiting(step, work, call, "", Question { text: words, form, decisions, ..question(work, &text("question")) })
}

/// Asks whether the answer may be given, which a hook wants. The question is about these very words: its id is made of them.
///
/// # Errors
/// Class `journal` where there is no answer that waits for a person.
pub fn release(step: &StepCall, work: &Work) -> Result<Outcome, StepError> {
    let saying = work.saying.as_ref().and_then(|saying| Some((&saying.answer, saying.judgement.as_ref()?)));
    let (answer, judgement) = saying.ok_or_else(|| unreadable("no answer waits for a person"))?;
    let title = format!("May {} answer this?", work.name);
    let shown: String = answer.text.chars().take(MAX_DIFF).collect();
    let left = answer.text.chars().count() - shown.chars().count();
    let language = if answer.json.is_null() { "text" } else { "json" };
    let mut text = format!(
        "The agent **{}** worked on:\n\n{}\n\nIt would answer exactly this:\n\n{}\n",
        work.name,
        quoted(&work.prompt),
        fence(language, &shown)
    );
    if left > 0 {
        text.push_str(&format!("\n**{left} characters of the answer are not shown here.**\n"));
    }
    text.push_str(&super::hooks::wanted(judgement, "its answer"));
    if work.is_tainted {
        text.push_str("\nIt has read things that strangers may have written: look whether this is what *you* want.\n");
    }
    let decisions = DEFAULT_DECISIONS.map(str::to_owned).to_vec();
    let question = Question { text, decisions, ..question(work, &title) };
    Ok(asked(step, work, &answer.text, question))
}

fn question(work: &Work, title: &str) -> Question {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    Question {
        title: title.chars().take(MAX_TITLE).collect(),
        text: String::new(),
        form: Value::Null,
        approvers: work.spec.approvers.clone(),
        required: 1,
        four_eyes: false,
        decisions: Vec::new(),
    }
}

fn waiting(step: &StepCall, work: &Work, call: &Call, commit: &str, question: Question) -> Outcome {
    asked(step, work, &format!("{}/{}{commit}", call.id, call.arguments), question)
}

/// The same question again after a crash; another one for other arguments, and for an attempt that follows.
fn asked(step: &StepCall, work: &Work, about: &str, question: Question) -> Outcome {
    let about = format!("{}#{}/{about}", step.key, step.journal.len());
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(about.as_bytes()).as_bytes()[..16]);
    let id: ApprovalId = uuid::Builder::from_custom_bytes(id).into_uuid().into();
    let reason = format!("{} waits for people: {}", work.name, question.title);
    Outcome::Waiting { reason, until: None, on: Some(Await::Approval { id, question }) }
}

/// What a call would do, in a few words.
fn wish(call: &Call) -> String {
    let text = |name: &str| call.arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match call.tool {
        Some(AgentTool::HttpRequest) => format!("send {} to {}", text("method"), text("url")),
        Some(AgentTool::Shell) => "run a script".to_owned(),
        Some(AgentTool::RunWorkflow) => format!("run the workflow {}", text("workflow")),
        Some(AgentTool::AskAgent) => format!("ask the agent {}", text("agent")),
        Some(AgentTool::MemoryWrite) => format!("write {}/{}", text("namespace"), text("key")),
        Some(AgentTool::MemoryRead) => format!("read {}/{}", text("namespace"), text("key")),
        Some(AgentTool::MemorySearch) => format!("search memory for {}", text("query")),
        Some(AgentTool::ListFiles) => format!("list the files in {:?}", text("folder")),
        Some(AgentTool::ReadFile) => format!("read {}", text("path")),
        Some(AgentTool::SearchFiles) => format!("search files for {}", text("pattern")),
        Some(AgentTool::OutlineCode) => format!("outline the code in {:?}", text("path")),
        Some(AgentTool::AnalyzeCode) => format!("analyze the code in {:?}", text("path")),
        Some(AgentTool::FindSymbol) => format!("find {} in the code", text("name")),
        Some(AgentTool::WriteFile | AgentTool::EditFile) => format!("write {}", text("path")),
        Some(AgentTool::HandOver) => format!("hand its task over to the agent {}", text("agent")),
        Some(AgentTool::ShowChanges) => "look at what it changed".to_owned(),
        Some(AgentTool::CommitChanges) => "commit what it changed in its copy".to_owned(),
        Some(AgentTool::PublishChanges) => "publish its changes".to_owned(),
        Some(AgentTool::LeaseTake) => format!("have {} {} to itself", text("kind"), text("name")),
        Some(AgentTool::LeaseRelease) => format!("give {} {} back", text("kind"), text("name")),
        Some(AgentTool::SendMessage) => format!("write to {}", text("to")),
        Some(AgentTool::ReadMessages) => "read its messages".to_owned(),
        Some(AgentTool::SetTopology) => format!("set the topology {}", text("topology")),
        Some(AgentTool::AskPerson) | None => "ask a question".to_owned(),
    }
}

/// What the model said beside the call.
fn reason(work: &Work) -> Option<String> {
    let last = work.messages.iter().rfind(|message| message.role == Role::Assistant)?;
    let texts = last.content.iter().filter_map(|block| match block {
        Block::Text { text, .. } => Some(text.trim()),
        _ => None,
    });
    Some(texts.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

/// A text as a quotation in Markdown.
fn quoted(text: &str) -> String {
    let short: String = text.trim().chars().take(MAX_QUOTE).collect();
    short.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

/// The arguments, whole: a script as it stands, anything else as JSON. The fence is longer than any inside.
fn fenced(call: &Call) -> String {
    let (language, text) = match (call.tool, call.arguments.get("script").and_then(Value::as_str)) {
        (Some(AgentTool::Shell), Some(script)) => ("sh", script.to_owned()),
        _ => ("json", serde_json::to_string_pretty(&call.arguments).unwrap_or_default()),
    };
    fence(language, &text)
}

fn fence(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_cannot_leave_their_fence() {
        let call = Call {
            id: "1".into(),
            name: "shell".into(),
            tool: Some(AgentTool::Shell),
            arguments: json!({"script": "echo\n````\n# all is well\n"}),
            before: None,
            after: None,
            in_a_row: 1,
            has_consent: false,
            is_queued: false,
            conflict: None,
            begun_in: None,
            result: None,
        };
        let text = fenced(&call);
        assert!(text.starts_with("`````sh\n") && text.ends_with("\n`````"), "{text}");
    }
}
