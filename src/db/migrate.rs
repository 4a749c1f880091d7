//! Migrations: embedded, numbered alike for both engines, forward only, run at start under a lock.
//!
//! On a shared database others may be at work: a statement that waits for a lock keeps everybody behind it waiting, so each
//! gives up after two seconds and is tried again. What a newer version has added is left alone, so that an older one can
//! start beside it: migrations expand first and contract a version later.

use std::time::{Duration, Instant};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection, PgPool, query};

use super::{Db, Error, Result};

static SQLITE: Migrator = Migrator { ignore_missing: true, ..sqlx::migrate!("migrations/sqlite") };
static POSTGRES: Migrator = Migrator { ignore_missing: true, ..sqlx::migrate!("migrations/postgres") };

/// How long it is tried to get the locks.
const PATIENCE: Duration = Duration::from_mins(2);
/// The pause between, in which those who waited behind get on.
const PAUSE: Duration = Duration::from_millis(500);

/// Brings the tables up to date. Safe to run from several processes at once: Postgres holds an advisory lock, SQLite has
/// one owner.
pub(super) async fn run(db: &Db) -> Result<()> {
    let done = match db {
        Db::Sqlite(db) => SQLITE.run(&mut *db.writer.connection().await?).await,
        Db::Postgres(db) => run_beside_others(&db.pool).await,
    };
    done.map_err(|error| Error::Migration(error.to_string(), Box::new(error)))
}

async fn run_beside_others(pool: &PgPool) -> Result<(), MigrateError> {
    // A connection of its own, which takes its settings and its locks along when it is closed.
    let mut connection = pool.acquire().await?.detach();
    query("set lock_timeout = '2s'").execute(&mut connection).await?;
    let until = Instant::now() + PATIENCE;
    loop {
        match POSTGRES.run(&mut connection).await {
            Err(error) if is_locked(&error) && Instant::now() < until => {
                tracing::info!("the tables are in use; the migration is tried again");
                tokio::time::sleep(PAUSE).await;
            }
            done => {
                connection.close().await?;
                return done;
            }
        }
    }
}

/// 55P03: a lock was not available in time.
fn is_locked(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else { return false };
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_have_the_same_migrations() {
        let names = |migrator: &sqlx::migrate::Migrator| {
            migrator.iter().map(|m| (m.version, m.description.to_string())).collect::<Vec<_>>()
        };
        assert_eq!(names(&SQLITE), names(&POSTGRES));
    }
}
