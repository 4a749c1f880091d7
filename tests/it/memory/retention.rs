//! How long the entries of a namespace are kept.

use weft::memory::{self, Error, Filter};
use weft::model::PageRequest;
use weft::model::auth::Role;
use weft::model::memory::{KeptFrom, Reader, Retention, Source};
use weft::runtime::Ctx;

use super::{as_role, put, workspace};
use crate::support::Site;

const DAY_MS: i64 = 86_400_000;

fn days(days: u32, from: KeptFrom) -> Retention {
    Retention { days, from }
}

/// The places that are left, sorted.
async fn left(ctx: &Ctx) -> Vec<String> {
    let all = memory::list(ctx, &Filter::default(), &PageRequest::default()).await.unwrap().items;
    let mut all: Vec<String> = all.into_iter().map(|entry| format!("{}/{}", entry.namespace, entry.key)).collect();
    all.sort();
    all
}

fn pass(site: &Site, days: i64) {
    site.runtime.clock.advance_ms(days * DAY_MS);
}

on_both_engines! {
    async fn the_rule_of_the_longest_path_removes_and_an_entry_can_come_back(site: Site) {
        let ctx = workspace(&site).await;
        for namespace in ["code", "code/db", "code/db/pg", "code-x", "other"] {
            put(&ctx, namespace, "k", "text").await;
        }
        memory::keep_for(&ctx, "code", days(2, KeptFrom::Changed)).await.unwrap();
        memory::keep_for(&ctx, "code/db", days(9, KeptFrom::Changed)).await.unwrap();
        assert_eq!(memory::sweep(&site.runtime).await.unwrap(), (0, 0));
        pass(&site, 2);
        assert_eq!(memory::sweep(&site.runtime).await.unwrap(), (1, 0));
        assert_eq!(memory::sweep(&site.runtime).await.unwrap(), (0, 0));
        assert_eq!(left(&ctx).await, ["code-x/k", "code/db/k", "code/db/pg/k", "other/k"]);
        assert_eq!(memory::history(&ctx, "code", "k").await.unwrap()[0].source, Source::Expiry {});
        assert_eq!(memory::undelete(&ctx, "code", "k").await.unwrap().content, "text");
        pass(&site, 7);
        assert_eq!(memory::sweep(&site.runtime).await.unwrap().0, 3, "what came back was kept two days too");
        assert_eq!(left(&ctx).await, ["code-x/k", "other/k"]);
        let all = memory::namespaces(&ctx).await.unwrap();
        let rule = |path: &str| all.iter().find(|one| one.path == path).and_then(|one| one.retention.clone());
        let (code, db) = (rule("code").unwrap(), rule("code/db").unwrap());
        assert_eq!((code.days, code.removed, db.days, db.removed), (2, 2, 9, 2));
        assert_eq!(db.removed_at, Some(site.runtime.clock.now()));
        assert_eq!(rule("other"), None);
    }

    async fn days_are_counted_from_what_the_rule_says(site: Site) {
        let ctx = workspace(&site).await;
        for (namespace, from) in [("made", KeptFrom::Created), ("changed", KeptFrom::Changed), ("read", KeptFrom::Read)] {
            memory::keep_for(&ctx, namespace, days(3, from)).await.unwrap();
            for key in ["idle", "changed", "read"] {
                put(&ctx, namespace, key, "text").await;
            }
        }
        pass(&site, 2);
        for namespace in ["made", "changed", "read"] {
            put(&ctx, namespace, "changed", "another text").await;
            let entry = memory::get(&ctx, namespace, "read").await.unwrap();
            memory::note_read(&ctx, &Reader::Cli {}, &entry);
        }
        memory::write_reads(&site.runtime).await.unwrap();
        pass(&site, 1);
        memory::sweep(&site.runtime).await.unwrap();
        assert_eq!(left(&ctx).await, ["changed/changed", "read/changed", "read/read"]);
        pass(&site, 2);
        memory::sweep(&site.runtime).await.unwrap();
        assert!(left(&ctx).await.is_empty());
    }

    async fn what_is_in_quarantine_waits_for_a_person(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "odd", "text").await;
        memory::quarantine(&ctx, ("a", "odd"), "", weft::memory::Expect::Any).await.unwrap();
        memory::keep_for(&ctx, "a", days(1, KeptFrom::Created)).await.unwrap();
        pass(&site, 5);
        assert_eq!(memory::sweep(&site.runtime).await.unwrap(), (0, 0));
        assert!(memory::get_any(&ctx, "a", "odd").await.is_ok());
    }

    async fn a_preview_counts_what_would_go_and_removes_nothing(site: Site) {
        let ctx = workspace(&site).await;
        for n in 0..7 {
            put(&ctx, "a/b", &format!("k{n}"), "text").await;
        }
        put(&ctx, "a/kept", "k", "text").await;
        memory::keep_for(&ctx, "a/kept", days(30, KeptFrom::Changed)).await.unwrap();
        pass(&site, 1);
        put(&ctx, "a", "new", "text").await;
        let preview = memory::preview_retention(&ctx, "a", days(1, KeptFrom::Changed)).await.unwrap();
        assert_eq!((preview.removes, preview.first.len(), preview.first[0].key.as_str()), (7, 5, "k0"));
        assert_eq!(left(&ctx).await.len(), 9);
        let theirs = workspace(&site).await;
        assert_eq!(memory::preview_retention(&theirs, "a", days(1, KeptFrom::Changed)).await.unwrap().removes, 0);
    }

    async fn without_a_rule_everything_is_kept_and_only_who_administers_makes_one(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "k", "text").await;
        memory::keep_for(&ctx, "a", days(1, KeptFrom::Created)).await.unwrap();
        memory::keep_for_ever(&ctx, "a").await.unwrap();
        assert!(matches!(memory::keep_for_ever(&ctx, "a").await, Err(Error::NoRetention)));
        pass(&site, 5_000);
        assert_eq!(memory::sweep(&site.runtime).await.unwrap(), (0, 0));
        for (path, number, pointer) in [("a", 0, "/days"), ("a", 3_651, "/days"), ("a//b", 1, "namespace")] {
            match memory::keep_for(&ctx, path, days(number, KeptFrom::Read)).await {
                Err(Error::Invalid(fields)) => assert_eq!(fields[0].pointer, pointer),
                other => panic!("{path} {number} {other:?}"),
            }
        }
        let builder = as_role(&ctx, Role::Builder);
        assert!(matches!(memory::keep_for(&builder, "a", days(1, KeptFrom::Read)).await, Err(Error::Denied(_))));
        assert!(matches!(memory::preview_retention(&builder, "a", days(1, KeptFrom::Read)).await, Err(Error::Denied(_))));
        assert!(matches!(memory::keep_for_ever(&builder, "a").await, Err(Error::Denied(_))));
    }
}
