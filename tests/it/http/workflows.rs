//! `/workflows` and `/runs` over REST, on both databases.

use axum::http::Method;
use serde_json::{Value, json};
use weft::runtime::Runtime;

use super::{call, definition, json_of, owner};

/// A browser of the owner.
pub struct Browser<'a> {
    rt: &'a Runtime,
    cookie: String,
}

impl Browser<'_> {
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (u16, Option<String>, Value) {
        let mut request =
            call(method, &format!("/api/v1{path}")).with("cookie", &self.cookie).with("sec-fetch-site", "same-origin");
        for (name, value) in headers {
            request = request.with(name, value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send(self.rt).await;
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status().as_u16(), tag, json_of(answer).await)
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.send(Method::GET, path, &[], None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let (status, _, body) = self.send(Method::POST, path, &[], Some(body)).await;
        (status, body)
    }
}

pub async fn browser(rt: &Runtime) -> Browser<'_> {
    let (_, cookie) = owner(rt).await;
    Browser { rt, cookie: format!("weft={cookie}") }
}

on_both_engines! {
    async fn a_list_of_workflows_tells_each_ones_newest_run(site: Site) {
        let mara = browser(&site.runtime).await;
        let mut newest = Vec::new();
        for (name, runs) in [("Nightly", 2), ("Hourly", 1), ("Never", 0)] {
            let (_, made) = mara.post("/workflows", definition(name)).await;
            let path = format!("/workflows/{}", made["id"].as_str().unwrap());
            assert_eq!(mara.post(&format!("{path}/publish"), json!({})).await.0, 200);
            let mut last = Value::Null;
            for _ in 0..runs {
                let (status, run) = mara.post(&format!("{path}/execute?wait_ms=10000"), json!({"inputs": {}})).await;
                assert_eq!(status, 200, "{run}");
                last = run["id"].clone();
            }
            newest.push((name, last));
        }
        let listed = mara.get("/workflows").await;
        let listed = listed["items"].as_array().unwrap();
        for (name, run) in newest {
            let row = listed.iter().find(|row| row["name"] == name).unwrap();
            let told = &row["last_run"];
            let (id, status) = if run.is_null() { (Value::Null, Value::Null) } else { (run, json!("succeeded")) };
            assert_eq!((&told["id"], &told["status"]), (&id, &status), "{name}: {row}");
        }
    }

    async fn a_draft_is_saved_over_the_revision_that_it_was_edited_from(site: Site) {
        let mara = browser(&site.runtime).await;
        let (status, tag, made) = mara.send(Method::POST, "/workflows", &[], Some(definition("Nightly"))).await;
        assert_eq!((status, tag.as_deref()), (201, Some("\"1\"")));
        let path = format!("/workflows/{}", made["id"].as_str().unwrap());
        let renamed = || Some(definition("Nightly tests"));
        let (status, tag, saved) = mara.send(Method::PUT, &path, &[("if-match", "\"1\"")], renamed()).await;
        assert_eq!((status, tag.as_deref(), &saved["name"]), (200, Some("\"2\""), &json!("Nightly tests")));
        let (status, _, problem) = mara.send(Method::PUT, &path, &[("if-match", "\"1\"")], Some(definition("Lost"))).await;
        assert_eq!(status, 409, "{problem}");
        assert_eq!(mara.get(&path).await["name"], "Nightly tests");
        for tag in ["1", "W/\"1\"", "\"one\""] {
            assert_eq!(mara.send(Method::PUT, &path, &[("if-match", tag)], renamed()).await.0, 422, "{tag}");
        }
        assert_eq!(mara.send(Method::PUT, &path, &[], renamed()).await.1.as_deref(), Some("\"3\""));
        assert_eq!(mara.send(Method::DELETE, &path, &[], None).await.0, 204);
        assert_eq!(mara.send(Method::GET, &path, &[], None).await.0, 404);
    }

    async fn a_version_stays_what_it_was(site: Site) {
        let mara = browser(&site.runtime).await;
        let (_, made) = mara.post("/workflows", definition("Nightly")).await;
        let path = format!("/workflows/{}", made["id"].as_str().unwrap());
        assert_eq!(mara.post(&format!("{path}/publish"), json!({})).await, (200, json!({"version": 1})));
        assert_eq!(mara.post(&format!("{path}/publish"), json!({})).await.1["version"], 1);
        assert_eq!(mara.send(Method::PUT, &path, &[], Some(definition("Other"))).await.0, 200);
        assert_eq!(mara.post(&format!("{path}/publish"), json!({})).await.1["version"], 2);
        let versions = mara.get(&format!("{path}/versions?limit=1")).await;
        assert_eq!(versions["items"][0]["version"], 2);
        let cursor = versions["next"].as_str().unwrap();
        assert_eq!(mara.get(&format!("{path}/versions?cursor={cursor}")).await["items"][0]["version"], 1);
        assert_eq!(mara.get(&format!("{path}/versions/1")).await["definition"]["name"], "Nightly");
        for missing in ["3", "0", "-1", "first", "99999999999999999999"] {
            assert_eq!(mara.send(Method::GET, &format!("{path}/versions/{missing}"), &[], None).await.0, 404, "{missing}");
        }
    }

    async fn yaml_and_json_are_the_same_tree(site: Site) {
        let mara = browser(&site.runtime).await;
        let yaml = "weft: 1\nname: Nightly\nsteps:\n  - id: a\n    kind: transform\n    config: {value: 1}\n";
        let request = call(Method::POST, "/api/v1/workflows").with("cookie", &mara.cookie).with("sec-fetch-site", "same-origin");
        let answer = request.text("application/yaml; charset=utf-8", yaml).send(mara.rt).await;
        assert_eq!(answer.status(), 201);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let from_yaml = json_of(answer).await;
        assert_eq!(location, format!("/api/v1/workflows/{}", from_yaml["id"].as_str().unwrap()));
        let (_, from_json) = mara.post("/workflows", definition("Nightly")).await;
        assert_eq!(from_yaml["draft"]["steps"], from_json["draft"]["steps"]);
        assert_eq!(from_json["name"], "Nightly 2");
        assert_eq!(mara.get("/workflows?query=NIGHT").await["items"].as_array().unwrap().len(), 2);
    }

    async fn the_checker_tells_each_problem_and_publishing_refuses_them(site: Site) {
        let mara = browser(&site.runtime).await;
        let mut broken = definition("Nightly");
        broken["steps"][0]["kind"] = json!("teleport");
        let (status, found) = mara.post("/workflows/check", broken.clone()).await;
        assert_eq!((status, &found["problems"][0]["step"], &found["problems"][0]["field"]), (200, &json!("a"), &json!("/kind")));
        let (status, made) = mara.post("/workflows", broken).await;
        assert_eq!(status, 201);
        let (status, problem) = mara.post(&format!("/workflows/{}/publish", made["id"].as_str().unwrap()), json!({})).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/steps/a/kind")));
    }

    async fn every_kind_and_template_can_be_run_as_it_is_described(site: Site) {
        let mara = browser(&site.runtime).await;
        let kinds = mara.get("/step-kinds").await;
        assert_eq!(kinds["items"].as_array().unwrap().len(), 21);
        for kind in kinds["items"].as_array().unwrap() {
            assert_eq!(kind["config_schema"]["type"], "object");
            assert!(kind["ports"].is_array() && kind["example"]["kind"] == kind["name"], "{kind}");
        }
        for template in mara.get("/templates").await["items"].as_array().unwrap() {
            let (status, found) = mara.post("/workflows/check", template["definition"].clone()).await;
            assert_eq!((status, found), (200, json!({"problems": []})));
        }
    }

    async fn a_run_is_started_waited_for_and_looked_at(site: Site) {
        let mara = browser(&site.runtime).await;
        let (_, made) = mara.post("/workflows", definition("Nightly")).await;
        let path = format!("/workflows/{}", made["id"].as_str().unwrap());
        assert_eq!(mara.post(&format!("{path}/execute"), json!({})).await.0, 409);
        assert_eq!(mara.post(&format!("{path}/execute"), json!({"data": {}})).await.0, 422);
        mara.post(&format!("{path}/publish"), json!({})).await;
        let key = [("idempotency-key", "tuesday")];
        let execute = format!("{path}/execute?wait_ms=20000");
        let (status, _, run) = mara.send(Method::POST, &execute, &key, Some(json!({}))).await;
        assert_eq!((status, &run["status"], &run["version"]), (200, &json!("succeeded"), &json!(1)));
        let (_, _, again) = mara.send(Method::POST, &execute, &key, Some(json!({}))).await;
        assert_eq!(again["id"], run["id"]);
        let id = run["id"].as_str().unwrap();
        let history = mara.get(&format!("/runs/{id}/events?after=1")).await;
        assert_eq!(history["items"][0]["seq"], 2);
        assert_eq!(mara.get("/runs?status=succeeded").await["items"][0]["id"], id);
        assert_eq!(mara.get("/runs?status=failed").await["items"], json!([]));
        assert_eq!(mara.post(&format!("/runs/{id}/cancel"), json!({})).await.0, 409);
    }
}
