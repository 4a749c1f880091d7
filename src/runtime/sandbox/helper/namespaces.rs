//! Leaves the server's namespaces.

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use super::super::Network;
use super::{Step, because};

/// Who the command is inside: nobody special, so that starting a program drops every capability.
pub(super) const INSIDE_ID: u32 = 1000;

/// Enters new namespaces; the process namespace begins with the next fork.
pub(super) fn enter(network: Network) -> Step<()> {
    let (uid, gid) = (geteuid(), getegid());
    let mut flags = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    if network == Network::None {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    unshare(flags).map_err(because("entering new namespaces"))?;
    write("/proc/self/uid_map", &format!("{INSIDE_ID} {uid} 1"))?;
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/gid_map", &format!("{INSIDE_ID} {gid} 1"))?;
    nix::unistd::sethostname("sandbox").map_err(because("host name"))
}

fn write(path: &str, text: &str) -> Step<()> {
    std::fs::write(path, text).map_err(because(path))
}
