//! Migrations: embedded, numbered alike for both engines, forward only, run at start under a lock.

use super::{Db, Error, Result};

static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// Brings the tables up to date. Safe to run from several processes at once: Postgres holds an advisory lock, SQLite has
/// one owner.
pub(super) async fn run(db: &Db) -> Result<()> {
    let done = match db {
        Db::Sqlite(db) => SQLITE.run(&mut *db.writer.connection().await?).await,
        Db::Postgres(db) => POSTGRES.run(&db.pool).await,
    };
    done.map_err(|error| Error::Migration(error.to_string(), Box::new(error)))
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
