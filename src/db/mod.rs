//! The two engines behind one door: pools, transactions, migrations, row errors. Knows no table.
//!
//! SQL is written once, in the subset that SQLite and Postgres both speak (`$1` parameters, `returning`, `on conflict`,
//! CTEs, `->>`). [`read!`](crate::read) and [`within!`](crate::within) compile one query body for each engine and run it on
//! whichever is open. What an engine alone can do is a named method here, never an `if` in a capability.
//!
//! SQLite has one writer connection and a pool of readers, so that readers never wait and writers queue here and not in
//! `SQLITE_BUSY`. One process owns the file: a lock file beside it says so clearly.

mod error;
mod migrate;
mod open;
mod presence;
mod readers;
mod types;
mod writer;

pub use error::{Error, Result};
pub use open::Options;
pub use presence::Presence;
pub use writer::{AtOnce, SqliteTx, Texts, without_numbers};

use sqlx::{PgPool, Postgres, Transaction};

/// The open database; cheap to clone.
#[derive(Debug, Clone)]
pub enum Db {
    /// The database inside the binary.
    Sqlite(SqliteDb),
    /// A team's database.
    Postgres(PostgresDb),
}

/// SQLite's pools.
#[derive(Debug, Clone)]
pub struct SqliteDb {
    /// Exactly one connection.
    writer: writer::SqliteWriter,
    /// Read-only connections.
    pub readers: readers::SqliteReaders,
    /// Goes up with each transaction that was marked.
    marks: std::sync::Arc<std::sync::atomic::AtomicU64>,
    /// Held as long as the database is open; `None` in memory.
    _owner: Option<std::sync::Arc<std::fs::File>>,
}

/// Postgres' connections.
#[derive(Debug, Clone)]
pub struct PostgresDb {
    /// For everything.
    pub pool: PgPool,
    /// One that stays with whoever writes [`AtOnce`].
    kept: writer::Kept,
}

/// A transaction that may write. Rolled back when dropped.
#[derive(Debug)]
pub enum Tx {
    /// On the writer.
    Sqlite(SqliteTx),
    /// On any connection.
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Begins a transaction that may write.
    ///
    /// On Postgres it begins in a task of its own: sqlx leaves the transaction open on the pooled connection when the
    /// caller of `begin` is dropped half-way, and axum drops handlers whenever a client goes away.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection comes free in time.
    pub async fn begin(&self) -> Result<Tx> {
        match self {
            Self::Sqlite(db) => Ok(Tx::Sqlite(db.writer.begin().await?.counted(&db.marks))),
            Self::Postgres(db) => {
                let pool = db.pool.clone();
                #[expect(clippy::disallowed_methods, reason = "short, and must outlive a caller that is dropped")]
                let begun = tokio::spawn(async move { pool.begin().await });
                Ok(Tx::Postgres(begun.await.map_err(|_| Error::Unavailable)??))
            }
        }
    }

    /// How many marked transactions ([`Tx::mark`]) have ended in this process. As long as it stays the same, what only they
    /// write is as it was, for the process has the file to itself. `None` where others write to the same database.
    pub fn marks(&self) -> Option<u64> {
        match self {
            Self::Sqlite(db) => Some(db.marks.load(std::sync::atomic::Ordering::Acquire)),
            Self::Postgres(_) => None,
        }
    }

    /// The engine's name as people know it.
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Asks a trivial question; returns how long the answer took.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no answer came within two seconds.
    pub async fn ping(&self) -> Result<std::time::Duration> {
        let begun = std::time::Instant::now();
        let answer =
            async { crate::read!(self, conn => sqlx::query_scalar::<_, i32>("select 1").fetch_one(conn).await) };
        tokio::time::timeout(std::time::Duration::from_secs(2), answer).await.map_err(|_| Error::Unavailable)??;
        Ok(begun.elapsed())
    }

    /// Bytes that the database takes on disk.
    ///
    /// # Errors
    /// When the engine doesn't answer.
    pub async fn size_bytes(&self) -> Result<i64> {
        let size = match self {
            Self::Sqlite(db) => {
                let pages = "select page_count * page_size from pragma_page_count(), pragma_page_size()";
                sqlx::query_scalar(pages).fetch_one(&mut *db.readers.connection().await?).await
            }
            Self::Postgres(db) => {
                sqlx::query_scalar("select pg_database_size(current_database())").fetch_one(&db.pool).await
            }
        };
        Ok(size?)
    }

    /// Whether other processes may work on the same database: leases are then needed, and looked after.
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Closes every connection; writes what is pending.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(db) => {
                db.readers.close().await;
                db.writer.close().await;
            }
            Self::Postgres(db) => {
                db.kept.forget().await;
                db.pool.close().await;
            }
        }
    }
}

impl Tx {
    /// Makes everything done in it durable.
    ///
    /// # Errors
    /// When the commit fails; its outcome is then unknown.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// Runs one query body on the open engine, outside a transaction and only to read.
///
/// `read!(db, conn => query_as("select …").bind(x).fetch_all(conn).await)`; the body gives a `sqlx::Result`.
#[macro_export]
macro_rules! read {
    ($db:expr, $conn:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite(db) => match db.readers.connection().await {
                Ok(mut reader) => {
                    let $conn = &mut *reader;
                    $body
                }
                Err(error) => Err(error),
            },
            $crate::db::Db::Postgres(db) => {
                let $conn = &db.pool;
                $body
            }
        }
    };
}

/// Runs one query body inside a transaction (`&mut Tx`).
#[macro_export]
macro_rules! within {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::db::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}

/// Joins two halves of a text between which only a shared database needs `for update skip locked`: claims of rows that
/// several processes are after.
#[macro_export]
macro_rules! skip_locked {
    ($tx:expr, $before:expr, $after:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(_) => concat!($before, $after),
            $crate::db::Tx::Postgres(_) => concat!($before, " for update skip locked ", $after),
        }
    };
}
