//! `weft gateway flags list|add|set|delete|changes`.

use super::Folder;

#[tokio::test]
async fn a_flag_is_added_grown_and_deleted_and_all_of_it_is_told() {
    let folder = Folder::with_workspace().await;
    folder.weft(&["gateway", "flags", "list"]).code(0).prints_nothing().tells(&["no flags"]);
    folder.weft(&["gateway", "flags", "changes"]).code(0).prints_nothing().tells(&["no changes"]);
    let made = folder.weft(&["gateway", "flags", "add", "next", "--percent", "5", "--json"]).code(0).json();
    assert_eq!((&made["flag"]["enabled"], &made["flag"]["percent"]), (&false.into(), &5.into()));
    folder.weft(&["gateway", "flags", "add", "next"]).code(5).prints_nothing().tells(&["next"]);
    folder.weft(&["gateway", "flags", "set", "next", "--on", "--percent", "25"]).code(0).prints(&["next", "25 %"]);
    folder.weft(&["gateway", "flags", "set", "next", "--on", "--off"]).code(2).prints_nothing();
    folder.weft(&["gateway", "flags", "set", "next", "--percent", "101"]).code(2).prints_nothing().tells(&["101"]);
    folder.weft(&["gateway", "flags", "set", "other", "--off"]).code(4).prints_nothing().tells(&["other"]);
    folder.weft(&["gateway", "flags", "set", "next", "--off"]).code(0).prints(&["off (25 %)"]);
    let changes = folder.weft(&["gateway", "flags", "changes"]).code(0);
    changes.prints(&["the command line", "added off, 5 %", "switched on; 5 % to 25 %", "switched off"]);
    folder.weft(&["gateway", "flags", "delete", "next"]).code(0).prints_nothing();
    folder.weft(&["gateway", "flags", "delete", "next"]).code(4).prints_nothing();
}
