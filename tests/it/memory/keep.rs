//! Writing, reading, deleting and bringing back.

use serde_json::json;
use weft::memory::{self, Error, Expect, Filter};
use weft::model::auth::Role;
use weft::model::memory::{EntryDraft, Source};
use weft::model::{PageRequest, RunId};

use super::{as_role, draft, found, put, workspace};

on_both_engines! {
    async fn an_entry_reads_back_as_it_was_written(site: Site) {
        let ctx = workspace(&site).await;
        let given = EntryDraft {
            content: "The pool is **20**.\nNot 40. 日本 \u{1f980}".to_owned(),
            value: json!({"pool": 20, "ratio": 0.5, "list": [1, null, "x"]}),
            tags: vec!["b".to_owned(), "a".to_owned(), "b".to_owned()],
            metadata: json!({"team": "platform"}).as_object().cloned().unwrap(),
            importance: Some(0.9),
            expires_at: Some(site.runtime.clock.now().plus_ms(1000)),
            group: Some("talk".to_owned()),
            position: Some(-1),
            trust: None,
        };
        let written = memory::put(&ctx, "code/decisions", "pool: size?", given, Expect::Absent, Source::User { name: "Mara".to_owned() })
            .await
            .unwrap();
        assert_eq!(memory::get(&ctx, "code/decisions", "pool: size?").await.unwrap(), written);
        assert_eq!((written.version, written.tags.join(",")), (1, "a,b".to_owned()));
    }

    async fn a_writer_who_saw_an_older_version_is_refused(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "k", "one").await;
        put(&ctx, "a", "k", "two").await;
        let write = |expect| memory::put(&ctx, "a", "k", draft("mine"), expect, Source::Cli {});
        assert!(matches!(write(Expect::Version(1)).await, Err(Error::Conflict { expected: 1, found: 2 })));
        assert!(matches!(write(Expect::Absent).await, Err(Error::Exists { found: 2 })));
        assert_eq!(write(Expect::Version(2)).await.unwrap().version, 3);
        let gone = memory::put(&ctx, "a", "other", draft("mine"), Expect::Version(1), Source::Cli {}).await;
        assert!(matches!(gone, Err(Error::Gone { expected: 1 })));
    }

    async fn of_many_writers_of_one_version_one_wins(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "k", "one").await;
        let write = || memory::put(&ctx, "a", "k", draft("mine"), Expect::Version(1), Source::Cli {});
        let all = futures::future::join_all((0..8).map(|_| write())).await;
        assert_eq!(all.iter().filter(|done| done.is_ok()).count(), 1);
        assert_eq!(memory::get(&ctx, "a", "k").await.unwrap().version, 2);
    }

    async fn a_deleted_entry_comes_back_as_it_was(site: Site) {
        let ctx = workspace(&site).await;
        let tagged = EntryDraft { tags: vec!["keep".to_owned()], importance: Some(0.8), ..draft("one") };
        memory::put(&ctx, "a", "k", tagged, Expect::Any, Source::Cli {}).await.unwrap();
        memory::delete(&ctx, "a", "k", Expect::Version(1)).await.unwrap();
        assert!(matches!(memory::get(&ctx, "a", "k").await, Err(Error::NotFound)));
        assert!(matches!(memory::delete(&ctx, "a", "k", Expect::Any).await, Err(Error::NotFound)));
        let back = memory::undelete(&ctx, "a", "k").await.unwrap();
        assert_eq!((back.content.as_str(), back.version, back.importance), ("one", 3, 0.8));
        assert_eq!(back.tags, ["keep"]);
        assert!(matches!(memory::undelete(&ctx, "a", "k").await, Err(Error::Exists { found: 3 })));
        let history = memory::history(&ctx, "a", "k").await.unwrap();
        assert_eq!(history.iter().map(|v| (v.version, v.content.is_some())).collect::<Vec<_>>(), [(3, true), (2, false), (1, true)]);
    }

    async fn an_older_version_can_be_restored(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "k", "one").await;
        put(&ctx, "a", "k", "two").await;
        assert_eq!(memory::restore(&ctx, "a", "k", 1).await.unwrap().content, "one");
        assert!(matches!(memory::restore(&ctx, "a", "k", 9).await, Err(Error::NoVersion(9))));
    }

    async fn only_the_last_versions_are_kept(site: Site) {
        let ctx = workspace(&site).await;
        for n in 0..105 {
            put(&ctx, "a", "k", &n.to_string()).await;
        }
        let history = memory::history(&ctx, "a", "k").await.unwrap();
        assert_eq!((history.len(), history[0].version, history[99].version), (100, 105, 6));
    }

    async fn a_repeated_attempt_of_a_step_makes_no_new_version(site: Site) {
        let ctx = workspace(&site).await;
        let run_id: RunId = site.runtime.ids.fresh();
        let source = || Source::Run { run_id, step: "note".to_owned() };
        let write = |text: &'static str, source| memory::put(&ctx, "a", "k", draft(text), Expect::Any, source);
        assert_eq!(write("one", source()).await.unwrap().version, 1);
        assert_eq!(write("one", source()).await.unwrap().version, 1);
        assert_eq!(write("two", source()).await.unwrap().version, 2);
        assert_eq!(write("two", Source::Cli {}).await.unwrap().version, 3);
        assert_eq!(write("two", source()).await.unwrap().version, 4);
    }

    async fn what_expired_is_gone_before_the_sweep_and_after(site: Site) {
        let ctx = workspace(&site).await;
        let brief = EntryDraft { expires_at: Some(site.runtime.clock.now().plus_ms(1000)), ..draft("brief") };
        memory::put(&ctx, "a", "k", brief, Expect::Any, Source::Cli {}).await.unwrap();
        site.runtime.clock.advance_ms(1000);
        assert!(matches!(memory::get(&ctx, "a", "k").await, Err(Error::NotFound)));
        assert_eq!(memory::sweep(&site.runtime).await.unwrap(), (1, 0));
        assert_eq!(memory::sweep(&site.runtime).await.unwrap(), (0, 0));
        assert_eq!(memory::history(&ctx, "a", "k").await.unwrap()[0].source, Source::Expiry {});
        site.runtime.clock.advance_ms(31 * 86_400_000);
        assert_eq!(memory::sweep(&site.runtime).await.unwrap(), (0, 1));
        assert!(matches!(memory::history(&ctx, "a", "k").await, Err(Error::NotFound)));
        assert_eq!(put(&ctx, "a", "k", "new").await.version, 1);
    }

    async fn a_list_shows_a_subtree_page_by_page(site: Site) {
        let ctx = workspace(&site).await;
        for (namespace, key) in [("code", "a1"), ("code/db", "a2"), ("code/db/pg", "b1"), ("codex", "a3"), ("code-x", "a4")] {
            put(&ctx, namespace, key, "text").await;
        }
        let tagged = EntryDraft { tags: vec!["t".to_owned()], ..draft("text") };
        memory::put(&ctx, "other", "a5", tagged, Expect::Any, Source::Cli {}).await.unwrap();
        let list = |filter: Filter, cursor: Option<String>| {
            let ctx = &ctx;
            async move { memory::list(ctx, &filter, &PageRequest { limit: 2, cursor }).await.unwrap() }
        };
        let keys = |page: &weft::model::memory::Entries| page.items.iter().map(|e| e.key.clone()).collect::<Vec<_>>();
        let code = Filter { namespace: "code".to_owned(), ..Filter::default() };
        let first = list(code.clone(), None).await;
        assert_eq!(keys(&first), ["b1", "a2"]);
        let second = list(code.clone(), first.next).await;
        assert_eq!((keys(&second), second.next), (vec!["a1".to_owned()], None));
        assert_eq!(keys(&list(Filter { prefix: "a".to_owned(), ..code }, None).await), ["a2", "a1"]);
        assert_eq!(keys(&list(Filter { tag: "t".to_owned(), ..Filter::default() }, None).await), ["a5"]);
        let counts: Vec<_> = memory::namespaces(&ctx).await.unwrap().into_iter().map(|n| (n.path, n.entries)).collect();
        let paths: Vec<&str> = counts.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["code", "code-x", "code/db", "code/db/pg", "codex", "other"]);
    }

    async fn another_workspace_knows_nothing(site: Site) {
        let (ours, theirs) = (workspace(&site).await, workspace(&site).await);
        put(&ours, "a", "k", "secret words").await;
        assert!(matches!(memory::get(&theirs, "a", "k").await, Err(Error::NotFound)));
        assert!(matches!(memory::delete(&theirs, "a", "k", Expect::Any).await, Err(Error::NotFound)));
        assert!(matches!(memory::history(&theirs, "a", "k").await, Err(Error::NotFound)));
        assert!(matches!(memory::undelete(&theirs, "a", "k").await, Err(Error::NotFound)));
        assert!(memory::namespaces(&theirs).await.unwrap().is_empty());
        assert!(found(&theirs, "secret").await.is_empty());
        assert_eq!(put(&theirs, "a", "k", "own").await.version, 1);
        assert_eq!(found(&ours, "secret").await, ["k"]);
    }

    async fn a_viewer_reads_and_does_not_write(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "k", "text").await;
        let viewer = as_role(&ctx, Role::Viewer);
        assert!(memory::get(&viewer, "a", "k").await.is_ok());
        assert_eq!(found(&viewer, "text").await, ["k"]);
        let refused = memory::put(&viewer, "a", "k", draft("mine"), Expect::Any, Source::Cli {}).await;
        assert!(matches!(refused, Err(Error::Denied(_))));
        assert!(matches!(memory::delete(&viewer, "a", "k", Expect::Any).await, Err(Error::Denied(_))));
        assert!(matches!(memory::undelete(&viewer, "a", "k").await, Err(Error::Denied(_))));
        assert!(matches!(memory::restore(&viewer, "a", "k", 1).await, Err(Error::Denied(_))));
    }

    async fn hostile_texts_are_kept_or_refused_by_name(site: Site) {
        let ctx = workspace(&site).await;
        let nul = memory::put(&ctx, "a", "k", draft("a\0b"), Expect::Any, Source::Cli {}).await;
        assert!(matches!(nul, Err(Error::Invalid(fields)) if fields[0].pointer == "/content"));
        let huge = memory::put(&ctx, "a", "k", draft(&"x".repeat((1 << 20) + 1)), Expect::Any, Source::Cli {}).await;
        assert!(matches!(huge, Err(Error::TooLarge(_))));
        let sly = "'; drop table memory_entry; --\u{10ffff}\u{202e}%_\\";
        put(&ctx, "a", sly, sly).await;
        assert_eq!(memory::get(&ctx, "a", sly).await.unwrap().content, sly);
        let filter = Filter { prefix: "'; drop".to_owned(), ..Filter::default() };
        assert_eq!(memory::list(&ctx, &filter, &PageRequest::default()).await.unwrap().items.len(), 1);
    }
}
