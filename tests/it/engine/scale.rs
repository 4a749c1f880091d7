//! Long, wide and heavy runs.

use super::*;

on_both_engines! {
    async fn ten_thousand_steps_in_a_row_end(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut steps = vec![transform("s0", json!(0))];
        steps.extend((1..10_000).map(|n| transform(&format!("s{n}"), json!(format!("{{{{ steps.s{}.output + 1 }}}}", n - 1)))));
        let mut definition = chain(steps);
        definition.output = json!("{{ steps.s9999.output }}");
        let detail = end(&ctx, start(&ctx, &definition, json!({})).await).await;
        assert_eq!(detail.output, json!(9999));
        assert_eq!(detail.last_seq, 20_002);
    }

    async fn two_hundred_branches_with_a_megabyte_between_them_end(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut steps = vec![transform("big", json!("{{ inputs.text }}"))];
        steps.extend((0..200).map(|n| transform(&format!("b{n}"), json!("{{ steps.big.output | length }}"))));
        steps.push(transform("join", json!("{{ steps.b199.output }}")));
        let mut edges = Vec::new();
        for n in 0..200 {
            edges.push(json!({"from": "big", "to": format!("b{n}")}));
            edges.push(json!({"from": format!("b{n}"), "to": "join"}));
        }
        let definition = definition(json!({"weft": 1, "name": "wide", "inputs": any_of(&["text"]), "steps": steps, "edges": edges, "output": "{{ steps.join.output }}"}));
        let text = "x".repeat(1_000_000);
        let detail = end(&ctx, start(&ctx, &definition, json!({"text": text})).await).await;
        assert_eq!(detail.output, json!(1_000_000));
    }

    async fn hundreds_of_timers_that_are_due_at_once_are_each_heard_once(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        // More than are taken in hand at once, and one whose history is too long to be read with others.
        let short = chain(vec![wait("w", 60_000)]);
        let mut steps: Vec<_> = (0..1_200).map(|n| transform(&format!("s{n}"), json!(n))).collect();
        steps.push(wait("w", 60_000));
        let mut runs = vec![start(&ctx, &chain(steps), json!({})).await];
        runs.extend(futures::future::join_all((0..700).map(|_| start(&ctx, &short, json!({})))).await);
        for run in &runs {
            until(&ctx, *run, RunStatus::Waiting).await;
        }
        let second = next_process(&site, rt.clock.clone());
        assert!(rt.tasks.stop(Duration::from_secs(20)).await, "it drains");
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(ctx.actor.clone(), String::new());
        second.clock.advance_ms(60_001);
        for run in runs {
            let detail = end(&ctx, run).await;
            assert_eq!(detail.summary.status, RunStatus::Succeeded);
            let events = workflow::list_events(&ctx, run, detail.last_seq - 2, 10).await.unwrap();
            let kinds: Vec<&str> = events.iter().map(|event| event.fact.kind()).collect();
            assert_eq!(kinds, ["step_succeeded", "run_succeeded"]);
        }
    }
}
