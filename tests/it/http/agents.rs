//! `/agents` over REST, on both databases.

use axum::http::Method;
use serde_json::{Value, json};

use super::NIL;
use super::workflows::browser;

fn scout(persona: &str) -> Value {
    json!({"name": "scout", "spec": {"persona": persona}})
}

on_both_engines! {
    async fn an_agent_is_changed_over_the_version_that_it_was_seen_at(site: Site) {
        let mara = browser(&site.runtime).await;
        let (status, tag, made) = mara.send(Method::POST, "/agents", &[], Some(scout("You look around."))).await;
        assert_eq!((status, tag.as_deref(), &made["version"]), (201, Some("\"1\""), &json!(1)));
        assert_eq!((&made["spec"]["limits"]["turns"], &made["stopped_at"]), (&json!(30), &Value::Null));
        let path = format!("/agents/{}", made["id"].as_str().unwrap());
        let change = || Some(scout("You look twice."));
        let (status, tag, changed) = mara.send(Method::PUT, &path, &[("if-match", "\"1\"")], change()).await;
        assert_eq!((status, tag.as_deref(), &changed["version"]), (200, Some("\"2\""), &json!(2)));
        let (status, _, problem) = mara.send(Method::PUT, &path, &[("if-match", "\"1\"")], Some(scout("Lost."))).await;
        assert_eq!(status, 409, "{problem}");
        assert_eq!(mara.post("/agents", scout("Another.")).await.0, 409);
        let (status, tag, seen) = mara.send(Method::GET, &path, &[], None).await;
        assert_eq!((status, tag.as_deref(), &seen["agent"]), (200, Some("\"2\""), &changed));
        assert_eq!((&seen["working"], &seen["latest"]), (&json!(0), &Value::Null));
        assert_eq!(mara.get("/agents").await["items"], json!([seen]));
        let versions = mara.get(&format!("{path}/versions")).await;
        assert_eq!((&versions["items"][0]["spec"]["persona"], &versions["items"][1]["version"]), (&json!("You look twice."), &json!(1)));
        assert_eq!(versions["items"][0]["by"], mara.get("/me").await["name"]);
        assert_eq!(mara.send(Method::DELETE, &path, &[], None).await.0, 204);
        assert_eq!(mara.send(Method::GET, &path, &[], None).await.0, 404);
    }

    async fn what_does_not_fit_an_agent_is_named(site: Site) {
        let mara = browser(&site.runtime).await;
        for (spec, pointer) in [
            (json!({"persona": "x", "tools": ["http_request"]}), "/spec/hosts"),
            (json!({"persona": "x", "limits": {"turns": 201}}), "/spec/limits/turns"),
            (json!({"persona": "x", "limits": {"parallel": 0}}), "/spec/limits/parallel"),
            (json!({"persona": ""}), "/spec/persona"),
            (json!({"persona": "x\0"}), "/spec/persona"),
            (json!({"persona": "x", "tools": ["knife"]}), "/spec/tools/0"),
            (json!({"persona": "x", "hooks": [{"name": "h", "when": "before", "condition": "1 +", "does": {"act": "allow"}}]}), "/spec/hooks/0/condition"),
            (json!({"persona": "x", "limits": {"turns": -1}}), "/spec/limits/turns"),
        ] {
            let (status, problem) = mara.post("/agents", json!({"name": "scout", "spec": spec})).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
        }
        assert_eq!(mara.get("/agents").await["items"], json!([]));
    }

    async fn hooks_are_tried_on_a_call_that_nobody_makes(site: Site) {
        let mara = browser(&site.runtime).await;
        let deny = json!({"name": "night watch", "when": "before", "condition": "'prod' in arguments.url", "does": {"act": "deny", "message": "Not prod."}});
        let edit = json!({"name": "signed", "when": "before", "does": {"act": "edit", "set": [{"path": "headers.x-by", "value": "{{ agent }}"}]}});
        let mask = json!({"name": "mask", "when": "after", "does": {"act": "edit", "whole": "result | replace('KEY', '…')"}});
        let call = |url: &str| json!({
            "hooks": [deny, edit, mask], "agent": "scout", "tool": "http_request", "arguments": {"method": "GET", "url": url}, "result": "a KEY",
        });
        let (status, tried) = mara.post("/agents/hooks/try", call("https://prod.example")).await;
        assert_eq!((status, &tried["before"]["outcome"], &tried["before"]["by"]), (200, &json!("denied"), &json!("night watch")), "{tried}");
        assert_eq!((&tried["before"]["said"][1]["did"], &tried["after"]), (&json!("not_reached"), &Value::Null));
        let (_, tried) = mara.post("/agents/hooks/try", call("https://test.example")).await;
        assert_eq!((&tried["before"]["outcome"], &tried["misfit"]), (&json!("undecided"), &Value::Null));
        assert_eq!(tried["before"]["arguments"]["headers"], json!({"x-by": "scout"}));
        assert_eq!(tried["after"]["result"], "a …");
        let mut words = call("https://test.example");
        words["hooks"] = json!([
            {"name": "no keys", "when": "answer", "condition": "'KEY' in text", "does": {"act": "deny", "message": "Leave it away."}},
            {"name": "quiet", "when": "heard", "does": {"act": "edit", "whole": "text | lower"}},
        ]);
        (words["answer"], words["heard"]) = (json!("The KEY."), json!("HI."));
        let (status, tried) = mara.post("/agents/hooks/try", words).await;
        assert_eq!((status, &tried["answer"]["outcome"], &tried["heard"]["result"]), (200, &json!("denied"), &json!("hi.")), "{tried}");
        let mut odd = call("https://test.example");
        odd["hooks"][1]["does"]["set"][0]["path"] = json!("method");
        let (_, tried) = mara.post("/agents/hooks/try", odd).await;
        assert!(tried["misfit"].as_str().unwrap().starts_with("/method"), "{tried}");
        assert_eq!(tried["after"], Value::Null, "it would not be made");
        let mut wrong = call("https://test.example");
        wrong["hooks"][0]["condition"] = json!("result == ''");
        let (status, problem) = mara.post("/agents/hooks/try", wrong).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/hooks/0/condition")), "{problem}");
        assert_eq!(mara.get("/agents").await["items"], json!([]), "nothing is kept");
    }

    async fn a_stopped_agent_says_by_whom_and_takes_no_task(site: Site) {
        let mara = browser(&site.runtime).await;
        let (_, made) = mara.post("/agents", scout("You look around.")).await;
        let path = format!("/agents/{}", made["id"].as_str().unwrap());
        let stop = async |stopped: bool| {
            mara.send(Method::PUT, &format!("{path}/stopped"), &[], Some(json!({"stopped": stopped}))).await
        };
        let (status, tag, stopped) = stop(true).await;
        assert_eq!((status, tag.as_deref(), &stopped["stopped_by"]), (200, Some("\"1\""), &mara.get("/me").await["name"]));
        assert_eq!(mara.post(&format!("{path}/tasks"), json!({"prompt": "Look."})).await.0, 409);
        assert_eq!(stop(false).await.2["stopped_at"], Value::Null);
        for body in [json!({}), json!({"stopped": "yes"}), json!({"stopped": true, "why": "x"})] {
            assert_eq!(mara.send(Method::PUT, &format!("{path}/stopped"), &[], Some(body)).await.0, 422);
        }
    }

    async fn a_task_is_a_run_of_its_own(site: Site) {
        let mara = browser(&site.runtime).await;
        let (_, made) = mara.post("/agents", scout("You look around.")).await;
        let path = format!("/agents/{}/tasks", made["id"].as_str().unwrap());
        let (status, given) = mara.post(&path, json!({"prompt": "What is new?"})).await;
        assert_eq!((status, &given["task_id"]), (202, &given["run_id"]), "{given}");
        assert_eq!(mara.get(&format!("/runs/{}", given["run_id"].as_str().unwrap())).await["id"], given["run_id"]);
        let (status, problem) = mara.post(&path, json!({"prompt": " "})).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/prompt")));
        assert_eq!(mara.post(&path, json!({"prompt": "x", "files": []})).await.0, 422);
        for priority in [json!(0), json!(10), json!(-1), json!("high")] {
            let (status, problem) = mara.post(&path, json!({"prompt": "x", "priority": priority})).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/priority")), "{problem}");
        }
        assert_eq!(mara.post(&path, json!({"prompt": "x", "priority": 9})).await.0, 202);
        assert_eq!(mara.post(&format!("/agents/{NIL}/tasks"), json!({"prompt": "x"})).await.0, 404);
        for (query, pointer) in [("limit=0", "limit"), ("cursor=mine", "cursor"), ("status=done", "status")] {
            let (status, _, problem) = mara.send(Method::GET, &format!("{path}?{query}"), &[], None).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{query}");
        }
    }

    async fn a_task_for_whoever_is_best_waits_in_the_queue(site: Site) {
        let mara = browser(&site.runtime).await;
        let draft = json!({"prompt": "Join them.", "expertise": ["sql"], "priority": 7, "topic": "reports"});
        let (status, task) = mara.post("/agents/tasks", draft.clone()).await;
        assert_eq!((status, &task["status"], &task["attempt"]), (202, &json!("waiting"), &json!(0)), "{task}");
        assert_eq!(task["given_by"], mara.get("/me").await["name"]);
        let path = format!("/agents/tasks/{}", task["id"].as_str().unwrap());
        assert_eq!(mara.get(&path).await, task);
        assert_eq!(mara.get("/agents/tasks?status=waiting").await["items"], json!([task]));
        assert_eq!(mara.get("/agents/tasks?status=done").await["items"], json!([]));
        let (_, next) = mara.post("/agents/tasks", json!({"prompt": "Then this.", "after": [task["id"]]})).await;
        assert_eq!(next["task"]["after"], json!([task["id"]]));
        for (change, pointer) in [
            (json!({"prompt": " "}), "/prompt"),
            (json!({"expertise": ["sql", "SQL"]}), "/expertise/1"),
            (json!({"among": ["no one"]}), "/among/0"),
            (json!({"priority": 0}), "/priority"),
            (json!({"after": [NIL]}), "/after/0"),
            (json!({"after": ["x"]}), "/after/0"),
        ] {
            let mut refused = draft.clone();
            refused.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let (status, problem) = mara.post("/agents/tasks", refused).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
        }
        let (status, cancelled) = mara.post(&format!("{path}/cancel"), json!({})).await;
        assert_eq!((status, &cancelled["status"]), (200, &json!("cancelled")), "{cancelled}");
        assert_eq!(mara.post(&format!("{path}/cancel"), json!({})).await.0, 409);
    }

    async fn weights_are_a_workspace_s_own_and_come_to_one(site: Site) {
        let mara = browser(&site.runtime).await;
        let by_itself = mara.get("/agents/assignment").await;
        assert_eq!((&by_itself["availability"], &by_itself["affinity"]), (&json!(0.3), &json!(0.1)));
        let put = async |weights: Value| {
            let (status, _, body) = mara.send(Method::PUT, "/agents/assignment", &[], Some(weights)).await;
            (status, body)
        };
        let expert = json!({"availability": 0.25, "expertise": 0.75, "workload": 0.0, "success": 0.0, "affinity": 0.0});
        assert_eq!(put(expert.clone()).await, (200, expert.clone()));
        assert_eq!(mara.get("/agents/assignment").await, expert);
        for (field, value, pointer) in [("expertise", 0.7, ""), ("workload", -0.1, "/workload"), ("success", 1.5, "/success")] {
            let mut refused = expert.clone();
            refused[field] = json!(value);
            let (status, problem) = put(refused).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
        }
        assert_eq!(mara.get("/agents/assignment").await, expert, "what was refused changes nothing");
        let (status, tried) = mara.post("/agents/assignment/preview", by_itself.clone()).await;
        assert_eq!((status, &tried["weights"], &tried["tasks"]), (200, &by_itself, &json!([])), "{tried}");
        assert_eq!(mara.get("/agents/assignment").await, expert, "what was tried changes nothing");
        let (status, _, reset) = mara.send(Method::DELETE, "/agents/assignment", &[], None).await;
        assert_eq!((status, &reset), (200, &by_itself));
        assert_eq!(mara.get("/agents/assignment").await, by_itself);
    }

    async fn a_template_is_an_agent_once_it_has_what_it_needs(site: Site) {
        let mara = browser(&site.runtime).await;
        let templates = mara.get("/agents/templates").await;
        let templates = templates["items"].as_array().unwrap();
        assert_eq!(templates.len(), weft::model::agent::TEMPLATES.len());
        for template in templates {
            let mut draft = template.clone();
            draft["spec"]["hosts"] = json!(["docs.example.org"]);
            draft["spec"]["agents"] = json!(["coder"]);
            let (status, made) = mara.post("/agents", draft).await;
            assert_eq!((status, &made["name"]), (201, &template["name"]), "{made}");
        }
    }
}
