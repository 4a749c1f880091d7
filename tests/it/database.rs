//! The door to the databases.

use sqlx::{query, query_as};
use weft::db;
use weft::model::{Timestamp, WorkspaceId};
use weft::{read, within};

on_both_engines! {
    async fn a_row_reads_back_as_it_was_written(site: Site) {
        let rt = &site.runtime;
        let id: WorkspaceId = rt.ids.fresh();
        let now = rt.clock.now();
        let mut tx = rt.db.begin().await.unwrap();
        within!(&mut tx, conn => query("insert into workspace (id, name, created_at) values ($1, $2, $3)")
            .bind(id).bind("Team").bind(now).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        let row: (WorkspaceId, String, Timestamp) = read!(&rt.db, conn =>
            query_as("select id, name, created_at from workspace").fetch_one(conn).await).unwrap();
        assert_eq!(row, (id, "Team".to_owned(), now));
    }

    async fn a_dropped_transaction_changes_nothing(site: Site) {
        let rt = &site.runtime;
        let mut tx = rt.db.begin().await.unwrap();
        within!(&mut tx, conn => query("insert into workspace (id, name, created_at) values ($1, $2, $3)")
            .bind(rt.ids.fresh::<WorkspaceId>()).bind("Team").bind(rt.clock.now()).execute(conn).await.map(drop)).unwrap();
        drop(tx);
        let count: i64 = read!(&rt.db, conn =>
            sqlx::query_scalar("select count(*) from workspace").fetch_one(conn).await).unwrap();
        assert_eq!(count, 0);
    }

    async fn a_marked_transaction_is_counted_by_the_time_that_whoever_ends_it_goes_on(site: Site) {
        let db = &site.runtime.db;
        // Where others write to the same database nobody can count.
        let Some(before) = db.marks() else { return };
        let mut marked = db.begin().await.unwrap();
        marked.mark();
        assert_eq!(db.marks(), Some(before));
        marked.commit().await.unwrap();
        assert_eq!(db.marks(), Some(before + 1));
        db.begin().await.unwrap().commit().await.unwrap();
        assert_eq!(db.marks(), Some(before + 1), "it was not marked");
        let mut dropped = db.begin().await.unwrap();
        dropped.mark();
        drop(dropped);
        assert_eq!(db.marks(), Some(before + 2), "it may have been stored all the same");
    }

    async fn a_second_row_with_the_same_key_is_a_duplicate(site: Site) {
        let rt = &site.runtime;
        let id: WorkspaceId = rt.ids.fresh();
        let mut tx = rt.db.begin().await.unwrap();
        let mut outcome = Ok(());
        for _ in 0..2 {
            outcome = within!(&mut tx, conn => query("insert into workspace (id, name, created_at) values ($1, 'a', $2)")
                .bind(id).bind(rt.clock.now()).execute(conn).await.map(drop)).map_err(db::Error::from);
        }
        assert!(matches!(outcome, Err(db::Error::Duplicate(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_second_process_is_told_that_the_file_is_in_use() {
    let site = support::Site::sqlite().await;
    let url = format!("sqlite:{}", site.folder.path().join("weft.db").display());
    let error = db::Db::open(&db::Options::new(url)).await.expect_err("refused");
    assert!(error.to_string().contains("in use by another weft process"), "{error}");
}

/// A full disk, as far as SQLite can tell: no page more may be added.
#[tokio::test]
async fn a_full_disk_is_said_and_the_same_connection_writes_again_once_there_is_space() {
    let site = support::Site::sqlite().await;
    let db = &site.runtime.db;
    let limit = async |text: &'static str| {
        let mut tx = db.begin().await.unwrap();
        within!(&mut tx, conn => sqlx::raw_sql(text).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    };
    let write = async || {
        let mut tx = db.begin().await?;
        within!(&mut tx, conn => query("insert into workspace (id, name, created_at) values ($1, $2, $3)")
            .bind(site.runtime.ids.fresh::<WorkspaceId>())
            .bind("x".repeat(100_000))
            .bind(site.runtime.clock.now())
            .execute(conn)
            .await
            .map(drop))?;
        tx.commit().await
    };
    // No less than there are.
    limit("pragma max_page_count = 1").await;
    for _ in 0..3 {
        let error = write().await.expect_err("there is no space");
        assert!(matches!(error, db::Error::Full) && error.is_transient(), "{error:?}");
    }
    limit("pragma max_page_count = 1000000").await;
    write().await.expect("there is space");
}

use crate::support;
