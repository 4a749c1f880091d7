//! Items of a file that somebody chose in a browser: what would come of them, and what came.

use crate::memory::file::{Foreign, Record, namespace_of};
use crate::memory::store::EntryRow;
use crate::memory::{Error, Imported, access, store, validate};
use crate::model::FieldError;
use crate::model::auth::Action;
use crate::model::memory::{
    Entry, EntryAct, EntryStep, ImportItem, ImportKind, ImportPart, ImportReport, ImportSample, MAX_IMPORT_BYTES,
    MAX_IMPORT_ITEMS,
};
use crate::runtime::Ctx;

use super::import::{import_record, is_kept};

/// Characters of an entry that a preview shows.
const EXCERPT_CHARS: usize = 120;
/// Entries that a preview of one part shows.
const MOST_SHOWN: usize = 20;

/// Says what would come of items; nothing is written. What the rule for duplicates and the quarantine do with an entry is decided
/// when it is written.
///
/// # Errors
/// [`Error::Invalid`] for a part that is too large, or a namespace that none can have; an item that does not fit is named in the
/// answer.
pub async fn preview_import(ctx: &Ctx, part: &ImportPart) -> Result<ImportReport, Error> {
    let mut report = ImportReport::default();
    let now = ctx.clock.now();
    for (place, record) in records(ctx, part, &mut report)? {
        let draft = record.draft();
        let expiry = validate::expiry(draft.expires_at, now, &crate::memory::source(ctx));
        let fits = crate::memory::check(&record.namespace, &record.key, &draft).and(expiry);
        if let Err(error) = fits {
            report.refuse(&place, error.to_string());
            continue;
        }
        let reach = match access::writing(ctx, &record.namespace).await {
            Ok(reach) => reach,
            Err(error) if super::is_of_the_entry(&error) => {
                report.refuse(&place, error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        };
        let row = store::find(ctx, &reach, (&record.namespace, &record.key)).await?;
        let known = match row.filter(|row| row.is_live(now)).map(EntryRow::entry).transpose() {
            Ok(known) => known.map(Record::from),
            Err(error) => {
                report.refuse(&place, error.to_string());
                continue;
            }
        };
        if known.as_ref().is_some_and(|known| is_kept(known, &record)) {
            report.unchanged += 1;
            continue;
        }
        let count = if known.is_some() { &mut report.updated } else { &mut report.new };
        *count += 1;
        *report.namespaces.entry(record.namespace.clone()).or_default() += 1;
        if report.sample.len() < MOST_SHOWN {
            let excerpt = record.content.chars().take(EXCERPT_CHARS).collect();
            report.sample.push(ImportSample { namespace: record.namespace, key: record.key, excerpt });
        }
    }
    Ok(report)
}

/// Writes the entries of items, each by itself. An item that does not fit is left out and named.
///
/// # Errors
/// As [`preview_import`]; when the database fails before the first entry is written.
pub async fn import_part(ctx: &Ctx, part: &ImportPart) -> Result<ImportReport, Error> {
    let mut report = ImportReport::default();
    let mut left = records(ctx, part, &mut report)?.into_iter();
    while let Some((place, record)) = left.next() {
        match import_record(ctx, &record).await {
            Ok((imported, entry)) => note(&mut report, &record, imported, entry),
            Err(error) if super::is_of_the_entry(&error) => report.refuse(&place, error.to_string()),
            Err(error) if report.undo.is_empty() => return Err(error),
            Err(error) => {
                // What was written can be taken back only by who knows of it.
                let reason = crate::model::ApiError::from(error).detail().to_owned();
                report.refuse(&place, reason.clone());
                left.by_ref().for_each(|(place, _)| report.refuse(&place, reason.clone()));
            }
        }
    }
    let (new, updated, refused) = (report.new, report.updated, report.all_refused());
    tracing::info!(new, updated, refused, by = %ctx.actor.principal, "entries of a file were imported");
    Ok(report)
}

/// Counts an entry that was written, and keeps what takes it back.
fn note(report: &mut ImportReport, record: &Record, imported: Imported, entry: Option<Entry>) {
    let Some(entry) = entry else {
        report.unchanged += 1;
        return;
    };
    let count = if imported == Imported::New { &mut report.new } else { &mut report.updated };
    *count += 1;
    report.held += u32::from(entry.is_quarantined());
    *report.namespaces.entry(entry.namespace.clone()).or_default() += 1;
    // What says nearly the same as another entry may have become a version of that one. A new entry may have a higher version: one
    // that was deleted stood there, and goes on counting.
    let is_own = (&entry.namespace, &entry.key) == (&record.namespace, &record.key);
    let is_new = entry.version == 1 || (imported == Imported::New && is_own);
    let act = if is_new { EntryAct::Delete {} } else { EntryAct::Restore { to: entry.version - 1 } };
    let undo = EntryStep { namespace: entry.namespace, key: entry.key, version: Some(entry.version), act };
    report.undo.insert(0, undo);
}

/// What the items hold, each with its place; what can't be read is noted as refused.
fn records(ctx: &Ctx, part: &ImportPart, report: &mut ImportReport) -> Result<Vec<(String, Record)>, Error> {
    ctx.authorize(Action::WriteMemory)?;
    let refused = |pointer: &str, expected: String| Err(Error::Invalid(vec![FieldError::new(pointer, expected)]));
    if part.items.is_empty() || part.items.len() > MAX_IMPORT_ITEMS {
        return refused("/items", format!("expected 1 to {MAX_IMPORT_ITEMS} items"));
    }
    if part.items.iter().map(|item| item.text.len()).sum::<usize>() > MAX_IMPORT_BYTES {
        return refused("/items", format!("expected at most {MAX_IMPORT_BYTES} bytes"));
    }
    if !part.into.is_empty() {
        validate::namespace(&part.into)
            .map_err(|field| Error::Invalid(vec![FieldError::new("/into", field.message)]))?;
    }
    let mut all = Vec::new();
    for item in &part.items {
        match read(part.kind, item) {
            Ok(records) => all.extend(records.into_iter().map(|record| (item.place.clone(), record))),
            Err(reason) => report.refuse(&item.place, reason),
        }
    }
    for (_, record) in &mut all {
        if !part.into.is_empty() {
            let whole = [part.into.as_str(), &record.namespace].join("/");
            whole.trim_end_matches('/').clone_into(&mut record.namespace);
        }
    }
    Ok(all)
}

/// The entries of an item. Pure.
fn read(kind: ImportKind, item: &ImportItem) -> Result<Vec<Record>, String> {
    let foreign = match kind {
        ImportKind::Jsonl => {
            return serde_json::from_str(&item.text).map(|record| vec![record]).map_err(|error| error.to_string());
        }
        ImportKind::Markdown => {
            let mut segments: Vec<&str> = item.place.split('/').filter(|segment| !segment.is_empty()).collect();
            let name = segments.pop().ok_or("expected the name of a file")?;
            let namespace = namespace_of(segments.into_iter());
            return Record::from_markdown(&namespace, name, &item.text).map(|record| vec![record]);
        }
        ImportKind::Csv => Foreign::Csv,
        ImportKind::ChatGpt => Foreign::ChatGpt,
        ImportKind::Claude => Foreign::Claude,
        ImportKind::Mem0 => Foreign::Mem0,
    };
    Ok(foreign.read(&item.text)?.into_iter().map(|(_, record)| record).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(place: &str, text: &str) -> ImportItem {
        ImportItem { place: place.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn an_item_is_read_as_what_its_file_is() {
        let one = |kind, place: &str, text: &str| {
            let records = read(kind, &item(place, text)).expect("it is read");
            (records[0].namespace.clone(), records[0].key.clone(), records[0].content.clone())
        };
        let said =
            |namespace: &str, key: &str, content: &str| (namespace.to_owned(), key.to_owned(), content.to_owned());
        let line = r#"{"namespace": "a", "key": "k", "content": "text"}"#;
        assert_eq!(one(ImportKind::Jsonl, "line 1", line), said("a", "k", "text"));
        assert_eq!(one(ImportKind::Csv, "line 2", "key,content\nk,text"), said("imports/csv", "k", "text"));
        assert_eq!(one(ImportKind::Markdown, "team/code/the loom.md", "# L"), said("team/code", "the loom", "# L"));
        let memory = r#"[{"id": "m1", "memory": "text"}]"#;
        assert_eq!(one(ImportKind::Mem0, "memory 1", memory), said("imports/mem0", "m1", "text"));
        assert!(read(ImportKind::Jsonl, &item("line 1", "not json")).is_err());
        assert!(read(ImportKind::Csv, &item("line 2", "key,content\nk")).unwrap_err().contains("expected 2 cells"));
        assert!(read(ImportKind::Markdown, &item("", "x")).is_err());
    }
}
