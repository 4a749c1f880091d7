//! A task that is given again with the key of the first time: the same request is the same task, another one is refused.

use super::super::store;
use crate::agents::error::{Error, Result};
use crate::model::FieldError;
use crate::model::agent::{QueuedTask, TaskDraft};
use crate::runtime::Ctx;

/// Characters of a key at most.
const MOST: usize = 200;

/// Whether a key is one.
pub(super) fn check(key: Option<&str>) -> Result<()> {
    match key {
        Some(key) if key.is_empty() || key.len() > MOST || key.chars().any(char::is_control) => {
            let expected = "expected 1 to 200 characters and no control characters";
            Err(Error::Invalid(vec![FieldError::new("Idempotency-Key", expected)]))
        }
        _ => Ok(()),
    }
}

/// The task that was given with this key, if one was.
///
/// # Errors
/// [`Error::Conflict`] where that was another request.
pub(super) async fn find(ctx: &Ctx, key: Option<&str>, draft: &TaskDraft) -> Result<Option<QueuedTask>> {
    let Some(key) = key else { return Ok(None) };
    match store::queue::find_by_key(&ctx.db, ctx.workspace(), key).await? {
        Some(held) if held.task.task == *draft => Ok(Some(held.task)),
        Some(_) => Err(reused()),
        None => Ok(None),
    }
}

/// The key was used for something else.
pub(super) fn reused() -> Error {
    Error::Conflict("this idempotency key was used for a different request".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_short_text() {
        assert!(check(None).is_ok() && check(Some("k")).is_ok() && check(Some(&"k".repeat(200))).is_ok());
        for key in [String::new(), "k".repeat(201), "a\nb".to_owned()] {
            assert!(matches!(check(Some(&key)), Err(Error::Invalid(_))), "{key:?}");
        }
    }
}
