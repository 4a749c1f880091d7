//! The tools at work. Whatever goes wrong is a result that the model is told, never the end of its work.

use std::convert::Infallible;

use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::files::Filed;
use super::leases::{self, Ready};
use super::outcome::{refused, result};
use super::work::{Call, Work};
use super::{code, files, place, repository, team};
use crate::memory::{self, Expect, Put, Stated};
use crate::model::agent::{AgentTool, Entry as Journal, LeaseNote, Processes, SeenFile, TaskStatus, ToolResult};
use crate::model::memory::{Entry, EntryDraft, Hit, OnConflict, Reader, Search, Sibling, Source, Trust};
use crate::model::workflow::StepError;
use crate::runtime::outbound::Request;
use crate::runtime::sandbox::Use;
use crate::workflow::steps::memory::acting;
use crate::workflow::steps::{Outcome, StepCall, shell};

/// The longest that a request may take, in milliseconds.
const HTTP_MS: u64 = 60_000;
/// The largest body that is read.
const HTTP_BYTES: u64 = 4 * 1024 * 1024;
/// The longest that a script may run, in milliseconds.
const SHELL_MS: u64 = 300_000;
/// Between two words about what the processes of a script use, in milliseconds.
const TELL_MS: i64 = 2_000;
/// Hits of a search, where the model names no number.
const HITS: u32 = 5;
/// Characters of one entry among hits.
const MAX_HIT: usize = 3_000;
/// Headers that the model is shown.
const SHOWN_HEADERS: [&str; 6] = ["content-type", "location", "link", "retry-after", "etag", "last-modified"];

/// Does a call that has the lease that it needs, or has it wait for that.
///
/// # Errors
/// What is to be noted before it can be done.
pub async fn use_now(step: &StepCall, work: &Work, call: &Call) -> Result<ToolResult, Box<Journal>> {
    match leases::ready(step, work, call).await {
        Ready::Yes => act(step, work, call).await,
        Ready::Queued { thing, why, .. } => Err(Box::new(Journal::Queued { id: call.id.clone(), thing, why })),
        Ready::Refused(why) => {
            super::print(step, &format!("✗ {}: {why}", call.name)).await;
            Ok(refused(call, &why))
        }
    }
}

/// What came of a call besides its words.
#[derive(Default)]
struct Besides {
    trust: Option<Trust>,
    seen: Option<SeenFile>,
    leases: Vec<LeaseNote>,
    processes: Processes,
}

/// Does a call.
///
/// # Errors
/// What is to be noted before it can be done.
pub async fn act(step: &StepCall, work: &Work, call: &Call) -> Result<ToolResult, Box<Journal>> {
    let Some(tool) = call.tool else { return Ok(refused(call, "There is no such tool.")) };
    let lost = leases::lost(step, work).await;
    let shown: String = call.arguments.to_string().chars().take(400).collect();
    super::print(step, &format!("→ {} {shown}", tool.as_str())).await;
    let mut besides = Besides::default();
    let done = match tool {
        AgentTool::HttpRequest => http(step, call).await,
        AgentTool::MemorySearch => search(step, work, call).await.map(|found| besides.label(found)),
        AgentTool::MemoryRead => read(step, work, call).await.map(|found| besides.label(found)),
        AgentTool::MemoryWrite => write(step, work, call).await,
        AgentTool::Shell => script(step, work, call, &mut besides.processes).await,
        AgentTool::ListFiles
        | AgentTool::ReadFile
        | AgentTool::SearchFiles
        | AgentTool::WriteFile
        | AgentTool::EditFile => match files::act(step, work, call, tool).await {
            Ok(Filed::Done(told, seen)) => {
                besides.seen = seen;
                Ok(told)
            }
            Ok(Filed::Conflict(file)) => {
                super::print(step, &format!("? {}: somebody else has changed {}", tool.as_str(), file.path)).await;
                return Err(Box::new(Journal::Conflicted { id: call.id.clone(), file }));
            }
            Err(why) => Err(why),
        },
        AgentTool::OutlineCode | AgentTool::FindSymbol | AgentTool::AnalyzeCode => {
            code::act(step, work, call, tool).await
        }
        AgentTool::SendMessage | AgentTool::ReadMessages | AgentTool::SetTopology => {
            team::act(step, work, call, tool).await.map(|told| besides.label(told))
        }
        AgentTool::ShowChanges => repository::show(step, work, call).await,
        AgentTool::CommitChanges => repository::commit(step, work, call).await,
        AgentTool::PublishChanges => repository::publish(step, work, call).await,
        AgentTool::LeaseTake => leases::taken(step, work, call).map(|(told, note)| {
            besides.leases.push(note);
            told
        }),
        AgentTool::LeaseRelease => leases::give_back(step, work, call).await.map(|(told, notes)| {
            besides.leases.extend(notes);
            told
        }),
        AgentTool::RunWorkflow | AgentTool::AskAgent | AgentTool::HandOver | AgentTool::AskPerson => {
            Err("This gives its result in its own time.".to_owned())
        }
    };
    leases::after(step, work, call).await;
    let note = leases::lost_words(&lost);
    let (mark, mut outcome) = match done {
        Ok(text) => ("✓", ToolResult { trust: besides.trust, ..result(call, &format!("{note}{text}"), false) }),
        Err(text) => {
            // Of memory and of the team the words are ours: nothing of an entry or a message is told.
            let is_ours = matches!(tool, AgentTool::MemorySearch | AgentTool::MemoryRead) || tool.is_of_team();
            let trust = is_ours.then_some(Trust::User);
            ("✗", ToolResult { trust, ..result(call, &format!("{note}{text}"), true) })
        }
    };
    outcome.seen = besides.seen;
    outcome.processes = besides.processes;
    // What is taken now is taken after what was lost.
    outcome.leases = lost.into_iter().chain(besides.leases).collect();
    let start: String = outcome.content.chars().take(400).collect();
    super::print(step, &format!("{mark} {start}")).await;
    Ok(outcome)
}

impl Besides {
    /// Notes whose words they are.
    fn label(&mut self, (text, trust): (String, Trust)) -> String {
        self.trust = Some(trust);
        text
    }
}

fn text<'a>(call: &'a Call, name: &str) -> &'a str {
    call.arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A request to a host that the agent may reach. Redirects are not followed: they may lead elsewhere.
async fn http(step: &StepCall, call: &Call) -> Result<String, String> {
    let mut request = Request::new(text(call, "method"), text(call, "url"));
    let headers = call.arguments.get("headers").and_then(Value::as_object).into_iter().flatten();
    request.headers =
        headers.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        let key = format!("{}/{}/{}", step.run_id, step.step, step.journal.len());
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("idempotency-key"));
        request.headers.push(("idempotency-key".to_owned(), key));
    }
    request.body = call.arguments.get("body").and_then(Value::as_str).map(|body| body.as_bytes().to_vec());
    request.timeout_ms = Some(HTTP_MS);
    request.max_decompressed = Some(HTTP_BYTES);
    request.follows_redirects = false;
    let answered = tokio::select! {
        answered = step.ctx.http.send(request) => answered,
        () = step.cancel.cancelled() => return Err("The request was cut off.".to_owned()),
    };
    let response = answered.map_err(|error| format!("There is no answer: {error}"))?;
    let headers: Map<String, Value> = response
        .headers
        .iter()
        .filter(|(name, _)| SHOWN_HEADERS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let body = String::from_utf8_lossy(&response.body);
    Ok(format!("Status {}\n{}\n\n{body}", response.status, Value::Object(headers)))
}

/// Every namespace that the agent may read, or the one that it names; with the lowest label of what was found.
async fn search(step: &StepCall, work: &Work, call: &Call) -> Result<(String, Trust), String> {
    let limit = call.arguments.get("limit").and_then(Value::as_u64).and_then(|limit| u32::try_from(limit).ok());
    let limit = limit.unwrap_or(HITS).clamp(1, 20);
    let asked = text(call, "namespace").trim_matches('/').to_owned();
    let roots = if asked.is_empty() { work.spec.reads.clone() } else { vec![asked] };
    let ctx = acting(step).await.map_err(|error| error.to_string())?;
    let mut hits: Vec<Hit> = Vec::new();
    for root in roots {
        let search =
            Search { namespace: Some(root.trim_matches('/').to_owned()), limit, ..Search::text(text(call, "query")) };
        let found = memory::search(&ctx, &search).await.map_err(|error| error.to_string())?;
        hits.extend(found.hits);
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut seen = std::collections::HashSet::new();
    hits.retain(|hit| seen.insert(hit.entry.id));
    hits.truncate(limit as usize);
    memory::note_found(&step.ctx, &reader(step, work), text(call, "query"), &hits);
    if hits.is_empty() {
        return Ok(("Nothing was found.".to_owned(), Trust::User));
    }
    let shown = hits.iter().map(|hit| {
        let content: String = hit.entry.content.chars().take(MAX_HIT).collect();
        let Entry { namespace, key, updated_at, trust, .. } = &hit.entry;
        format!("## {namespace}/{key}\nwritten {updated_at}; the words came from {}\n\n{content}", trust.label())
    });
    let lowest = hits.iter().map(|hit| hit.entry.trust).max().unwrap_or_default();
    Ok((shown.collect::<Vec<_>>().join("\n\n"), lowest))
}

/// Who reads, for those who want to know.
fn reader(step: &StepCall, work: &Work) -> Reader {
    Reader::Run { run_id: step.run_id, step: step.step.clone(), agent: Some(work.name.clone()) }
}

async fn read(step: &StepCall, work: &Work, call: &Call) -> Result<(String, Trust), String> {
    let namespace = text(call, "namespace").trim_matches('/');
    let ctx = acting(step).await.map_err(|error| error.to_string())?;
    match memory::get(&ctx, namespace, text(call, "key")).await {
        Ok(entry) => {
            memory::note_read(&step.ctx, &reader(step, work), &entry);
            let beside = if entry.siblings > 0 {
                memory::siblings(&ctx, namespace, text(call, "key")).await.map_err(|error| error.to_string())?
            } else {
                Vec::new()
            };
            Ok(told(&entry, &beside))
        }
        Err(memory::Error::NotFound | memory::Error::Quarantined) => Err("There is no such entry.".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// An entry with what stands beside it, and the lowest label of both.
fn told(entry: &Entry, beside: &[Sibling]) -> (String, Trust) {
    let mut lowest = entry.trust;
    let mut told =
        format!("Version {}. The words came from {}.\n\n{}", entry.version, entry.trust.label(), entry.content);
    for sibling in beside.iter().filter(|sibling| sibling.is_open()) {
        lowest = lowest.lower(sibling.trust);
        told += &format!(
            "\n\n# Beside it stands text {}, by a writer who had not seen the one above; its words came from {}\n\n{}",
            sibling.id,
            sibling.trust.label(),
            sibling.content
        );
    }
    (told, lowest)
}

/// What the model says to have read: a write over a version that it names loses nobody's words.
fn stated(call: &Call) -> Stated {
    let (expect, on_conflict) = match call.arguments.get("version").and_then(Value::as_i64) {
        None => (Expect::Any, OnConflict::Refuse),
        Some(0) => (Expect::Absent, OnConflict::Sibling),
        Some(version) => (Expect::Version(version), OnConflict::Sibling),
    };
    let merges = call.arguments.get("merges").and_then(Value::as_array).into_iter().flatten();
    Stated { expect, on_conflict, merges: merges.filter_map(Value::as_i64).collect() }
}

/// Where the work has read what strangers may have written, the entry's label says so: who finds it later is warned. One that
/// looks as if it were to steer a model waits for a person.
async fn write(step: &StepCall, work: &Work, call: &Call) -> Result<String, String> {
    let tags = call.arguments.get("tags").and_then(Value::as_array).into_iter().flatten();
    let mut metadata = Map::new();
    metadata.insert("agent".to_owned(), json!(work.name));
    let draft = EntryDraft {
        content: text(call, "content").to_owned(),
        value: Value::Null,
        tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
        metadata,
        importance: None,
        expires_at: None,
        group: None,
        position: None,
        trust: Some(if work.has_read_web { Trust::Web } else { Trust::Model }),
    };
    let namespace = text(call, "namespace").trim_matches('/');
    let source = Source::Run { run_id: step.run_id, step: step.step.clone() };
    let ctx = acting(step).await.map_err(|error| error.to_string())?;
    let put = memory::put_beside(&ctx, (namespace, text(call, "key")), draft, stated(call), source).await;
    let entry = match put.map_err(|error| error.to_string())? {
        Put::Written(entry) => entry,
        Put::Beside(entry, sibling) => {
            return Ok(format!(
                "Somebody wrote version {} meanwhile. Yours is kept beside it as text {sibling}. Read the entry and write one text of both.",
                entry.version
            ));
        }
    };
    let waits = if entry.is_quarantined() { " It is not found until a person has looked at it." } else { "" };
    Ok(format!("Kept as {}/{}, version {}.{waits}", entry.namespace, entry.key, entry.version))
}

/// Tells the board what the processes of a script use while it runs.
async fn tell_use(step: &StepCall, work: &Work, mut seeing: watch::Receiver<Use>) -> Infallible {
    while seeing.changed().await.is_ok() {
        let Use { cpu_ms, memory_mb } = *seeing.borrow_and_update();
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let running = Processes { cpu_ms: number(cpu_ms), memory_mb: number(memory_mb) };
        super::tell_with(step, work, (TaskStatus::Working, None), running).await;
        step.ctx.clock.sleep_ms(TELL_MS).await;
    }
    std::future::pending().await
}

/// Runs a script; notes what its processes took, however it ends.
async fn script(step: &StepCall, work: &Work, call: &Call, took: &mut Processes) -> Result<String, String> {
    let words = |error: StepError| error.message;
    let place = place::open(step, work).await?;
    let mut config = Map::new();
    config.insert("script".to_owned(), json!(text(call, "script")));
    config.insert("ok_codes".to_owned(), json!((0..=255).collect::<Vec<i32>>()));
    config.insert("limits".to_owned(), json!({"time_ms": SHELL_MS, "cpu_ms": SHELL_MS}));
    let name = work.name.as_str();
    config.insert(
        "env".to_owned(),
        json!({"GIT_AUTHOR_NAME": name, "GIT_COMMITTER_NAME": name, "GIT_AUTHOR_EMAIL": "agent@weft.invalid", "GIT_COMMITTER_EMAIL": "agent@weft.invalid"}),
    );
    let call = StepCall { config, ..step.clone() };
    let (seen, seeing) = watch::channel(Use::default());
    let ended = tokio::select! {
        ended = Box::pin(shell::run_in(call, place.path, took, seen)) => ended,
        never = Box::pin(tell_use(step, work, seeing)) => match never {},
    };
    let Outcome::Done { output, .. } = ended.map_err(words)? else {
        return Err("The script gave nothing.".to_owned());
    };
    let stream = |name: &str| output.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (stdout, stderr) = (stream("stdout"), stream("stderr"));
    let note = if place.is_anew { files::ANEW } else { "" };
    let mut told = format!("{note}Exit code {}", output["exit_code"]);
    for (name, text) in [("stdout", stdout), ("stderr", stderr)] {
        if !text.is_empty() {
            told.push_str(&format!("\n--- {name}\n{text}"));
        }
    }
    Ok(told)
}
