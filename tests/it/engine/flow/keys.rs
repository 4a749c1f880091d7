//! Keys and slots of steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::*;

/// A server whose answers wait until they are let go, one for each permit; counts who is being served.
pub struct Gate {
    pub url: String,
    pub answers: Arc<Semaphore>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Gate {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let gate = Self { url, answers: Arc::new(Semaphore::new(0)), now: Arc::default(), most: Arc::default() };
        let (answers, now, most) = (Arc::clone(&gate.answers), Arc::clone(&gate.now), Arc::clone(&gate.most));
        #[expect(clippy::disallowed_methods, reason = "the test's own server")]
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (answers, now, most) = (Arc::clone(&answers), Arc::clone(&now), Arc::clone(&most));
                tokio::spawn(async move {
                    let mut head = [0; 2048];
                    let _ = stream.read(&mut head).await;
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    answers.acquire().await.unwrap().forget();
                    now.fetch_sub(1, Ordering::SeqCst);
                    let _ =
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
                });
            }
        });
        gate
    }

    /// Waits until so many are being served.
    pub async fn serves(&self, count: usize) {
        let work = async {
            while self.now.load(Ordering::SeqCst) != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), work).await.unwrap();
    }

    /// How many were served at once at most.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub fn step(&self, id: &str, more: Value) -> Value {
        let mut step = json!({"id": id, "kind": "http", "config": {"url": self.url}});
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step
    }
}

/// Waits until the step of a run says that it waits for this.
pub async fn waits_for(ctx: &Ctx, run: RunId, code: Code) -> weft::model::workflow::why::Why {
    let work = async {
        loop {
            let whys = workflow::why_waiting(ctx, run).await.unwrap();
            if let Some(why) = whys.into_iter().find(|why| why.code == code) {
                return why;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), work).await.unwrap()
}

on_both_engines! {
    async fn steps_of_different_runs_share_a_key(site: Site) {
        let gate = Gate::open().await;
        let runtime = with_config(&site, |_| ());
        let ctx = ctx(&runtime).await;
        let definition = chain(vec![gate.step("call", json!({"concurrency": {"key": "crm {{ inputs.n }}", "limit": 2}}))]);
        let mut all = Vec::new();
        for _ in 0..6 {
            all.push(start(&ctx, &definition, json!({"n": 1})).await);
        }
        let last = waits_for(&ctx, all[5], Code::StepKey).await;
        assert_eq!(last.step.as_deref(), Some("call"));
        assert!(last.sentence.contains("crm 1"), "{}", last.sentence);
        assert_eq!(last.unblocks.len(), 2, "{last:?}");
        gate.serves(2).await;
        gate.answers.add_permits(6);
        for run in all {
            assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        }
        assert_eq!(gate.most(), 2);
    }

    async fn steps_inside_of_a_container_share_a_key_and_give_it_on(site: Site) {
        let gate = Gate::open().await;
        let runtime = with_config(&site, |_| ());
        let ctx = ctx(&runtime).await;
        let call = gate.step("call", json!({"concurrency": {"key": "crm", "limit": 2}}));
        let each = json!({"id": "each", "kind": "map", "config": {"items": [1, 2, 3, 4, 5, 6], "concurrency": 6},
            "body": {"steps": [call]}});
        let first = start(&ctx, &chain(vec![each.clone()]), json!({})).await;
        gate.serves(2).await;
        gate.answers.add_permits(12);
        assert_eq!(end(&ctx, first).await.summary.status, RunStatus::Succeeded);
        // Nothing of the key is left with a run that has ended.
        let second = start(&ctx, &chain(vec![each]), json!({})).await;
        assert_eq!(end(&ctx, second).await.summary.status, RunStatus::Succeeded);
        assert_eq!(gate.most(), 2);
    }

    async fn a_failed_item_gives_the_key_of_what_was_beside_it_on(site: Site) {
        let gate = Gate::open().await;
        let runtime = with_config(&site, |_| ());
        // A run that only waits is taken up again by the timer.
        workflow::boot(&runtime).await.unwrap();
        let ctx = ctx(&runtime).await;
        let call = gate.step("call", json!({"concurrency": {"key": "crm"}}));
        // The item fails while its other step has the key and is at work.
        let broken = json!({"id": "broken", "kind": "event", "config": {"key": "stop", "deadline_ms": 60_000}});
        let fails = json!({"id": "fails", "kind": "transform", "config": {"value": "{{ steps.broken.output.nothing.at_all }}"}});
        let each = json!({"id": "each", "kind": "map", "config": {"items": [1], "on_item_error": "collect"},
            "body": {"steps": [call.clone(), broken, fails], "edges": [{"from": "broken", "to": "fails"}]}});
        let hold = json!({"id": "hold", "kind": "event", "config": {"key": "go on"}});
        let first = start(&ctx, &chain(vec![each, hold]), json!({})).await;
        gate.serves(1).await;
        workflow::events::send(&ctx, "stop", &json!({}), None).await.unwrap();
        // The run goes on, and its key is given back all the same.
        until(&ctx, first, RunStatus::Waiting).await;
        gate.answers.add_permits(2);
        let second = start(&ctx, &chain(vec![call]), json!({})).await;
        assert_eq!(end(&ctx, second).await.summary.status, RunStatus::Succeeded);
        workflow::events::send(&ctx, "go on", &json!({}), None).await.unwrap();
        assert_eq!(end(&ctx, first).await.summary.status, RunStatus::Succeeded);
    }

    async fn a_step_that_waits_for_its_key_is_cancelled_and_the_holder_gives_it_on(site: Site) {
        let gate = Gate::open().await;
        let runtime = with_config(&site, |_| ());
        let ctx = ctx(&runtime).await;
        let definition = chain(vec![gate.step("call", json!({"concurrency": {"key": "crm"}}))]);
        let first = start(&ctx, &definition, json!({})).await;
        gate.serves(1).await;
        let second = start(&ctx, &definition, json!({})).await;
        let third = start(&ctx, &definition, json!({})).await;
        assert_eq!(waits_for(&ctx, second, Code::StepKey).await.unblocks, [Unblock::run(first, "chain")]);
        cancel(&ctx, second).await;
        cancel(&ctx, first).await;
        // The third has the key, though the first never answered.
        gate.answers.add_permits(2);
        assert_eq!(end(&ctx, third).await.summary.status, RunStatus::Succeeded);
    }

    async fn a_key_falls_with_the_process_that_had_it(site: Site) {
        let gate = Gate::open().await;
        let dead = with_config(&site, |_| ());
        let first = ctx(&dead).await;
        let definition = chain(vec![gate.step("call", json!({"concurrency": {"key": "crm"}}))]);
        let holder = start(&first, &definition, json!({})).await;
        let waiting = start(&first, &definition, json!({})).await;
        waits_for(&first, waiting, Code::StepKey).await;
        let policy = weft::runtime::outbound::Policy::allowing(&["127.0.0.0/8"]).unwrap();
        let clock = Clock::manual(site.runtime.clock.now().plus_ms(20_000));
        let config = Config::isolated(site.folder.path());
        let second = Runtime::new(config, site.runtime.db.clone(), clock, site.runtime.keys.clone(), Outbound::new(policy));
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(first.actor.clone(), String::new());
        gate.answers.add_permits(10);
        assert_eq!(end(&ctx, holder).await.summary.status, RunStatus::Succeeded);
        assert_eq!(end(&ctx, waiting).await.summary.status, RunStatus::Succeeded);
    }

    async fn a_step_says_that_it_waits_for_slots(site: Site) {
        let gate = Gate::open().await;
        let runtime = with_config(&site, |config| config.max_steps = 2);
        let ctx = ctx(&runtime).await;
        let first = start(&ctx, &chain(vec![gate.step("call", json!({}))]), json!({})).await;
        eventually(&ctx, "the first works", async || {
            workflow::get_run(&ctx, first).await.unwrap().steps[0].status == StepStatus::Running
        }).await;
        let heavy = start(&ctx, &chain(vec![gate.step("heavy", json!({"slots": 2}))]), json!({})).await;
        let reason = waits_for(&ctx, heavy, Code::Slots).await;
        assert_eq!((reason.step.as_deref(), reason.position), (Some("heavy"), Some(1)));
        assert_eq!(reason.sentence, "Waits for 2 slots of the server: 1 of 2 are taken.");
        assert_eq!(reason.unblocks, [Unblock::Slot { busy: 1, total: 2 }]);
        gate.answers.add_permits(2);
        assert_eq!(end(&ctx, heavy).await.summary.status, RunStatus::Succeeded);
        assert_eq!(end(&ctx, first).await.summary.status, RunStatus::Succeeded);
    }

    async fn a_step_that_is_tried_again_gives_its_key_back_meanwhile(site: Site) {
        let runtime = with_config(&site, |_| ());
        let ctx = ctx(&runtime).await;
        let refused = json!({"id": "call", "kind": "http", "config": {"url": "http://127.0.0.1:9/"},
            "concurrency": {"key": "crm"}, "retry": {"max_attempts": 2, "initial_ms": 30_000, "jitter": false}});
        let first = start(&ctx, &chain(vec![refused]), json!({})).await;
        until(&ctx, first, RunStatus::Waiting).await;
        let reason = why(&ctx, first).await;
        assert_eq!(reason.code, Code::Retry);
        assert_eq!(reason.unblocks, [Unblock::Time { at: ctx.clock.now().plus_ms(30_000) }]);
        let gate = Gate::open().await;
        gate.answers.add_permits(1);
        let second = start(&ctx, &chain(vec![gate.step("call", json!({"concurrency": {"key": "crm"}}))]), json!({})).await;
        assert_eq!(end(&ctx, second).await.summary.status, RunStatus::Succeeded);
    }
}
