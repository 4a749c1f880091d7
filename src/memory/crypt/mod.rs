//! What rests is encrypted: content, value and metadata of every entry, version and sibling, and every vector.
//!
//! A workspace has keys of its own, numbered, each wrapped under the master key in a row (`workspace_key`). The first is made with
//! the first write, inside its transaction. Which one is for what is written stands in the row that every write locks, so that no
//! write falls behind a rotation. `format` says how a ciphertext looks and what it is bound to, `round` brings everything under the
//! newest key in the background, `manage` tells how far that is and makes a new key.
//!
//! Unwrapped keys are remembered in this process, at most [`MOST_KEYS`]. A key once stored never changes, and its number is never
//! given again, so nothing that is remembered gets old.
//!
//! What can't be opened is an error of that row: nobody is given an empty text for it.

mod format;
mod manage;
mod round;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};

pub(super) use self::format::{Body, DataKey, Place, body_bytes, key_number, read_body};
pub use self::manage::{get_encryption, rotate_data_key};
pub(super) use self::round::boot;
pub use self::round::{Sealed, seal_pending};
use super::{Error, store};
use crate::db::Tx;
use crate::model::WorkspaceId;
use crate::runtime::{Ctx, Runtime};

/// Unwrapped keys that a process remembers.
const MOST_KEYS: usize = 1024;
/// Rows that are opened on the spot; more are on a thread for blocking work.
const FEW: usize = 32;

/// Why something can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// The key with this number is not there.
    NoKey(i64),
    /// The key with this number is wrapped under another master key, or its row was altered.
    Wrapped(i64),
    /// It was altered, or moved from another row or column.
    Altered,
    /// It is nothing that this program writes.
    Format,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey(number) => write!(f, "key {number} of the workspace is not there"),
            Self::Wrapped(number) => {
                write!(f, "key {number} of the workspace does not open under this master key")
            }
            Self::Altered => f.write_str("it was altered, or comes from another row"),
            Self::Format => f.write_str("it has no format that this program knows"),
        }
    }
}

/// The unwrapped keys that this process knows.
#[derive(Debug, Default)]
struct KeyRing(Mutex<HashMap<(WorkspaceId, i64), Arc<DataKey>>>);

impl KeyRing {
    fn find(&self, workspace: WorkspaceId, number: i64) -> Option<Arc<DataKey>> {
        self.0.lock().expect("no code panics while it holds this lock").get(&(workspace, number)).cloned()
    }

    fn keep(&self, workspace: WorkspaceId, key: &Arc<DataKey>) {
        let mut keys = self.0.lock().expect("no code panics while it holds this lock");
        if keys.len() >= MOST_KEYS
            && let Some(any) = keys.keys().next().copied()
        {
            keys.remove(&any);
        }
        keys.insert((workspace, key.number()), Arc::clone(key));
    }
}

/// Where a wrapped key stands.
pub(in crate::memory) fn place_of_key(workspace: WorkspaceId, number: i64) -> String {
    format!("workspace_key/{workspace}/{number}/wrapped")
}

fn unwrap(runtime: &Runtime, workspace: WorkspaceId, number: i64, wrapped: &[u8]) -> Result<Arc<DataKey>, Unreadable> {
    let bytes = runtime.keys.unseal(&place_of_key(workspace, number), wrapped);
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or(Unreadable::Wrapped(number))?;
    let key = Arc::new(DataKey::new(workspace, number, &bytes));
    runtime.shared::<KeyRing>().keep(workspace, &key);
    Ok(key)
}

/// A key of the caller's workspace.
async fn find_key(ctx: &Ctx, number: i64) -> Result<Result<Arc<DataKey>, Unreadable>, Error> {
    if let Some(known) = ctx.shared::<KeyRing>().find(ctx.workspace(), number) {
        return Ok(Ok(known));
    }
    let wrapped = store::find_key(&ctx.db, ctx.workspace(), number).await?;
    Ok(match wrapped {
        Some(wrapped) => unwrap(ctx.runtime(), ctx.workspace(), number, &wrapped),
        None => Err(Unreadable::NoKey(number)),
    })
}

/// The same inside a transaction.
async fn find_key_within(tx: &mut Tx, ctx: &Ctx, number: i64) -> Result<Result<Arc<DataKey>, Unreadable>, Error> {
    if let Some(known) = ctx.shared::<KeyRing>().find(ctx.workspace(), number) {
        return Ok(Ok(known));
    }
    let wrapped = store::find_key_within(tx, ctx.workspace(), number).await?;
    Ok(match wrapped {
        Some(wrapped) => unwrap(ctx.runtime(), ctx.workspace(), number, &wrapped),
        None => Err(Unreadable::NoKey(number)),
    })
}

/// The key for what is written in this transaction, which has locked the workspace's change number; made where there is none.
///
/// # Errors
/// [`Error::NoDataKey`] where the key is there no more or does not open: nothing is written under another one by itself.
pub(super) async fn key_for_writing(tx: &mut Tx, ctx: &Ctx, number: Option<i64>) -> Result<Arc<DataKey>, Error> {
    match number {
        Some(number) => find_key_within(tx, ctx, number).await?.map_err(Error::NoDataKey),
        None => make_key(tx, ctx, 1).await,
    }
}

/// Makes a key, the one for what is written from now on. It is remembered once somebody reads it from the table: this
/// transaction may yet fail.
async fn make_key(tx: &mut Tx, ctx: &Ctx, number: i64) -> Result<Arc<DataKey>, Error> {
    let bytes: [u8; 32] = ctx.ids.random_bytes();
    let wrapped = ctx.keys.seal(&ctx.ids, &place_of_key(ctx.workspace(), number), &bytes)?;
    store::insert_key(tx, ctx.workspace(), number, &wrapped, ctx.clock.now()).await?;
    Ok(Arc::new(DataKey::new(ctx.workspace(), number, &bytes)))
}

/// A row that may hold something encrypted.
pub(super) trait Holds: Send + 'static {
    /// What it is, once taken out of the row, and where it stands; `None` of what stands there as it is.
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)>;

    /// Puts in what it says.
    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>);
}

/// The keys that rows name.
fn numbers(sealed: &[(usize, Place, Vec<u8>)]) -> BTreeSet<i64> {
    sealed.iter().filter_map(|(_, _, bytes)| key_number(bytes).ok()).collect()
}

fn taken<R: Holds>(rows: &mut [R]) -> Vec<(usize, Place, Vec<u8>)> {
    let take = |(at, row): (usize, &mut R)| row.take_sealed().map(|(place, bytes)| (at, place, bytes));
    rows.iter_mut().enumerate().filter_map(take).collect()
}

type Found = HashMap<i64, Result<Arc<DataKey>, Unreadable>>;

fn put_all<R: Holds>(rows: &mut [R], sealed: Vec<(usize, Place, Vec<u8>)>, keys: &Found) {
    let mut failed = 0;
    for (at, place, bytes) in sealed {
        let clear = key_number(&bytes).and_then(|number| match keys.get(&number) {
            Some(Ok(key)) => key.open(&place, &bytes),
            Some(Err(why)) => Err(*why),
            None => Err(Unreadable::NoKey(number)),
        });
        if let Err(why) = clear {
            // Under another master key it is all of them: one line for what is opened at once.
            if failed == 0 {
                let (column, version) = (place.column, place.version);
                tracing::warn!(column, row = place.row, version, %why, "memory can't be decrypted");
            }
            failed += 1;
        }
        rows[at].put_clear(clear);
    }
    if failed > 1 {
        tracing::warn!(rows = failed, "as many rows in one go can't be decrypted");
    }
}

/// Opens what is encrypted in rows; what can't be opened is noted in its row.
///
/// # Errors
/// When the database fails.
pub(super) async fn open_rows<R: Holds>(ctx: &Ctx, mut rows: Vec<R>) -> Result<Vec<R>, Error> {
    let sealed = taken(&mut rows);
    let mut keys = Found::new();
    for number in numbers(&sealed) {
        keys.insert(number, find_key(ctx, number).await?);
    }
    if sealed.len() <= FEW {
        put_all(&mut rows, sealed, &keys);
        return Ok(rows);
    }
    let work = move || {
        put_all(&mut rows, sealed, &keys);
        rows
    };
    ctx.tasks.blocking(work).await.map_err(|_| Error::Index)
}

/// The same inside a transaction, of few rows.
///
/// # Errors
/// When the database fails.
pub(super) async fn open_within<R: Holds>(tx: &mut Tx, ctx: &Ctx, mut rows: Vec<R>) -> Result<Vec<R>, Error> {
    let sealed = taken(&mut rows);
    let mut keys = Found::new();
    for number in numbers(&sealed) {
        keys.insert(number, find_key_within(tx, ctx, number).await?);
    }
    put_all(&mut rows, sealed, &keys);
    Ok(rows)
}
