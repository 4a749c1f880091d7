//! What the process takes of the machine, as the kernel counts it; nothing where it does not say.

use std::fs;

/// Resident memory now and at its highest since [`forget_peak`], in mebibytes.
pub(super) fn resident() -> Option<(f64, f64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let mebibytes = |field: &str| {
        let line = status.lines().find(|line| line.starts_with(field))?;
        let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kibibytes / 1024.0)
    };
    Some((mebibytes("VmRSS:")?, mebibytes("VmHWM:")?))
}

/// Begins a new measurement of the highest; without the right to, the highest of the whole process counts.
pub(super) fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
