//! How the machine and the program are.

use std::path::{Path, PathBuf};

use sysinfo::{DiskRefreshKind, Disks, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::model::ApiError;
use crate::model::dashboard::Health;
use crate::runtime::Ctx;
use crate::runtime::sandbox::{self, Isolation};
use crate::runtime::trace;

/// Below this the disk is a problem: 1 GiB.
const LOW_DISK_BYTES: i64 = 1 << 30;
/// Above this a trivial query is a problem: half a second.
const SLOW_DATABASE_MS: f64 = 500.0;

/// Looks now.
pub(super) async fn look(ctx: &Ctx) -> Result<Health, ApiError> {
    let database_ms = ctx.db.ping().await?.as_secs_f64() * 1000.0;
    let support = sandbox::support().await;
    let data_dir = ctx.config.data_dir.clone();
    // Asking the system may wait for a disk.
    let machine = ctx.tasks.blocking(move || Machine::look(data_dir)).await.map_err(|error| trace::internal(&error))?;
    let mut problems = Vec::new();
    if support.isolation.is_err() {
        problems.push("Shell steps are refused: this machine can't confine commands.".to_owned());
    }
    if machine.disk_free_bytes.is_some_and(|free| free < LOW_DISK_BYTES) {
        problems.push("Less than 1 GiB is free where the data is.".to_owned());
    }
    if database_ms > SLOW_DATABASE_MS {
        problems.push("The database takes more than half a second for a trivial query.".to_owned());
    }
    Ok(Health {
        database: ctx.db.engine().to_owned(),
        database_bytes: ctx.db.size_bytes().await.ok(),
        database_ms,
        memory_bytes: machine.memory_bytes,
        uptime_ms: machine.uptime_ms,
        disk_free_bytes: machine.disk_free_bytes,
        sandbox: walls(support.isolation.as_ref()),
        problems,
    })
}

/// What surrounds a step's commands, in words.
fn walls(isolation: Result<&Isolation, &String>) -> String {
    match isolation {
        Ok(Isolation::Namespaces) => "Namespaces with a root folder of their own".to_owned(),
        Ok(Isolation::Landlock) => "Landlock and seccomp".to_owned(),
        Ok(Isolation::Auto | Isolation::Unconfined) => "None: commands see this machine's files and network".to_owned(),
        Err(reason) => format!("None: {reason}"),
    }
}

/// What the operating system says; `None` where it doesn't.
struct Machine {
    memory_bytes: Option<i64>,
    uptime_ms: Option<i64>,
    disk_free_bytes: Option<i64>,
}

impl Machine {
    fn look(data_dir: PathBuf) -> Self {
        let (memory_bytes, uptime_ms) = this_process().unzip();
        Self { memory_bytes, uptime_ms, disk_free_bytes: free_bytes(&data_dir) }
    }
}

/// Resident memory of this process, and the milliseconds since it began.
fn this_process() -> Option<(i64, i64)> {
    let pid = Pid::from_u32(std::process::id());
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_memory();
    let _ = system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
    let process = system.process(pid)?;
    let uptime_ms = i64::try_from(process.run_time()).ok()?.saturating_mul(1000);
    Some((i64::try_from(process.memory()).ok()?, uptime_ms))
}

/// Bytes free on the disk that holds a folder.
fn free_bytes(folder: &Path) -> Option<i64> {
    let folder = folder.canonicalize().ok()?;
    let disks = Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage()).ok()?;
    let holding = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
    let nearest = holding.max_by_key(|disk| disk.mount_point().as_os_str().len())?;
    i64::try_from(nearest.available_space()).ok()
}
