//! Help, completions, and calls that are none.

use super::Folder;

/// Every command, with what `--help` must name of it.
const COMMANDS: &[(&[&str], &[&str])] = &[
    (&[], &["serve", "run", "workflow", "memory", "analyze", "admin", "config", "completions", "--json"]),
    (&["serve"], &["--addr", "--public-url"]),
    (
        &["run"],
        &[
            "--input",
            "--inputs",
            "--watch",
            "list",
            "show",
            "events",
            "cancel",
            "pause",
            "resume",
            "retry",
            "give-output",
            "move",
            "send-event",
            "fork",
            "diff",
            "replay",
            "--until",
        ],
    ),
    (&["run", "fork"], &["<ID>", "--from", "--step", "--input", "--output", "--version", "--draft"]),
    (&["run", "replay"], &["<ID>", "--version", "--draft", "--file", "--strict"]),
    (&["run", "give-output"], &["<ID>", "<STEP>", "--output", "--output-file", "--port", "--reason"]),
    (&["run", "move"], &["<ID>", "--to", "--check"]),
    (&["run", "send-event"], &["<KEY>", "--payload", "--id"]),
    (&["run", "events"], &["<ID>", "--follow"]),
    (&["workflow"], &["check", "import", "export", "list", "publish", "test"]),
    (&["agent"], &["list", "show", "run"]),
    (&["agent", "run"], &["<NAME>", "<PROMPT>", "--watch", "--priority"]),
    (
        &["memory"],
        &[
            "put",
            "get",
            "list",
            "search",
            "delete",
            "history",
            "namespaces",
            "describe",
            "keep",
            "access",
            "allow",
            "encryption",
            "rotate-key",
            "backup",
        ],
    ),
    (&["memory", "backup"], &["list", "add", "run", "restore", "delete"]),
    (&["memory", "backup", "add"], &["--folder", "--store", "--every-hours", "--cron", "--timezone", "--keep"]),
    (&["memory", "backup", "restore"], &["<ID>", "[COPY]", "--preview"]),
    (&["gateway"], &["flags"]),
    (&["gateway", "flags"], &["list", "add", "set", "delete", "changes"]),
    (&["gateway", "flags", "set"], &["<NAME>", "--on", "--off", "--percent"]),
    (&["analyze"], &["<PATH>", "--include", "--exclude"]),
    (&["admin"], &["user", "role"]),
    (&["admin", "user"], &["list", "invite", "role", "disable", "enable", "reset-password"]),
    (&["key"], &["status", "rotate", "retire"]),
    (&["key", "rotate"], &["--prepare"]),
    (&["key", "retire"], &["<ID>"]),
    (&["bench", "engine"], &["--data-dir"]),
    (&["bench", "memory"], &["[FOLDER]...", "--entries", "--vectors", "--embedder", "--model"]),
    (&["bench", "cache"], &["[FILE]...", "--embedder", "--model", "--budgets", "--thresholds", "--rounds", "--seed"]),
    (&["bench", "gateway"], &["--rate", "--streams", "--mebibytes"]),
    (&["bench", "agents"], &["--tasks", "--agents", "--seed", "--gap-ms", "--rounds"]),
    (&["config"], &["--data-dir", "--database-url"]),
    (&["completions"], &["bash", "elvish", "fish", "powershell", "zsh"]),
];

#[test]
fn help_names_every_command_and_flag() {
    let folder = Folder::new();
    for (path, words) in COMMANDS {
        let by_flag = folder.weft(&[path, &["--help"][..]].concat()).code(0).tells_nothing().prints(words);
        let by_word = folder.weft(&[&["help"][..], path].concat()).code(0).tells_nothing();
        assert_eq!(by_word.stdout, by_flag.stdout);
    }
    folder.weft(&["--version"]).code(0).prints(&[env!("CARGO_PKG_VERSION")]);
}

#[test]
fn a_call_that_is_none_is_usage() {
    let folder = Folder::new();
    folder.weft(&[]).code(2).prints_nothing().tells(&["Usage: weft"]);
    folder.weft(&["run", "--nope"]).code(2).prints_nothing().tells(&["unexpected argument '--nope'"]);
    folder.weft(&["nope"]).code(2).tells(&["unrecognized subcommand 'nope'"]);
    folder.weft(&["run"]).code(2).tells(&["<WHAT>"]);
    folder.weft(&["memory", "put", "a"]).code(2).tells(&["<KEY>"]);
    folder.weft(&["completions", "tcsh"]).code(2).tells(&["tcsh", "bash"]);
    assert!(!folder.path("weft-data").exists());
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        folder.weft(&["completions", shell]).code(0).tells_nothing().prints(&[
            "weft",
            "reset-password",
            "database-url",
        ]);
    }
    let json = folder.weft(&["completions", "fish", "--json"]).code(0).json();
    assert_eq!(json["shell"], "fish");
    assert!(json["script"].as_str().unwrap().starts_with('#'));
}

#[test]
fn bash_takes_the_script_and_completes_a_command() {
    let folder = Folder::new();
    folder.write("weft.bash", &folder.weft(&["completions", "bash"]).code(0).stdout);
    let script =
        "source weft.bash; COMP_WORDS=(weft admin user res); COMP_CWORD=3; _weft weft res user; echo ${COMPREPLY[@]}";
    #[expect(clippy::disallowed_methods, reason = "the shell that the script is for")]
    let done = std::process::Command::new("bash").args(["-c", script]).current_dir(folder.path(".")).output().unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap().trim(), "reset-password");
}
