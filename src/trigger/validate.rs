//! Whether a trigger can be as somebody wants it.

use serde_json::Value;

use super::error::Result;
use super::{Error, schedule};
use crate::model::FieldError;
use crate::model::trigger::{Answer, Config, TriggerDraft, template};

/// Characters of a name.
const MAX_NAME_CHARS: usize = 120;
/// Bytes of the template of the inputs.
const MAX_INPUTS_BYTES: usize = 64 * 1024;
/// Characters of the template of a call's id.
const MAX_CALL_ID_CHARS: usize = 400;
/// Characters of a namespace.
const MAX_NAMESPACE_CHARS: usize = 400;

/// Checks what a person gave; `summary` names a trigger without a name.
pub(super) fn check(draft: &TriggerDraft, pointer: &str) -> Result<()> {
    let mut found = Vec::new();
    if draft.name.trim().chars().count() > MAX_NAME_CHARS {
        found.push(FieldError::new("/name", format!("expected at most {MAX_NAME_CHARS} characters")));
    }
    if draft.name.chars().any(char::is_control) {
        found.push(FieldError::new("/name", "expected no control characters"));
    }
    if let Err(Error::Invalid(fields)) = check_config(draft, pointer) {
        found.extend(fields);
    }
    found.extend(check_inputs(&draft.inputs));
    if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found)) }
}

fn check_inputs(inputs: &Value) -> Option<FieldError> {
    let text = inputs.to_string();
    if text.len() > MAX_INPUTS_BYTES {
        return Some(FieldError::new("/inputs", format!("expected at most {MAX_INPUTS_BYTES} bytes")));
    }
    // Postgres' jsonb can't hold it.
    if text.replace(r"\\", "").contains(r"\u0000") {
        return Some(FieldError::new("/inputs", "expected no NUL characters"));
    }
    template::check(inputs).err().map(|(at, message)| FieldError::new(format!("/inputs{at}"), message))
}

fn check_config(draft: &TriggerDraft, at: &str) -> Result<()> {
    match &draft.config {
        Config::Schedule { cron, timezone, .. } => schedule::read(cron, timezone, at).map(drop),
        Config::Webhook { answer, rate_per_minute, call_id, signed } => {
            if let Some(template) = call_id {
                if *signed {
                    let message = "expected nothing: a signed call is known by webhook-id, which its signature covers";
                    return Err(Error::invalid(format!("{at}/call_id"), message));
                }
                if template.trim().is_empty() || template.chars().count() > MAX_CALL_ID_CHARS {
                    let message = format!("expected 1 to {MAX_CALL_ID_CHARS} characters");
                    return Err(Error::invalid(format!("{at}/call_id"), message));
                }
                template::check_text(template).map_err(|message| Error::invalid(format!("{at}/call_id"), message))?;
            }
            if let Answer::Wait { ms } = answer
                && !(100..=60_000).contains(ms)
            {
                return Err(Error::invalid(format!("{at}/answer/ms"), format!("expected 100 to 60000, found {ms}")));
            }
            if !(1..=Config::MAX_RATE).contains(rate_per_minute) {
                let message = format!("expected 1 to {}, found {rate_per_minute}", Config::MAX_RATE);
                return Err(Error::invalid(format!("{at}/rate_per_minute"), message));
            }
            Ok(())
        }
        Config::Memory { namespace, on } => {
            let parts = || namespace.split('/');
            if namespace.chars().count() > MAX_NAMESPACE_CHARS
                || namespace.chars().any(char::is_control)
                || (!namespace.is_empty() && parts().any(str::is_empty))
            {
                return Err(Error::invalid(
                    format!("{at}/namespace"),
                    "expected a path such as code/decisions, or nothing",
                ));
            }
            if on.is_empty() {
                return Err(Error::invalid(format!("{at}/on"), "expected written, deleted or both"));
            }
            Ok(())
        }
        Config::RunFinished { of, statuses } => {
            if *of == Some(draft.workflow_id) {
                return Err(Error::invalid(
                    format!("{at}/of"),
                    "expected another workflow than the one it starts: it would never end",
                ));
            }
            if statuses.is_empty() || statuses.iter().any(|status| !status.is_final()) {
                return Err(Error::invalid(
                    format!("{at}/statuses"),
                    "expected succeeded, failed, cancelled or some of them",
                ));
            }
            Ok(())
        }
    }
}
