//! What of the memory an agent was given, over all of its tasks.

use super::store::agent as agents;
use super::store::agent_memory as store;
use crate::model::auth::Action;
use crate::model::memory::{Reach, RunRead};
use crate::model::{AgentId, ApiError, EntryId, Page, PageRequest, Timestamp};
use crate::runtime::Ctx;

/// The entries that an agent opened or found in its tasks of the last 90 days, the last first: each with the question that found it,
/// its place among what was found, and the step. Entries that are gone are not among them, nor tasks that so many others followed
/// that an entry no longer lists them, nor what lies beyond the reach of who asks.
///
/// # Errors
/// [`ApiError::Forbidden`], [`ApiError::NotFound`], [`ApiError::Invalid`] for a cursor that is none of ours, or the database's.
pub async fn list_agent_memory(
    ctx: &Ctx,
    reach: &Reach,
    id: AgentId,
    page: &PageRequest,
) -> Result<Page<RunRead>, ApiError> {
    ctx.authorize(Action::ReadAgent)?;
    ctx.authorize(Action::ReadMemory)?;
    if agents::list(&ctx.db, ctx.workspace(), Some(id)).await?.is_empty() {
        return Err(ApiError::not_found("agent"));
    }
    let read =
        |text: &String| Place::read(text).ok_or_else(|| ApiError::invalid("cursor", "expected the next of a page"));
    let before = page.cursor.as_ref().map(read).transpose()?;
    let (limit, now) = (page.limit(), ctx.clock.now());
    // A page is filled with what may be shown, and the next one begins behind an entry that is: neither says what is hidden.
    let (mut from, mut shown) = (before, Vec::new());
    loop {
        let found = store::list(&ctx.db, ctx.workspace(), id, now, from.as_ref(), limit + 1).await?;
        let is_last = found.len() <= limit as usize;
        from = found.last().map(|(place, _)| place.clone());
        shown.extend(found.into_iter().filter(|(_, read)| reach.may_read(&read.namespace)));
        if is_last || shown.len() > limit as usize {
            break;
        }
    }
    let Page { items, next } = Page::cut(shown, limit, |(place, _)| place.to_string());
    Ok(Page { items: items.into_iter().map(|(_, read)| read).collect(), next })
}

/// Where a reading stands among those of its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub last_at: Timestamp,
    pub entry: EntryId,
    pub reader: String,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let last_at = Timestamp(parts.next()?.parse().ok()?);
        let entry = parts.next()?.parse().ok()?;
        let reader = parts.next().filter(|reader| !reader.contains('\0'))?.to_owned();
        Some(Self { last_at, entry, reader })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.last_at.0, self.entry, self.reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_whatever_the_step_is_called() {
        let reader = "run:00000000-0000-0000-0000-000000000000/each[0].a.b/c".to_owned();
        let place = Place { last_at: Timestamp(5), entry: EntryId(uuid::Uuid::nil()), reader };
        assert_eq!(Place::read(&place.to_string()), Some(place));
        for foreign in ["", "5", "5.x.y", "x.00000000-0000-0000-0000-000000000000.run:a"] {
            assert_eq!(Place::read(foreign), None, "{foreign}");
        }
    }
}
