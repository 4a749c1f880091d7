//! SQLite's connections that read: lent out and taken back without a question to them.
//!
//! A pool asks each connection whether it lives, which costs as many changes of threads as a small query itself. One to a
//! file does not die, and a query that nobody waits for any more ends by itself before the next begins.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a connection that nobody takes stays open: opening one costs more than a hundred queries.
const UNUSED: Duration = Duration::from_secs(60);

/// The connections that read.
#[derive(Debug, Clone)]
pub enum SqliteReaders {
    /// To a file.
    Own(Arc<Own>),
    /// To a database in memory: the one connection, which writes too.
    Shared(SqlitePool),
}

/// Connections to a file, opened as they are needed.
#[derive(Debug)]
pub struct Own {
    connect: SqliteConnectOptions,
    patience: Duration,
    places: Arc<Semaphore>,
    /// Those that nobody holds, and since when; the one that was used last is the next.
    free: Mutex<Vec<(SqliteConnection, Instant)>>,
}

impl SqliteReaders {
    pub(super) fn to(connect: SqliteConnectOptions, most: u32, patience: Duration) -> Self {
        let places = Arc::new(Semaphore::new(most as usize));
        Self::Own(Arc::new(Own { connect, patience, places, free: Mutex::default() }))
    }

    pub(super) const fn of(pool: SqlitePool) -> Self {
        Self::Shared(pool)
    }

    /// Waits for a free connection.
    ///
    /// # Errors
    /// When none comes free in time, none can be opened, or all are closed.
    pub async fn connection(&self) -> sqlx::Result<Reading> {
        match self {
            Self::Own(own) => {
                let place = tokio::time::timeout(own.patience, Arc::clone(&own.places).acquire_owned());
                let place = place.await.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
                let free = own.free().pop();
                let connection = match free {
                    Some((connection, _)) => connection,
                    None => own.connect.connect().await?,
                };
                Ok(Reading::Own { connection: Some(connection), home: Arc::clone(own), _place: place })
            }
            Self::Shared(pool) => Ok(Reading::Shared(pool.acquire().await?)),
        }
    }

    /// Closes the connections; those in use close when they come back.
    pub(super) async fn close(&self) {
        match self {
            Self::Own(own) => {
                own.places.close();
                let free = std::mem::take(&mut *own.free());
                for (connection, _) in free {
                    if let Err(error) = connection.close().await {
                        tracing::warn!(%error, "a reader of the database file was not closed cleanly");
                    }
                }
            }
            Self::Shared(pool) => pool.close().await,
        }
    }
}

impl Own {
    fn free(&self) -> std::sync::MutexGuard<'_, Vec<(SqliteConnection, Instant)>> {
        self.free.lock().expect("no code panics while it holds this lock")
    }
}

/// A connection in somebody's hand.
#[derive(Debug)]
pub enum Reading {
    /// To a file.
    Own {
        /// `None` once it is over.
        connection: Option<SqliteConnection>,
        /// Where it goes back to.
        home: Arc<Own>,
        /// Given back after it.
        _place: OwnedSemaphorePermit,
    },
    /// To a database in memory.
    Shared(PoolConnection<Sqlite>),
}

impl Deref for Reading {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Own { connection, .. } => connection.as_ref().expect("it is there until the end"),
            Self::Shared(connection) => connection,
        }
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Own { connection, .. } => connection.as_mut().expect("it is there until the end"),
            Self::Shared(connection) => connection,
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Self::Own { connection, home, .. } = self
            && let Some(connection) = connection.take()
            && !home.places.is_closed()
        {
            let mut free = home.free();
            free.push((connection, Instant::now()));
            // The one at the front has lain longest.
            if free.len() > 1 && free[0].1.elapsed() > UNUSED {
                free.remove(0);
            }
        }
    }
}
