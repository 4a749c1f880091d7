//! Maps over files and pages of the web: items that come while the map runs.

use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tempfile::TempDir;

use super::flow::with_config;
use super::*;

/// A folder that steps may read in: the site's own is the data folder.
fn folder() -> TempDir {
    TempDir::new().unwrap()
}

/// A map over a file with this text.
fn over(folder: &TempDir, text: &str, config: Value, body: Value) -> Definition {
    let path = folder.path().join("items.jsonl");
    std::fs::write(&path, text).unwrap();
    let mut config = config;
    config["file"] = json!(path);
    let mut definition = chain(vec![json!({"id": "each", "kind": "map", "config": config, "body": body})]);
    definition.output = json!("{{ steps.each.output }}");
    definition
}

/// A server with three pages of orders: the first leads on by a cursor, the second by an address, the last to nothing. Whoever
/// lacks the key is refused.
async fn orders(runtime: &Runtime) -> String {
    async fn page(Query(asked): Query<std::collections::BTreeMap<String, String>>, headers: HeaderMap) -> Response {
        if headers.get("x-key").is_none_or(|key| key != "sesame") {
            return StatusCode::FORBIDDEN.into_response();
        }
        let page = match asked.get("cursor").map(String::as_str) {
            None => json!({"items": [{"n": 1}, {"n": 2}], "next": "second"}),
            Some("second") => json!({"items": [{"n": 3}], "next": "/orders?cursor=last"}),
            Some("last") => json!([{"n": 4}]),
            Some(_) => return StatusCode::NOT_FOUND.into_response(),
        };
        axum::Json(page).into_response()
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/orders", listener.local_addr().unwrap());
    let app = axum::Router::new().route("/orders", axum::routing::get(page));
    runtime.tasks.spawn("a test's server", async move { axum::serve(listener, app).await.unwrap() });
    url
}

on_both_engines! {
    async fn pages_of_a_web_address_are_followed_to_the_last(site: Site) {
        let runtime = with_config(&site, |_| ());
        let ctx = ctx(&runtime).await;
        let url = orders(&runtime).await;
        let over = |headers: Value| {
            let body = json!({"steps": [transform("twice", json!("{{ item.n * 2 }}"))]});
            let config = json!({"pages": url, "headers": headers, "concurrency": 1});
            let mut definition = chain(vec![json!({"id": "each", "kind": "map", "config": config, "body": body})]);
            definition.output = json!("{{ steps.each.output }}");
            definition
        };
        let detail = end(&ctx, start(&ctx, &over(json!({"x-key": "sesame"})), json!({})).await).await;
        assert_eq!((&detail.output, &detail.error), (&json!([2, 4, 6, 8]), &None));
        let refused = end(&ctx, start(&ctx, &over(json!({})), json!({})).await).await;
        let error = refused.steps[0].error.clone().unwrap();
        assert_eq!((error.class.as_str(), error.code.as_deref()), ("http_status", Some("403")));
    }

    async fn a_file_of_items_is_read_while_they_run(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let lines: Vec<String> = (0..1_800).map(|n| json!({ "n": n }).to_string()).collect();
        let text = lines.join("\n") + "\n";
        let body = json!({"steps": [transform("twice", json!("{{ item.n * 2 }}"))]});
        let folder = folder();
        let run = start(&ctx, &over(&folder, &text, json!({"concurrency": 50}), body), json!({})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Succeeded, "{:?}", detail.error);
        assert_eq!(detail.output, json!((0..1_800).map(|n| n * 2).collect::<Vec<_>>()));
        assert_eq!(detail.steps[0].bodies.unwrap().total, Some(1_800));
        let body = workflow::get_body(&ctx, run, "each[1700]").await.unwrap();
        assert_eq!(body.steps[0].output, json!(3_400));
        // The history replays to the same state.
        let mut state = State::new(run, &detail.definition);
        let mut pages = 0;
        loop {
            let events = workflow::list_events(&ctx, run, state.last_seq(), 1_000).await.unwrap();
            if events.is_empty() {
                break;
            }
            for event in &events {
                pages += u32::from(matches!(event.fact, Fact::PageCame { .. }));
                state.apply(event);
            }
        }
        assert_eq!((state.steps(), pages), (detail.steps.as_slice(), 4));
    }

    async fn a_map_over_a_file_goes_on_in_the_next_process_with_the_items_that_came(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let body = json!({"steps": [wait("nap", 60_000), transform("out", json!("{{ item }}!"))],
            "edges": [{"from": "nap", "to": "out"}]});
        let folder = folder();
        let definition = over(&folder, "\"a\"\n\"b\"\n", json!({"concurrency": 1}), body);
        let run = start(&ctx, &definition, json!({})).await;
        let ended = |detail: &RunDetail, count: u32| {
            detail.summary.status == RunStatus::Waiting && detail.steps[0].bodies.is_some_and(|bodies| bodies.ended == count)
        };
        until_so(&ctx, run, |detail| ended(detail, 0)).await;
        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        // What came stands in the history: the file is not needed for it again.
        std::fs::write(folder.path().join("items.jsonl"), "\"x\"\n\"y\"\n").unwrap();
        let other = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&other).await.unwrap();
        let ctx = other.as_actor(ctx.actor.clone(), String::new());
        for count in 0..2 {
            until_so(&ctx, run, |detail| ended(detail, count)).await;
            other.clock.advance_ms(60_000);
        }
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, &detail.output), (RunStatus::Succeeded, &json!(["a!", "b!"])));
    }

    async fn a_line_that_is_no_item_fails_the_map_and_names_the_line(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let body = json!({"steps": [transform("same", json!("{{ item }}"))]});
        let folder = folder();
        let run = start(&ctx, &over(&folder, "1\n{\n", json!({}), body), json!({})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Failed);
        let error = detail.steps[0].error.clone().unwrap();
        assert!(error.class == "data" && error.message.contains("line 2"), "{error:?}");
    }

    async fn a_map_takes_its_items_from_one_place(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let body = json!({"steps": [transform("same", json!("{{ item }}"))]});
        let refused = |config: Value| {
            let each = json!({"id": "each", "kind": "map", "config": config, "body": body});
            let source = Source::Inline(Box::new(chain(vec![each])));
            workflow::start(&ctx, NewRun::new(source, json!({}), TriggerKind::Cli))
        };
        for config in [json!({}), json!({"items": [1], "file": "/a"}), json!({"file": "/a", "pages": "https://a.example"})] {
            let error = weft::model::ApiError::from(refused(config).await.unwrap_err());
            assert_eq!(error.status(), 422, "{error:?}");
        }
    }
}
