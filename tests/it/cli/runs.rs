//! `weft run list|show|events|cancel|pause|resume|retry`.

use super::{FAILS, Folder};

/// A folder with one failed run, and the run's id.
async fn with_a_failed_run() -> (Folder, String) {
    let folder = Folder::with_workspace().await;
    folder.write("fails.yaml", FAILS);
    let done = folder.weft(&["run", "fails.yaml", "--data-dir", "weft-data", "--json"]).code(1);
    let id = done.json_lines().pop().unwrap()["id"].as_str().unwrap().to_owned();
    (folder, id)
}

#[tokio::test]
async fn runs_are_listed_and_shown() {
    let (folder, id) = with_a_failed_run().await;
    folder.weft(&["run", "list"]).code(0).tells_nothing().prints(&["Status", &id, "Fails", "Failed"]);
    assert_eq!(folder.weft(&["run", "list", "--json"]).code(0).json()["id"], id);
    folder.weft(&["run", "list", "--status", "succeeded"]).code(0).prints_nothing().tells(&["no runs"]);
    folder.weft(&["run", "show", &id]).code(0).prints(&["Fails · Failed", "boom", "the command ended with code 1"]);
    assert_eq!(folder.weft(&["run", "show", &id, "--json"]).code(0).json()["status"], "failed");
}

#[tokio::test]
async fn a_long_list_of_runs_goes_on_at_the_cursor() {
    let (folder, first) = with_a_failed_run().await;
    folder.weft(&["run", "fails.yaml", "--data-dir", "weft-data"]).code(1);
    let page = folder.weft(&["run", "list", "--limit", "1", "--json"]).code(0).tells(&["more: --cursor "]);
    let cursor = page.stderr.trim().rsplit(' ').next().unwrap();
    let rest = folder.weft(&["run", "list", "--limit", "1", "--json", "--cursor", cursor]).code(0).tells_nothing();
    assert_eq!(rest.json()["id"], first);
}

#[tokio::test]
async fn the_history_is_lines_of_json_and_following_an_ended_run_ends() {
    let (folder, id) = with_a_failed_run().await;
    let events = folder.weft(&["run", "events", &id]).code(0).tells_nothing();
    let kinds: Vec<_> = events.json_lines().into_iter().map(|event| event["kind"].clone()).collect();
    assert_eq!(kinds, ["run_started", "step_started", "step_failed", "run_failed"]);
    assert_eq!(folder.weft(&["run", "events", &id, "--follow"]).code(0).stdout, events.stdout);
}

#[tokio::test]
async fn a_command_that_the_status_does_not_allow_is_a_conflict() {
    let (folder, id) = with_a_failed_run().await;
    for command in ["cancel", "pause", "resume"] {
        folder.weft(&["run", command, &id]).code(5).prints_nothing().tells(&["failed"]);
    }
}

#[tokio::test]
async fn a_retried_run_is_shown_to_its_end_and_fails_again_with_code_1() {
    let (folder, id) = with_a_failed_run().await;
    let done = folder.weft(&["run", "retry", &id]).code(1).tells(&["✗ Boom", "the run failed"]);
    assert_eq!(done.stderr.matches("✗ Boom").count(), 1, "what was before the retry is not shown again: {done:#?}");
    let kinds = folder.weft(&["run", "events", &id]).code(0);
    assert_eq!(kinds.json_lines().into_iter().filter(|event| event["kind"] == "run_failed").count(), 2);
}

#[tokio::test]
async fn a_retried_run_can_succeed_with_code_0() {
    let folder = Folder::with_workspace().await;
    let text = format!(
        "weft: 1\nname: Needs\nsteps: [{{id: scan, kind: analyze, config: {{path: '{}'}}}}]\nedges: []\n",
        folder.path("late").display()
    );
    folder.write("needs.yaml", &text);
    let done = folder.weft(&["run", "needs.yaml", "--data-dir", "weft-data", "--json"]).code(1);
    let id = done.json_lines().pop().unwrap()["id"].as_str().unwrap().to_owned();
    folder.write("late/a.rs", "fn a() {}\n");
    folder.weft(&["run", "retry", &id]).code(0).tells(&["✓ scan"]);
    folder.weft(&["run", "show", &id]).code(0).prints(&["Succeeded"]);
}

#[tokio::test]
async fn a_run_that_has_ended_is_not_moved_and_an_event_says_whom_it_reached() {
    let folder = Folder::with_workspace().await;
    folder.write("fails.yaml", FAILS);
    folder.weft(&["workflow", "import", "fails.yaml"]).code(0);
    folder.weft(&["workflow", "publish", "Fails"]).code(0);
    let done = folder.weft(&["run", "Fails", "--data-dir", "weft-data", "--json"]).code(1);
    let id = done.json_lines().pop().unwrap()["id"].as_str().unwrap().to_owned();
    for more in [&["--check"][..], &[]] {
        folder.weft(&[&["run", "move", &id][..], more].concat()).code(5).prints_nothing().tells(&["ended"]);
    }
    folder
        .weft(&["run", "send-event", "paid/7", "--payload", "{\"n\":1}"])
        .code(0)
        .prints_nothing()
        .tells(&["no run waits"]);
    assert_eq!(folder.weft(&["run", "send-event", "paid/7", "--json"]).code(0).json()["runs"], serde_json::json!([]));
    folder.weft(&["run", "send-event", "paid/7", "--payload", "{"]).code(2).tells(&["--payload: expected JSON"]);
    folder.weft(&["run", "send-event", " "]).code(2).tells(&["key: expected"]);
}

#[tokio::test]
async fn a_run_that_is_not_there_is_not_found_and_no_id_is_usage() {
    let folder = Folder::with_workspace().await;
    let id = "01890000-0000-7000-8000-000000000000";
    for command in ["show", "events", "cancel", "pause", "resume", "retry", "move"] {
        folder.weft(&["run", command, id]).code(4).prints_nothing().tells(&["no such run"]);
        folder.weft(&["run", command, "7"]).code(2).prints_nothing().tells(&["'7'"]);
    }
    let give = |output: &str| folder.weft(&["run", "give-output", id, "fetch", "--output", output, "--reason", "so"]);
    give("1").code(4).prints_nothing().tells(&["no such run"]);
    give("{").code(2).prints_nothing().tells(&["--output: expected JSON"]);
    folder.weft(&["run", "list", "--status", "broken"]).code(2).tells(&["--status", "expected one of queued, running"]);
}
