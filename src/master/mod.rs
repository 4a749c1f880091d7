//! The master key of an installation: which one seals, another in its place, and the old one given up.
//!
//! Owns which master keys a database was ever sealed under, and the few secrets that outlast them. Promises: a process whose file
//! lacks the key that seals does not start, or seals nothing more until its file has it; a new key takes over without anybody
//! waiting, everything is brought under it in small goes by whoever keeps house, and a crash at any time loses nothing; a key is
//! given up only when nothing is under it. Refuses to keep a key anywhere but in the file.
//!
//! The design: every sealed value names its key (`runtime::keys`), so there is no note of how far a change has come that could be
//! wrong. Which key seals is a row, looked at by every process when its file has changed and each [`round::ASK`]: the file says only which keys there are, and so
//! may stand in any state on any server. A change is over when a whole pass found nothing to do that began [`GRACE_MS`] after every
//! process had to know of it.
//!
//! What is found or checked by a key (digests of questions, signatures of messages, tags of refresh tokens) can't be made anew: its
//! keys were derived from the first master key, and since rest sealed as secrets of their own.

mod error;
mod round;
mod store;

use std::fmt::Write as _;
use std::time::Instant;

pub use self::error::{Error, Result};
pub use self::round::{Pass, accompany, follow, reseal, start};
use self::store::KeyRow;
use crate::model::Timestamp;
use crate::model::auth::Action;
use crate::model::master::{MasterKeyInfo, MasterKeyReport, MasterKeyRotation, MasterKeyState, NotYetSealed};
use crate::runtime::keys::{Column, KeyId, Left, Opening, SURE};
use crate::runtime::{Ctx, Runtime};
use crate::{agents, auth, cache, db, gateway, memory, trigger};

/// For so long after a new key began to seal, something may still be stored under the one before: it was sealed just before, or by
/// a process that had not looked yet.
pub const GRACE_MS: i64 = 180_000;

// Whoever has not looked for so long seals nothing, with some time to store what was sealed just before.
const _: () = assert!(SURE.as_millis() + 10_000 <= GRACE_MS as u128);
const _: () = assert!(round::ASK.as_millis() + 45_000 <= SURE.as_millis());

/// Every column that is sealed with the master key.
fn columns() -> impl Iterator<Item = Column> {
    memory::SEALED.into_iter().chain(gateway::SEALED).chain(trigger::SEALED).chain(cache::SEALED)
}

/// Every secret that outlasts a master key.
fn lasting_purposes() -> impl Iterator<Item = &'static str> {
    cache::LASTING.into_iter().chain([auth::LASTING, agents::bus::LASTING])
}

/// Where a secret that lasts stands.
fn place_of_lasting(purpose: &str) -> String {
    format!("lasting_secret/{purpose}/sealed")
}

/// Finds out which key seals, and takes over the secrets that last. Comes before anything is sealed or opened.
///
/// # Errors
/// [`Error::WrongKey`] where the file lacks the key under which this database is; nothing is changed then.
pub async fn boot(runtime: &Runtime) -> Result<()> {
    let asked = Instant::now();
    let sealing = match store::find_sealing(&runtime.db).await? {
        Some(row) => row,
        None => begin(runtime).await?,
    };
    let id = id_of(&sealing)?;
    runtime.keys.seal_with(id);
    if let Some(why) = runtime.keys.lack() {
        return Err(Error::WrongKey(why));
    }
    heard(runtime, asked);
    take_lasting(runtime).await
}

/// Notes that the database was asked. Where no other process writes to it nobody else can make another key seal.
fn heard(runtime: &Runtime, asked: Instant) {
    if runtime.db.is_shared() {
        runtime.keys.hear(asked);
    }
}

/// The first start with this table: the key seals that what is there opens with, so that nothing changes by it; the newest key of the
/// file where there is nothing.
async fn begin(runtime: &Runtime) -> Result<KeyRow> {
    let mut opener = None;
    let mut closed = None;
    for column in columns() {
        match column.opening(&runtime.db, &runtime.keys).await? {
            Opening::By(id) => opener = opener.or(Some(id)),
            Opening::Closed => closed = Some(column.what),
            Opening::Empty => {}
        }
    }
    if let Some(what) = closed.filter(|_| opener.is_none()) {
        return Err(Error::WrongKey(format!(
            "this database is under another master key than those of the file: {what} can't be opened; bring back the file with \
             which it was made"
        )));
    }
    let id = opener.unwrap_or_else(|| runtime.keys.sealing());
    let now = runtime.clock.now();
    let mut tx = runtime.db.begin().await?;
    let is_first = store::insert(&mut tx, 1, &id.to_string(), now).await?;
    if is_first && opener.is_none() {
        // Nothing was ever sealed here.
        store::note_whole(&mut tx, 1, 0, now).await?;
    }
    tx.commit().await?;
    // Of two that began at once, both go by the one that was first.
    let row = store::find_sealing(&runtime.db).await?;
    Ok(row.ok_or_else(|| db::Error::inconsistent("master_key", "number", "no row"))?)
}

async fn take_lasting(runtime: &Runtime) -> Result<()> {
    let known = store::lasting(&runtime.db).await?;
    let mut tx = runtime.db.begin().await?;
    for purpose in lasting_purposes().filter(|purpose| known.iter().all(|(name, _)| name != purpose)) {
        // What it was as long as there was one master key.
        let secret = runtime.keys.derive(purpose);
        let sealed = runtime.keys.seal(&runtime.ids, &place_of_lasting(purpose), &secret)?;
        store::insert_lasting(&mut tx, purpose, &sealed).await?;
    }
    tx.commit().await?;
    let known = store::lasting(&runtime.db).await?;
    for purpose in lasting_purposes() {
        let sealed = known.iter().find(|(name, _)| name == purpose).map(|(_, sealed)| sealed);
        let clear = sealed.and_then(|sealed| runtime.keys.unseal(&place_of_lasting(purpose), sealed));
        let secret = clear.and_then(|clear| <[u8; 32]>::try_from(clear).ok());
        let secret = secret.ok_or_else(|| closed_lasting(purpose, sealed.map(Vec::as_slice).unwrap_or_default()))?;
        runtime.keys.keep(purpose, secret);
    }
    Ok(())
}

fn closed_lasting(purpose: &str, sealed: &[u8]) -> Error {
    let under = KeyId::named_by(sealed).map(|id| format!(": it is under {id}")).unwrap_or_default();
    Error::WrongKey(format!("the secret for {purpose} does not open with any master key of the file{under}"))
}

fn id_of(row: &KeyRow) -> Result<KeyId> {
    Ok(KeyId::parse(&row.id).ok_or_else(|| db::Error::inconsistent("master_key", "id", &row.id))?)
}

/// Owners of the first workspace, which stands for the installation: the key is that of all workspaces.
async fn authorize(ctx: &Ctx) -> Result<()> {
    ctx.authorize(Action::ManageOwner)?;
    match auth::find_workspace(ctx.runtime()).await? {
        Some(first) if first == ctx.workspace() => Ok(()),
        _ => Err(Error::Elsewhere),
    }
}

/// Under which master keys everything is sealed, and how far a change has come. Counts every sealed value.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn status(ctx: &Ctx) -> Result<MasterKeyReport> {
    authorize(ctx).await?;
    if let Err(error) = ctx.keys.reload() {
        tracing::warn!(%error, "the file of the master keys can't be read");
    }
    let rows = store::list(&ctx.db).await?;
    let in_file = ctx.keys.ids();
    let waiting = in_file.iter().filter(|id| rows.iter().all(|row| row.id != id.to_string()));
    let mut keys: Vec<MasterKeyInfo> = waiting
        .map(|id| MasterKeyInfo {
            id: id.to_string(),
            state: MasterKeyState::Waiting,
            in_file: true,
            since: None,
            whole_at: None,
            retired_at: None,
        })
        .collect();
    for (at, row) in rows.iter().enumerate() {
        let state = match (at, row.retired_at) {
            (0, _) => MasterKeyState::Sealing,
            (_, None) => MasterKeyState::Opening,
            (_, Some(_)) => MasterKeyState::Retired,
        };
        let id = id_of(row)?;
        keys.push(MasterKeyInfo {
            id: row.id.clone(),
            state,
            in_file: in_file.contains(&id),
            since: Some(row.since),
            whole_at: row.whole_at,
            retired_at: row.retired_at,
        });
    }
    let Some(sealing) = rows.first() else {
        return Ok(MasterKeyReport { keys, ..MasterKeyReport::default() });
    };
    let left = left(ctx, id_of(sealing)?).await?;
    Ok(MasterKeyReport { keys, whole: sealing.whole_at.is_some(), left, unreadable: sealing.unreadable })
}

/// As [`status`]; `None` for owners of another workspace than the first, whom this does not concern.
///
/// # Errors
/// As [`status`].
pub async fn status_if_here(ctx: &Ctx) -> Result<Option<MasterKeyReport>> {
    match status(ctx).await {
        Err(Error::Elsewhere) => Ok(None),
        report => report.map(Some),
    }
}

/// What is not under the key that seals.
async fn left(ctx: &Ctx, sealing: KeyId) -> Result<Vec<NotYetSealed>> {
    let mut left = Vec::new();
    for column in columns() {
        let values = column.count(&ctx.db, sealing).await?;
        if values > 0 {
            left.push(NotYetSealed { what: column.what.to_owned(), values });
        }
    }
    let lasting = store::lasting(&ctx.db).await?;
    let values = lasting.iter().filter(|(_, sealed)| KeyId::named_by(sealed) != Some(sealing)).count() as i64;
    if values > 0 {
        left.push(NotYetSealed { what: "secrets that last".to_owned(), values });
    }
    Ok(left)
}

/// Makes a new key seal: the one that waits in the file of this server, or one that is made now. Everything else follows in the
/// background; what is under the keys before it can be opened all the time. With `prepare` a key is made and nothing else: it waits.
///
/// # Errors
/// [`Error::Conflict`] while a change goes on, or where one waits already; [`Error::Keys`] where the file can't be changed.
pub async fn rotate(ctx: &Ctx, how: MasterKeyRotation) -> Result<MasterKeyReport> {
    authorize(ctx).await?;
    ctx.keys.reload()?;
    let rows = store::list(&ctx.db).await?;
    let waiting = ctx.keys.ids().into_iter().find(|id| rows.iter().all(|row| row.id != id.to_string()));
    if how.prepare {
        if let Some(id) = waiting {
            return Err(Error::Conflict(format!("the master key {id} waits in the file already")));
        }
        let id = ctx.keys.add(&ctx.ids)?;
        tracing::info!(key = %id, by = %ctx.actor.principal, "a new master key waits in the file");
        return status(ctx).await;
    }
    let before = rows.first().ok_or_else(|| Error::Conflict("no server has begun on this database yet".to_owned()))?;
    if before.whole_at.is_none() {
        let left = said(&left(ctx, id_of(before)?).await?);
        return Err(Error::Conflict(format!("not everything is under the master key {} yet{left}", before.id)));
    }
    // Who can't open what is there would leave all others without the key that seals next.
    ctx.keys.seal_with(id_of(before)?);
    if let Some(why) = ctx.keys.lack() {
        return Err(Error::WrongKey(why));
    }
    let id = match waiting {
        Some(id) => id,
        None => ctx.keys.add(&ctx.ids)?,
    };
    // It must be where it is looked for before anything is under it.
    ctx.keys.reload()?;
    if !ctx.keys.has(id) {
        return Err(Error::Conflict(format!(
            "the master key {id} is not in the file any more; somebody changes it too"
        )));
    }
    let mut tx = ctx.db.begin().await?;
    if !store::insert(&mut tx, before.number + 1, &id.to_string(), ctx.clock.now()).await? {
        return Err(Error::Conflict("another master key began to seal just now".to_owned()));
    }
    tx.commit().await?;
    ctx.keys.seal_with(id);
    tracing::info!(key = %id, before = before.id, by = %ctx.actor.principal, "a new master key seals");
    round::wake(ctx.runtime());
    status(ctx).await
}

/// Gives a key up: it is taken out of the file of this server, once nothing is under it, and lies beside it: backups need it, and the
/// file may be that of another database, too. Each server has to take it out of its own.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for the one that seals, and while something is under it, saying what.
pub async fn retire(ctx: &Ctx, id: &str) -> Result<MasterKeyReport> {
    authorize(ctx).await?;
    ctx.keys.reload()?;
    let rows = store::list(&ctx.db).await?;
    let old = rows.iter().find(|row| row.id == id).ok_or_else(|| Error::NotFound(id.to_owned()))?;
    let sealing = &rows[0];
    if old.number == sealing.number {
        return Err(Error::Conflict(format!("the master key {id} is the one that seals; make another one seal first")));
    }
    ctx.keys.seal_with(id_of(sealing)?);
    if let Some(why) = ctx.keys.lack() {
        return Err(Error::WrongKey(why));
    }
    let old = id_of(old)?;
    // Each value is opened for it, which would take long while a change goes on.
    let under = if sealing.whole_at.is_some() { under(ctx, old).await? } else { Vec::new() };
    if sealing.whole_at.is_none() || !under.is_empty() {
        if sealing.whole_at.is_some() {
            // It came late, from a process that stood still: it is looked for again.
            let mut tx = ctx.db.begin().await?;
            store::note_unfinished(&mut tx, sealing.number).await?;
            tx.commit().await?;
            round::wake(ctx.runtime());
        }
        let left = if under.is_empty() { left(ctx, id_of(sealing)?).await? } else { under };
        return Err(Error::Conflict(format!("something may still be under the master key {id}{}", said(&left))));
    }
    let mut tx = ctx.db.begin().await?;
    store::retire(&mut tx, id, ctx.clock.now()).await?;
    tx.commit().await?;
    ctx.keys.remove(&ctx.ids, old)?;
    tracing::info!(key = id, by = %ctx.actor.principal, "a master key was given up");
    status(ctx).await
}

/// What is under a key, by opening it: what was altered is under none.
async fn under(ctx: &Ctx, id: KeyId) -> Result<Vec<NotYetSealed>> {
    let mut under = Vec::new();
    for column in columns() {
        let Left { opened, doubtful } = column.left_under(&ctx.db, &ctx.keys, id).await?;
        if opened + doubtful > 0 {
            under.push(NotYetSealed { what: column.what.to_owned(), values: (opened + doubtful) as i64 });
        }
    }
    let lasting = store::lasting(&ctx.db).await?;
    let values = lasting.iter().filter(|(_, sealed)| KeyId::named_by(sealed) == Some(id)).count() as i64;
    if values > 0 {
        under.push(NotYetSealed { what: "secrets that last".to_owned(), values });
    }
    Ok(under)
}

/// As the end of a sentence.
fn said(left: &[NotYetSealed]) -> String {
    let mut text = String::new();
    for (at, NotYetSealed { what, values }) in left.iter().enumerate() {
        let _ = write!(text, "{} {values} {what}", if at == 0 { ":" } else { "," });
    }
    if left.is_empty() {
        text.push_str("; the last look at it is still to come, about three minutes after the change began");
    }
    text
}

/// When everything was found to be under the key that seals; `None` until then.
///
/// # Errors
/// When the database fails.
pub async fn whole_at(runtime: &Runtime) -> Result<Option<Timestamp>> {
    Ok(store::find_sealing(&runtime.db).await?.and_then(|row| row.whole_at))
}
