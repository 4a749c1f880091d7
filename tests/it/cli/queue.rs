//! `weft agent queue list|add|show|cancel`.

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
