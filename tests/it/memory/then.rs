//! Memory as it stood at a moment.

use serde_json::json;
use weft::memory::{self, Error, Expect, Filter};
use weft::model::auth::Role;
use weft::model::memory::{EntryDraft, Search, SearchMode, Source};
use weft::model::{PageRequest, Timestamp};
use weft::runtime::Ctx;

use super::{as_role, draft, found, found_in, put, workspace};

/// A minute, in ms.
const MINUTE: i64 = 60_000;

/// Now; then a minute passes.
fn moment(ctx: &Ctx) -> Timestamp {
    let now = ctx.clock.now();
    ctx.runtime().clock.advance_ms(MINUTE);
    now
}

async fn listed(ctx: &Ctx, filter: Filter) -> Vec<String> {
    let page = memory::list(ctx, &filter, &PageRequest::default()).await.unwrap();
    page.items.into_iter().map(|entry| format!("{} {}", entry.key, entry.content)).collect()
}

fn then(at: Timestamp) -> Filter {
    Filter { as_of: Some(at), ..Filter::default() }
}

on_both_engines! {
    async fn an_entry_reads_as_it_stood_at_each_moment_of_its_life(site: Site) {
        let ctx = workspace(&site).await;
        let before = moment(&ctx);
        let rich = EntryDraft {
            value: json!({"pool": 20}),
            tags: vec!["db".to_owned()],
            importance: Some(0.9),
            group: Some("talk".to_owned()),
            position: Some(3),
            expires_at: Some(ctx.clock.now().plus_ms(600 * MINUTE)),
            ..draft("The pool is 20.")
        };
        let first = memory::put(&ctx, "code", "pool", rich, Expect::Any, Source::Cli {}).await.unwrap();
        let at_first = moment(&ctx);
        let second = put(&ctx, "code", "pool", "The pool is 40.").await;
        let at_second = moment(&ctx);
        memory::delete(&ctx, "code", "pool", Expect::Any).await.unwrap();
        let at_third = moment(&ctx);
        memory::undelete(&ctx, "code", "pool").await.unwrap();
        let read = |at| memory::get_as_of(&ctx, "code", "pool", at);
        assert!(matches!(read(before).await, Err(Error::NotFound)));
        assert_eq!(read(at_first).await.unwrap(), first, "with its group, its value and its expiry of then");
        assert_eq!(read(at_second).await.unwrap(), second);
        assert!(matches!(read(at_third).await, Err(Error::NotFound)), "it was deleted then");
        assert_eq!(read(ctx.clock.now()).await.unwrap().version, 4);
        let ahead = ctx.clock.now().plus_ms(1);
        assert!(matches!(read(ahead).await, Err(Error::Invalid(fields)) if fields[0].pointer == "as_of"));
        let theirs = workspace(&site).await;
        assert!(matches!(memory::get_as_of(&theirs, "code", "pool", at_first).await, Err(Error::NotFound)));
    }

    async fn a_version_that_is_no_longer_kept_is_a_clear_refusal_and_is_counted_in_lists(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "k", "first").await;
        put(&ctx, "b", "calm", "once").await;
        let early = moment(&ctx);
        for n in 0..101 {
            put(&ctx, "a", "k", &n.to_string()).await;
        }
        let Err(Error::NotKept { since }) = memory::get_as_of(&ctx, "a", "k", early).await else { panic!("refused") };
        assert!(since > early);
        let page = memory::list(&ctx, &then(early), &PageRequest::default()).await.unwrap();
        assert_eq!((page.items.len(), page.unknown), (1, Some(1)), "it is not known whether it would be there");
        let elsewhere = Filter { namespace: "b".to_owned(), ..then(early) };
        assert_eq!(memory::list(&ctx, &elsewhere, &PageRequest::default()).await.unwrap().unknown, None);
        let search = Search { as_of: Some(early), ..Search::text("first") };
        let found = memory::search(&ctx, &search).await.unwrap();
        assert!(found.hits.is_empty() && found.degraded.unwrap().contains("1 entries changed so often"));
    }

    async fn a_list_shows_what_there_was_with_the_filters_of_now(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "code", "a", "one").await;
        let tagged = EntryDraft { tags: vec!["b\"c".to_owned(), "x_y".to_owned(), "d\\".to_owned()], ..draft("two") };
        memory::put(&ctx, "code/db", "b", tagged, Expect::Any, Source::Cli {}).await.unwrap();
        put(&ctx, "codex", "c", "three").await;
        let brief = EntryDraft { expires_at: Some(ctx.clock.now().plus_ms(1)), ..draft("gone soon") };
        memory::put(&ctx, "code", "brief", brief, Expect::Any, Source::Cli {}).await.unwrap();
        site.runtime.clock.advance_ms(10);
        let at = moment(&ctx);
        put(&ctx, "code", "a", "one, later").await;
        put(&ctx, "code/db", "b", "two, without its tags").await;
        memory::delete(&ctx, "codex", "c", Expect::Any).await.unwrap();
        put(&ctx, "code", "d", "new").await;
        assert_eq!(listed(&ctx, then(at)).await, ["c three", "b two", "a one"]);
        let below = Filter { namespace: "code".to_owned(), ..then(at) };
        assert_eq!(listed(&ctx, below.clone()).await, ["b two", "a one"]);
        assert_eq!(listed(&ctx, Filter { prefix: "a".to_owned(), ..below.clone() }).await, ["a one"]);
        for (tag, expected) in [("b\"c", 1), ("x_y", 1), ("xzy", 0), ("X_Y", 0), ("c", 0), ("b", 0), ("d\\", 1), ("d", 0)] {
            assert_eq!(listed(&ctx, Filter { tag: tag.to_owned(), ..then(at) }).await.len(), expected, "{tag}");
        }
        let page = |cursor: Option<String>| {
            let (ctx, filter) = (&ctx, then(at));
            async move { memory::list(ctx, &filter, &PageRequest { limit: 2, cursor }).await.unwrap() }
        };
        let first = page(None).await;
        let rest = page(first.next).await;
        assert_eq!((first.items.len(), rest.items.len(), rest.next), (2, 1, None));
    }

    async fn what_was_set_aside_later_was_found_then_and_what_was_held_then_was_not(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "web", "page", "A page about looms").await;
        let free = moment(&ctx);
        memory::quarantine(&ctx, ("web", "page"), "It lies.", Expect::Any).await.unwrap();
        let held = moment(&ctx);
        memory::release(&ctx, ("web", "page"), Expect::Any).await.unwrap();
        let released = moment(&ctx);
        let search = |at| found_in(&ctx, Search { as_of: Some(at), ..Search::text("looms") });
        assert_eq!((search(free).await.len(), search(held).await.len(), search(released).await.len()), (1, 0, 1));
        assert_eq!(listed(&ctx, then(held)).await, [""; 0]);
        assert_eq!(listed(&ctx, Filter { quarantined: true, ..then(held) }).await, ["page A page about looms"]);
        assert_eq!(listed(&ctx, Filter { quarantined: true, ..then(free) }).await, [""; 0]);
        assert!(matches!(memory::get_as_of(&ctx, "web", "page", held).await, Err(Error::Quarantined)));
        let then_held = memory::get_any_as_of(&ctx, "web", "page", held).await.unwrap().quarantine.unwrap();
        assert_eq!((then_held.reasons, then_held.released), (vec!["It lies.".to_owned()], None));
        assert_eq!(memory::get_as_of(&ctx, "web", "page", free).await.unwrap().quarantine, None);
    }

    async fn a_search_finds_what_would_have_been_found_then(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "code", "size", "The connection pool is 20.").await;
        put(&ctx, "notes", "lunch", "Soup with the team.").await;
        for (at, content) in ["Where did you stay?", "In a small inn."].into_iter().enumerate() {
            let turn = EntryDraft { group: Some("trip".to_owned()), position: Some(at as i64), ..draft(content) };
            memory::put(&ctx, "talks", &format!("t{at}"), turn, Expect::Any, Source::Cli {}).await.unwrap();
        }
        let now = Search { explain: true, neighbours: 1, ..Search::text("stay pool") };
        let live = memory::search(&ctx, &now).await.unwrap();
        let at = moment(&ctx);
        put(&ctx, "code", "size", "Nothing of the kind.").await;
        put(&ctx, "code", "newer", "A pool of newer things, a pool.").await;
        memory::delete(&ctx, "talks", "t0", Expect::Any).await.unwrap();
        let asked = Search { as_of: Some(at), ..now };
        let past = memory::search(&ctx, &asked).await.unwrap();
        assert_eq!(past.hits, live.hits, "the same entries with the same scores and neighbours");
        assert_eq!(past.explain.unwrap().filters, [format!("as of {at}")]);
        assert_eq!(memory::search(&ctx, &asked).await.unwrap().hits, live.hits, "and again, from the index that is kept");
        assert_eq!(found(&ctx, "pool ").await, ["newer"], "now is not then");
        let early = Search { as_of: Some(at.plus_ms(-MINUTE)), ..Search::text("pool") };
        assert_eq!(found_in(&ctx, early).await, [""; 0]);
        let elsewhere = Search { as_of: Some(at), namespace: Some("notes".to_owned()), ..Search::text("pool soup") };
        assert_eq!(found_in(&ctx, elsewhere).await, ["lunch"]);
        let theirs = workspace(&site).await;
        assert_eq!(found_in(&theirs, Search { as_of: Some(at), ..Search::text("pool") }).await, [""; 0]);
    }

    async fn a_moment_that_cannot_be_answered_is_refused_by_name(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "a", "k", "one").await;
        let now = ctx.clock.now();
        let wrong = |at: Timestamp, mode| Search { as_of: Some(at), mode, ..Search::text("one") };
        let refused = async |search: Search| match memory::search(&ctx, &search).await {
            Err(Error::Invalid(fields)) => fields[0].pointer.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(wrong(now.plus_ms(1), SearchMode::Text)).await, "/as_of");
        assert_eq!(refused(wrong(now.plus_ms(-31 * 24 * 60 * MINUTE), SearchMode::Text)).await, "/as_of");
        assert_eq!(refused(wrong(now, SearchMode::Vector)).await, "/mode");
        let late = memory::list(&ctx, &then(now.plus_ms(1)), &PageRequest::default()).await;
        assert!(matches!(late, Err(Error::Invalid(fields)) if fields[0].pointer == "as_of"));
        let viewer = as_role(&ctx, Role::Viewer);
        assert!(memory::search(&viewer, &wrong(now, SearchMode::Text)).await.is_ok(), "who may read may read the past");
    }

    async fn a_search_leaves_out_what_it_is_told_to_before_it_ranks(site: Site) {
        let ctx = workspace(&site).await;
        let mut ids = Vec::new();
        for (at, content) in ["pool pool pool", "a pool", "In a small inn."].into_iter().enumerate() {
            let turn = EntryDraft { group: Some("trip".to_owned()), position: Some(at as i64), ..draft(content) };
            ids.push(memory::put(&ctx, "talks", &format!("t{at}"), turn, Expect::Any, Source::Cli {}).await.unwrap().id);
        }
        assert_eq!(found(&ctx, "pool").await.len(), 3, "the last one by its neighbours");
        let search = |without: Vec<_>| Search { without, limit: 1, explain: true, ..Search::text("pool") };
        let first = memory::search(&ctx, &search(vec![ids[0]])).await.unwrap();
        assert_eq!((first.hits[0].entry.key.as_str(), first.matched), ("t1", 2), "the next one comes up, within the limit");
        assert_eq!(first.explain.unwrap().filters, ["without one entry"]);
        let none = memory::search(&ctx, &search(vec![ids[0], ids[1]])).await.unwrap();
        assert_eq!(none.matched, 0, "what is left out speaks for no neighbour");
        let many = Search { without: vec![ids[0]; 21], ..Search::text("pool") };
        assert!(matches!(memory::search(&ctx, &many).await, Err(Error::Invalid(fields)) if fields[0].pointer == "/without"));
    }
}
