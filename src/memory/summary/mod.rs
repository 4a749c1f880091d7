//! Summaries by a model: of a group, a namespace or chosen entries, on demand.
//!
//! The originals stay as they are and where they are, and searches find both; the summary says of which versions it was made, and each
//! of these leads to it. A summary is an entry like any other: it has versions, can be edited and deleted. Its label is that of a model,
//! or the lowest of its sources where that is lower. The same versions by the same name are summarized once: who asks again gets what is
//! there. A model is asked through what was lent (`gateway` lends itself), for the person, so it is metered and budgeted as their calls.

mod lent;
mod prompt;
mod rules;

pub use lent::{Answer as SummaryAnswer, Asking, Priced, Question as SummaryQuestion, Summarizer, lend_summarizer};

pub(super) use rules::boot as boot_rules;
pub use rules::{
    delete_summary_rule, fire_summary_rules, hasten_summary_rule, list_summary_rules, preview_summary_rule,
    save_summary_rule,
};

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;

use serde_json::{Map, json};

use self::lent::{Question, lent};
use super::{Error, Expect, access, store, validate, write};
use crate::db::Tx;
use crate::model::auth::Action;
use crate::model::gateway::{Fault, FaultClass, estimate_tokens};
use crate::model::memory::{
    Entry, EntryDraft, EntryFilter, MAX_SUMMARY_SOURCES, Reach, Summarized, SummaryDraft, SummaryEstimate, SummaryLink,
    SummaryLinks, Trust,
};
use crate::model::{EntryId, FieldError, WorkspaceId};
use crate::runtime::Ctx;

/// Characters of all that one summary is made of.
const MOST_CHARS: usize = 400_000;
/// Entries that are read at once.
const BATCH: u32 = 200;
/// Summaries that were written and not kept yet, of all workspaces; the oldest go first.
const PREVIEWS: usize = 16;

/// Summaries that are asked for at once.
const TURNS: usize = 16;

/// What was written and not kept yet: who keeps it does not pay again.
#[derive(Debug, Default)]
struct Previews {
    written: Mutex<VecDeque<(WorkspaceId, Vec<u8>, String)>>,
    /// Who wants the same summary waits for whoever asks for it, and does not pay again; others rarely meet.
    turns: [tokio::sync::Mutex<()>; TURNS],
}

impl Previews {
    fn find(&self, workspace: WorkspaceId, digest: &[u8]) -> Option<String> {
        let known = self.written.lock().expect("no code panics while it holds this lock");
        known.iter().find(|(of, known, _)| *of == workspace && known == digest).map(|(.., text)| text.clone())
    }

    fn put(&self, workspace: WorkspaceId, digest: &[u8], text: &str) {
        let mut known = self.written.lock().expect("no code panics while it holds this lock");
        known.push_back((workspace, digest.to_vec(), text.to_owned()));
        while known.len() > PREVIEWS {
            known.pop_front();
        }
    }

    fn forget(&self, workspace: WorkspaceId, digest: &[u8]) {
        let mut known = self.written.lock().expect("no code panics while it holds this lock");
        known.retain(|(of, known, _)| *of != workspace || known != digest);
    }
}

/// What is to be summarized.
struct Set {
    /// In the order in which they are read.
    entries: Vec<Entry>,
    key: String,
    trust: Trust,
    /// Of who is asked, the key and the versions.
    digest: Vec<u8>,
    /// How far who asks reaches.
    reach: Reach,
}

/// What a summary would be made of, and what it would cost. Nobody is asked.
///
/// # Errors
/// [`Error::Invalid`] for what can't be summarized.
pub async fn estimate(ctx: &Ctx, draft: &SummaryDraft) -> Result<SummaryEstimate, Error> {
    may(ctx)?;
    let set = gather(ctx, draft).await?;
    let chars: u64 = set.entries.iter().map(|entry| entry.content.chars().count() as u64).sum();
    let parts = prompt::parts(&set.entries);
    let calls = parts.len() as u32 + u32::from(parts.len() > 1);
    let written = i64::from(prompt::MAX_TOKENS) * i64::from(calls);
    let material: u64 = parts.iter().map(|part| part.chars().count() as u64).sum();
    let tasks = (prompt::TASK.len() * calls as usize) as u64;
    let joined = if calls > 1 { i64::from(prompt::MAX_TOKENS) * i64::from(calls - 1) } else { 0 };
    let read = estimate_tokens(material + tasks) + joined;
    let priced = match lent(ctx) {
        Ok(lent) => lent.price(ctx, draft.model.trim(), read, written).await,
        Err(fault) => Err(fault),
    };
    let (model, cost_micros, refused) = match priced {
        Ok(priced) => (Some(priced.model), priced.cost_micros, None),
        Err(fault) => (None, None, Some(fault.message)),
    };
    let exists = find_kept(ctx, &set.reach, &set.digest).await?.is_some();
    let Set { entries, key, trust, .. } = set;
    let source = |entry: Entry| {
        let Entry { namespace, key, version, .. } = entry;
        SummaryLink { namespace, key, version, is_current: true }
    };
    Ok(SummaryEstimate {
        sources: entries.into_iter().map(source).collect(),
        key,
        chars,
        calls,
        read_tokens: read,
        written_tokens: written,
        model,
        cost_micros,
        refused,
        trust,
        exists,
    })
}

/// Has a model write a summary, and keeps it as an entry where `keep` says so; else only its text is given, and kept in this process
/// for a while, so that keeping it asks nobody again. Where these versions have one already, that is given.
///
/// # Errors
/// [`Error::Invalid`] for what can't be summarized; [`Error::Model`] when nobody answers or no budget pays.
pub async fn summarize(ctx: &Ctx, draft: &SummaryDraft, keep: bool) -> Result<Summarized, Error> {
    may(ctx)?;
    let set = gather(ctx, draft).await?;
    let previews = ctx.shared::<Previews>();
    let turn = set.digest.first().map_or(0, |byte| usize::from(*byte) % TURNS);
    let _turn = previews.turns[turn].lock().await;
    if let Some(entry) = find_kept(ctx, &set.reach, &set.digest).await? {
        return Ok(Summarized { text: entry.content.clone(), entry: Some(entry), is_new: false, cost_micros: None });
    }
    let (text, cost_micros, is_new) = match previews.find(ctx.workspace(), &set.digest) {
        Some(text) => (text, None, false),
        None => {
            let (text, cost) = write_text(ctx, draft.model.trim(), &set.entries).await?;
            previews.put(ctx.workspace(), &set.digest, &text);
            (text, cost, true)
        }
    };
    let mut entry = None;
    if keep {
        entry = Some(put(ctx, draft, &set, &text).await?);
        previews.forget(ctx.workspace(), &set.digest);
    }
    Ok(Summarized { text, entry, is_new, cost_micros })
}

/// What an entry was made of, if it is a summary, and the summaries that were made of it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn summary_links(ctx: &Ctx, namespace: &str, key: &str) -> Result<SummaryLinks, Error> {
    let reach = access::reading(ctx).await?;
    validate::place(namespace, key)?;
    let now = ctx.clock.now();
    let row = store::find(ctx, &reach, (namespace, key)).await?;
    let row = row.filter(|row| row.is_live(now)).ok_or(Error::NotFound)?;
    let mut links = SummaryLinks {
        sources: store::summary_sources(&ctx.db, row.id, now).await?,
        summaries: store::summaries_of(&ctx.db, row.id, now).await?,
    };
    links.sources.retain(|link| reach.may_read(&link.namespace));
    links.summaries.retain(|link| reach.may_read(&link.namespace));
    Ok(links)
}

/// Who summarizes writes an entry and asks a model.
fn may(ctx: &Ctx) -> Result<(), Error> {
    ctx.authorize(Action::WriteMemory)?;
    ctx.authorize(Action::UseModel)?;
    Ok(())
}

fn refused(pointer: &str, expected: impl Into<String>) -> Error {
    Error::Invalid(vec![FieldError::new(pointer, expected)])
}

/// The entries that are to be summarized, as they are now, without summaries and what is in quarantine.
async fn gather(ctx: &Ctx, draft: &SummaryDraft) -> Result<Set, Error> {
    let default = draft.group.as_deref().map_or_else(|| "summary".to_owned(), |group| format!("summary-{group}"));
    let key = draft.key.clone().filter(|key| !key.trim().is_empty()).unwrap_or(default);
    validate::place(&draft.namespace, &key)?;
    let reach = access::writing(ctx, &draft.namespace).await?;
    if draft.keys.len() > MAX_SUMMARY_SOURCES {
        return Err(refused("/keys", format!("expected at most {MAX_SUMMARY_SOURCES} keys")));
    }
    let mut entries = if draft.keys.is_empty() {
        in_namespace(ctx, &reach, draft).await?
    } else {
        by_keys(ctx, &reach, draft).await?
    };
    if entries.is_empty() {
        return Err(refused("/namespace", "expected entries to summarize; there are none here"));
    }
    if entries.len() > MAX_SUMMARY_SOURCES {
        let expected =
            format!("expected at most {MAX_SUMMARY_SOURCES} entries; choose a group, keys or a namespace further down");
        return Err(refused("/namespace", expected));
    }
    if entries.iter().map(|entry| entry.content.chars().count()).sum::<usize>() > MOST_CHARS {
        return Err(refused(
            "/namespace",
            format!("expected at most {MOST_CHARS} characters in all; choose fewer entries"),
        ));
    }
    entries.sort_by(|a, b| {
        let order =
            |entry: &Entry| (entry.namespace.clone(), entry.group.clone(), entry.position, entry.created_at, entry.id);
        order(a).cmp(&order(b))
    });
    let trust = entries.iter().fold(Trust::Model, |trust, entry| trust.lower(entry.trust));
    let mut versions: Vec<(EntryId, i64)> = entries.iter().map(|entry| (entry.id, entry.version)).collect();
    versions.sort_unstable();
    let mut hash = blake3::Hasher::new();
    for text in [draft.model.trim(), &draft.namespace, &key] {
        hash.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    for (id, version) in versions {
        hash.update(id.0.as_bytes()).update(&version.to_le_bytes());
    }
    // Nobody is asked for what can't be kept.
    standing(ctx, &reach, (&draft.namespace, &key)).await?;
    Ok(Set { entries, key, trust, digest: hash.finalize().as_bytes().to_vec(), reach })
}

async fn in_namespace(ctx: &Ctx, reach: &Reach, draft: &SummaryDraft) -> Result<Vec<Entry>, Error> {
    let filter = EntryFilter { namespace: draft.namespace.clone(), ..EntryFilter::default() };
    let summaries: HashSet<EntryId> = store::summary_ids(&ctx.db, ctx.workspace()).await?.into_iter().collect();
    let (now, mut before, mut entries) = (ctx.clock.now(), i64::MAX, Vec::new());
    loop {
        let part = store::Part { before, limit: BATCH };
        let rows = store::list(ctx, reach, now, &filter, part).await?;
        let is_last = rows.len() < BATCH as usize;
        before = rows.last().map_or(before, |row| row.change);
        for row in rows {
            // A summary of what can't be read would be one of something else.
            let entry = row.entry()?;
            if !summaries.contains(&entry.id)
                && draft.group.as_ref().is_none_or(|group| entry.group.as_ref() == Some(group))
                && draft.unchanged_since.is_none_or(|since| entry.updated_at < since)
            {
                entries.push(entry);
            }
        }
        if is_last || entries.len() > MAX_SUMMARY_SOURCES {
            return Ok(entries);
        }
    }
}

async fn by_keys(ctx: &Ctx, reach: &Reach, draft: &SummaryDraft) -> Result<Vec<Entry>, Error> {
    let (now, mut entries) = (ctx.clock.now(), Vec::<Entry>::new());
    for (at, key) in draft.keys.iter().enumerate() {
        validate::place(&draft.namespace, key)?;
        let row = store::find(ctx, reach, (&draft.namespace, key)).await?;
        let row = row.filter(|row| row.is_findable(now));
        let row = row.ok_or_else(|| refused(&format!("/keys/{at}"), "expected the key of an entry that is there"))?;
        if entries.iter().all(|entry| entry.id != row.id) {
            entries.push(row.entry()?);
        }
    }
    Ok(entries)
}

/// The summary that these versions have already.
async fn find_kept(ctx: &Ctx, reach: &Reach, digest: &[u8]) -> Result<Option<Entry>, Error> {
    let Some(id) = store::find_summary(&ctx.db, ctx.workspace(), digest).await? else { return Ok(None) };
    let rows = store::fetch(ctx, reach, &[id]).await?;
    rows.into_iter().find(|row| row.is_findable(ctx.clock.now())).map(store::EntryRow::entry).transpose()
}

/// Asks for a summary of each part, and for one of all of these.
async fn write_text(ctx: &Ctx, model: &str, entries: &[Entry]) -> Result<(String, Option<i64>), Error> {
    let lent = lent(ctx).map_err(Error::Model)?;
    let (mut texts, mut cost) = (Vec::new(), None::<i64>);
    let mut work: VecDeque<(&str, String)> =
        prompt::parts(entries).into_iter().map(|part| (prompt::TASK, part)).collect();
    let parts = work.len();
    while let Some((task, material)) = work.pop_front() {
        let question =
            Question { model: model.to_owned(), task: task.to_owned(), material, max_tokens: prompt::MAX_TOKENS };
        let answer = lent.ask(ctx, question).await.map_err(Error::Model)?;
        if let Some(micros) = answer.cost_micros {
            cost = Some(cost.unwrap_or(0) + micros);
        }
        let text: String = answer.text.replace('\0', "\u{fffd}").trim().chars().take(prompt::MAX_CHARS).collect();
        if text.is_empty() {
            return Err(Error::Model(Fault::new(FaultClass::Malformed, "the model gave an empty summary")));
        }
        texts.push(text);
        if parts > 1 && texts.len() == parts {
            work.push_back((prompt::JOIN, prompt::joined(&texts)));
        }
    }
    Ok((texts.pop().unwrap_or_default(), cost))
}

/// What a summary under this key would stand over: nothing, or a summary.
async fn standing(ctx: &Ctx, reach: &Reach, place: (&str, &str)) -> Result<Expect, Error> {
    let now = ctx.clock.now();
    let there = store::find(ctx, reach, place).await?;
    match there.filter(|row| row.is_live(now)) {
        None => Ok(Expect::Absent),
        Some(row) if !row.is_findable(now) => Err(refused("/key", "expected a key whose entry is not in quarantine")),
        Some(row) if store::is_summary(&ctx.db, row.id).await? => Ok(Expect::Version(row.version)),
        Some(_) => Err(refused("/key", "expected a key that is free, or that of a summary")),
    }
}

/// Keeps a summary under its key, over the one that stands there, and the ways to what it was made of.
async fn put(ctx: &Ctx, draft: &SummaryDraft, set: &Set, text: &str) -> Result<Entry, Error> {
    let expect = standing(ctx, &set.reach, (&draft.namespace, &set.key)).await?;
    let mut metadata = Map::new();
    metadata.insert("summary_of".to_owned(), json!(set.entries.len()));
    let entry = EntryDraft {
        content: text.to_owned(),
        tags: vec!["summary".to_owned()],
        metadata,
        trust: Some(set.trust),
        ..EntryDraft::default()
    };
    let links = Links {
        digest: set.digest.clone(),
        sources: set.entries.iter().map(|source| (source.id, source.version)).collect(),
    };
    write::put_summary(ctx, (&draft.namespace, &set.key), entry, expect, links).await
}

/// The ways from a summary to what it was made of, stored in the transaction that writes it.
#[derive(Debug)]
pub(super) struct Links {
    /// Of who was asked, the key and the versions.
    digest: Vec<u8>,
    /// Which version of which entry.
    sources: Vec<(EntryId, i64)>,
}

/// Stores the ways of a summary that is being written. One that keeps its words over a new version keeps its ways.
pub(super) async fn keep_links(
    tx: &mut Tx,
    ctx: &Ctx,
    links: Option<&Links>,
    (live, entry): (Option<&Entry>, &Entry),
) -> Result<(), Error> {
    if let Some(live) = live.filter(|live| live.content == entry.content) {
        store::carry_summary(tx, entry.id, live.version, entry.version).await?;
    }
    let Some(Links { digest, sources }) = links else { return Ok(()) };
    store::put_summary(tx, ctx.workspace(), (entry.id, entry.version), digest, entry.updated_at).await?;
    for (source, version) in sources.iter().filter(|(source, _)| *source != entry.id) {
        store::add_summary_source(tx, entry.id, *source, *version).await?;
    }
    Ok(())
}
