//! Entries as lines, in every order, page by page.

use serde_json::json;
use weft::memory::{self, Error, Expect, Filter};
use weft::model::PageRequest;
use weft::model::auth::Role;
use weft::model::memory::{EntryDraft, EntryLine, EntryOrder, EntrySort, Reader, Source};
use weft::runtime::Ctx;

use super::{as_role, draft, put, workspace};

/// All lines in an order, in pages of two.
async fn lines(ctx: &Ctx, filter: &Filter, by: EntrySort, descending: bool) -> Vec<EntryLine> {
    let (mut all, mut cursor, mut total) = (Vec::new(), None, None);
    loop {
        let page = PageRequest { limit: 2, cursor };
        let table = memory::table(ctx, filter, EntryOrder { by, descending }, &page).await.unwrap();
        all.extend(table.items);
        total = total.or(table.total);
        cursor = table.next;
        if cursor.is_none() {
            assert_eq!(total, Some(all.len() as i64), "the first page says how many there are");
            return all;
        }
    }
}

fn keys(lines: &[EntryLine]) -> Vec<&str> {
    lines.iter().map(|line| line.key.as_str()).collect()
}

on_both_engines! {
    async fn every_order_goes_through_all_entries_and_back(site: Site) {
        let ctx = workspace(&site).await;
        let clock = &site.runtime.clock;
        for (at, (namespace, key, importance)) in
            [("b", "one", 0.1), ("a", "two", 0.9), ("a/x", "three", 0.1), ("c", "four", 0.1 + 0.2), ("a", "five", 0.5)].into_iter().enumerate()
        {
            clock.advance_ms(1_000);
            let named = EntryDraft { importance: Some(importance), ..draft(&"word ".repeat(at + 1)) };
            let source = if at % 2 == 0 { Source::Cli {} } else { Source::User { name: format!("Mara {at}") } };
            memory::put(&ctx, namespace, key, named, Expect::Any, source).await.unwrap();
        }
        clock.advance_ms(1_000);
        put(&ctx, "b", "one", "word word word word word word word").await;
        let four = memory::get(&ctx, "c", "four").await.unwrap();
        memory::note_read(&ctx, &Reader::Cli {}, &four);
        memory::write_reads(&site.runtime).await.unwrap();
        let all = Filter::default();
        for by in EntrySort::ALL {
            let (up, mut down) = (lines(&ctx, &all, by, false).await, lines(&ctx, &all, by, true).await);
            down.reverse();
            assert_eq!(up.len(), 5, "{by:?}");
            assert_eq!(keys(&up), keys(&down), "{by:?}: the other way round");
        }
        assert_eq!(keys(&lines(&ctx, &all, EntrySort::Key, false).await), ["five", "four", "one", "three", "two"]);
        let places = lines(&ctx, &all, EntrySort::Namespace, false).await;
        let places: Vec<&str> = places.iter().map(|line| line.namespace.as_str()).collect();
        assert_eq!(places, ["a", "a", "a/x", "b", "c"]);
        assert_eq!(keys(&lines(&ctx, &all, EntrySort::Changed, true).await), ["one", "five", "four", "three", "two"]);
        assert_eq!(keys(&lines(&ctx, &all, EntrySort::Created, true).await), ["five", "four", "three", "two", "one"]);
        assert_eq!(keys(&lines(&ctx, &all, EntrySort::Size, true).await)[..2], ["one", "five"]);
        assert_eq!(keys(&lines(&ctx, &all, EntrySort::Importance, true).await)[..3], ["two", "five", "one"], "0.5 when nobody said");
        let read = lines(&ctx, &all, EntrySort::Reads, true).await;
        assert_eq!((read[0].key.as_str(), read[0].reads, read[1].reads), ("four", 1, 0));
        let by_writer = lines(&ctx, &all, EntrySort::Source, true).await;
        assert_eq!(keys(&by_writer)[..2], ["four", "two"], "Mara 3 before Mara 1, largest first");
        // A subtree, and another workspace.
        let below = Filter { namespace: "a".to_owned(), ..Filter::default() };
        assert_eq!(keys(&lines(&ctx, &below, EntrySort::Key, false).await), ["five", "three", "two"]);
        let theirs = workspace(&site).await;
        assert!(lines(&theirs, &all, EntrySort::Key, false).await.is_empty());
        assert_eq!(lines(&as_role(&ctx, Role::Viewer), &all, EntrySort::Key, false).await.len(), 5);
    }

    async fn what_is_written_meanwhile_neither_repeats_nor_hides_a_line(site: Site) {
        let ctx = workspace(&site).await;
        for key in ["b", "d", "f", "h"] {
            put(&ctx, "a", key, "text").await;
        }
        let order = EntryOrder { by: EntrySort::Key, descending: false };
        let ask = |cursor| PageRequest { limit: 2, cursor };
        let first = memory::table(&ctx, &Filter::default(), order, &ask(None)).await.unwrap();
        assert_eq!((keys(&first.items), first.total), (vec!["b", "d"], Some(4)));
        put(&ctx, "a", "a", "text").await;
        put(&ctx, "a", "e", "text").await;
        memory::delete(&ctx, "a", "d", Expect::Any).await.unwrap();
        let second = memory::table(&ctx, &Filter::default(), order, &ask(first.next)).await.unwrap();
        assert_eq!((keys(&second.items), second.total), (vec!["e", "f"], None));
        // A cursor of another order, and a table of the past, are refused by name.
        for (filter, cursor, pointer) in [
            (Filter::default(), second.next, "cursor"),
            (Filter::default(), Some("17".to_owned()), "cursor"),
            (Filter { as_of: Some(site.runtime.clock.now()), ..Filter::default() }, None, "as_of"),
            (Filter { namespace: "../x".to_owned(), ..Filter::default() }, None, "namespace"),
        ] {
            let Err(Error::Invalid(fields)) = memory::table(&ctx, &filter, EntryOrder::default(), &ask(cursor)).await else {
                panic!("{pointer} is refused")
            };
            assert_eq!(fields[0].pointer, pointer);
        }
    }

    async fn a_line_says_what_stands_beside_the_text_and_how_it_begins(site: Site) {
        let ctx = workspace(&site).await;
        let named = EntryDraft {
            tags: vec!["loom".to_owned()],
            metadata: json!({"by": "Ada"}).as_object().unwrap().clone(),
            ..draft(&format!("# Title\n\n{}", "word ".repeat(100)))
        };
        memory::put(&ctx, "a", "k", named, Expect::Any, Source::Cli {}).await.unwrap();
        let lines = lines(&ctx, &Filter::default(), EntrySort::Changed, true).await;
        assert!(lines[0].excerpt.starts_with("# Title word word"), "{}", lines[0].excerpt);
        assert_eq!((lines[0].excerpt.chars().count(), lines[0].chars), (160, 509));
        assert_eq!((lines[0].version, lines[0].tags.as_slice()), (1, &["loom".to_owned()][..]));
    }
}
