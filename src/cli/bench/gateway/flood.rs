//! A model server that sends long answers as fast as it is let, and knows how far it got with each.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;

use super::upstream;
use crate::cli::Failure;

/// Bytes of the text of a piece.
const PIECE_BYTES: usize = 16 << 10;
/// How many of them are a mebibyte.
pub(super) const PIECES_A_MIB: usize = (1 << 20) / PIECE_BYTES;
/// Tokens that each question is said to have had.
pub(super) const INPUT: i64 = 16;
/// What the kernel may hold back at each of the sockets that are kept small.
pub(super) const SOCKET_BYTES: u32 = 64 << 10;
/// Who can't send anything for so long is held back.
const HELD: Duration = Duration::from_millis(500);

/// A running server.
#[derive(Debug)]
pub(super) struct Flood {
    pub addr: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// Pieces of an answer.
    pieces: usize,
    /// Pieces that were sent, by stream.
    sent: Vec<AtomicUsize>,
    /// One permit for each stream that is held back, or done, for the first time.
    rest: Semaphore,
}

impl Flood {
    /// Returns once no stream gets on any more.
    pub async fn rests(&self) {
        let all = u32::try_from(self.state.sent.len()).unwrap_or(u32::MAX);
        // Nobody closes it.
        drop(self.state.rest.acquire_many(all).await);
    }

    /// Pieces that were sent so far, by stream.
    pub fn sent(&self) -> Vec<usize> {
        self.state.sent.iter().map(|sent| sent.load(Ordering::Relaxed)).collect()
    }
}

/// The words that ask for the answer of a stream.
pub(super) fn question(stream: usize) -> String {
    format!("stream {stream}.")
}

/// The text of a piece.
pub(super) fn piece(number: usize) -> String {
    let mut text = format!("{number:08} ");
    text.extend(std::iter::repeat_n('x', PIECE_BYTES - text.len()));
    text
}

/// A place to listen at, whose connections hold little of what is sent over them.
pub(super) fn listen() -> Result<TcpListener, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("a server of the bench did not start: {error}"));
    let socket = TcpSocket::new_v4().map_err(failed)?;
    socket.set_send_buffer_size(SOCKET_BYTES).map_err(failed)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(failed)?;
    socket.listen(1024).map_err(failed)
}

/// Starts one for so many streams; it ends with the process.
#[expect(
    clippy::disallowed_methods,
    reason = "a server of the bench that stands for somebody else's, outside of the runtime"
)]
pub(super) fn start(streams: usize, pieces: usize) -> Result<Flood, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("the model server did not start: {error}"));
    let listener = listen()?;
    let addr = listener.local_addr().map_err(failed)?;
    let sent = (0..streams).map(|_| AtomicUsize::new(0)).collect();
    let state = Arc::new(State { pieces, sent, rest: Semaphore::new(0) });
    let shared = Arc::clone(&state);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let state = Arc::clone(&shared);
            // Who breaks off is missed by who reads.
            tokio::spawn(async move { drop(serve(connection, &state).await) });
        }
    });
    Ok(Flood { addr, state })
}

async fn serve(mut connection: TcpStream, state: &State) -> std::io::Result<()> {
    let mut asked = Vec::with_capacity(4096);
    let end = loop {
        if let Some(end) = upstream::end_of(&asked) {
            break end;
        }
        if connection.read_buf(&mut asked).await? == 0 {
            return Ok(());
        }
    };
    let text = String::from_utf8_lossy(&asked[..end]).into_owned();
    let number = text.split_once("stream ").and_then(|(_, rest)| rest.split_once('.')?.0.parse::<usize>().ok());
    let sent =
        number.and_then(|number| state.sent.get(number)).ok_or_else(|| std::io::Error::other("which stream?"))?;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    connection.write_all(head.as_bytes()).await?;
    let mut was_held = false;
    for number in 0..state.pieces {
        let event = event(
            &format!("[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}},\"finish_reason\":null}}]", piece(number)),
            "",
        );
        let write = connection.write_all(event.as_bytes());
        tokio::pin!(write);
        match tokio::time::timeout(HELD, &mut write).await {
            Ok(written) => written?,
            Err(_) => {
                if !std::mem::replace(&mut was_held, true) {
                    state.rest.add_permits(1);
                }
                write.await?;
            }
        }
        sent.fetch_add(1, Ordering::Relaxed);
    }
    if !was_held {
        state.rest.add_permits(1);
    }
    let mut end = event("[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]", "");
    let usage = format!(",\"usage\":{{\"prompt_tokens\":{INPUT},\"completion_tokens\":{}}}", state.pieces);
    end.push_str(&event("[]", &usage));
    end.push_str("data: [DONE]\n\n");
    connection.write_all(end.as_bytes()).await?;
    connection.shutdown().await
}

fn event(choices: &str, more: &str) -> String {
    let mut event = String::with_capacity(choices.len() + 200);
    let base = "\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock\"";
    // A String takes everything.
    let _ = write!(event, "data: {{{base},\"choices\":{choices}{more}}}\n\n");
    event
}
