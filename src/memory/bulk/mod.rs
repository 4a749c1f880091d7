//! Many entries changed by one call: tagged, moved, merged, set aside, restored, deleted, and all of that taken back.
//!
//! Each entry is changed by itself, as if somebody had asked for it alone: in a transaction of its own, with a version of its own,
//! noted as theirs. One that is not as it was seen is left as it is and named, the others are changed. What takes the changes back
//! comes with the answer, in the form in which it is asked for.

mod export;
mod import;
mod merge;
mod part;
mod place;

pub use export::export_entries;
pub(super) use import::compare_record;
pub use import::{Imported, import_record};
pub use part::{import_part, preview_import};

use super::{Error, Expect, back, find_live, hold, relation, validate, write};
use crate::model::auth::Action;
use crate::model::memory::{
    Entry, EntryAct, EntryBulk, EntryBulkDone, EntryDraft, EntryRefusal, EntryStep, MAX_BULK, MAX_REASON_CHARS,
};
use crate::model::{ApiError, FieldError};
use crate::runtime::Ctx;

/// Changes entries, one after the other. Who may change one may change many.
///
/// # Errors
/// [`Error::Invalid`] for what fits no entry, before anything is changed; when the database fails before the first change. An entry
/// that is not there, or not as it was seen, is named in the answer.
pub async fn change_entries(ctx: &Ctx, bulk: &EntryBulk) -> Result<EntryBulkDone, Error> {
    ctx.authorize(Action::WriteMemory)?;
    check(bulk)?;
    let mut done = EntryBulkDone::default();
    let mut steps = bulk.steps.iter();
    while let Some(step) = steps.next() {
        match perform(ctx, step).await {
            Ok(undo) => {
                done.done += 1;
                // What was done last is taken back first.
                done.undo.splice(0..0, undo);
            }
            Err(error) if is_of_the_entry(&error) => done.refused.push(refusal(step, error.to_string())),
            Err(error) if done.done == 0 => return Err(error),
            Err(error) => {
                // What was changed can be taken back only by who knows of it.
                let reason = ApiError::from(error).detail().to_owned();
                done.refused.push(refusal(step, reason.clone()));
                done.refused.extend(steps.by_ref().map(|step| refusal(step, reason.clone())));
            }
        }
    }
    let (changed, refused) = (done.undo.len(), done.refused.len());
    tracing::info!(changed, refused, by = %ctx.actor.principal, "entries of the memory were changed together");
    Ok(done)
}

fn refusal(step: &EntryStep, reason: String) -> EntryRefusal {
    EntryRefusal { namespace: step.namespace.clone(), key: step.key.clone(), reason }
}

/// Whether an error says something of the one entry, and not of all that is asked for.
pub(super) const fn is_of_the_entry(error: &Error) -> bool {
    !matches!(error, Error::Denied(_) | Error::Db(_) | Error::Index | Error::Model(_))
}

/// Refuses steps that fit no entry, whatever stands there.
fn check(bulk: &EntryBulk) -> Result<(), Error> {
    if bulk.steps.is_empty() || bulk.steps.len() > MAX_BULK {
        return Err(Error::Invalid(vec![FieldError::new("/steps", format!("expected 1 to {MAX_BULK} steps"))]));
    }
    let mut wrong = Vec::new();
    for (at, step) in bulk.steps.iter().enumerate() {
        let mut refuse =
            |field: &str, expected: String| wrong.push(FieldError::new(format!("/steps/{at}/{field}"), expected));
        for (field, found) in [("namespace", validate::namespace(&step.namespace)), ("key", validate::key(&step.key))] {
            if let Err(found) = found {
                refuse(field, found.message);
            }
        }
        match &step.act {
            EntryAct::Tag { add, remove } => {
                if add.is_empty() && remove.is_empty() {
                    refuse("act/add", "expected a tag to add or to remove".to_owned());
                }
                let draft = EntryDraft { tags: [add.as_slice(), remove].concat(), ..EntryDraft::default() };
                if let Err(Error::Invalid(fields)) = validate::draft(draft) {
                    for field in fields {
                        refuse("act/add", field.message);
                    }
                }
            }
            EntryAct::Move { to } => {
                if let Err(found) = validate::namespace(to) {
                    refuse("act/to", found.message);
                }
            }
            EntryAct::Quarantine { reason } => {
                if reason.chars().count() > MAX_REASON_CHARS || reason.contains('\0') {
                    refuse(
                        "act/reason",
                        format!("expected at most {MAX_REASON_CHARS} characters, none of them U+0000"),
                    );
                }
            }
            EntryAct::Restore { to } => {
                if *to < 1 {
                    refuse("act/to", "expected a version, 1 or more".to_owned());
                }
            }
            EntryAct::Merge { with } => {
                if let Some(expected) = merge::misfit(&step.namespace, &step.key, with) {
                    refuse("act/with", expected);
                }
            }
            EntryAct::Unrelate { other } => {
                if let Err(Error::Invalid(fields)) = validate::place(&other.namespace, &other.key) {
                    for field in fields {
                        refuse("act/other", field.message);
                    }
                }
            }
            EntryAct::Release {} | EntryAct::Delete {} | EntryAct::Undelete {} => {}
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// Does what a step asks for; gives what takes it back, in the order in which to do it, nothing where nothing changed.
async fn perform(ctx: &Ctx, step: &EntryStep) -> Result<Vec<EntryStep>, Error> {
    let (namespace, key) = (step.namespace.as_str(), step.key.as_str());
    let expect = step.version.map_or(Expect::Any, Expect::Version);
    let back = |version: Option<i64>, act: EntryAct| {
        Ok(vec![EntryStep { namespace: namespace.to_owned(), key: key.to_owned(), version, act }])
    };
    match &step.act {
        EntryAct::Tag { add, remove } => {
            let entry = find_live(ctx, namespace, key).await?;
            expect.check(Some(entry.version))?;
            let Some((tags, act)) = tagged(&entry.tags, add, remove) else { return Ok(Vec::new()) };
            let (version, draft) = (entry.version, with_tags(entry, tags));
            let source = super::source(ctx);
            let entry = write::put(ctx, namespace, key, draft, Expect::Version(version), source).await?;
            back(Some(entry.version), act)
        }
        EntryAct::Move { to } if to == namespace => find_live(ctx, namespace, key).await.map(|_| Vec::new()),
        EntryAct::Move { to } => {
            let version = place::relocate(ctx, (namespace, key), to, expect).await?;
            let act = EntryAct::Move { to: namespace.to_owned() };
            Ok(vec![EntryStep { namespace: to.clone(), key: key.to_owned(), version: Some(version), act }])
        }
        EntryAct::Merge { with } => merge::merge(ctx, (namespace, key), with, expect).await,
        EntryAct::Unrelate { other } => relation::unrelate(ctx, (namespace, key), other).await.map(|()| Vec::new()),
        EntryAct::Quarantine { reason } => {
            if find_live(ctx, namespace, key).await?.is_quarantined() {
                return Ok(Vec::new());
            }
            let entry = hold::quarantine(ctx, (namespace, key), reason, expect).await?;
            back(Some(entry.version), EntryAct::Release {})
        }
        EntryAct::Release {} => {
            let entry = hold::release(ctx, (namespace, key), expect).await?;
            back(Some(entry.version), EntryAct::Quarantine { reason: "its release was taken back".to_owned() })
        }
        EntryAct::Delete {} => {
            write::delete(ctx, namespace, key, expect).await?;
            back(None, EntryAct::Undelete {})
        }
        EntryAct::Restore { to } => {
            let before = find_live(ctx, namespace, key).await?.version;
            expect.check(Some(before))?;
            let entry = back::restore_from(ctx, (namespace, key), *to, Expect::Version(before)).await?;
            back(Some(entry.version), EntryAct::Restore { to: before })
        }
        EntryAct::Undelete {} => {
            let entry = back::undelete(ctx, namespace, key).await?;
            back(Some(entry.version), EntryAct::Delete {})
        }
    }
}

/// The tags as they are to be, and what takes the change back; `None` where nothing changes. Pure.
fn tagged(tags: &[String], add: &[String], remove: &[String]) -> Option<(Vec<String>, EntryAct)> {
    let trimmed = |tags: &[String]| {
        let mut tags: Vec<String> = tags.iter().map(|tag| tag.trim().to_owned()).collect();
        tags.sort();
        tags.dedup();
        tags
    };
    let (add, remove) = (trimmed(add), trimmed(remove));
    let added: Vec<String> = add.iter().filter(|tag| !tags.contains(tag)).cloned().collect();
    // What is to be added and removed is added.
    let removed: Vec<String> = remove.into_iter().filter(|tag| tags.contains(tag) && !add.contains(tag)).collect();
    if added.is_empty() && removed.is_empty() {
        return None;
    }
    let mut tags: Vec<String> = tags.iter().filter(|tag| !removed.contains(tag)).cloned().collect();
    tags.extend(added.iter().cloned());
    Some((tags, EntryAct::Tag { add: removed, remove: added }))
}

/// An entry's words as they are, with other tags.
fn with_tags(entry: Entry, tags: Vec<String>) -> EntryDraft {
    let Entry { content, value, metadata, importance, expires_at, group, position, trust, .. } = entry;
    let (importance, trust) = (Some(importance), Some(trust));
    EntryDraft { content, value, tags, metadata, importance, expires_at, group, position, trust }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn tags_are_added_and_removed_and_only_what_changed_is_taken_back() {
        let has = all(&["a", "b"]);
        for (add, remove, expected, undo_add, undo_remove) in [
            (all(&["c", "a"]), all(&[]), all(&["a", "b", "c"]), all(&[]), all(&["c"])),
            (all(&[]), all(&["a", "x"]), all(&["b"]), all(&["a"]), all(&[])),
            (all(&[" c "]), all(&["b"]), all(&["a", "c"]), all(&["b"]), all(&["c"])),
        ] {
            let (tags, act) = tagged(&has, &add, &remove).expect("something changes");
            assert_eq!(tags, expected);
            assert_eq!(act, EntryAct::Tag { add: undo_add, remove: undo_remove });
        }
        assert_eq!(tagged(&has, &all(&["a"]), &all(&["x"])), None);
        assert_eq!(tagged(&has, &all(&["a"]), &all(&["a"])), None, "what is to be added and removed is added");
    }

    #[test]
    fn a_step_that_fits_no_entry_is_named() {
        let step = |act| EntryStep { namespace: "a".to_owned(), key: "k".to_owned(), version: None, act };
        let pointer = |steps: Vec<EntryStep>| match check(&EntryBulk { steps }) {
            Err(Error::Invalid(fields)) => fields[0].pointer.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!(pointer(Vec::new()), "/steps");
        assert_eq!(pointer(vec![step(EntryAct::Delete {}); MAX_BULK + 1]), "/steps");
        let nothing = EntryAct::Tag { add: Vec::new(), remove: Vec::new() };
        assert_eq!(pointer(vec![step(EntryAct::Delete {}), step(nothing)]), "/steps/1/act/add");
        assert_eq!(pointer(vec![step(EntryAct::Tag { add: all(&[" "]), remove: Vec::new() })]), "/steps/0/act/add");
        assert_eq!(pointer(vec![step(EntryAct::Move { to: "../x".to_owned() })]), "/steps/0/act/to");
        let nowhere = EntryStep { namespace: String::new(), ..step(EntryAct::Delete {}) };
        assert_eq!(pointer(vec![nowhere]), "/steps/0/namespace");
        assert!(check(&EntryBulk { steps: vec![step(EntryAct::Delete {})] }).is_ok());
    }
}
