//! What this machine offers, and which isolation a job gets.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::{Error, Job, spawn};

/// The walls around a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// The strongest one that the machine offers, or none: then jobs are refused.
    #[default]
    Auto,
    /// Namespaces with a root folder of their own.
    Namespaces,
    /// Landlock and seccomp alone.
    Landlock,
    /// No walls around files and network; limits and clean-up only. Never chosen by itself.
    Unconfined,
}

/// Process-wide choices, made once at start.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The executable that calls [`super::enter_if_helper`] first; `None` is this one.
    pub helper: Option<PathBuf>,
    /// The isolation to use.
    pub isolation: Isolation,
    /// Real paths that no job may read, such as the data folder, even inside a readable path.
    pub hidden: Vec<PathBuf>,
}

/// What the machine offers.
#[derive(Debug, Clone)]
pub struct Support {
    /// The landlock ABI, 0 without landlock.
    pub landlock_abi: u32,
    /// Whether the kernel filters system calls.
    pub seccomp: bool,
    /// Whether namespaces work, or why not.
    pub namespaces: Result<(), String>,
    /// The isolation that jobs get, or why they are refused.
    pub isolation: Result<Isolation, String>,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();
static SUPPORT: OnceCell<Support> = OnceCell::const_new();

/// Makes the process-wide choices. The first call counts; later ones, and calls after the first job, change nothing.
pub fn install(settings: Settings) {
    let _ = SETTINGS.set(settings);
}

pub(super) fn settings() -> &'static Settings {
    SETTINGS.get_or_init(Settings::default)
}

/// Looks once, by building the walls around `true`, and remembers.
pub async fn support() -> &'static Support {
    SUPPORT.get_or_init(look).await
}

/// The isolation for the next job.
pub(super) async fn isolation() -> Result<Isolation, Error> {
    match settings().isolation {
        Isolation::Unconfined => Ok(Isolation::Unconfined),
        _ => support().await.isolation.clone().map_err(Error::Unsupported),
    }
}

async fn look() -> Support {
    let landlock_abi = u32::try_from(landlock_abi()).unwrap_or(0);
    let seccomp = std::fs::exists("/proc/sys/kernel/seccomp/actions_avail").unwrap_or(false);
    let namespaces = attempt(Isolation::Namespaces).await;
    let isolation = match (settings().isolation, &namespaces) {
        (Isolation::Unconfined, _) => Ok(Isolation::Unconfined),
        (Isolation::Auto | Isolation::Namespaces, Ok(())) => Ok(Isolation::Namespaces),
        (Isolation::Namespaces, Err(why)) => Err(why.clone()),
        (Isolation::Landlock, _) => attempt(Isolation::Landlock).await.map(|()| Isolation::Landlock),
        (Isolation::Auto, Err(no_namespaces)) => match attempt(Isolation::Landlock).await {
            Ok(()) => Ok(Isolation::Landlock),
            Err(no_landlock) => Err(format!(
                "namespaces: {no_namespaces}; landlock: {no_landlock}. Allow unprivileged user namespaces for weft or use Linux 6.12 or later with landlock"
            )),
        },
    };
    Support { landlock_abi, seccomp, namespaces, isolation }
}

/// The ABI number, negative when there is none.
fn landlock_abi() -> i64 {
    const ASK_VERSION: u32 = 1;
    #[expect(unsafe_code, reason = "the landlock crate does not tell the number")]
    // SAFETY: asking for the version takes no memory: a null pointer and the length 0 are what the call expects.
    unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0usize, ASK_VERSION)
    }
}

/// Builds the walls for real around a program that every machine has.
async fn attempt(isolation: Isolation) -> Result<(), String> {
    let folder = tempdir().map_err(|why| format!("no temporary folder: {why}"))?;
    let job = Job::new(["true"], &folder);
    let outcome = match job.checked() {
        Ok(job) => spawn::execute(job, isolation, |_, _| (), tokio_util::sync::CancellationToken::new()).await,
        Err(refused) => Err(refused),
    };
    let _ = std::fs::remove_dir(&folder);
    match outcome {
        Ok(outcome) if outcome.exit == super::Exit::Code(0) => Ok(()),
        Ok(outcome) => Err(format!("a trial run ended with {:?}", outcome.exit)),
        Err(failed) => Err(failed.to_string()),
    }
}

fn tempdir() -> std::io::Result<PathBuf> {
    Ok(nix::unistd::mkdtemp(&std::env::temp_dir().join("weft-trial-XXXXXX"))?)
}
