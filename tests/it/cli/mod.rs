//! The real program in an empty folder: exit codes, standard output and standard error.

mod admin;
mod bench;
mod ending;
mod gateway;
mod help;
mod key;
mod memory;
mod queue;
mod run;
mod runs;
mod settings;
mod travel;
mod workflow;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use weft::db::{Db, Options};
use weft::runtime::outbound::Outbound;
use weft::runtime::{Clock, Config, Ids, Keys, Runtime};

/// A workflow of one step that fails.
pub const FAILS: &str = "\
weft: 1
name: Fails
steps:
  - {id: boom, kind: shell, name: Boom, config: {argv: ['false']}}
edges: []
";

/// A folder of its own, in which the program runs with nothing in its environment.
pub struct Folder(TempDir);

impl Folder {
    /// With a small project in `project/` and no data.
    pub fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.write("project/src/lib.rs", "/// Half.\npub fn half(x: i32) -> i32 {\n    x / 2 // TODO: odd ones\n}\n");
        folder
    }

    /// And with a workspace in `weft-data`, as after the set-up.
    pub async fn with_workspace() -> Self {
        let folder = Self::new();
        let runtime = folder.runtime(None).await;
        weft::auth::create_local_workspace(&runtime).await.unwrap();
        runtime.db.close().await;
        folder
    }

    /// And with the owner mara@team.example.
    pub async fn with_owner() -> Self {
        let folder = Self::new();
        let admin = ("mara@team.example".to_owned(), crate::auth::PASSWORD.to_owned());
        let runtime = folder.runtime(Some(admin)).await;
        weft::auth::boot(&runtime).await.unwrap();
        runtime.db.close().await;
        folder
    }

    /// Has the folder's database open in this process.
    pub async fn runtime(&self, admin: Option<(String, String)>) -> Runtime {
        let config = Config { admin, ..Config::isolated(&self.0.path().join("weft-data")) };
        let file = self.path("weft-data/weft.db");
        assert!(config.database_url.ends_with(&file.display().to_string()), "{}", config.database_url);
        if !file.exists() {
            crate::support::tables::copy_sqlite(&file).await;
        }
        let db = Db::open(&Options::new(config.database_url.clone())).await.unwrap();
        let keys = Keys::open(&config.master_key_file, &Ids).unwrap();
        Runtime::new(config, db, Clock::System, keys, Outbound::default())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The program, ready to start.
    pub fn command(&self, arguments: &[&str]) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the program under test, started as a person would")]
        let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
        command.args(arguments).current_dir(self.0.path()).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn weft(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).spawn().unwrap())
    }

    /// Runs the program with a variable set.
    pub fn weft_with(&self, (name, value): (&str, &str), arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).env(name, value).spawn().unwrap())
    }

    /// Runs the program with this on its standard input.
    pub fn weft_reading(&self, input: &str, arguments: &[&str]) -> Done {
        self.write("standard-input", input);
        let input = std::fs::File::open(self.path("standard-input")).unwrap();
        Done::of(self.command(arguments).stdin(input).spawn().unwrap())
    }
}

/// What a call left behind.
#[derive(Debug)]
pub struct Done {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    pub fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Asserts the exit code.
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, Some(expected), "{self:#?}");
        self
    }

    /// Asserts that standard error holds all of this.
    pub fn tells(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing in {self:#?}");
        }
        self
    }

    /// Asserts that standard output holds all of this.
    pub fn prints(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stdout.contains(word), "{word:?} is missing in {self:#?}");
        }
        self
    }

    /// Asserts that there is nothing on standard output.
    pub fn prints_nothing(self) -> Self {
        assert_eq!(self.stdout, "", "{self:#?}");
        self
    }

    /// Asserts that there is nothing on standard error.
    pub fn tells_nothing(self) -> Self {
        assert_eq!(self.stderr, "", "{self:#?}");
        self
    }

    /// Standard output as lines of JSON.
    pub fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Standard output as one line of JSON.
    pub fn json(&self) -> Value {
        let lines = self.json_lines();
        assert_eq!(lines.len(), 1, "{self:#?}");
        lines.into_iter().next().unwrap()
    }
}
