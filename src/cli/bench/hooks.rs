//! Webhook, transform, respond: ten clients on ten connections, each waiting for its answer before the next call.

use std::net::SocketAddr;
use std::time::Instant;

use futures::future::try_join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::work::definition;
use super::{Bar, Engine, Figure};
use crate::cli::Failure;
use crate::model::ApiError;
use crate::model::trigger::{Answer, Config, TriggerDraft};
use crate::runtime::Ctx;
use crate::{http, trigger, workflow};

/// Connections.
const CLIENTS: u32 = 10;
/// Webhooks, called in turn: each takes a hundred calls a second at most, which is its limit and not the server's.
const WEBHOOKS: u32 = 200;

pub(super) async fn hooks(ctx: &Ctx, engine: &Engine) -> Result<Vec<Figure>, Failure> {
    let paths = make(ctx).await?;
    let addr = serve(ctx).await?;
    let (mut rates, mut slowest) = (Vec::new(), Vec::new());
    for round in 0..=engine.rounds {
        let began = Instant::now();
        let clients = (0..CLIENTS).map(|client| {
            let calls = engine.calls / CLIENTS;
            let first = (round * CLIENTS + client) * calls;
            call(addr, &paths, first, calls)
        });
        let mut times: Vec<f64> = try_join_all(clients).await?.into_iter().flatten().collect();
        let taken = began.elapsed().as_secs_f64();
        times.sort_by(f64::total_cmp);
        if round > 0 {
            rates.push(times.len() as f64 / taken);
            slowest.push(times[times.len() * 99 / 100]);
        }
    }
    Ok(vec![
        Figure::of(
            "hooks",
            "webhook, transform, respond; 10 connections",
            "calls a second",
            Bar::AtLeast(2_000.0),
            rates,
        ),
        Figure::of("hooks_p99", "… 99 of 100 within", "ms", Bar::AtMost(100.0), slowest),
    ])
}

/// The paths of the webhooks.
async fn make(ctx: &Ctx) -> Result<Vec<String>, Failure> {
    let steps = json!([
        {"id": "sum", "kind": "transform", "config": {"value": "{{ inputs.a + 1 }}"}},
        {"id": "answer", "kind": "respond", "config": {"json": {"sum": "{{ steps.sum.output }}"}}},
    ]);
    let graph = definition(json!({
        "steps": steps, "edges": [{"from": "sum", "to": "answer"}],
        "inputs": {"type": "object", "properties": {"a": {"type": "integer"}}},
    }))?;
    let workflow = workflow::definitions::create(ctx, graph).await.map_err(ApiError::from)?;
    workflow::definitions::publish(ctx, workflow.id).await.map_err(ApiError::from)?;
    let mut paths = Vec::new();
    for number in 0..WEBHOOKS {
        let answer = Answer::Wait { ms: 10_000 };
        let config = Config::Webhook { answer, signed: false, rate_per_minute: Config::MAX_RATE, call_id: None };
        let name = format!("bench {number}");
        let draft = TriggerDraft { workflow_id: workflow.id, name, config, inputs: json!(null), enabled: true };
        let made = trigger::create(ctx, draft).await.map_err(ApiError::from)?;
        let url = made.url.unwrap_or_default();
        let path = url.find("/api/").map(|at| url[at..].to_owned());
        paths.push(path.ok_or_else(|| Failure::failed(format!("a webhook has the address {url:?}")))?);
    }
    Ok(paths)
}

/// Starts the product's server; it ends with the runtime.
pub(super) async fn serve(ctx: &Ctx) -> Result<SocketAddr, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("the server of the bench did not start: {error}"));
    serve_at(ctx, TcpListener::bind("127.0.0.1:0").await.map_err(failed)?)
}

/// The same behind this listener.
pub(super) fn serve_at(ctx: &Ctx, listener: TcpListener) -> Result<SocketAddr, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("the server of the bench did not start: {error}"));
    let addr = listener.local_addr().map_err(failed)?;
    let (runtime, stopping) = (ctx.runtime().clone(), ctx.tasks.stopping().clone());
    ctx.tasks.spawn("bench server", async move {
        let served = http::serve(&runtime, listener, async move { stopping.cancelled().await });
        if let Err(error) = served.await {
            tracing::error!(%error, "the server of the bench stopped");
        }
    });
    Ok(addr)
}

/// Calls one after the other on one connection; returns how long each took, in milliseconds.
async fn call(addr: SocketAddr, paths: &[String], first: u32, calls: u32) -> Result<Vec<f64>, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("a call of a webhook failed: {error}"));
    let mut stream = TcpStream::connect(addr).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let mut times = Vec::with_capacity(calls as usize);
    let mut answer = Vec::new();
    for number in first..first + calls {
        let body = format!("{{\"a\":{number}}}");
        let path = &paths[number as usize % paths.len()];
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {addr}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
        );
        let began = Instant::now();
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        answer.clear();
        while !is_whole(&answer) {
            if stream.read_buf(&mut answer).await.map_err(failed)? == 0 {
                return Err(Failure::failed("the server of the bench closed a connection"));
            }
        }
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
        let wanted = format!("{{\"sum\":{}}}", number + 1);
        if !answer.starts_with(b"HTTP/1.1 200") || !answer.ends_with(wanted.as_bytes()) {
            let found = String::from_utf8_lossy(&answer).into_owned();
            return Err(Failure::failed(format!("a webhook answered {found:?} instead of {wanted}")));
        }
    }
    Ok(times)
}

/// Whether an answer with its length in a header has come whole.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}
