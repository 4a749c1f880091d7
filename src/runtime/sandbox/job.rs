//! A job and its outcome: plain data, and the check of a job before anything is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{Captured, Error};

/// Folders that hold other people's things: none of them is a working folder.
const SHARED: [&str; 18] = [
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root", "/run", "/sbin", "/srv",
    "/sys", "/tmp", "/usr", "/var",
];

/// One command to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The program and its arguments, passed byte for byte. A program without `/` is looked up in the job's `PATH`.
    pub argv: Vec<String>,
    /// What the command reads from its standard input; `None` is an empty one.
    #[serde(skip)]
    pub stdin: Option<Vec<u8>>,
    /// Added to `PATH`, `LANG`, `HOME` and `TMPDIR`, and stronger than these. Nothing of the server's is inherited.
    pub env: BTreeMap<String, String>,
    /// The working folder, the only one on disk that is writable. Absolute, existing, and not a shared system folder.
    pub cwd: PathBuf,
    /// Further absolute paths to read and execute from, such as a toolchain.
    pub readable: Vec<PathBuf>,
    /// Whether the command may open network sockets.
    pub network: Network,
    /// What it may use up.
    pub limits: Limits,
    /// Is told about once a second what its processes use; `None`: nobody wants to know.
    #[serde(skip)]
    pub seen: Option<watch::Sender<Use>>,
}

/// What a job's processes use, all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Use {
    /// Processor time so far, in milliseconds.
    pub cpu_ms: u64,
    /// Memory in use now, in MiB.
    pub memory_mb: u64,
}

/// Whether a command reaches the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// No socket but unix ones among its own processes.
    None,
    /// All that the server itself reaches, its own loopback included.
    Granted,
}

/// The bounds of a job. Each is at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processor time of all its processes together, in milliseconds.
    pub cpu_ms: u64,
    /// Memory of all its processes together, in MiB. The private temporary folder holds at most half as much besides.
    pub memory_mb: u64,
    /// Processes and threads alive at one time.
    pub processes: u32,
    /// Size of any one file that it writes, in MiB.
    pub file_mb: u64,
    /// Time from start to end, in milliseconds.
    pub time_ms: u64,
    /// Output delivered live, both streams together, in bytes. What comes after it is read and dropped.
    pub output_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cpu_ms: 60_000, memory_mb: 1024, processes: 128, file_mb: 256, time_ms: 120_000, output_bytes: 4 << 20 }
    }
}

/// One of a command's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// It ended by itself with this code, 0 to 255.
    Code(i32),
    /// A signal of this number ended it.
    Signal(i32),
    /// It was stopped after `time_ms`.
    TimedOut,
    /// It was stopped because the caller cancelled.
    Cancelled,
}

/// A bound that a command ran into, and was stopped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `cpu_ms`.
    Cpu,
    /// `memory_mb`.
    Memory,
    /// `processes`.
    Processes,
    /// `file_mb`, when it ended the main process.
    File,
}

/// What a finished job leaves.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// The bound it was stopped for; then `exit` is the signal that did it.
    pub exceeded: Option<Limit>,
    /// From the call to the last process gone, in milliseconds.
    pub took_ms: u64,
    /// Processor time of all its processes, in milliseconds, as far as it was seen.
    pub cpu_ms: u64,
    /// The most memory seen at one look, in MiB.
    pub peak_memory_mb: u64,
    /// Whether live output stopped at `output_bytes`.
    pub truncated: bool,
    /// The beginning and the end of standard output.
    pub stdout: Captured,
    /// The beginning and the end of standard error.
    pub stderr: Captured,
}

impl Job {
    /// A job with the default limits, no network, no input and no extra environment or paths.
    pub fn new(argv: impl IntoIterator<Item = impl Into<String>>, cwd: impl Into<PathBuf>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            stdin: None,
            env: BTreeMap::new(),
            cwd: cwd.into(),
            readable: Vec::new(),
            network: Network::None,
            seen: None,
            limits: Limits::default(),
        }
    }

    /// Checks every field and resolves the paths to their real names.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the first field that cannot be used.
    pub(super) fn checked(mut self) -> Result<Self, Error> {
        if self.argv.first().is_none_or(String::is_empty) {
            return Err(Error::invalid("argv[0]", "a program"));
        }
        for (i, arg) in self.argv.iter().enumerate() {
            without_nul(&format!("argv[{i}]"), arg)?;
        }
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(Error::invalid(format!("env.{}", name.escape_debug()), "a name without = and NUL"));
            }
            without_nul(&format!("env.{name}"), value)?;
        }
        self.limits.check()?;
        self.cwd = real(&self.cwd, "cwd")?;
        if !self.cwd.is_dir() || SHARED.iter().any(|shared| self.cwd == Path::new(shared)) {
            return Err(Error::invalid("cwd", "a folder of its own, not a file or a system folder"));
        }
        for (i, path) in self.readable.iter_mut().enumerate() {
            let field = format!("readable[{i}]");
            *path = real(path, &field)?;
            let kernel = ["/proc", "/sys", "/dev"].iter().any(|root| path.starts_with(root));
            if kernel || *path == Path::new("/") {
                return Err(Error::invalid(field, "a path on disk below /"));
            }
        }
        // Outer paths are mounted before the ones inside them.
        self.readable.sort();
        self.readable.dedup();
        Ok(self)
    }
}

impl Limits {
    /// Refuses zero, which the system would read as "everything is already too much".
    fn check(self) -> Result<(), Error> {
        let fields = [
            ("cpu_ms", self.cpu_ms, u64::from(u32::MAX)),
            ("memory_mb", self.memory_mb, 1 << 24),
            ("processes", self.processes.into(), 1 << 16),
            ("file_mb", self.file_mb, 1 << 24),
            ("time_ms", self.time_ms, u64::from(u32::MAX)),
            ("output_bytes", self.output_bytes, 1 << 40),
        ];
        for (name, value, most) in fields {
            if !(1..=most).contains(&value) {
                return Err(Error::invalid(format!("limits.{name}"), format!("1 to {most}")));
            }
        }
        Ok(())
    }
}

fn without_nul(field: &str, text: &str) -> Result<(), Error> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "text without a NUL character"));
    }
    Ok(())
}

fn real(path: &Path, field: &str) -> Result<PathBuf, Error> {
    if !path.is_absolute() {
        return Err(Error::invalid(field, "an absolute path"));
    }
    let real =
        std::fs::canonicalize(path).map_err(|why| Error::invalid(field, format!("a path that exists ({why})")))?;
    if real.to_str().is_none_or(|text| text.contains(['\n', '\0'])) {
        return Err(Error::invalid(field, "a path in UTF-8 without line breaks"));
    }
    Ok(real)
}
