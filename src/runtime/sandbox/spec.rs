//! What server and helper say to each other over the control socket.
//!
//! Server: a little-endian `u32` length, that much JSON ([`Spec`]), `stdin_bytes` bytes of input, and later at most one
//! byte [`CANCEL`]. Closing the socket, by will or by dying, means "kill everything now".
//! Helper: a line of JSON ([`Report`]) now and then while the command runs, and a last one.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Exit, Isolation, Job, Limit};

/// The hidden first argument that makes the executable a helper.
pub(super) const HELPER: &str = "__sandbox";
/// Asks the helper to end the command: SIGTERM, then SIGKILL.
pub(super) const CANCEL: u8 = b'C';
/// The longest spec that a helper reads, in bytes.
pub(super) const SPEC_MAX: u32 = 16 << 20;
/// Between two words about what is used, in milliseconds.
pub(super) const TELL_MS: u64 = 1_000;
/// From SIGTERM to SIGKILL, in milliseconds.
pub(super) const GRACE_MS: u64 = 500;

/// All that the helper has to know.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    pub job: Job,
    /// Length of the input that follows; `None` is no input at all.
    pub stdin_bytes: Option<u64>,
    pub isolation: Isolation,
    /// Never readable, even inside a readable path.
    pub hidden: Vec<PathBuf>,
    /// Where the private temporary folder is made when there is no mount namespace.
    pub tmp_root: PathBuf,
}

/// What the helper says. All but [`Report::Seen`] is its last word.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// What the command's processes use, while they run.
    Seen {
        cpu_ms: u64,
        memory_kb: u64,
    },
    Finished {
        exit: Exit,
        exceeded: Option<Limit>,
        cpu_ms: u64,
        peak_memory_kb: u64,
    },
    NotStarted {
        reason: String,
    },
    Failed {
        reason: String,
    },
}
