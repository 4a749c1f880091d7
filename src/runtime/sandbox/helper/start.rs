//! The last steps of the process that becomes the command.

use std::ffi::CString;
use std::fs::File;
use std::path::{Path, PathBuf};

use caps::CapSet;
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal};

use super::super::spec::Spec;
use super::super::{Isolation, Job};
use super::syscalls::Filters;
use super::{Step, because, files, landlock, syscalls};

/// Beyond the limit itself, so that the supervisor's look decides and this stops only what is faster than it.
const DATA_MARGIN: u64 = 256 << 20;

/// Why the command did not start.
pub(super) enum Failure {
    /// The program itself.
    Program(String),
    /// A wall.
    Wall(String),
}

/// Walls this process in and becomes the command. Returns only if that fails.
pub(super) fn start(spec: &Spec, input: Option<File>, tmp: &Path, filters: &Filters) -> Failure {
    match wall_in(spec, input, tmp, filters) {
        Ok(()) => Failure::Program(become_command(&spec.job, tmp)),
        Err(reason) => Failure::Wall(reason),
    }
}

fn wall_in(spec: &Spec, input: Option<File>, tmp: &Path, filters: &Filters) -> Step<()> {
    nix::unistd::setsid().map_err(because("a session of its own"))?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(because("parent death signal"))?;
    SigSet::all().thread_unblock().map_err(because("signals"))?;
    // Rust programs ignore SIGPIPE, and what is ignored stays ignored in the command.
    let default = nix::sys::signal::SigAction::new(
        nix::sys::signal::SigHandler::SigDfl,
        nix::sys::signal::SaFlags::empty(),
        SigSet::empty(),
    );
    #[expect(unsafe_code, reason = "sigaction is unsafe for handlers; the default action is none")]
    // SAFETY: no handler is installed.
    unsafe { nix::sys::signal::sigaction(Signal::SIGPIPE, &default) }.map_err(because("signals"))?;
    if let Some(input) = input {
        nix::unistd::dup2_stdin(&input).map_err(because("standard input"))?;
    }
    nix::unistd::chdir(&spec.job.cwd).map_err(because("the working folder"))?;
    // The system should end this one first when memory runs out.
    let _ = std::fs::write("/proc/self/oom_score_adj", "800");
    limit(spec)?;
    if spec.isolation != Isolation::Namespaces {
        // A server that runs as root: starting a program would give it all these back.
        let held = caps::read(None, CapSet::Bounding).map_err(because("capabilities"))?;
        if caps::has_cap(None, CapSet::Effective, caps::Capability::CAP_SETPCAP).unwrap_or(false) && !held.is_empty() {
            caps::clear(None, CapSet::Bounding).map_err(because("capabilities"))?;
        }
        caps::clear(None, CapSet::Ambient).map_err(because("capabilities"))?;
        caps::clear(None, CapSet::Inheritable).map_err(because("capabilities"))?;
    }
    prctl::set_no_new_privs().map_err(because("no new privileges"))?;
    if spec.isolation != Isolation::Unconfined {
        landlock::restrict(spec, tmp)?;
    }
    syscalls::apply(filters)
}

fn limit(spec: &Spec) -> Step<()> {
    let limits = spec.job.limits;
    let seconds = limits.cpu_ms.div_ceil(1000) + 1;
    let mut wanted = vec![
        (Resource::RLIMIT_CPU, seconds, seconds + 1),
        (Resource::RLIMIT_DATA, (limits.memory_mb << 21) + DATA_MARGIN, (limits.memory_mb << 21) + DATA_MARGIN),
        (Resource::RLIMIT_FSIZE, limits.file_mb << 20, limits.file_mb << 20),
        (Resource::RLIMIT_NOFILE, 1024, 4096),
        (Resource::RLIMIT_CORE, 0, 0),
        (Resource::RLIMIT_MEMLOCK, 64 << 10, 64 << 10),
    ];
    if spec.isolation == Isolation::Namespaces {
        // Counted per user namespace (Linux 5.14), the supervisor included. Elsewhere it would count the whole user.
        let processes = u64::from(limits.processes) + 2;
        wanted.push((Resource::RLIMIT_NPROC, processes, processes));
    }
    for (resource, soft, hard) in wanted {
        let most = nix::sys::resource::getrlimit(resource).map_err(because("limits"))?.1;
        setrlimit(resource, soft.min(most), hard.min(most)).map_err(because(format!("{resource:?}")))?;
    }
    Ok(())
}

/// Replaces this process. No shell is asked, not even for a file that the system does not know how to execute.
fn become_command(job: &Job, tmp: &Path) -> String {
    let text = |bytes: &str| CString::new(bytes).map_err(|_| "a NUL character".to_owned());
    let path = job.env.get("PATH").map_or(files::PATH, String::as_str);
    let (home, tmp) = (job.cwd.to_string_lossy(), tmp.to_string_lossy());
    let own = [("PATH", path), ("LANG", "C.UTF-8"), ("HOME", &*home), ("TMPDIR", &*tmp)];
    let own = own.into_iter().filter(|(name, _)| !job.env.contains_key(*name));
    let env = own.chain(job.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let env: Result<Vec<_>, _> = env.map(|(name, value)| text(&format!("{name}={value}"))).collect();
    let argv: Result<Vec<_>, _> = job.argv.iter().map(|argument| text(argument)).collect();
    let (argv, env) = match (argv, env) {
        (Ok(argv), Ok(env)) => (argv, env),
        (Err(why), _) | (_, Err(why)) => return why,
    };
    let mut why = Errno::ENOENT;
    for candidate in candidates(&job.argv[0], path) {
        let Ok(program) = text(&candidate.to_string_lossy()) else {
            continue;
        };
        match nix::unistd::execve(&program, &argv, &env) {
            Err(Errno::ENOENT | Errno::ENOTDIR) | Ok(_) => {}
            Err(errno) => why = errno,
        }
    }
    match why {
        Errno::ENOENT => "there is no such program".into(),
        Errno::EACCES => "it is not an executable that the sandbox may run".into(),
        Errno::ENOEXEC => "it is neither a program nor a script with a #! line".into(),
        other => other.desc().into(),
    }
}

fn candidates(program: &str, path: &str) -> Vec<PathBuf> {
    if program.contains('/') {
        return vec![PathBuf::from(program)];
    }
    path.split(':').map(|folder| Path::new(if folder.is_empty() { "." } else { folder }).join(program)).collect()
}
