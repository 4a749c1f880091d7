//! Very many answers at once, whose readers take their time. What that takes of memory is measured on the binary (`tests/faults`, F14S).

use futures::future::join_all;
use weft::gateway::{self, Live};
use weft::model::gateway::{Delta, Limits, ProviderKind, SumBy, UsageFilter};
use weft::runtime::Ctx;

use super::upstream::{Reply, Upstream};
use super::{chunks, draft, drain, somebody, stream};

const STREAMS: usize = 1_000;
const PIECES: usize = 16;

/// Begins to read an answer, and stops after its first words: those, and the rest.
async fn begin(ctx: &Ctx) -> (String, Box<Live>) {
    let mut live = stream(ctx, "big").await.unwrap();
    live.hand_on();
    loop {
        if let Delta::Text { text, .. } = live.next().await.unwrap().unwrap() {
            return (text, live);
        }
    }
}

on_both_engines! {
    async fn a_thousand_answers_at_once_are_read_whole_and_kept_once_each(site: Site) {
        // Both ends of each connection are here.
        rlimit::increase_nofile_limit(8 * STREAMS as u64).unwrap();
        let ctx = somebody(&site).await;
        let pieces: Vec<String> = (0..PIECES).map(|number| format!("{number:04} {}", "x".repeat(1_019))).collect();
        let events = chunks(&pieces.iter().map(String::as_str).collect::<Vec<_>>());
        let upstream = Upstream::start((0..STREAMS).map(|_| Reply::Events(events.clone()))).await;
        let mut acme = draft("acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]);
        acme.limits = Limits::default();
        gateway::create_provider(&ctx, acme).await.unwrap();

        let begun = join_all((0..STREAMS).map(|_| begin(&ctx))).await;
        assert_eq!((begun.len(), upstream.count()), (STREAMS, STREAMS), "all of them are underway");
        let whole = pieces.concat();
        for (first, mut live) in begun {
            let (rest, fault) = drain(&mut live).await;
            assert_eq!(fault, None);
            assert!(first + &rest == whole, "nothing is lost, doubled or out of order");
        }

        gateway::settled(&ctx).await;
        let sums = gateway::sum_usage(&ctx, &UsageFilter { by: SumBy::Model, ..UsageFilter::default() }).await.unwrap();
        let told: Vec<_> = sums.iter().map(|sum| (sum.calls, sum.failed, sum.partial, sum.usage.output)).collect();
        assert_eq!(told, [(STREAMS as i64, 0, 0, 100 * STREAMS as i64)]);
    }
}
