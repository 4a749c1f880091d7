//! Opening a database from its URL.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use super::readers::SqliteReaders;
use super::writer::{Kept, SqliteWriter};
use super::{Db, Error, PostgresDb, Result, SqliteDb};

/// How to open a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite:PATH`, `sqlite::memory:` or `postgres://…`.
    pub url: String,
    /// Connections that may be open at once, 2..=100: Postgres' pool, SQLite's readers.
    pub max_connections: u32,
}

impl Options {
    /// The defaults for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), max_connections: 16 }
    }
}

/// How long a caller waits for a connection.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection to a server is taken to live without being asked.
const UNTESTED: Duration = Duration::from_millis(500);

impl Db {
    /// Opens the database and brings its tables up to date.
    ///
    /// # Errors
    /// [`Error::Options`] for a URL that is neither; [`Error::Unavailable`] when it can't be reached;
    /// [`Error::InUse`] when another process has the file; [`Error::Migration`] when a migration fails; all leave the database as it was.
    pub async fn open(options: &Options) -> Result<Self> {
        let db = if options.url.starts_with("sqlite:") {
            Self::Sqlite(open_sqlite(options).await?)
        } else if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            Self::Postgres(open_postgres(options).await?)
        } else {
            return Err(Error::Options("the database URL must begin with sqlite: or postgres://".to_owned()));
        };
        super::migrate::run(&db).await?;
        Ok(db)
    }
}

async fn open_sqlite(options: &Options) -> Result<SqliteDb> {
    let path = options.url.trim_start_matches("sqlite:").trim_start_matches("//");
    let memory = path == ":memory:";
    let owner = if memory { None } else { Some(Arc::new(own(Path::new(path))?)) };
    let connect = if memory {
        // A name of its own keeps two databases in memory apart; the shared cache lets readers see the writer.
        #[expect(clippy::disallowed_methods, reason = "no id of ours: it keeps two databases apart")]
        let name = format!("file:weft-{}?mode=memory&cache=shared", uuid::Uuid::now_v7().simple());
        SqliteConnectOptions::from_str(&format!("sqlite:{name}"))?.shared_cache(true).read_only(false)
    } else {
        SqliteConnectOptions::new().filename(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal)
    };
    let connect = connect
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-16000")
        .statement_cache_capacity(256);
    if memory {
        // Readers would meet the writer's locks on tables: all share its connection.
        let reader = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(connect)
            .await?;
        return Ok(SqliteDb {
            writer: SqliteWriter::of(reader.clone()),
            readers: SqliteReaders::of(reader),
            marks: std::sync::Arc::default(),
            _owner: None,
        });
    }
    let writer = SqliteWriter::on(connect.connect().await?);
    let readers = SqliteReaders::to(connect.read_only(true), options.max_connections, ACQUIRE_TIMEOUT);
    // What does not open is found now, and not by whoever reads first.
    drop(readers.connection().await?);
    Ok(SqliteDb { writer, readers, marks: std::sync::Arc::default(), _owner: owner })
}

/// Takes the lock file beside the database: a second process is told at once, and not by a busy database later.
fn own(path: &Path) -> Result<File> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)
            .map_err(|error| Error::Options(format!("cannot make the folder {}: {error}", parent.display())))?;
    }
    let lock_path = path.with_extension("lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|error| Error::Options(format!("cannot open {}: {error}", lock_path.display())))?;
    lock.try_lock().map_err(|_| Error::InUse(path.display().to_string()))?;
    Ok(lock)
}

async fn open_postgres(options: &Options) -> Result<PostgresDb> {
    let connect = PgConnectOptions::from_str(&options.url)
        .map_err(|_| Error::Options("the database URL is not a valid postgres:// URL".to_owned()))?
        .application_name("weft")
        .statement_cache_capacity(256);
    let pool = PgPoolOptions::new()
        .min_connections(1)
        .max_connections(options.max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // Each connection is asked whether it lives when it comes back; again only when it has lain idle since.
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for >= UNTESTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(connect)
        .await?;
    Ok(PostgresDb { kept: Kept::of(pool.clone()), pool })
}
