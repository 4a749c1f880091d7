//! Files that somebody chose in a browser: what would come of them, what came, and the way back; and what was written lately.

use weft::memory::{self, Error};
use weft::model::auth::Role;
use weft::model::memory::{
    EntryBulk, ImportItem, ImportKind, ImportPart, ImportReport, NamespaceActivity, cut_import, import_parts,
};
use weft::runtime::Ctx;

use super::{as_role, put, workspace};

const DAY_MS: i64 = 86_400_000;

/// A file as the page sends it, in one part.
fn part(name: &str, text: &str, into: &str) -> ImportPart {
    let (kind, items) = cut_import(name, text).unwrap();
    let (mut parts, refused) = import_parts(items);
    assert!(refused.is_empty() && parts.len() == 1);
    ImportPart { kind, items: parts.remove(0), into: into.to_owned() }
}

async fn content(ctx: &Ctx, namespace: &str, key: &str) -> Option<String> {
    memory::get_any(ctx, namespace, key).await.ok().map(|entry| entry.content)
}

fn sums(report: &ImportReport) -> (u32, u32, u32, u32) {
    (report.new, report.updated, report.unchanged, report.all_refused())
}

on_both_engines! {
    async fn a_file_is_looked_at_imported_and_taken_back(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "known", "The old words.").await;
        put(&ctx, "a", "same", "The same words.").await;
        let lines = [
            r#"{"namespace": "a", "key": "new", "content": "New words."}"#,
            r#"{"namespace": "a", "key": "known", "content": "The new words."}"#,
            r#"{"namespace": "a", "key": "same", "content": "The same words."}"#,
            r#"{"namespace": "a b", "key": "wrong", "content": "x"}"#,
            "no json",
        ];
        let file = part("team.jsonl", &lines.join("\n"), "");
        let preview = memory::preview_import(&ctx, &file).await.unwrap();
        assert_eq!(sums(&preview), (1, 1, 1, 2));
        assert_eq!((preview.namespaces["a"], preview.sample[0].key.as_str()), (2, "new"));
        let places: Vec<&str> = preview.refused.iter().map(|refused| refused.place.as_str()).collect();
        assert_eq!(places, ["line 5", "line 4"], "what can't be read, then what does not fit");
        assert_eq!(content(&ctx, "a", "new").await, None, "nothing is written by looking");

        let done = memory::import_part(&ctx, &file).await.unwrap();
        assert_eq!(sums(&done), sums(&preview));
        assert_eq!(content(&ctx, "a", "known").await.as_deref(), Some("The new words."));
        let again = memory::import_part(&ctx, &file).await.unwrap();
        assert_eq!(sums(&again), (0, 0, 3, 2), "the same can be sent again");

        let undone = memory::change_entries(&ctx, &EntryBulk { steps: done.undo }).await.unwrap();
        assert_eq!((undone.done, undone.refused.len()), (2, 0));
        assert_eq!(content(&ctx, "a", "new").await, None);
        assert_eq!(content(&ctx, "a", "known").await.as_deref(), Some("The old words."));
        // And that is taken back, too.
        memory::change_entries(&ctx, &EntryBulk { steps: undone.undo }).await.unwrap();
        assert_eq!(content(&ctx, "a", "known").await.as_deref(), Some("The new words."));
        assert_eq!(content(&ctx, "a", "new").await.as_deref(), Some("New words."));
    }

    async fn an_import_that_gave_an_entry_an_end_and_a_group_takes_both_away_with_it(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "k", "The old words.").await;
        let line = r#"{"namespace": "a", "key": "k", "content": "New.", "group": "trip", "position": 1, "expires_at": "2100-01-01T00:00:00Z"}"#;
        let done = memory::import_part(&ctx, &part("team.jsonl", line, "")).await.unwrap();
        let written = memory::get_any(&ctx, "a", "k").await.unwrap();
        assert!(written.expires_at.is_some() && written.group.is_some() && written.position.is_some());
        memory::change_entries(&ctx, &EntryBulk { steps: done.undo }).await.unwrap();
        let back = memory::get_any(&ctx, "a", "k").await.unwrap();
        assert_eq!((back.content.as_str(), back.expires_at, back.group, back.position), ("The old words.", None, None, None));
    }

    async fn an_import_over_what_was_deleted_is_taken_back_too(site: Site) {
        let ctx = workspace(&site).await;
        let file = part("team.jsonl", r#"{"namespace": "a", "key": "new", "content": "New words."}"#, "");
        for _ in 0..2 {
            let done = memory::import_part(&ctx, &file).await.unwrap();
            assert_eq!(sums(&done), (1, 0, 0, 0));
            let undone = memory::change_entries(&ctx, &EntryBulk { steps: done.undo }).await.unwrap();
            assert_eq!((undone.done, undone.refused.len()), (1, 0));
            assert_eq!(content(&ctx, "a", "new").await, None);
        }
    }

    async fn files_of_other_programs_go_below_the_namespace_that_was_asked_for(site: Site) {
        let ctx = workspace(&site).await;
        let table = part("t.csv", "key,content,tags\nloom,\"It has\n20 shafts\",\"a,b\"\nbad", "shop");
        let done = memory::import_part(&ctx, &table).await.unwrap();
        assert_eq!(sums(&done), (1, 0, 0, 1));
        assert_eq!(content(&ctx, "shop/imports/csv", "loom").await.as_deref(), Some("It has\n20 shafts"));
        let notes = part("code/the loom.md", "---\ntags: [x]\n---\nThread.", "shop");
        memory::import_part(&ctx, &notes).await.unwrap();
        assert_eq!(content(&ctx, "shop/code", "the loom").await.as_deref(), Some("Thread."));
        // A file in no folder has no namespace, unless one is asked for.
        let bare = memory::preview_import(&ctx, &part("loom.md", "Thread.", "")).await.unwrap();
        assert_eq!(bare.all_refused(), 1);
        let memories = part("m.json", r#"{"results": [{"id": "m1", "memory": "likes looms"}]}"#, "");
        assert_eq!(memory::import_part(&ctx, &memories).await.unwrap().namespaces["imports/mem0"], 1);
    }

    async fn a_part_that_is_too_large_or_of_who_may_not_write_is_refused(site: Site) {
        let ctx = workspace(&site).await;
        let item = ImportItem { place: "line 1".to_owned(), text: "{}".to_owned() };
        let of = |count: usize, into: &str| ImportPart { kind: ImportKind::Jsonl, items: vec![item.clone(); count], into: into.to_owned() };
        for (wrong, pointer) in [(of(0, ""), "/items"), (of(101, ""), "/items"), (of(1, "../x"), "/into")] {
            let Err(Error::Invalid(fields)) = memory::import_part(&ctx, &wrong).await else { panic!("{pointer} is refused") };
            assert_eq!(fields[0].pointer, pointer);
        }
        let viewer = as_role(&ctx, Role::Viewer);
        assert!(matches!(memory::preview_import(&viewer, &of(1, "")).await, Err(Error::Denied(_))));
        assert!(matches!(memory::import_part(&viewer, &of(1, "")).await, Err(Error::Denied(_))));
    }

    async fn what_was_written_in_the_last_seven_days_is_told_by_namespace(site: Site) {
        let ctx = workspace(&site).await;
        let clock = &site.runtime.clock;
        put(&ctx, "old", "k", "Long ago.").await;
        put(&ctx, "a", "k", "Long ago.").await;
        clock.advance_ms(8 * DAY_MS);
        put(&ctx, "a", "k", "Six days ago.").await;
        clock.advance_ms(6 * DAY_MS + 1);
        put(&ctx, "a", "k", "Now.").await;
        put(&ctx, "a/b", "k", "Now.").await;
        let found = memory::activity(&as_role(&ctx, Role::Viewer)).await.unwrap();
        let of = |path: &str, days| NamespaceActivity { path: path.to_owned(), days };
        assert_eq!(found, [of("a", [1, 0, 0, 0, 0, 0, 1]), of("a/b", [0, 0, 0, 0, 0, 0, 1])]);
        let theirs = workspace(&site).await;
        assert!(memory::activity(&theirs).await.unwrap().is_empty());
    }
}
