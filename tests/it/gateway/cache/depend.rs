//! What answers depend on: after a change no stale answer is given, and no other one is lost.

use std::collections::{BTreeMap, BTreeSet};

use weft::cache;
use weft::memory::{self, Expect};
use weft::model::cache::{CacheWish, SourceChange, SourceRef};
use weft::model::memory::EntryDraft;

use super::*;

fn depending(list: Vec<Dependency>) -> CacheWish {
    CacheWish::default().depending_on(list).unwrap()
}

fn file(id: &str) -> SourceRef {
    SourceRef { kind: SourceKind::File, id: id.to_owned() }
}

async fn change(ctx: &Ctx, id: &str, fingerprint: &str, needs: Option<&[&str]>) -> (bool, i64) {
    let depends_on = needs.map(|needs| needs.iter().map(|need| file(need)).collect());
    let change =
        SourceChange { kind: SourceKind::File, id: id.to_owned(), fingerprint: fingerprint.to_owned(), depends_on };
    let came = cache::changed(ctx, change).await.unwrap();
    (came.changed, came.invalidated)
}

async fn ask_on(ctx: &Ctx, text: &str, list: &[(&str, Option<&str>)]) -> &'static str {
    let list = list.iter().map(|(id, print)| on(SourceKind::File, id, *print)).collect();
    did(&ask_so(ctx, cold(text), depending(list)).await)
}

on_both_engines! {
    async fn a_change_takes_the_answers_that_depended_on_it_and_no_others(site: Site) {
        let ctx = somebody(&site).await;
        counting(&ctx, 20).await;
        assert_eq!(change(&ctx, "a", "1", None).await, (true, 0));
        for (text, on) in [("A", "a"), ("B", "b")] {
            assert_eq!(ask_on(&ctx, text, &[(on, None)]).await, "miss");
            assert_eq!(ask_on(&ctx, text, &[(on, None)]).await, "hit");
        }
        assert_eq!(did(&ask(&ctx, cold("A")).await), "miss", "who names no dependency asks another question");
        assert_eq!(change(&ctx, "a", "1", None).await, (false, 0), "that is no news");
        assert_eq!(ask_on(&ctx, "A", &[("a", None)]).await, "hit");
        assert_eq!(change(&ctx, "a", "2", None).await, (true, 1));
        assert_eq!(ask_on(&ctx, "A", &[("a", None)]).await, "miss");
        assert_eq!(ask_on(&ctx, "B", &[("b", None)]).await, "hit");
        assert_eq!(did(&ask(&ctx, cold("A")).await), "hit");
        assert_eq!(ask_on(&ctx, "A", &[("a", Some("2"))]).await, "hit", "as it is, told or not");
        assert_eq!(ask_on(&ctx, "A", &[("a", Some("1"))]).await, "off", "one of both is out of date");
    }

    async fn a_change_reaches_through_what_lies_between(site: Site) {
        let ctx = somebody(&site).await;
        counting(&ctx, 20).await;
        change(&ctx, "prompt", "1", Some(&["part"])).await;
        change(&ctx, "part", "1", Some(&["word"])).await;
        assert_eq!(ask_on(&ctx, "A", &[("prompt", None)]).await, "miss");
        assert_eq!(ask_on(&ctx, "A", &[("prompt", None)]).await, "hit");
        assert_eq!(change(&ctx, "word", "1", None).await, (true, 1), "nobody had told of it before");
        assert_eq!(ask_on(&ctx, "A", &[("prompt", None)]).await, "miss");
        assert_eq!(change(&ctx, "word", "2", None).await, (true, 1));
        assert_eq!(ask_on(&ctx, "A", &[("prompt", None)]).await, "miss");
        // It no longer depends on it: the answer goes once more, and then no more.
        assert_eq!(change(&ctx, "part", "1", Some(&[])).await, (true, 1));
        assert_eq!(ask_on(&ctx, "A", &[("prompt", None)]).await, "miss");
        assert_eq!(change(&ctx, "word", "3", None).await, (true, 0));
        assert_eq!(ask_on(&ctx, "A", &[("prompt", None)]).await, "hit");
        let circle = SourceChange {
            kind: SourceKind::File, id: "part".into(), fingerprint: "1".into(), depends_on: Some(vec![file("prompt")]),
        };
        let Err(cache::Error::Invalid(faults)) = cache::changed(&ctx, circle).await else { panic!("a circle is taken") };
        assert_eq!(faults[0].pointer, "/depends_on/0");
    }

    async fn who_asks_says_in_which_state_things_are(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = counting(&ctx, 20).await;
        assert_eq!(ask_on(&ctx, "A", &[("a", Some("1")), ("b", Some("1"))]).await, "miss");
        assert_eq!(ask_on(&ctx, "A", &[("b", Some("1")), ("a", Some("1"))]).await, "hit");
        assert_eq!(ask_on(&ctx, "A", &[("a", Some("2")), ("b", Some("1"))]).await, "miss");
        assert_eq!(ask_on(&ctx, "A", &[("a", Some("2")), ("b", Some("1"))]).await, "hit");
        assert_eq!(change(&ctx, "a", "2", None).await, (true, 0), "that was known to who asked");
        assert_eq!(ask_on(&ctx, "A", &[("a", Some("2")), ("b", Some("1"))]).await, "hit");
        assert_eq!(upstream.count(), 2);
    }

    async fn a_change_while_the_model_thinks_keeps_the_answer_from_being_kept(site: Site) {
        let ctx = somebody(&site).await;
        let go_on = std::sync::Arc::new(tokio::sync::Notify::new());
        let whole = crate::gateway::chunks(&["A loom."]);
        let first = crate::gateway::first_chunks(&["A loom."]);
        let rest = whole[first.len()..].to_owned();
        let upstream = Upstream::start([Reply::Halves(first, go_on.clone(), rest), Reply::Json(200, answer("New."))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let wish = || depending(vec![on(SourceKind::File, "a", None)]);
        let request = Request { stream: true, ..cold("x") };
        let Answered::Live(mut live) = gateway::call(&ctx, order(request, wish())).await.unwrap() else { panic!("a stream") };
        change(&ctx, "a", "2", None).await;
        // Who asks now does not wait for who asked before the change.
        let young = ask_so_unsettled(&ctx, cold("x"), wish()).await;
        assert_eq!(young.response.text(), "New.");
        go_on.notify_one();
        crate::gateway::drain(&mut live).await;
        drop(live);
        cache::settled(&ctx).await;
        let again = ask_so(&ctx, cold("x"), wish()).await;
        assert_eq!((did(&again), again.response.text().as_str()), ("hit", "New."));
        assert_eq!(upstream.count(), 2);
    }

    async fn a_write_to_the_memory_takes_what_was_made_of_it(site: Site) {
        let ctx = somebody(&site).await;
        counting(&ctx, 20).await;
        let put = async |key: &str, content: &str| {
            let draft = EntryDraft { content: content.to_owned(), ..EntryDraft::default() };
            memory::put(&ctx, "code/looms", key, draft, Expect::Any, memory::source(&ctx)).await.unwrap();
        };
        put("jacquard", "Punched cards.").await;
        let asked = async |text: &str, key: &str| {
            let list = vec![on(SourceKind::Memory, &format!("code/looms/{key}"), None)];
            did(&ask_so(&ctx, cold(text), depending(list)).await)
        };
        assert_eq!((asked("A", "jacquard").await, asked("B", "hand").await), ("miss", "miss"));
        assert_eq!((asked("A", "jacquard").await, asked("B", "hand").await), ("hit", "hit"));
        put("jacquard", "Cards with holes.").await;
        assert_eq!((asked("A", "jacquard").await, asked("B", "hand").await), ("miss", "hit"));
        put("hand", "Warp and weft.").await;
        assert_eq!((asked("A", "jacquard").await, asked("B", "hand").await), ("hit", "miss"));
        memory::delete(&ctx, "code/looms", "jacquard", Expect::Any).await.unwrap();
        assert_eq!((asked("A", "jacquard").await, asked("B", "hand").await), ("miss", "hit"));
        memory::undelete(&ctx, "code/looms", "jacquard").await.unwrap();
        assert_eq!((asked("A", "jacquard").await, asked("B", "hand").await), ("miss", "hit"));
    }

    async fn what_nothing_depends_on_is_forgotten(site: Site) {
        let rt = crate::gateway::process(&site, site.runtime.clock.clone());
        let ctx = crate::engine::ctx(&rt).await;
        counting(&ctx, 4).await;
        change(&ctx, "a", "1", Some(&["b"])).await;
        change(&ctx, "b", "1", None).await;
        let count = async || -> i64 {
            weft::read!(&rt.db, conn => sqlx::query_scalar("select count(*) from cache_source").fetch_one(conn).await).unwrap()
        };
        cache::sweep(&rt).await.unwrap();
        assert_eq!(count().await, 2);
        rt.clock.advance_ms(31 * 24 * 3_600_000);
        for _ in 0..2 {
            cache::sweep(&rt).await.unwrap();
        }
        assert_eq!(count().await, 0);
    }
}

async fn ask_so_unsettled(ctx: &Ctx, request: Request, wish: CacheWish) -> Answer {
    match gateway::call(ctx, order(request, wish)).await.unwrap() {
        Answered::Whole(answer) => *answer,
        Answered::Live(_) => panic!("no stream was asked for"),
    }
}

/// xorshift64*: the same seed makes the same walk.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % most
    }
}

const SOURCES: u64 = 7;
const QUESTIONS: u64 = 9;
const STEPS: u64 = 160;

/// What is so, told without the code under test.
#[derive(Default)]
struct Truth {
    /// The state of each source, and what it needs: only sources with a higher number.
    sources: BTreeMap<u64, (u64, BTreeSet<u64>)>,
    /// What each question depends on.
    questions: Vec<BTreeSet<u64>>,
    /// The state of all that each kept answer was made of.
    kept: BTreeMap<u64, BTreeMap<u64, (u64, BTreeSet<u64>)>>,
}

impl Truth {
    fn state(&self, question: u64) -> BTreeMap<u64, (u64, BTreeSet<u64>)> {
        let mut open: Vec<u64> = self.questions[question as usize].iter().copied().collect();
        let mut state = BTreeMap::new();
        while let Some(next) = open.pop() {
            let source = self.sources.get(&next).cloned().unwrap_or_default();
            open.extend(&source.1);
            state.insert(next, source);
        }
        state
    }
}

/// One walk: sources change, begin to need others, are told about twice; questions are asked in between.
async fn walk(ctx: &Ctx, seed: u64) {
    let mut chance = Chance(seed | 1);
    let mut truth = Truth::default();
    for _ in 0..QUESTIONS {
        let count = chance.below(4);
        truth.questions.push((0..count).map(|_| chance.below(SOURCES)).collect());
    }
    let name = |source: u64| format!("{seed}/s{source}");
    for step in 0..STEPS {
        let at = format!("seed {seed}, step {step}");
        if chance.below(3) == 0 {
            let source = chance.below(SOURCES);
            let before = truth.sources.get(&source).cloned();
            let fingerprint = 1 + chance.below(3);
            let needs: Option<BTreeSet<u64>> =
                (chance.below(3) == 0).then(|| (source + 1..SOURCES).filter(|_| chance.below(3) == 0).collect());
            let now =
                (fingerprint, needs.clone().or(before.as_ref().map(|before| before.1.clone())).unwrap_or_default());
            truth.sources.insert(source, now.clone());
            let needed: Option<Vec<String>> = needs.map(|needs| needs.into_iter().map(name).collect());
            let needed: Option<Vec<&str>> = needed.as_ref().map(|needed| needed.iter().map(String::as_str).collect());
            let (changed, gone) = change(ctx, &name(source), &fingerprint.to_string(), needed.as_deref()).await;
            assert_eq!(changed, before.as_ref() != Some(&now), "{at}");
            let stale: Vec<u64> = truth
                .kept
                .iter()
                .filter(|(question, state)| truth.state(**question) != **state)
                .map(|(question, _)| *question)
                .collect();
            assert_eq!(gone, stale.len() as i64, "{at}: {stale:?} are stale");
            for question in stale {
                truth.kept.remove(&question);
            }
        } else {
            let question = chance.below(QUESTIONS);
            let state = truth.state(question);
            let list = truth.questions[question as usize]
                .iter()
                .map(|source| on(SourceKind::File, &name(*source), None))
                .collect();
            let answered = ask_so(ctx, cold(&format!("{seed}/{question}")), depending(list)).await;
            let is_kept = truth.kept.get(&question) == Some(&state);
            assert_eq!(is_hit(&answered), is_kept, "{at}: question {question}");
            truth.kept.insert(question, state);
        }
    }
}

on_both_engines! {
    async fn no_stale_answer_is_given_and_none_is_lost_needlessly(site: Site) {
        let ctx = somebody(&site).await;
        counting(&ctx, 2_000).await;
        for seed in [1, 7, 20_261_121, 0x9e37_79b9_7f4a_7c15] {
            walk(&ctx, seed).await;
        }
    }
}
