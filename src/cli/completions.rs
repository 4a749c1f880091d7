//! `weft completions`: a script that completes this command line in a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Global, out};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(global: &Global, arguments: Arguments) {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "weft", &mut script);
    let script = String::from_utf8(script).expect("names and help are text");
    if global.json {
        out::json(&serde_json::json!({"shell": arguments.shell.to_string(), "script": script}));
    } else {
        out::line(script.trim_end());
    }
}
