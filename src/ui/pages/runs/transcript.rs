//! What an agent said and did in a step, piece by piece, as it comes.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::hooked::Hooked;
use super::watch::Watch;
use crate::api;
use crate::model::agent::{AgentTool, Entry, Spent, ToolResult};
use crate::model::gateway::{Block, short_usd};
use crate::model::workflow::Fact;
use crate::model::{ApiError, Timestamp};
use crate::ui::components::{Badge, DiffLines, Icon, Markdown, RelativeTime, Tone};
use crate::ui::format;

/// Characters of a result that stand beside its tool while it is folded.
const GLIMPSE: usize = 90;
/// Events of one answer of the server at most: fewer mean that there are no more.
const PAGE: usize = 1000;

/// An entry and where it stands in the history.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    seq: i64,
    at: Timestamp,
    entry: Entry,
}

/// What is known of the work, read further as the run moves on.
#[derive(Debug, Clone, Copy)]
struct Reader {
    watch: Watch,
    step: StoredValue<String>,
    lines: RwSignal<Vec<Line>>,
    error: RwSignal<Option<ApiError>>,
    has_read: RwSignal<bool>,
    after: StoredValue<i64>,
    reads: StoredValue<bool>,
}

impl Reader {
    fn new(watch: Watch, step: String) -> Self {
        let reader = Self {
            watch,
            step: StoredValue::new(step),
            lines: RwSignal::new(Vec::new()),
            error: RwSignal::new(None),
            has_read: RwSignal::new(false),
            after: StoredValue::new(0),
            reads: StoredValue::new(false),
        };
        Effect::new(move |_| {
            watch.moves.track();
            reader.read();
        });
        reader
    }

    fn read(self) {
        if self.reads.try_get_value() != Some(false) {
            return;
        }
        self.reads.set_value(true);
        spawn_local(async move {
            while let Some(after) = self.after.try_get_value() {
                match api::runs::list_run_events(self.watch.id, after).await {
                    Ok(events) => {
                        let count = events.len();
                        self.after.try_update_value(|after| *after = events.last().map_or(*after, |event| event.seq));
                        let step = self.step.try_get_value();
                        let own = events.into_iter().filter(|event| event.step == step);
                        let lines: Vec<Line> = own.filter_map(|event| line(event.seq, event.at, event.fact)).collect();
                        if !lines.is_empty() {
                            self.lines.try_update(|known| known.extend(lines));
                        }
                        self.error.try_set(None);
                        if count < PAGE {
                            break;
                        }
                    }
                    Err(error) => {
                        self.error.try_set(Some(error));
                        break;
                    }
                }
            }
            self.has_read.try_set(true);
            self.reads.try_set_value(false);
            // What was told meanwhile was not asked for.
            if self.watch.moves.try_get_untracked().is_some_and(|last| self.after.try_get_value() < Some(last))
                && self.error.try_with_untracked(Option::is_none) == Some(true)
            {
                self.read();
            }
        });
    }
}

/// The entry that an event is, if it is one.
fn line(seq: i64, at: Timestamp, fact: Fact) -> Option<Line> {
    let entry = match fact {
        Fact::StepAdvanced { entry, .. } => Entry::read(&entry).ok()?,
        Fact::StepAnswered { port, output, error, .. } => Entry::Answered { port, output, error },
        _ => return None,
    };
    // That something is about to begin says no more than what comes of it; nor do hooks that had nothing to say.
    let is_silent = match &entry {
        Entry::Started { .. } => true,
        Entry::Judged { calls } => calls.iter().all(|call| call.said.is_empty()),
        _ => false,
    };
    (!is_silent).then_some(Line { seq, at, entry })
}

/// The work of an agent.
#[component]
pub fn Transcript(id: String, watch: Watch) -> impl IntoView {
    let reader = Reader::new(watch, id);
    let none = move || {
        if reader.has_read.get() { "The agent has not begun." } else { "Reading what the agent did…" }
    };
    let error = move || {
        reader.error.get().map(|error| {
            view! {
                <div class="notice" data-tone="bad">
                    <Icon name="s-failed" />
                    <span class="grow">{format::sentence(error.detail())}</span>
                </div>
            }
        })
    };
    view! {
        {error}
        <Show
            when=move || reader.lines.with(|lines| !lines.is_empty())
            fallback=move || view! { <p class="pane-note">{none}</p> }
        >
            <ol class="transcript" aria-label="What the agent said and did">
                <For each=move || reader.lines.get() key=|line| line.seq let:line>
                    <Piece line />
                </For>
            </ol>
        </Show>
    }
}

#[component]
fn Piece(line: Line) -> impl IntoView {
    let Line { at, entry, .. } = line;
    match entry {
        Entry::Begun { agent, name, version, prompt, persona, .. } => view! {
            <li data-who="task">
                <p class="who">
                    <Icon name="inbox" />
                    <strong>"Task"</strong>
                    <span class="dim">
                        "for " <a class="link" href=format!("/agents/{agent}")>{name}</a> {format!(" v{version}, ")}
                        <RelativeTime at />
                    </span>
                </p>
                {persona.map(|chosen| view! { <p class="small dim">{chosen.words()}</p> })}
                <Markdown text=prompt />
            </li>
        }
        .into_any(),
        Entry::Said { content, spent, model, why, context, .. } => {
            let left_out = context.map(|context| format::sentence(&context.words()));
            view! { <Said content spent model why left_out at /> }.into_any()
        }
        Entry::Used { results, .. } => view! {
            <li data-who="tools">{results.into_iter().map(|result| view! { <Outcome result /> }).collect_view()}</li>
        }
        .into_any(),
        Entry::Heard { messages, judged } => {
            view! { <Hooked calls=judged /> <li data-who="tools"><Outcome result=messages /></li> }.into_any()
        }
        Entry::Answered { port, output, error } => {
            let (icon, words) = answer_words(&port, &output, error.as_ref().map(|error| error.message.as_str()));
            view! {
                <li data-who="person">
                    <p class="who">
                        <Icon name=icon />
                        <span class="grow">{words}</span>
                        <span class="dim"><RelativeTime at /></span>
                    </p>
                </li>
            }
            .into_any()
        }
        Entry::Judged { calls } => view! { <Hooked calls /> }.into_any(),
        Entry::Queued { why, .. } => view! { <Halt icon="clock" words=format::sentence(&why) at /> }.into_any(),
        Entry::Conflicted { file, .. } => {
            let words = format!("Somebody else has changed {} since it was read: a person is asked.", file.path);
            view! { <Halt icon="warning" words at /> }.into_any()
        }
        Entry::Started { .. } => ().into_any(),
    }
}

/// What keeps the agent from going on.
#[component]
fn Halt(icon: &'static str, words: String, at: Timestamp) -> impl IntoView {
    view! {
        <li data-who="person">
            <p class="who">
                <Icon name=icon />
                <span class="grow">{words}</span>
                <span class="dim"><RelativeTime at /></span>
            </p>
        </li>
    }
}

#[component]
fn Said(
    content: Vec<Block>,
    spent: Spent,
    model: String,
    why: String,
    /// What of the conversation the model was not sent.
    left_out: Option<String>,
    at: Timestamp,
) -> impl IntoView {
    let cost = spent.cost_micros.map(|micros| format!(", {}", short_usd(micros)));
    let tokens = format::count(spent.usage.prompt() + spent.usage.output);
    let took = format::duration(spent.ms);
    view! {
        <li data-who="model">
            <p class="who">
                <Icon name="agent" />
                <strong title=why>{model}</strong>
                <span class="dim">{format!("{tokens} tokens")}{cost}{format!(", {took}, ")}<RelativeTime at /></span>
            </p>
            {left_out.map(|words| view! { <p class="small dim">{words}</p> })}
            {content.into_iter().map(|block| view! { <BlockView block /> }).collect_view()}
        </li>
    }
}

#[component]
fn BlockView(block: Block) -> impl IntoView {
    match block {
        Block::Text { text, .. } => (!text.trim().is_empty()).then(|| view! { <Markdown text /> }).into_any(),
        Block::Refusal { text } => view! { <p class="dim">{text}</p> }.into_any(),
        Block::Thinking { text, .. } if !text.trim().is_empty() => view! {
            <details class="folded"><summary>"Thoughts"</summary><div class="thoughts">{text}</div></details>
        }
        .into_any(),
        Block::ToolUse { name, input, .. } => {
            let (what, body) = call_words(&name, &input);
            let is_short = body.lines().count() <= 6;
            let is_edit = AgentTool::parse(&name) == Some(AgentTool::EditFile);
            let text = body.clone();
            let body = (!body.is_empty()).then(|| {
                if is_edit {
                    view! { <pre class="code diff" tabindex="0"><code><DiffLines text /></code></pre> }.into_any()
                } else {
                    view! { <pre tabindex="0">{text}</pre> }.into_any()
                }
            });
            view! {
                <details class="folded" open=is_short>
                    <summary><Icon name="right" /><code>{name}</code>" "<span class="dim">{what}</span></summary>
                    {body}
                </details>
            }
            .into_any()
        }
        _ => ().into_any(),
    }
}

#[component]
fn Outcome(result: ToolResult) -> impl IntoView {
    let ToolResult { tool, content, is_error, is_untrusted, omitted, .. } = result;
    let first: String =
        content.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().chars().take(GLIMPSE).collect();
    let (icon, tone) = if is_error { ("s-failed", "bad") } else { ("s-succeeded", "good") };
    view! {
        <details class="folded" data-tone=tone>
            <summary>
                <Icon name=icon />
                <code>{tool}</code>
                " "
                <span class="dim glimpse">{first}</span>
                {is_untrusted.then(|| view! { " " <Badge label="untrusted" tone=Tone::Warn /> })}
            </summary>
            <pre tabindex="0">{content}</pre>
            {(omitted > 0).then(|| view! { <p class="dim small">{format!("{omitted} characters of the middle were left out.")}</p> })}
        </details>
    }
}

/// What a call is about in one line, and its arguments.
fn call_words(name: &str, input: &Value) -> (String, String) {
    let text = |field: &str| input.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let whole = || serde_json::to_string_pretty(input).unwrap_or_default();
    match AgentTool::parse(name) {
        Some(AgentTool::HttpRequest) => (format!("{} {}", text("method"), text("url")), text("body")),
        Some(AgentTool::MemorySearch) => (text("query"), String::new()),
        Some(AgentTool::MemoryRead) => (format!("{}/{}", text("namespace"), text("key")), String::new()),
        Some(AgentTool::MemoryWrite) => (format!("{}/{}", text("namespace"), text("key")), text("content")),
        Some(AgentTool::Shell) => (String::new(), text("script")),
        Some(AgentTool::ListFiles) => (text("folder"), String::new()),
        Some(AgentTool::ReadFile | AgentTool::OutlineCode) => (text("path"), String::new()),
        Some(AgentTool::SearchFiles) => (format!("{} {}", text("pattern"), text("folder")), String::new()),
        Some(AgentTool::FindSymbol) => (format!("{} {}", text("name"), text("path")), String::new()),
        Some(AgentTool::WriteFile) => (text("path"), text("content")),
        Some(AgentTool::EditFile) => (text("path"), replacement(&text("find"), &text("replace"))),
        Some(AgentTool::PublishChanges) => (String::new(), text("message")),
        Some(AgentTool::AskAgent) => (text("agent"), text("task")),
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
fn answer_words(port: &str, output: &Value, error: Option<&str>) -> (&'static str, String) {
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
