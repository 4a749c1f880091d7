//! The tools at work. Whatever goes wrong is a result that the model is told, never the end of its work.

use serde_json::{Map, Value, json};

use super::outcome::{refused, result};
use super::work::{Call, Work};
use super::{files, place, repository};
use crate::memory::{self, Expect};
use crate::model::agent::{AgentTool, ToolResult};
use crate::model::memory::{Entry, EntryDraft, Hit, Search, Source, Trust};
use crate::model::workflow::StepError;
use crate::runtime::outbound::Request;
use crate::workflow::steps::{Outcome, StepCall, shell};

/// The longest that a request may take, in milliseconds.
const HTTP_MS: u64 = 60_000;
/// The largest body that is read.
const HTTP_BYTES: u64 = 4 * 1024 * 1024;
/// The longest that a script may run, in milliseconds.
const SHELL_MS: u64 = 300_000;
/// Hits of a search, where the model names no number.
const HITS: u32 = 5;
/// Characters of one entry among hits.
const MAX_HIT: usize = 3_000;
/// Headers that the model is shown.
const SHOWN_HEADERS: [&str; 6] = ["content-type", "location", "link", "retry-after", "etag", "last-modified"];

/// Does a call.
pub async fn act(step: &StepCall, work: &Work, call: &Call) -> ToolResult {
    let Some(tool) = call.tool else { return refused(call, "There is no such tool.") };
    let shown: String = call.arguments.to_string().chars().take(400).collect();
    super::print(step, &format!("→ {} {shown}", tool.as_str())).await;
    let mut trust = None;
    let mut labelled = |(text, label): (String, Trust)| {
        trust = Some(label);
        text
    };
    let done = match tool {
        AgentTool::HttpRequest => http(step, call).await,
        AgentTool::MemorySearch => search(step, work, call).await.map(&mut labelled),
        AgentTool::MemoryRead => read(step, call).await.map(&mut labelled),
        AgentTool::MemoryWrite => write(step, work, call).await,
        AgentTool::Shell => script(step, work, call).await,
        AgentTool::ListFiles
        | AgentTool::ReadFile
        | AgentTool::SearchFiles
        | AgentTool::WriteFile
        | AgentTool::EditFile => files::act(step, work, call, tool).await,
        AgentTool::PublishChanges => repository::publish(step, work, call).await,
        AgentTool::RunWorkflow | AgentTool::AskAgent | AgentTool::AskPerson => {
            Err("This gives its result in its own time.".to_owned())
        }
    };
    let (mark, outcome) = match done {
        Ok(text) => ("✓", ToolResult { trust, ..result(call, &text, false) }),
        Err(text) => {
            // Of memory the words are ours: nothing of an entry is told.
            let is_ours = matches!(tool, AgentTool::MemorySearch | AgentTool::MemoryRead);
            ("✗", ToolResult { trust: is_ours.then_some(Trust::User), ..result(call, &text, true) })
        }
    };
    let start: String = outcome.content.chars().take(400).collect();
    super::print(step, &format!("{mark} {start}")).await;
    outcome
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
    let mut hits: Vec<Hit> = Vec::new();
    for root in roots {
        let search =
            Search { namespace: Some(root.trim_matches('/').to_owned()), limit, ..Search::text(text(call, "query")) };
        let found = memory::search(&step.ctx, &search).await.map_err(|error| error.to_string())?;
        hits.extend(found.hits);
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut seen = std::collections::HashSet::new();
    hits.retain(|hit| seen.insert(hit.entry.id));
    hits.truncate(limit as usize);
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

async fn read(step: &StepCall, call: &Call) -> Result<(String, Trust), String> {
    let namespace = text(call, "namespace").trim_matches('/');
    match memory::get(&step.ctx, namespace, text(call, "key")).await {
        Ok(entry) if entry.trust == Trust::User => Ok((entry.content, entry.trust)),
        Ok(entry) => Ok((format!("The words came from {}.\n\n{}", entry.trust.label(), entry.content), entry.trust)),
        Err(memory::Error::NotFound | memory::Error::Quarantined) => Err("There is no such entry.".to_owned()),
        Err(error) => Err(error.to_string()),
    }
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
    let put = memory::put(&step.ctx, namespace, text(call, "key"), draft, Expect::Any, source).await;
    let entry = put.map_err(|error| error.to_string())?;
    let waits = if entry.is_quarantined() { " It is not found until a person has looked at it." } else { "" };
    Ok(format!("Kept as {}/{}, version {}.{waits}", entry.namespace, entry.key, entry.version))
}

async fn script(step: &StepCall, work: &Work, call: &Call) -> Result<String, String> {
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
    let Outcome::Done { output, .. } = shell::run_in(call, place.path).await.map_err(words)? else {
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
