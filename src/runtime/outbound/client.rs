//! Sends a request: check, resolve, connect to what was checked, follow, read within the caps.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::write::{GzDecoder, ZlibDecoder};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap};

use super::open::Kept;
use super::request::{Caps, Checked};
use super::{Error, OnBytes, Policy, Request, Response, redirect, resolve};

const HEADERS_MAX: usize = 128;
const HEADER_BYTES_MAX: usize = 64 << 10;

/// The guarded client. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Outbound {
    pub(super) policy: Arc<Policy>,
    pub(super) kept: Kept,
}

impl Outbound {
    /// A client under this policy.
    pub fn new(policy: Policy) -> Self {
        super::install_crypto();
        Self { policy: Arc::new(policy), kept: Kept::default() }
    }

    /// Sends one request and reads the whole answer. Any status is an answer.
    ///
    /// # Errors
    /// [`Error`]: there is no complete answer within the caps, or the target is not allowed.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let started = Instant::now();
        let request = request.checked(&self.policy)?;
        let timeout_ms = request.caps.timeout_ms;
        let answer = tokio::time::timeout(Duration::from_millis(timeout_ms), self.follow(request)).await;
        let mut response = answer.map_err(|_| Error::Timeout(timeout_ms))??;
        response.took_ms = started.elapsed().as_millis() as u64;
        Ok(response)
    }

    async fn follow(&self, mut request: Checked) -> Result<Response, Error> {
        for _ in 0..=self.policy.max_redirects {
            let answer = self.hop(&request).await?;
            headers_fit(answer.headers())?;
            if !request.follows_redirects {
                return read(answer, &request).await;
            }
            match redirect::target(answer.status(), answer.headers(), &request.url)? {
                Some(next) => redirect::follow(&mut request, answer.status(), next),
                None => return read(answer, &request).await,
            }
        }
        Err(Error::TooManyRedirects(self.policy.max_redirects))
    }

    /// One request to one place. Its client knows only the checked addresses, and is not kept: a connection that
    /// outlives the check of its name would be one that nobody checked.
    async fn hop(&self, request: &Checked) -> Result<reqwest::Response, Error> {
        let addresses = resolve::vetted(&request.url, &self.policy).await?;
        let client = base_client(addresses).pool_max_idle_per_host(0).build().map_err(failed)?;
        let mut hop = client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        hop = hop.header(ACCEPT_ENCODING, "gzip, deflate");
        if let Some(body) = &request.body {
            hop = hop.body(body.clone());
        }
        hop.send().await.map_err(failed)
    }
}

/// A client that connects to these addresses only, whatever name it asks for.
pub(super) fn base_client(addresses: Vec<SocketAddr>) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .no_gzip()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .dns_resolver(resolve::Pinned(addresses))
        .referer(false)
        .http1_max_headers(HEADERS_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX as u32)
        .user_agent(concat!("weft/", env!("CARGO_PKG_VERSION")))
}

/// Reads the body, counting what arrives and what becomes of it.
async fn read(mut answer: reqwest::Response, request: &Checked) -> Result<Response, Error> {
    let caps = request.caps;
    let too_large = || Error::TooLarge { part: "body", most: format!("{} bytes", caps.bytes) };
    if answer.content_length().is_some_and(|length| length > caps.bytes) && request.method != reqwest::Method::HEAD {
        return Err(too_large());
    }
    let encoding = answer.headers().get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    let mut body = Body::new(encoding.as_deref(), caps);
    let length = answer.content_length();
    let mut received = 0;
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        received += piece.len() as u64;
        if received > caps.bytes {
            return Err(too_large());
        }
        body.push(&piece)?;
        if let Some(OnBytes(tell)) = &request.on_bytes {
            tell(received, length);
        }
    }
    let decoded = !matches!(body, Body::Plain(_));
    let body = body.end(received)?;
    let kept = answer
        .headers()
        .iter()
        .filter(|(name, _)| !(decoded && matches!(name.as_str(), "content-encoding" | "content-length")));
    let headers =
        kept.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
    Ok(Response {
        status: answer.status().as_u16(),
        headers,
        body,
        url: request.url.to_string(),
        took_ms: 0,
        truncated: false,
    })
}

/// A body on its way in. A coding that we did not ask for is passed on as it is, its header with it.
enum Body {
    Plain(Bounded),
    Gzip(GzDecoder<Bounded>),
    Deflate(ZlibDecoder<Bounded>),
}

impl Body {
    fn new(encoding: Option<&[u8]>, caps: Caps) -> Self {
        let bounded = Bounded { bytes: Vec::new(), most: caps.decompressed };
        match encoding {
            Some(b"gzip" | b"x-gzip") => Self::Gzip(GzDecoder::new(bounded)),
            Some(b"deflate") => Self::Deflate(ZlibDecoder::new(bounded)),
            _ => Self::Plain(bounded),
        }
    }

    fn push(&mut self, piece: &[u8]) -> Result<(), Error> {
        let (written, most) = match self {
            Self::Plain(body) => (body.write_all(piece), body.most),
            Self::Gzip(body) => (body.write_all(piece), body.get_ref().most),
            Self::Deflate(body) => (body.write_all(piece), body.get_ref().most),
        };
        written.map_err(|why| decoding(&why, most))
    }

    fn end(self, received: u64) -> Result<Vec<u8>, Error> {
        let most = match &self {
            Self::Plain(body) => body.most,
            Self::Gzip(body) => body.get_ref().most,
            Self::Deflate(body) => body.get_ref().most,
        };
        let ended = match self {
            Self::Plain(body) => Ok(body),
            // An answer to HEAD names the coding of a body that is not there.
            Self::Gzip(_) | Self::Deflate(_) if received == 0 => return Ok(Vec::new()),
            Self::Gzip(body) => body.finish(),
            Self::Deflate(body) => body.finish(),
        };
        ended.map(|body| body.bytes).map_err(|why| decoding(&why, most))
    }
}

/// Bytes up to a cap; one more is an error.
struct Bounded {
    bytes: Vec<u8>,
    most: u64,
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if (self.bytes.len() + piece.len()) as u64 > self.most {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn decoding(why: &std::io::Error, most: u64) -> Error {
    if why.kind() == std::io::ErrorKind::FileTooLarge {
        return Error::TooLarge { part: "decompressed body", most: format!("{most} bytes") };
    }
    Error::Connect("the compressed body is damaged".into())
}

pub(super) fn headers_fit(headers: &HeaderMap) -> Result<(), Error> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
        return Err(Error::TooLarge {
            part: "headers",
            most: format!("{HEADERS_MAX} lines or {HEADER_BYTES_MAX} bytes"),
        });
    }
    Ok(())
}

/// Puts a library error into one of our classes, with the innermost reason, which names no URL.
pub(super) fn failed(why: reqwest::Error) -> Error {
    let mut inner: &dyn std::error::Error = &why;
    let mut tls = false;
    loop {
        tls |= inner.is::<rustls::Error>();
        // An I/O error hands out what it wraps by `get_ref` only; its source is one further.
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match wrapped.map(|error| error as &dyn std::error::Error).or_else(|| inner.source()) {
            Some(next) => inner = next,
            None => break,
        }
    }
    if tls {
        return Error::Tls(inner.to_string());
    }
    if why.is_builder() {
        return Error::invalid("url", "a URL that can be requested");
    }
    Error::Connect(inner.to_string())
}
