//! What the panes load: the list by what the address says, and the open entry.

use serde::{Deserialize, Serialize};

use super::MOST_HITS;
use super::operators::Typed;
use super::place::Place;
use super::table::{Asked, load_first};
use crate::api::memory::{get_entry, get_entry_as_of, list_entries, search_memory};
use crate::model::memory::{Entries, Entry, EntryFilter, EntryTable, Search, SearchResult, Trust};
use crate::model::{ApiError, PageRequest, Timestamp};

/// What the middle pane shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Listing {
    /// Without a query: a table, of which this is the first page, and with what that was asked for.
    Table(EntryTable, Asked),
    /// In quarantine or in the past: entries, changed last first.
    Entries(Entries),
    /// With a query: what was found, best first.
    Found(SearchResult),
}

/// What was typed, where it searches: no search finds what is in quarantine.
fn typed(place: &Place) -> Typed {
    if place.is_quarantine { Typed::default() } else { Typed::read(&place.query) }
}

/// Whether the list is a table.
pub(super) fn is_table(place: &Place) -> bool {
    !place.is_quarantine && place.then.is_none() && typed(place).words.is_empty()
}

/// Which entries a list shows.
///
/// # Errors
/// For what was typed that narrows no list.
pub(super) fn filter_of(place: &Place) -> Result<EntryFilter, ApiError> {
    let mut filter = EntryFilter {
        namespace: place.namespace.clone(),
        prefix: String::new(),
        tag: place.tag.clone(),
        trust: Trust::parse(&place.from).into_iter().collect(),
        quarantined: place.is_quarantine,
        as_of: place.then,
    };
    typed(place).narrow_list(&mut filter)?;
    Ok(filter)
}

/// Loads the list.
///
/// # Errors
/// The server's own, and for what was typed that narrows no list.
pub(super) async fn load_listing(place: Place, shown: u32) -> Result<Listing, ApiError> {
    let typed = typed(&place);
    if !typed.words.is_empty() {
        let tags = if place.tag.is_empty() { Vec::new() } else { vec![place.tag] };
        let mut search = Search {
            namespace: Some(place.namespace),
            tags,
            trust: Trust::parse(&place.from).into_iter().collect(),
            limit: shown.min(MOST_HITS),
            explain: true,
            as_of: place.then,
            without: place.without,
            ..Search::text(&typed.words)
        };
        typed.narrow(&mut search);
        return Ok(Listing::Found(search_memory(search).await?));
    }
    let filter = filter_of(&place)?;
    if is_table(&place) {
        let asked = (filter, place.order);
        return Ok(Listing::Table(load_first(asked.clone()).await?, asked));
    }
    let mut all = Entries { items: Vec::new(), next: None, unknown: None };
    loop {
        let limit = (shown - all.items.len() as u32).min(PageRequest::MAX);
        let page = list_entries(filter.clone(), PageRequest { limit, cursor: all.next }).await?;
        all.items.extend(page.items);
        all.next = page.next;
        all.unknown = page.unknown;
        if all.next.is_none() || all.items.len() as u32 >= shown {
            return Ok(Listing::Entries(all));
        }
    }
}

/// Loads the open entry, as it is or as it stood then; none where none is open.
///
/// # Errors
/// The server's own.
pub(super) async fn load_entry(at: String, key: String, then: Option<Timestamp>) -> Result<Option<Entry>, ApiError> {
    if key.is_empty() {
        return Ok(None);
    }
    match then {
        Some(then) => get_entry_as_of(at, key, then).await.map(Some),
        None => get_entry(at, key).await.map(Some),
    }
}
