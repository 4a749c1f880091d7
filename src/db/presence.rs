//! What only a shared database can say: which processes live, and hints from one to the others.
//!
//! A living process holds an advisory lock of the session on a connection of its own, on which it also listens. The database
//! gives the lock up as soon as the connection breaks, which a killed process' kernel sees to at once; a process that only
//! stands still keeps it. Who finds the lock free knows that the holder is dead, or has lost its connection a moment ago.

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{query, query_scalar};

use super::{Db, Result, Tx};
use crate::model::Timestamp;

/// The lock of whoever does the housekeeping, beside the hash of the schema's name.
const HOUSEKEEPING: i32 = 0x5745_4654;

/// A process that is known to live as long as it holds this.
#[derive(Debug)]
pub struct Presence {
    listener: PgListener,
}

impl Db {
    /// Holds the lock `key` on a connection of its own, and listens to hints there. `None` where no other process can be.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`] when the database can't be reached.
    pub async fn attend(&self, key: i64) -> Result<Option<Presence>> {
        let Self::Postgres(db) = self else { return Ok(None) };
        let alone = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(super::open::ACQUIRE_TIMEOUT)
            .connect_with(db.pool.connect_options().as_ref().clone())
            .await?;
        let mut listener = PgListener::connect_with(&alone).await?;
        listener.eager_reconnect(false);
        let channel: String = query_scalar("select 'weft_' || current_schema()").fetch_one(&mut listener).await?;
        listener.listen(&channel).await?;
        query("select pg_advisory_lock($1)").bind(key).execute(&mut listener).await?;
        Ok(Some(Presence { listener }))
    }

    /// Tells every process that listens, this one too; at most 7,900 bytes. Nothing happens where no other can be.
    ///
    /// # Errors
    /// The database's.
    pub async fn hint(&self, text: &str) -> Result<()> {
        if let Self::Postgres(db) = self {
            query("select pg_notify('weft_' || current_schema(), $1)").bind(text).execute(&db.pool).await?;
        }
        Ok(())
    }

    /// The time by a shared database's clock, which all its processes agree on; `None` where each has its machine's.
    ///
    /// # Errors
    /// The database's.
    pub async fn now(&self) -> Result<Option<Timestamp>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(db) => Ok(Some(query_scalar("select clock_timestamp()").fetch_one(&db.pool).await?)),
        }
    }
}

impl Tx {
    /// Whether the lock `key` is free; then it is held until the transaction ends. Always true where no other process is.
    ///
    /// # Errors
    /// The database's.
    pub async fn try_lock(&mut self, key: i64) -> Result<bool> {
        match self {
            Self::Sqlite(_) => Ok(true),
            Self::Postgres(tx) => {
                Ok(query_scalar("select pg_try_advisory_xact_lock($1)").bind(key).fetch_one(&mut **tx).await?)
            }
        }
    }

    /// [`Tx::try_lock`], beside others who only look.
    ///
    /// # Errors
    /// The database's.
    pub async fn try_lock_shared(&mut self, key: i64) -> Result<bool> {
        match self {
            Self::Sqlite(_) => Ok(true),
            Self::Postgres(tx) => {
                Ok(query_scalar("select pg_try_advisory_xact_lock_shared($1)").bind(key).fetch_one(&mut **tx).await?)
            }
        }
    }
}

impl Presence {
    /// The next hint; `None` when the connection was lost, and the lock with it.
    pub async fn heard(&mut self) -> Option<String> {
        match self.listener.try_recv().await {
            Ok(Some(hint)) => Some(hint.payload().to_owned()),
            Ok(None) | Err(_) => None,
        }
    }

    /// Whether this process does the housekeeping from now on: nobody else does.
    ///
    /// # Errors
    /// The database's; the connection is then of no more use.
    pub async fn try_lead(&mut self) -> Result<bool> {
        let ask = "select pg_try_advisory_lock($1, hashtext(current_schema()))";
        Ok(query_scalar(ask).bind(HOUSEKEEPING).fetch_one(&mut self.listener).await?)
    }
}
