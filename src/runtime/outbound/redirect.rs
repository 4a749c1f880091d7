//! Where a redirect leads, and what goes along (as the Fetch standard has it, section 4.4).

use reqwest::header::{HeaderMap, HeaderName, LOCATION};
use reqwest::{Method, StatusCode};
use url::Url;

use super::Error;
use super::request::{Checked, usable};

/// Headers that another origin may see; a name of the caller's own may be a credential.
const HARMLESS: [&str; 8] = [
    "accept",
    "accept-language",
    "cache-control",
    "content-language",
    "content-type",
    "if-none-match",
    "pragma",
    "user-agent",
];

/// Where the answer sends us on; `None` if it is the answer.
pub(super) fn target(status: StatusCode, headers: &HeaderMap, from: &Url) -> Result<Option<Url>, Error> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(LOCATION) else {
        return Ok(None);
    };
    let unusable = || Error::invalid("url", "a redirect to an http or https URL");
    let location = location.to_str().map_err(|_| unusable())?;
    if location.contains('\\') {
        return Err(unusable());
    }
    let next = from.join(location).map_err(|_| unusable())?;
    usable(&next)?;
    Ok(Some(next))
}

/// Makes the request the one for the next hop.
pub(super) fn follow(request: &mut Checked, status: StatusCode, next: Url) {
    let to_get = status == StatusCode::SEE_OTHER && !matches!(request.method, Method::GET | Method::HEAD)
        || matches!(status.as_u16(), 301 | 302) && request.method == Method::POST;
    if to_get {
        request.method = Method::GET;
        request.body = None;
        let body_headers: Vec<HeaderName> =
            request.headers.keys().filter(|name| name.as_str().starts_with("content-")).cloned().collect();
        for name in body_headers {
            request.headers.remove(name);
        }
    }
    if next.origin() != request.url.origin() {
        let kept = request.headers.iter().filter(|(name, _)| HARMLESS.contains(&name.as_str()));
        request.headers = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    }
    request.url = next;
}
