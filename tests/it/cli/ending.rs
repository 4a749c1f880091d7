//! How a command ends when it is told to, or when nobody reads on.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Done, Folder};

const WAITS: &str = "\
weft: 1
name: Waits
steps:
  - {id: nap, kind: shell, name: Nap, config: {argv: [sleep, '600']}}
edges: []
";

/// Starts a run that takes ten minutes and signals it once its step has begun.
fn signalled(folder: &Folder, arguments: &[&str], signal: Signal) -> Done {
    folder.write("waits.yaml", WAITS);
    let mut child = folder.command(arguments).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains("▸ Nap") {
        assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "it ended early: {told}");
    }
    send(&child, signal);
    stderr.read_to_string(&mut told).unwrap();
    Done { stderr: told, ..Done::of(child) }
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

#[test]
fn an_interrupt_cancels_the_run_and_ends_with_code_1() {
    let folder = Folder::new();
    signalled(&folder, &["run", "waits.yaml"], Signal::SIGINT)
        .code(1)
        .prints_nothing()
        .tells(&["Cancelling…", "the run was cancelled"]);
}

#[tokio::test]
async fn a_stored_run_that_was_terminated_stands_as_cancelled() {
    let folder = Folder::with_workspace().await;
    signalled(&folder, &["run", "waits.yaml", "--data-dir", "weft-data"], Signal::SIGTERM)
        .code(1)
        .tells(&["the run was cancelled"]);
    let run = folder.weft(&["run", "list", "--json"]).code(0).json();
    assert_eq!(run["status"], "cancelled");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let folder = Folder::new();
    let calls: [&[&str]; 5] = [
        &["run", "repository-health-check", "--input", "path=project", "--json"],
        &["analyze", "project"],
        &["config"],
        &["completions", "bash"],
        &["--help"],
    ];
    for arguments in calls {
        let mut child = folder.command(arguments).spawn().unwrap();
        drop(child.stdout.take());
        let done = Done::of(child).code(0);
        assert!(!done.stderr.contains("panic"), "{arguments:?}: {done:#?}");
    }
}

#[test]
fn nobody_reading_what_is_told_is_no_error() {
    let folder = Folder::new();
    let mut child = folder.command(&["run", "repository-health-check", "--input", "path=project"]).spawn().unwrap();
    drop(child.stderr.take());
    Done::of(child).code(0).prints(&["# Health of "]);
}
