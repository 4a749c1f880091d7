//! `weft memory`: entries of the first workspace, on the database of the settings.

use clap::{Args, Subcommand};

use super::learned::{by, moment, unknown};
use super::table::{Column, Paint, table};
use super::{Failure, Global, access, backups, file, learned, local, namespaces, out, transfer, upkeep};
use crate::memory::{self, Expect, Filter};
use crate::model::memory::{Entry, EntryDraft, EntryVersion, Reader, Search, SearchMode, Trust};
use crate::model::{ApiError, PageRequest, Timestamp};
use crate::runtime::Ctx;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write an entry from a file or from standard input.
    Put(Put),
    /// Print an entry's content.
    Get(Get),
    /// List entries, changed last first.
    List(List),
    /// Search a namespace and all below it.
    Search(Find),
    /// Delete an entry.
    Delete(Place),
    /// List the versions of an entry, newest first.
    History(Place),
    /// Put an entry into quarantine: no search, step or agent finds it.
    Quarantine(Suspect),
    /// Let an entry out of quarantine.
    Release(Place),
    /// List what was learned when, the last first.
    Timeline(learned::Timeline),
    /// List what may need somebody: copies, what is old, long, soon gone, or in quarantine.
    Health,
    #[command(flatten)]
    Namespaces(namespaces::OfNamespaces),
    #[command(flatten)]
    Access(access::Commands),
    #[command(flatten)]
    Keys(upkeep::Keys),
    #[command(flatten)]
    Backups(backups::Commands),
    /// Write entries to a file or a folder.
    Export(transfer::Export),
    /// Read entries from a file or a folder; those that are as they were stay untouched.
    Import(transfer::Import),
}

/// Where an entry stands.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// A path such as code/decisions.
    pub namespace: String,
    /// The entry's key.
    pub key: String,
}

#[derive(Debug, Args)]
struct Get {
    #[command(flatten)]
    place: Place,
    /// Also while it is in quarantine.
    #[arg(long)]
    quarantined: bool,
    /// As it stood then, such as 2026-11-21T08:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    as_of: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(super) struct Suspect {
    #[command(flatten)]
    pub place: Place,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
}

#[derive(Debug, Args)]
struct Put {
    #[command(flatten)]
    place: Place,
    /// Where the content comes from; - is standard input.
    #[arg(default_value = "-")]
    file: String,
    /// A tag (repeatable).
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// 0 to 1.
    #[arg(long, value_name = "NUMBER")]
    importance: Option<f64>,
    /// The conversation or document that it belongs to.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Its place there.
    #[arg(long, value_name = "N", requires = "group", allow_hyphen_values = true)]
    position: Option<i64>,
    /// Who the words came from: user, tool, model or web.
    #[arg(long, value_name = "LABEL", value_parser = trust)]
    trust: Option<Trust>,
    /// Write only over this version; 0: only if there is none.
    #[arg(long, value_name = "N")]
    if_version: Option<i64>,
}

#[derive(Debug, Args)]
struct List {
    /// This namespace and all below it.
    #[arg(default_value = "")]
    namespace: String,
    /// Keys that begin with this.
    #[arg(long, default_value = "")]
    prefix: String,
    /// Entries with this tag.
    #[arg(long, default_value = "")]
    tag: String,
    /// Entries whose words came from there: user, tool, model or web (repeatable).
    #[arg(long, value_name = "LABEL", value_parser = trust)]
    trust: Vec<Trust>,
    /// Those in quarantine, in place of all others.
    #[arg(long)]
    quarantined: bool,
    /// As they stood then, at most 30 days ago.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    as_of: Option<Timestamp>,
    /// At most so many, 1 to 200.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// The cursor that the page before ended with.
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
struct Find {
    /// This namespace and all below it; "" means all.
    namespace: String,
    /// Words; in quotes a phrase.
    query: String,
    /// Entries with this tag (repeatable).
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Entries whose words came from there: user, tool, model or web (repeatable).
    #[arg(long, value_name = "LABEL", value_parser = trust)]
    trust: Vec<Trust>,
    /// At most so many, 1 to 100.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
    /// Leave out hits with a lower score.
    #[arg(long, value_name = "NUMBER")]
    min_score: Option<f64>,
    /// Entries before and behind each hit in its group to print with it, 0 to 5.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=5))]
    neighbours: u32,
    /// What counts: words and vectors, words alone, or vectors alone.
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,
    /// What would have been found then, at most 30 days ago.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    as_of: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Mode {
    #[default]
    Hybrid,
    Text,
    Vector,
}

impl From<Mode> for SearchMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Hybrid => Self::Hybrid,
            Mode::Text => Self::Text,
            Mode::Vector => Self::Vector,
        }
    }
}

fn trust(word: &str) -> Result<Trust, String> {
    Trust::parse(word).ok_or_else(|| "expected user, tool, model or web".to_owned())
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let json = global.json;
    match arguments.command {
        Command::Put(put) => {
            // Before the database is opened: a pipe may take its time.
            let content = content(&put.file)?;
            local::within(global, async |ctx| write(ctx, json, put, content).await).await
        }
        Command::Get(get) => local::within(global, async |ctx| read(ctx, json, &get).await).await,
        Command::List(list) => local::within(global, async |ctx| list_entries(ctx, json, list).await).await,
        Command::Search(find) => local::within(global, async |ctx| search(ctx, json, find).await).await,
        Command::Quarantine(entry) => local::within(global, async |ctx| upkeep::hold(ctx, json, &entry).await).await,
        Command::Release(place) => local::within(global, async |ctx| upkeep::release(ctx, json, &place).await).await,
        Command::Timeline(asked) => local::within(global, async |ctx| learned::timeline(ctx, json, asked).await).await,
        Command::Namespaces(asked) => local::within(global, async |ctx| asked.run(ctx, json).await).await,
        Command::Access(asked) => local::within(global, async |ctx| asked.run(ctx, json).await).await,
        Command::Backups(asked) => local::within(global, async |ctx| asked.run(ctx, json).await).await,
        Command::Keys(keys) => local::within(global, async |ctx| keys.run(ctx, json).await).await,
        Command::Health => local::within(global, async |ctx| upkeep::health(ctx, json).await).await,
        Command::Delete(place) => local::within(global, async |ctx| delete(ctx, json, &place).await).await,
        Command::Export(export) => transfer::export(global, export).await,
        Command::Import(import) => transfer::import(global, import).await,
        Command::History(place) => local::within(global, async |ctx| history(ctx, json, &place).await).await,
    }
}

impl From<memory::Error> for Failure {
    fn from(error: memory::Error) -> Self {
        ApiError::from(error).into()
    }
}

async fn write(ctx: &Ctx, json: bool, put: Put, content: String) -> Result<(), Failure> {
    let draft = EntryDraft {
        content,
        tags: put.tag,
        importance: put.importance,
        group: put.group,
        position: put.position,
        trust: put.trust,
        ..EntryDraft::default()
    };
    let expect = match put.if_version {
        None => Expect::Any,
        Some(0) => Expect::Absent,
        Some(version) => Expect::Version(version),
    };
    let Place { namespace, key } = put.place;
    let entry = memory::put(ctx, &namespace, &key, draft, expect, memory::source(ctx)).await?;
    if json {
        out::json(&entry);
    } else {
        out::line(format_args!("{}/{} version {}", entry.namespace, entry.key, entry.version));
        upkeep::out_of_sight(&entry);
    }
    Ok(())
}

/// Reads at most one byte more than fits, so that the refusal is the face's.
fn content(file: &str) -> Result<String, Failure> {
    let most = memory::MAX_CONTENT_BYTES as u64 + 1;
    let bytes = file::read_bytes(file, most)?;
    let long = bytes.len() as u64 == most;
    String::from_utf8(bytes).or_else(|error| {
        if long {
            // Cut in the middle of a character: it is too large in any case.
            Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())
        } else {
            Err(Failure::usage(format!("{file} is not UTF-8 text")))
        }
    })
}

async fn read(ctx: &Ctx, json: bool, get: &Get) -> Result<(), Failure> {
    let Place { namespace, key } = &get.place;
    let entry = match (get.as_of, get.quarantined) {
        (None, true) => memory::get_any(ctx, namespace, key).await?,
        (None, false) => memory::get(ctx, namespace, key).await?,
        (Some(as_of), true) => memory::get_any_as_of(ctx, namespace, key, as_of).await?,
        (Some(as_of), false) => memory::get_as_of(ctx, namespace, key, as_of).await?,
    };
    if get.as_of.is_none() {
        memory::note_read(ctx, &Reader::Cli {}, &entry);
        // Who read is worth knowing, and no reason for a read to fail.
        let _ = memory::write_reads(ctx.runtime()).await;
    }
    if json {
        out::json(&entry);
    } else {
        upkeep::out_of_sight(&entry);
        out::line(entry.content.trim_end_matches('\n'));
    }
    Ok(())
}

async fn list_entries(ctx: &Ctx, json: bool, list: List) -> Result<(), Failure> {
    let List { namespace, prefix, tag, trust, quarantined, as_of, limit, cursor } = list;
    let filter = Filter { namespace, prefix, tag, trust, quarantined, as_of };
    let page = memory::list(ctx, &filter, &PageRequest { limit, cursor }).await?;
    if json {
        page.items.iter().for_each(out::json);
        unknown(page.unknown);
        out::more(page.next.as_deref());
        return Ok(());
    }
    let row = |entry: &Entry| {
        vec![
            entry.namespace.clone(),
            entry.key.clone(),
            entry.version.to_string(),
            entry.updated_at.to_string(),
            entry.trust.as_str().to_owned(),
            entry.tags.join(", "),
        ]
    };
    let columns = [
        Column::left("Namespace"),
        Column::left("Key"),
        Column::right("Version"),
        Column::left("Changed"),
        Column::left("From"),
        Column::left("Tags"),
    ];
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    if rows.is_empty() {
        out::note("no entries");
    } else {
        out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    }
    unknown(page.unknown);
    out::more(page.next.as_deref());
    Ok(())
}

async fn delete(ctx: &Ctx, json: bool, place: &Place) -> Result<(), Failure> {
    memory::delete(ctx, &place.namespace, &place.key, Expect::Any).await?;
    if json {
        out::json(&serde_json::json!({"namespace": place.namespace, "key": place.key, "deleted": true}));
    } else {
        out::line(format_args!("{}/{} deleted", place.namespace, place.key));
    }
    Ok(())
}

async fn search(ctx: &Ctx, json: bool, find: Find) -> Result<(), Failure> {
    let search = Search {
        namespace: Some(find.namespace),
        tags: find.tag,
        trust: find.trust,
        limit: find.limit,
        min_score: find.min_score,
        neighbours: find.neighbours,
        mode: find.mode.into(),
        as_of: find.as_of,
        explain: json,
        ..Search::text(&find.query)
    };
    let found = memory::search(ctx, &search).await?;
    if search.as_of.is_none() {
        memory::note_found(ctx, &Reader::Cli {}, &search.query, &found.hits);
        // Who read is worth knowing, and no reason for a read to fail.
        let _ = memory::write_reads(ctx.runtime()).await;
    }
    if json {
        out::json(&found);
        return Ok(());
    }
    let paint = Paint::of_stdout();
    for hit in &found.hits {
        let place = format!("{}/{}", hit.entry.namespace, hit.entry.key);
        let from =
            if hit.entry.trust == Trust::User { String::new() } else { format!("  from {}", hit.entry.trust.label()) };
        out::line(format_args!("{}  {:.3}{from}", paint.bold(&place), hit.score));
        out::line(format_args!("  {}", hit.snippet.trim()));
        for near in &hit.neighbours {
            let line = near.content.replace(char::is_whitespace, " ");
            out::line(format_args!("  {:+} {}: {}", near.offset, near.key, line.trim()));
        }
    }
    if let Some(why) = &found.degraded {
        out::note(format_args!("{why}"));
    }
    out::note(format_args!("{} of {} found in {:.1} ms", found.hits.len(), found.matched, found.took_ms));
    Ok(())
}

async fn history(ctx: &Ctx, json: bool, place: &Place) -> Result<(), Failure> {
    let versions = memory::history(ctx, &place.namespace, &place.key).await?;
    if json {
        versions.iter().for_each(out::json);
        return Ok(());
    }
    let row = |version: &EntryVersion| {
        let size = version
            .content
            .as_ref()
            .map_or_else(|| "deleted".to_owned(), |content| format!("{} characters", content.chars().count()));
        let from = version.trust.as_str().to_owned();
        vec![version.version.to_string(), version.at.to_string(), by(&version.source), from, size]
    };
    let columns = [
        Column::right("Version"),
        Column::left("At"),
        Column::left("By"),
        Column::left("From"),
        Column::left("Content"),
    ];
    out::line(table(Paint::of_stdout(), &columns, versions.iter().map(row).collect()).trim_end());
    Ok(())
}
