//! `weft workflow check|import|export|list|publish`.

use super::{FAILS, Folder};

#[test]
fn a_file_is_checked_without_a_database() {
    let folder = Folder::new();
    folder.write("fails.yaml", FAILS);
    folder.weft(&["workflow", "check", "fails.yaml"]).code(0).tells_nothing().prints(&["Fails is sound: 1 step."]);
    assert_eq!(
        folder.weft(&["workflow", "check", "fails.yaml", "--json"]).code(0).json()["problems"],
        serde_json::json!([])
    );
    folder.weft_reading(FAILS, &["workflow", "check", "-"]).code(0);
    assert!(!folder.path("weft-data").exists());
}

#[test]
fn every_problem_is_told_with_its_step_and_field() {
    let folder = Folder::new();
    let text = FAILS.replace("shell", "shel").replace("edges: []", "edges: [{from: boom, to: nowhere}]");
    folder.write("bad.yaml", &text);
    let done = folder.weft(&["workflow", "check", "bad.yaml"]).code(2).tells(&["bad.yaml has problems"]);
    done.prints(&["error: boom /kind: unknown kind \"shel\"", "nowhere"]);
    let json = folder.weft(&["workflow", "check", "bad.yaml", "--json"]).code(2).json();
    assert_eq!((&json["problems"][0]["step"], &json["problems"][0]["field"]), (&"boom".into(), &"/kind".into()));
}

#[test]
fn a_file_that_is_none_is_refused() {
    let folder = Folder::new();
    folder.weft(&["workflow", "check", "none.yaml"]).code(4).prints_nothing().tells(&["none.yaml can't be read"]);
    folder.weft(&["workflow", "check", "project"]).code(2).tells(&["project can't be read"]);
    folder.write("bad.yaml", "weft: 1\nname: [\n");
    folder
        .weft(&["workflow", "import", "bad.yaml"])
        .code(2)
        .tells(&["bad.yaml: this is no workflow definition: name", "line 2"]);
}

#[tokio::test]
async fn a_definition_is_imported_listed_published_and_exported() {
    let folder = Folder::with_workspace().await;
    folder.weft(&["workflow", "list"]).code(0).prints_nothing().tells(&["no workflows"]);
    folder.write("fails.yaml", FAILS);
    folder.weft(&["workflow", "import", "fails.yaml"]).code(0).tells_nothing().prints(&["Stored as \"Fails\"."]);
    folder.weft(&["workflow", "list"]).code(0).tells_nothing().prints(&["Fails", "draft"]);
    folder.weft(&["workflow", "publish", "Fails"]).code(0).prints(&["Version 1."]);
    assert_eq!(folder.weft(&["workflow", "list", "--json"]).code(0).json()["published_version"], 1);
    let yaml = folder.weft(&["workflow", "export", "Fails"]).code(0).tells_nothing();
    folder.write("again.yaml", &yaml.stdout);
    folder.weft(&["workflow", "check", "again.yaml"]).code(0);
    assert_eq!(folder.weft(&["workflow", "export", "Fails", "--json"]).code(0).json()["steps"][0]["id"], "boom");
    let second = folder.weft(&["workflow", "import", "again.yaml", "--json"]).code(0).json();
    assert_eq!(second["name"], "Fails 2");
}

#[tokio::test]
async fn a_workflow_that_is_not_there_is_not_found() {
    let folder = Folder::with_workspace().await;
    for command in ["export", "publish"] {
        folder.weft(&["workflow", command, "Nothing"]).code(4).prints_nothing().tells(&["no such workflow"]);
    }
}

#[tokio::test]
async fn a_draft_with_problems_is_stored_but_not_published() {
    let folder = Folder::with_workspace().await;
    folder.write("bad.yaml", &FAILS.replace("shell", "shel"));
    folder.weft(&["workflow", "import", "bad.yaml"]).code(0);
    folder.weft(&["workflow", "publish", "Fails"]).code(2).prints_nothing().tells(&["shel"]);
    folder.weft(&["run", "Fails"]).code(2).tells(&["boom /kind"]);
}
