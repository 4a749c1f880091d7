//! Those who watch runs: what they are told, and that they slow nothing.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::broadcast::error::RecvError;
use weft::model::workflow::StepProgress;

use super::*;

/// A server that sends the first half of its answer, and the second when it is let go.
async fn halves() -> (String, std::sync::Arc<tokio::sync::Notify>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let go = std::sync::Arc::new(tokio::sync::Notify::new());
    let gone = std::sync::Arc::clone(&go);
    #[expect(clippy::disallowed_methods, reason = "the test's own server")]
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 2048]).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\nhalf").await.unwrap();
        stream.flush().await.unwrap();
        gone.notified().await;
        let _ = stream.write_all(b"full").await;
    });
    (url, go)
}

on_both_engines! {
    async fn a_watcher_that_does_not_read_slows_no_run(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut asleep = ctx.events.subscribe();
        let each = json!({"id": "each", "kind": "map", "config": {"items": "{{ inputs.list }}"},
            "body": {"steps": [transform("twice", json!("{{ item * 2 }}"))]}});
        // Four events for each item: more than the bus keeps for anybody.
        let list: Vec<i64> = (0..2000).collect();
        let run = start(&ctx, &chain(vec![each]), json!({"list": list})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Succeeded, "{:?}", detail.error);
        assert!(matches!(asleep.recv().await, Err(RecvError::Lagged(_))), "it has missed something and is told so");
    }

    async fn how_far_an_attempt_is_is_told_and_kept_nowhere(site: Site) {
        let runtime = super::flow::with_config(&site, |_| ());
        let ctx = ctx(&runtime).await;
        let mut changes = ctx.events.subscribe();
        let (url, go) = halves().await;
        let run = start(&ctx, &chain(vec![json!({"id": "get", "kind": "http", "config": {"url": url}})]), json!({})).await;
        let told = async {
            loop {
                let change = changes.recv().await.unwrap();
                if change.update.kind == "progress" {
                    return serde_json::from_value::<StepProgress>(change.update.data.clone()).unwrap();
                }
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();
        let expected = StepProgress { step: "get".into(), attempt: 1, text: "4 bytes received".into(), fraction: Some(0.5) };
        assert_eq!(told, expected);
        go.notify_one();
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, &detail.steps[0].output["body"]), (RunStatus::Succeeded, &json!("halffull")));
        let kinds: Vec<_> = workflow::list_events(&ctx, run, 0, 100).await.unwrap().iter().map(|e| e.fact.kind()).collect();
        assert_eq!(kinds, ["run_started", "step_started", "step_succeeded", "run_succeeded"]);
    }
}
