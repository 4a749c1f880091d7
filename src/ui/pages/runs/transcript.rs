//! What an agent said and did in a step, piece by piece, as it comes.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::hooked::Hooked;
use super::told::{answer_words, call_words};
use super::watch::Watch;
use crate::api;
use crate::model::agent::{AgentTool, Entry, Spent, ToolResult};
use crate::model::gateway::{Block, short_usd};
use crate::model::workflow::{Fact, StepStatus};
use crate::model::{ApiError, Timestamp};
use crate::ui::components::{Badge, DiffLines, Icon, Markdown, RelativeTime, Tone};
use crate::ui::format;

/// Characters of a result that stand beside its tool while it is folded.
const GLIMPSE: usize = 90;
/// Lines of what it writes now.
const NOW_LINES: usize = 14;
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
    let now = now_of(watch, id.clone());
    let reader = Reader::new(watch, id);
    let now = Memo::new(move |_| {
        let after = reader.lines.with(|lines| lines.last().map(|line| line.at));
        after.map(|after| now.run(after)).unwrap_or_default()
    });
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
                <Show when=move || now.with(|text| !text.is_empty())>
                    <li data-who="model">
                        <p class="who"><Icon name="agent" /><strong>"Now"</strong></p>
                        <pre class="now" tabindex="0">{move || now.get()}</pre>
                    </li>
                </Show>
            </ol>
        </Show>
    }
}

/// What a step has written and printed since a moment, while it works: the answer of the model as it comes, and what its tools do.
fn now_of(watch: Watch, id: String) -> Callback<Timestamp, String> {
    let state = watch.step(&id);
    Callback::new(move |after| {
        let is_working = state.is_some_and(|state| state.with(|step| step.status == StepStatus::Running));
        if !is_working {
            return String::new();
        }
        watch.log.with(|log| log.tail(&id, after, NOW_LINES)).join("\n")
    })
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
    let body = if AgentTool::parse(&tool) == Some(AgentTool::ShowChanges) && !is_error {
        view! { <pre class="code diff" tabindex="0"><code><DiffLines text=content /></code></pre> }.into_any()
    } else {
        view! { <pre tabindex="0">{content}</pre> }.into_any()
    };
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
            {body}
            {(omitted > 0).then(|| view! { <p class="dim small">{format!("{omitted} characters of the middle were left out.")}</p> })}
        </details>
    }
}
