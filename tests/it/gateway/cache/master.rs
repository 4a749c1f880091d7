//! What is kept, and the keys of providers, when the master key changes.

use weft::gateway::get_call_content;
use weft::master::{self, GRACE_MS};
use weft::model::gateway::{Contents, Keeping, RedactionDraft};
use weft::model::master::MasterKeyRotation;
use weft::runtime::outbound::{Outbound, Policy};
use weft::runtime::{Config, Ids, Keys, Runtime};

use super::super::calls;
use super::*;

/// A server whose keys are in a file, before its start.
fn server(site: &Site) -> Runtime {
    let keys = Keys::open(&site.folder.path().join("kept.key"), &Ids).unwrap();
    let policy = Policy::allowing(&["127.0.0.1/32"]).unwrap();
    let config = Config::isolated(site.folder.path());
    let old = &site.runtime;
    Runtime::new(config, old.db.clone(), old.clock.clone(), keys, Outbound::new(policy))
}

on_both_engines! {
    async fn kept_answers_contents_and_keys_of_providers_outlive_the_master_key(site: Site) {
        let rt = server(&site);
        master::boot(&rt).await.unwrap();
        let ctx = crate::engine::ctx(&rt).await;
        let draft = RedactionDraft { keep: Keeping { contents: Contents::All, days: 7 }, ..RedactionDraft::default() };
        gateway::update_redaction(&ctx, None, draft).await.unwrap();
        let upstream = counting(&ctx, 2).await;
        let said = ask(&ctx, cold("x")).await;
        let call = calls(&ctx).await[0].id;
        rt.clock.advance_ms(GRACE_MS);
        assert!(master::reseal(&rt).await.unwrap().whole);
        let old = rt.keys.sealing().to_string();
        let report = master::rotate(&ctx, MasterKeyRotation::default()).await.unwrap();
        let left: Vec<&str> = report.left.iter().map(|left| left.what.as_str()).collect();
        assert_eq!(left, [
            "keys of model providers", "what models were asked", "what models answered", "kept requests", "kept answers", "secrets that last",
        ]);
        assert!(master::reseal(&rt).await.unwrap().moved >= 5);
        rt.clock.advance_ms(GRACE_MS);
        assert!(master::reseal(&rt).await.unwrap().whole);
        master::retire(&ctx, &old).await.unwrap();

        // Another process, which has nothing in memory and only the new key.
        let next = server(&site);
        master::boot(&next).await.unwrap();
        let ctx = next.as_actor(ctx.actor.clone(), String::new());
        let again = ask(&ctx, cold("x")).await;
        assert_eq!((did(&again), again.response.text()), ("hit", said.response.text()));
        assert!(get_call_content(&ctx, call).await.unwrap().answer.is_some());
        assert_eq!(did(&ask(&ctx, cold("y")).await), "miss", "the provider's key opens too");
        assert_eq!(upstream.count(), 2);
    }
}
