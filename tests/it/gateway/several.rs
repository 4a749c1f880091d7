//! Several answers to one question, as programs ask for them in Chat Completions.

use axum::http::StatusCode;
use serde_json::{Value, json};
use weft::gateway;
use weft::model::gateway::ProviderKind;

use super::proxy::{CHAT, chat, claude, pointed, read, send};
use super::upstream::{Reply, Upstream};
use super::{add, answer, calls, route};

/// Two answers as OpenAI's wire has them, with the usage of both.
fn two() -> Value {
    let mut both = answer("A loom.");
    let mut second = both["choices"][0].clone();
    second["index"] = json!(1);
    second["message"]["content"] = json!("A weft.");
    both["choices"].as_array_mut().unwrap().push(second);
    both
}

on_both_engines! {
    async fn as_many_answers_come_as_were_asked_for_and_are_one_call(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([Reply::Json(200, two())]).await;
        add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt"]).await;
        let mut body = chat("gpt");
        body["n"] = json!(2);
        let (status, _, text) = send(&rt, CHAT, &key, &body).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let words: Vec<Value> = read(&text)["choices"].as_array().unwrap().iter().map(|one| one["message"]["content"].clone()).collect();
        assert_eq!(words, [json!("A loom."), json!("A weft.")]);
        assert_eq!(upstream.seen()[0].body["n"], 2);
        let log = calls(&ctx).await;
        assert_eq!((log.len(), log[0].usage.output, log[0].estimated), (1, 100, false));
    }

    async fn who_knows_of_one_answer_alone_is_not_asked_for_several(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let (opus, gpt) = (Upstream::start([Reply::Json(200, claude("x"))]).await, Upstream::start([Reply::Json(200, two())]).await);
        let one = add(&ctx, "claude", ProviderKind::Anthropic, &opus, &["opus"]).await;
        let two = add(&ctx, "acme", ProviderKind::OpenAi, &gpt, &["gpt"]).await;
        let mut body = chat("opus");
        body["n"] = json!(2);
        let (status, _, text) = send(&rt, CHAT, &key, &body).await;
        assert_eq!((status, &read(&text)["error"]["param"]), (StatusCode::BAD_REQUEST, &json!("n")), "{text}");
        assert_eq!(opus.count(), 0);
        // A route goes on to one who knows it.
        route(&ctx, "smart", &[(&one, "opus"), (&two, "gpt")]).await;
        body["model"] = json!("smart");
        let (status, _, text) = send(&rt, CHAT, &key, &body).await;
        assert_eq!((status, opus.count(), gpt.count()), (StatusCode::OK, 0, 1), "{text}");
        gateway::settled(&ctx).await;
    }
}
