//! The templates in which agents work together, run as they are shipped.

use serde_json::{Value, json};
use weft::model::workflow::RunDetail;
use weft::runtime::Ctx;
use weft::workflow::templates;

use super::agents::{agent, answer_of, model, spec, told, words};
use super::somebody;
use crate::engine::{end, start};

/// Runs a template.
async fn run(ctx: &Ctx, slug: &str, inputs: Value) -> RunDetail {
    let run = start(ctx, &templates::find(slug).unwrap().definition, inputs).await;
    end(ctx, run).await
}

async fn team(ctx: &Ctx, names: &[&str]) {
    for name in names {
        agent(ctx, name, spec(&[])).await;
    }
}

fn review(approved: bool, remarks: &str) -> super::upstream::Reply {
    words(&json!({"approved": approved, "remarks": remarks}).to_string())
}

on_both_engines! {
    async fn what_a_reviewer_finds_is_mended_until_nothing_is_left(site: Site) {
        let ctx = somebody(&site).await;
        let says = [words("The loom is blu."), review(false, "blue has an e"), words("The loom is blue."), review(true, "")];
        let upstream = model(&ctx, says).await;
        team(&ctx, &["writer", "reviewer"]).await;
        let detail = run(&ctx, "agents-write-and-review", json!({"task": "Tell the colour."})).await;
        assert_eq!(answer_of(&detail), &json!({"text": "The loom is blue.", "approved": true, "remarks": ""}));
        let again = told(&upstream, 2)[1].clone();
        assert!(again.contains("Tell the colour.") && again.contains("The loom is blu.") && again.contains("blue has an e"), "{again}");
        assert_eq!(upstream.count(), 4);
    }

    async fn a_reviewer_who_is_never_content_ends_it_after_three_times(site: Site) {
        let ctx = somebody(&site).await;
        let says = (0..3).flat_map(|_| [words("A text."), review(false, "dull")]);
        let upstream = model(&ctx, says).await;
        team(&ctx, &["writer", "reviewer"]).await;
        let detail = run(&ctx, "agents-write-and-review", json!({"task": "Write."})).await;
        assert_eq!(answer_of(&detail), &json!({"text": "A text.", "approved": false, "remarks": "dull"}));
        assert_eq!(upstream.count(), 6);
    }

    async fn a_goal_is_taken_apart_done_and_put_together(site: Site) {
        let ctx = somebody(&site).await;
        let tasks = json!({"tasks": [{"title": "Warp", "task": "Thread it."}, {"title": "Weft", "task": "Shoot it."}]});
        let upstream = model(&ctx, [
            words(&tasks.to_string()), words("Done."), words("Done."), words("A cloth."),
        ]).await;
        team(&ctx, &["planner", "ann", "ben", "writer"]).await;
        let inputs = json!({"goal": "Weave a cloth.", "workers": ["ann", "ben"]});
        let detail = run(&ctx, "agents-supervisor", inputs).await;
        let parts = json!([
            {"title": "Warp", "text": "Done.", "by": "ann"}, {"title": "Weft", "text": "Done.", "by": "ben"},
        ]);
        assert_eq!(answer_of(&detail), &json!({"text": "A cloth.", "parts": parts}));
        assert!(told(&upstream, 3)[1].contains("Thread") || told(&upstream, 3)[1].contains("Warp"));
    }

    async fn a_text_goes_round_and_each_works_at_what_the_one_before_left(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [words("A loom"), words("A loom."), words("A blue loom."), words("A blue loom!")]).await;
        team(&ctx, &["writer", "reviewer"]).await;
        let detail = run(&ctx, "agents-round-robin", json!({"task": "Tell of a loom."})).await;
        let turn = |agent: &str, text: &str| json!({"agent": agent, "text": text});
        let turns = json!([
            turn("writer", "A loom"), turn("reviewer", "A loom."), turn("writer", "A blue loom."), turn("reviewer", "A blue loom!"),
        ]);
        assert_eq!(answer_of(&detail), &json!({"text": "A blue loom!", "turns": turns}));
        assert!(told(&upstream, 2)[1].contains("Tell of a loom.") && told(&upstream, 2)[1].contains("A loom."));
        assert_eq!(upstream.count(), 4);
    }

    async fn a_task_goes_from_hand_to_hand_until_one_says_that_it_is_done(site: Site) {
        let ctx = somebody(&site).await;
        let part = |result: &str, next: &str, note: &str| words(&json!({"result": result, "next": next, "note": note}).to_string());
        let upstream = model(&ctx, [part("A plan.", "writer", "Write it."), part("A text.", "", "")]).await;
        team(&ctx, &["planner", "researcher", "writer"]).await;
        let detail = run(&ctx, "agents-hand-off", json!({"task": "Weave it."})).await;
        let reached = json!({"text": "A text.", "is_done": true, "next": "", "hands": ["planner", "writer"]});
        assert_eq!(answer_of(&detail), &reached);
        let over = told(&upstream, 1)[1].clone();
        assert!(over.contains("planner handed it over to you: Write it.") && over.contains("A plan."), "{over}");
    }

    async fn what_is_handed_on_without_end_ends_after_six_hands(site: Site) {
        let ctx = somebody(&site).await;
        let on = || words(&json!({"result": "Not yet.", "next": "planner", "note": "You do it."}).to_string());
        let upstream = model(&ctx, (0..6).map(|_| on())).await;
        team(&ctx, &["planner", "researcher", "writer"]).await;
        let detail = run(&ctx, "agents-hand-off", json!({"task": "Weave it."})).await;
        let output = answer_of(&detail);
        assert_eq!((&output["is_done"], &output["next"], output["hands"].as_array().unwrap().len()), (&json!(false), &json!("planner"), 6));
        assert_eq!(upstream.count(), 6);
    }

    async fn a_debate_goes_to_and_fro_and_a_judge_decides(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [
            words("It is warm."), words("It is dear."), words("It lasts."), words("It itches."),
            words(&json!({"answer": "yes", "why": "It lasts."}).to_string()),
        ]).await;
        team(&ctx, &["researcher", "reviewer"]).await;
        let detail = run(&ctx, "agents-debate", json!({"question": "Is wool good?"})).await;
        let rounds = json!([{"for": "It is warm.", "against": "It is dear."}, {"for": "It lasts.", "against": "It itches."}]);
        assert_eq!(answer_of(&detail), &json!({"answer": "yes", "why": "It lasts.", "rounds": rounds}));
        assert!(told(&upstream, 2)[1].contains("It is dear."), "each answers the other");
        assert!(told(&upstream, 4)[1].contains("It itches."));
    }

    async fn the_option_that_most_chose_wins(site: Site) {
        let ctx = somebody(&site).await;
        let chose = |choice: &str| words(&json!({"choice": choice, "why": "so"}).to_string());
        model(&ctx, [chose("red"), chose("blue"), chose("red")]).await;
        team(&ctx, &["planner", "reviewer", "researcher"]).await;
        let inputs = json!({"question": "Which colour?", "options": ["blue", "red", "green"]});
        let detail = run(&ctx, "agents-vote", inputs).await;
        let output = answer_of(&detail);
        assert_eq!(output["winners"], json!(["red"]));
        let counts = json!([{"option": "blue", "votes": 1}, {"option": "red", "votes": 2}, {"option": "green", "votes": 0}]);
        assert_eq!(output["counts"], counts);
        assert_eq!(output["votes"].as_array().unwrap().len(), 3);
    }
}
