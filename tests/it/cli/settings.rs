//! `weft config`, and settings that don't fit; `weft analyze`.

use super::Folder;

#[test]
fn every_setting_is_shown_with_its_value_and_origin() {
    let folder = Folder::new();
    folder.write("weft-data/weft.toml", "retention_days = 30\nmax_steps = 8\n");
    let done = folder.weft_with(("WEFT_MAX_STEPS", "9"), &["config", "--addr", "127.0.0.1:4000", "--json"]).code(0);
    let done = done.tells_nothing();
    let shown = |name: &str| {
        let line = done.json_lines().into_iter().find(|line| line["name"] == name).unwrap();
        (line["value"].as_str().unwrap().to_owned(), line["origin"].as_str().unwrap().to_owned())
    };
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(shown("addr"), pair("127.0.0.1:4000", "flag"));
    assert_eq!(shown("max_steps"), pair("9", "environment WEFT_MAX_STEPS"));
    assert_eq!(shown("retention_days"), pair("30", "weft-data/weft.toml"));
    assert_eq!(shown("log"), pair("info", "default"));
    assert_eq!(shown("public_url"), pair("http://127.0.0.1:4000", "default"));
    assert_eq!(shown("database_url"), pair("sqlite:weft-data/weft.db", "default"));
    folder.weft(&["config"]).code(0).prints(&["retention_days        30", "weft-data/weft.toml", "127.0.0.1:3000"]);
}

#[test]
fn secrets_are_masked() {
    let folder = Folder::new();
    let mut command = folder.command(&["config"]);
    command.env("WEFT_ADMIN_EMAIL", "mara@team.example").env("WEFT_ADMIN_PASSWORD", "a loom in the attic");
    command.env("WEFT_DATABASE_URL", "postgres://weft:s3cret@db.example/weft");
    let done = super::Done::of(command.spawn().unwrap()).code(0).prints(&["postgres://weft:********@db.example/weft"]);
    assert!(!done.stdout.contains("attic") && !done.stdout.contains("s3cret"), "{done:#?}");
}

#[test]
fn a_setting_that_does_not_fit_is_refused_with_its_place() {
    let folder = Folder::new();
    folder.weft(&["config", "--addr", "here"]).code(2).prints_nothing().tells(&["addr (from flag)", "\"here\""]);
    folder.weft_with(("WEFT_MAX_STEPS", "0"), &["config"]).code(2).tells(&["environment WEFT_MAX_STEPS", "1 to 1024"]);
    folder.weft(&["serve", "--addr", "0.0.0.0:3000"]).code(2).tells(&["public_url", "https://"]);
    folder.weft(&["run", "list", "--database-url", "mysql://db"]).code(2).tells(&["sqlite:PATH or postgres://"]);
    folder.write("weft-data/weft.toml", "colour = 'green'\n");
    folder.weft(&["config"]).code(2).tells(&["weft-data/weft.toml", "colour"]);
}

#[tokio::test]
async fn a_database_that_another_process_has_is_unavailable() {
    let folder = Folder::with_workspace().await;
    let held = folder.runtime(None).await;
    for arguments in
        [&["run", "list"][..], &["memory", "list"], &["workflow", "list"], &["admin", "user", "list"], &["serve"]]
    {
        folder.weft(arguments).code(7).prints_nothing().tells(&["weft-data/weft.db is in use"]);
    }
    held.db.close().await;
}

#[test]
fn a_database_that_nobody_set_up_is_not_found_and_not_made() {
    let folder = Folder::new();
    for arguments in [&["run", "list"][..], &["memory", "list"], &["workflow", "list"], &["admin", "user", "list"]] {
        folder.weft(arguments).code(4).prints_nothing().tells(&["no workspace", "weft-data/weft.db", "weft serve"]);
    }
    assert!(!folder.path("weft-data").exists());
}

#[test]
fn a_directory_is_analysed_as_tables_and_as_json() {
    let folder = Folder::new();
    folder.weft(&["analyze", "project"]).code(0).tells_nothing().prints(&[
        "Code analysis",
        "Rust",
        "TODO",
        "src/lib.rs:3",
    ]);
    let json = folder.weft(&["analyze", "project", "--json"]).code(0).json();
    assert_eq!((&json["files"], &json["lines"]), (&1.into(), &4.into()));
    let none = folder.weft(&["analyze", "project", "--exclude", "*.rs", "--json"]).code(0).json();
    assert_eq!(none["files"], 0);
}

#[test]
fn what_can_not_be_analysed_is_refused() {
    let folder = Folder::new();
    folder.weft(&["analyze", "nowhere"]).code(4).prints_nothing().tells(&["`nowhere` does not exist"]);
    folder.weft(&["analyze", "project/src/lib.rs"]).code(2).tells(&["project/src/lib.rs", "directory"]);
    folder.weft(&["analyze", "project", "--include", "{a"]).code(2).tells(&["{a"]);
}

#[tokio::test]
async fn a_command_logs_only_what_was_asked_for() {
    let folder = Folder::with_owner().await;
    let call = ["admin", "user", "reset-password", "mara@team.example"];
    folder.weft(&call).code(0).tells_nothing();
    folder.weft_with(("WEFT_LOG", "info"), &call).code(0).tells(&["password reset"]);
}

#[tokio::test]
async fn a_command_that_is_meant_for_a_server_does_not_touch_the_local_database() {
    let folder = Folder::with_workspace().await;
    for name in ["WEFT_URL", "WEFT_API_KEY"] {
        folder.weft_with((name, "x"), &["memory", "list"]).code(2).prints_nothing().tells(&[name, "unset it"]);
    }
    folder.weft_with(("WEFT_URL", "x"), &["config"]).code(0);
}

#[tokio::test]
async fn the_quotas_of_the_workspace_are_set_each_by_itself_and_shown() {
    let folder = Folder::with_workspace().await;
    let quotas = |flags: &[&str]| folder.weft(&[&["admin", "workspace", "quotas"][..], flags].concat());
    quotas(&["--running", "3"]).code(0).prints(&["Runs that may be in progress: 3."]);
    quotas(&["--queued", "9"]).code(0).prints(&["Runs that may wait: 9.", "Runs that may be in progress: 3."]);
    let shown = folder.weft(&["admin", "workspace", "show", "--json"]).code(0).json();
    assert_eq!((&shown["max_queued_runs"], &shown["max_running_runs"]), (&9.into(), &3.into()));
    quotas(&["--running", "default"]).code(0).prints(&["any number, as the server has it."]);
    quotas(&["--queued", "10001"]).code(2).tells(&["expected 1 to 10000"]);
    quotas(&["--running", "0"]).code(2).tells(&["expected 1 to 1000000"]);
    quotas(&[]).code(2).tells(&["--queued"]);
}
