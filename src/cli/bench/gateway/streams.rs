//! `--streams`: so many answers at once to readers who don't read for a while, from a model that sends as fast as it is let.
//!
//! Every reader waits until no model gets on any more, then all read to the end, and look at every piece. What the models are ahead
//! of their readers then is in buffers. Those of the kernel would hide the rest: by themselves they take some 8 MiB of a stream that
//! nobody reads. So the sockets of the model, of the gateway towards the reader and of the reader are kept small.

use std::time::Duration;

use futures::future::try_join_all;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

use super::client::Target;
use super::flood::{self, SOCKET_BYTES};
use super::{Bar, Figure, hooks, process};
use crate::cli::Failure;
use crate::gateway;
use crate::model::gateway::{CallFilter, CallOutcome};
use crate::model::{ApiError, PageRequest};
use crate::runtime::Ctx;

/// Mebibytes that one stream may take of this process, its client and its model included.
const EACH_MIB: f64 = 1.0;
/// So many streams say what one takes.
const MANY: u32 = 100;
/// How long readers stand still at most until every model does.
const PATIENCE: Duration = Duration::from_mins(10);

/// Measures Weft's own gateway.
pub(super) async fn measure(ctx: &Ctx, streams: u32, mebibytes: u32) -> Result<Vec<Figure>, Failure> {
    let pieces = mebibytes as usize * flood::PIECES_A_MIB;
    let flood = flood::start(streams as usize, pieces)?;
    let addr = hooks::serve_at(ctx, flood::listen()?)?;
    let target = super::point(ctx, flood.addr, addr).await?;
    process::forget_peak();
    let before = process::resident();
    let (go_on, told) = watch::channel(false);
    let all = try_join_all((0..streams).map(|number| read_slowly(&target, number, pieces, told.clone())));
    let rest = async {
        tokio::time::timeout(PATIENCE, flood.rests())
            .await
            .map_err(|_| Failure::failed("the models went on sending, though nobody read"))?;
        let (ahead, resident) = (flood.sent(), process::resident());
        go_on.send_replace(true);
        Ok::<_, Failure>((ahead, resident))
    };
    let (_, (ahead, resident)) = tokio::try_join!(all, rest)?;
    if ahead.iter().any(|sent| *sent >= pieces) {
        return Err(Failure::failed(
            "a model sent its whole answer, though nobody read; ask for more with --mebibytes",
        ));
    }
    logged(ctx, streams, pieces).await?;
    let most = ahead.into_iter().max().unwrap_or_default() as f64 / flood::PIECES_A_MIB as f64;
    let mut figures = vec![
        Figure::of("gateway_streams", "answers read whole after a pause", "", Bar::None, vec![f64::from(streams)]),
        Figure::of("gateway_ahead", "a model ahead of who doesn't read, at most", "MiB", Bar::None, vec![most]),
    ];
    if let (Some((before, _)), Some((held, _)), Some((_, peak))) = (before, resident, process::resident()) {
        let each = |now: f64| vec![(now - before).max(0.0) / f64::from(streams)];
        // With few of them it is the memory of everything else.
        let bar = if streams < MANY { Bar::None } else { Bar::AtMost(EACH_MIB) };
        figures.push(Figure::of("gateway_held", "memory for each while nobody reads", "MiB", bar, each(held)));
        figures.push(Figure::of("gateway_peak", "… and at most until all are read", "MiB", bar, each(peak)));
    }
    Ok(figures)
}

/// The log has each of them once, whole, with what the model said that it took.
async fn logged(ctx: &Ctx, streams: u32, pieces: usize) -> Result<(), Failure> {
    gateway::settled(ctx).await;
    let (mut cursor, mut found) = (None, 0);
    loop {
        let page = PageRequest { limit: PageRequest::MAX, cursor };
        let page = gateway::list_calls(ctx, &CallFilter::default(), &page).await.map_err(ApiError::from)?;
        for line in page.items {
            let (outcome, usage) = (line.call.outcome, line.call.usage);
            if outcome != CallOutcome::Complete || (usage.input, usage.output) != (flood::INPUT, pieces as i64) {
                return Err(Failure::failed(format!(
                    "a call is in the log as {} with {usage:?}: {:?}",
                    outcome.as_str(),
                    line.call.error
                )));
            }
            found += 1;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if found == streams { Ok(()) } else { Err(Failure::failed(format!("the log has {found} of {streams} calls"))) }
}

/// Begins an answer, waits until it is told to go on, and looks at every piece.
async fn read_slowly(
    target: &Target,
    number: u32,
    pieces: usize,
    mut told: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("reader {number} failed: {error}"));
    let socket = TcpSocket::new_v4().map_err(failed)?;
    // Little of what nobody reads is to disappear into the reader's own buffer.
    socket.set_recv_buffer_size(SOCKET_BYTES).map_err(failed)?;
    let addr = target.addr.parse().map_err(std::io::Error::other).map_err(failed)?;
    let mut connection = socket.connect(addr).await.map_err(failed)?;
    connection.write_all(&target.request(&flood::question(number as usize), true)).await.map_err(failed)?;
    let mut answer = Reader::default();
    while answer.pieces == 0 {
        answer.more(&mut connection).await.map_err(failed)?;
    }
    told.wait_for(|told| *told).await.map_err(|_| Failure::failed("nobody says when to go on"))?;
    while !answer.is_whole {
        answer.more(&mut connection).await.map_err(failed)?;
    }
    if answer.pieces == pieces {
        return Ok(());
    }
    Err(Failure::failed(format!("reader {number} got {} of {pieces} pieces", answer.pieces)))
}

/// An answer as it is read, of which nothing is kept but what is not complete yet.
#[derive(Debug, Default)]
struct Reader {
    /// As it came, in chunks of HTTP.
    raw: Vec<u8>,
    has_head: bool,
    /// Without them: the beginning of an event.
    text: Vec<u8>,
    /// Pieces that came, in order.
    pieces: usize,
    /// Whether the last event came.
    is_whole: bool,
}

impl Reader {
    /// Reads what is there, and looks at it.
    async fn more(&mut self, connection: &mut TcpStream) -> std::io::Result<()> {
        if connection.read_buf(&mut self.raw).await? == 0 {
            return Err(wrong("the connection was closed in the middle"));
        }
        if !self.has_head {
            let Some(end) = find(&self.raw, b"\r\n\r\n") else { return Ok(()) };
            if !self.raw.starts_with(b"HTTP/1.1 200") {
                return Err(wrong(&String::from_utf8_lossy(&self.raw)));
            }
            self.raw.drain(..end + 4);
            self.has_head = true;
        }
        while let Some(end) = find(&self.raw, b"\r\n") {
            let size = std::str::from_utf8(&self.raw[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
            let size = size.ok_or_else(|| wrong("expected the length of a chunk"))?;
            let whole = end + 2 + size + 2;
            if self.raw.len() < whole {
                break;
            }
            self.text.extend_from_slice(&self.raw[end + 2..whole - 2]);
            self.raw.drain(..whole);
        }
        while let Some(end) = find(&self.text, b"\n\n") {
            let event: Vec<u8> = self.text.drain(..end + 2).collect();
            self.look(event.strip_prefix(b"data: ").unwrap_or(&event))?;
        }
        Ok(())
    }

    fn look(&mut self, event: &[u8]) -> std::io::Result<()> {
        if event.trim_ascii() == b"[DONE]" {
            self.is_whole = true;
            return Ok(());
        }
        let event: Value = serde_json::from_slice(event).map_err(|_| wrong(&String::from_utf8_lossy(event)))?;
        match event["choices"][0]["delta"]["content"].as_str() {
            Some(content) if content == flood::piece(self.pieces) => self.pieces += 1,
            Some("") | None if event["error"].is_null() => {}
            _ => return Err(wrong(&format!("expected piece {}, found {event}", self.pieces))),
        }
        Ok(())
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn wrong(found: &str) -> std::io::Error {
    std::io::Error::other(found.chars().take(500).collect::<String>())
}
