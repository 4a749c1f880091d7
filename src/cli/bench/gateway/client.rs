//! Calls over so many connections, each waiting for its answer before the next.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cli::Failure;

const QUESTION: &str = "What is a loom, and who needs one?";

/// What is called, ready to be sent.
#[derive(Debug)]
pub(super) struct Target {
    pub addr: String,
    path: String,
    key: String,
    whole: Vec<u8>,
    streamed: Vec<u8>,
}

/// How it is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Calls a second; `None` for as many as are answered.
    pub rate: Option<u32>,
    pub connections: u32,
    pub seconds: u32,
    pub stream: bool,
}

/// How long calls took.
#[derive(Debug)]
pub(super) struct Times {
    /// Milliseconds until the answer, or until the first token of a stream; the shortest first.
    taken: Vec<f64>,
    /// Calls a second that were answered.
    pub rate: f64,
    /// And that were wanted.
    pub wanted: Option<u32>,
}

impl Times {
    /// Milliseconds within which this part of them was answered.
    pub fn within(&self, part: f64) -> f64 {
        let at = (self.taken.len() as f64 * part) as usize;
        self.taken.get(at.min(self.taken.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

impl Target {
    /// The chat completions at an http URL.
    pub fn new(url: &str, key: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::usage(format!(
                "expected an address such as http://127.0.0.1:4000/v1/chat/completions, found {url}"
            ))
        };
        let parsed = url::Url::parse(url).map_err(|_| wrong())?;
        let (Some(host), Some(port), "http") = (parsed.host_str(), parsed.port_or_known_default(), parsed.scheme())
        else {
            return Err(wrong());
        };
        let mut target = Self {
            addr: format!("{host}:{port}"),
            path: parsed.path().to_owned(),
            key: key.to_owned(),
            whole: Vec::new(),
            streamed: Vec::new(),
        };
        (target.whole, target.streamed) = (target.request(QUESTION, false), target.request(QUESTION, true));
        Ok(target)
    }

    /// A call that asks this, without what JSON escapes.
    pub fn request(&self, question: &str, stream: bool) -> Vec<u8> {
        let Self { addr, path, key, .. } = self;
        let body = format!(
            "{{\"model\":\"mock\",\"stream\":{stream},\"messages\":[{{\"role\":\"user\",\"content\":\"{question}\"}}]}}"
        );
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        (head + &body).into_bytes()
    }
}

/// Calls it for so long.
pub(super) async fn call(target: &Target, load: Load) -> Result<Times, Failure> {
    let began = Instant::now();
    let calls = (0..load.connections).map(|number| one(target, load, number, began));
    let mut taken: Vec<f64> = try_join_all(calls).await?.into_iter().flatten().collect();
    let rate = taken.len() as f64 / began.elapsed().as_secs_f64();
    taken.sort_by(f64::total_cmp);
    Ok(Times { taken, rate, wanted: load.rate })
}

async fn one(target: &Target, load: Load, number: u32, began: Instant) -> Result<Vec<f64>, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("a call to {} failed: {error}", target.addr));
    let mut connection = TcpStream::connect(&target.addr).await.map_err(failed)?;
    connection.set_nodelay(true).map_err(failed)?;
    let request = if load.stream { &target.streamed } else { &target.whole };
    let until = Duration::from_secs(load.seconds.into());
    let pause = load.rate.map(|rate| Duration::from_secs_f64(f64::from(load.connections) / f64::from(rate)));
    // They begin one after the other.
    let mut due = pause.map_or(Duration::ZERO, |pause| pause.mul_f64(f64::from(number) / f64::from(load.connections)));
    let (mut taken, mut answer) = (Vec::new(), Vec::with_capacity(4096));
    while began.elapsed() < until && due < until {
        if let Some(pause) = pause {
            tokio::time::sleep_until((began + due).into()).await;
            due += pause;
        }
        let sent = Instant::now();
        connection.write_all(request).await.map_err(failed)?;
        answer.clear();
        let mut first = None;
        while !is_whole(&answer) {
            if connection.read_buf(&mut answer).await.map_err(failed)? == 0 {
                return Err(Failure::failed(format!("{} closed a connection", target.addr)));
            }
            if first.is_none() && contains(&answer, b"\"content\"") {
                first = Some(sent.elapsed());
            }
        }
        if !answer.starts_with(b"HTTP/1.1 200") {
            let found: String = String::from_utf8_lossy(&answer).chars().take(500).collect();
            return Err(Failure::failed(format!("{} answered {found:?}", target.addr)));
        }
        let whole = sent.elapsed();
        taken.push(if load.stream { first.unwrap_or(whole) } else { whole }.as_secs_f64() * 1_000.0);
    }
    Ok(taken)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Whether an answer has come whole: with its length in a header, or in chunks.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    match length {
        Some(length) => answer.len() >= end + 4 + length,
        None => answer.ends_with(b"\r\n0\r\n\r\n"),
    }
}
