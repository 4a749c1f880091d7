//! `weft memory quarantine|release|health`: what is set aside, and what may need somebody.

use super::memory::{Place, Suspect};
use super::table::{Column, Paint, table};
use super::{Failure, out};
use crate::memory::{self, Expect};
use crate::model::memory::{Entry, HealthEntry, MemoryHealth};
use crate::runtime::Ctx;

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
    let MemoryHealth { entries, compared, duplicates, stale, oversized, expiring, quarantined } = health;
    let mut rows = Vec::new();
    let mut add = |what: &str, entries: &[HealthEntry]| {
        rows.extend(entries.iter().map(|entry| {
            let changed = entry.updated_at.to_string();
            vec![what.to_owned(), entry.namespace.clone(), entry.key.clone(), entry.chars.to_string(), changed]
        }));
    };
    add("in quarantine", &quarantined);
    for (number, group) in duplicates.iter().enumerate() {
        add(&format!("the same {} ({:.0} %)", number + 1, group.likeness * 100.0), &group.entries);
    }
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
