//! Flow control: which runs may begin, in what order, and why one waits.

use futures::future::join_all;
use weft::model::workflow::why::{Code, Unblock};
use weft::model::workflow::{RunFilter, RunSummary};
use weft::model::{ApiError, PageRequest};

use super::*;

mod drawn;
mod keys;
mod places;
mod processes;
mod quotas;
mod retention;

pub use keys::{Gate, waits_for};

/// A workflow whose runs are in progress until they are cancelled or a minute has passed.
fn limited(flow: Value) -> Definition {
    let mut definition = chain(vec![wait("hold", 60_000)]);
    definition.inputs = any_of(&["customer", "level"]);
    definition.flow = serde_json::from_value(flow).unwrap();
    definition
}

fn by_customer(limit: u32) -> Definition {
    limited(json!({"concurrency": {"key": "{{ inputs.customer }}", "limit": limit}}))
}

/// A process like the site's with other settings.
pub fn with_config(site: &Site, by: impl FnOnce(&mut Config)) -> Runtime {
    let mut config = Config::isolated(site.folder.path());
    by(&mut config);
    let allowed = weft::runtime::outbound::Policy::allowing(&["127.0.0.0/8"]).unwrap();
    Runtime::new(
        config,
        site.runtime.db.clone(),
        site.runtime.clock.clone(),
        site.runtime.keys.clone(),
        Outbound::new(allowed),
    )
}

async fn runs(ctx: &Ctx, statuses: &[RunStatus]) -> Vec<RunSummary> {
    let filter = RunFilter { statuses: statuses.to_vec(), ..RunFilter::default() };
    let mut all: Vec<RunSummary> = Vec::new();
    let mut page = PageRequest { limit: 200, cursor: None };
    loop {
        let found = workflow::list_runs(ctx, &filter, &page).await.unwrap();
        all.extend(found.items);
        page.cursor = found.next;
        if page.cursor.is_none() {
            all.reverse();
            return all;
        }
    }
}

/// The runs that have begun and not ended, oldest first.
async fn in_progress(ctx: &Ctx) -> Vec<RunId> {
    let found = runs(ctx, &[RunStatus::Running, RunStatus::Waiting, RunStatus::Paused]).await;
    found.into_iter().map(|run| run.id).collect()
}

/// Looks again with every change, and every now and then, until it is so.
async fn eventually(ctx: &Ctx, what: &str, mut so: impl AsyncFnMut() -> bool) {
    let mut changes = ctx.events.subscribe();
    let work = async {
        while !so().await {
            // Not everything is a change of a run: who has it in hand is not.
            let _ = tokio::time::timeout(Duration::from_millis(50), changes.recv()).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), work).await.is_ok(), "never: {what}");
}

async fn cancel(ctx: &Ctx, run: RunId) {
    workflow::control(ctx, run, Command::Cancel).await.unwrap();
}

/// The one reason why a run waits.
async fn why(ctx: &Ctx, run: RunId) -> weft::model::workflow::why::Why {
    let mut whys = workflow::why_waiting(ctx, run).await.unwrap();
    assert_eq!(whys.len(), 1, "{whys:#?}");
    whys.remove(0)
}

/// The order in which runs begin, where one at a time is in progress: each is cancelled when it waits.
async fn order(ctx: &Ctx, count: usize) -> Vec<RunId> {
    let mut begun = Vec::new();
    while begun.len() < count {
        let mut now = Vec::new();
        eventually(ctx, "the next begins", async || {
            now = runs(ctx, &[RunStatus::Waiting]).await;
            !now.is_empty()
        })
        .await;
        assert_eq!(now.len(), 1);
        cancel(ctx, now[0].id).await;
        begun.push(now[0].id);
    }
    begun
}
