//! Empty databases with all tables, each a copy of one that was made once: fifty migrations for each of some three
//! thousand tests were most of their time.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection, PgConnection, query_scalar, raw_sql};
use tempfile::TempDir;
use weft::db::{Db, Options};
use weft::runtime::Ids;

/// Puts the file of an empty database with all tables at `path`, where none is.
pub async fn copy_sqlite(path: &Path) {
    let name = format!("tables-{}.db", digest("migrations/sqlite"));
    let original = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
    if !original.exists() {
        make_sqlite(&original).await;
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).unwrap();
    }
    fs::copy(&original, path).unwrap();
}

/// Appears whole, or not at all: several tests may make it at once.
async fn make_sqlite(original: &Path) {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("weft.db");
    let db = Db::open(&Options::new(format!("sqlite:{}", path.display()))).await.unwrap();
    db.close().await;
    assert!(!path.with_extension("db-wal").exists(), "what is copied must be whole");
    fs::rename(path, original).unwrap();
}

/// A Postgres database of its own, which is dropped with this.
pub struct PostgresDatabase {
    server: String,
    name: String,
}

impl PostgresDatabase {
    /// An empty one with all tables, on the server of `WEFT_TEST_POSTGRES_URL`.
    pub async fn copy() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the test's own setting")]
        let server = std::env::var("WEFT_TEST_POSTGRES_URL").expect("set WEFT_TEST_POSTGRES_URL, as make test does");
        let original = format!("weft_tables_{}", digest("migrations/postgres"));
        let mut admin = PgConnection::connect(&server).await.unwrap();
        let database = Self { server, name: format!("weft_{}", Ids.fresh::<uuid::Uuid>().simple()) };
        // Whoever comes first makes the original, and the others wait for it.
        run(&mut admin, "select pg_advisory_lock(1)").await;
        let is_there: bool = query_scalar("select exists (select 1 from pg_database where datname = $1)")
            .bind(&original)
            .fetch_one(&mut admin)
            .await
            .unwrap();
        if !is_there {
            let half = format!("{original}_half");
            run(&mut admin, &format!("drop database if exists {half} with (force)")).await;
            run(&mut admin, &format!("create database {half}")).await;
            Db::open(&Options::new(database.url_of(&half))).await.unwrap().close().await;
            run(&mut admin, &format!("alter database {half} rename to {original}")).await;
        }
        run(&mut admin, "select pg_advisory_unlock(1)").await;
        // Copying the files is the quicker way where nothing is flushed, and the only one before Postgres 15.
        let version: i32 =
            query_scalar("select current_setting('server_version_num')::int").fetch_one(&mut admin).await.unwrap();
        let how = if version >= 150_000 { " strategy file_copy" } else { "" };
        run(&mut admin, &format!("create database {} template {original}{how}", database.name)).await;
        admin.close().await.unwrap();
        database
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.url_of(&self.name)
    }

    fn url_of(&self, name: &str) -> String {
        let (server, _) = self.server.rsplit_once('/').expect("the URL ends in the name of a database");
        format!("{server}/{name}")
    }
}

impl Drop for PostgresDatabase {
    /// A test may end in the middle of anything, so whoever is still connected is thrown out. A database that can't be
    /// dropped goes with its cluster.
    fn drop(&mut self) {
        let (server, name) = (std::mem::take(&mut self.server), std::mem::take(&mut self.name));
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&server).await.ok()?;
                raw_sql(AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&mut admin).await.ok()
            })
        };
        // A runtime can't wait inside of another one's thread.
        let _ = std::thread::spawn(work).join();
    }
}

async fn run(admin: &mut PgConnection, statement: &str) {
    raw_sql(AssertSqlSafe(statement)).execute(admin).await.unwrap();
}

/// Of what the migrations say.
fn digest(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut digest = blake3::Hasher::new();
    for file in files {
        digest.update(&fs::read(file).unwrap());
    }
    digest.finalize().to_hex()[..16].to_owned()
}
