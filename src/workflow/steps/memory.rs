//! `memory_write` and `memory_search`: what a run keeps, and what it finds.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Outcome, StepCall};
use crate::memory::{self, Error, Expect, Put, Stated};
use crate::model::cache::{Dependency, SourceKind, SourceRef};
use crate::model::memory::{EntryDraft, OnConflict, Reader, Search, Source, Trust};
use crate::model::workflow::StepError;
use crate::runtime::Ctx;
use crate::workflow::store::hand;

#[derive(Debug, Deserialize)]
struct Write {
    namespace: String,
    key: String,
    content: String,
    #[serde(default)]
    value: Value,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
    #[serde(default)]
    importance: Option<f64>,
    #[serde(default)]
    expires_in_ms: Option<i64>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    position: Option<i64>,
    #[serde(default)]
    trust: Option<Trust>,
    /// The version that was read; 0 where there was none.
    #[serde(default)]
    version: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Find {
    query: String,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    limit: Option<u32>,
    #[serde(default)]
    trust: Option<Vec<String>>,
}

/// Writes an entry; the output is the entry as it stands then, with the number of the `sibling` where the text stands beside it. A
/// repeated attempt that writes the same makes no new version.
///
/// # Errors
/// Class `config` for what does not fit, `memory` when the database is away: worth another attempt.
pub async fn write(call: StepCall) -> Result<Outcome, StepError> {
    let config: Write = call.config()?;
    let draft = EntryDraft {
        content: config.content,
        value: config.value,
        tags: config.tags,
        metadata: config.metadata.unwrap_or_default(),
        importance: config.importance,
        expires_at: config.expires_in_ms.map(|ms| call.ctx.clock.now().plus_ms(ms)),
        group: config.group,
        position: config.position,
        trust: config.trust,
    };
    let ctx = acting(&call).await.map_err(refuse)?;
    let source = Source::Run { run_id: call.run_id, step: call.step };
    let (expect, on_conflict) = match config.version {
        None => (Expect::Any, OnConflict::Refuse),
        Some(0) => (Expect::Absent, OnConflict::Sibling),
        Some(version) => (Expect::Version(version), OnConflict::Sibling),
    };
    let stated = Stated { expect, on_conflict, merges: Vec::new() };
    let place = (config.namespace.as_str(), config.key.as_str());
    Ok(Outcome::out(match memory::put_beside(&ctx, place, draft, stated, source).await.map_err(refuse)? {
        Put::Written(entry) => json!(entry),
        Put::Beside(entry, sibling) => {
            let mut output = json!(entry);
            output["sibling"] = json!(sibling);
            output
        }
    }))
}

/// Searches entries; the output is `{hits, matched, text}`, where `text` is what a prompt may be given, and without a hit it leaves by `empty`.
///
/// # Errors
/// As [`write`].
pub async fn search(call: StepCall) -> Result<Outcome, StepError> {
    let config: Find = call.config()?;
    let asked = Search::text(&config.query);
    let trust = Trust::parse_list(&config.trust.unwrap_or_default().join(","))
        .map_err(|expected| StepError::permanent("config", format!("trust: {expected}")))?;
    let search = Search { namespace: config.namespace, limit: config.limit.unwrap_or(asked.limit), trust, ..asked };
    let ctx = acting(&call).await.map_err(refuse)?;
    let found = memory::search(&ctx, &search).await.map_err(refuse)?;
    let reader = Reader::Run { run_id: call.run_id, step: call.step, agent: None };
    memory::note_found(&call.ctx, &reader, &config.query, &found.hits);
    let text = memory::told(found.hits.iter().map(|hit| &hit.entry));
    let output = json!({"hits": found.hits, "matched": found.matched, "text": text});
    Ok(if found.hits.is_empty() { Outcome::port("empty", output) } else { Outcome::out(output) })
}

/// In whose name a step reads and writes memory: that of whoever started the run, no further than anybody who shaped it.
pub(super) async fn acting(call: &StepCall) -> Result<Ctx, Error> {
    if !memory::is_governed(&call.ctx).await? {
        return Ok(call.ctx.clone());
    }
    let shaped_by = hand::list(&call.ctx.db, call.ctx.workspace(), call.run_id).await?;
    memory::acting(&call.ctx, call.started_by.as_ref().map(|(id, _)| *id), &shaped_by).await
}

/// Whether the answers of a step may be said to depend on these: entries of the memory must be within the run's reach.
pub(super) async fn may_depend(call: &StepCall, depends_on: &[Dependency]) -> Result<bool, StepError> {
    if depends_on.iter().all(|one| one.kind != SourceKind::Memory) {
        return Ok(true);
    }
    let ctx = acting(call).await.map_err(refuse)?;
    let sources: Vec<SourceRef> = depends_on.iter().map(Dependency::source).collect();
    memory::may_depend(&ctx, &sources).await.map_err(refuse)
}

fn refuse(error: Error) -> StepError {
    match error {
        Error::Db(error) if error.is_transient() => StepError::transient("memory", error.to_string()),
        Error::Invalid(_) | Error::TooLarge(_) => StepError::permanent("config", error.to_string()),
        error => StepError::permanent("memory", error.to_string()),
    }
}
