//! `weft bench cache`, and what must be true of others at any speed.

use serde_json::{Value, json};

use super::Folder;
use crate::memory::meaning::Meaning;
use crate::memory::tiny;

/// Questions whose vectors the model server makes alike, or not.
fn pairs() -> String {
    let asked = "which car is red";
    let pair = |other: &str, same: bool| json!({"a": asked, "b": other, "same": same, "kind": "cars"}).to_string();
    let same = ["which automobile is red", "tell me which car is red", "which vehicle is red please"];
    let mut lines: Vec<String> = same.iter().map(|other| pair(other, true)).collect();
    lines.push(pair("which car is a cake", false));
    lines.push(pair("which car is not red", false));
    lines.join("\n")
}

#[test]
fn without_an_embedder_the_gate_is_measured_and_it_is_said_that_the_rest_is_not() {
    let folder = Folder::new();
    folder.write("pairs.jsonl", &pairs());
    let done = folder.weft(&["bench", "cache", "pairs.jsonl"]).code(0).tells_nothing();
    let done = done.prints(&[
        "5 pairs, 3 with the same answer and 2 with another, 6 questions",
        "Only the token gate was measured",
    ]);
    assert!(!done.stdout.contains("budget"), "{done:#?}");
    let report = folder.weft(&["bench", "cache", "pairs.jsonl", "--json"]).code(0).json();
    let gate = &report["gate"][0];
    assert_eq!((&gate["kind"], &gate["same"], &gate["passed"]), (&json!("cars"), &json!(3), &json!(3)), "{report}");
    assert_eq!((&gate["different"], &gate["stopped"]), (&json!(2), &json!(1)), "{report}");
    assert_eq!(
        (&gate["stopped_by"], &report["model"], &report["played"]),
        (&json!({"negations": 1}), &Value::Null, &json!([]))
    );
    // Without a file it is the set that is shipped; no database is made for it.
    folder.weft(&["bench", "cache"]).code(0).prints(&["questions.jsonl (shipped)", "paraphrase", "negation"]);
    assert!(!folder.path("weft-data").exists());
}

#[test]
fn a_file_that_does_not_fit_is_refused_by_line_and_field() {
    let folder = Folder::new();
    folder.write("bad.jsonl", &format!("{}\n{{\"a\": \"x\", \"b\": \"y\", \"same\": \"yes\"}}\n", pairs()));
    folder
        .weft(&["bench", "cache", "bad.jsonl"])
        .code(2)
        .prints_nothing()
        .tells(&["bad.jsonl, line 6, same: expected true or false"]);
    folder.weft(&["bench", "cache", "none.jsonl"]).code(2).tells(&["none.jsonl can't be read"]);
    for (flag, value, expected) in [
        ("--budgets", "0.01,0.5", "expected a number from 0.001 to 0.2"),
        ("--thresholds", "0.2", "expected a number from 0.7 to 1"),
        ("--rounds", "0", "--rounds"),
        ("--embedder", "http://127.0.0.1:9/v1", "--model"),
    ] {
        folder.weft(&["bench", "cache", flag, value]).code(2).prints_nothing().tells(&[expected]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_embedder_budgets_and_single_thresholds_are_played_on_its_vectors() {
    let folder = Folder::new();
    folder.write("pairs.jsonl", &pairs());
    let vectors = Meaning::start().await;
    let call = ["bench", "cache", "pairs.jsonl", "--embedder", vectors.url(), "--model", "vec", "--rounds", "40"];
    let played = [&call[..], &["--budgets", "0.01,0.2", "--thresholds", "0.7"]].concat();
    let report = folder.weft(&[&played[..], &["--json"]].concat()).code(0).json();
    assert_eq!(
        (&report["model"], &report["dims"], &report["texts"]),
        (&json!("vec"), &json!(32), &json!(6)),
        "{report}"
    );
    let texts = vectors.texts();
    assert_eq!(texts.len(), 6, "each question is embedded once: {texts:?}");
    let rules: Vec<_> = report["played"].as_array().unwrap().iter().map(|one| (&one["rule"], &one["at"])).collect();
    let (learned, fixed) = (json!("learned"), json!("fixed"));
    assert_eq!(rules, [(&learned, &json!(0.01)), (&learned, &json!(0.2)), (&fixed, &json!(0.7))]);
    let (narrow, wide, fixed) = (&report["played"][0], &report["played"][1], &report["played"][2]);
    for one in [narrow, wide, fixed] {
        assert_eq!(one["questions"], 400, "{one}");
        let sum: i64 =
            ["exact", "unfit", "alone", "refused", "candidates"].map(|name| one[name].as_i64().unwrap()).iter().sum();
        assert_eq!(sum, 400, "{one}");
    }
    assert!(narrow["hits"].as_i64() <= wide["hits"].as_i64() && wide["hits"].as_i64() > Some(0), "{report}");
    // All of them are neighbours for this model: one threshold gives the negated and the other one every day.
    assert_eq!((&fixed["hits"], &fixed["wrong"], &fixed["refused"]), (&json!(200), &json!(80), &json!(0)), "{fixed}");
    let asked: Vec<&str> =
        fixed["errors"].as_array().unwrap().iter().map(|one| one["asked"].as_str().unwrap()).collect();
    assert!(asked.contains(&"which car is not red") && asked.contains(&"which car is a cake"), "{asked:?}");
    let told = wide["errors"].to_string();
    assert!(!told.contains("not red"), "the gate stops it: {told}");
    assert!(wide["refused"].as_i64() > Some(0), "{wide}");

    let shown = folder.weft(&played).code(0).tells_nothing();
    shown.prints(&["vec (32 numbers), 40 days", "budget 0.01", "cosine 0.7", "Hit rate", "Wrong at a budget of 0.2"]);
}

#[test]
fn a_folder_with_a_model_makes_the_vectors_of_a_bench() {
    let folder = Folder::new();
    folder.write("pairs.jsonl", &pairs());
    tiny::write(&folder.path("models/tiny"));
    let call = ["bench", "cache", "pairs.jsonl", "--rounds", "2", "--json", "--embedder"];
    let report = folder.weft(&[&call[..], &["models/tiny"]].concat()).code(0).json();
    assert_eq!((&report["model"], &report["dims"]), (&json!("tiny"), &json!(8)), "{report}");
    for (embedder, expected) in
        [("models/none", "expected an address or a folder"), ("models", "config.json: is missing")]
    {
        folder.weft(&[&call[..], &[embedder]].concat()).prints_nothing().tells(&[expected]);
    }
}

#[test]
fn a_model_is_held_back_while_nobody_reads_and_every_reader_gets_the_whole_answer() {
    let folder = Folder::new();
    // The command fails where a piece is missing, not in its place or not in the log, and where a model was not held back.
    let report = folder.weft(&["bench", "gateway", "--streams", "8", "--json"]).code(0).json();
    let figure = |name: &str| {
        let figures = report["figures"].as_array().unwrap();
        figures.iter().find(|figure| figure["name"] == name).unwrap()["max"].as_f64().unwrap()
    };
    assert!((figure("gateway_streams") - 8.0).abs() < f64::EPSILON, "{report}");
    // Of 4 MiB.
    assert!(figure("gateway_ahead") < 4.0, "{report}");
}
