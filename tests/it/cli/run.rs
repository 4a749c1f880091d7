//! `weft run WHAT`: to its end, or the refusal that says where.

use weft::workflow::definitions::file;
use weft::workflow::templates;

use super::{FAILS, Folder};

const CHECK: &str = "repository-health-check";

#[test]
fn a_template_runs_by_its_name_and_leaves_nothing_behind() {
    let folder = Folder::new();
    folder
        .weft(&["run", CHECK, "--input", "path=project"])
        .code(0)
        .tells(&["▸ Scan the code", "✓ Scan the code", "✓ Remember the report"])
        .prints(&["# Health of ", "1 file with 4 lines", "`src/lib.rs:3` TODO: odd ones"]);
    assert!(!folder.path("weft-data").exists());
}

#[test]
fn a_template_runs_from_its_file() {
    let folder = Folder::new();
    folder.write("check.yaml", &file::to_yaml(&templates::find(CHECK).unwrap().definition));
    folder.write("inputs.yaml", "path: project\n");
    let by_pair = folder.weft(&["run", "check.yaml", "--input", "path=project"]).code(0).prints(&["# Health of "]);
    let by_file = folder.weft(&["run", "check.yaml", "--inputs", "inputs.yaml"]).code(0);
    assert_eq!(by_pair.stdout, by_file.stdout);
}

#[test]
fn the_race_goes_on_with_the_first_answer_and_cancels_the_other() {
    let folder = Folder::new();
    let began = std::time::Instant::now();
    let ran = folder.weft(&["run", "race", "--input", "first_seconds=50", "--input", "second_seconds=0"]).code(0);
    let output: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(output, serde_json::json!({"by": "second", "text": "the second took 0 s"}));
    assert!(began.elapsed().as_secs() < 50, "nobody waited for the other");
}

#[test]
fn the_hedge_asks_again_only_when_the_first_try_is_slow() {
    let folder = Folder::new();
    let ask = |inputs: &[&str]| {
        let pairs = inputs.iter().flat_map(|pair| ["--input", pair]);
        let ran = folder.weft(&["run", "hedge"].into_iter().chain(pairs).collect::<Vec<_>>()).code(0);
        serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()
    };
    let began = std::time::Instant::now();
    let slow = ask(&["slow_seconds=50", "patience_ms=1"]);
    assert_eq!(slow, serde_json::json!({"hedged": true, "text": "the second try answers"}));
    let quick = ask(&["slow_seconds=0", "patience_ms=50000"]);
    assert_eq!(quick, serde_json::json!({"hedged": false, "text": "the first try answers"}));
    assert!(began.elapsed().as_secs() < 50, "what lost was cancelled");
}

#[test]
fn a_definition_runs_from_standard_input() {
    let folder = Folder::new();
    let text = "weft: 1\nname: Sum\ninputs: {type: object, properties: {n: {type: integer}}}\n\
                steps: [{id: sum, kind: transform, config: {value: '{{ inputs.n + 1 }}'}}]\nedges: []\n\
                output: {sum: '{{ steps.sum.output }}'}\n";
    let done = folder.weft_reading(text, &["run", "-", "--input", "n=41"]).code(0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&done.stdout).unwrap()["sum"], 42);
}

#[test]
fn with_json_every_event_and_then_the_run_is_a_line() {
    let folder = Folder::new();
    let done = folder.weft(&["run", CHECK, "--input", "path=project", "--json"]).code(0).tells_nothing();
    let lines = done.json_lines();
    let (run, events) = lines.split_last().unwrap();
    assert_eq!(run["status"], "succeeded");
    assert!(run["output"]["report"].as_str().unwrap().contains("Health of"));
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], at + 1);
    }
    assert_eq!(events.first().unwrap()["kind"], "run_started");
    assert_eq!(events.last().unwrap()["kind"], "run_succeeded");
}

#[test]
fn what_the_steps_print_is_shown_with_watch() {
    let folder = Folder::new();
    let text = "weft: 1\nname: Says\nsteps: [{id: say, kind: shell, config: {argv: [echo, a loom]}}]\nedges: []\n";
    folder.write("says.yaml", text);
    folder.weft(&["run", "says.yaml", "--watch"]).code(0).tells(&["a loom"]);
    let quiet = folder.weft(&["run", "says.yaml"]).code(0);
    assert!(!quiet.stderr.contains("a loom"), "{quiet:#?}");
}

#[test]
fn a_failing_run_ends_with_code_1_and_the_reason() {
    let folder = Folder::new();
    folder.write("fails.yaml", FAILS);
    folder
        .weft(&["run", "fails.yaml"])
        .code(1)
        .prints_nothing()
        .tells(&["✗ Boom: the command ended with code 1", "weft: the run failed: the command ended with code 1"]);
    let done = folder.weft(&["run", "fails.yaml", "--json"]).code(1).tells(&["the run failed"]);
    let run = done.json_lines().pop().unwrap();
    assert_eq!(run["status"], "failed");
    assert_eq!(run["steps"][0]["error"]["class"], "exit_code");
}

#[test]
fn a_broken_file_is_refused_with_its_line() {
    let folder = Folder::new();
    folder.write("broken.yaml", "weft: 1\nname: a\n  steps: [\n");
    folder.weft(&["run", "broken.yaml"]).code(2).prints_nothing().tells(&["broken.yaml", "line 3"]);
    folder.write("broken.json", "{\"weft\": 1,\n \"name\": }");
    folder.weft(&["run", "broken.json"]).code(2).tells(&["broken.json", "line 2"]);
    folder.write("field.yaml", "weft: 1\nname: a\nstages: []\n");
    folder.weft(&["run", "field.yaml"]).code(2).tells(&["stages", "line 3"]);
}

#[test]
fn an_unknown_kind_is_refused_with_its_step_and_field() {
    let folder = Folder::new();
    folder.write("kind.yaml", &FAILS.replace("shell", "shel"));
    folder.weft(&["run", "kind.yaml"]).code(2).prints_nothing().tells(&["boom /kind: unknown kind \"shel\""]);
}

#[test]
fn an_input_that_does_not_fit_is_refused_by_name() {
    let folder = Folder::new();
    folder.weft(&["run", CHECK]).code(2).prints_nothing().tells(&["/inputs/path: is required"]);
    folder.weft(&["run", CHECK, "--input", "path"]).code(2).tells(&["--input path: expected NAME=VALUE"]);
    let text = "weft: 1\nname: N\ninputs: {type: object, properties: {n: {type: integer}}}\n\
                steps: [{id: a, kind: transform, config: {value: 1}}]\nedges: []\n";
    folder.write("n.yaml", text);
    folder.weft(&["run", "n.yaml", "--input", "n=x"]).code(2).tells(&["--input n: expected integer, found \"x\""]);
    folder.weft(&["run", "n.yaml", "--input", "n=true"]).code(2).tells(&["/inputs/n"]);
    folder.write("list.json", "[1]");
    folder.weft(&["run", "n.yaml", "--inputs", "list.json"]).code(2).tells(&["list.json: expected an object"]);
    folder.weft(&["run", "n.yaml", "--inputs", "none.json"]).code(4).tells(&["none.json can't be read"]);
    folder.weft(&["run", "n.yaml", "--inputs", "project"]).code(2).tells(&["project can't be read"]);
}

#[test]
fn a_workflow_that_is_not_there_is_not_found_and_the_templates_are_named() {
    let folder = Folder::new();
    folder.weft(&["run", "nothing"]).code(4).prints_nothing().tells(&["\"nothing\"", "no file", CHECK]);
    folder.weft(&["run", "nothing.yaml"]).code(4).tells(&["\"nothing.yaml\" is no file"]);
    assert!(!folder.path("weft-data").exists());
}

#[tokio::test]
async fn a_stored_workflow_runs_by_its_name_in_the_newest_version() {
    let folder = Folder::with_workspace().await;
    folder.write("v.yaml", "weft: 1\nname: V\nsteps: [{id: a, kind: transform, config: {value: 1}}]\nedges: []\n");
    folder.weft(&["workflow", "import", "v.yaml"]).code(0);
    let draft = folder.weft(&["run", "V", "--json"]).code(0).json_lines().pop().unwrap();
    assert_eq!((&draft["status"], &draft["version"]), (&"succeeded".into(), &serde_json::Value::Null));
    folder.weft(&["workflow", "publish", "V"]).code(0);
    let published = folder.weft(&["run", "V", "--json"]).code(0).json_lines().pop().unwrap();
    assert_eq!(published["version"], 1);
    folder.weft(&["run", "W"]).code(4).tells(&["\"W\""]);
}
