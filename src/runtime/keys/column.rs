//! Columns whose values are sealed with the master key: how they are brought under the one that seals, in small goes.
//!
//! Each capability says which columns it has, and where each value stands. Nothing is noted in between: what is under the key that
//! seals names it, so whoever goes on after a crash finds what is left. A value is replaced only where it is still the one that was
//! opened, so that no write of anybody is lost.

use uuid::Uuid;

pub use super::store::Row;
use super::{KeyId, Keys, store};
use crate::db::{Db, Result};
use crate::runtime::Ids;

/// Values that are read and written in one go: each may have a mebibyte.
const GO: i64 = 16;

/// A column whose values are sealed with the master key. Made by [`sealed_column!`](crate::sealed_column).
#[derive(Debug)]
pub struct Column {
    /// What its values are, for people, in the plural.
    pub what: &'static str,
    /// Values that are not under the key with the head `$1`, behind the row (`$2`, `$3`), in the order of the rows, at most `$4`.
    pub find: &'static str,
    /// Puts `$1` in the row (`$2`, `$3`) where it still has `$4`.
    pub put: &'static str,
    /// How many are not under the key with the head `$1`.
    pub count: &'static str,
    /// Where the value of a row stands.
    pub place: fn(&Row) -> String,
}

/// The SQL for a column of a table whose rows have one id. What a place takes besides the id is named in `$more`, as `, key, root`.
#[macro_export]
macro_rules! sealed_column {
    ($what:literal, $table:literal, $id:literal, $column:literal, $more:literal, $place:expr) => {
        $crate::runtime::keys::Column {
            what: $what,
            find: concat!(
                "select ",
                $id,
                " as id, cast(0 as bigint) as number, ",
                $column,
                " as sealed",
                $more,
                " from ",
                $table,
                " where ",
                $column,
                " is not null and substr(",
                $column,
                ", 1, 12) <> $1 and (",
                $id,
                ", cast(0 as bigint)) > ($2, $3) order by ",
                $id,
                " limit $4"
            ),
            put: concat!(
                "update ",
                $table,
                " set ",
                $column,
                " = $1 where ",
                $id,
                " = $2 and cast($3 as bigint) = 0 and ",
                $column,
                " = $4"
            ),
            count: concat!(
                "select count(*) from ",
                $table,
                " where ",
                $column,
                " is not null and substr(",
                $column,
                ", 1, 12) <> $1"
            ),
            place: $place,
        }
    };
}

/// What one go over a column came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Values that are under the key that seals now.
    pub moved: u64,
    /// Values that no key of the file opens; they stay as they are.
    pub unreadable: u64,
    /// Behind which row the next go begins; `None` when there is nothing behind.
    pub next: Option<(Uuid, i64)>,
}

/// What is under a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Values that it opens.
    pub opened: u64,
    /// Values that may be under it: they name no key, and none of the file opens them.
    pub doubtful: u64,
}

impl Keys {
    /// A sealed value that somebody has read and writes again as it is: under the key that seals now, or else it would go back under
    /// the one that it was read under. What no key opens stays as it is.
    ///
    /// # Errors
    /// As [`Keys::seal`].
    pub fn renewed(&self, ids: &Ids, place: &str, sealed: Vec<u8>) -> Result<Vec<u8>> {
        if KeyId::named_by(&sealed) == Some(self.sealing()) {
            return Ok(sealed);
        }
        match self.unseal(place, &sealed) {
            Some(clear) => self.seal(ids, place, &clear),
            None => Ok(sealed),
        }
    }
}

/// Whether the values of a column open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// There are none.
    Empty,
    /// With this key.
    By(KeyId),
    /// With none of the file.
    Closed,
}

impl Column {
    /// Where the first go begins.
    pub const START: (Uuid, i64) = (Uuid::nil(), -1);

    /// Brings the next values that are not under the key that seals under it, at most 16.
    ///
    /// # Errors
    /// When the database fails; [`crate::db::Error::MasterKey`] where the key that seals is not here.
    pub async fn go(&self, db: &Db, (keys, ids): (&Keys, &Ids), after: (Uuid, i64)) -> Result<Moved> {
        let rows = store::find(db, self.find, &keys.sealing().head(), after, GO).await?;
        let mut done = Moved { next: rows.last().map(|row| (row.id, row.number)), ..Moved::default() };
        let mut fresh = Vec::new();
        for row in &rows {
            let place = (self.place)(row);
            match keys.unseal(&place, &row.sealed) {
                Some(clear) => fresh.push((row, keys.seal(ids, &place, &clear)?)),
                None => done.unreadable += 1,
            }
        }
        if !fresh.is_empty() {
            let mut tx = db.begin().await?;
            for (row, sealed) in &fresh {
                // Nothing changes where somebody wrote it meanwhile: that is under the key that seals for them.
                done.moved += store::put(&mut tx, self.put, sealed, row).await?;
            }
            tx.commit().await?;
        }
        Ok(done)
    }

    /// How many values are not under the key that seals.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, db: &Db, sealing: KeyId) -> Result<i64> {
        store::count(db, self.count, &sealing.head()).await
    }

    /// What is under a key that does not seal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn left_under(&self, db: &Db, keys: &Keys, id: KeyId) -> Result<Left> {
        let mut left = Left::default();
        let mut after = Self::START;
        loop {
            let rows = store::find(db, self.find, &keys.sealing().head(), after, GO).await?;
            let Some(last) = rows.last() else { return Ok(left) };
            after = (last.id, last.number);
            for row in &rows {
                let place = (self.place)(row);
                if keys.opens(id, &place, &row.sealed) {
                    left.opened += 1;
                } else if !keys.has(id) && keys.unseal(&place, &row.sealed).is_none() {
                    left.doubtful += 1;
                }
            }
        }
    }

    /// Which key of the file opens one of the first values there are: one that was altered does not make the others strangers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn opening(&self, db: &Db, keys: &Keys) -> Result<Opening> {
        // No key has this head.
        let rows = store::find(db, self.find, &[0; super::HEAD_BYTES], Self::START, GO).await?;
        let opener = rows.iter().find_map(|row| keys.opener(&(self.place)(row), &row.sealed));
        Ok(match opener {
            _ if rows.is_empty() => Opening::Empty,
            Some(id) => Opening::By(id),
            None => Opening::Closed,
        })
    }
}
