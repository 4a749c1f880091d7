//! What tests share: a database of either engine, a runtime with a held clock.

pub mod tables;

use tempfile::TempDir;
use weft::db::{Db, Options};
use weft::runtime::outbound::Outbound;
use weft::runtime::{Clock, Config, Ids, Keys, Runtime};

use tables::PostgresDatabase;

/// Declares tests that run once on SQLite and once on Postgres: `name::sqlite` and `name::postgres`.
///
/// The body gets a [`Site`](support::Site). Postgres' tests need `WEFT_TEST_POSTGRES_URL` and fail loudly without it;
/// `make check` leaves them out by name.
macro_rules! on_both_engines {
    ($($(#[$doc:meta])* async fn $name:ident($site:ident: Site) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            #[allow(clippy::wildcard_imports, unused_imports, clippy::allow_attributes, reason = "the body's names are its module's")]
            use super::*;

            async fn body($site: $crate::support::Site) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body($crate::support::Site::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body($crate::support::Site::postgres().await).await;
            }
        }
    )*};
}

/// A Weft of its own: an empty database, an empty folder, a clock that stands still until told.
pub struct Site {
    /// Everything ambient.
    pub runtime: Runtime,
    /// Gone with the site.
    pub folder: TempDir,
    /// Gone with the site, after all that uses it.
    _database: Option<PostgresDatabase>,
}

impl Site {
    /// On a SQLite file.
    pub async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("weft.db");
        tables::copy_sqlite(&path).await;
        let db = Db::open(&Options::new(format!("sqlite:{}", path.display()))).await.unwrap();
        Self::on(db, folder, None)
    }

    /// In a Postgres database of its own.
    pub async fn postgres() -> Self {
        let database = PostgresDatabase::copy().await;
        let options = Options { max_connections: 8, ..Options::new(database.url()) };
        Self::on(Db::open(&options).await.unwrap(), TempDir::new().unwrap(), Some(database))
    }

    fn on(db: Db, folder: TempDir, database: Option<PostgresDatabase>) -> Self {
        let config = Config::isolated(folder.path());
        // 2026-11-21T08:00:00Z
        let clock = Clock::manual(weft::model::Timestamp(1_795_248_000_000_000));
        let runtime = Runtime::new(config, db, clock, Keys::ephemeral(&Ids), Outbound::default());
        Self { runtime, folder, _database: database }
    }
}
