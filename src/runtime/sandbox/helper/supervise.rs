//! Watches over a running command: collects what ends, looks at what is used up, and kills all in the end.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, SysconfVar, sysconf};

use super::super::spec::{CANCEL, GRACE_MS, Report, Spec, TELL_MS};
use super::super::{Exit, Isolation, Limit, Limits};
use super::start::{Failure, start};
use super::{Step, because, fork, pipe, syscalls, tell, tree};

/// Between two looks at what is used up. Without a process namespace all processes of the machine are read.
const LOOK: Duration = Duration::from_millis(20);
const LOOK_AT_ALL: Duration = Duration::from_millis(100);

/// Runs the command inside the walls that stand already, to its end.
pub(super) fn run(spec: &Spec, input: Option<File>, control: &UnixStream) -> Step<Report> {
    let tmp = temporary(spec)?;
    let report = watch(spec, input, control, &tmp);
    if spec.isolation != Isolation::Namespaces {
        let _ = std::fs::remove_dir_all(&tmp);
    }
    report
}

/// The private temporary folder: in memory inside a mount namespace, else made here and removed at the end.
fn temporary(spec: &Spec) -> Step<PathBuf> {
    if spec.isolation == Isolation::Namespaces {
        return Ok("/tmp".into());
    }
    nix::unistd::mkdtemp(&spec.tmp_root.join("weft-XXXXXX")).map_err(because("a temporary folder"))
}

fn watch(spec: &Spec, input: Option<File>, control: &UnixStream, tmp: &Path) -> Step<Report> {
    let mut ended = SigSet::empty();
    ended.add(Signal::SIGCHLD);
    ended.thread_block().map_err(because("signals"))?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signals = SignalFd::with_flags(&ended, flags).map_err(because("signals"))?;
    let filters = syscalls::compile(spec)?;
    // Neither readable nor traceable for the command, which is the same user.
    nix::sys::prctl::set_dumpable(false).map_err(because("dumpable"))?;
    let (hear, say) = pipe()?;
    let main = match fork()? {
        ForkResult::Child => {
            drop(hear);
            let words = match start(spec, input, tmp, &filters) {
                Failure::Program(why) => format!("p{why}"),
                Failure::Wall(why) => format!("w{why}"),
            };
            let _ = nix::unistd::write(&say, words.as_bytes());
            std::process::exit(127)
        }
        ForkResult::Parent { child } => child,
    };
    drop((say, input));
    let mut words = String::new();
    File::from(hear).read_to_string(&mut words).map_err(because("starting"))?;
    if let Some(reason) = words.strip_prefix('p') {
        return Ok(Report::NotStarted { reason: reason.into() });
    }
    if let Some(reason) = words.strip_prefix('w') {
        return Ok(Report::Failed { reason: reason.into() });
    }
    let mut watch = Watch {
        main,
        limits: spec.job.limits,
        own_pids: spec.isolation == Isolation::Namespaces,
        ticks: sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100) as u64,
        stopping: None,
        exceeded: None,
        cpu_ms: 0,
        peak_memory_kb: 0,
    };
    watch.until_ended(&signals, control)
}

/// Why the command is being stopped.
#[derive(Clone, Copy, PartialEq)]
enum Why {
    Time,
    Cancelled,
    Limit,
    /// The server is gone or has lost interest.
    Abandoned,
}

struct Watch {
    main: Pid,
    limits: Limits,
    /// Whether this process is the first of a process namespace.
    own_pids: bool,
    ticks: u64,
    stopping: Option<Why>,
    exceeded: Option<Limit>,
    cpu_ms: u64,
    peak_memory_kb: u64,
}

impl Watch {
    fn until_ended(&mut self, signals: &SignalFd, control: &UnixStream) -> Step<Report> {
        let period = if self.own_pids { LOOK } else { LOOK_AT_ALL };
        let deadline = Instant::now() + Duration::from_millis(self.limits.time_ms);
        let (mut next_look, mut kill_at, mut listening) = (Instant::now() + period, None, true);
        let mut next_word = Instant::now() + Duration::from_millis(TELL_MS);
        loop {
            if let Some(status) = self.collect()? {
                self.finish();
                return Ok(self.report(status));
            }
            let now = Instant::now();
            if self.stopping.is_none() && now >= deadline {
                kill_at = Some(self.ask_to_end(Why::Time));
            }
            if kill_at.is_some_and(|at| now >= at) {
                self.kill_all();
            }
            if now >= next_look {
                let memory_kb = self.look();
                next_look = Instant::now() + period;
                if listening && now >= next_word && has_room(control) {
                    // Whoever does not want to know ends the command in another way.
                    let _ = tell(control, &Report::Seen { cpu_ms: self.cpu_ms, memory_kb });
                    next_word = now + Duration::from_millis(TELL_MS);
                }
            }
            let wake = if self.stopping.is_none() { next_look.min(deadline) } else { next_look };
            let wait = wake.saturating_duration_since(Instant::now()).as_millis() as u16;
            let ready = wait_for(signals, control, listening, wait.saturating_add(1))?;
            while let Ok(Some(_)) = signals.read_signal() {}
            if ready {
                match hear(control) {
                    Some(CANCEL) if self.stopping.is_none() => kill_at = Some(self.ask_to_end(Why::Cancelled)),
                    Some(_) => {}
                    None => {
                        listening = false;
                        self.stopping = Some(Why::Abandoned);
                        self.kill_all();
                    }
                }
            }
        }
    }

    /// Collects whatever has ended; the status of the command itself, once it is among that.
    fn collect(&self) -> Step<Option<WaitStatus>> {
        let mut found = None;
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(found),
                Ok(status) if status.pid() == Some(self.main) => found = Some(status),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(why) => return Err(because("waiting")(why)),
            }
        }
    }

    /// Looks at what is used, and stops what uses too much; gives the memory in use, in KiB.
    fn look(&mut self) -> u64 {
        let look = tree::look(self.ticks);
        self.cpu_ms = self.cpu_ms.max(look.cpu_ms);
        self.peak_memory_kb = self.peak_memory_kb.max(look.memory_kb);
        let exceeded = if look.memory_kb > self.limits.memory_mb << 10 {
            Limit::Memory
        } else if look.tasks > self.limits.processes {
            Limit::Processes
        } else if look.cpu_ms > self.limits.cpu_ms {
            Limit::Cpu
        } else {
            return look.memory_kb;
        };
        self.exceeded.get_or_insert(exceeded);
        self.stopping.get_or_insert(Why::Limit);
        self.kill_all();
        look.memory_kb
    }

    /// Sends SIGTERM; says when to stop being polite.
    fn ask_to_end(&mut self, why: Why) -> Instant {
        self.stopping = Some(why);
        let _ =
            if self.own_pids { kill(Pid::from_raw(-1), Signal::SIGTERM) } else { killpg(self.main, Signal::SIGTERM) };
        Instant::now() + Duration::from_millis(GRACE_MS)
    }

    fn kill_all(&self) {
        if self.own_pids {
            let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
            return;
        }
        let _ = killpg(self.main, Signal::SIGKILL);
        for pid in tree::look(self.ticks).pids {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    /// Leaves nobody behind. In a process namespace the end of this process does that; else descendants, which all
    /// become children of this process when their parents end, are killed until none is left.
    fn finish(&mut self) {
        self.look_once_more();
        let until = Instant::now() + Duration::from_secs(5);
        while !self.own_pids && Instant::now() < until {
            self.kill_all();
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Err(Errno::ECHILD) => return,
                Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(2)),
                _ => {}
            }
        }
    }

    /// The time that ended processes used is known exactly now.
    fn look_once_more(&mut self) {
        self.cpu_ms = self.cpu_ms.max(tree::look(self.ticks).cpu_ms);
    }

    fn report(&self, status: WaitStatus) -> Report {
        let ended = match status {
            WaitStatus::Exited(_, code) => Exit::Code(code),
            WaitStatus::Signaled(_, signal, _) => Exit::Signal(signal as i32),
            _ => Exit::Signal(Signal::SIGKILL as i32),
        };
        let exit = match self.stopping {
            Some(Why::Time) => Exit::TimedOut,
            Some(Why::Cancelled | Why::Abandoned) => Exit::Cancelled,
            Some(Why::Limit) | None => ended,
        };
        let by_signal = match status {
            WaitStatus::Signaled(_, Signal::SIGXCPU, _) => Some(Limit::Cpu),
            WaitStatus::Signaled(_, Signal::SIGXFSZ, _) => Some(Limit::File),
            _ => None,
        };
        Report::Finished {
            exit,
            exceeded: self.exceeded.or(by_signal),
            cpu_ms: self.cpu_ms,
            peak_memory_kb: self.peak_memory_kb,
        }
    }
}

/// Waits until something ended, the server spoke, or the time is up; says whether the server spoke.
fn wait_for(signals: &SignalFd, control: &UnixStream, listening: bool, milliseconds: u16) -> Step<bool> {
    let mut both = [PollFd::new(signals.as_fd(), PollFlags::POLLIN), PollFd::new(control.as_fd(), PollFlags::POLLIN)];
    let watched = if listening { &mut both[..] } else { &mut both[..1] };
    match poll(watched, PollTimeout::from(milliseconds)) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(why) => return Err(because("waiting")(why)),
    }
    Ok(listening && both[1].revents().is_some_and(|events| !events.is_empty()))
}

/// Whether a few words can be written without waiting: a server that stands still keeps nobody from watching the command.
fn has_room(control: &UnixStream) -> bool {
    let mut one = [PollFd::new(control.as_fd(), PollFlags::POLLOUT)];
    poll(&mut one, PollTimeout::ZERO).is_ok()
        && one[0].revents().is_some_and(|events| events.contains(PollFlags::POLLOUT))
}

/// One byte from the server; `None` when it has hung up.
fn hear(mut control: &UnixStream) -> Option<u8> {
    let mut byte = [0];
    matches!(control.read(&mut byte), Ok(1)).then_some(byte[0])
}
