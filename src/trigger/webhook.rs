//! A call from outside: who may call is decided by the token in the path and the signature, not by a sign-in.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::error::Result;
use super::fire::{self, Attempt};
use super::rate::Rates;
use super::signature::{self, Signed};
use super::store::firing::{self, NewFiring};
use super::store::trigger::TriggerRow;
use super::{Error, manage, store};
use crate::model::RunId;
use crate::model::trigger::{Answer, Config, KeyKind, Outcome};
use crate::model::workflow::RunStatus;
use crate::runtime::Runtime;
use crate::workflow::{self, Answered};

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

/// What the caller is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Reception {
    /// The run goes on.
    Accepted(RunId),
    /// The call came before, and this is its run.
    Repeated(RunId),
    /// What the run's `respond` step answered: its output.
    Answered(RunId, Value),
    /// The run ended without an answer.
    Ended(RunId, RunStatus, Value),
}

/// Characters of a caller's id.
const MAX_ID_CHARS: usize = 128;
/// Headers that a template sees.
const MAX_HEADERS: usize = 64;
/// Bytes of a header that a template sees.
const MAX_HEADER_BYTES: usize = 1024;

/// Takes a call: checks it, fires the webhook, and waits for an answer where its settings say so.
///
/// # Errors
/// [`Error::NotFound`] for a token that opens nothing, which every other caller can't tell from a webhook that is off;
/// [`Error::NotSigned`], [`Error::Limited`], [`Error::TooLarge`], [`Error::MediaType`]; those of starting a run. Each that
/// a token led to is a firing.
pub async fn receive(runtime: &Runtime, call: Call) -> Result<Reception> {
    let now = runtime.clock.now();
    let digest = manage::digest(&call.token);
    let trigger = store::key::find_by_digest(&runtime.db, &digest, now).await?;
    let trigger = trigger.filter(|trigger| trigger.workflow_id.to_string() == call.workflow);
    let trigger = trigger.ok_or(Error::NotFound("webhook"))?;
    let Config::Webhook { answer, signed, rate_per_minute } = trigger.config.0 else {
        return Err(Error::NotFound("webhook"));
    };
    if let Err(retry_after_ms) = runtime.shared::<Rates>().take(trigger.id, rate_per_minute, now) {
        return limited(runtime, &trigger, &call, rate_per_minute, retry_after_ms).await;
    }
    if !trigger.enabled {
        return refuse(runtime, &trigger, &call, Error::NotFound("webhook"), "the webhook is off").await;
    }
    let Some(body) = &call.body else {
        return refuse(runtime, &trigger, &call, Error::TooLarge, &Error::TooLarge.to_string()).await;
    };
    if signed {
        let secrets = secrets(runtime, &trigger).await?;
        let headers = Signed {
            id: call.header("webhook-id"),
            timestamp: call.header("webhook-timestamp"),
            signature: call.header("webhook-signature"),
        };
        if let Err(expected) = signature::verify(&secrets, headers, body, now) {
            return refuse(runtime, &trigger, &call, Error::NotSigned(expected), expected).await;
        }
    }
    let event = match call.event(body) {
        Ok(event) => event,
        Err(error) => {
            let reason = error.to_string();
            return refuse(runtime, &trigger, &call, error, &reason).await;
        }
    };
    fire(runtime, &trigger, &call, &event, answer).await
}

async fn fire(
    runtime: &Runtime,
    trigger: &TriggerRow,
    call: &Call,
    event: &Value,
    answer: Answer,
) -> Result<Reception> {
    let id = call.id();
    if id.len() > MAX_ID_CHARS || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        let error = Error::invalid("webhook-id", format!("expected at most {MAX_ID_CHARS} visible characters"));
        let reason = error.to_string();
        return refuse(runtime, trigger, call, error, &reason).await;
    }
    let occasion = |firing: &NewFiring| if id.is_empty() { format!("call:{}", firing.id) } else { format!("id:{id}") };
    let mut claimed = fire::open(runtime, trigger, String::new(), event, call.summary());
    claimed.occasion = Some(occasion(&claimed));
    if claimed.outcome == Outcome::Failed {
        // The caller may send it again once the template is mended.
        claimed.occasion = None;
        fire::record(runtime, &claimed).await?;
        return Err(Error::invalid("/inputs", claimed.reason));
    }
    let is_new = fire::record(runtime, &claimed).await?;
    if !is_new {
        return repeat(runtime, trigger, call, &claimed).await;
    }
    let open = fire::to_start(trigger, claimed).expect("it was claimed to be started");
    let settled = match fire::start(runtime, &open).await {
        Attempt::Settled(settled, error) => {
            fire::settle(runtime, &open, &settled).await?;
            error.map_or(Ok(settled.run_id), Err)
        }
        Attempt::Later(error) => {
            // Whoever sends it again has it started under the same id; without one it is told as failed here and now.
            if id.is_empty() {
                let reason = format!("the run could not be started: {}", error.detail());
                let settled = firing::Settled { id: open.id, outcome: Outcome::Failed, reason, run_id: None };
                fire::settle(runtime, &open, &settled).await?;
            }
            Err(error)
        }
    };
    let run = settled.map_err(Error::Start)?.ok_or(Error::NotFound("run"))?;
    match answer {
        Answer::Accept => Ok(Reception::Accepted(run)),
        Answer::Wait { ms } => wait(runtime, trigger, run, ms).await,
    }
}

/// A call whose id came before: its run, started now if whoever claimed it has not come to it.
async fn repeat(runtime: &Runtime, trigger: &TriggerRow, call: &Call, claimed: &NewFiring) -> Result<Reception> {
    let occasion = claimed.occasion.as_deref().unwrap_or_default();
    let found = firing::find_occasion(&runtime.db, trigger.id, occasion).await?;
    let (first, open) =
        found.ok_or_else(|| Error::Unavailable("the first call with this id is just being undone".to_owned()))?;
    let run = match &open {
        Some(open) => match fire::start(runtime, open).await {
            Attempt::Settled(settled, error) => {
                fire::settle(runtime, open, &settled).await?;
                error.map_or(Ok(settled.run_id), |error| Err(Error::Start(error)))?
            }
            Attempt::Later(error) => return Err(Error::Start(error)),
        },
        None => first.run_id,
    };
    let reason = format!("the call with the id {} came before, at {}", call.id(), first.at);
    let told = fire::told(runtime, trigger, Outcome::Duplicate, reason, call.summary());
    fire::record(runtime, &NewFiring { run_id: run, ..told }).await?;
    run.map(Reception::Repeated).ok_or_else(|| {
        Error::Conflict(format!("the call with this id was {}: {}", first.outcome.as_str(), first.reason))
    })
}

async fn wait(runtime: &Runtime, trigger: &TriggerRow, run: RunId, ms: u32) -> Result<Reception> {
    let ctx = runtime.system(trigger.workspace_id);
    Ok(match workflow::wait_for_answer(&ctx, run, Duration::from_millis(u64::from(ms))).await? {
        Answered::Step(output) => Reception::Answered(run, output),
        Answered::Ended(status) => Reception::Ended(run, status, workflow::get_run(&ctx, run).await?.output),
        Answered::NotYet => Reception::Accepted(run),
    })
}

/// The live secrets; one that can't be decrypted, as under another master key, fits nothing.
async fn secrets(runtime: &Runtime, trigger: &TriggerRow) -> Result<Vec<Vec<u8>>> {
    let now = runtime.clock.now();
    let keys = store::key::list(&runtime.db, trigger.workspace_id, trigger.id..=trigger.id, now).await?;
    let secrets = keys.iter().filter(|key| key.kind == KeyKind::Secret.as_str());
    Ok(secrets.filter_map(|key| runtime.keys.unseal(&manage::place(key.id), key.sealed.as_deref()?)).collect())
}

async fn refuse(runtime: &Runtime, trigger: &TriggerRow, call: &Call, error: Error, reason: &str) -> Result<Reception> {
    tracing::info!(trigger = %trigger.id, reason, "a webhook's call was refused");
    let told = fire::told(runtime, trigger, Outcome::Refused, reason.to_owned(), call.summary());
    fire::record(runtime, &told).await?;
    Err(error)
}

/// A call too many: one row a minute tells of all.
async fn limited(
    runtime: &Runtime,
    trigger: &TriggerRow,
    call: &Call,
    per_minute: u32,
    retry_after_ms: u64,
) -> Result<Reception> {
    let minute = runtime.clock.now().unix_ms() / 60_000;
    let reason = format!("more than {per_minute} calls in a minute; further ones of this minute are not listed");
    let told = fire::told(runtime, trigger, Outcome::Refused, reason, call.summary());
    fire::record(runtime, &NewFiring { occasion: Some(format!("limited:{minute}")), ..told }).await?;
    Err(Error::Limited { retry_after_ms })
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The id that makes a repeat known.
    fn id(&self) -> &str {
        match self.header("webhook-id") {
            "" => self.header("idempotency-key"),
            id => id,
        }
    }

    /// What templates see of the call.
    fn event(&self, body: &[u8]) -> Result<Value> {
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
    fn summary(&self) -> Value {
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
