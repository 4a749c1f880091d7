//! Models of routes behind flags: whom they take, what is said of it, and what can't be done to them.

use serde_json::{Value, json};
use weft::gateway::{self, Answered, Error, Order};
use weft::model::auth::Role;
use weft::model::cache::CacheWish;
use weft::model::gateway::{
    CallSource, ContextWish, Dialect, ExplainRequest, FlagChange, FlagDraft, FlagState, FlagSubject, FlagVerdict,
    KeyDraft, Provider, ProviderKind, Request, RouteDraft,
};
use weft::model::{PageRequest, UserId};
use weft::runtime::{Actor, Ctx, Principal};
use weft::within;

use super::upstream::{Reply, Upstream};
use super::{add, answer, ctx as other, question, somebody};
use crate::http::NIL;

/// However it is.
const ANY: Option<i64> = None;

async fn models(ctx: &Ctx) -> (Provider, Upstream) {
    let upstream = Upstream::start((0..90).map(|_| Reply::Json(200, answer("Yes.")))).await;
    (add(ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["new", "old"]).await, upstream)
}

fn draft(change: Value) -> FlagDraft {
    let mut draft = json!({"name": "next", "enabled": true, "percent": 30});
    draft.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    serde_json::from_value(draft).unwrap()
}

async fn flag(ctx: &Ctx, change: Value) -> FlagState {
    gateway::create_flag(ctx, draft(change)).await.unwrap()
}

/// The newer model behind the flag `next`, and the older one for all others.
fn behind(acme: &Provider, name: &str) -> RouteDraft {
    let targets =
        json!([{"provider_id": acme.id, "model": "new", "flag": "next"}, {"provider_id": acme.id, "model": "old"}]);
    serde_json::from_value(json!({"name": name, "targets": targets, "cache": "never"})).unwrap()
}

async fn route(ctx: &Ctx, acme: &Provider) {
    gateway::create_route(ctx, behind(acme, "smart")).await.unwrap();
}

fn of_session(session: &str) -> Request {
    Request { session: Some(session.to_owned()), ..question("smart") }
}

/// Which model answers, and why.
async fn who(ctx: &Ctx, request: Request, on_behalf_of: Option<UserId>) -> (String, String) {
    let (cache, context) = (CacheWish::default(), ContextWish::default());
    let order = Order { request, source: CallSource::Proxy, step: None, agent: None, on_behalf_of, cache, context };
    let Answered::Whole(answer) = gateway::call(ctx, order).await.unwrap() else { panic!("no stream was asked for") };
    (answer.choice.tried.last().unwrap().model.clone(), answer.choice.why())
}

async fn person(ctx: &Ctx, role: Role) -> UserId {
    let (id, now): (UserId, _) = (ctx.ids.fresh(), ctx.clock.now());
    let mut tx = ctx.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into app_user (id, workspace_id, email, name, role, password_hash, created_at)
        values ($1, $2, $3, 'Ben', $4, 'none', $5)")
        .bind(id).bind(ctx.workspace()).bind(format!("{id}@team.example")).bind(role.as_str()).bind(now)
        .execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    id
}

fn pointers(error: Error) -> Vec<String> {
    match error {
        Error::Invalid(fields) => fields.into_iter().map(|field| field.pointer).collect(),
        other => panic!("{other}"),
    }
}

on_both_engines! {
    async fn a_flag_takes_its_share_of_sessions_and_keeps_them(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = models(&ctx).await;
        let made = flag(&ctx, json!({"percent": 50})).await;
        route(&ctx, &acme).await;
        let mut taken = Vec::new();
        for n in 0..24 {
            let session = format!("session {n}");
            let (model, why) = who(&ctx, of_session(&session), None).await;
            let says = if model == "new" { "the flag next takes this session: bucket " } else { "the flag next leaves this session out: bucket " };
            assert!(why.starts_with("the route smart; ") && why.contains(says) && why.contains("below 50 %"), "{why}");
            assert_eq!(who(&ctx, of_session(&session), None).await.0, model, "it stays on its side");
            // What would answer is what answers.
            let asked = ExplainRequest { session: session.clone(), ..ExplainRequest::about("smart", Dialect::OpenAi) };
            let told = gateway::explain(&ctx, &asked).await.unwrap();
            assert_eq!((told.candidates[0].model.as_str(), told.flags[0].percent), (model.as_str(), 50));
            assert_eq!(told.flags[0].takes(), model == "new");
            assert_eq!(told.passed_over.len(), usize::from(model == "old"));
            assert!(told.passed_over.iter().all(|one| one.why == told.flags[0].words()), "{told:?}");
            if model == "new" {
                taken.push(session);
            }
        }
        assert!((1..24).contains(&taken.len()), "so many sessions are not all on one side");
        gateway::update_flag(&ctx, made.flag.id, ANY, draft(json!({"percent": 80}))).await.unwrap();
        for session in taken {
            assert_eq!(who(&ctx, of_session(&session), None).await.0, "new", "who was taken stays taken");
        }
        gateway::update_flag(&ctx, made.flag.id, ANY, draft(json!({"enabled": false, "percent": 100}))).await.unwrap();
        let (model, why) = who(&ctx, of_session("session 1"), None).await;
        assert_eq!((model.as_str(), why.contains("the flag next is off")), ("old", true), "{why}");
    }

    async fn a_flag_is_for_those_whom_it_names(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = models(&ctx).await;
        let key: KeyDraft = serde_json::from_value(json!({"name": "ci"})).unwrap();
        let made = gateway::create_key(&ctx, key).await.unwrap();
        let (builder, viewer) = (person(&ctx, Role::Builder).await, person(&ctx, Role::Viewer).await);
        flag(&ctx, json!({"percent": 100, "audience": {"roles": ["builder"], "keys": [made.key.id]}})).await;
        route(&ctx, &acme).await;
        let system = ctx.runtime().system(ctx.workspace());
        assert_eq!(who(&system, of_session("a"), Some(builder)).await.0, "new");
        let (model, why) = who(&system, of_session("a"), Some(viewer)).await;
        assert_eq!((model.as_str(), why.contains("the flag next is for others")), ("old", true), "{why}");
        let principal = Principal::Key { id: made.key.id, name: "ci".into() };
        let actor = Actor { workspace: ctx.workspace(), principal, role: Role::Operator };
        let program = ctx.runtime().as_actor(actor, String::new());
        assert_eq!(who(&program, question("smart"), None).await.0, "new");
    }

    async fn a_person_stays_on_their_side_over_sessions(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = models(&ctx).await;
        flag(&ctx, json!({"percent": 50, "sticky_by": "user"})).await;
        route(&ctx, &acme).await;
        let system = ctx.runtime().system(ctx.workspace());
        let mut models = std::collections::BTreeSet::new();
        // All of them on one side is a matter of one in eight million.
        for _ in 0..24 {
            let ben = person(&ctx, Role::Builder).await;
            let (model, why) = who(&system, of_session("one"), Some(ben)).await;
            assert!(why.contains("this person"), "{why}");
            assert_eq!(who(&system, of_session("another"), Some(ben)).await.0, model);
            models.insert(model);
        }
        assert_eq!(models.len(), 2, "so many people are not all on one side");
        let asked = ExplainRequest { session: "one".into(), ..ExplainRequest::about("smart", Dialect::OpenAi) };
        let told = gateway::explain(&system, &asked).await.unwrap();
        let by = match told.flags[0].verdict {
            FlagVerdict::Takes { by, .. } | FlagVerdict::LeavesOut { by, .. } => by,
            other => panic!("{other:?}"),
        };
        assert_eq!(by, FlagSubject::Session, "where no person asks, the session counts");
    }

    async fn what_a_route_names_stays(site: Site) {
        let ctx = somebody(&site).await;
        let (acme, _upstream) = models(&ctx).await;
        let unknown = gateway::create_route(&ctx, behind(&acme, "smart")).await.unwrap_err();
        assert_eq!(pointers(unknown), ["/targets/0/flag"]);
        let mut odd = behind(&acme, "smart");
        odd.targets[0].flag = Some("a\0b".into());
        assert_eq!(pointers(gateway::create_route(&ctx, odd).await.unwrap_err()), ["/targets/0/flag"], "no name is like that");
        let made = flag(&ctx, json!({})).await;
        assert_eq!(made.routes, Vec::<String>::new());
        route(&ctx, &acme).await;
        assert_eq!(gateway::get_flag(&ctx, made.flag.id).await.unwrap().routes, ["smart"]);
        let refused = gateway::delete_flag(&ctx, made.flag.id).await.unwrap_err();
        assert_eq!(refused.to_string(), "the flag next can't be deleted while the route smart names it");
        let renamed = draft(json!({"name": "other"}));
        let refused = gateway::update_flag(&ctx, made.flag.id, ANY, renamed.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict(_)), "{refused}");
        assert_eq!(gateway::list_flags(&ctx).await.unwrap()[0].flag.name, "next", "nothing of it was kept");

        let mut open = behind(&acme, "smart");
        open.targets[1].flag = Some("next".into());
        let id = gateway::list_routes(&ctx).await.unwrap()[0].id;
        let closed = gateway::update_route(&ctx, id, ANY, open.clone()).await.unwrap_err();
        assert_eq!(pointers(closed), ["/targets"], "somebody must answer those whom no flag takes");
        open.targets.remove(0);
        open.targets[0].flag = None;
        gateway::update_route(&ctx, id, ANY, open).await.unwrap();
        gateway::update_flag(&ctx, made.flag.id, ANY, renamed).await.unwrap();
        gateway::delete_flag(&ctx, made.flag.id).await.unwrap();
        assert!(gateway::list_flags(&ctx).await.unwrap().is_empty());
    }

    async fn who_changed_what_is_kept(site: Site) {
        let ctx = somebody(&site).await;
        let made = flag(&ctx, json!({"enabled": false, "percent": 0})).await;
        gateway::update_flag(&ctx, made.flag.id, 1, draft(json!({"percent": 5}))).await.unwrap();
        let late = gateway::update_flag(&ctx, made.flag.id, 1, draft(json!({"percent": 9}))).await.unwrap_err();
        assert!(matches!(late, Error::Conflict(_)), "{late}");
        gateway::delete_flag(&ctx, made.flag.id).await.unwrap();
        let changes = gateway::list_flag_changes(&ctx, &PageRequest::default()).await.unwrap().items;
        let said: Vec<String> = changes.iter().map(FlagChange::words).collect();
        assert_eq!(said, ["deleted", "switched on; 0 % to 5 %", "added off, 0 %"]);
        assert!(changes.iter().all(|change| change.name == "next" && change.flag_id == made.flag.id));
        assert_eq!(changes[1].by, ctx.actor.principal.user_name().unwrap_or_default());
        assert_eq!((changes[1].before.as_ref().unwrap().percent, changes[1].after.as_ref().unwrap().percent), (0, 5));
        let first = gateway::list_flag_changes(&ctx, &PageRequest { limit: 2, cursor: None }).await.unwrap();
        let rest = gateway::list_flag_changes(&ctx, &PageRequest { limit: 2, cursor: first.next }).await.unwrap();
        assert_eq!((rest.items.len(), rest.next), (1, None));
    }

    async fn flags_that_mean_nothing_are_refused_by_field(site: Site) {
        let ctx = somebody(&site).await;
        for (change, pointer) in [
            (json!({"name": "no blanks"}), "/name"),
            (json!({"description": "x".repeat(1_001)}), "/description"),
            (json!({"percent": 101}), "/percent"),
            (json!({"audience": {"users": [NIL]}}), "/audience/users/0"),
            (json!({"audience": {"agents": [NIL]}}), "/audience/agents/0"),
            (json!({"audience": {"keys": [NIL]}}), "/audience/keys/0"),
            (json!({"audience": {"keys": vec![NIL; 51]}}), "/audience/keys"),
        ] {
            let refused = gateway::create_flag(&ctx, draft(change.clone())).await.unwrap_err();
            assert_eq!(pointers(refused)[0], pointer, "{change}");
        }
        let made = flag(&ctx, json!({})).await;
        assert!(matches!(gateway::create_flag(&ctx, draft(json!({}))).await, Err(Error::Conflict(_))));
        let elsewhere = other(ctx.runtime()).await;
        assert!(matches!(gateway::get_flag(&elsewhere, made.flag.id).await, Err(Error::NotFound(_))));
        assert!(matches!(gateway::delete_flag(&elsewhere, made.flag.id).await, Err(Error::NotFound(_))));
        let theirs = models(&elsewhere).await.0;
        let refused = gateway::create_route(&elsewhere, behind(&theirs, "smart")).await.unwrap_err();
        assert_eq!(pointers(refused), ["/targets/0/flag"], "another's flag is as unknown as none");
        let actor = Actor { role: Role::Builder, ..ctx.actor.clone() };
        let builder = ctx.runtime().as_actor(actor, String::new());
        assert!(matches!(gateway::create_flag(&builder, draft(json!({"name": "mine"}))).await, Err(Error::Denied(_))));
        assert_eq!(gateway::list_flags(&builder).await.unwrap().len(), 1);
    }

    async fn who_was_named_and_is_gone_keeps_nobody_from_changing_the_flag(site: Site) {
        let ctx = somebody(&site).await;
        let key: KeyDraft = serde_json::from_value(json!({"name": "ci"})).unwrap();
        let key = gateway::create_key(&ctx, key).await.unwrap().key.id;
        let made = flag(&ctx, json!({"audience": {"keys": [key]}})).await;
        gateway::delete_key(&ctx, key).await.unwrap();
        let wider = draft(json!({"percent": 60, "audience": {"keys": [key]}}));
        assert_eq!(gateway::update_flag(&ctx, made.flag.id, ANY, wider).await.unwrap().flag.percent, 60);
    }
}
