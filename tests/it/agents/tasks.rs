//! What agents are busy with, and who is told.

use super::*;

on_both_engines! {
    async fn a_later_note_takes_the_place_of_an_earlier_one(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        let id = task(&ctx, scout, TaskStatus::Working, RunStatus::Running).await;
        let began = ctx.clock.now();
        ctx.clock.advance_ms(5_000);
        let prompt = format!("{}\0tail", "é".repeat(299));
        let later = Note { prompt, turns: 3, tokens: 900, cost_micros: 70, ..note(scout, id, TaskStatus::Waiting) };
        agents::note_task(&ctx, &later).await.unwrap();
        let mut beside = note(scout, id, TaskStatus::Working);
        beside.step = "each[0].ask".into();
        agents::note_task(&ctx, &beside).await.unwrap();
        let told = tasks(&ctx, scout).await;
        assert_eq!(told.iter().map(|task| task.step.as_str()).collect::<Vec<_>>(), ["each[0].ask", "ask"]);
        let first = &told[1];
        assert_eq!((first.status, first.turns, first.tokens, first.cost_micros), (TaskStatus::Waiting, 3, 900, 70));
        assert_eq!((first.started_at, first.active_at.ms_since(began)), (began, 5_000));
        assert_eq!(first.prompt, format!("{}t", "é".repeat(299)));
        assert_eq!((first.run_id, first.workflow_name.as_str(), first.version), (id, "Nightly", 1));
    }

    async fn a_task_that_waited_counts_from_its_beginning(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        let id = run(&ctx, RunStatus::Queued).await;
        let given = note(scout, id, TaskStatus::Queued);
        agents::note_given(&ctx, &given).await.unwrap();
        let told = async || tasks(&ctx, scout).await.remove(0);
        assert_eq!((told().await.status, told().await.turns), (TaskStatus::Queued, 0));
        assert_eq!(monitor::get_agent(&ctx, scout).await.unwrap().queued, 1);
        ctx.clock.advance_ms(60_000);
        agents::note_task(&ctx, &note(scout, id, TaskStatus::Working)).await.unwrap();
        let began = ctx.clock.now();
        ctx.clock.advance_ms(1_000);
        // A note that comes late changes nothing.
        agents::note_given(&ctx, &given).await.unwrap();
        agents::note_task(&ctx, &note(scout, id, TaskStatus::Done)).await.unwrap();
        let done = told().await;
        assert_eq!((done.status, done.started_at, done.active_at.ms_since(began)), (TaskStatus::Done, began, 1_000));
        assert_eq!(tasks(&ctx, scout).await.len(), 1);
    }

    async fn a_task_that_somebody_did_by_hand_is_done_and_holds_no_run_any_more(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        let id = task(&ctx, scout, TaskStatus::Waiting, RunStatus::Paused).await;
        assert_eq!(agents::list_paused_runs(&ctx, scout).await.unwrap(), [id]);
        let elsewhere = workspace(&site.runtime).await;
        agents::close_task(&elsewhere, id, "ask").await.unwrap();
        agents::close_task(&ctx, id, "another").await.unwrap();
        assert_eq!(agents::list_paused_runs(&ctx, scout).await.unwrap(), [id], "none of these is it");
        agents::close_task(&ctx, id, "ask").await.unwrap();
        assert!(agents::list_paused_runs(&ctx, scout).await.unwrap().is_empty());
        assert_eq!(tasks(&ctx, scout).await[0].status, TaskStatus::Done);
    }

    async fn a_task_stands_as_its_run_does(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        let rows = [
            (TaskStatus::Working, RunStatus::Running, TaskStatus::Working),
            (TaskStatus::Working, RunStatus::Waiting, TaskStatus::Waiting),
            (TaskStatus::Working, RunStatus::Paused, TaskStatus::Waiting),
            (TaskStatus::Waiting, RunStatus::Running, TaskStatus::Waiting),
            (TaskStatus::Working, RunStatus::Cancelled, TaskStatus::Cancelled),
            (TaskStatus::Waiting, RunStatus::Failed, TaskStatus::Failed),
            (TaskStatus::Working, RunStatus::Succeeded, TaskStatus::Done),
            (TaskStatus::Failed, RunStatus::Succeeded, TaskStatus::Failed),
            (TaskStatus::Done, RunStatus::Running, TaskStatus::Done),
        ];
        for (noted, run, expected) in rows {
            let id = task(&ctx, scout, noted, run).await;
            let told = tasks(&ctx, scout).await.into_iter().find(|task| task.run_id == id).unwrap();
            assert_eq!(told.status, expected, "{noted:?} in a run that is {run:?}");
            ctx.clock.advance_ms(1_000);
        }
        // Of a run that was forgotten.
        let forgotten: RunId = ctx.ids.fresh();
        agents::note_task(&ctx, &note(scout, forgotten, TaskStatus::Working)).await.unwrap();
        let standing = monitor::get_agent(&ctx, scout).await.unwrap();
        assert_eq!((standing.working, standing.waiting, standing.done, standing.failed), (1, 3, 2, 2));
        assert_eq!(standing.cost_micros, 10 * 40);
        let latest = standing.latest.unwrap();
        assert_eq!((latest.run_id, latest.status), (forgotten, TaskStatus::Cancelled));
    }

    async fn what_is_over_counts_for_thirty_days_and_what_goes_on_always(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let (scout, idle) = (add(&ctx, "scout").await, add(&ctx, "idle").await);
        let open = task(&ctx, scout, TaskStatus::Working, RunStatus::Waiting).await;
        task(&ctx, scout, TaskStatus::Done, RunStatus::Succeeded).await;
        // Broken off: over since long, whatever it noted.
        task(&ctx, scout, TaskStatus::Working, RunStatus::Failed).await;
        ctx.clock.advance_ms(31 * DAY_MS);
        task(&ctx, scout, TaskStatus::Failed, RunStatus::Failed).await;
        let told = async || {
            let standing = monitor::get_agent(&ctx, scout).await.unwrap();
            (standing.waiting, standing.done, standing.failed, standing.cost_micros)
        };
        assert_eq!(told().await, (1, 0, 1, 40));
        // It began long ago, so that its costs are not of these days.
        ctx.clock.advance_ms(1_000);
        agents::note_task(&ctx, &note(scout, open, TaskStatus::Done)).await.unwrap();
        assert_eq!(told().await, (0, 1, 1, 40));
        let all = monitor::list_agents(&ctx).await.unwrap();
        assert_eq!((all[0].agent.id, all[0].latest.clone(), all[0].cost_micros), (idle, None, 0));
        assert_eq!((all[1].done, all[1].latest.as_ref().map(|task| task.run_id)), (1, Some(open)));
    }

    async fn versions_are_compared_by_what_they_got_done_and_what_that_took(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let (scout, other) = (add(&ctx, "scout").await, add(&ctx, "other").await);
        let work = async |agent, version, status, turns: u32, ms| {
            let run = run(&ctx, RunStatus::Running).await;
            let begun = Note { version, turns: 0, cost_micros: 0, ..note(agent, run, TaskStatus::Working) };
            agents::note_task(&ctx, &begun).await.unwrap();
            ctx.clock.advance_ms(ms);
            let ended = Note { status, turns, tokens: 100, cost_micros: i64::from(turns) * 10, ..begun };
            agents::note_task(&ctx, &ended).await.unwrap();
        };
        work(scout, 1, TaskStatus::Done, 9, 1_000).await;
        ctx.clock.advance_ms(40 * DAY_MS);
        work(scout, 1, TaskStatus::Failed, 1, 10).await;
        ctx.clock.advance_ms(2 * DAY_MS);
        for (turns, ms) in [(2, 3_000), (6, 1_000), (4, 2_000)] {
            work(scout, 2, TaskStatus::Done, turns, ms).await;
        }
        work(other, 2, TaskStatus::Done, 50, 9_000).await;
        let results = monitor::agent_results(&ctx, scout, Period::Month).await.unwrap();
        assert_eq!((results.tasks, results.is_cut, results.buckets.len()), (4, false, 30));
        let days: Vec<_> = results.buckets.iter().map(|day| (day.done, day.failed, day.cost_micros)).collect();
        assert_eq!((days[27], days[28], days[29]), ((0, 1, 10), (0, 0, 0), (3, 0, 120)));
        let versions: Vec<_> = results.versions.iter().map(|one| (one.version, one.done, one.failed)).collect();
        assert_eq!(versions, [(2, 3, 0), (1, 0, 1)]);
        let middle = results.versions[0].median.unwrap();
        assert_eq!((middle.turns, middle.tokens, middle.cost_micros, middle.duration_ms), (4, 100, 40, 2_000));
        assert_eq!(results.versions[1].median, None, "nothing is done by it");
    }

    async fn tasks_come_in_pages_the_last_begun_first(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let (scout, other) = (add(&ctx, "scout").await, add(&ctx, "other").await);
        let mut begun = Vec::new();
        for number in 0..7 {
            // Three at a time in the same moment.
            if number % 3 == 0 {
                ctx.clock.advance_ms(1_000);
            }
            begun.insert(0, task(&ctx, scout, TaskStatus::Working, RunStatus::Running).await);
            task(&ctx, other, TaskStatus::Working, RunStatus::Running).await;
        }
        let mut seen = Vec::new();
        let mut page = PageRequest { limit: 2, cursor: None };
        loop {
            let part = monitor::list_agent_tasks(&ctx, scout, &page).await.unwrap();
            assert!(part.items.len() <= 2);
            seen.extend(part.items.into_iter().map(|task| task.run_id));
            match part.next {
                Some(next) => page.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, begun);
        let foreign = PageRequest { limit: 2, cursor: Some("mine".into()) };
        assert!(matches!(monitor::list_agent_tasks(&ctx, scout, &foreign).await, Err(ApiError::Invalid { .. })));
    }

    async fn a_task_is_forgotten_after_ninety_days_unless_its_run_goes_on(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        let waits = task(&ctx, scout, TaskStatus::Waiting, RunStatus::Waiting).await;
        task(&ctx, scout, TaskStatus::Done, RunStatus::Succeeded).await;
        agents::note_task(&ctx, &note(scout, ctx.ids.fresh(), TaskStatus::Working)).await.unwrap();
        ctx.clock.advance_ms(DAY_MS);
        let young = task(&ctx, scout, TaskStatus::Done, RunStatus::Succeeded).await;
        ctx.clock.advance_ms(89 * DAY_MS);
        assert_eq!(agents::forget(&site.runtime).await.unwrap(), 0);
        ctx.clock.advance_ms(1);
        assert_eq!(agents::forget(&site.runtime).await.unwrap(), 2);
        let kept: Vec<RunId> = tasks(&ctx, scout).await.into_iter().map(|task| task.run_id).collect();
        assert_eq!(kept, [young, waits]);
    }

    async fn who_waits_for_people_or_money_says_so_for_as_long_as_it_waits(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        let asks = task(&ctx, scout, TaskStatus::Waiting, RunStatus::Waiting).await;
        let poor = run(&ctx, RunStatus::Paused).await;
        agents::note_task(&ctx, &Note { waits_for: Some(WaitsFor::Budget), ..note(scout, poor, TaskStatus::Waiting) }).await.unwrap();
        // It was asked about, and its run has ended since.
        task(&ctx, scout, TaskStatus::Waiting, RunStatus::Cancelled).await;
        let one = monitor::get_agent(&ctx, scout).await.unwrap();
        assert_eq!((one.waiting, one.for_people, one.over_budget), (2, 1, 1));
        let listed = tasks(&ctx, scout).await;
        let of = |id: RunId| listed.iter().find(|task| task.run_id == id).unwrap();
        assert_eq!((of(asks).waits_for, of(poor).waits_for), (Some(WaitsFor::People), Some(WaitsFor::Budget)));
        assert_eq!(of(asks).processes, Processes { cpu_ms: 1_200, memory_mb: 48 });
        let board = monitor::list_board(&ctx, &[scout, ctx.ids.fresh()]).await.unwrap();
        assert_eq!((board.len(), board[0].busy.for_people, board[0].busy.over_budget), (1, 1, 1));
    }

    async fn whoever_looks_at_agents_is_told_of_each_change_once(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let mut changes = ctx.events.subscribe();
        let mut told = move || {
            let mut told: Vec<Value> = Vec::new();
            while let Ok(change) = changes.try_recv() {
                if change.update.topic == Topic::Agents {
                    assert_eq!(change.update.kind, "agents_changed");
                    told.push(change.update.data["id"].clone());
                }
            }
            told
        };
        let scout = add(&ctx, "scout").await;
        let once = [json!(scout)];
        assert_eq!(told(), once);
        agents::update(&ctx, scout, 1, draft("scout")).await.unwrap();
        assert_eq!(told(), [json!(null); 0], "nothing changed");
        agents::update(&ctx, scout, 1, draft("scout-2")).await.unwrap();
        assert_eq!(told(), once);
        agents::halt(&ctx, scout, true).await.unwrap();
        agents::halt(&ctx, scout, true).await.unwrap();
        assert_eq!(told(), once);
        task(&ctx, scout, TaskStatus::Working, RunStatus::Running).await;
        assert_eq!(told(), once);
        agents::delete(&ctx, scout).await.unwrap();
        assert_eq!(told(), once);
        agents::note_task(&ctx, &note(scout, ctx.ids.fresh(), TaskStatus::Done)).await.unwrap();
        assert_eq!(told(), [json!(null); 0], "of an agent that is gone nothing is kept");
    }
}
