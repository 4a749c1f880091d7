//! `weft run fork|diff|replay`, `weft run --until` and `weft workflow test`.

use super::Folder;

/// Greets whom it is told to, if the word is right.
const GREETS: &str = "\
weft: 1
name: Greets
inputs: {type: object, required: [word], properties: {word: {type: string}}}
steps:
  - {id: before, kind: transform, config: {value: '{{ inputs.word }}'}}
  - {id: ask, kind: shell, config: {argv: [/bin/sh, -c, 'test \"$0\" = sesame && echo open', '{{ inputs.word }}']}}
  - {id: greet, kind: transform, config: {value: 'hello {{ steps.before.output }}'}}
edges: [{from: before, to: ask}, {from: ask, to: greet}]
output: '{{ steps.greet.output }}'
";

/// A stored workflow and the id of a run of it that failed.
async fn with_a_failed_run() -> (Folder, String) {
    let folder = Folder::with_workspace().await;
    folder.write("greets.yaml", GREETS);
    folder.weft(&["workflow", "import", "greets.yaml"]).code(0);
    let done = folder.weft(&["run", "Greets", "--input", "word=barley", "--data-dir", "weft-data", "--json"]).code(1);
    let id = done.json_lines().pop().unwrap()["id"].as_str().unwrap().to_owned();
    (folder, id)
}

#[tokio::test]
async fn a_failed_run_is_forked_compared_and_replayed() {
    let (folder, id) = with_a_failed_run().await;
    let last = folder.weft(&["run", "events", &id]).code(0).json_lines().len().to_string();
    let done = folder.weft(&["run", "fork", &id, "--from", &last, "--input", "word=sesame", "--json"]).code(0);
    let forked = done.json_lines().pop().unwrap();
    // What was kept was made from the old word.
    assert_eq!((forked["status"].as_str(), forked["output"].as_str()), (Some("succeeded"), Some("hello barley")));
    let fork = forked["id"].as_str().unwrap();
    folder
        .weft(&["run", "diff", &id, fork])
        .code(0)
        .prints(&["They first part at ask", "inputs/word: \"barley\" -> \"sesame\""]);
    folder.weft(&["run", "diff", &id, &id]).code(0).prints(&["The runs are the same."]);
    assert_eq!(folder.weft(&["run", "diff", &id, fork, "--json"]).code(0).json()["first"]["step"], "ask");
    let again = folder.weft(&["run", "fork", &id, "--step", "before", "--input", "word=sesame", "--json"]).code(0);
    assert_eq!(again.json_lines().pop().unwrap()["output"], "hello sesame");
    let by_hand =
        folder.weft(&["run", "fork", &id, "--from", &last, "--output", "ask={\"exit_code\":0}", "--json"]).code(0);
    assert_eq!(by_hand.json_lines().pop().unwrap()["output"], "hello barley");
    folder.weft(&["run", "fork", &id, "--from", "99"]).code(2).tells(&["from_seq"]);
    folder.weft(&["run", "fork", &id]).code(2).tells(&["--from"]);
    folder.weft(&["run", "replay", &id]).code(0).prints(&["Passed"]);
    folder.write("other.yaml", &GREETS.replace("argv: [/bin/sh", "ok_codes: [0, 1], argv: [/bin/sh"));
    folder.weft(&["run", "replay", &id, "--file", "other.yaml"]).code(0).prints(&["· ask: input differs"]);
    let strict = folder.weft(&["run", "replay", &id, "--file", "other.yaml", "--strict"]).code(1);
    strict.prints(&["Failed.", "✗ ask: input differs"]).tells(&["the replay differs"]);
}

#[tokio::test]
async fn a_run_goes_up_to_a_step() {
    let folder = Folder::new();
    folder.write("greets.yaml", GREETS);
    let done = folder.weft(&["run", "greets.yaml", "--input", "word=barley", "--until", "before", "--json"]).code(0);
    let run = done.json_lines().pop().unwrap();
    assert_eq!((run["status"].as_str(), &run["lineage"]["until"]), (Some("succeeded"), &"before".into()));
    folder.weft(&["run", "greets.yaml", "--input", "word=barley", "--until", "nowhere"]).code(2).tells(&["/until"]);
}

#[tokio::test]
async fn a_workflow_without_tests_says_so() {
    let (folder, _) = with_a_failed_run().await;
    folder.weft(&["workflow", "test", "Greets"]).code(0).tells(&["has no tests"]);
    folder.weft(&["workflow", "test", "greets.yaml", "--json"]).code(0).prints(&["\"passed\":true"]);
    folder.weft(&["workflow", "test", "Nobody"]).code(4);
}
