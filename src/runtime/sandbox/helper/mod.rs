//! The helper process: builds the walls from inside, starts the command, supervises it, and reports.
//!
//! It is single-threaded and never returns into the server's code. With namespaces it is two processes: the first
//! waits, the second is the first process of the new process namespace, whose end is the end of all in it.

mod files;
mod landlock;
mod namespaces;
mod root;
mod start;
mod supervise;
mod syscalls;
mod tree;

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, setsid};

use super::Isolation;
use super::spec::{HELPER, Report, SPEC_MAX, Spec};

/// A step of building the walls that failed, in words.
type Step<T> = Result<T, String>;

/// Becomes the sandbox helper, and never returns, if this process was started as one. `main` calls it before anything
/// else, above all before a thread is started.
pub fn enter_if_helper() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == HELPER) {
        std::process::exit(i32::from(work().is_err()));
    }
}

fn work() -> Step<()> {
    let _ = setsid();
    umask(Mode::from_bits_truncate(0o022));
    close_inherited()?;
    let stdin = std::io::stdin();
    let control = nix::unistd::dup(&stdin).map_err(because("control socket"))?;
    fcntl(&control, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(because("control socket"))?;
    let mut control = UnixStream::from(control);
    let null = File::open("/dev/null").map_err(because("/dev/null"))?;
    nix::unistd::dup2_stdin(&null).map_err(because("standard input"))?;
    let outcome = read_spec(&mut control).and_then(|(spec, input)| serve(&spec, input, &control));
    if let Some(report) = outcome.unwrap_or_else(|reason| Some(Report::Failed { reason })) {
        tell(&control, &report)?;
    }
    Ok(())
}

/// Runs the job. `None` means that the inner process has reported already.
fn serve(spec: &Spec, input: Option<File>, control: &UnixStream) -> Step<Option<Report>> {
    if spec.isolation != Isolation::Namespaces {
        prctl::set_child_subreaper(true).map_err(because("subreaper"))?;
        return supervise::run(spec, input, control).map(Some);
    }
    namespaces::enter(spec.job.network)?;
    match fork()? {
        ForkResult::Parent { child } => match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, 0)) => Ok(None),
            ended => Err(format!("the supervisor ended unexpectedly: {ended:?}")),
        },
        ForkResult::Child => {
            let report = prctl::set_pdeathsig(Signal::SIGKILL)
                .map_err(because("parent death signal"))
                .and_then(|()| root::build(spec))
                .and_then(|()| supervise::run(spec, input, control))
                .unwrap_or_else(|reason| Report::Failed { reason });
            std::process::exit(i32::from(tell(control, &report).is_err()));
        }
    }
}

fn read_spec(control: &mut UnixStream) -> Step<(Spec, Option<File>)> {
    let mut length = [0; 4];
    control.read_exact(&mut length).map_err(because("reading the job"))?;
    let length = u32::from_le_bytes(length);
    if length > SPEC_MAX {
        return Err(format!("the job is described in {length} bytes, more than {SPEC_MAX}"));
    }
    let mut json = vec![0; length as usize];
    control.read_exact(&mut json).map_err(because("reading the job"))?;
    let spec: Spec = serde_json::from_slice(&json).map_err(because("reading the job"))?;
    let Some(bytes) = spec.stdin_bytes else {
        return Ok((spec, None));
    };
    // In memory and not a pipe: a command that never reads its input cannot hold anyone up.
    let mut input = File::from(memfd_create("stdin", MFdFlags::MFD_CLOEXEC).map_err(because("standard input"))?);
    let copied = std::io::copy(&mut control.take(bytes), &mut input).map_err(because("standard input"))?;
    if copied != bytes {
        return Err("the input ended early".into());
    }
    input.rewind().map_err(because("standard input"))?;
    Ok((spec, Some(input)))
}

fn tell(mut control: &UnixStream, report: &Report) -> Step<()> {
    let mut line = serde_json::to_vec(report).map_err(because("report"))?;
    line.push(b'\n');
    control.write_all(&line).map_err(because("report"))
}

/// Closes what the server's own start may have left open beyond the three standard descriptors.
fn close_inherited() -> Step<()> {
    let listing = std::fs::read_dir("/proc/self/fd").map_err(because("/proc/self/fd"))?;
    let open: Vec<i32> = listing.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for fd in open.into_iter().filter(|fd| *fd > 2) {
        let _ = nix::unistd::close(fd);
    }
    Ok(())
}

/// Splits this process in two.
fn fork() -> Step<ForkResult> {
    #[expect(unsafe_code, reason = "the helper has a single thread, so no lock can be held across the fork")]
    // SAFETY: see above; both sides may go on running any code.
    let forked = unsafe { nix::unistd::fork() };
    forked.map_err(because("fork"))
}

/// A pipe whose ends close when a program is started.
fn pipe() -> Step<(OwnedFd, OwnedFd)> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(because("pipe"))
}

/// The path by which the system calls of this process name an open descriptor.
fn by_descriptor(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// Says what was being done when a step failed.
fn because<E: std::fmt::Display>(doing: impl Into<String>) -> impl FnOnce(E) -> String {
    let doing = doing.into();
    move |why| format!("{doing}: {why}")
}
