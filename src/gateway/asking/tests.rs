//! A provider that is down for ten minutes while a thousand runs wait for it: what it gets to do before, meanwhile and after. The
//! clock is held, and the provider answers at once, so that all that takes time is what we do ourselves.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::poll;

use super::super::ask::Ask;
use super::super::candidates::Candidate;
use super::super::store::provider::ProviderRow;
use super::super::upstream::Endpoint;
use super::Asking;
use crate::model::Timestamp;
use crate::model::gateway::{Choice, Fault, FaultClass, Model, ProviderKind, Usage};
use crate::runtime::outbound::Outbound;
use crate::runtime::{Clock, Config, Ctx, Ids, Keys, Runtime};

/// Calls a second of those who don't wait: programs that are told that it failed, and go.
const USUAL: u32 = 20;
/// Runs that wait until they are answered.
const RUNS: u32 = 1_000;
/// Seconds from the beginning until it is down, and until it is up again.
const DOWN: u64 = 90;
const UP: u64 = DOWN + 600;

/// A provider by the clock, and the calls that reached it in each second.
struct Provider {
    clock: Clock,
    began: Duration,
    reached: Mutex<BTreeMap<u64, u32>>,
}

impl Provider {
    fn second(&self) -> u64 {
        self.clock.steady().saturating_sub(self.began).as_secs()
    }

    /// The most calls in a second of these, and all of them.
    fn load(&self, seconds: std::ops::Range<u64>) -> (u32, u32) {
        let reached = self.reached.lock().unwrap();
        let calls = || reached.range(seconds.clone()).map(|(_, calls)| *calls);
        (calls().max().unwrap_or_default(), calls().sum())
    }
}

impl Ask for Provider {
    type Got = ();

    fn expected(&self) -> Usage {
        Usage::default()
    }

    async fn ask(&self, _http: &Outbound, _endpoint: &Endpoint, _model: &Model) -> Result<(), Fault> {
        let second = self.second();
        *self.reached.lock().unwrap().entry(second).or_default() += 1;
        if (DOWN..UP).contains(&second) { Err(Fault::new(FaultClass::Upstream, "it is down")) } else { Ok(()) }
    }
}

struct Scene {
    ctx: Ctx,
    row: ProviderRow,
    candidate: Candidate,
    provider: Provider,
    /// Runs that were answered, and when the last one was.
    answered: AtomicU32,
    last: Mutex<u64>,
}

impl Scene {
    async fn new(folder: &std::path::Path) -> Self {
        let config = Config::isolated(folder);
        let db = crate::db::Db::open(&crate::db::Options::new(config.database_url.clone())).await.unwrap();
        let clock = Clock::manual(Timestamp(1_795_248_000_000_000));
        let runtime = Runtime::new(config, db, clock.clone(), Keys::ephemeral(&Ids), Outbound::default());
        let ctx = runtime.system(runtime.ids.fresh());
        let row = ProviderRow::imagined(runtime.ids.fresh(), "acme", ProviderKind::OpenAiCompatible);
        let provider = Provider { began: clock.steady(), clock, reached: Mutex::default() };
        let candidate = Candidate { provider: 0, model: Model::named("big") };
        Self { ctx, row, candidate, provider, answered: AtomicU32::new(0), last: Mutex::new(0) }
    }

    async fn ask(&self) -> Result<(), Fault> {
        let (mut choice, mut away) = (Choice::default(), Duration::ZERO);
        let mut asking = Asking::new(&self.ctx, &mut choice, &mut away);
        let ((), permit) = asking.ask(&self.provider, &self.row, &self.candidate, false).await?;
        permit.succeed();
        Ok(())
    }

    /// A run whose step is tried again and again, as the engine does it, and not before it is told to.
    async fn wait_for_it(&self) {
        let mut backoff_ms = 500;
        while let Err(fault) = self.ask().await {
            let jittered = (f64::from(backoff_ms) * (0.5 + 0.5 * self.ctx.ids.fraction())) as u64;
            backoff_ms = (backoff_ms * 2).min(30_000);
            let wait = jittered.max(fault.retry_after_ms.unwrap_or_default());
            self.ctx.clock.sleep_ms(wait as i64).await;
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap() = self.provider.second();
    }

    async fn ask_once(&self) {
        // Whoever is told that it failed goes.
        let _ = self.ask().await;
    }
}

type Caller<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Lets everybody go on until they wait for the clock, which is then moved.
async fn tick(scene: &Scene, callers: &mut Vec<Caller<'_>>, ms: i64) {
    let mut still = Vec::with_capacity(callers.len());
    for mut caller in callers.drain(..) {
        if poll!(&mut caller).is_pending() {
            still.push(caller);
        }
    }
    *callers = still;
    scene.ctx.clock.advance_ms(ms);
}

#[tokio::test]
async fn a_provider_that_comes_back_is_not_overrun_by_a_thousand_runs_that_waited() {
    let folder = tempfile::TempDir::new().unwrap();
    let scene = Scene::new(folder.path()).await;
    let mut callers: Vec<Caller<'_>> = Vec::new();
    let mut runs = 0;
    while scene.provider.second() < UP + 300 {
        let second = scene.provider.second();
        // Seconds of the outage are alike; what comes right after it is looked at closely.
        let ms: u32 = if (UP..UP + 120).contains(&second) { 200 } else { 1_000 };
        for _ in 0..USUAL * ms / 1_000 {
            callers.push(Box::pin(tokio::task::unconstrained(scene.ask_once())));
        }
        // The runs come to it while it is down, over some minutes.
        let due = second.checked_sub(DOWN + 10).map_or(0, |since| u32::try_from(since).unwrap() * 5).min(RUNS);
        while runs < due {
            callers.push(Box::pin(tokio::task::unconstrained(scene.wait_for_it())));
            runs += 1;
        }
        tick(&scene, &mut callers, i64::from(ms)).await;
    }
    let provider = &scene.provider;
    assert_eq!(provider.load(0..DOWN), (USUAL, USUAL * u32::try_from(DOWN).unwrap()));
    // Until the breaker opens each call may be made again, within the budget; then one at a time tries it.
    let (_, first) = provider.load(DOWN..DOWN + 15);
    assert!(first <= USUAL * 15 * 2, "{first} calls while it fell ill");
    let (most, all) = provider.load(DOWN + 15..UP);
    assert!(most <= 2 && all <= 12, "{all} calls while it was down, {most} in a second");
    let (most, all) = provider.load(UP..UP + 300);
    assert!(most <= 2 * USUAL, "{most} calls in a second after it came back, {USUAL} are usual");
    assert_eq!(scene.answered.load(Ordering::Relaxed), RUNS, "all were answered in the end ({all} calls)");
    let last = *scene.last.lock().unwrap();
    assert!(last <= UP + 180, "the last of them {} s after it came back", last - UP);
    assert_eq!(provider.load(UP + 250..UP + 300), (USUAL, USUAL * 50), "and then all is as before");
}
