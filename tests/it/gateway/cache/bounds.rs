//! How long and how much is kept, and what becomes of a row that was altered.

use std::collections::BTreeMap;

use weft::cache;
use weft::model::cache::CacheTier;
use weft::runtime::outbound::{Outbound, Policy};
use weft::runtime::{Config, Runtime};
use weft::within;

use super::super::process;
use super::*;

const HOUR_MS: i64 = 3_600_000;

/// A process by the site's held clock, with these settings.
fn bounded(site: &Site, settings: &[(&'static str, &str)]) -> Runtime {
    let mut flags: BTreeMap<&'static str, String> =
        settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    flags.insert("data_dir", site.folder.path().display().to_string());
    let config = Config::load(&flags, &|_| None).unwrap();
    let policy = Policy::allowing(&["127.0.0.1/32"]).unwrap();
    let old = &site.runtime;
    Runtime::new(config, old.db.clone(), old.clock.clone(), old.keys.clone(), Outbound::new(policy))
}

async fn texts(ctx: &Ctx) -> usize {
    cache::list(ctx, &Default::default(), &Default::default()).await.unwrap().items.len()
}

on_both_engines! {
    async fn memory_forgets_after_four_hours_and_the_database_after_a_day(site: Site) {
        let rt = process(&site, site.runtime.clock.clone());
        let ctx = crate::engine::ctx(&rt).await;
        let upstream = counting(&ctx, 2).await;
        ask(&ctx, cold("x")).await;
        rt.clock.advance_ms(4 * HOUR_MS - 1);
        assert_eq!(tier(&ask(&ctx, cold("x")).await), Some(CacheTier::Memory));
        rt.clock.advance_ms(1);
        assert_eq!(tier(&ask(&ctx, cold("x")).await), Some(CacheTier::Database));
        assert_eq!(tier(&ask(&ctx, cold("x")).await), Some(CacheTier::Memory));
        rt.clock.advance_ms(20 * HOUR_MS - 1);
        assert_eq!(tier(&ask(&ctx, cold("x")).await), Some(CacheTier::Database));
        assert_eq!(cache::sweep(&rt).await.unwrap(), 0);
        rt.clock.advance_ms(1);
        assert_eq!(cache::sweep(&rt).await.unwrap(), 1);
        assert_eq!(did(&ask(&ctx, cold("x")).await), "miss");
        assert_eq!(upstream.count(), 2);
        // Also before anybody has swept.
        rt.clock.advance_ms(24 * HOUR_MS);
        assert_eq!(texts(&ctx).await, 0);
    }

    async fn a_workspace_keeps_so_many_answers_and_the_longest_unused_go(site: Site) {
        let rt = bounded(&site, &[("cache_entries", "3"), ("cache_memory_mb", "0")]);
        let ctx = crate::engine::ctx(&rt).await;
        counting(&ctx, 10).await;
        for text in ["a", "b", "c"] {
            ask(&ctx, cold(text)).await;
            rt.clock.advance_ms(1000);
        }
        assert_eq!(tier(&ask(&ctx, cold("a")).await), Some(CacheTier::Database), "none is held in memory");
        weft::gateway::settled(&ctx).await;
        ask(&ctx, cold("d")).await;
        assert_eq!(texts(&ctx).await, 3);
        assert_eq!(did(&ask(&ctx, cold("a")).await), "hit", "it was used");
        assert_eq!(did(&ask(&ctx, cold("b")).await), "miss");
    }

    async fn a_workspace_keeps_so_many_bytes(site: Site) {
        let rt = bounded(&site, &[("cache_mb", "1")]);
        let ctx = crate::engine::ctx(&rt).await;
        let long = "x".repeat(300_000);
        let upstream = Upstream::start((0..5).map(|_| Reply::Json(200, answer(&long)))).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        for text in ["a", "b", "c", "d", "e"] {
            ask(&ctx, cold(text)).await;
        }
        let kept = cache::list(&ctx, &Default::default(), &Default::default()).await.unwrap().items;
        assert_eq!(kept.len(), 3);
        assert!(kept.iter().map(|one| one.bytes).sum::<i64>() <= 1 << 20);
    }

    async fn a_flipped_bit_makes_a_miss_and_never_another_answer(site: Site) {
        let rt = bounded(&site, &[("cache_memory_mb", "0")]);
        let ctx = crate::engine::ctx(&rt).await;
        let upstream = counting(&ctx, 8).await;
        let mut expected = 0;
        for at in [0, 24, 40, 200, -1_i64] {
            expected += 1;
            let first = ask(&ctx, cold("x")).await;
            assert_eq!((did(&first), first.response.text()), ("miss", format!("Answer {expected}.")), "byte {at}");
            let mut tx = rt.db.begin().await.unwrap();
            let mut sealed: Vec<u8> = within!(&mut tx, conn =>
                sqlx::query_scalar("select answer from cache_entry").fetch_one(conn).await).unwrap();
            let place = if at < 0 { sealed.len() - 1 } else { at as usize };
            sealed[place] ^= 1;
            within!(&mut tx, conn => sqlx::query("update cache_entry set answer = $1").bind(sealed).execute(conn).await.map(drop)).unwrap();
            tx.commit().await.unwrap();
        }
        // A row under another question's key opens no more either.
        ask(&ctx, cold("z")).await;
        let rows: Vec<(weft::model::CacheEntryId, Vec<u8>)> = weft::read!(&rt.db, conn =>
            sqlx::query_as("select id, key from cache_entry order by id").fetch_all(conn).await).unwrap();
        let mut tx = rt.db.begin().await.unwrap();
        within!(&mut tx, conn => sqlx::query("delete from cache_entry where id = $1").bind(rows[0].0).execute(conn).await.map(drop)).unwrap();
        within!(&mut tx, conn => sqlx::query("update cache_entry set key = $1").bind(rows[0].1.clone()).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        assert_eq!(did(&ask(&ctx, cold("x")).await), "miss", "the answer to z is not given for x");
        assert_eq!(upstream.count(), 7);
    }
}
