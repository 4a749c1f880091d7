//! One call of one model at its provider: where to, with which headers, within which deadlines.

use std::future::Future;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::dialect::{self, Addressee};
use super::head::told;
use super::pieces::Pieces;
use super::retry;
use super::signs::Progress;
use crate::model::gateway::{
    Dialect, EmbedRequest, Fault, FaultClass, Limits, Model, ProviderKind, Request, Response, ToldLimits, Vectors, Wire,
};
use crate::runtime::outbound::{self, Incoming, Outbound};

/// Bytes of an answer.
const MAX_ANSWER_BYTES: u64 = 64 << 20;
/// Bytes of an error that are looked at.
const MAX_ERROR_BYTES: usize = 64 << 10;
/// How long an error's body may take.
const ERROR_PATIENCE: Duration = Duration::from_secs(10);
/// The version of Anthropic's API.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// A provider as it is called.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub name: String,
    pub kind: ProviderKind,
    pub base_url: String,
    /// Whether it is always asked in Responses.
    pub responses: bool,
    /// In clear.
    pub credential: Option<String>,
    pub limits: Limits,
    /// Who is told how a call goes; nobody, of what is no call of a model.
    pub progress: Option<Progress>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.name).field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// How an answer begins.
#[derive(Debug)]
pub(super) enum Begun {
    /// All at once.
    Whole(Box<Response>, ToldLimits),
    /// With its first token; the rest comes.
    Pieces(Box<Pieces>),
}

impl Endpoint {
    fn url(&self, path: &str) -> String {
        let base = self.base_url.trim_end_matches('/');
        let bare = |ends: &[&str]| ends.iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base);
        match self.kind {
            // The SDKs' base URL has no version in it; people write it either way.
            ProviderKind::Anthropic => format!("{}/v1/{path}", bare(&["/v1"])),
            // What imitates OpenAI stands beside, under /v1.
            ProviderKind::Ollama => format!("{}/api/{path}", bare(&["/v1", "/api"])),
            ProviderKind::OpenAi | ProviderKind::OpenAiCompatible => format!("{base}/{path}"),
        }
    }

    /// How it is asked, and for which model, by whoever speaks `asked`.
    fn addressee<'a>(&self, asked: Dialect, model: &'a Model) -> Addressee<'a> {
        Addressee { kind: self.kind, wire: self.kind.wire(self.responses, asked), model }
    }

    fn request(&self, method: &str, path: &str) -> outbound::Request {
        let mut request = outbound::Request::new(method, self.url(path));
        let mut header = |name: &str, value: &str| request.headers.push((name.to_owned(), value.to_owned()));
        header("accept", "application/json, text/event-stream, application/x-ndjson");
        if self.kind == ProviderKind::Anthropic {
            header("anthropic-version", ANTHROPIC_VERSION);
        }
        match (self.kind, &self.credential) {
            (_, None) => {}
            (ProviderKind::Anthropic, Some(credential)) => header("x-api-key", credential),
            (_, Some(credential)) => header("authorization", &format!("Bearer {credential}")),
        }
        request.max_bytes = Some(MAX_ANSWER_BYTES);
        request
    }

    /// A fault of this provider: its name before the words, and never its key in them.
    pub(super) fn blame(&self, fault: Fault) -> Fault {
        let mut message = format!("{}: {}", self.name, fault.message);
        if let Some(credential) = self.credential.as_ref().filter(|credential| credential.len() >= 4) {
            message = message.replace(credential.as_str(), "…");
        }
        Fault { message, ..fault }
    }

    fn no_answer(&self, error: &outbound::Error) -> Fault {
        use outbound::Error as E;
        let class = match error {
            E::InvalidRequest { .. } | E::Refused | E::TooManyRedirects(_) => FaultClass::Refused,
            E::Resolve { .. } | E::Connect(_) | E::Tls(_) => FaultClass::Connect,
            E::Timeout(_) => FaultClass::Timeout,
            E::TooLarge { .. } => FaultClass::Malformed,
        };
        self.blame(Fault::new(class, error.to_string()))
    }
}

/// A request on its way, and until when it may take.
struct Sent<'a> {
    endpoint: &'a Endpoint,
    answer: Incoming,
    begun: Instant,
    within_ms: u32,
}

impl<'a> Sent<'a> {
    /// Sends a request, and gives it once the answer's head says success.
    async fn new(
        http: &Outbound,
        endpoint: &'a Endpoint,
        (method, path, betas): (&str, &str, &[String]),
        body: Option<&Value>,
        within_ms: u32,
    ) -> Result<Self, Fault> {
        let begun = Instant::now();
        let mut call = endpoint.request(method, path);
        if let Some(body) = body {
            call.headers.push(("content-type".to_owned(), "application/json".to_owned()));
            call.body = Some(body.to_string().into_bytes());
        }
        if endpoint.kind == ProviderKind::Anthropic && !betas.is_empty() {
            call.headers.push(("anthropic-beta".to_owned(), betas.join(",")));
        }
        call.timeout_ms = Some(within_ms.into());
        // A connection that does not come must be told from an answer that does not: nothing was sent then.
        let connect_ms = u64::from(endpoint.limits.connect_ms.min(within_ms.saturating_sub(50).max(1)));
        let answer = http.open(call, connect_ms).await.map_err(|error| endpoint.no_answer(&error))?;
        if let Some(progress) = &endpoint.progress {
            progress.heads(&answer);
        }
        if !(200..300).contains(&answer.status) {
            return Err(refused(endpoint, answer).await);
        }
        Ok(Self { endpoint, answer, begun, within_ms })
    }

    fn deadline(&self) -> Instant {
        self.begun + Duration::from_millis(self.within_ms.into())
    }

    /// The whole answer as JSON.
    async fn json(self) -> Result<Value, Fault> {
        let (endpoint, deadline, within_ms) = (self.endpoint, self.deadline(), self.within_ms);
        let read = async { self.answer.rest().await.map_err(|error| endpoint.no_answer(&error)) };
        let body = in_time(deadline, within_ms, endpoint, read).await?;
        serde_json::from_slice(&body).map_err(|error| {
            if error.is_eof() && !body.is_empty() {
                // A part of an answer, and not something else.
                return endpoint.blame(Fault::new(FaultClass::Connect, "the answer ended before it was complete"));
            }
            let start: String = String::from_utf8_lossy(&body).chars().take(120).collect();
            endpoint.blame(Fault::new(FaultClass::Malformed, format!("expected JSON, found {start:?}")))
        })
    }
}

/// Calls a model. A streamed answer is given with its first token, so that whatever goes wrong before can go elsewhere; one that is to
/// be held back is given once all of it is there.
pub(super) async fn ask(
    http: &Outbound,
    endpoint: &Endpoint,
    request: &Request,
    model: &Model,
) -> Result<Begun, Fault> {
    let limits = endpoint.limits;
    let within_ms = if request.stream { limits.first_token_ms.min(limits.total_ms) } else { limits.total_ms };
    let to = endpoint.addressee(request.dialect, model);
    let body = dialect::write_request(request, to)?;
    let sent = Sent::new(http, endpoint, ("POST", path_of(to.wire), &request.betas), Some(&body), within_ms).await?;
    if !request.stream {
        if let Some(progress) = &endpoint.progress {
            progress.begins();
        }
        let limits_told = told(&sent.answer);
        let response = dialect::read_response(to.wire, sent.json().await?).map_err(|fault| endpoint.blame(fault))?;
        return Ok(Begun::Whole(Box::new(response), limits_told));
    }
    let deadline = sent.deadline();
    let mut pieces = Pieces::new(endpoint, to.wire, sent.answer, sent.begun);
    // Nothing has been handed on yet: that it broke off now is no more than that there is no answer.
    let no_answer = |fault: Fault| match fault.class {
        FaultClass::Interrupted => Fault { class: FaultClass::Connect, ..fault },
        _ => fault,
    };
    let first = async { pieces.begin().await.map_err(|fault| endpoint.blame(no_answer(fault))) };
    in_time(deadline, within_ms, endpoint, first).await?;
    if request.held {
        pieces.gather().await.map_err(|fault| endpoint.blame(no_answer(fault)))?;
    }
    Ok(Begun::Pieces(Box::new(pieces)))
}

const fn path_of(wire: Wire) -> &'static str {
    match wire {
        Wire::Anthropic => "messages",
        Wire::OpenAi => "chat/completions",
        Wire::Responses => "responses",
        Wire::Ollama => "chat",
    }
}

/// Sends a request that is written already, and gets the whole answer.
pub(super) async fn ask_written(
    http: &Outbound,
    endpoint: &Endpoint,
    wire: Wire,
    body: &Value,
) -> Result<Response, Fault> {
    let within_ms = endpoint.limits.total_ms;
    let sent = Sent::new(http, endpoint, ("POST", path_of(wire), &[]), Some(body), within_ms).await?;
    dialect::read_response(wire, sent.json().await?).map_err(|fault| endpoint.blame(fault))
}

/// Turns texts into vectors.
pub(super) async fn embed(
    http: &Outbound,
    endpoint: &Endpoint,
    request: &EmbedRequest,
    model: &Model,
) -> Result<Vectors, Fault> {
    let to = endpoint.addressee(Dialect::OpenAi, model);
    let (path, body) = dialect::write_embed_request(request, to)?;
    let sent = Sent::new(http, endpoint, ("POST", path, &[]), Some(&body), endpoint.limits.total_ms).await?;
    let vectors = dialect::read_vectors(to.wire, sent.json().await?, request.input.len());
    vectors.map_err(|fault| endpoint.blame(fault))
}

/// Has the tokens of a request counted; Anthropic alone does.
pub(super) async fn count_tokens(
    http: &Outbound,
    endpoint: &Endpoint,
    request: &Request,
    model: &Model,
) -> Result<i64, Fault> {
    let mut body = dialect::write_request(request, endpoint.addressee(request.dialect, model))?;
    for name in ["max_tokens", "stream"] {
        body.as_object_mut().and_then(|body| body.remove(name));
    }
    let within_ms = endpoint.limits.total_ms.min(30_000);
    let path = "messages/count_tokens";
    let counted = Sent::new(http, endpoint, ("POST", path, &request.betas), Some(&body), within_ms).await?;
    counted.json().await?["input_tokens"].as_i64().ok_or_else(|| {
        let message = "expected input_tokens, a whole number, and found none";
        endpoint.blame(Fault::new(FaultClass::Malformed, message))
    })
}

async fn in_time<T>(
    deadline: Instant,
    within_ms: u32,
    endpoint: &Endpoint,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| {
        let message = format!("no answer within {within_ms} ms");
        Err(endpoint.blame(Fault::new(FaultClass::Timeout, message)))
    })
}

/// What a status that is no success says.
async fn refused(endpoint: &Endpoint, mut answer: Incoming) -> Fault {
    let status = answer.status;
    let retry_after_ms = retry::asked_ms(|name| answer.header(name).map(str::to_owned));
    let told = told(&answer);
    let mut body = Vec::new();
    let read = async {
        while body.len() < MAX_ERROR_BYTES {
            match answer.chunk().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) | Err(_) => break,
            }
        }
    };
    // Half an error is as good as a whole one.
    let _ = tokio::time::timeout(ERROR_PATIENCE, read).await;
    endpoint.blame(Fault { retry_after_ms, told, ..dialect::read_fault(status, &body) })
}

/// The models that a provider lists.
pub(super) async fn list_models(http: &Outbound, endpoint: &Endpoint) -> Result<Vec<String>, Fault> {
    let (path, list, name) = match endpoint.kind {
        ProviderKind::Ollama => ("tags", "models", "name"),
        ProviderKind::Anthropic | ProviderKind::OpenAi | ProviderKind::OpenAiCompatible => ("models", "data", "id"),
    };
    let within_ms = endpoint.limits.total_ms.min(30_000);
    let value = match Sent::new(http, endpoint, ("GET", path, &[]), None, within_ms).await?.json().await {
        // What is no JSON is no list either.
        Err(fault) if fault.class == FaultClass::Malformed => Value::Null,
        read => read?,
    };
    let Some(list) = value[list].as_array() else {
        let message = "expected a list of models, found something else; is the address right?";
        return Err(endpoint.blame(Fault::new(FaultClass::Malformed, message)));
    };
    Ok(list.iter().filter_map(|model| Some(model[name].as_str()?.to_owned())).collect())
}
