//! The server's side of a job: starts the helper, feeds it, passes output on, and waits with a deadline of its own.

use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::output::{CHUNK, Captured, Gather, KEEP};
use super::spec::{CANCEL, GRACE_MS, HELPER, Report, Spec};
use super::support::{isolation, settings};
use super::{Error, Exit, Isolation, Job, Outcome, Stream, Use};

/// A chunk shorter than 16 KiB is delivered this long after its first byte.
const GATHER: Duration = Duration::from_millis(50);
/// How much later than the helper the server stops waiting, for cases in which the helper itself hangs.
const BACKSTOP: Duration = Duration::from_secs(3);

/// Runs a job to its end.
///
/// `on_output` receives live output in order within a stream, in chunks of at most about 32 KiB, gathered for up to
/// 50 ms; chunks end between characters. It is called on the task that awaits `run`; while it works, the command
/// waits. Cancelling the token ends the command within a second; dropping the future kills it at once.
///
/// # Errors
/// [`Error`]: the command did not run, or its end is not known.
pub async fn run(
    job: Job,
    on_output: impl FnMut(Stream, Vec<u8>) + Send,
    cancel: CancellationToken,
) -> Result<Outcome, Error> {
    let job = job.checked()?;
    let isolation = isolation().await?;
    execute(job, isolation, on_output, cancel).await
}

/// Runs a checked job inside the given walls.
pub(super) async fn execute(
    mut job: Job,
    isolation: Isolation,
    on_output: impl FnMut(Stream, Vec<u8>) + Send,
    cancel: CancellationToken,
) -> Result<Outcome, Error> {
    let started = Instant::now();
    let hidden = settings().hidden.clone();
    // Landlock can't take a part of a writable folder back; a root folder of its own covers it.
    if isolation != Isolation::Namespaces && hidden.iter().any(|path| path.starts_with(&job.cwd)) {
        return Err(Error::invalid("cwd", "a folder that does not hold the server's data folder"));
    }
    let limits = job.limits;
    let (stdin, seen) = (job.stdin.take(), job.seen.take());
    let (mut child, control) = start()?;
    let (hear, mut say) = control.into_split();
    let spec = Spec {
        job,
        stdin_bytes: stdin.as_ref().map(|bytes| bytes.len() as u64),
        isolation,
        hidden,
        tmp_root: std::env::temp_dir(),
    };
    let stdout = child.stdout.take().expect("stdout was asked for");
    let stderr = child.stderr.take().expect("stderr was asked for");
    let deadline = started + Duration::from_millis(limits.time_ms + GRACE_MS) + BACKSTOP;
    let sent = timeout(Duration::from_millis(limits.time_ms) + BACKSTOP, send(&mut say, &spec, stdin)).await;
    if sent.is_err() {
        child.start_kill()?;
    }
    let mut pump = Pump::new(on_output, limits.output_bytes, seen);
    let report = pump.drive(stdout, stderr, (hear, say), &cancel, deadline).await;
    if timeout(BACKSTOP, child.wait()).await.is_err() {
        child.start_kill()?;
        child.wait().await?;
    }
    let (exit, exceeded, cpu_ms, peak_memory_kb) = match report {
        Heard::Report(Report::Finished { exit, exceeded, cpu_ms, peak_memory_kb }) => {
            (exit, exceeded, cpu_ms, peak_memory_kb)
        }
        Heard::Report(Report::NotStarted { reason }) => {
            return Err(Error::Start { program: spec.job.argv.into_iter().next().unwrap_or_default(), reason });
        }
        Heard::Report(Report::Failed { reason }) => return Err(Error::Setup(reason)),
        Heard::Report(Report::Seen { .. }) | Heard::Nothing => {
            return Err(Error::Setup("its supervisor ended without a report".into()));
        }
        Heard::Late => (Exit::TimedOut, None, 0, 0),
    };
    Ok(Outcome {
        exit,
        exceeded,
        took_ms: started.elapsed().as_millis() as u64,
        cpu_ms,
        peak_memory_mb: peak_memory_kb / 1024,
        truncated: pump.truncated,
        stdout: pump.out.captured,
        stderr: pump.err.captured,
    })
}

/// Starts this executable again as a helper, its standard input being the control socket.
fn start() -> Result<(Child, UnixStream), Error> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    // Resolved by the child itself, so it is this very build even when the file was replaced meanwhile.
    let program = settings().helper.clone().unwrap_or_else(|| "/proc/self/exe".into());
    #[expect(clippy::disallowed_methods, reason = "this is the sandbox")]
    let mut command = tokio::process::Command::new(program);
    command.arg(HELPER).env_clear().current_dir("/");
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::piped());
    // No kill_on_drop: closing the socket makes the helper kill everything and leave in order.
    Ok((command.spawn()?, UnixStream::from_std(ours)?))
}

/// Tells the helper the job. A helper that is gone already is noticed by the missing report.
async fn send(say: &mut OwnedWriteHalf, spec: &Spec, stdin: Option<Vec<u8>>) {
    let json = serde_json::to_vec(spec).expect("a checked job is plain data");
    let length = (json.len() as u32).to_le_bytes();
    for part in [&length[..], &json, &stdin.unwrap_or_default()] {
        if say.write_all(part).await.is_err() {
            return;
        }
    }
}

enum Heard {
    Report(Report),
    Nothing,
    Late,
}

/// One stream on its way.
struct Lane {
    stream: Stream,
    gather: Gather,
    captured: Captured,
    open: bool,
}

/// Moves output until the helper has reported and both streams are at their end.
struct Pump<F> {
    out: Lane,
    err: Lane,
    on_output: F,
    left: u64,
    truncated: bool,
    flush_at: Option<Instant>,
    seen: Option<watch::Sender<Use>>,
}

impl<F: FnMut(Stream, Vec<u8>) + Send> Pump<F> {
    fn new(on_output: F, output_bytes: u64, seen: Option<watch::Sender<Use>>) -> Self {
        let keep = usize::try_from(output_bytes).unwrap_or(KEEP).min(KEEP);
        let lane = |stream| Lane { stream, gather: Gather::default(), captured: Captured::new(keep), open: true };
        let (out, err) = (lane(Stream::Stdout), lane(Stream::Stderr));
        Self { out, err, on_output, left: output_bytes, truncated: false, flush_at: None, seen }
    }

    async fn drive(
        &mut self,
        mut stdout: impl AsyncRead + Unpin,
        mut stderr: impl AsyncRead + Unpin,
        (mut hear, mut say): (OwnedReadHalf, OwnedWriteHalf),
        cancel: &CancellationToken,
        mut deadline: Instant,
    ) -> Heard {
        let (mut out, mut err) = (vec![0; CHUNK], vec![0; CHUNK]);
        let (mut line, mut heard, mut asked) = (Vec::new(), None, false);
        while heard.is_none() || self.out.open || self.err.open {
            tokio::select! {
                n = stdout.read(&mut out), if self.out.open => self.take(Stream::Stdout, &out[..n.unwrap_or(0)]),
                n = stderr.read(&mut err), if self.err.open => self.take(Stream::Stderr, &err[..n.unwrap_or(0)]),
                () = sleep_until(self.flush_at.unwrap_or(deadline)), if self.flush_at.is_some() => self.flush(),
                n = hear.read_buf(&mut line), if heard.is_none() => {
                    let last = self.read_words(&mut line);
                    if n.unwrap_or(0) == 0 || last.is_some() {
                        heard = Some(last.map_or(Heard::Nothing, Heard::Report));
                        // All processes are gone or going: the pipes hold what is left, and no one holds them open.
                        deadline = Instant::now() + BACKSTOP;
                    }
                }
                () = cancel.cancelled(), if !asked => {
                    asked = true;
                    let _ = say.write_all(&[CANCEL]).await;
                }
                () = sleep_until(deadline) => break,
            }
        }
        self.end(Stream::Stdout);
        self.end(Stream::Stderr);
        heard.unwrap_or(Heard::Late)
    }

    /// Takes whole lines of what the helper said; gives its last word, if that is among them. What can't be read is its last, too.
    fn read_words(&self, line: &mut Vec<u8>) -> Option<Report> {
        while let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            let rest = line.split_off(end + 1);
            let word = std::mem::replace(line, rest);
            match serde_json::from_slice(&word) {
                Ok(Report::Seen { cpu_ms, memory_kb }) => {
                    if let Some(seen) = &self.seen {
                        seen.send_replace(Use { cpu_ms, memory_mb: memory_kb / 1024 });
                    }
                }
                Ok(last) => return Some(last),
                Err(error) => {
                    return Some(Report::Failed { reason: format!("its supervisor can't be understood: {error}") });
                }
            }
        }
        None
    }

    fn lane(&mut self, stream: Stream) -> &mut Lane {
        if stream == Stream::Stdout { &mut self.out } else { &mut self.err }
    }

    /// Takes what was read; nothing read is the end of the stream.
    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return self.end(stream);
        }
        let live = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= live as u64;
        self.truncated |= live < bytes.len();
        let lane = self.lane(stream);
        lane.captured.push(bytes);
        lane.gather.push(&bytes[..live]);
        if lane.gather.is_full() {
            let chunk = lane.gather.take();
            (self.on_output)(stream, chunk);
        }
        if self.flush_at.is_none() && (self.out.gather.has_whole() || self.err.gather.has_whole()) {
            self.flush_at = Some(Instant::now() + GATHER);
        }
    }

    fn flush(&mut self) {
        self.flush_at = None;
        for lane in [&mut self.out, &mut self.err] {
            if lane.gather.has_whole() {
                (self.on_output)(lane.stream, lane.gather.take());
            }
        }
    }

    fn end(&mut self, stream: Stream) {
        let lane = self.lane(stream);
        lane.open = false;
        let rest = lane.gather.take_all();
        if !rest.is_empty() {
            (self.on_output)(stream, rest);
        }
    }
}
