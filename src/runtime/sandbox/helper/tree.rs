//! What a command's processes use up, read from `/proc`.

use std::collections::{HashMap, HashSet};
use std::fs;

/// One process as `/proc/PID/stat` tells it.
struct Process {
    pid: i32,
    parent: i32,
    zombie: bool,
    /// Processor time of its own, and of descendants it has waited for, in ticks.
    own: u64,
    waited: u64,
    threads: u32,
}

/// A look at all descendants of this process.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// All descendants, the ended ones that wait to be collected included.
    pub pids: Vec<i32>,
    /// Processes and threads alive.
    pub tasks: u32,
    /// Processor time so far, in milliseconds.
    pub cpu_ms: u64,
    /// Anonymous memory and swap of all, and the largest shared memory of one, in KiB.
    pub memory_kb: u64,
}

/// Looks at all descendants of this process.
pub(super) fn look(ticks_per_second: u64) -> Look {
    let me = std::process::id() as i32;
    let mut all: HashMap<i32, Process> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some(process) = stat(pid) {
            all.insert(pid, process);
        }
    }
    let mut look = Look::default();
    let mut ticks = all.get(&me).map_or(0, |process| process.waited);
    let (mut private, mut shared) = (0, 0);
    for process in all.values().filter(|process| descends(process, me, &all)) {
        look.pids.push(process.pid);
        ticks += process.own + process.waited;
        if !process.zombie {
            look.tasks += process.threads;
            let (anonymous, shmem) = memory(process.pid);
            private += anonymous;
            shared = shmem.max(shared);
        }
    }
    look.cpu_ms = ticks * 1000 / ticks_per_second.max(1);
    look.memory_kb = private + shared;
    look
}

fn descends(process: &Process, ancestor: i32, all: &HashMap<i32, Process>) -> bool {
    let mut seen = HashSet::new();
    let mut at = process;
    while at.parent != ancestor {
        match all.get(&at.parent) {
            // Parents are read one after another, so a number may have been given away in between: no endless walk.
            Some(parent) if seen.insert(parent.pid) => at = parent,
            _ => return false,
        }
    }
    process.pid != ancestor
}

fn stat(pid: i32) -> Option<Process> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, parentheses and blanks too.
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Process {
        pid,
        parent: number(4)? as i32,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        own: number(14)? + number(15)?,
        waited: number(16)? + number(17)?,
        threads: number(20)? as u32,
    })
}

/// Anonymous memory with swap, and shared memory, in KiB.
fn memory(pid: i32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    (field("RssAnon:").unwrap_or(0) + field("VmSwap:").unwrap_or(0), field("RssShmem:").unwrap_or(0))
}
