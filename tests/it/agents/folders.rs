//! The folders that agents work in, when their runs are over.

use std::path::PathBuf;
use std::time::Duration;

use weft::workflow;

use super::*;

/// The folder of an agent in a run, with something in it.
fn folder(ctx: &Ctx, run: &str) -> PathBuf {
    let path = ctx.config.data_dir.join("work").join(format!("agent-{run}-0123456789ab"));
    std::fs::create_dir_all(path.join("tree/src")).unwrap();
    std::fs::write(path.join("tree/src/loom.rs"), "fn weave() {}").unwrap();
    path
}

/// Looks again until none of these is there.
async fn gone(paths: &[PathBuf]) {
    let look = async {
        while paths.iter().any(|path| path.exists()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), look).await.expect("what nobody needs is removed");
}

on_both_engines! {
    async fn what_an_agent_left_goes_once_nobody_can_need_it(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let of = async |status| folder(&ctx, &run(&ctx, status).await.to_string());
        let failed_long_ago = of(RunStatus::Failed).await;
        ctx.clock.advance_ms(8 * DAY_MS);
        let forgotten: RunId = ctx.ids.fresh();
        let over = [
            of(RunStatus::Succeeded).await,
            of(RunStatus::Cancelled).await,
            folder(&ctx, &forgotten.to_string()),
            failed_long_ago,
        ];
        let kept = [
            of(RunStatus::Waiting).await,
            of(RunStatus::Paused).await,
            // Its steps may be tried again for seven days.
            of(RunStatus::Failed).await,
            folder(&ctx, "of-somebody-else"),
        ];
        workflow::boot(&site.runtime).await.unwrap();
        gone(&over).await;
        // What is underway ends with it: the look at all of them is over.
        assert!(site.runtime.tasks.stop(Duration::from_secs(60)).await, "it drains");
        for path in kept {
            assert!(path.join("tree/src/loom.rs").exists(), "{}", path.display());
        }
    }
}
