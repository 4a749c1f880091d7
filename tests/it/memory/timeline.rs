//! What was learned when, by whom, and what took its place.

use serde_json::json;
use weft::memory::{self, Error, Expect, Filter};
use weft::model::memory::{EntryDraft, Learned, Source, Trust};
use weft::model::{Page, PageRequest, RunId};
use weft::runtime::Ctx;

use super::{draft, put, workspace};

async fn timeline(ctx: &Ctx, filter: Filter) -> Vec<Learned> {
    memory::timeline(ctx, &filter, &PageRequest::default()).await.unwrap().items
}

/// Each line as its key, its words, and the version that took its place.
fn told(lines: &[Learned]) -> Vec<String> {
    let one = |line: &Learned| {
        let text = line.excerpt.as_deref().unwrap_or("deleted");
        let next = line
            .superseded
            .as_ref()
            .map(|next| format!(" -> {}{}", next.version, if next.deleted { " deleted" } else { "" }));
        format!("{} {text}{}", line.key, next.unwrap_or_default())
    };
    lines.iter().map(one).collect()
}

on_both_engines! {
    async fn what_was_superseded_names_what_took_its_place(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "code", "pool", "20").await;
        site.runtime.clock.advance_ms(1000);
        let early = ctx.clock.now();
        put(&ctx, "notes", "lunch", "soup").await;
        site.runtime.clock.advance_ms(1000);
        // The same words with a tag: nothing took their place.
        let tagged = EntryDraft { tags: vec!["db".to_owned()], ..draft("20") };
        memory::put(&ctx, "code", "pool", tagged, Expect::Any, Source::Cli {}).await.unwrap();
        put(&ctx, "code", "pool", "40").await;
        memory::delete(&ctx, "notes", "lunch", Expect::Any).await.unwrap();
        let lines = timeline(&ctx, Filter::default()).await;
        assert_eq!(told(&lines), ["lunch deleted", "pool 40", "pool 20 -> 3", "lunch soup -> 2 deleted", "pool 20 -> 3"]);
        assert_eq!(lines[2].superseded.as_ref().unwrap().at, lines[1].at);
        let then = Filter { as_of: Some(early), ..Filter::default() };
        assert_eq!(told(&timeline(&ctx, then).await), ["lunch soup", "pool 20"], "as it was known then");
        let value = EntryDraft { value: json!({"n": 1}), ..draft("40") };
        memory::put(&ctx, "code", "pool", value, Expect::Any, Source::Cli {}).await.unwrap();
        let lines = timeline(&ctx, Filter { namespace: "code".to_owned(), ..Filter::default() }).await;
        assert_eq!(told(&lines)[1], "pool 40 -> 4", "another value is another fact");
    }

    async fn a_line_says_who_learned_it_and_lists_take_the_filters_of_entries(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "code", "a1", "one").await;
        let source = Source::Run { run_id: ctx.ids.fresh::<RunId>(), step: "note".to_owned() };
        let by_agent = EntryDraft {
            metadata: json!({"agent": "Weaver"}).as_object().cloned().unwrap(),
            tags: vec!["x".to_owned()],
            trust: Some(Trust::Model),
            group: Some("talk".to_owned()),
            ..draft(&"long ".repeat(100))
        };
        memory::put(&ctx, "code/db", "a2", by_agent.clone(), Expect::Any, source.clone()).await.unwrap();
        // A person who names an agent in the facts of an entry is none.
        let by_person = EntryDraft { trust: None, ..by_agent };
        memory::put(&ctx, "codex", "b1", by_person, Expect::Any, Source::Cli {}).await.unwrap();
        let lines = timeline(&ctx, Filter::default()).await;
        assert_eq!((lines[0].agent.as_deref(), lines[1].agent.as_deref()), (None, Some("Weaver")));
        assert_eq!((&lines[1].source, lines[1].trust, lines[1].group.as_deref()), (&source, Trust::Model, Some("talk")));
        assert_eq!(lines[1].excerpt.as_ref().unwrap().chars().count(), 241, "cut, with a mark that says so");
        let keys = async |filter: Filter| timeline(&ctx, filter).await.into_iter().map(|line| line.key).collect::<Vec<_>>();
        assert_eq!(keys(Filter { namespace: "code".to_owned(), ..Filter::default() }).await, ["a2", "a1"]);
        assert_eq!(keys(Filter { prefix: "a".to_owned(), ..Filter::default() }).await, ["a2", "a1"]);
        assert_eq!(keys(Filter { tag: "x".to_owned(), ..Filter::default() }).await, ["b1", "a2"]);
        assert_eq!(keys(Filter { trust: vec![Trust::Model], ..Filter::default() }).await, ["a2"]);
        let theirs = workspace(&site).await;
        put(&theirs, "code", "theirs", "secret").await;
        assert_eq!(keys(Filter::default()).await, ["b1", "a2", "a1"]);
        memory::quarantine(&ctx, ("code", "a1"), "It is odd.", Expect::Any).await.unwrap();
        assert_eq!(keys(Filter::default()).await, ["b1", "a2"]);
        assert_eq!(keys(Filter { quarantined: true, ..Filter::default() }).await, ["a1"]);
    }

    async fn it_is_read_page_by_page_and_wrong_questions_are_refused(site: Site) {
        let ctx = workspace(&site).await;
        for n in 0..5 {
            put(&ctx, "a", "k", &n.to_string()).await;
        }
        let page = |cursor: Option<String>| {
            let ctx = &ctx;
            async move { memory::timeline(ctx, &Filter::default(), &PageRequest { limit: 2, cursor }).await }
        };
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let Page { items, next } = page(cursor).await.unwrap();
            all.extend(items.into_iter().map(|line| line.version));
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(all, [5, 4, 3, 2, 1]);
        assert!(matches!(page(Some("x".to_owned())).await, Err(Error::Invalid(fields)) if fields[0].pointer == "cursor"));
        let ahead = Filter { as_of: Some(ctx.clock.now().plus_ms(1)), ..Filter::default() };
        let refused = memory::timeline(&ctx, &ahead, &PageRequest::default()).await;
        assert!(matches!(refused, Err(Error::Invalid(fields)) if fields[0].pointer == "as_of"));
    }
}
