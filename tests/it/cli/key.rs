//! `weft key`: the master keys from a shell.

use std::os::unix::fs::PermissionsExt as _;

use super::Folder;

fn lines(folder: &Folder) -> Vec<String> {
    let text = std::fs::read_to_string(folder.path("weft-data/master.key")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_new_master_key_is_prepared_seals_and_keeps_the_old_one_for_a_while() {
    let folder = Folder::with_workspace().await;
    folder.weft(&["memory", "put", "notes", "k", "project/src/lib.rs"]).code(0);
    let before = folder.weft(&["key", "status", "--json"]).code(0).json();
    assert_eq!((before["whole"].as_bool(), before["keys"].as_array().unwrap().len()), (Some(true), 1), "{before}");
    let old = before["keys"][0]["id"].as_str().unwrap().to_owned();
    folder.weft(&["key", "status"]).code(0).prints(&[&old, "seals"]).tells(&["everything that can be opened"]);
    let first = lines(&folder);

    folder.weft(&["key", "rotate", "--prepare"]).code(0).prints(&["waits", &old]).tells(&["every server"]);
    folder.weft(&["key", "rotate", "--prepare"]).code(5).tells(&["waits in the file already"]);
    assert_eq!((lines(&folder).len(), &lines(&folder)[1..]), (2, &first[..]), "the newest is the first");
    let mode = std::fs::metadata(folder.path("weft-data/master.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let after = folder.weft(&["key", "rotate", "--json"]).code(0).json();
    let states: Vec<&str> =
        after["keys"].as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!((states, lines(&folder).len()), (vec!["sealing", "opening"], 2), "the one that waited seals");
    assert_eq!((after["whole"].as_bool(), after["left"].as_array().unwrap().len()), (Some(false), 0), "{after}");
    folder.weft(&["memory", "get", "notes", "k"]).code(0).prints(&["TODO"]);

    folder.weft(&["key", "rotate"]).code(5).tells(&["not everything is under"]);
    folder.weft(&["key", "retire", &old]).code(5).tells(&["the last look at it is still to come"]);
    folder.weft(&["key", "retire", "0123456789abcdef"]).code(4).prints_nothing();
    assert_eq!(lines(&folder).len(), 2);
}

#[tokio::test]
async fn nothing_is_done_to_a_database_under_another_master_key() {
    let folder = Folder::with_workspace().await;
    folder.weft(&["memory", "put", "notes", "k", "project/src/lib.rs"]).code(0);
    let right = lines(&folder);
    std::fs::remove_file(folder.path("weft-data/master.key")).unwrap();
    folder.weft(&["memory", "get", "notes", "k"]).code(1).tells(&["this database is under the master key"]);
    folder.write("weft-data/master.key", "not a key");
    folder.weft(&["memory", "get", "notes", "k"]).code(1).tells(&["must hold 32 bytes in base64"]);
    folder.write("weft-data/master.key", &right.join("\n"));
    folder.weft(&["memory", "get", "notes", "k"]).code(0).prints(&["TODO"]);
}
