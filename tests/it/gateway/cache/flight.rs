//! Many who ask the same at once: one asks the model, and whatever becomes of it, nobody is left.

use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::Notify;
use weft::gateway::Live;
use weft::model::cache::CacheMode;
use weft::model::gateway::{FaultClass, PriceDraft};

use super::super::{calls, chunks, drain, first_chunks};
use super::*;

/// A whole answer that comes in two halves.
fn halves(text: &str, go_on: &Arc<Notify>) -> Reply {
    let first = first_chunks(&[text]);
    let rest = chunks(&[text])[first.len()..].to_owned();
    Reply::Halves(first, go_on.clone(), rest)
}

async fn lead(ctx: &Ctx) -> Box<Live> {
    let request = Request { stream: true, ..cold("x") };
    match gateway::call(ctx, order(request, CacheWish::default())).await.unwrap() {
        Answered::Live(live) => live,
        Answered::Whole(_) => panic!("a stream was asked for"),
    }
}

async fn text_of(ctx: &Ctx) -> Result<(String, Option<CacheTier>), String> {
    match gateway::call(ctx, order(cold("x"), CacheWish::default())).await {
        Ok(Answered::Whole(answer)) => Ok((answer.response.text(), tier(&answer))),
        Ok(Answered::Live(_)) => panic!("no stream was asked for"),
        Err(error) => Err(error.to_string()),
    }
}

/// All of them ask, and none is answered.
async fn let_them_wait<F: Future>(waiting: &mut [std::pin::Pin<Box<F>>]) {
    let any = futures::future::select_all(waiting.iter_mut());
    assert!(tokio::time::timeout(std::time::Duration::from_millis(300), any).await.is_err(), "somebody did not wait");
}

on_both_engines! {
    async fn who_takes_kept_answers_only_waits_for_none_that_is_on_its_way(site: Site) {
        let ctx = somebody(&site).await;
        let go_on = Arc::new(Notify::new());
        let upstream = Upstream::start([halves("A loom.", &go_on)]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let only = || CacheWish { mode: CacheMode::Always, only: true, ..CacheWish::default() };
        let mut leader = lead(&ctx).await;
        let Err(gateway::Error::Fault(fault)) = gateway::call(&ctx, order(cold("x"), only())).await else {
            panic!("nothing is kept yet")
        };
        assert_eq!(fault.class, FaultClass::Uncached);
        go_on.notify_one();
        drain(&mut leader).await;
        drop(leader);
        cache::settled(&ctx).await;
        assert_eq!(did(&ask_so(&ctx, cold("x"), only()).await), "hit");
        assert_eq!(upstream.count(), 1);
    }

    async fn fifty_who_ask_the_same_ask_the_model_once(site: Site) {
        let ctx = somebody(&site).await;
        let go_on = Arc::new(Notify::new());
        let upstream = Upstream::start([halves("A loom.", &go_on)]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let price: PriceDraft = serde_json::from_value(serde_json::json!({"model": "big", "input": 1_000_000, "output": 10_000_000})).unwrap();
        gateway::put_price(&ctx, acme.id, price).await.unwrap();
        let mut leader = lead(&ctx).await;
        let mut waiting: Vec<_> = (0..50).map(|_| Box::pin(text_of(&ctx))).collect();
        let_them_wait(&mut waiting).await;
        // One of them goes away, and nobody minds.
        drop(waiting.pop());
        go_on.notify_one();
        assert_eq!(drain(&mut leader).await.0, "A loom.");
        for answered in join_all(waiting).await {
            assert_eq!(answered, Ok(("A loom.".to_owned(), Some(CacheTier::Shared))));
        }
        assert_eq!(upstream.count(), 1);
        let log = calls(&ctx).await;
        let saved: i64 = log.iter().filter_map(|call| call.cache?.saved_micros).sum();
        // The leader is the oldest, on the next page.
        assert_eq!((log.len(), saved), (50, 49 * 2_000));
    }

    async fn when_the_one_goes_away_exactly_one_other_asks(site: Site) {
        let ctx = somebody(&site).await;
        let (stuck, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let upstream = Upstream::start([halves("Never.", &stuck), Reply::Json(200, answer("A loom."))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let leader = lead(&ctx).await;
        let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(text_of(&ctx))).collect();
        let_them_wait(&mut waiting).await;
        assert_eq!(upstream.count(), 1);
        drop(leader);
        let texts: Vec<_> = join_all(waiting).await.into_iter().map(|answered| answered.unwrap().0).collect();
        assert_eq!(texts, vec!["A loom."; 20]);
        assert_eq!(upstream.count(), 2);
        drop(go_on);
    }

    async fn a_failure_is_not_shared(site: Site) {
        let ctx = somebody(&site).await;
        let go_on = Arc::new(Notify::new());
        let broken = Reply::Halves(first_chunks(&["A"]), go_on.clone(), "data: {\"error\": {\"message\": \"no\"}}\n\n".to_owned());
        let replies = [broken, Reply::Json(400, serde_json::json!({"error": {"message": "bad"}})), Reply::Json(200, answer("A loom."))];
        let upstream = Upstream::start(replies).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let mut leader = lead(&ctx).await;
        let mut waiting: Vec<_> = (0..10).map(|_| Box::pin(text_of(&ctx))).collect();
        let_them_wait(&mut waiting).await;
        go_on.notify_one();
        assert!(drain(&mut leader).await.1.is_some());
        let answers = join_all(waiting).await;
        let failed = answers.iter().filter(|answered| answered.is_err()).count();
        assert_eq!((failed, upstream.count()), (1, 3), "{answers:?}");
        assert!(answers.iter().flatten().all(|(text, _)| text == "A loom."));
    }

    async fn an_answer_that_is_not_kept_lets_each_ask_on_their_own(site: Site) {
        let ctx = somebody(&site).await;
        let go_on = Arc::new(Notify::new());
        let mut cut = answer("A loo");
        cut["choices"][0]["finish_reason"] = serde_json::json!("length");
        let whole = chunks(&["A loo"]).replace("\"stop\"", "\"length\"");
        let first = first_chunks(&["A loo"]);
        let replies = std::iter::once(Reply::Halves(first.clone(), go_on.clone(), whole[first.len()..].to_owned()))
            .chain((0..4).map(|_| Reply::Json(200, cut.clone())));
        let upstream = Upstream::start(replies).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let mut leader = lead(&ctx).await;
        let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(text_of(&ctx))).collect();
        let_them_wait(&mut waiting).await;
        go_on.notify_one();
        drain(&mut leader).await;
        assert!(join_all(waiting).await.into_iter().all(|answered| answered == Ok(("A loo".to_owned(), None))));
        assert_eq!(upstream.count(), 5);
    }
}
