//! `weft admin user|role`: what whoever runs the server can do for people.

use weft::auth::{self, Client};
use weft::model::auth::Role;
use weft::model::credentials::{InviteAcceptance, Secret};

use super::Folder;
use crate::auth::{PASSWORD, client, credentials};

const MARA: &str = "mara@team.example";

/// Whether the owner can sign in with this password.
async fn signs_in(folder: &Folder, password: &str) -> bool {
    let runtime = folder.runtime(None).await;
    let done = auth::issue_tokens(&runtime, &client(), &credentials(MARA, password)).await;
    runtime.db.close().await;
    done.is_ok()
}

#[tokio::test]
async fn an_owner_who_is_locked_out_gets_a_new_password() {
    let folder = Folder::with_owner().await;
    let done = folder.weft(&["admin", "user", "reset-password", MARA]).code(0);
    let new = done.stdout.trim();
    assert!(new.len() > 30, "{done:#?}");
    assert!(signs_in(&folder, new).await);
    assert!(!signs_in(&folder, PASSWORD).await);

    let chosen = "another loom below";
    let call = ["admin", "user", "reset-password", "Mara@Team.example", "--stdin"];
    let done = folder.weft_reading(&format!("{chosen}\n"), &call).code(0).prints(&[MARA]);
    assert!(!done.stdout.contains(chosen), "{done:#?}");
    assert!(signs_in(&folder, chosen).await);
}

#[tokio::test]
async fn a_reset_ends_what_the_person_has_open() {
    let folder = Folder::with_owner().await;
    let runtime = folder.runtime(None).await;
    let open = auth::log_in(&runtime, &client(), &credentials(MARA, PASSWORD), None).await.unwrap();
    runtime.db.close().await;
    drop(runtime);
    folder.weft(&["admin", "user", "reset-password", MARA, "--json"]).code(0);
    let runtime = folder.runtime(None).await;
    assert!(!crate::auth::is_signed_in(&runtime, &open.secret.0).await);
    runtime.db.close().await;
}

#[tokio::test]
async fn a_password_or_person_that_does_not_fit_is_refused() {
    let folder = Folder::with_owner().await;
    let call = ["admin", "user", "reset-password", MARA, "--stdin"];
    folder.weft_reading("short\n", &call).code(2).prints_nothing().tells(&["password: expected at least 10"]);
    assert!(signs_in(&folder, PASSWORD).await);
    for command in ["reset-password", "disable", "enable"] {
        folder.weft(&["admin", "user", command, "nobody@team.example"]).code(4).tells(&["no such user"]);
        folder.weft(&["admin", "user", command, "nobody"]).code(2).tells(&["email: expected an e-mail address"]);
    }
    folder.weft(&["admin", "user", "invite", "a@team.example", "--role", "king"]).code(2).tells(&["owner, admin"]);
    folder.weft(&["admin", "user", "invite", MARA, "--role", "viewer"]).code(5).tells(&["already"]);
}

#[tokio::test]
async fn a_new_owner_comes_in_by_a_link_and_the_old_one_can_go() {
    let folder = Folder::with_owner().await;
    folder.weft(&["admin", "user", "disable", MARA]).code(5).prints_nothing().tells(&["last active owner"]);
    folder.weft(&["admin", "user", "role", MARA, "viewer"]).code(5).tells(&["last active owner"]);
    let call =
        ["admin", "user", "invite", "noor@team.example", "--role", "owner", "--public-url", "https://weft.example"];
    let link = folder.weft(&call).code(0).tells_nothing().prints(&["https://weft.example/invite?token="]).stdout;
    accept(&folder, link.trim().split_once("?token=").unwrap().1).await;
    folder.weft(&["admin", "user", "list"]).code(0).tells_nothing().prints(&[
        MARA,
        "noor@team.example",
        "Owner",
        "active",
    ]);
    folder.weft(&["admin", "user", "disable", MARA]).code(0).prints(&["mara@team.example: Owner, disabled"]);
    folder.weft(&["admin", "user", "reset-password", MARA]).code(0).tells(&["is disabled"]);
    folder.weft(&["admin", "user", "enable", MARA]).code(0).prints(&["active"]);
    folder.weft(&["admin", "user", "role", MARA, "builder"]).code(0).prints(&["Builder"]);
    let people = folder.weft(&["admin", "user", "list", "--json"]).code(0).json_lines();
    let roles: Vec<_> = people.iter().map(|person| &person["role"]).collect();
    assert_eq!(roles, ["builder", "owner"]);
}

async fn accept(folder: &Folder, token: &str) {
    let runtime = folder.runtime(None).await;
    let acceptance =
        InviteAcceptance { token: Secret(token.to_owned()), name: "Noor".to_owned(), password: PASSWORD.into() };
    auth::accept_invite(&runtime, &Client::default(), &acceptance).await.unwrap();
    runtime.db.close().await;
}

#[test]
fn roles_are_listed_with_what_they_may_do() {
    let folder = Folder::new();
    folder.weft(&["admin", "role", "list"]).code(0).tells_nothing().prints(&[
        "owner",
        "manage owners",
        "viewer",
        "see runs",
    ]);
    let roles = folder.weft(&["admin", "role", "list", "--json"]).code(0).json_lines();
    assert_eq!(roles.len(), Role::ALL.len());
    assert_eq!(roles[4]["role"], "viewer");
    assert!(!roles[4]["actions"].as_array().unwrap().contains(&"start_run".into()));
}
