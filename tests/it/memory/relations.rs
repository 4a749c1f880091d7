//! What is said of two entries: which takes the place of which, which can't both be true, which both hold.

use axum::http::StatusCode;
use serde_json::json;
use weft::memory::{self, Error, Expect, Filter};
use weft::model::PageRequest;
use weft::model::auth::Role;
use weft::model::memory::{Access, Allowed, EntryName, Relation, RelationDraft, RelationKind, RelationWay, Search};
use weft::runtime::Ctx;

use super::rest::call;
use super::{as_role, found, put, workspace};

fn draft(kind: RelationKind, key: &str) -> RelationDraft {
    RelationDraft { kind, namespace: "a".to_owned(), key: key.to_owned() }
}

async fn say(ctx: &Ctx, key: &str, kind: RelationKind, other: &str) -> Result<Vec<Relation>, Error> {
    memory::relate(ctx, ("a", key), &draft(kind, other)).await
}

async fn said(ctx: &Ctx, key: &str) -> Vec<(RelationWay, String)> {
    let relations = memory::relations(ctx, "a", key).await.unwrap();
    relations.into_iter().map(|relation| (relation.way, relation.other.key)).collect()
}

fn name(key: &str) -> EntryName {
    EntryName { namespace: "a".to_owned(), key: key.to_owned() }
}

on_both_engines! {
    async fn an_entry_whose_place_another_takes_stays_and_is_found_behind_it(site: Site) {
        let ctx = workspace(&site).await;
        // The old one has the words more often: it is first until somebody says more.
        put(&ctx, "a", "new", "The loom has 24 shafts, as of this spring.").await;
        put(&ctx, "a", "old", "The loom has 20 shafts. The loom has shafts.").await;
        assert_eq!(found(&ctx, "loom shafts").await, ["old", "new"]);
        let relations = say(&ctx, "new", RelationKind::Supersedes, "old").await.unwrap();
        assert_eq!((relations[0].way, relations[0].other.key.as_str()), (RelationWay::Supersedes, "old"));
        assert!(relations[0].other.excerpt.starts_with("The loom has 20"));
        assert_eq!(said(&ctx, "old").await, [(RelationWay::SupersededBy, "new".to_owned())]);
        assert_eq!(found(&ctx, "loom shafts").await, ["new", "old"], "it is found, behind the other");
        let old = memory::get(&ctx, "a", "old").await.unwrap();
        assert_eq!((old.version, old.superseded_at.is_some()), (1, true), "nothing of it is changed");
        // The timeline crosses it out and leads to what took its place.
        let lines = memory::timeline(&ctx, &Filter::default(), &PageRequest::default()).await.unwrap().items;
        let of = |key: &str| lines.iter().find(|line| line.key == key).unwrap().superseded_by.clone();
        assert_eq!((of("old"), of("new")), (Some(name("new")), None));
        // A write keeps the mark, and taking it back brings the entry to where it was.
        put(&ctx, "a", "old", "The loom has 20 shafts. The loom has many shafts.").await;
        assert!(memory::get(&ctx, "a", "old").await.unwrap().superseded_at.is_some());
        memory::unrelate(&ctx, ("a", "old"), &name("new")).await.unwrap();
        assert_eq!(found(&ctx, "loom shafts").await, ["old", "new"]);
        assert!(memory::get(&ctx, "a", "old").await.unwrap().superseded_at.is_none());
        assert!(matches!(memory::unrelate(&ctx, ("a", "old"), &name("new")).await, Err(Error::NotFound)));
    }

    async fn pairs_of_which_one_side_is_hidden_take_no_place_from_others(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "one", "The loom has 20 shafts").await;
        for n in 0..51 {
            put(&ctx, "hidden", &format!("k{n}"), "The loom has many shafts").await;
        }
        put(&ctx, "a", "two", "The loom has 24 shafts").await;
        say(&ctx, "one", RelationKind::Contradicts, "two").await.unwrap();
        for n in 0..51 {
            let (kind, namespace) = (RelationKind::Contradicts, "hidden".to_owned());
            let draft = RelationDraft { kind, namespace, key: format!("k{n}") };
            memory::relate(&ctx, ("a", "one"), &draft).await.unwrap();
        }
        let admins = || Allowed { role: Some(Role::Admin), users: Vec::new() };
        memory::allow(&ctx, "hidden", Access { read: admins(), write: admins() }).await.unwrap();
        let told = memory::get_health(&as_role(&ctx, Role::Viewer)).await.unwrap().contradictions;
        assert_eq!(told.len(), 1);
    }

    async fn a_contradiction_stands_until_somebody_chooses_or_says_that_both_hold(site: Site) {
        let ctx = workspace(&site).await;
        for (key, text) in [("one", "The loom in the attic has 20 shafts"), ("two", "The loom in the attic has 24 shafts")] {
            put(&ctx, "a", key, text).await;
        }
        let health = memory::get_health(&ctx).await.unwrap();
        assert_eq!((health.contradictions.len(), health.doubtful.len()), (0, 1));
        say(&ctx, "two", RelationKind::Contradicts, "one").await.unwrap();
        for key in ["one", "two"] {
            assert_eq!(said(&ctx, key).await[0].0, RelationWay::Contradicts, "{key}");
        }
        let health = memory::get_health(&ctx).await.unwrap();
        assert_eq!((health.contradictions.len(), health.doubtful.len()), (1, 0), "what is said is no candidate any more");
        let pair = &health.contradictions[0];
        let mut keys = [pair.one.key.as_str(), pair.other.key.as_str()];
        keys.sort_unstable();
        assert_eq!(keys, ["one", "two"]);
        say(&ctx, "two", RelationKind::Supersedes, "one").await.unwrap();
        let health = memory::get_health(&ctx).await.unwrap();
        assert_eq!((health.contradictions.len(), health.doubtful.len()), (0, 0));
        // Somebody thinks again.
        say(&ctx, "one", RelationKind::Agrees, "two").await.unwrap();
        assert_eq!(said(&ctx, "two").await, [(RelationWay::Agrees, "one".to_owned())]);
        assert!(memory::get(&ctx, "a", "one").await.unwrap().superseded_at.is_none());
        assert!(memory::get_health(&ctx).await.unwrap().doubtful.is_empty());
    }

    async fn what_is_said_of_an_entry_makes_its_words_no_newer(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "older", "The loom in the attic has 20 shafts").await;
        site.runtime.clock.advance_ms(1_000);
        put(&ctx, "a", "newer", "The loom in the attic has 24 shafts").await;
        say(&ctx, "newer", RelationKind::Supersedes, "older").await.unwrap();
        memory::unrelate(&ctx, ("a", "newer"), &name("older")).await.unwrap();
        let doubtful = memory::get_health(&ctx).await.unwrap().doubtful;
        assert_eq!((doubtful[0].newer.key.as_str(), doubtful[0].older.key.as_str()), ("newer", "older"));
    }

    async fn nobody_takes_their_own_place_and_the_turn_can_be_turned(site: Site) {
        let ctx = workspace(&site).await;
        for key in ["one", "two", "three"] {
            put(&ctx, "a", key, "A text that says enough.").await;
        }
        assert!(matches!(say(&ctx, "one", RelationKind::Agrees, "one").await, Err(Error::Invalid(_))));
        say(&ctx, "two", RelationKind::Supersedes, "one").await.unwrap();
        say(&ctx, "three", RelationKind::Supersedes, "two").await.unwrap();
        let Err(Error::Invalid(fields)) = say(&ctx, "one", RelationKind::Supersedes, "three").await else { panic!("a circle") };
        assert_eq!(fields[0].pointer, "/key");
        // Of two alone it is a change of mind.
        say(&ctx, "one", RelationKind::Supersedes, "two").await.unwrap();
        assert!(memory::get(&ctx, "a", "one").await.unwrap().superseded_at.is_none());
        assert!(memory::get(&ctx, "a", "two").await.unwrap().superseded_at.is_some());
        // What is gone says nothing, and what is in quarantine takes nobody's place.
        memory::delete(&ctx, "a", "three", Expect::Any).await.unwrap();
        assert_eq!(said(&ctx, "two").await, [(RelationWay::SupersededBy, "one".to_owned())]);
        memory::quarantine(&ctx, ("a", "one"), "", Expect::Any).await.unwrap();
        assert!(matches!(say(&ctx, "one", RelationKind::Agrees, "two").await, Err(Error::Quarantined)));
        // Readers read it, and say nothing; another workspace knows nothing of it.
        let viewer = as_role(&ctx, Role::Viewer);
        assert!(matches!(say(&viewer, "two", RelationKind::Agrees, "one").await, Err(Error::Denied(_))));
        assert_eq!(memory::relations(&viewer, "a", "two").await.unwrap().len(), 1);
        let theirs = workspace(&site).await;
        assert!(matches!(memory::relations(&theirs, "a", "two").await, Err(Error::NotFound)));
    }

    async fn what_is_gone_takes_nobodys_place_until_it_is_back(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "new", "The loom has 24 shafts.").await;
        put(&ctx, "a", "old", "The loom has 20 shafts.").await;
        say(&ctx, "new", RelationKind::Supersedes, "old").await.unwrap();
        let is_superseded = async |ctx: &Ctx| {
            memory::sweep(&site.runtime).await.unwrap();
            memory::get(ctx, "a", "old").await.unwrap().superseded_at.is_some()
        };
        assert!(is_superseded(&ctx).await);
        memory::delete(&ctx, "a", "new", Expect::Any).await.unwrap();
        assert!(!is_superseded(&ctx).await);
        memory::undelete(&ctx, "a", "new").await.unwrap();
        assert!(is_superseded(&ctx).await);
        memory::quarantine(&ctx, ("a", "new"), "", Expect::Any).await.unwrap();
        assert!(!is_superseded(&ctx).await);
    }

    async fn as_of_a_moment_what_was_gone_then_took_nobodys_place(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "new", "The loom has 24 shafts").await;
        put(&ctx, "a", "old", "The loom has 20 shafts").await;
        say(&ctx, "new", RelationKind::Supersedes, "old").await.unwrap();
        let while_it_stood = ctx.clock.now();
        ctx.clock.advance_ms(1_000);
        memory::delete(&ctx, "a", "new", Expect::Any).await.unwrap();
        let while_it_was_gone = ctx.clock.now();
        ctx.clock.advance_ms(1_000);
        memory::undelete(&ctx, "a", "new").await.unwrap();
        ctx.clock.advance_ms(1_000);
        let marked = async |at| memory::get_as_of(&ctx, "a", "old", at).await.unwrap().superseded_at.is_some();
        assert!(marked(while_it_stood).await);
        assert!(!marked(while_it_was_gone).await);
        assert!(marked(ctx.clock.now()).await);
    }

    async fn relations_are_said_and_taken_back_over_rest(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "new", "The loom has 24 shafts.").await;
        put(&ctx, "a", "old", "The loom has 20 shafts.").await;
        let body = json!({"kind": "supersedes", "namespace": "a", "key": "old"});
        let (status, _, answer) = call(&ctx, "POST", "/memory/a/new/relations", &[], Some(body)).await;
        assert_eq!((status, &answer["items"][0]["way"]), (StatusCode::OK, &json!("supersedes")));
        let (_, _, answer) = call(&ctx, "GET", "/memory/a/old/relations", &[], None).await;
        assert_eq!((&answer["items"][0]["way"], &answer["items"][0]["other"]["key"]), (&json!("superseded_by"), &json!("new")));
        let (_, _, entry) = call(&ctx, "GET", "/memory/a/old", &[], None).await;
        assert!(entry["superseded_at"].is_string());
        let (status, _, _) = call(&ctx, "DELETE", "/memory/a/old/relations?namespace=a&key=new", &[], None).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let (status, _, _) = call(&ctx, "DELETE", "/memory/a/old/relations?namespace=a&key=new", &[], None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let wrong = json!({"kind": "replaces", "namespace": "a", "key": "old"});
        let (status, _, _) = call(&ctx, "POST", "/memory/a/new/relations", &[], Some(wrong)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let search = Search { limit: 1, ..Search::text("loom") };
        assert_eq!(memory::search(&ctx, &search).await.unwrap().hits.len(), 1);
    }
}
