//! Carrying a change out in parts, taking it back, and saving entries as a file.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Bulk, Chosen, entries};
use crate::api::memory::{change_entries, export_entries};
use crate::model::ApiError;
use crate::model::memory::{EntryAct, EntryBulk, EntryBulkDone, EntryName, EntryStep};
use crate::ui::browser;
use crate::ui::components::{Toasts, Tone, use_toasts};

/// Entries that one call changes: about a fifth of a second, so that one sees how it goes on and can stop it.
pub(super) const PART: usize = 100;
/// Refusals that are told one by one.
pub(super) const MOST_TOLD: usize = 20;
/// Characters of a file that is saved; the command line writes larger ones.
const MOST_SAVED: usize = 64 << 20;

/// What an action of the bar does: the act, and the word for what was done.
pub(super) fn presser(bulk: Bulk) -> Callback<(EntryAct, &'static str)> {
    let toasts = use_toasts();
    Callback::new(move |(act, word): (EntryAct, &'static str)| begin(bulk, toasts, bulk.steps(&act), word))
}

/// Changes entries, wherever they were chosen.
pub(super) fn begin(bulk: Bulk, toasts: Toasts, steps: Vec<EntryStep>, word: &'static str) {
    if steps.is_empty() || bulk.progress.with_untracked(Option::is_some) {
        return;
    }
    bulk.refused.set(Vec::new());
    bulk.stop.set(false);
    spawn_local(async move {
        let (done, error) = carry_out(bulk, steps).await;
        let _ = bulk.progress.try_set(None);
        let said = said(done.done as usize, done.refused.len(), word);
        let bad = error.is_some() || !done.refused.is_empty();
        if let Some(error) = error {
            toasts.say(Tone::Bad, error.detail());
        }
        if done.undo.is_empty() {
            toasts.say(if bad { Tone::Warn } else { Tone::Good }, said);
        } else {
            offer_undo(bulk, toasts, said, done.undo);
        }
        // What was not reached stays chosen.
        let _ = bulk.chosen.try_update(|chosen| {
            let kept = |name: &EntryName| {
                done.refused.iter().any(|refused| (&refused.namespace, &refused.key) == (&name.namespace, &name.key))
            };
            chosen.retain(|name, _| kept(name));
        });
        let _ = bulk.refused.try_set(done.refused);
        bulk.changed.run(());
    });
}

/// Does the steps in parts, until they are done, somebody stops them, the page is gone, or a call fails.
async fn carry_out(bulk: Bulk, steps: Vec<EntryStep>) -> (EntryBulkDone, Option<ApiError>) {
    let (of, mut all) = (steps.len(), EntryBulkDone::default());
    for (at, part) in steps.chunks(PART).enumerate() {
        let goes_on = bulk.progress.try_set(Some((at * PART, of))).is_none();
        if !goes_on || bulk.stop.try_get_untracked() != Some(false) {
            break;
        }
        match change_entries(EntryBulk { steps: part.to_vec() }).await {
            Ok(done) => all.join(done),
            Err(error) => return (all, Some(error)),
        }
    }
    (all, None)
}

/// "3 entries deleted", "2 of 3 entries deleted".
fn said(done: usize, refused: usize, word: &str) -> String {
    match refused {
        0 => format!("{} {word}", entries(done)),
        refused => format!("{done} of {} {word}", entries(done + refused)),
    }
}

fn offer_undo(bulk: Bulk, toasts: Toasts, said: String, undo: Vec<EntryStep>) {
    // The toast outlives the page, so what it calls has an owner of its own, kept by the call itself.
    let owner = Owner::new_root(None);
    let kept = owner.clone();
    let press = owner.with(|| {
        Callback::new(move |()| {
            let _owner = &kept;
            let undo = undo.clone();
            spawn_local(async move {
                let mut all = EntryBulkDone::default();
                for part in undo.chunks(PART) {
                    match change_entries(EntryBulk { steps: part.to_vec() }).await {
                        Ok(done) => all.join(done),
                        Err(error) => {
                            toasts.say(Tone::Bad, error.detail());
                            break;
                        }
                    }
                }
                let tone = if all.refused.is_empty() { Tone::Good } else { Tone::Warn };
                toasts.say(tone, self::said(all.done as usize, all.refused.len(), "as before"));
                let _ = bulk.refused.try_set(all.refused);
                bulk.changed.run(());
            });
        })
    });
    toasts.say_with_undo(said, "Undo", press);
}

/// Saves what is chosen as a file of lines, as `weft memory import` reads them.
pub(super) fn exporter(bulk: Bulk) -> Callback<()> {
    let toasts = use_toasts();
    Callback::new(move |()| {
        let names: Vec<EntryName> = bulk.chosen.with_untracked(|chosen: &Chosen| chosen.keys().cloned().collect());
        bulk.stop.set(false);
        spawn_local(async move {
            match gather(bulk, &names).await {
                Ok((lines, missing)) => {
                    browser::save_file("memory.jsonl", "application/x-ndjson", &lines);
                    if missing > 0 {
                        toasts.say(Tone::Warn, format!("{} were not there any more", entries(missing)));
                    }
                }
                Err(error) => toasts.say(Tone::Bad, error),
            }
            let _ = bulk.progress.try_set(None);
        });
    })
}

async fn gather(bulk: Bulk, names: &[EntryName]) -> Result<(String, usize), String> {
    let (mut lines, mut missing, mut at) = (String::new(), 0, 0);
    while at < names.len() {
        let goes_on = bulk.progress.try_set(Some((at, names.len()))).is_none();
        if !goes_on || bulk.stop.try_get_untracked() != Some(false) {
            return Err("Nothing was saved: it was stopped".to_owned());
        }
        let part = names[at..names.len().min(at + PART)].to_vec();
        let export = export_entries(part).await.map_err(|error| error.detail().to_owned())?;
        if lines.len() + export.lines.len() > MOST_SAVED {
            return Err("That is more than 64 MB: weft memory export writes files of any size".to_owned());
        }
        lines.push_str(&export.lines);
        missing += export.missing as usize;
        // At least one is looked at by each call.
        at += (export.taken as usize).max(1);
    }
    Ok((lines, missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_said_in_words() {
        assert_eq!(said(1, 0, "deleted"), "1 entry deleted");
        assert_eq!(said(2, 1, "moved"), "2 of 3 entries moved");
    }
}
