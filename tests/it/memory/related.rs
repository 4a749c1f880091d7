//! What else the memory holds about the matter of an entry.

use weft::memory::{self, Error, Expect};

use super::{put, workspace};

on_both_engines! {
    async fn what_shares_telling_words_is_related_and_nothing_else(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "code", "pool", "The connection pool of Postgres was exhausted by the nightly import.").await;
        put(&ctx, "errors", "outage", "Outage: nightly import exhausted the Postgres connection pool again.").await;
        put(&ctx, "code", "held", "Connection pool of Postgres, exhausted by the nightly import.").await;
        put(&ctx, "notes", "lunch", "Soup with the team in the small inn.").await;
        memory::quarantine(&ctx, ("code", "held"), "", Expect::Any).await.unwrap();
        let keys = async |namespace: &str, key: &str| {
            let found = memory::related(&ctx, namespace, key).await.unwrap();
            found.into_iter().map(|entry| entry.key).collect::<Vec<_>>()
        };
        assert_eq!(keys("code", "pool").await, ["outage"]);
        assert_eq!(keys("notes", "lunch").await, [""; 0]);
        assert!(matches!(memory::related(&ctx, "code", "held").await, Err(Error::Quarantined)));
        let theirs = workspace(&site).await;
        assert!(matches!(memory::related(&theirs, "code", "pool").await, Err(Error::NotFound)));
    }
}
