//! A call of a webhook as it came: what templates see of it, and what a firing tells of it.

use serde_json::{Map, Value, json};

use super::Error;
use super::error::Result;

/// A call as it came.
#[derive(Debug)]
pub struct Call {
    /// The path's first part: the workflow's id.
    pub workflow: String,
    /// The path's last part.
    pub token: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    /// The parameters of the query.
    pub query: Vec<(String, String)>,
    /// `None` when it was over [`super::MAX_BODY_BYTES`].
    pub body: Option<Vec<u8>>,
    /// Where it came from.
    pub address: String,
}

/// Headers that a template sees.
const MAX_HEADERS: usize = 64;
/// Bytes of a header that a template sees.
const MAX_HEADER_BYTES: usize = 1024;

impl Call {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The id that makes a repeat known.
    pub(super) fn id(&self) -> &str {
        match self.header("webhook-id") {
            "" => self.header("idempotency-key"),
            id => id,
        }
    }

    /// What templates see of the call.
    pub(super) fn event(&self, body: &[u8]) -> Result<Value> {
        let headers = self.headers.iter().filter(|(name, value)| is_shown(name) && value.len() <= MAX_HEADER_BYTES);
        let headers: Map<String, Value> =
            headers.take(MAX_HEADERS).map(|(name, value)| (name.clone(), json!(value))).collect();
        let query: Map<String, Value> = self.query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        Ok(json!({"body": self.read(body)?, "headers": headers, "query": query}))
    }

    fn read(&self, body: &[u8]) -> Result<Value> {
        let content_type =
            self.header("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match content_type.as_str() {
            _ if body.is_empty() => Ok(json!({})),
            "application/x-www-form-urlencoded" => {
                let fields = url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), json!(value)));
                Ok(Value::Object(fields.collect()))
            }
            json if json == "application/json" || json.ends_with("+json") => serde_json::from_slice(body)
                .map_err(|error| Error::invalid("", format!("the body is no JSON: {error}"))),
            _ => Err(Error::MediaType),
        }
    }

    /// What a firing tells of the call: nothing that could be a secret.
    pub(super) fn summary(&self) -> Value {
        let mut told = json!({"address": self.address, "bytes": self.body.as_ref().map(Vec::len)});
        for (field, name) in [("id", "webhook-id"), ("user_agent", "user-agent"), ("content_type", "content-type")] {
            let value: String = self.header(name).chars().take(200).collect();
            if !value.is_empty() {
                told[field] = json!(value);
            }
        }
        told
    }
}

/// Whether templates see a header: what names the content and the sender, and what senders add, unless it may be a secret.
fn is_shown(name: &str) -> bool {
    const HIDDEN: [&str; 8] = ["key", "token", "secret", "signature", "auth", "password", "cookie", "session"];
    let is_known =
        matches!(name, "content-type" | "user-agent" | "accept-language" | "webhook-id" | "webhook-timestamp");
    let is_added = name.starts_with("x-") && !name.starts_with("x-forwarded") && !name.starts_with("x-real");
    is_known || (is_added && !HIDDEN.iter().any(|word| name.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_sees_no_header_that_may_be_a_secret() {
        for name in ["x-github-event", "content-type", "x-gitlab-event", "x-request-id"] {
            assert!(is_shown(name), "{name}");
        }
        for name in
            ["authorization", "cookie", "x-api-key", "x-hub-signature-256", "x-gitlab-token", "x-forwarded-for", "host"]
        {
            assert!(!is_shown(name), "{name}");
        }
    }
}
