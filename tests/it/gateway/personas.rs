//! Variables of personas, and the personas that tasks call for.

use serde_json::json;
use weft::agents::queue;
use weft::model::ApiError;
use weft::model::agent::{AgentSpec, Entry, KeptOut, NewTask, Persona, QueuedStatus, Variable};
use weft::model::workflow::{Fact, RunStatus};
use weft::workflow::{self, assign};

use super::agents::{agent, model, told, words};
use super::somebody;
use crate::engine::{any_of, end, start};

fn variable(name: &str, default: Option<&str>) -> Variable {
    Variable { name: name.into(), default: default.map(str::to_owned) }
}

fn weaver() -> AgentSpec {
    AgentSpec {
        variables: vec![variable("customer", None), variable("language", Some("English"))],
        personas: vec![Persona {
            name: "reviewer".into(),
            text: "You review for {{ inputs.customer }}.".into(),
            words: vec!["review".into()],
            when: String::new(),
            priority: 5,
            adds: false,
        }],
        ..AgentSpec::new("You weave for {{ inputs.customer }} in {{ inputs.language }}.")
    }
}

fn task(prompt: &str, pairs: &[(&str, &str)]) -> NewTask {
    let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    NewTask { variables, ..NewTask::from(prompt) }
}

on_both_engines! {
    async fn a_task_is_told_what_its_variables_say_and_who_the_agent_is(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [words("Woven."), words("Reviewed.")]).await;
        let id = agent(&ctx, "weaver", weaver()).await;
        let given = [("customer", "{{ inputs.language }}"), ("language", "German")];
        let run = workflow::give_task(&ctx, id, task("Weave it.", &given), None).await.unwrap();
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert!(told(&upstream, 0)[0].contains("You weave for {{ inputs.language }} in German."), "{:?}", told(&upstream, 0));

        let run = workflow::give_task(&ctx, id, task("Review it.", &[("customer", "Acme")]), None).await.unwrap();
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert!(told(&upstream, 1)[0].contains("You review for Acme."), "{:?}", told(&upstream, 1));
        let events = workflow::list_events(&ctx, run, 0, 1000).await.unwrap();
        let begun = events.into_iter().find_map(|event| match event.fact {
            Fact::StepAdvanced { entry, .. } => Some(Entry::read(&entry).unwrap()),
            _ => None,
        });
        let Some(Entry::Begun { persona: Some(chosen), .. }) = begun else { panic!("{begun:?}") };
        assert_eq!((chosen.names, chosen.why.as_str()), (vec!["reviewer".to_owned()], "reviewer fits: the task says \u{201c}review\u{201d}."));
    }

    async fn a_task_that_says_too_little_or_too_much_is_refused_and_starts_nothing(site: Site) {
        let ctx = somebody(&site).await;
        let id = agent(&ctx, "weaver", weaver()).await;
        for (pairs, pointer) in [(&[][..], "/variables/customer"), (&[("customer", "Acme"), ("colour", "red")][..], "/variables/colour")] {
            let refused = workflow::give_task(&ctx, id, task("Weave it.", pairs), None).await.unwrap_err();
            let refused = ApiError::from(refused);
            assert!(refused.field(pointer).is_some(), "{refused:?}");
        }
        assert_eq!(weft::monitor::get_agent(&ctx, id).await.unwrap().queued, 0);
    }

    async fn a_step_fills_the_variables_from_its_run(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [words("Woven.")]).await;
        agent(&ctx, "weaver", weaver()).await;
        let config = json!({"agent": "weaver", "prompt": "Weave it.", "variables": {"customer": "{{ inputs.who }}"}});
        let step = json!({"id": "work", "kind": "agent", "config": config});
        let definition = json!({"weft": 1, "name": "told", "inputs": any_of(&["who"]), "steps": [step], "edges": []});
        let run = start(&ctx, &serde_json::from_value(definition).unwrap(), json!({"who": "Acme"})).await;
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert!(told(&upstream, 0)[0].contains("You weave for Acme in English."), "{:?}", told(&upstream, 0));
    }

    async fn the_queue_leaves_out_who_has_to_be_told_variables(site: Site) {
        let ctx = somebody(&site).await;
        agent(&ctx, "weaver", weaver()).await;
        let draft = serde_json::from_value(json!({"prompt": "Weave it."})).unwrap();
        let id = queue::give(&ctx, draft, None).await.unwrap().id;
        assign::look(ctx.runtime()).await.unwrap();
        let stands = queue::get(&ctx, id).await.unwrap();
        assert_eq!(stands.status, QueuedStatus::Waiting);
        assert!(stands.reason.contains(KeptOut::Variables.phrase()), "{}", stands.reason);
    }
}
