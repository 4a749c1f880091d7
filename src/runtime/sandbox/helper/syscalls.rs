//! The system calls that a command is refused.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::super::spec::Spec;
use super::super::{Isolation, Network};
use super::{Step, because};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Reaching into other processes, changing the machine, and kernel surfaces that no build or script needs.
const FORBIDDEN: [i64; 55] = [
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_mbind,
    libc::SYS_set_mempolicy,
    libc::SYS_set_mempolicy_home_node,
    libc::SYS_personality,
];

/// Answered as if the kernel were older, so that programs take their other way: `clone3` hides its flags from a filter,
/// io_uring opens sockets behind its back, and anonymous memory files escape the count of memory.
const ABSENT: [i64; 6] = [
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
];

/// `clone` flags that make namespaces.
const NEW_NAMESPACE: [i32; 8] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    0x80,
];

/// The programs for the kernel, compiled; [`apply`] installs them.
pub(super) struct Filters(Vec<BpfProgram>);

/// Compiles the filters of a job.
pub(super) fn compile(spec: &Spec) -> Step<Filters> {
    let mut forbidden: Rules = FORBIDDEN.iter().map(|number| (*number, Vec::new())).collect();
    let mut clone = Vec::new();
    for flag in NEW_NAMESPACE {
        clone.push(rule(vec![condition(0, Len::Qword, Op::MaskedEq(flag as u64), flag as u64)?])?);
    }
    forbidden.insert(libc::SYS_clone, clone);
    // Typing into a terminal as if at its keyboard.
    let typing = [0x5412, 0x541C].into_iter().map(|request| rule(vec![condition(1, Len::Dword, Op::Eq, request)?]));
    forbidden.insert(libc::SYS_ioctl, typing.collect::<Step<_>>()?);
    let absent = ABSENT.iter().map(|number| (*number, Vec::new())).collect();
    let mut filters = vec![filter(forbidden, libc::EPERM)?, filter(absent, libc::ENOSYS)?];
    if spec.isolation != Isolation::Unconfined {
        filters.push(filter(sockets(spec)?, libc::EACCES)?);
    }
    Ok(Filters(filters))
}

/// Installs the filters for this process and all that it starts.
pub(super) fn apply(filters: &Filters) -> Step<()> {
    filters.0.iter().try_for_each(|program| seccompiler::apply_filter(program).map_err(because("seccomp")))
}

/// Socket families: all but the listed ones are refused. Without a mount namespace unix sockets are refused as well,
/// since their paths lead to services of the machine; a socket pair needs none of this.
fn sockets(spec: &Spec) -> Step<Rules> {
    let mut allowed = Vec::new();
    if spec.isolation == Isolation::Namespaces {
        allowed.push(libc::AF_UNIX);
    }
    if spec.job.network == Network::Granted {
        allowed.extend([libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK]);
    }
    let none_of_them =
        allowed.iter().map(|family| condition(0, Len::Dword, Op::Ne, *family as u64)).collect::<Step<Vec<_>>>()?;
    let rules = if none_of_them.is_empty() { Vec::new() } else { vec![rule(none_of_them)?] };
    Ok(Rules::from([(libc::SYS_socket, rules)]))
}

fn filter(rules: Rules, errno: i32) -> Step<BpfProgram> {
    let arch: TargetArch = std::env::consts::ARCH.try_into().map_err(because("seccomp"))?;
    let rules = with_x32(rules);
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), arch)
        .and_then(TryInto::try_into)
        .map_err(because("seccomp"))
}

/// The same calls by their x32 numbers, which the architecture check lets pass. Five of them have numbers of their own.
fn with_x32(mut rules: Rules) -> Rules {
    const X32: i64 = 0x4000_0000;
    if std::env::consts::ARCH == "x86_64" {
        let again: Vec<_> = rules.iter().map(|(number, rule)| (number | X32, rule.clone())).collect();
        rules.extend(again);
        if rules.contains_key(&libc::SYS_ptrace) {
            rules.extend([514, 521, 528, 539, 540].map(|number| (number | X32, Vec::new())));
        }
    }
    rules
}

fn rule(conditions: Vec<SeccompCondition>) -> Step<SeccompRule> {
    SeccompRule::new(conditions).map_err(because("seccomp"))
}

fn condition(argument: u8, length: Len, op: Op, value: u64) -> Step<SeccompCondition> {
    SeccompCondition::new(argument, length, op, value).map_err(because("seccomp"))
}
