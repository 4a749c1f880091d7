//! What a program wishes of the cache, and of a conversation that is too long, by its headers.

use axum::http::{HeaderMap, HeaderValue};

use crate::model::cache::{CacheWish, parse_dependencies};
use crate::model::gateway::{ContextWish, Fault};

/// How the cache is asked.
const CACHE: &str = "x-weft-cache";
/// What the answer depends on.
const DEPENDS_ON: &str = "x-weft-depends-on";

/// What is done once the conversation is too long.
const CONTEXT: &str = "x-weft-context";

/// When a stream is handed on.
const STREAM: &str = "x-weft-stream";

/// Reads `x-weft-stream`: whether a stream is held back until it is whole.
pub(super) fn is_held(headers: &HeaderMap) -> Result<bool, Fault> {
    match headers.get(STREAM).map(HeaderValue::as_bytes) {
        None => Ok(false),
        Some(b"whole") => Ok(true),
        Some(_) => Err(Fault::invalid(STREAM, "expected whole")),
    }
}

/// Reads `x-weft-context`.
pub(super) fn context_wish(headers: &HeaderMap) -> Result<ContextWish, Fault> {
    let mut words = Vec::new();
    for value in headers.get_all(CONTEXT) {
        words.push(value.to_str().map_err(|_| Fault::invalid(CONTEXT, "expected words"))?);
    }
    ContextWish::read(&words.join(",")).map_err(|why| Fault::invalid(CONTEXT, why))
}

/// Reads `x-weft-cache` and `x-weft-depends-on`.
pub(super) fn cache_wish(headers: &HeaderMap) -> Result<CacheWish, Fault> {
    let mut words = Vec::new();
    for value in headers.get_all(CACHE) {
        words.push(value.to_str().map_err(|_| Fault::invalid(CACHE, "expected words"))?);
    }
    let wish = CacheWish::read(&words.join(",")).map_err(|why| Fault::invalid(CACHE, why))?;
    let mut depends_on = Vec::new();
    for value in headers.get_all(DEPENDS_ON) {
        let text = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
        let read = parse_dependencies(text);
        depends_on.extend(read.map_err(|why| Fault::invalid(DEPENDS_ON, why))?);
    }
    wish.depending_on(depends_on).map_err(|faults| {
        let why: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.message)).collect();
        Fault::invalid(DEPENDS_ON, why.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_stream_is_held_back_where_that_is_said_and_nothing_else_is_taken() {
        let held = |value: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(STREAM, HeaderValue::from_static(value));
            }
            is_held(&headers).map_err(|fault| fault.pointer)
        };
        assert_eq!((held(None), held(Some("whole"))), (Ok(false), Ok(true)));
        assert_eq!(held(Some("later")), Err(Some(STREAM.to_owned())));
    }
}
