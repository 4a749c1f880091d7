//! How the machine and the program are.

use std::path::Path;
use std::sync::Mutex;

use sysinfo::{Disks, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::model::dashboard::Health;
use crate::model::{ApiError, Timestamp};
use crate::runtime::{Ctx, sandbox};

/// Below this the disk is a problem: 1 GiB.
const LOW_DISK_BYTES: i64 = 1 << 30;

/// When this process first looked; close enough to its start, since the server looks at boot.
#[derive(Debug, Default)]
struct Began(Mutex<Option<Timestamp>>);

/// Looks now.
pub(super) async fn look(ctx: &Ctx) -> Result<Health, ApiError> {
    let asked = ctx.db.ping().await?;
    let support = sandbox::support().await;
    let (sandbox, confined) = match &support.isolation {
        Ok(isolation) => (format!("{isolation:?}").to_lowercase(), true),
        Err(reason) => (format!("none: {reason}"), false),
    };
    let (memory_bytes, disk_free_bytes) = machine(ctx);
    let mut problems = Vec::new();
    if !confined {
        problems.push("Shell steps are refused: this machine can't confine commands.".to_owned());
    }
    if disk_free_bytes.is_some_and(|free| free < LOW_DISK_BYTES) {
        problems.push("Less than 1 GiB is free where the data is.".to_owned());
    }
    let began = *ctx.shared::<Began>().0.lock().expect("nothing panics under this lock").get_or_insert(ctx.clock.now());
    Ok(Health {
        database: ctx.db.engine().to_owned(),
        database_bytes: ctx.db.size_bytes().await.ok(),
        database_ms: asked.as_secs_f64() * 1000.0,
        memory_bytes,
        uptime_ms: ctx.clock.now().ms_since(began),
        disk_free_bytes,
        sandbox,
        problems,
    })
}

/// Resident memory of this process, and bytes free on the disk that holds the data folder.
fn machine(ctx: &Ctx) -> (Option<i64>, Option<i64>) {
    let data = ctx.config.data_dir.canonicalize().ok();
    (resident_bytes(), data.and_then(|data| free_bytes(&data)))
}

fn resident_bytes() -> Option<i64> {
    let mut system = System::new().ok()?;
    let pid = Pid::from_u32(std::process::id());
    let memory = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, memory);
    i64::try_from(system.process(pid)?.memory()).ok()
}

fn free_bytes(folder: &Path) -> Option<i64> {
    let disks = Disks::new_with_refreshed_list().ok()?;
    let around = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
    let nearest = around.max_by_key(|disk| disk.mount_point().as_os_str().len())?;
    i64::try_from(nearest.available_space()).ok()
}
