//! What says nearly the same as another entry: kept, made one with it, or refused, as the workspace wants.

use weft::memory::{self, Error, Expect};
use weft::model::RunId;
use weft::model::memory::{Duplicates, EntryDraft, MemorySettings, Source, Trust};
use weft::runtime::Ctx;

use super::{draft, found, put, workspace};

const OLD: &str =
    "We keep the connection pool at 20, because every replica opens its own and the database refuses more.";
const NEW: &str =
    "We keep the connection pool at 20, because every replica opens its own and the database refuses more!";

async fn want(ctx: &Ctx, duplicates: Duplicates) {
    let settings = MemorySettings { duplicates, ..MemorySettings::default() };
    assert_eq!(memory::update_settings(ctx, settings).await.unwrap().duplicates, duplicates);
}

async fn count(ctx: &Ctx) -> usize {
    found(ctx, "connection pool").await.len()
}

on_both_engines! {
    async fn usually_both_are_kept(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "old", OLD).await;
        put(&ctx, "a", "new", NEW).await;
        assert_eq!(count(&ctx).await, 2);
    }

    async fn what_is_there_already_is_refused_by_name_where_that_is_wanted(site: Site) {
        let ctx = workspace(&site).await;
        want(&ctx, Duplicates::Refuse).await;
        put(&ctx, "a", "old", OLD).await;
        let refused = memory::put(&ctx, "a", "new", draft(NEW), Expect::Any, Source::Cli {}).await;
        assert!(matches!(refused, Err(Error::Duplicate { key, .. }) if key == "old"));
        // What differs in a number, stands elsewhere, or is a part of a conversation says something else.
        put(&ctx, "a", "other", &NEW.replace("20", "40")).await;
        put(&ctx, "a/b", "below", NEW).await;
        put(&ctx, "b", "elsewhere", NEW).await;
        let turn = EntryDraft { group: Some("talk".to_owned()), ..draft(NEW) };
        memory::put(&ctx, "a", "turn", turn, Expect::Any, Source::Cli {}).await.unwrap();
        // An entry may be written over as before, and what is gone is in nobody's way.
        assert_eq!(put(&ctx, "a", "old", NEW).await.version, 2);
        memory::delete(&ctx, "a", "old", Expect::Any).await.unwrap();
        assert_eq!(put(&ctx, "a", "new", NEW).await.version, 1);
    }

    async fn two_become_one_and_nothing_is_lost(site: Site) {
        let ctx = workspace(&site).await;
        want(&ctx, Duplicates::Merge).await;
        let old = EntryDraft { tags: vec!["db".to_owned()], importance: Some(0.9), ..draft(OLD) };
        memory::put(&ctx, "a", "old", old, Expect::Any, Source::Cli {}).await.unwrap();
        let source = Source::Run { run_id: ctx.ids.fresh::<RunId>(), step: "note".to_owned() };
        let write = |trust| {
            let new = EntryDraft { tags: vec!["pool".to_owned()], trust: Some(trust), ..draft(NEW) };
            memory::put(&ctx, "a", "new", new, Expect::Absent, source.clone())
        };
        // A stranger's words replace none of a person's.
        assert_eq!(write(Trust::Web).await.unwrap().key, "new");
        memory::delete(&ctx, "a", "new", Expect::Any).await.unwrap();
        let new = EntryDraft { tags: vec!["pool".to_owned()], ..draft(NEW) };
        let one = memory::put(&ctx, "a", "new", new, Expect::Absent, Source::Cli {}).await.unwrap();
        assert_eq!((one.key.as_str(), one.version, one.content.as_str()), ("old", 2, NEW));
        assert_eq!((one.tags.join(","), one.importance), ("db,pool".to_owned(), 0.9));
        let versions = memory::history(&ctx, "a", "old").await.unwrap();
        assert_eq!(versions[0].merged_from.as_deref(), Some("new"));
        assert_eq!((versions[1].content.as_deref(), versions[1].merged_from.as_ref()), (Some(OLD), None));
        assert_eq!(count(&ctx).await, 1);
        assert!(matches!(memory::get(&ctx, "a", "new").await, Err(Error::NotFound)));
    }

    async fn a_repeated_attempt_that_was_made_one_makes_no_further_version(site: Site) {
        let ctx = workspace(&site).await;
        want(&ctx, Duplicates::Merge).await;
        let source = Source::Run { run_id: ctx.ids.fresh::<RunId>(), step: "note".to_owned() };
        let write = |key: &'static str, text: &'static str| memory::put(&ctx, "a", key, draft(text), Expect::Any, source.clone());
        assert_eq!(write("old", OLD).await.unwrap().version, 1);
        for _ in 0..2 {
            let one = write("new", NEW).await.unwrap();
            assert_eq!((one.key.as_str(), one.version, one.trust), ("old", 2, Trust::Tool));
        }
    }
}
