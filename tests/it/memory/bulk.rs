//! Many entries changed by one call, and all of it taken back.

use weft::memory::{self, Error, Expect, Filter};
use weft::model::PageRequest;
use weft::model::auth::Role;
use weft::model::memory::{
    EntryAct, EntryBulk, EntryBulkDone, EntryDraft, EntryName, EntryStep, RelationDraft, RelationKind, Search, Source,
};
use weft::runtime::Ctx;

use super::{as_role, draft, found, found_in, put, workspace};

fn step(key: &str, version: i64, act: EntryAct) -> EntryStep {
    EntryStep { namespace: "notes".to_owned(), key: key.to_owned(), version: Some(version), act }
}

async fn change(ctx: &Ctx, steps: Vec<EntryStep>) -> EntryBulkDone {
    memory::change_entries(ctx, &EntryBulk { steps }).await.unwrap()
}

async fn take_back(ctx: &Ctx, done: EntryBulkDone) {
    let undone = change(ctx, done.undo).await;
    assert_eq!(undone.refused, []);
}

async fn tags(ctx: &Ctx, key: &str) -> String {
    memory::get(ctx, "notes", key).await.unwrap().tags.join(",")
}

fn tag(add: &[&str], remove: &[&str]) -> EntryAct {
    let all = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
    EntryAct::Tag { add: all(add), remove: all(remove) }
}

on_both_engines! {
    async fn several_entries_become_one_and_part_again(site: Site) {
        let ctx = workspace(&site).await;
        let loom = EntryDraft { tags: vec!["loom".to_owned()], ..draft("The loom has 20 shafts.") };
        memory::put(&ctx, "notes", "a", loom, Expect::Any, Source::Cli {}).await.unwrap();
        let red = EntryDraft { tags: vec!["colour".to_owned()], importance: Some(0.9), ..draft("The thread is red.") };
        memory::put(&ctx, "notes", "b", red, Expect::Any, Source::Cli {}).await.unwrap();
        put(&ctx, "other", "c", "20 shafts.").await;
        let name = |namespace: &str, key: &str| EntryName { namespace: namespace.to_owned(), key: key.to_owned() };
        let merge = EntryAct::Merge { with: vec![name("notes", "b"), name("other", "c")] };
        let done = change(&ctx, vec![step("a", 1, merge.clone())]).await;
        assert_eq!((done.done, done.refused.len()), (1, 0));
        let one = memory::get(&ctx, "notes", "a").await.unwrap();
        assert_eq!(one.content, "The loom has 20 shafts.\n\nThe thread is red.");
        assert_eq!((one.tags.join(","), one.importance, one.version), ("colour,loom".to_owned(), 0.9, 2));
        for (namespace, key) in [("notes", "b"), ("other", "c")] {
            let other = memory::get(&ctx, namespace, key).await.unwrap();
            assert!(other.superseded_at.is_some() && other.version == 1, "{key} stays, marked");
        }
        take_back(&ctx, done).await;
        let one = memory::get(&ctx, "notes", "a").await.unwrap();
        assert_eq!((one.content.as_str(), one.version), ("The loom has 20 shafts.", 3));
        assert!(memory::get(&ctx, "notes", "b").await.unwrap().superseded_at.is_none());
        // All or nothing.
        let gone = EntryAct::Merge { with: vec![name("notes", "b"), name("notes", "gone")] };
        let done = change(&ctx, vec![step("a", 3, gone)]).await;
        assert_eq!((done.done, done.refused.len()), (0, 1));
        assert!(memory::get(&ctx, "notes", "b").await.unwrap().superseded_at.is_none());
        let seen = change(&ctx, vec![step("a", 2, merge)]).await;
        assert!(seen.refused[0].reason.contains("version 3"), "{:?}", seen.refused);
    }

    async fn what_was_said_before_a_merging_stays_when_it_is_taken_back(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "notes", "a", "The loom is blue.").await;
        put(&ctx, "notes", "b", "The thread is red.").await;
        put(&ctx, "notes", "c", "The yarn is wool.").await;
        let supersedes = RelationDraft { kind: RelationKind::Supersedes, namespace: "notes".to_owned(), key: "b".to_owned() };
        memory::relate(&ctx, ("notes", "a"), &supersedes).await.unwrap();
        let with = ["b", "c"].map(|key| EntryName { namespace: "notes".to_owned(), key: key.to_owned() }).to_vec();
        let done = change(&ctx, vec![step("a", 1, EntryAct::Merge { with })]).await;
        assert_eq!((done.done, done.undo.len()), (1, 2), "its words, and what was said of c");
        take_back(&ctx, done).await;
        let is_marked = async |key: &str| memory::get(&ctx, "notes", key).await.unwrap().superseded_at.is_some();
        assert_eq!((is_marked("b").await, is_marked("c").await), (true, false));
    }

    async fn entries_are_tagged_together_and_as_before_again(site: Site) {
        let ctx = workspace(&site).await;
        let tagged = EntryDraft { tags: vec!["old".to_owned()], importance: Some(0.9), ..draft("The loom.") };
        memory::put(&ctx, "notes", "a", tagged, Expect::Any, Source::Cli {}).await.unwrap();
        put(&ctx, "notes", "b", "The thread.").await;
        let done = change(&ctx, vec![step("a", 1, tag(&["new"], &["old"])), step("b", 1, tag(&["new"], &["old"]))]).await;
        assert_eq!((done.done, done.undo.len(), done.refused.len()), (2, 2, 0));
        assert_eq!((tags(&ctx, "a").await, tags(&ctx, "b").await), ("new".to_owned(), "new".to_owned()));
        let entry = memory::get(&ctx, "notes", "a").await.unwrap();
        assert_eq!((entry.content.as_str(), entry.importance, entry.version), ("The loom.", 0.9, 2));
        take_back(&ctx, done).await;
        assert_eq!((tags(&ctx, "a").await, tags(&ctx, "b").await), ("old".to_owned(), String::new()));
    }

    async fn an_entry_that_was_not_seen_so_is_left_and_the_others_are_changed(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "notes", "a", "one").await;
        put(&ctx, "notes", "a", "two").await;
        put(&ctx, "notes", "b", "one").await;
        let act = EntryAct::Delete {};
        let done = change(&ctx, vec![step("a", 1, act.clone()), step("gone", 1, act.clone()), step("b", 1, act)]).await;
        let refused: Vec<&str> = done.refused.iter().map(|refusal| refusal.key.as_str()).collect();
        assert_eq!((done.done, refused), (1, vec!["a", "gone"]));
        assert!(done.refused[0].reason.contains("version 2"), "{:?}", done.refused);
        assert_eq!(memory::get(&ctx, "notes", "a").await.unwrap().content, "two");
        assert!(matches!(memory::get(&ctx, "notes", "b").await, Err(Error::NotFound)));
    }

    async fn what_was_deleted_together_comes_back_together(site: Site) {
        let ctx = workspace(&site).await;
        for key in ["a", "b", "c"] {
            put(&ctx, "notes", key, "The loom needs thread.").await;
        }
        let done = change(&ctx, ["a", "b", "c"].map(|key| step(key, 1, EntryAct::Delete {})).into()).await;
        assert!(found(&ctx, "loom").await.is_empty());
        take_back(&ctx, done).await;
        assert_eq!(found(&ctx, "loom").await.len(), 3);
    }

    async fn a_moved_entry_keeps_its_versions_and_is_found_where_it_is(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "notes", "a", "The loom.").await;
        let entry = put(&ctx, "notes", "a", "The loom needs thread.").await;
        assert_eq!(found(&ctx, "loom").await, ["a"]);
        let done = change(&ctx, vec![step("a", 2, EntryAct::Move { to: "shop/floor".to_owned() })]).await;
        assert_eq!((done.done, done.refused.len()), (1, 0));
        assert!(matches!(memory::get(&ctx, "notes", "a").await, Err(Error::NotFound)));
        let moved = memory::get(&ctx, "shop/floor", "a").await.unwrap();
        assert_eq!((moved.id, moved.version, moved.content.as_str()), (entry.id, 3, "The loom needs thread."));
        assert_eq!(memory::history(&ctx, "shop/floor", "a").await.unwrap().len(), 3);
        let within = async |namespace: &str| {
            found_in(&ctx, Search { namespace: Some(namespace.to_owned()), ..Search::text("loom") }).await
        };
        assert_eq!((within("shop").await, within("notes").await), (vec!["a".to_owned()], Vec::new()));
        take_back(&ctx, done).await;
        assert_eq!((within("notes").await, within("shop").await), (vec!["a".to_owned()], Vec::new()));
        assert_eq!(memory::get(&ctx, "notes", "a").await.unwrap().id, entry.id);
    }

    async fn nothing_is_moved_over_another_entry(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "notes", "a", "mine").await;
        put(&ctx, "other", "a", "theirs").await;
        put(&ctx, "third", "a", "deleted").await;
        memory::delete(&ctx, "third", "a", Expect::Any).await.unwrap();
        for to in ["other", "third"] {
            let done = change(&ctx, vec![step("a", 1, EntryAct::Move { to: to.to_owned() })]).await;
            assert_eq!((done.done, done.refused.len(), done.undo.len()), (0, 1, 0), "{to}");
        }
        assert_eq!(memory::get(&ctx, "other", "a").await.unwrap().content, "theirs");
        assert_eq!(memory::undelete(&ctx, "third", "a").await.unwrap().content, "deleted");
    }

    async fn what_was_set_aside_together_is_let_out_together(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "notes", "a", "The loom.").await;
        let act = EntryAct::Quarantine { reason: "odd".to_owned() };
        let done = change(&ctx, vec![step("a", 1, act)]).await;
        assert!(matches!(memory::get(&ctx, "notes", "a").await, Err(Error::Quarantined)));
        take_back(&ctx, done).await;
        assert_eq!(found(&ctx, "loom").await, ["a"]);
    }

    async fn chosen_entries_are_given_as_lines(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "notes", "a", "The loom.").await;
        let name = |key: &str| EntryName { namespace: "notes".to_owned(), key: key.to_owned() };
        let export = memory::export_entries(&ctx, &[name("a"), name("gone")]).await.unwrap();
        assert_eq!((export.taken, export.missing, export.lines.lines().count()), (2, 1, 1));
        let record: memory::file::Record = serde_json::from_str(export.lines.trim()).unwrap();
        assert_eq!((record.key.as_str(), record.content.as_str()), ("a", "The loom."));
    }

    async fn who_may_only_look_changes_nothing(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "notes", "a", "The loom.").await;
        let viewer = as_role(&ctx, Role::Viewer);
        let bulk = EntryBulk { steps: vec![step("a", 1, EntryAct::Delete {})] };
        assert!(matches!(memory::change_entries(&viewer, &bulk).await, Err(Error::Denied(_))));
        let elsewhere = workspace(&site).await;
        let done = memory::change_entries(&elsewhere, &bulk).await.unwrap();
        assert_eq!((done.done, done.refused.len()), (0, 1), "another workspace's entries do not exist");
        let all = memory::list(&ctx, &Filter::default(), &PageRequest { limit: 10, cursor: None }).await.unwrap();
        assert_eq!(all.items.len(), 1);
    }
}
