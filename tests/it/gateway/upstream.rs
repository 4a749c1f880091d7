//! A model server that answers by a script, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use futures::StreamExt;
use serde_json::Value;
use tokio::sync::Notify;

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An answer of JSON.
    Json(u16, Value),
    /// An answer with a header.
    With(u16, &'static str, &'static str, Value),
    /// A whole stream of events.
    Events(String),
    /// So much of a stream, and then the connection breaks.
    Cut(String),
    /// So much of a stream, and then nothing any more.
    Stall(String),
    /// So much of a stream, and the rest once it is told to go on.
    Halves(String, Arc<Notify>, String),
    /// Anything.
    Text(u16, &'static str),
    /// An answer with headers.
    Headed(&'static [(&'static str, &'static str)], Value),
    /// An answer that waits until it is let go.
    Held(Gate, Box<Reply>),
}

/// In front of an answer: what happens there, and when it goes on.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    seen: Arc<Notify>,
    open: Arc<Notify>,
    gone: Arc<Notify>,
}

impl Gate {
    /// Holds an answer.
    pub fn hold(&self, reply: Reply) -> Reply {
        Reply::Held(self.clone(), Box::new(reply))
    }

    /// Returns once the request is there.
    pub async fn seen(&self) {
        soon("nobody asked", self.seen.notified()).await;
    }

    /// Lets the answer go.
    pub fn open(&self) {
        self.open.notify_one();
    }

    /// Returns once whoever asked has closed the connection.
    pub async fn gone(&self) {
        soon("whoever asked is still there", self.gone.notified()).await;
    }

    async fn pass(self) {
        /// Dropped before the gate was opened: nobody is there any more.
        struct Asker(Option<Arc<Notify>>);
        impl Drop for Asker {
            fn drop(&mut self) {
                if let Some(gone) = self.0.take() {
                    gone.notify_one();
                }
            }
        }
        self.seen.notify_one();
        let mut asker = Asker(Some(self.gone));
        self.open.notified().await;
        asker.0 = None;
    }
}

/// What happens within a minute; else the test fails and does not hang.
pub async fn soon<T>(otherwise: &str, work: impl Future<Output = T>) -> T {
    let patience = std::time::Duration::from_secs(60);
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| panic!("{otherwise}"))
}

/// What it was asked.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Debug, Default)]
struct Script {
    replies: VecDeque<Reply>,
    seen: Vec<Seen>,
}

/// A running server.
pub struct Upstream {
    pub url: String,
    script: Arc<Mutex<Script>>,
}

impl Upstream {
    /// Starts one that answers with these in order, and with 500 after them.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Arc::new(Mutex::new(Script { replies: replies.into_iter().collect(), seen: Vec::new() }));
        let router = Router::new().fallback(reply).with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "the test's own server")]
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, script }
    }

    /// Adds to the script.
    pub fn then(&self, reply: Reply) {
        self.script.lock().unwrap().replies.push_back(reply);
    }

    /// What it was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.script.lock().unwrap().seen.clone()
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        self.script.lock().unwrap().seen.len()
    }
}

async fn reply(State(script): State<Arc<Mutex<Script>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let reply = {
        let mut script = script.lock().unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        script.seen.push(Seen { path: uri.path().to_owned(), headers, body });
        script.replies.pop_front()
    };
    let reply = match reply {
        Some(Reply::Held(gate, held)) => {
            gate.pass().await;
            Some(*held)
        }
        reply => reply,
    };
    let answer = |status: u16| Response::builder().status(status);
    let events = || answer(200).header("content-type", "text/event-stream");
    match reply.unwrap_or(Reply::Text(500, "the script is over")) {
        Reply::Json(status, value) => json(answer(status), &value),
        Reply::With(status, name, header, value) => json(answer(status).header(name, header), &value),
        Reply::Headed(headers, value) => {
            let named = headers.iter().fold(answer(200), |answer, (name, header)| answer.header(*name, *header));
            json(named, &value)
        }
        Reply::Held(..) => panic!("one gate is enough"),
        Reply::Text(status, text) => answer(status).body(Body::from(text)).unwrap(),
        Reply::Events(text) => events().body(Body::from(text)).unwrap(),
        Reply::Cut(text) => {
            let pieces = futures::stream::iter([Ok(text), Err(std::io::Error::other("cut"))]);
            // The beginning goes out before the connection breaks.
            let pieces = pieces.then(async |piece| {
                tokio::task::yield_now().await;
                piece
            });
            events().body(Body::from_stream(pieces)).unwrap()
        }
        Reply::Stall(text) => {
            let pieces = futures::stream::iter([Ok::<_, std::io::Error>(text)]).chain(futures::stream::pending());
            events().body(Body::from_stream(pieces)).unwrap()
        }
        Reply::Halves(first, go_on, rest) => {
            let second = futures::stream::once(async move {
                go_on.notified().await;
                Ok(rest)
            });
            let pieces = futures::stream::iter([Ok::<_, std::io::Error>(first)]).chain(second);
            events().body(Body::from_stream(pieces)).unwrap()
        }
    }
}

fn json(answer: axum::http::response::Builder, value: &Value) -> Response {
    answer.header("content-type", "application/json").body(Body::from(value.to_string())).unwrap()
}
