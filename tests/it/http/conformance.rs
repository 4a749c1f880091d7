//! What `make fuzz` has found, once mended: answers that the OpenAPI document did not promise.

use axum::http::Method;
use serde_json::{Value, json};

use super::workflows::browser;
use super::{call, definition, json_of};

#[test]
fn a_problem_of_a_definition_is_described_as_what_it_is() {
    let document = serde_json::to_value(weft::http::rest::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let fields =
        |name: &str| -> Vec<String> { schemas[name]["properties"].as_object().unwrap().keys().cloned().collect() };
    assert_eq!(
        schemas["Problems"]["properties"]["problems"]["items"]["$ref"],
        "#/components/schemas/DefinitionProblem"
    );
    assert!(fields("DefinitionProblem").contains(&"severity".to_owned()));
    assert!(fields("Problem").contains(&"trace_id".to_owned()));
}

on_both_engines! {
    async fn nobody_has_an_address_with_a_nul(site: Site) {
        let rt = &site.runtime;
        browser(rt).await;
        let body = json!({"email": "mara\0@team.example", "password": "a loom in the attic"});
        let answer = call(Method::POST, "/api/v1/login").json(&body).send(rt).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(json_of(answer).await["title"], "Not signed in");
    }

    async fn a_log_is_not_asked_for_what_no_step_is_named(site: Site) {
        let mara = browser(&site.runtime).await;
        let (_, made) = mara.post("/workflows", definition("Nightly")).await;
        let path = format!("/workflows/{}", made["id"].as_str().unwrap());
        mara.post(&format!("{path}/publish"), json!({})).await;
        let (_, started) = mara.post(&format!("{path}/execute"), json!({})).await;
        let run = format!("/runs/{}", started["run_id"].as_str().unwrap());
        for (query, pointer) in [("logs?step=%00", "step"), ("logs?after=-1", "after"), ("events?after=-1", "after")] {
            let (status, _, problem) = mara.send(Method::GET, &format!("{run}/{query}"), &[], None).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{query}");
        }
    }

    async fn a_long_name_that_is_taken_is_cut_to_fit_its_number(site: Site) {
        let mara = browser(&site.runtime).await;
        let name = "é".repeat(120);
        assert_eq!(mara.post("/workflows", definition(&name)).await.1["name"], name);
        let (_, second) = mara.post("/workflows", definition(&name)).await;
        assert_eq!(second["name"], format!("{} 2", "é".repeat(118)));
        assert_eq!(mara.post("/workflows/check", second["draft"].clone()).await.1["problems"], json!([]));
    }

    async fn a_nul_that_is_only_spelled_out_is_kept(site: Site) {
        let mara = browser(&site.runtime).await;
        let described = |text: &str| {
            let mut body = definition("Nightly");
            body["description"] = text.into();
            body
        };
        let spelled = r"\u0000 and \\u0000 are how JSON writes it";
        let (status, made) = mara.post("/workflows", described(spelled)).await;
        assert_eq!((status, &made["description"]), (201, &json!(spelled)));
        for real in ["\0", "\\\0"] {
            assert_eq!(mara.post("/workflows", described(real)).await.0, 422, "{real:?}");
        }
    }

    async fn what_was_never_kept_has_no_history(site: Site) {
        let mara = browser(&site.runtime).await;
        let (status, _, _) = mara.send(Method::GET, "/memory/team/missing/history", &[], None).await;
        assert_eq!(status, 404);
    }

    async fn a_definition_in_json_is_taken_by_its_types(site: Site) {
        let mara = browser(&site.runtime).await;
        let wrong: [(&str, Value); 5] = [
            ("name", json!(true)),
            ("name", Value::Null),
            ("weft", json!("1")),
            ("weft", json!(-1)),
            ("edges", json!([{"from": false, "to": "a"}])),
        ];
        for (field, value) in wrong {
            let mut body = definition("Nightly");
            body[field] = value;
            for path in ["/workflows", "/workflows/check"] {
                assert_eq!(mara.post(path, body.clone()).await.0, 422, "{path} {body}");
            }
        }
    }
}
