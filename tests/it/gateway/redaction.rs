//! What is masked before a call leaves, and put back into what comes.

use serde_json::json;
use weft::gateway;
use weft::model::ApiError;
use weft::model::auth::Role;
use weft::model::gateway::{
    MaskKind, MaskPattern, Masked, Message, ProviderKind, RedactionDraft, RedactionTrial, Request, Role as Speaker,
};

use super::proxy::{CHAT, MESSAGES, pointed, read, send};
use super::upstream::{Reply, Upstream};
use super::{add, answer, calls, chunks, drain, order, question, somebody};
use crate::auth::member;

/// Not a key, but with the look of one; put together here, so that no scanner of secrets finds it in this file.
fn secret() -> String {
    format!("ghp_{}", "aB3dE5gH7j".repeat(4))
}

fn masked(what: &str, count: u32) -> Masked {
    Masked { what: what.into(), count }
}

fn wanted(kinds: &[MaskKind], patterns: &[(&str, &str)]) -> RedactionDraft {
    let own = |(name, pattern): &(&str, &str)| MaskPattern { name: (*name).into(), pattern: (*pattern).into() };
    RedactionDraft { kinds: kinds.to_vec(), patterns: patterns.iter().map(own).collect(), ..RedactionDraft::default() }
}

fn saying(model: &str, text: &str) -> Request {
    Request { messages: vec![Message::text(Speaker::User, text)], ..question(model) }
}

on_both_engines! {
    async fn a_secret_leaves_masked_and_comes_back(site: Site) {
        let (rt, ctx, key) = pointed(&site).await;
        let upstream = Upstream::start([]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        upstream.then(Reply::Json(200, answer("It is [[weft-github_token-1]].")));
        let ask = |path: &'static str| {
            let text = format!("My token is {}", secret());
            let body = json!({"model": "big", "max_tokens": 50, "messages": [{"role": "user", "content": text}]});
            let (rt, key) = (rt.clone(), key.clone());
            async move { send(&rt, path, &key, &body).await }
        };
        let (status, headers, text) = ask(CHAT).await;
        assert_eq!(status, 200, "{text}");
        assert_eq!(read(&text)["choices"][0]["message"]["content"], format!("It is {}.", secret()));
        assert_eq!(headers["x-weft-masked"], "github_token 1");
        assert_eq!(upstream.seen()[0].body["messages"][0]["content"], "My token is [[weft-github_token-1]]");
        assert_eq!(calls(&ctx).await[0].masked, [masked("github_token", 1)]);

        upstream.then(Reply::Json(200, answer("It is [[weft-github_token-1]].")));
        let (status, _, text) = ask(MESSAGES).await;
        assert_eq!((status.as_u16(), &read(&text)["content"][0]["text"]), (200, &json!(format!("It is {}.", secret()))));
        for seen in upstream.seen() {
            assert!(!seen.body.to_string().contains(&secret()));
        }
    }

    async fn a_stream_puts_back_what_comes_in_pieces(site: Site) {
        let ctx = somebody(&site).await;
        let pieces = ["It is [[we", "ft-github_", "token-1", "]], and [", "[x]]."];
        let upstream = Upstream::start([Reply::Events(chunks(&pieces))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let request = Request { stream: true, ..saying("big", &secret()) };
        let gateway::Answered::Live(mut live) = order(&ctx, request).await.unwrap() else { panic!("a stream was asked for") };
        assert_eq!(drain(&mut live).await, (format!("It is {}, and [[x]].", secret()), None));
        assert_eq!(live.masked(), [masked("github_token", 1)]);
        assert_eq!(live.finish().text(), format!("It is {}, and [[x]].", secret()));
    }

    async fn a_kept_answer_holds_placeholders_and_everybody_gets_their_own_values(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("Hello [[weft-email-1]]"))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        gateway::update_redaction(&ctx, None, wanted(&[MaskKind::Email], &[])).await.unwrap();
        let mut said = Vec::new();
        for person in ["ada@example.org", "grace@example.org"] {
            let mut request = saying("big", &format!("Greet {person}"));
            request.sampling.temperature = Some(0.0);
            let gateway::Answered::Whole(answer) = order(&ctx, request).await.unwrap() else { panic!("no stream was asked for") };
            said.push(answer.response.text());
            // What is kept is written behind the answer.
            calls(&ctx).await;
        }
        assert_eq!(said, ["Hello ada@example.org", "Hello grace@example.org"]);
        assert_eq!(upstream.count(), 1, "the second is the first with another name");
    }

    async fn nothing_is_masked_where_nobody_wants_it(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Json(200, answer("Yes."))]).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        gateway::update_redaction(&ctx, Some(0), wanted(&[], &[])).await.unwrap();
        order(&ctx, saying("big", &secret())).await.unwrap();
        assert_eq!(upstream.seen()[0].body["messages"][0]["content"], secret());
        assert!(calls(&ctx).await[0].masked.is_empty());
    }

    async fn rules_are_changed_over_the_revision_that_was_seen(site: Site) {
        let ctx = somebody(&site).await;
        let first = gateway::get_redaction(&ctx).await.unwrap();
        assert_eq!((first.kinds, first.revision), (vec![MaskKind::Secrets], 0));
        let draft = wanted(&[MaskKind::Ip, MaskKind::Secrets, MaskKind::Ip], &[("ticket", "T-[0-9]+")]);
        let second = gateway::update_redaction(&ctx, Some(0), draft).await.unwrap();
        assert_eq!((second.kinds, second.revision), (vec![MaskKind::Secrets, MaskKind::Ip], 1));
        let late = gateway::update_redaction(&ctx, Some(0), wanted(&[], &[])).await.unwrap_err();
        assert!(matches!(late, gateway::Error::Conflict(_)), "{late}");
        let unknown = gateway::update_redaction(&ctx, Some(7), wanted(&[], &[])).await.unwrap_err();
        assert!(matches!(unknown, gateway::Error::Conflict(_)), "{unknown}");
        assert_eq!(gateway::get_redaction(&ctx).await.unwrap().patterns.len(), 1);
        assert_eq!(gateway::update_redaction(&ctx, None, wanted(&[], &[])).await.unwrap().revision, 2);
    }

    async fn a_rule_that_does_not_fit_is_refused_by_its_field(site: Site) {
        let ctx = somebody(&site).await;
        for (patterns, pointer) in [
            (vec![("Ticket", "x")], "/patterns/0/name"),
            (vec![("a", "x"), ("a", "y")], "/patterns/1/name"),
            (vec![("a", "(")], "/patterns/0/pattern"),
            (vec![("a", "x*")], "/patterns/0/pattern"),
            (vec![("a", "")], "/patterns/0/pattern"),
        ] {
            let error: ApiError = gateway::update_redaction(&ctx, None, wanted(&[], &patterns)).await.unwrap_err().into();
            assert!(error.field(pointer).is_some(), "{pointer} in {error:?}");
            let trial = RedactionTrial { text: String::new(), rules: Some(wanted(&[], &patterns)) };
            let error: ApiError = gateway::try_redaction(&ctx, trial).await.unwrap_err().into();
            assert!(error.field(&format!("/rules{pointer}")).is_some(), "{pointer} in {error:?}");
        }
        assert_eq!(gateway::get_redaction(&ctx).await.unwrap().revision, 0);
    }

    async fn a_text_can_be_tried_with_rules_that_are_not_saved(site: Site) {
        let ctx = somebody(&site).await;
        let trial = |rules| RedactionTrial { text: format!("T-1 {}", secret()), rules };
        let tried = gateway::try_redaction(&ctx, trial(None)).await.unwrap();
        assert_eq!((tried.text.as_str(), tried.masked), ("T-1 [[weft-github_token-1]]", vec![masked("github_token", 1)]));
        let tried = gateway::try_redaction(&ctx, trial(Some(wanted(&[], &[("ticket", "T-[0-9]")])))).await.unwrap();
        assert_eq!(tried.text, format!("[[weft-ticket-1]] {}", secret()));
        let long = RedactionTrial { text: "a".repeat(100_001), rules: None };
        let error: ApiError = gateway::try_redaction(&ctx, long).await.unwrap_err().into();
        assert!(error.field("/text").is_some(), "{error:?}");
    }

    async fn who_may_not_manage_providers_sees_the_rules_and_leaves_them(site: Site) {
        let (_, ctx, _) = pointed(&site).await;
        let (builder, _) = member(&ctx, Role::Builder).await;
        gateway::get_redaction(&builder).await.unwrap();
        let refused = gateway::update_redaction(&builder, None, wanted(&[], &[])).await.unwrap_err();
        assert!(matches!(refused, gateway::Error::Denied(_)), "{refused}");
        assert_eq!(gateway::get_redaction(&ctx).await.unwrap().revision, 0);
    }
}
