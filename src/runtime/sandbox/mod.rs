//! Runs one command, confined. Nothing else in Weft spawns a program.
//!
//! Promises: the command sees system paths read-only, its own folder and a private temporary folder writable, and
//! nothing else of the machine: not the data folder, not a home, not the server's environment or processes. Without
//! [`Network::Granted`] it opens no socket. Its processor time, memory, processes, file size, wall time and output are
//! bounded. When it ends, is cancelled, times out, or the server dies, every process it started dies with it, those
//! that fled into a session of their own included. `argv` is executed byte for byte: no shell stands between.
//!
//! Refuses: to run at all when the machine cannot confine ([`support`] says why), unless [`Settings::isolation`] is
//! [`Isolation::Unconfined`], which an administrator must choose by name.
//!
//! How: the server starts its own executable again as a helper (`helper/`), and tells it the job through a socket. The helper builds the walls
//! from inside and then becomes the command's supervisor.
//! - [`Isolation::Namespaces`]: user, mount, process, IPC, host name and (without network) network namespaces, a root
//!   folder built from read-only binds, landlock on top where the kernel has it, seccomp. The kernel itself kills the
//!   whole tree with its first process.
//! - [`Isolation::Landlock`]: for machines that forbid user namespaces. Landlock with signal scoping (ABI 6, Linux
//!   6.12), seccomp, no unix sockets; the helper adopts and kills descendants. Weaker in one point: SIGKILL of the
//!   helper itself by a third party may leave grandchildren.
//!
//! bubblewrap is not used: it asks the same of the kernel as `Namespaces`, through one more program.
//!
//! Limits that were tried and chosen: memory is the sum over the tree of anonymous pages and swap, looked at every
//! 20 ms, with `RLIMIT_DATA` at twice the limit plus 256 MiB as the wall between two looks. `RLIMIT_AS` is not used,
//! since it counts addresses that are reserved and never touched: Java 17 does not start under 1 GB of it, but runs here
//! with 256 MiB (node 20, python 3.11 and a cargo build were tried as well). `RLIMIT_NPROC` does not bind a server that
//! runs as root, so processes are counted too. `file_mb` bounds each file, not their sum.

mod error;
mod helper;
mod job;
mod output;
mod spawn;
mod spec;
mod support;

pub use error::Error;
pub use helper::enter_if_helper;
pub use job::{Exit, Job, Limit, Limits, Network, Outcome, Stream, Use};
pub use output::Captured;
pub use spawn::run;
pub use support::{Isolation, Settings, Support, install, support};
