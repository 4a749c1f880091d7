//! What tests share: a database of either engine, a runtime with a held clock.

use tempfile::TempDir;
use weft::db::{Db, Options};
use weft::runtime::outbound::Outbound;
use weft::runtime::{Clock, Config, Ids, Keys, Runtime};

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
}

impl Site {
    /// On a SQLite file.
    pub async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("weft.db").display());
        let db = Db::open(&Options::new(url)).await.unwrap();
        Self::on(db, folder)
    }

    /// In a Postgres schema of its own.
    pub async fn postgres() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the test's own setting")]
        let url = std::env::var("WEFT_TEST_POSTGRES_URL").expect("set WEFT_TEST_POSTGRES_URL, as make test does");
        let schema = format!("t{}", Ids.fresh::<uuid::Uuid>().simple());
        let admin = sqlx::PgPool::connect(&url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create schema {schema}"))).execute(&admin).await.unwrap();
        admin.close().await;
        let options = Options { schema: Some(schema), max_connections: 8, ..Options::new(url) };
        Self::on(Db::open(&options).await.unwrap(), TempDir::new().unwrap())
    }

    fn on(db: Db, folder: TempDir) -> Self {
        let config = Config::isolated(folder.path());
        // 2026-11-21T08:00:00Z
        let clock = Clock::manual(weft::model::Timestamp(1_795_248_000_000_000));
        let runtime = Runtime::new(config, db, clock, Keys::ephemeral(&Ids), Outbound::default());
        Self { runtime, folder }
    }
}
