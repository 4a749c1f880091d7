//! The next page of a `map`'s items: of a file, or from a web address.
//!
//! Asking for the same page again does no harm, so what may pass is tried again here, and a page that was asked for when
//! the process died is asked for anew. What came stands in the history: a source that gives something else the next time
//! changes nothing that has happened.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{Outcome, StepCall, folder, http, records};
use crate::model::workflow::StepError;
use crate::runtime::outbound::{Request, Response};

/// How often one page is asked for.
const TRIES: u32 = 5;
/// The pause after the first try, in milliseconds; it doubles.
const PAUSE_MS: i64 = 500;
/// The longest page from a web address.
const MOST_ITEMS: usize = 10_000;

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    file: String,
    #[serde(default)]
    pages: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// What the page before gave to go on by; null for the first.
    #[serde(default)]
    cursor: Value,
}

/// Brings `{items, next}`; `next` is null when there is no more.
///
/// # Errors
/// `not_found` and `refused` for a file that may not be read, `data` for what is no item, and as the step `http`.
pub async fn pull(call: StepCall) -> Result<Outcome, StepError> {
    let config: Config = call.config()?;
    if !config.file.is_empty() {
        let path = folder::open_file(&call.ctx.config, "file", &config.file)?;
        let reading = call.ctx.tasks.blocking(move || records::read(&path, &config.cursor));
        let (items, next) = reading.await.map_err(|_| StepError::transient("panic", "reading the file panicked"))??;
        return Ok(Outcome::out(json!({ "items": items, "next": next })));
    }
    let mut pause_ms = PAUSE_MS;
    for _ in 1..TRIES {
        match ask(&call, &config).await {
            Err(error) if error.retryable => call.ctx.clock.sleep_ms(pause_ms).await,
            settled => return settled,
        }
        pause_ms *= 2;
    }
    ask(&call, &config).await
}

async fn ask(call: &StepCall, config: &Config) -> Result<Outcome, StepError> {
    let mut request = Request::new("GET", address(&config.pages, &config.cursor)?.as_str());
    request.headers = config.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let response = tokio::select! {
        response = call.ctx.http.send(request) => response.map_err(|error| http::failure(&error))?,
        () = call.cancel.cancelled() => return Err(StepError::permanent("cancelled", "the request was cancelled")),
    };
    if !(200..300).contains(&response.status) {
        let message = format!("{} answered {}", response.url, response.status);
        let may_pass = matches!(response.status, 408 | 425 | 429 | 500..=599);
        let error = StepError { retryable: may_pass, ..StepError::permanent("http_status", message) };
        return Err(error.with_code(response.status));
    }
    let (items, next) = read(&response)?;
    if items.len() > MOST_ITEMS {
        let message = format!("a page of {} items came; {MOST_ITEMS} are the most", items.len());
        return Err(StepError::permanent("too_large", message));
    }
    Ok(Outcome::out(json!({ "items": items, "next": next })))
}

/// The address of a page: the first, or where the one before leads.
fn address(first: &str, cursor: &Value) -> Result<Url, StepError> {
    let mut url = Url::parse(first).map_err(|error| {
        StepError::permanent("config", format!("pages: expected an http or https address: {error}"))
    })?;
    let cursor = match cursor {
        Value::Null => return Ok(url),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if cursor.contains("://") || cursor.starts_with(['/', '?']) {
        let next = url.join(&cursor).map_err(|error| StepError::permanent("pages", format!("next: {error}")))?;
        // The headers hold what opens this server, and no other.
        if next.origin() != url.origin() {
            return Err(StepError::permanent("pages", format!("next leads to another server: {next}")));
        }
        return Ok(next);
    }
    let others: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(name, _)| name != "cursor").collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair("cursor", &cursor);
    Ok(url)
}

/// The items of an answer, and what leads to the next.
fn read(response: &Response) -> Result<(Vec<Value>, Value), StepError> {
    let refuse = |found: &str| {
        let message =
            format!("{} answered {found}; expected a JSON list, or an object with items and next", response.url);
        StepError::permanent("pages", message)
    };
    match serde_json::from_slice(&response.body) {
        Ok(Value::Array(items)) => {
            let mut links = response.headers.iter().filter(|(name, _)| name == "link");
            let link = links.find_map(|(_, links)| next_link(links));
            Ok((items, link.map_or(Value::Null, Value::from)))
        }
        Ok(Value::Object(mut page)) => match page.remove("items") {
            Some(Value::Array(items)) => {
                let next = page.remove("next").filter(|next| next != "").unwrap_or(Value::Null);
                Ok((items, next))
            }
            _ => Err(refuse("an object without a list of items")),
        },
        Ok(_) => Err(refuse("something else")),
        Err(_) => Err(refuse("what is no JSON")),
    }
}

/// The address of the next page in a `Link` header (RFC 8288). An address may hold commas, and so may what is quoted.
fn next_link(links: &str) -> Option<String> {
    let mut rest = links;
    while let Some((target, after)) = rest.split_once('<').and_then(|(_, link)| link.split_once('>')) {
        let mut is_quoted = false;
        let end = after.find(|c: char| {
            is_quoted ^= c == '"';
            c == ',' && !is_quoted
        });
        let (parameters, left) = after.split_at(end.unwrap_or(after.len()));
        if parameters.split(';').any(names_next) {
            return Some(target.to_owned());
        }
        rest = left;
    }
    None
}

/// Whether a parameter of a link says that the next page is there: `rel="next"`, also among other relations.
fn names_next(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_an_address_or_goes_into_the_query() {
        let at = |cursor: Value| address("https://a.example/orders?kind=new&cursor=0", &cursor).map(String::from);
        assert_eq!(at(Value::Null).as_deref(), Ok("https://a.example/orders?kind=new&cursor=0"));
        assert_eq!(at(json!("b c")).as_deref(), Ok("https://a.example/orders?kind=new&cursor=b+c"));
        assert_eq!(at(json!(7)).as_deref(), Ok("https://a.example/orders?kind=new&cursor=7"));
        assert_eq!(at(json!("?page=2")).as_deref(), Ok("https://a.example/orders?page=2"));
        assert_eq!(at(json!("https://a.example/more")).as_deref(), Ok("https://a.example/more"));
        assert!(at(json!("https://b.example/more")).is_err(), "another server would get the headers");
    }

    #[test]
    fn the_next_page_is_found_among_links() {
        let links = r#"<https://a.example/?page=1>; rel="prev", <https://a.example/?page=3>; rel="next""#;
        assert_eq!(next_link(links).as_deref(), Some("https://a.example/?page=3"));
        assert_eq!(next_link("<https://a.example/>; rel=\"last\""), None);
        let commas = r#"<https://a.example/?ids=1,2&page=1>; rel="first"; title="a, b", <https://a.example/?ids=1,2&page=2>; REL="last next""#;
        assert_eq!(next_link(commas).as_deref(), Some("https://a.example/?ids=1,2&page=2"));
        for none in ["", "<", "<https://a.example/>", "<https://a.example/>; rel=\"prev\", next"] {
            assert_eq!(next_link(none), None, "{none}");
        }
    }
}
