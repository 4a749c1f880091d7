//! A request as a caller writes it, the check of it, and the answer.

use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::{Host, Url};

use super::{Error, Policy};

/// Headers that frame the message or steer the connection: they are ours.
const OURS: [&str; 10] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];
const HEADERS_MAX: usize = 100;

/// Called with the bytes of the answer's body that have arrived, and how many there will be, where that is said.
#[derive(Clone)]
pub struct OnBytes(pub Arc<dyn Fn(u64, Option<u64>) + Send + Sync>);

impl fmt::Debug for OnBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnBytes")
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST` and so on, in capitals.
    pub method: String,
    /// An http or https URL without user and password.
    pub url: String,
    /// Names and values, at most 100. Framing headers such as `Host` are refused.
    pub headers: Vec<(String, String)>,
    /// The body, sent as it is.
    pub body: Option<Vec<u8>>,
    /// From the call to the last byte; `None` is the policy's.
    pub timeout_ms: Option<u64>,
    /// Bytes of the answer's body as sent; `None` is the policy's.
    pub max_bytes: Option<u64>,
    /// Bytes of the answer's body after decompression; `None` is the policy's.
    pub max_decompressed: Option<u64>,
    /// Whether redirects are followed; else the answer that leads elsewhere is the answer.
    pub follows_redirects: bool,
    /// Who is told while the answer arrives.
    pub on_bytes: Option<OnBytes>,
}

impl Request {
    /// A request with no header, no body, and the policy's caps.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        let (method, url) = (method.into(), url.into());
        Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
            max_bytes: None,
            max_decompressed: None,
            follows_redirects: true,
            on_bytes: None,
        }
    }
}

/// One answer, whole.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values; bytes that are no text are replaced.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// Where the answer came from, after redirects.
    pub url: String,
    /// From the call to the last byte, in milliseconds.
    pub took_ms: u64,
    /// Whether the body was cut. It never is: a body that is too large is an error.
    pub truncated: bool,
}

/// A request that passed the check.
pub(super) struct Checked {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    pub caps: Caps,
    pub follows_redirects: bool,
    pub on_bytes: Option<OnBytes>,
}

/// The caps of one request.
#[derive(Clone, Copy)]
pub(super) struct Caps {
    pub timeout_ms: u64,
    pub bytes: u64,
    pub decompressed: u64,
}

impl Request {
    pub(super) fn checked(self, policy: &Policy) -> Result<Checked, Error> {
        let known =
            [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        let method = known.into_iter().find(|method| method.as_str() == self.method);
        let method =
            method.ok_or_else(|| Error::invalid("method", "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS"))?;
        let url = parse(&self.url)?;
        if self.headers.len() > HEADERS_MAX {
            return Err(Error::invalid("headers", format!("at most {HEADERS_MAX}")));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let field = || format!("headers.{}", name.escape_debug());
            let parsed =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| Error::invalid(field(), "a header name"))?;
            if OURS.contains(&parsed.as_str()) {
                return Err(Error::invalid(field(), "a header that is not set by the client itself"));
            }
            let value = HeaderValue::from_str(value)
                .map_err(|_| Error::invalid(field(), "visible characters, no line break"))?;
            headers.append(parsed, value);
        }
        let cap = |field: &str, asked: Option<u64>, default: u64| match asked {
            Some(0) => Err(Error::invalid(field, "at least 1")),
            asked => Ok(asked.unwrap_or(default)),
        };
        let caps = Caps {
            timeout_ms: cap("timeout_ms", self.timeout_ms, policy.timeout_ms)?,
            bytes: cap("max_bytes", self.max_bytes, policy.max_bytes)?,
            decompressed: cap("max_decompressed", self.max_decompressed, policy.max_decompressed)?,
        };
        let (follows_redirects, on_bytes) = (self.follows_redirects, self.on_bytes);
        Ok(Checked { method, url, headers, body: self.body, caps, follows_redirects, on_bytes })
    }
}

/// Parses a URL, once: what is checked is what is connected to.
fn parse(text: &str) -> Result<Url, Error> {
    // Parsers disagree about these, and people never mean them.
    if text.len() > 8192 || text.contains(['\\', '\t', '\n', '\r', '\0']) || text.trim() != text {
        return Err(Error::invalid(
            "url",
            "an absolute http or https URL of at most 8192 bytes, without backslash, tab or line break",
        ));
    }
    let url =
        Url::parse(text).map_err(|why| Error::invalid("url", format!("an absolute http or https URL ({why})")))?;
    usable(&url)?;
    Ok(url)
}

/// Whether a parsed URL, a redirect's too, is one that we speak.
pub(super) fn usable(url: &Url) -> Result<(), Error> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::invalid("url", "an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::invalid("url", "no user name or password; send them in a header"));
    }
    match url.host() {
        None | Some(Host::Domain("")) => Err(Error::invalid("url", "a host")),
        Some(_) if url.port() == Some(0) => Err(Error::invalid("url", "a port from 1 to 65535")),
        Some(_) => Ok(()),
    }
}
