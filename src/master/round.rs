//! The background work: every process learns which key seals, and whoever keeps house brings everything under it.

use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{Error, GRACE_MS, Result, closed_lasting, columns, heard, id_of, place_of_lasting, store};
use crate::runtime::Runtime;
use crate::runtime::keys::{Column, KeyId};

/// How often a process reads the file.
const LOOK: Duration = Duration::from_secs(5);
/// How often it asks the database, and goes over everything, while a change goes on.
const AGAIN: Duration = Duration::from_secs(20);
/// How often it asks the database which key seals when nothing has changed in the file.
pub(super) const ASK: Duration = Duration::from_secs(120);

/// What a pass over everything came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pass {
    /// Values that were brought under the key that seals.
    pub moved: u64,
    /// Values that no key of the file opens; they stay as they are.
    pub unreadable: u64,
    /// Whether everything is under it.
    pub whole: bool,
}

/// Rung when another key begins to seal.
#[derive(Debug, Default)]
struct Bell(Notify);

/// Says in this process that another key seals.
pub(super) fn wake(runtime: &Runtime) {
    runtime.shared::<Bell>().0.notify_one();
}

/// Starts the work of a server; it ends with the process' tasks.
pub fn start(runtime: &Runtime) {
    watch(runtime, true);
}

/// As [`start`], for a command: it learns which key seals as long as it runs, and brings nothing under it by itself.
pub fn accompany(runtime: &Runtime) {
    watch(runtime, false);
}

fn watch(runtime: &Runtime, serves: bool) {
    let runtime = runtime.clone();
    let bell = runtime.shared::<Bell>();
    runtime.tasks.clone().spawn("master key", async move {
        let stopping = runtime.tasks.stopping().clone();
        // With which keys in the file it was asked last, and when; nothing until everything was whole then.
        let mut asked: Option<(Vec<KeyId>, Instant)> = None;
        // With which ones everything was looked at last by whoever keeps house.
        let mut known: Option<Vec<KeyId>> = None;
        loop {
            reload(&runtime);
            let ids = runtime.keys.ids();
            if asked.as_ref().is_none_or(|(then, at)| *then != ids || at.elapsed() >= ASK) {
                let is_new_file = known.as_ref() != Some(&ids);
                asked = look(&runtime, serves, is_new_file).await.then(|| (ids.clone(), Instant::now()));
                if asked.is_some() && runtime.keeps_house() {
                    known = Some(ids);
                }
            }
            let is_unsure = runtime.keys.unheard().is_some_and(|ago| ago >= ASK);
            let pause = if asked.is_some() || is_unsure || runtime.keys.lack().is_some() { LOOK } else { AGAIN };
            tokio::select! {
                () = stopping.cancelled() => return,
                () = bell.0.notified() => asked = None,
                () = tokio::time::sleep(pause) => {}
            }
        }
    });
}

/// Learns which key seals, and does a pass if there is something to do. True when everything is under it.
async fn look(runtime: &Runtime, serves: bool, is_new_file: bool) -> bool {
    match look_at(runtime, serves, is_new_file).await {
        Ok(is_whole) => is_whole,
        Err(error) => {
            tracing::warn!(%error, "not everything could be brought under the master key that seals; it is tried again");
            false
        }
    }
}

async fn look_at(runtime: &Runtime, serves: bool, is_new_file: bool) -> Result<bool> {
    let is_whole = follow(runtime).await?;
    if !serves || !runtime.keeps_house() || runtime.keys.lack().is_some() {
        return Ok(is_whole);
    }
    if is_whole && !(is_new_file && begin_again(runtime).await?) {
        return Ok(true);
    }
    Ok(reseal(runtime).await?.whole)
}

/// Another file may open what none opened before, such as with a key that was put back. True where there is such a thing.
async fn begin_again(runtime: &Runtime) -> Result<bool> {
    let Some(row) = store::find_sealing(&runtime.db).await?.filter(|row| row.unreadable > 0) else { return Ok(false) };
    let mut tx = runtime.db.begin().await?;
    store::note_unfinished(&mut tx, row.number).await?;
    tx.commit().await?;
    Ok(true)
}

fn reload(runtime: &Runtime) {
    if let Err(error) = runtime.keys.reload() {
        tracing::warn!(%error, "the file of the master keys can't be read; what was read before counts");
    }
}

/// Learns which key seals, and reads the file again. Where the file lacks it nothing more is sealed in this process until it has it.
/// True when everything is under it.
///
/// # Errors
/// When the database fails; the key before goes on sealing then, and nothing can be stored.
pub async fn follow(runtime: &Runtime) -> Result<bool> {
    reload(runtime);
    let asked = Instant::now();
    let Some(row) = store::find_sealing(&runtime.db).await? else { return Ok(true) };
    let (id, is_whole) = (id_of(&row)?, row.whole_at.is_some());
    let is_known = id == runtime.keys.sealing();
    runtime.keys.seal_with(id);
    heard(runtime, asked);
    if is_known {
        return Ok(is_whole);
    }
    match runtime.keys.lack() {
        None => tracing::info!(key = %id, "another master key seals"),
        Some(why) => tracing::error!(key = %id, "nothing can be sealed any more: {why}"),
    }
    Ok(is_whole)
}

/// Brings everything that is not under the key that seals under it, once over all. Repeated after a crash it does what is left.
///
/// It is whole when such a pass, begun [`GRACE_MS`] after the key began to seal, found nothing to do.
///
/// # Errors
/// When the database fails, or the file lacks the key.
pub async fn reseal(runtime: &Runtime) -> Result<Pass> {
    let Some(row) = store::find_sealing(&runtime.db).await? else { return Ok(Pass::default()) };
    if row.whole_at.is_some() {
        return Ok(Pass { whole: true, unreadable: row.unreadable.unsigned_abs(), ..Pass::default() });
    }
    runtime.keys.seal_with(id_of(&row)?);
    if let Some(why) = runtime.keys.lack() {
        return Err(Error::WrongKey(why));
    }
    let begun = runtime.clock.now();
    let mut pass = Pass { moved: reseal_lasting(runtime).await?, ..Pass::default() };
    for column in columns() {
        if !reseal_column(runtime, &column, &mut pass).await? {
            return Ok(pass);
        }
    }
    if pass.moved == 0 && begun >= row.since.plus_ms(GRACE_MS) {
        let mut tx = runtime.db.begin().await?;
        store::note_whole(&mut tx, row.number, pass.unreadable as i64, begun).await?;
        tx.commit().await?;
        tracing::info!(key = row.id, unreadable = pass.unreadable, "everything is under the master key that seals");
        pass.whole = true;
    }
    Ok(pass)
}

/// False where the process stops before the end, or another key seals by now.
async fn reseal_column(runtime: &Runtime, column: &Column, pass: &mut Pass) -> Result<bool> {
    let mut after = Column::START;
    let mut moved = 0;
    let sealing = runtime.keys.sealing();
    while !runtime.tasks.stopping().is_cancelled() {
        // A pass over very much takes longer than anybody may seal without asking.
        if runtime.keys.unheard().is_some_and(|ago| ago >= ASK) {
            follow(runtime).await?;
        }
        if runtime.keys.sealing() != sealing {
            return Ok(false);
        }
        let done = column.go(&runtime.db, (&runtime.keys, &runtime.ids), after).await?;
        moved += done.moved;
        pass.moved += done.moved;
        pass.unreadable += done.unreadable;
        let Some(next) = done.next else {
            if moved > 0 {
                tracing::info!(values = moved, "{} are under the master key that seals", column.what);
            }
            return Ok(true);
        };
        after = next;
    }
    Ok(false)
}

async fn reseal_lasting(runtime: &Runtime) -> Result<u64> {
    let mut moved = 0;
    for (purpose, before) in store::lasting(&runtime.db).await? {
        if KeyId::named_by(&before) == Some(runtime.keys.sealing()) {
            continue;
        }
        let place = place_of_lasting(&purpose);
        let clear = runtime.keys.unseal(&place, &before);
        let clear = clear.ok_or_else(|| closed_lasting(&purpose, &before))?;
        let sealed = runtime.keys.seal(&runtime.ids, &place, &clear)?;
        let mut tx = runtime.db.begin().await?;
        moved += store::reseal_lasting(&mut tx, &purpose, &sealed, &before).await?;
        tx.commit().await?;
    }
    Ok(moved)
}
