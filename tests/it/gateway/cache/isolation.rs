//! What makes another question: nothing is given across these.

use serde_json::json;
use weft::cache;
use weft::gateway;
use weft::model::cache::{CacheMode, CacheSettings, CacheWish, Programs};
use weft::model::gateway::{Block, Effort, KeyDraft, Output, Request, Tool, ToolChoice};

use super::*;

fn tool(name: &str) -> Tool {
    Tool::Function {
        name: name.into(),
        description: None,
        input_schema: json!({"type": "object"}),
        strict: None,
        cache: None,
        extra: Default::default(),
    }
}

/// Requests that differ from the first in one thing each.
fn variants() -> Vec<(&'static str, Request)> {
    let base = cold("What is a loom?");
    let change = |what: &'static str, alter: &dyn Fn(&mut Request)| {
        let mut request = base.clone();
        alter(&mut request);
        (what, request)
    };
    vec![
        change("nothing", &|_| {}),
        change("another model", &|request| request.model = "small".into()),
        change("a system prompt", &|request| request.system.push(Block::text("You weave."))),
        change("another system prompt", &|request| request.system.push(Block::text("You weave!"))),
        change("temperature", &|request| request.sampling.temperature = Some(0.5)),
        change("no temperature", &|request| request.sampling.temperature = None),
        change("top_p", &|request| request.sampling.top_p = Some(0.5)),
        change("seed", &|request| request.sampling.seed = Some(1)),
        change("a tool", &|request| request.tools.push(tool("look"))),
        change("another tool", &|request| request.tools.push(tool("see"))),
        change("two tools", &|request| request.tools.extend([tool("look"), tool("see")])),
        change("a tool that must be used", &|request| {
            request.tools.push(tool("look"));
            request.tool_choice = Some(ToolChoice::Any);
        }),
        change("a limit", &|request| request.max_tokens = Some(7)),
        change("a stop", &|request| request.stop.push("\n".into())),
        change("JSON", &|request| request.output = Some(Output::Json)),
        change("effort", &|request| request.effort = Some(Effort::Low)),
        change("more effort", &|request| request.effort = Some(Effort::High)),
        change("case", &|request| request.messages = cold("What is a Loom?").messages),
        change("white space", &|request| request.messages = cold("What is a  loom?").messages),
        change("a symbol", &|request| request.messages = cold("What is a loom").messages),
        change("a script", &|request| request.messages = cold("織機とは何ですか").messages),
        change("a turn", &|request| request.messages.extend(cold("Well?").messages)),
        change("a field of its own", &|request| drop(request.extra.insert("user".into(), json!("ada")))),
    ]
}

on_both_engines! {
    async fn every_part_of_a_request_makes_it_another_question(site: Site) {
        let ctx = somebody(&site).await;
        let variants = variants();
        let upstream = counting(&ctx, variants.len()).await;
        let wish = || CacheWish { mode: CacheMode::Always, ..CacheWish::default() };
        let mut answers = Vec::new();
        for (what, request) in &variants {
            let answered = ask_so(&ctx, request.clone(), wish()).await;
            assert_eq!(did(&answered), "miss", "{what} is taken for another question");
            answers.push(answered.response.text());
        }
        assert_eq!(upstream.count(), variants.len());
        for ((what, request), text) in variants.iter().zip(answers) {
            let again = ask_so(&ctx, request.clone(), wish()).await;
            assert_eq!((did(&again), again.response.text()), ("hit", text), "{what}");
        }
    }

    async fn nothing_is_given_across_workspaces(site: Site) {
        let ours = somebody(&site).await;
        let theirs = crate::engine::ctx(ours.runtime()).await;
        let (first, second) = (counting(&ours, 1).await, counting(&theirs, 1).await);
        ask(&ours, cold("x")).await;
        assert_eq!(did(&ask(&theirs, cold("x")).await), "miss");
        assert_eq!((first.count(), second.count()), (1, 1));
        let id = cache::list(&ours, &Default::default(), &Default::default()).await.unwrap().items[0].id;
        assert!(matches!(cache::get(&theirs, id).await, Err(cache::Error::NotFound(_))));
        assert!(matches!(cache::delete(&theirs, id).await, Err(cache::Error::NotFound(_))));
        let gone = cache::invalidate(&theirs, weft::model::cache::Invalidation { all: true, ..Default::default() }).await;
        assert_eq!(gone.unwrap().invalidated, 1);
        assert!(is_hit(&ask(&ours, cold("x")).await));
    }

    async fn nothing_is_given_across_people_unless_the_workspace_says_so(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = counting(&ctx, 8).await;
        let (ada, ben) = (person(&ctx, Rights::Operator), person(&ctx, Rights::Operator));
        assert_eq!(did(&ask(&ada, cold("x")).await), "miss");
        assert_eq!(did(&ask(&ben, cold("x")).await), "miss");
        assert_eq!(did(&ask(&ada, cold("x")).await), "hit");

        let shared = CacheSettings { programs: Programs::Workspace, ..CacheSettings::default() };
        cache::update_settings(&ctx, shared).await.unwrap();
        assert_eq!(did(&ask(&ada, cold("x")).await), "miss");
        assert_eq!(did(&ask(&ben, cold("x")).await), "hit");
        cache::update_settings(&ctx, CacheSettings { enabled: false, ..shared }).await.unwrap();
        let always = CacheWish { mode: CacheMode::Always, ..CacheWish::default() };
        assert_eq!(did(&ask_so(&ada, cold("x"), always).await), "off");
        assert_eq!(upstream.count(), 4);
    }

    async fn the_keys_of_one_person_share_and_those_of_two_do_not(site: Site) {
        let (owner, _) = crate::auth::owner(&crate::gateway::process(&site, weft::runtime::Clock::System)).await;
        let upstream = counting(&owner, 4).await;
        let key = async |by: &Ctx, cache| {
            let draft = KeyDraft { name: "k".into(), models: vec![], expires_at: None, cache, limits: Default::default() };
            let secret = gateway::create_key(by, draft).await.unwrap().secret.0;
            let actor = gateway::authenticate(owner.runtime(), &secret).await.unwrap().unwrap();
            owner.runtime().as_actor(actor, String::new())
        };
        let system = owner.runtime().system(owner.workspace());
        let (one, two) = (key(&owner, CacheMode::Auto).await, key(&owner, CacheMode::Auto).await);
        let (nobodys, never) = (key(&system, CacheMode::Auto).await, key(&owner, CacheMode::Never).await);
        assert_eq!(did(&ask(&one, cold("x")).await), "miss");
        assert_eq!(did(&ask(&two, cold("x")).await), "hit");
        assert_eq!(did(&ask(&owner, cold("x")).await), "hit", "the person themselves");
        assert_eq!(did(&ask(&nobodys, cold("x")).await), "miss");
        assert_eq!(did(&ask(&nobodys, cold("x")).await), "hit");
        assert_eq!(did(&ask(&never, cold("x")).await), "off");
        let always = CacheWish { mode: CacheMode::Always, ..CacheWish::default() };
        assert_eq!(did(&ask_so(&never, cold("x"), always).await), "hit", "the call comes before its key");
        assert_eq!(upstream.count(), 3);
    }

    async fn what_was_said_to_one_person_is_shown_to_them_and_to_those_who_manage(site: Site) {
        let ctx = somebody(&site).await;
        counting(&ctx, 1).await;
        let (ada, ben) = (person(&ctx, Rights::Operator), person(&ctx, Rights::Builder));
        ask(&ada, cold("My secret question")).await;
        let id = cache::list(&ben, &Default::default(), &Default::default()).await.unwrap().items[0].id;
        let seen = cache::get(&ada, id).await.unwrap();
        assert_eq!(seen.text.as_deref(), Some("Answer 1."));
        assert_eq!(seen.request.unwrap()["messages"][0]["content"], "My secret question");
        assert!(cache::get(&ctx, id).await.unwrap().text.is_some());
        let withheld = cache::get(&ben, id).await.unwrap();
        assert_eq!((withheld.text, withheld.request, withheld.answer), (None, None, None));
        assert!(withheld.withheld.unwrap().contains("one person"));
        assert!(matches!(cache::mark_wrong(&ben, id).await, Err(cache::Error::Denied(_))));
        assert!(matches!(cache::delete(&ben, id).await, Err(cache::Error::Denied(_))));
        let viewer = person(&ctx, Rights::Viewer);
        assert!(matches!(cache::get(&viewer, id).await, Err(cache::Error::Denied(_))));
        assert!(matches!(cache::list(&viewer, &Default::default(), &Default::default()).await, Err(cache::Error::Denied(_))));
        cache::delete(&ada, id).await.unwrap();
    }
}
