//! What the databases can refuse, without their text.

/// A failed query or connection. The source is for the log; no caller shows it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, a closed pool, or the server is restarting: worth another try.
    #[error("the database did not answer in time")]
    Unavailable,
    /// No space is left where the database is stored: works again once there is.
    #[error("the database's disk is full")]
    Full,
    /// A unique constraint was hit; its name (Postgres) or its columns (SQLite).
    #[error("a row like this exists: {0}")]
    Duplicate(String),
    /// A row refers to one that is not there, or is still referred to.
    #[error("a row is missing or still needed: {0}")]
    Reference(String),
    /// A stored row does not read as its type: the table, the column and what was found.
    #[error("the database holds an unreadable {column} in {table}: {found}")]
    Inconsistent {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// What stood there, shortened.
        found: String,
    },
    /// Another process has the file open.
    #[error("{0} is in use by another weft process; stop it, or use its REST interface")]
    InUse(String),
    /// What is to be stored sealed would have to be under a master key that this process does not have: works once it does.
    #[error("{0}")]
    MasterKey(String),
    /// The URL or the options don't fit.
    #[error("{0}")]
    Options(String),
    /// A migration failed.
    #[error("the migration {0} failed")]
    Migration(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// Anything else.
    #[error("the database refused a query")]
    Query(#[source] sqlx::Error),
}

/// A result with this module's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A stored text that does not read as its type.
    pub fn inconsistent(table: &'static str, column: &'static str, found: impl std::fmt::Display) -> Self {
        let found: String = found.to_string().chars().take(80).collect();
        Self::Inconsistent { table, column, found }
    }

    /// Whether the same call may work a moment later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable | Self::Full | Self::InUse(_) | Self::MasterKey(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => {
                Self::Unavailable
            }
            sqlx::Error::Database(db) if db.is_unique_violation() => {
                Self::Duplicate(db.constraint().map_or_else(|| db.message().to_owned(), str::to_owned))
            }
            sqlx::Error::Database(db) if db.is_foreign_key_violation() => {
                Self::Reference(db.constraint().map_or_else(|| db.message().to_owned(), str::to_owned))
            }
            sqlx::Error::Database(db) => match db.code().as_deref() {
                // 57P01..57P03: the server is shutting down or starting; 40001 and 40P01: serialisation, deadlock; 53300: too
                // many connections; 55P03: a lock was not available.
                Some("57P01" | "57P02" | "57P03" | "40001" | "40P01" | "53300" | "55P03") => Self::Unavailable,
                // 53100 is Postgres' disk_full; of SQLite 13 is SQLITE_FULL, 778 a write, 1034 a flush, 4874 the shared
                // memory's file.
                Some("53100" | "13" | "778" | "1034" | "4874") => Self::Full,
                _ => Self::Query(error),
            },
            _ => Self::Query(error),
        }
    }
}
