//! The examples of `docs/workflow-patterns.md`, run as they stand there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use weft::model::workflow::why::Code;
use weft::workflow::definitions::{self, file};
use weft::workflow::events;

use super::flow::{Gate, waits_for, with_config};
use super::*;

const PAGE: &str = include_str!("../../../docs/workflow-patterns.md");

/// A context in a workspace of its own, whose runs go on when they were given back.
async fn ctx(runtime: &Runtime) -> Ctx {
    workflow::boot(runtime).await.unwrap();
    super::ctx(runtime).await
}

/// The example under the heading with this number.
fn example(number: u32) -> Definition {
    let (_, rest) = PAGE.split_once(&format!("\n### {number} ")).unwrap();
    let (_, rest) = rest.split_once("```yaml\n").unwrap();
    file::parse(rest.split_once("```").unwrap().0).unwrap()
}

async fn publish(ctx: &Ctx, definition: Definition) {
    let workflow = definitions::create(ctx, definition).await.unwrap();
    definitions::publish(ctx, workflow.id).await.unwrap();
}

/// What several examples call.
async fn publish_bill(ctx: &Ctx) {
    let mut bill = chain(vec![transform("bill", json!("bill {{ inputs.n }}"))]);
    "Bill".clone_into(&mut bill.name);
    bill.output = json!("{{ steps.bill.output }}");
    publish(ctx, bill).await;
}

fn status(detail: &RunDetail, id: &str) -> StepStatus {
    detail.steps.iter().find(|step| step.id == id).unwrap().status
}

async fn until_step(ctx: &Ctx, run: RunId, id: &str, wanted: StepStatus) -> RunDetail {
    until_so(ctx, run, |detail| status(detail, id) == wanted).await
}

/// The names of the functions in a folder's files.
fn tests_of(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_of(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let named = text.lines().filter_map(|line| line.split_once("fn ")?.1.split_once('('));
            names.extend(named.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_pattern_has_its_row_and_every_row_that_says_yes_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeSet::new();
    for folder in ["tests/it/engine", "src/workflow/machine"] {
        tests_of(&root.join(folder), &mut tests);
    }
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let numbers: Vec<u32> = rows.iter().map(|row| row[1].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=43).collect::<Vec<_>>());
    for row in &rows {
        let test = row[5].trim_matches('`');
        match row[3] {
            "no" => assert!(test.is_empty() && !row[4].is_empty(), "{row:?}"),
            "direct" | "construction" => assert!(tests.contains(test), "{row:?}"),
            _ => panic!("{row:?}"),
        }
    }
}

on_both_engines! {
    async fn what_was_chosen_is_waited_for_and_nothing_else(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &example(7), json!({"amount": 20})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(1000);
        let detail = until_step(&ctx, run, "mail", StepStatus::Succeeded).await;
        assert_eq!((status(&detail, "audit"), status(&detail, "end")), (StepStatus::Skipped, StepStatus::Queued));
        site.runtime.clock.advance_ms(1000);
        assert_eq!(end(&ctx, run).await.output, json!("told"));
    }

    async fn each_branch_runs_what_follows(site: Site) {
        let ctx = ctx(&site.runtime).await;
        publish_bill(&ctx).await;
        let run = start(&ctx, &example(8), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(1000);
        let detail = until_step(&ctx, run, "after_first", StepStatus::Succeeded).await;
        assert_eq!(status(&detail, "second"), StepStatus::Waiting);
        site.runtime.clock.advance_ms(1000);
        assert_eq!(end(&ctx, run).await.output, json!(["bill 1", "bill 2"]));
    }

    async fn the_first_branch_goes_on_and_the_others_end_unheard(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &example(9), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(1000);
        let detail = until_step(&ctx, run, "go", StepStatus::Succeeded).await;
        assert_eq!((status(&detail, "slow"), detail.summary.status.is_final()), (StepStatus::Waiting, false));
        site.runtime.clock.advance_ms(1000);
        assert_eq!(status(&end(&ctx, run).await, "slow"), StepStatus::Succeeded);
        let events = workflow::list_events(&ctx, run, 0, 100).await.unwrap();
        let gone = |event: &&weft::model::workflow::Event| {
            event.step.as_deref() == Some("go") && matches!(event.fact, Fact::StepStarted { .. })
        };
        assert_eq!(events.iter().filter(gone).count(), 1);
    }

    async fn a_cycle_with_two_ways_in_is_a_repeat_around_a_switch(site: Site) {
        let ctx = ctx(&site.runtime).await;
        for enter in ["write", "review"] {
            let run = start(&ctx, &example(10), json!({"enter": enter})).await;
            assert_eq!(end(&ctx, run).await.output, json!({"state": "done", "drafts": 2}), "{enter}");
        }
    }

    async fn instances_nobody_waits_for_run_alone(site: Site) {
        let ctx = ctx(&site.runtime).await;
        publish_bill(&ctx).await;
        let detail = end(&ctx, start(&ctx, &example(12), json!({})).await).await;
        let begun = detail.output.as_array().unwrap();
        assert_eq!(begun.len(), 3);
        for (n, one) in begun.iter().enumerate() {
            let child = end(&ctx, one["run_id"].as_str().unwrap().parse().unwrap()).await;
            assert_eq!(child.output, json!(format!("bill {}", n + 1)));
        }
    }

    async fn instances_that_come_while_others_work_are_waited_for(site: Site) {
        let ctx = ctx(&site.runtime).await;
        publish(&ctx, example(15)).await;
        let run = start(&ctx, &example(15), json!({"n": 1})).await;
        for n in 1..=3 {
            waits_for_event(&ctx, &format!("witness/{n}")).await;
            events::send(&ctx, &format!("witness/{n}"), &json!({}), None).await.unwrap();
        }
        // The fourth waits while the first three still work.
        waits_for_event(&ctx, "witness/4").await;
        site.runtime.clock.advance_ms(1000);
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&ctx, run).await.output, json!(3));
    }

    async fn the_event_that_comes_first_chooses_the_branch(site: Site) {
        let ctx = ctx(&site.runtime).await;
        for (key, chosen, other) in [("paid", "ship", "remind"), ("refused", "remind", "ship")] {
            let run = start(&ctx, &example(16), json!({})).await;
            until(&ctx, run, RunStatus::Waiting).await;
            events::send(&ctx, &format!("{key}/{run}"), &json!({}), None).await.unwrap();
            let detail = end(&ctx, run).await;
            assert_eq!((status(&detail, chosen), status(&detail, other)), (StepStatus::Succeeded, StepStatus::Skipped));
            let loser = if key == "paid" { "refused" } else { "paid" };
            assert_eq!(status(&detail, loser), StepStatus::Cancelled);
        }
    }

    async fn steps_under_the_key_of_their_run_never_overlap(site: Site) {
        let gate = Gate::open().await;
        let runtime = with_config(&site, |_| ());
        let ctx = ctx(&runtime).await;
        let run = start(&ctx, &example(17), json!({"url": gate.url})).await;
        waits_for(&ctx, run, Code::StepKey).await;
        gate.answers.add_permits(3);
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        assert_eq!(gate.most(), 1);
    }

    async fn what_a_milestone_allows_ends_when_the_run_moves_on(site: Site) {
        let ctx = ctx(&site.runtime).await;
        for comes in [true, false] {
            let run = start(&ctx, &example(18), json!({})).await;
            until(&ctx, run, RunStatus::Waiting).await;
            site.runtime.clock.advance_ms(1000);
            until_step(&ctx, run, "wish", StepStatus::Waiting).await;
            if comes {
                events::send(&ctx, &format!("wish/{run}"), &json!({}), None).await.unwrap();
                until_step(&ctx, run, "note", StepStatus::Succeeded).await;
            }
            site.runtime.clock.advance_ms(60_000);
            let detail = end(&ctx, run).await;
            let wish = if comes { StepStatus::Succeeded } else { StepStatus::Cancelled };
            assert_eq!((status(&detail, "packed"), status(&detail, "wish")), (StepStatus::Succeeded, wish));
        }
    }

    async fn a_region_is_withdrawn_by_an_event(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &example(25), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        events::send(&ctx, &format!("withdraw/{run}"), &json!({}), None).await.unwrap();
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, &detail.output), (RunStatus::Succeeded, &json!("withdrawn")));
        assert_eq!(status(&detail, "region"), StepStatus::Cancelled);
    }

    async fn a_map_is_withdrawn_by_an_event(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &example(26), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        events::send(&ctx, &format!("enough/{run}"), &json!({}), None).await.unwrap();
        let detail = end(&ctx, run).await;
        assert_eq!((status(&detail, "each"), &detail.output), (StepStatus::Cancelled, &json!("went on")));
    }

    async fn two_of_three_branches_are_enough(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &example(30), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(1000);
        let detail = until_step(&ctx, run, "a", StepStatus::Succeeded).await;
        assert_eq!(status(&detail, "go"), StepStatus::Queued);
        site.runtime.clock.advance_ms(1000);
        let detail = until_step(&ctx, run, "go", StepStatus::Succeeded).await;
        assert_eq!(status(&detail, "c"), StepStatus::Waiting);
        site.runtime.clock.advance_ms(1000);
        assert_eq!(status(&end(&ctx, run).await, "c"), StepStatus::Succeeded);
    }

    async fn an_iteration_ends_with_all_of_its_branches(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &example(31), json!({})).await;
        let ended = |detail: &RunDetail| detail.steps[0].bodies.map_or(0, |bodies| bodies.ended);
        until(&ctx, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(1000);
        let gone = "rounds[0].go";
        let detail = loop {
            let body = workflow::get_body(&ctx, run, "rounds[0]").await.unwrap();
            if body.steps.iter().any(|step| gone.ends_with(&step.id) && step.status == StepStatus::Succeeded) {
                break workflow::get_run(&ctx, run).await.unwrap();
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(ended(&detail), 0);
        site.runtime.clock.advance_ms(4000);
        until_so(&ctx, run, |detail| ended(detail) == 1 && detail.summary.status == RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(5000);
        assert_eq!(end(&ctx, run).await.output, json!(2));
    }

    async fn one_run_at_a_time_is_in_the_critical_section(site: Site) {
        let ctx = ctx(&site.runtime).await;
        publish(&ctx, example(39)).await;
        let caller = chain(vec![json!({"id": "till", "kind": "workflow", "config": {"workflow": "Till"}})]);
        let (first, second) = (start(&ctx, &caller, json!({})).await, start(&ctx, &caller, json!({})).await);
        let inside = |detail: &RunDetail| match detail.steps[0].waiting.as_ref().and_then(|waiting| waiting.on.as_ref()) {
            Some(weft::model::workflow::Await::Run { run }) => Some(*run),
            _ => None,
        };
        let child = |detail: RunDetail| inside(&detail).unwrap();
        let first_inside = child(until_so(&ctx, first, |detail| inside(detail).is_some()).await);
        let second_inside = child(until_so(&ctx, second, |detail| inside(detail).is_some()).await);
        // Either may be let in first, and is so in a moment.
        let status = async |run| workflow::get_run(&ctx, run).await.unwrap().summary.status;
        let mut changes = ctx.events.subscribe();
        let (holder, waiter) = loop {
            match (status(first_inside).await, status(second_inside).await) {
                (RunStatus::Queued, RunStatus::Queued) => drop(changes.recv().await),
                (RunStatus::Queued, _) => break (second_inside, first_inside),
                _ => break (first_inside, second_inside),
            }
        };
        for step in ["open", "close"] {
            until_step(&ctx, holder, step, StepStatus::Waiting).await;
            assert_eq!(workflow::get_run(&ctx, waiter).await.unwrap().summary.status, RunStatus::Queued);
            site.runtime.clock.advance_ms(1000);
        }
        until_step(&ctx, waiter, "open", StepStatus::Waiting).await;
        assert!(workflow::get_run(&ctx, holder).await.unwrap().summary.status.is_final());
    }

    async fn the_last_step_stops_what_is_left(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &example(43), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(1000);
        let detail = end(&ctx, run).await;
        assert_eq!(detail.output, json!("over"));
        assert_eq!([status(&detail, "watch"), status(&detail, "sweep")], [StepStatus::Cancelled; 2]);
    }
}

/// Waits until some run waits for this event.
async fn waits_for_event(ctx: &Ctx, key: &str) {
    let waits = |detail: &RunDetail| {
        detail
            .steps
            .iter()
            .filter_map(|step| step.waiting.as_ref()?.on.as_ref())
            .any(|on| matches!(on, weft::model::workflow::Await::Event { key: found, .. } if found == key))
    };
    let work = async {
        loop {
            let page = weft::model::PageRequest { limit: 50, cursor: None };
            let runs =
                workflow::list_runs(ctx, &weft::model::workflow::RunFilter::default(), &page).await.unwrap().items;
            for run in runs {
                if waits(&workflow::get_run(ctx, run.id).await.unwrap()) {
                    return;
                }
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), work).await.unwrap();
}
