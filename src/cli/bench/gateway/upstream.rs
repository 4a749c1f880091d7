//! A model server that answers at once, always the same.

use std::net::SocketAddr;
use std::sync::LazyLock;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::cli::Failure;

/// Words of a streamed answer, each a piece.
const PIECES: usize = 20;

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let body = "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"mock\",\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"A loom holds threads under tension while others are woven through them.\"}}],\"usage\":{\"prompt_tokens\":16,\"completion_tokens\":14,\"total_tokens\":30}}";
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    (head + body).into_bytes()
});

static STREAMED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut answer =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let mut push = |event: &str| {
        let event = format!("data: {event}\n\n");
        answer.push_str(&format!("{:x}\r\n{event}\r\n", event.len()));
    };
    let base = "\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"mock\"";
    for _ in 0..PIECES {
        push(&format!(
            "{{{base},\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" loom\"}},\"finish_reason\":null}}]}}"
        ));
    }
    push(&format!("{{{base},\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}"));
    push(&format!("{{{base},\"choices\":[],\"usage\":{{\"prompt_tokens\":16,\"completion_tokens\":20}}}}"));
    push("[DONE]");
    answer.push_str("0\r\n\r\n");
    answer.into_bytes()
});

/// Starts it; it ends with the process.
#[expect(
    clippy::disallowed_methods,
    reason = "a server of the bench that stands for somebody else's, outside of the runtime"
)]
pub(super) async fn start(port: u16) -> Result<SocketAddr, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("the model server did not start: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            // Who breaks off is done.
            tokio::spawn(async move { drop(serve(connection).await) });
        }
    });
    Ok(addr)
}

async fn serve(mut connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut asked = Vec::with_capacity(4096);
    loop {
        let Some(end) = end_of(&asked) else {
            if connection.read_buf(&mut asked).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let request: Vec<u8> = asked.drain(..end).collect();
        let text = String::from_utf8_lossy(&request);
        let is_streamed = text.contains("\"stream\":true") || text.contains("\"stream\": true");
        connection.write_all(if is_streamed { &STREAMED } else { &WHOLE }).await?;
    }
}

/// Where the first request ends.
pub(super) fn end_of(asked: &[u8]) -> Option<usize> {
    let head = asked.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&asked[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let end = head + length.unwrap_or(0);
    (asked.len() >= end).then_some(end)
}
