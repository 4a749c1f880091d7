//! `weft agent queue list|add|show|cancel`, and `weft agent weights show|set|preview|reset`.

use super::Folder;

#[tokio::test]
async fn a_task_of_the_queue_is_added_listed_shown_and_cancelled() {
    let folder = Folder::with_workspace().await;
    folder.weft(&["agent", "queue", "list"]).code(0).prints_nothing().tells(&["no tasks"]);
    let first =
        folder.weft(&["agent", "queue", "add", "Weave it.", "--expertise", "looms", "--topic", "cloth", "--json"]);
    let first = first.code(0).json();
    assert_eq!(
        (&first["task"]["expertise"][0], &first["task"]["topic"], &first["status"]),
        (&"looms".into(), &"cloth".into(), &"waiting".into())
    );
    let first = first["id"].as_str().unwrap().to_owned();
    let second = folder.weft(&["agent", "queue", "add", "Sew it.", "--after", &first, "--priority", "9"]).code(0);
    second.tells(&["gives it to an agent once it is its turn"]);

    folder.weft(&["agent", "queue", "list"]).code(0).prints(&["Status", &first, "Weave it.", "Sew it."]);
    let page = folder.weft(&["agent", "queue", "list", "--limit", "1", "--json"]).code(0).tells(&["more: --cursor "]);
    assert_eq!(page.json()["task"]["after"][0], first);
    assert_eq!(folder.weft(&["agent", "queue", "show", &first]).code(0).json()["task"]["prompt"], "Weave it.");

    folder.weft(&["agent", "queue", "cancel", &first]).code(0).tells(&["cancelled"]);
    folder.weft(&["agent", "queue", "cancel", &first]).code(5).prints_nothing().tells(&["cancelled"]);
    let absent = "01900000-0000-7000-8000-000000000000";
    folder.weft(&["agent", "queue", "show", absent]).code(4).prints_nothing();
    folder.weft(&["agent", "queue", "add", " "]).code(2).prints_nothing().tells(&["prompt"]);
}

#[tokio::test]
async fn the_weights_are_shown_set_tried_and_reset() {
    let folder = Folder::with_workspace().await;
    folder.weft(&["agent", "weights", "show"]).code(0).prints(&["availability", "0.30", "By default"]);
    folder.weft(&["agent", "weights", "set", "--expertise", "0.5"]).code(2).prints_nothing().tells(&["come to 1"]);
    folder
        .weft(&["agent", "weights", "preview", "--expertise", "0.35", "--workload", "0.1"])
        .code(0)
        .tells(&["no task"]);
    assert_eq!(
        folder.weft(&["agent", "weights", "show", "--json"]).code(0).json()["expertise"],
        0.25,
        "nothing was set"
    );
    let set =
        folder.weft(&["agent", "weights", "set", "--expertise", "0.35", "--workload", "0.1", "--json"]).code(0).json();
    assert_eq!((&set["expertise"], &set["success"]), (&0.35.into(), &0.15.into()), "what is left out stays");
    folder.weft(&["agent", "queue", "add", "Weave it."]).code(0);
    folder.weft(&["agent", "weights", "preview"]).code(0).prints(&["Weave it.", "nobody", "waits"]).tells(&["0 of 1"]);
    assert_eq!(folder.weft(&["agent", "weights", "reset", "--json"]).code(0).json()["expertise"], 0.25);
}
