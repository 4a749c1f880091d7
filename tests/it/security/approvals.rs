//! Consent to what an agent wants to do: replayed, given by the wrong person, or given twice at once.

use serde_json::{Value, json};
use weft::model::agent::{AgentSpec, AgentTool as T};
use weft::model::auth::Role;
use weft::model::workflow::{Approval, Fork, RunStatus};
use weft::model::{ApiError, RunId};
use weft::runtime::{Actor, Ctx, Principal};
use weft::workflow::{self, approvals};

use super::naming;
use crate::auth::{ctx_of, named_member};
use crate::engine::{end, until, until_so};
use crate::gateway::agents::{agent, answer_of, asked, calling, model, people, spec, word, words};
use crate::gateway::upstream::{Reply, Upstream};

/// A server outside, and an agent that posts to it what it is told to.
async fn poster(owner: &Ctx, approvers: &[&str]) -> (Upstream, weft::model::AgentId) {
    workflow::boot(owner.runtime()).await.unwrap();
    let outside = Upstream::start((0..4).map(|_| Reply::Json(200, json!({})))).await;
    let approvers = approvers.iter().map(|who| (*who).to_owned()).collect();
    let spec = AgentSpec { hosts: vec!["127.0.0.1".into()], approvers, ..spec(&[T::HttpRequest]) };
    (outside, agent(owner, "poster", spec).await)
}

fn post(outside: &Upstream, path: &str) -> Value {
    json!({"method": "POST", "url": format!("{}/{path}", outside.url), "body": "{}"})
}

/// Waits until it is asked about this path.
async fn asks_about(ctx: &Ctx, run: RunId, path: &str) {
    until_so(ctx, run, |detail| detail.steps[0].waiting.as_ref().is_some_and(|waiting| waiting.reason.contains(path)))
        .await;
}

fn status(result: Result<Approval, workflow::Error>) -> u16 {
    ApiError::from(result.unwrap_err()).status()
}

fn yes() -> weft::model::workflow::Decision {
    word("approved", Value::Null, "")
}

on_both_engines! {
    async fn two_people_who_agree_at_once_agree_to_one_thing(site: Site) {
        let (owner, ada) = people(&site).await;
        let (_, bob) = named_member(&owner, Role::Operator, "bob@team.example").await;
        let bob = ctx_of(owner.runtime(), &bob).await;
        let (outside, id) = poster(&owner, &[]).await;
        model(&owner, [
            calling(&[("1", T::HttpRequest, post(&outside, "first"))]),
            calling(&[("2", T::HttpRequest, post(&outside, "second"))]),
            words("Done."),
        ]).await;
        let run = workflow::give_task(&owner, id, "Post both.".into(), None).await.unwrap();
        asks_about(&owner, run, "/first").await;
        let first = asked(&ada).await;
        let (one, other) =
            tokio::join!(approvals::decide(&ada, first.id, yes()), approvals::decide(&bob, first.id, yes()));
        assert!(one.is_ok() || other.is_ok());
        asks_about(&owner, run, "/second").await;
        let second = asked(&ada).await;
        assert_ne!(second.id, first.id);
        assert!(second.votes.is_empty(), "what was said of the first counts for nothing here");
        assert_eq!(outside.count(), 1);
        // Whoever comes late, or comes again, changes nothing.
        for ctx in [&ada, &bob] {
            assert_eq!(status(approvals::decide(ctx, first.id, yes()).await), 409);
        }
        approvals::decide(&bob, second.id, word("rejected", Value::Null, "")).await.unwrap();
        answer_of(&end(&owner, run).await);
        assert_eq!(outside.count(), 1, "the second was never sent");
    }

    async fn nobody_agrees_who_was_not_asked(site: Site) {
        let (owner, ada) = people(&site).await;
        let member = async |role, email: &str| {
            let (_, cookie) = named_member(&owner, role, email).await;
            ctx_of(owner.runtime(), &cookie).await
        };
        let (bob, vic) = (member(Role::Admin, "bob@team.example").await, member(Role::Viewer, "vic@team.example").await);
        let (outside, id) = poster(&owner, &["ada@team.example", "vic@team.example"]).await;
        model(&owner, [calling(&[("1", T::HttpRequest, post(&outside, "it"))]), words("Done.")]).await;
        let run = workflow::give_task(&owner, id, "Post it.".into(), None).await.unwrap();
        asks_about(&owner, run, "/it").await;
        let open = asked(&ada).await;
        // One who is not named, one whose role may not, the program itself, and another workspace.
        let program = owner.runtime().as_actor(
            Actor { workspace: owner.workspace(), principal: Principal::System, role: Role::Owner },
            String::new(),
        );
        let stranger = crate::engine::ctx(owner.runtime()).await;
        for (ctx, expected) in [(&bob, 403), (&vic, 403), (&program, 403), (&stranger, 404)] {
            assert_eq!(status(approvals::decide(ctx, open.id, yes()).await), expected);
            assert_eq!(status(approvals::delegate(ctx, open.id, "bob@team.example").await), expected);
        }
        assert_eq!((outside.count(), asked(&ada).await.votes.len()), (0, 0));
        approvals::decide(&ada, open.id, yes()).await.unwrap();
        answer_of(&end(&owner, run).await);
        assert_eq!(outside.count(), 1);
    }

    async fn consent_is_not_carried_into_a_run_that_goes_its_own_way(site: Site) {
        let (owner, ada) = people(&site).await;
        let (outside, id) = poster(&owner, &[]).await;
        let upstream = model(&owner, [
            calling(&[("1", T::HttpRequest, post(&outside, "it"))]),
            // The fork begins anew, and its model asks for the very same.
            calling(&[("1", T::HttpRequest, post(&outside, "it"))]),
            words("Done."),
            words("Done."),
        ]).await;
        let run = workflow::give_task(&owner, id, "Post it.".into(), None).await.unwrap();
        asks_about(&owner, run, "/it").await;
        let open = asked(&ada).await;
        let seq = workflow::get_run(&owner, run).await.unwrap().last_seq;
        let fork = workflow::travel::fork(&owner, run, Fork::at(seq), None).await.unwrap();
        asks_about(&owner, fork, "/it").await;
        approvals::decide(&ada, open.id, yes()).await.unwrap();
        answer_of(&end(&owner, run).await);
        assert_eq!(outside.count(), 1, "the fork has asked, and nobody has answered it");
        let its = asked(&ada).await;
        assert_eq!((its.run_id, its.id != open.id), (fork, true));
        approvals::decide(&ada, its.id, word("rejected", Value::Null, "")).await.unwrap();
        answer_of(&end(&owner, fork).await);
        assert_eq!((outside.count(), upstream.count()), (1, 4));
    }

    async fn a_call_that_a_person_agreed_to_is_sent_as_they_saw_it(site: Site) {
        let (owner, ada) = people(&site).await;
        let (outside, id) = poster(&owner, &[]).await;
        // What is shown can't leave its frame, and is all that is sent.
        let hidden = "{\"amount\": 1}\n```\n\n**Approved by Mara.** Nothing else is done.\n\n```\n{\"amount\": 1000000}";
        let call = json!({"method": "POST", "url": format!("{}/pay", outside.url), "body": hidden});
        model(&owner, [naming(&[("1", "http_request", call)]), words("Done.")]).await;
        let run = workflow::give_task(&owner, id, "Pay.".into(), None).await.unwrap();
        until(&owner, run, RunStatus::Waiting).await;
        let open = asked(&ada).await;
        let text = &open.question.text;
        assert!(text.contains("1000000"), "all of it is shown: {text}");
        // As JSON the frame that it carries is no line of its own.
        assert!(!text.lines().any(|line| line.starts_with("**Approved by Mara")), "{text}");
        approvals::decide(&ada, open.id, yes()).await.unwrap();
        answer_of(&end(&owner, run).await);
        assert_eq!(outside.count(), 1);
    }
}
