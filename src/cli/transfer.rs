//! `weft memory export` and `import`: entries as lines of JSON, or as a folder of Markdown files.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Failure, Global, file, local, out};
use crate::memory::file::{Foreign, Record, namespace_of};
use crate::memory::{self, Filter};
use crate::model::PageRequest;
use crate::runtime::Ctx;

/// The largest file of lines that is read, in bytes: 512 MiB.
const MOST_BYTES: u64 = 512 << 20;
/// Folders below the given one; a namespace has at most eight segments.
const DEEPEST: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One entry a line.
    Jsonl,
    /// One file an entry, its namespace as folders.
    Markdown,
}

/// What an import reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// One entry a line, as the export writes them.
    Jsonl,
    /// A folder with one file an entry.
    Markdown,
    /// A table with the columns key and content.
    Csv,
    /// conversations.json of an export of ChatGPT.
    Chatgpt,
    /// conversations.json of an export of Claude.
    Claude,
    /// A dump of mem0.
    Mem0,
}

impl Kind {
    const fn foreign(self) -> Option<Foreign> {
        match self {
            Self::Jsonl | Self::Markdown => None,
            Self::Csv => Some(Foreign::Csv),
            Self::Chatgpt => Some(Foreign::ChatGpt),
            Self::Claude => Some(Foreign::Claude),
            Self::Mem0 => Some(Foreign::Mem0),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// This namespace and all below it; everything when absent.
    #[arg(default_value = "")]
    namespace: String,
    /// How entries are written.
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// The file to write, or the folder for markdown [default: standard output]
    #[arg(long, value_name = "PATH", required_if_eq("format", "markdown"))]
    to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// A file of lines (- is standard input), a folder of Markdown files, or a file of another program.
    path: String,
    /// What it is [default: a folder is Markdown, .csv a table, else as its first item tells]
    #[arg(long, value_enum, value_name = "KIND")]
    from: Option<Kind>,
    /// Put everything below this namespace.
    #[arg(long, value_name = "NS")]
    into: Option<String>,
}

pub(super) async fn export(global: &Global, export: Export) -> Result<(), Failure> {
    let json = global.json;
    local::within(global, async |ctx| write(ctx, json, &export).await).await
}

pub(super) async fn import(global: &Global, import: Import) -> Result<(), Failure> {
    // Read and parsed before the database is opened: what does not fit changes nothing.
    let records = read(&import)?;
    let json = global.json;
    local::within(global, async |ctx| put(ctx, json, &records).await).await
}

async fn write(ctx: &Ctx, json: bool, export: &Export) -> Result<(), Failure> {
    let mut lines = match (&export.to, export.format) {
        (Some(path), Format::Jsonl) => {
            Some(std::io::BufWriter::new(std::fs::File::create(path).map_err(|error| unwritable(path, &error))?))
        }
        _ => None,
    };
    let filter = Filter { namespace: export.namespace.clone(), ..Filter::default() };
    let mut page = PageRequest { limit: PageRequest::MAX, cursor: None };
    let mut count = 0;
    loop {
        let part = memory::list(ctx, &filter, &page).await?;
        for entry in part.items {
            if let Some(why) = &entry.unreadable {
                let (namespace, key) = (&entry.namespace, &entry.key);
                let message =
                    format!("{namespace}/{key} can't be decrypted, and the export would be without it: {why}");
                return Err(Failure::failed(message));
            }
            let record = Record::from(entry);
            count += 1;
            match (&export.to, &mut lines) {
                (Some(folder), None) => write_markdown(folder, &record)?,
                (Some(path), Some(lines)) => {
                    let line = serde_json::to_string(&record).map_err(|error| Failure::failed(error.to_string()))?;
                    writeln!(lines, "{line}").map_err(|error| unwritable(path, &error))?;
                }
                (None, _) => out::json(&record),
            }
        }
        page.cursor = part.next;
        if page.cursor.is_none() {
            break;
        }
    }
    if let (Some(path), Some(lines)) = (&export.to, &mut lines) {
        lines.flush().map_err(|error| unwritable(path, &error))?;
    }
    match &export.to {
        Some(_) if json => out::json(&serde_json::json!({ "exported": count })),
        Some(path) => out::line(format_args!("{count} exported to {}", path.display())),
        None => {}
    }
    Ok(())
}

fn write_markdown(folder: &Path, record: &Record) -> Result<(), Failure> {
    let path = record.path().iter().fold(folder.to_owned(), |path, segment| path.join(segment));
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(|error| unwritable(parent, &error))?;
    std::fs::write(&path, record.to_markdown()).map_err(|error| unwritable(&path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let code = if error.kind() == std::io::ErrorKind::PermissionDenied { 3 } else { 1 };
    Failure { code, message: format!("{} can't be written: {error}", path.display()) }
}

/// Every entry, and where it was read, for messages.
fn read(import: &Import) -> Result<Vec<(String, Record)>, Failure> {
    let mut records = Vec::new();
    let path = Path::new(&import.path);
    if path.is_dir() != matches!(import.from, Some(Kind::Markdown)) && import.from.is_some() {
        let expected = if path.is_dir() { "a file" } else { "a folder of Markdown files" };
        return Err(Failure::usage(format!("{}: expected {expected}", import.path)));
    }
    if path.is_dir() {
        read_folder(path, &mut Vec::new(), &mut records)?;
    } else {
        let bytes = file::read_bytes(&import.path, MOST_BYTES + 1)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Failure::usage(format!("{}: expected at most {MOST_BYTES} bytes", import.path)));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{} is not UTF-8 text", import.path)))?;
        records = match foreign_of(import, &text) {
            Some(foreign) => foreign
                .read(&text)
                .map_err(|error| Failure::usage(format!("{}: {error}", import.path)))?
                .into_iter()
                .map(|(place, record)| (format!("{}, {place}", import.path), record))
                .collect(),
            None => read_lines(import, &text)?,
        };
    }
    for (place, record) in &mut records {
        if let Some(into) = &import.into {
            let below = if record.namespace.is_empty() { String::new() } else { format!("/{}", record.namespace) };
            record.namespace = format!("{into}{below}");
        }
        if record.namespace.is_empty() {
            return Err(Failure::usage(format!("{place} stands in no folder and has no namespace; give --into NS")));
        }
        memory::check(&record.namespace, &record.key, &record.draft()).map_err(|error| {
            let failure = Failure::from(error);
            Failure { message: format!("{place}: {}", failure.message), ..failure }
        })?;
    }
    Ok(records)
}

/// Whose file it is, if it is another program's: as was said, by its name, or by its first item.
fn foreign_of(import: &Import, text: &str) -> Option<Foreign> {
    match import.from {
        Some(kind) => kind.foreign(),
        None if Path::new(&import.path).extension().is_some_and(|own| own.eq_ignore_ascii_case("csv")) => {
            Some(Foreign::Csv)
        }
        None => Foreign::detect(text),
    }
}

fn read_lines(import: &Import, text: &str) -> Result<Vec<(String, Record)>, Failure> {
    let mut records = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("{}:{}", import.path, number + 1);
        let record = serde_json::from_str(line).map_err(|error| Failure::usage(format!("{place}: {error}")))?;
        records.push((place, record));
    }
    Ok(records)
}

fn read_folder(folder: &Path, segments: &mut Vec<String>, records: &mut Vec<(String, Record)>) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| Failure::failed(format!("{} can't be read: {error}", folder.display()));
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(unreadable)?;
        // Hidden ones are the editor's or git's; links may lead anywhere.
        if name.starts_with('.') || kind.is_symlink() {
            continue;
        }
        let path = entry.path();
        if kind.is_dir() && segments.len() < DEEPEST {
            segments.push(name);
            read_folder(&path, segments, records)?;
            segments.pop();
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "md") {
            let place = path.display().to_string();
            let namespace = namespace_of(segments.iter().map(String::as_str));
            let record = Record::from_markdown(&namespace, &name, &file::read_text(&place)?)
                .map_err(|error| Failure::usage(format!("{place}: {error}")))?;
            records.push((place, record));
        }
    }
    Ok(())
}

async fn put(ctx: &Ctx, json: bool, records: &[(String, Record)]) -> Result<(), Failure> {
    let (mut written, mut unchanged, mut held) = (0, 0, 0);
    for (place, record) in records {
        let put = memory::import_record(ctx, record).await;
        let (_, entry) = put.map_err(|error| {
            let failure = Failure::from(error);
            Failure { message: format!("{place}: {}; {written} were written before", failure.message), ..failure }
        })?;
        let Some(entry) = entry else {
            unchanged += 1;
            continue;
        };
        written += 1;
        held += u32::from(entry.is_quarantined());
    }
    if json {
        out::json(&serde_json::json!({ "written": written, "unchanged": unchanged }));
    } else {
        out::line(format_args!("{written} written, {unchanged} unchanged"));
    }
    if held > 0 {
        out::note(format_args!("{held} of them are in quarantine; weft memory list --quarantined"));
    }
    Ok(())
}
