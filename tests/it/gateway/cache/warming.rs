//! Answers that a schedule will ask for, asked anew before it fires. The clock is held.

use serde_json::{Value, json};
use weft::model::TriggerId;
use weft::model::cache::{CacheReport, CacheSettings};
use weft::model::dashboard::Period;
use weft::model::gateway::{CallOutcome, Provider};
use weft::model::trigger::{Missed, Overlap};
use weft::model::workflow::RunStatus;
use weft::runtime::Runtime;
use weft::trigger;

use super::super::{add_hasty, calls, chunks, draft, process};
use super::*;
use crate::engine::end;
use crate::trigger::{firings, make, schedule, to, workflow};

/// A schedule at 08:30 UTC whose one step asks a model.
struct Daily {
    rt: Runtime,
    ctx: Ctx,
    upstream: Upstream,
    acme: Provider,
    trigger: TriggerId,
}

const WARM: CacheSettings = CacheSettings {
    enabled: true,
    programs: weft::model::cache::Programs::Person,
    semantic: weft::model::cache::SemanticSettings { enabled: false, error_budget: 0.01, shadow_percent: 5 },
    warm_minutes: 60,
};

impl Daily {
    async fn new(site: &Site, prompt: &str, settings: CacheSettings) -> Self {
        let rt = process(site, site.runtime.clock.clone());
        let ctx = crate::engine::ctx(&rt).await;
        let upstream = Upstream::start([]).await;
        let acme = add_hasty(&ctx, "acme", &upstream, &["big"]).await;
        cache::update_settings(&ctx, settings).await.unwrap();
        let config = json!({"model": "big", "prompt": prompt, "cache": "always", "max_tokens": 30});
        let steps = vec![json!({"id": "ask", "kind": "prompt", "config": config, "retry": {"max_attempts": 1}})];
        let flow = workflow(&ctx, "Daily", steps).await;
        let mut draft = schedule(flow, "30 9 * * *", Missed::RunOnce, Overlap::Allow);
        draft.inputs = json!({"day": "{{ event.scheduled_for }}"});
        let trigger = make(&ctx, draft).await.trigger.id;
        Self { rt, ctx, upstream, acme, trigger }
    }

    /// Fires at half past eight of this day; the model says this, if it is asked.
    async fn fires(&self, day: &str, says: &str) {
        self.upstream.then(Reply::Events(chunks(&[says])));
        self.fires_as_it_is(day).await;
    }

    async fn fires_as_it_is(&self, day: &str) {
        to(&self.rt, &format!("{day}T08:30:00Z"));
        trigger::look(&self.rt).await.unwrap();
        let run = firings(&self.ctx, self.trigger).await.last().unwrap().run_id.unwrap();
        let run = end(&self.ctx, run).await;
        assert_eq!(run.summary.status, RunStatus::Succeeded, "{run:#?}");
        cache::settled(&self.ctx).await;
        gateway::settled(&self.ctx).await;
    }

    /// Looks at this moment; how many calls were made.
    async fn warms(&self, at: &str) -> u32 {
        to(&self.rt, at);
        let made = trigger::warm(&self.rt).await.unwrap();
        cache::settled(&self.ctx).await;
        made
    }

    async fn report(&self) -> CacheReport {
        gateway::settled(&self.ctx).await;
        weft::monitor::cache(&self.ctx, Period::Day).await.unwrap()
    }
}

on_both_engines! {
    async fn what_two_runs_of_a_schedule_asked_is_asked_anew_before_the_third(site: Site) {
        let daily = Daily::new(&site, "What is new?", WARM).await;
        let asked = || daily.upstream.count();
        daily.fires("2026-11-21", "One.").await;
        assert_eq!(daily.warms("2026-11-22T08:00:00Z").await, 0, "one run says nothing of the next");
        daily.fires("2026-11-22", "Two.").await;
        assert_eq!(asked(), 2, "the answer of yesterday is too old");

        assert_eq!(daily.warms("2026-11-23T07:29:59Z").await, 0, "not before its time");
        daily.upstream.then(Reply::Json(200, answer("Three.")));
        assert_eq!(daily.warms("2026-11-23T08:00:00Z").await, 1);
        assert_eq!(daily.warms("2026-11-23T08:01:00Z").await, 0, "once for a firing");
        assert_eq!(asked(), 3);
        let sent = daily.upstream.seen();
        let said = |at: usize| sent[at].body["messages"].clone();
        assert_eq!((said(2), &sent[2].body["stream"]), (said(1), &json!(false)));

        daily.fires_as_it_is("2026-11-23").await;
        assert_eq!(asked(), 3, "the run found it");
        let log = calls(&daily.ctx).await;
        assert_eq!((log[0].source, log[0].cache.unwrap().outcome), (CallSource::Step, CacheOutcome::Hit));
        assert_eq!((log[1].source, log[1].outcome), (CallSource::Cache, CallOutcome::Complete));
        assert_eq!((log[1].usage.prompt(), log[1].usage.output), (1000, 100));
        let why = "asked for anew before the schedule Ours fires; acme/big answered";
        assert_eq!(log[1].choice.why(), why);
        let report = daily.report().await;
        assert_eq!((report.warmed, report.warmed_given), (1, 1));

        // Its time is over an hour before it is asked for again: it stays, to be asked anew, and is given to nobody.
        to(&daily.rt, "2026-11-24T08:00:00Z");
        assert_eq!(cache::sweep(&daily.rt).await.unwrap(), 0);
        daily.upstream.then(Reply::Json(200, answer("Four.")));
        assert_eq!(daily.warms("2026-11-24T08:10:00Z").await, 1);
        // Nobody asks for more than a week: what was asked is forgotten, and so is the answer.
        to(&daily.rt, "2026-12-03T08:00:00Z");
        assert_eq!(cache::sweep(&daily.rt).await.unwrap(), 1);
    }

    async fn what_differs_from_run_to_run_is_not_asked_anew(site: Site) {
        let daily = Daily::new(&site, "What is new on {{ inputs.day }}?", WARM).await;
        daily.fires("2026-11-21", "One.").await;
        daily.fires("2026-11-22", "Two.").await;
        assert_eq!(daily.warms("2026-11-23T08:00:00Z").await, 0);
        assert_eq!(daily.upstream.count(), 2);
    }

    async fn nothing_is_asked_anew_where_nobody_wants_it(site: Site) {
        let daily = Daily::new(&site, "What is new?", CacheSettings::default()).await;
        daily.fires("2026-11-21", "One.").await;
        daily.fires("2026-11-22", "Two.").await;
        assert_eq!(daily.warms("2026-11-23T08:00:00Z").await, 0);
        // What was asked before somebody wanted it is not known.
        cache::update_settings(&daily.ctx, WARM).await.unwrap();
        assert_eq!(daily.warms("2026-11-23T08:01:00Z").await, 0);
        assert_eq!(cache::sweep(&daily.rt).await.unwrap(), 0);
        to(&daily.rt, "2026-11-23T08:30:00Z");
        assert_eq!(cache::sweep(&daily.rt).await.unwrap(), 1, "it is forgotten in time");
    }

    async fn a_call_that_fails_is_not_made_again_and_the_run_asks_for_itself(site: Site) {
        let daily = Daily::new(&site, "What is new?", WARM).await;
        daily.fires("2026-11-21", "One.").await;
        daily.fires("2026-11-22", "Two.").await;
        daily.upstream.then(Reply::Json(500, json!({"error": {"message": "oops"}})));
        assert_eq!(daily.warms("2026-11-23T08:00:00Z").await, 1);
        assert_eq!(daily.warms("2026-11-23T08:01:00Z").await, 0);
        assert_eq!(calls(&daily.ctx).await[0].outcome, CallOutcome::Failed);
        daily.fires("2026-11-23", "Three.").await;
        assert_eq!(daily.upstream.count(), 4);
        assert_eq!(daily.report().await.warmed, 0);
    }

    async fn a_budget_holds_what_is_asked_anew(site: Site) {
        let daily = Daily::new(&site, "What is new?", WARM).await;
        let price = json!({"model": "big", "input": 1_000_000, "output": 1_000_000});
        gateway::put_price(&daily.ctx, daily.acme.id, serde_json::from_value(price).unwrap()).await.unwrap();
        daily.fires("2026-11-21", "One.").await;
        daily.fires("2026-11-22", "Two.").await;
        let budget = json!({"name": "Tools", "scope": "workspace", "period": "day", "limit_micros": 1});
        gateway::create_budget(&daily.ctx, serde_json::from_value(budget).unwrap()).await.unwrap();
        assert_eq!(daily.warms("2026-11-23T08:00:00Z").await, 1);
        assert_eq!(daily.upstream.count(), 2, "nobody was asked");
        let log = calls(&daily.ctx).await;
        assert!(log[0].error.as_ref().unwrap().contains("Tools"), "{:?}", log[0].error);
    }

    async fn another_address_makes_another_question(site: Site) {
        let daily = Daily::new(&site, "What is new?", WARM).await;
        daily.fires("2026-11-21", "One.").await;
        daily.fires("2026-11-22", "Two.").await;
        let elsewhere = Upstream::start([]).await;
        let moved = draft("acme", ProviderKind::OpenAiCompatible, &elsewhere, &["big"]);
        gateway::update_provider(&daily.ctx, daily.acme.id, daily.acme.revision, moved).await.unwrap();
        assert_eq!(daily.warms("2026-11-23T08:00:00Z").await, 0);
        assert_eq!((daily.upstream.count(), elsewhere.count()), (2, 0));
    }
}

#[tokio::test]
async fn a_time_that_is_none_is_refused_by_its_name() {
    let site = Site::sqlite().await;
    let ctx = crate::engine::ctx(&process(&site, site.runtime.clock.clone())).await;
    let wanted = CacheSettings { warm_minutes: 1_441, ..WARM };
    let cache::Error::Invalid(faults) = cache::update_settings(&ctx, wanted).await.unwrap_err() else {
        panic!("it is refused for what was given");
    };
    assert_eq!((faults[0].pointer.as_str(), faults[0].message.as_str()), ("/warm_minutes", "expected 0 to 1440"));
    let kept: Value = serde_json::to_value(cache::get_settings(&ctx).await.unwrap()).unwrap();
    assert_eq!(kept["warm_minutes"], 0);
}
