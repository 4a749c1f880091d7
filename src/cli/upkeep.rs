//! `weft memory quarantine|release|health|encryption|rotate-key`: what is set aside, what may need somebody, and the keys.

use super::memory::{Place, Suspect};
use super::table::{Column, Paint, table};
use super::{Failure, out};
use crate::memory::{self, Expect};
use crate::model::memory::{Contradiction, Doubtful, EncryptionReport, Entry, HealthEntry, MemoryHealth, Poor};
use crate::runtime::Ctx;

/// What is said of the keys, or done.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Keys {
    /// Show under which keys entries rest, and how far a change of them has come.
    Encryption,
    /// Make a new key for the memory, and encrypt everything anew under it.
    RotateKey,
}

impl Keys {
    pub async fn run(&self, ctx: &Ctx, json: bool) -> Result<(), Failure> {
        match self {
            Self::Encryption => encryption(ctx, json).await,
            Self::RotateKey => rotate_key(ctx, json).await,
        }
    }
}

/// Says why an entry is in quarantine, if it is.
pub(super) fn out_of_sight(entry: &Entry) {
    if let Some(quarantine) = entry.quarantine.as_ref().filter(|quarantine| quarantine.is_held()) {
        out::note("in quarantine: no search, step or agent finds it");
        for reason in &quarantine.reasons {
            out::note(reason);
        }
    }
}

/// Sets an entry aside.
pub(super) async fn hold(ctx: &Ctx, json: bool, suspect: &Suspect) -> Result<(), Failure> {
    let Place { namespace, key } = &suspect.place;
    let entry = memory::quarantine(ctx, (namespace, key), &suspect.reason, Expect::Any).await?;
    if json {
        out::json(&entry);
    } else {
        out::line(format_args!("{namespace}/{key} is in quarantine"));
    }
    Ok(())
}

/// Lets one out.
pub(super) async fn release(ctx: &Ctx, json: bool, place: &Place) -> Result<(), Failure> {
    let Place { namespace, key } = place;
    let entry = memory::release(ctx, (namespace, key), Expect::Any).await?;
    if json {
        out::json(&entry);
    } else {
        out::line(format_args!("{namespace}/{key} version {}, out of quarantine", entry.version));
    }
    Ok(())
}

/// Lists what may need somebody, a line each.
pub(super) async fn health(ctx: &Ctx, json: bool) -> Result<(), Failure> {
    let health = memory::get_health(ctx).await?;
    if json {
        out::json(&health);
        return Ok(());
    }
    let MemoryHealth {
        entries,
        compared,
        duplicates,
        contradictions,
        doubtful,
        poor,
        never_read,
        stale,
        oversized,
        expiring,
        unreadable,
        quarantined,
    } = health;
    let mut rows = Vec::new();
    let mut add = |what: &str, entries: &[HealthEntry]| {
        rows.extend(entries.iter().map(|entry| {
            let changed = entry.updated_at.to_string();
            vec![what.to_owned(), entry.namespace.clone(), entry.key.clone(), entry.chars.to_string(), changed]
        }));
    };
    add("can't be decrypted", &unreadable);
    add("in quarantine", &quarantined);
    for (number, group) in duplicates.iter().enumerate() {
        add(&format!("the same {} ({:.0} %)", number + 1, group.likeness * 100.0), &group.entries);
    }
    for (number, Contradiction { one, other, .. }) in contradictions.iter().enumerate() {
        add(&format!("contradiction {}", number + 1), &[one.clone(), other.clone()]);
    }
    for (number, Doubtful { differs, newer, older, .. }) in doubtful.iter().enumerate() {
        let what: Vec<&str> = differs.iter().map(|difference| difference.kind.label()).collect();
        add(&format!("doubtful {} ({})", number + 1, what.join(", ")), &[newer.clone(), older.clone()]);
    }
    for Poor { entry, flaw } in &poor {
        add(flaw.label(), std::slice::from_ref(entry));
    }
    add("never read", &never_read);
    add("soon gone", &expiring);
    add("stale", &stale);
    add("oversized", &oversized);
    if rows.is_empty() {
        out::note("nothing needs you");
    } else {
        let columns = [
            Column::left("What"),
            Column::left("Namespace"),
            Column::left("Key"),
            Column::right("Characters"),
            Column::left("Changed"),
        ];
        out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    }
    out::note(format_args!("{entries} entries; copies were looked for among the {compared} that changed last"));
    Ok(())
}

/// Says under which keys entries rest.
async fn encryption(ctx: &Ctx, json: bool) -> Result<(), Failure> {
    tell_encryption(&memory::get_encryption(ctx).await?, json);
    Ok(())
}

/// Makes a new key, and brings everything under it. Keys before it are deleted by the next server a minute later.
async fn rotate_key(ctx: &Ctx, json: bool) -> Result<(), Failure> {
    memory::rotate_data_key(ctx).await?;
    memory::seal_pending(ctx.runtime()).await?;
    encryption(ctx, json).await
}

fn tell_encryption(report: &EncryptionReport, json: bool) {
    if json {
        out::json(report);
        return;
    }
    let EncryptionReport { key, keys, entries, done, whole, unreadable } = report;
    match key {
        Some(key) => out::line(format_args!("what is written is encrypted under key {key}")),
        None => out::line("nothing was written yet; the first write makes a key"),
    }
    for other in keys.iter().filter(|other| Some(other.number) != *key) {
        out::line(format_args!("key {} is kept until nothing is under it any more", other.number));
    }
    if *whole && key.is_some() {
        out::note(format_args!("all of the {entries} entries are under it"));
    } else if !*whole {
        out::note(format_args!("{done} of {entries} entries are under it; a server brings the others under it"));
    }
    if *unreadable > 0 {
        out::note(format_args!("{unreadable} rows could not be decrypted, and stay as they are"));
    }
}
