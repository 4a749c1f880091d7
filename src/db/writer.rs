//! The connections that write: kept open and handed from hand to hand.
//!
//! A pool asks each connection whether it lives when it goes out and when it comes back. On SQLite each question costs a
//! change of threads there and back, on Postgres a round trip; beside a transaction of one statement that is most of it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::{Db, Result, Tx};

/// How long somebody waits for the writer of SQLite: writers stand in line here and not in `SQLITE_BUSY`.
const PATIENCE: Duration = Duration::from_secs(30);

/// The one connection of SQLite that writes.
#[derive(Debug, Clone)]
pub(super) enum SqliteWriter {
    /// To a file. `None` once it is closed.
    Kept(Arc<Mutex<Option<SqliteConnection>>>),
    /// To a database in memory: the only connection, from which all read too.
    Shared(SqlitePool),
}

/// The writer in somebody's hand.
#[derive(Debug)]
pub(super) enum Connected {
    Kept(OwnedMappedMutexGuard<Option<SqliteConnection>, SqliteConnection>),
    Shared(PoolConnection<Sqlite>),
}

impl Deref for Connected {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Kept(connection) => connection,
            Self::Shared(connection) => connection,
        }
    }
}

impl DerefMut for Connected {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Kept(connection) => connection,
            Self::Shared(connection) => connection,
        }
    }
}

impl SqliteWriter {
    pub(super) fn on(connection: SqliteConnection) -> Self {
        Self::Kept(Arc::new(Mutex::new(Some(connection))))
    }

    pub(super) const fn of(pool: SqlitePool) -> Self {
        Self::Shared(pool)
    }

    /// Waits for its turn.
    pub(super) async fn connection(&self) -> sqlx::Result<Connected> {
        match self {
            Self::Kept(kept) => {
                let turn = tokio::time::timeout(PATIENCE, Arc::clone(kept).lock_owned());
                let guard = turn.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
                let open = OwnedMutexGuard::try_map(guard, Option::as_mut).map_err(|_| sqlx::Error::PoolClosed)?;
                Ok(Connected::Kept(open))
            }
            Self::Shared(pool) => Ok(Connected::Shared(pool.acquire().await?)),
        }
    }

    pub(super) async fn begin(&self) -> Result<SqliteTx> {
        let mut tx = SqliteTx::on(self.connection().await?);
        sqlx::query("begin immediate").execute(&mut *tx).await?;
        Ok(tx)
    }

    /// Closes the connection once nobody holds it.
    pub(super) async fn close(&self) {
        match self {
            Self::Kept(kept) => {
                let connection = kept.lock().await.take();
                if let Some(connection) = connection
                    && let Err(error) = connection.close().await
                {
                    tracing::warn!(%error, "the database file was not closed cleanly");
                }
            }
            Self::Shared(pool) => pool.close().await,
        }
    }
}

/// A transaction on the writer of SQLite. Rolled back when dropped.
#[derive(Debug)]
pub struct SqliteTx {
    /// `None` once it is over.
    connection: Option<Connected>,
    /// The database's count of marked transactions.
    marks: Option<Arc<AtomicU64>>,
    is_marked: bool,
}

impl SqliteTx {
    const fn on(connection: Connected) -> Self {
        Self { connection: Some(connection), marks: None, is_marked: false }
    }

    /// Of a database that counts marked transactions here.
    pub(super) fn counted(mut self, marks: &Arc<AtomicU64>) -> Self {
        self.marks = Some(Arc::clone(marks));
        self
    }

    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        sqlx::query("commit").execute(&mut *self).await?;
        self.connection = None;
        Ok(())
    }
}

impl Deref for SqliteTx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_deref().expect("it is there until the end")
    }
}

impl DerefMut for SqliteTx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_deref_mut().expect("it is there until the end")
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        // However it ended, and before whoever committed it hears so: this is the end of that, too.
        if let Some(marks) = self.marks.take().filter(|_| self.is_marked) {
            marks.fetch_add(1, Ordering::AcqRel);
        }
        let Some(mut connection) = self.connection.take() else { return };
        // The next in line gets the connection when the transaction is rolled back. Without a runtime the process ends.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // It may not have begun, or have failed to begin.
                let _ = sqlx::query("rollback").execute(&mut *connection).await;
            });
        }
    }
}

/// A connection to Postgres that is not given back between two uses, but for errors.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pool: PgPool,
    connection: Arc<Mutex<Option<PoolConnection<Postgres>>>>,
}

impl Kept {
    pub(super) fn of(pool: PgPool) -> Self {
        Self { pool, connection: Arc::default() }
    }

    pub(super) async fn forget(&self) {
        *self.connection.lock().await = None;
    }
}

/// What is written in one go: on SQLite one text of several statements with its own `begin immediate` and `commit`, which
/// costs one change of threads; on Postgres one statement, which costs one round trip and is its own transaction.
///
/// Give it back with [`AtOnce::done`] when all went well. Dropped, what SQLite began is rolled back, and the connection
/// to Postgres is given up, with whatever it was about.
#[derive(Debug)]
pub enum AtOnce<'a> {
    /// The text begins and ends a transaction.
    Sqlite(SqliteTx),
    /// The text is one statement.
    Postgres(PostgresAtOnce<'a>),
}

/// The kept connection in somebody's hand.
#[derive(Debug)]
pub struct PostgresAtOnce<'a> {
    place: MutexGuard<'a, Option<PoolConnection<Postgres>>>,
    connection: Option<PoolConnection<Postgres>>,
}

impl Deref for PostgresAtOnce<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_deref().expect("it is there until the end")
    }
}

impl DerefMut for PostgresAtOnce<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_deref_mut().expect("it is there until the end")
    }
}

impl Db {
    /// Waits for the connection that writes in one go.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none comes free in time.
    pub async fn at_once(&self) -> Result<AtOnce<'_>> {
        match self {
            Self::Sqlite(db) => Ok(AtOnce::Sqlite(SqliteTx::on(db.writer.connection().await?))),
            Self::Postgres(db) => {
                let mut place = db.kept.connection.lock().await;
                let connection = match place.take() {
                    Some(connection) => connection,
                    None => db.kept.pool.acquire().await?,
                };
                Ok(AtOnce::Postgres(PostgresAtOnce { place, connection: Some(connection) }))
            }
        }
    }
}

impl AtOnce<'_> {
    /// What was written is durable: the connection is kept for the next.
    pub fn done(self) {
        match self {
            Self::Sqlite(mut tx) => tx.connection = None,
            Self::Postgres(mut kept) => *kept.place = kept.connection.take(),
        }
    }
}

/// One statement in the words of each engine.
#[derive(Debug, Clone)]
pub struct Texts {
    /// With `?` for parameters in their order: SQLite looks a numbered one up by name, each time through all before it.
    pub sqlite: String,
    /// With `$1`, `$2`, ….
    pub postgres: String,
}

impl Texts {
    /// Of a text that names each parameter once, in their order.
    pub fn of(postgres: String) -> Self {
        Self { sqlite: without_numbers(&postgres), postgres }
    }
}

/// `?` for each `$1`, `$2`, ….
pub fn without_numbers(text: &str) -> String {
    let mut parts = text.split('$');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push('?');
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    plain
}

impl Tx {
    /// Marks it: [`Db::marks`] goes up when it ends, before whoever commits it hears so.
    pub const fn mark(&mut self) {
        match self {
            Self::Sqlite(tx) => tx.is_marked = true,
            Self::Postgres(_) => {}
        }
    }

    /// The text for the engine that it is on.
    pub fn text(&self, texts: &'static Texts) -> &'static str {
        match self {
            Self::Sqlite(_) => &texts.sqlite,
            Self::Postgres(_) => &texts.postgres,
        }
    }
}

impl Db {
    /// The text for the engine that it is.
    pub fn text(&self, texts: &'static Texts) -> &'static str {
        match self {
            Self::Sqlite(_) => &texts.sqlite,
            Self::Postgres(_) => &texts.postgres,
        }
    }
}

/// As [`within!`](crate::within), for [`AtOnce`]: the text of each engine, then the query on it.
#[macro_export]
macro_rules! at_once {
    ($at_once:expr, $texts:expr, ($sql:ident, $conn:ident) => $body:expr) => {
        match $at_once {
            $crate::db::AtOnce::Sqlite(tx) => {
                let ($sql, $conn) = ($texts.sqlite.as_str(), &mut **tx);
                $body
            }
            $crate::db::AtOnce::Postgres(kept) => {
                let ($sql, $conn) = ($texts.postgres.as_str(), &mut **kept);
                $body
            }
        }
    };
}
