//! A bucket of an object store as a place for copies.

use std::time::Duration;

use url::Url;

use super::sign::{Signed, Signer, digest};
use crate::memory::Error;
use crate::runtime::Ctx;
use crate::runtime::outbound::{Request, Response};

/// How long a part may take on its way.
const TIMEOUT_MS: u64 = 180_000;
/// Bytes of an answer that is no part.
const MAX_ANSWER: u64 = 64 << 10;
/// Pauses before it is asked again where the store itself failed or is overrun: each of our requests may come twice.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// Characters of what a store says of a failure.
const MAX_SAID: usize = 200;

/// The bucket, with the key that opens it.
pub(super) struct Store {
    endpoint: Url,
    region: String,
    /// `/bucket/prefix/`.
    path: String,
    access_key_id: String,
    secret: String,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store {
    /// A bucket and what stands before names there, both checked before.
    ///
    /// # Errors
    /// [`Error::Backup`]: the address is none.
    pub fn of(
        (endpoint, region): (&str, &str),
        (bucket, prefix): (&str, &str),
        (access_key_id, secret): (&str, &str),
    ) -> Result<Self, Error> {
        let endpoint =
            Url::parse(endpoint).map_err(|error| Error::Backup(format!("the store's address is none: {error}")))?;
        let path = if prefix.is_empty() { format!("/{bucket}/") } else { format!("/{bucket}/{prefix}/") };
        let (region, access_key_id) = (region.to_owned(), access_key_id.to_owned());
        Ok(Self { endpoint, region, path, access_key_id, secret: secret.to_owned() })
    }

    pub async fn put(&self, ctx: &Ctx, name: &str, content: Vec<u8>) -> Result<(), Error> {
        let answer = self.ask(ctx, "PUT", name, Some(&content), MAX_ANSWER).await?;
        told(&answer, &[200, 201, 204], &format!("{name} can't be written"))
    }

    pub async fn get(&self, ctx: &Ctx, name: &str, most: u64) -> Result<Vec<u8>, Error> {
        let answer = self.ask(ctx, "GET", name, None, most).await?;
        told(&answer, &[200], &format!("{name} can't be read"))?;
        Ok(answer.body)
    }

    pub async fn remove(&self, ctx: &Ctx, name: &str) -> Result<(), Error> {
        let answer = self.ask(ctx, "DELETE", name, None, MAX_ANSWER).await?;
        told(&answer, &[200, 202, 204, 404], &format!("{name} can't be removed"))
    }

    async fn ask(
        &self,
        ctx: &Ctx,
        method: &str,
        name: &str,
        content: Option<&[u8]>,
        most: u64,
    ) -> Result<Response, Error> {
        for pause in PAUSES {
            let answer = self.send(ctx, method, name, content, most).await?;
            if !is_passing(answer.status) || ctx.tasks.stopping().is_cancelled() {
                return Ok(answer);
            }
            tokio::time::sleep(pause).await;
        }
        self.send(ctx, method, name, content, most).await
    }

    /// Sends a signed request. Redirects are answers: a signature is for one place.
    async fn send(
        &self,
        ctx: &Ctx,
        method: &str,
        name: &str,
        content: Option<&[u8]>,
        most: u64,
    ) -> Result<Response, Error> {
        let at: String = ctx.clock.now().to_string().chars().take_while(|c| !matches!(c, '.' | 'Z')).collect();
        let at = format!("{}Z", at.replace(['-', ':'], ""));
        // Names, buckets and prefixes have no character that is written otherwise in a path.
        let path = format!("{}{name}", self.path);
        let host = self.endpoint.host_str().unwrap_or_default();
        let host = self.endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let hash = digest(content.unwrap_or_default());
        let headers = [("host", host.as_str()), ("x-amz-content-sha256", hash.as_str()), ("x-amz-date", at.as_str())];
        let signer = Signer { region: &self.region, access_key_id: &self.access_key_id, secret: &self.secret };
        let authorization =
            signer.authorization(Signed { method, path: &path, headers: &headers, content: &hash, at: &at });
        let url = format!("{}{path}", self.endpoint.origin().ascii_serialization());
        let mut request = Request::new(method, url);
        let headers = [("x-amz-content-sha256", hash), ("x-amz-date", at), ("authorization", authorization)];
        request.headers.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        if content.is_some() {
            request.headers.push(("content-type".to_owned(), "application/x-ndjson".to_owned()));
        }
        request.body = content.map(<[u8]>::to_vec);
        request.timeout_ms = Some(TIMEOUT_MS);
        (request.max_bytes, request.max_decompressed) = (Some(most), Some(most));
        request.follows_redirects = false;
        let answer = ctx.http.send(request).await;
        answer.map_err(|error| Error::Backup(format!("the store can't be reached: {error}")))
    }
}

/// Whether a store may answer otherwise in a moment.
const fn is_passing(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504)
}

/// Refuses an answer that is none of these, with what the store says of it.
fn told(answer: &Response, good: &[u16], what: &str) -> Result<(), Error> {
    if good.contains(&answer.status) {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&answer.body);
    let said: Vec<String> = ["Code", "Message"].iter().filter_map(|name| field(&body, name)).collect();
    let said = if said.is_empty() { String::new() } else { format!(" ({})", said.join(": ")) };
    Err(Error::Backup(format!("{what}: the store answered {}{said}", answer.status)))
}

/// The text of an element of the XML with which stores tell of failures: one line, without what could not be shown.
fn field(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    Some(text.chars().take(MAX_SAID).map(plain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_store_says_of_a_failure_is_told() {
        let body = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access\nDenied.</Message></Error>";
        let answer = Response {
            status: 403,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            url: String::new(),
            took_ms: 1,
            truncated: false,
        };
        let error = told(&answer, &[200], "a-1.jsonl can't be written").unwrap_err().to_string();
        assert_eq!(error, "a-1.jsonl can't be written: the store answered 403 (AccessDenied: Access Denied.)");
        assert!(told(&answer, &[403], "").is_ok());
        let empty = Response { body: Vec::new(), ..answer };
        assert_eq!(told(&empty, &[200], "x").unwrap_err().to_string(), "x: the store answered 403");
    }
}
