//! Sends a request and hands its answer on as it comes, over connections that are kept.
//!
//! A kept connection would be one that nobody checked, if a name could lead elsewhere meanwhile. So names are resolved and
//! addresses checked for each request, as everywhere, and a client is kept by the very addresses that it may connect to: it is
//! taken again only for a request whose own check gave the same ones.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap};

use super::client::{Outbound, base_client, failed, headers_fit};
use super::request::Checked;
use super::{Error, Request, resolve};

/// Clients that are kept; the one that rested longest goes.
const MOST_CLIENTS: usize = 64;
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// What a kept client may connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    origin: String,
    addresses: Vec<SocketAddr>,
    connect_ms: u64,
}

/// Clients that are kept, least recently used first.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Vec<(Place, reqwest::Client)>>>);

impl Kept {
    fn client(&self, place: &Place) -> Result<reqwest::Client, Error> {
        let mut kept = self.0.lock().expect("no code panics while it holds this lock");
        let known = kept.iter().position(|(other, _)| other == place).map(|index| kept.remove(index));
        let (place, client) = match known {
            Some(known) => known,
            None => {
                let builder = base_client(place.addresses.clone())
                    .connect_timeout(Duration::from_millis(place.connect_ms))
                    .pool_max_idle_per_host(64)
                    .pool_idle_timeout(IDLE);
                (place.clone(), builder.build().map_err(failed)?)
            }
        };
        kept.push((place, client.clone()));
        if kept.len() > MOST_CLIENTS {
            kept.remove(0);
        }
        Ok(client)
    }
}

/// An answer whose body is still to come.
#[derive(Debug)]
pub struct Incoming {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values; bytes that are no text are replaced.
    pub headers: Vec<(String, String)>,
    answer: reqwest::Response,
    left: u64,
    most: u64,
}

impl Incoming {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The next bytes of the body; `None` at its end.
    ///
    /// # Errors
    /// The connection broke, or the body is larger than the request allows.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(piece) = self.answer.chunk().await.map_err(failed)? else { return Ok(None) };
        let too_large = || Error::TooLarge { part: "body", most: format!("{} bytes", self.most) };
        self.left = self.left.checked_sub(piece.len() as u64).ok_or_else(too_large)?;
        Ok(Some(piece))
    }

    /// The rest of the body.
    ///
    /// # Errors
    /// As [`Incoming::chunk`].
    pub async fn rest(mut self) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(piece) = self.chunk().await? {
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

impl Outbound {
    /// Sends one request and gives the answer as soon as its head is there: within the request's `timeout_ms`, the connection
    /// within `connect_ms`. From then on time is the caller's. Redirects are answers; no compression is asked for.
    ///
    /// # Errors
    /// [`Error`]: there is no answer, or the target is not allowed.
    pub async fn open(&self, request: Request, connect_ms: u64) -> Result<Incoming, Error> {
        let request = request.checked(&self.policy)?;
        let timeout_ms = request.caps.timeout_ms;
        let head = tokio::time::timeout(Duration::from_millis(timeout_ms), self.head(&request, connect_ms));
        let answer = head.await.map_err(|_| Error::Timeout(timeout_ms))??;
        headers_fit(answer.headers())?;
        let coded = answer.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
        if coded {
            return Err(Error::Connect("the answer is compressed, though that was not asked for".into()));
        }
        let most = request.caps.bytes;
        Ok(Incoming { status: answer.status().as_u16(), headers: named(answer.headers()), answer, left: most, most })
    }

    async fn head(&self, request: &Checked, connect_ms: u64) -> Result<reqwest::Response, Error> {
        let mut addresses = resolve::vetted(&request.url, &self.policy).await?;
        addresses.sort_unstable();
        let place = Place { origin: request.url.origin().ascii_serialization(), addresses, connect_ms };
        let client = self.kept.client(&place)?;
        let mut hop = client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        hop = hop.header(ACCEPT_ENCODING, "identity");
        if let Some(body) = &request.body {
            hop = hop.body(body.clone());
        }
        hop.send().await.map_err(failed)
    }
}

fn named(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
