//! Entries as lines of a table, in an order that one chooses, page by page.
//!
//! A page begins behind the last line of the page before, by what that line was sorted by and its id: what is written meanwhile
//! neither repeats nor hides a line that stands still.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::{Error, Filter, access, store, validate};
use crate::model::memory::{EntryOrder, EntryTable};
use crate::model::{EntryId, FieldError, Page, PageRequest};
use crate::runtime::Ctx;

/// Where a page begins: behind this line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Behind {
    pub at: At,
    pub id: EntryId,
}

/// What a line is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    Text(String),
    /// A count, a number of a change, or microseconds.
    Whole(i64),
    /// The bits of a number: they read back as exactly that number.
    Real(u64),
}

/// Entries as lines, in quarantine or not as the filter says.
///
/// # Errors
/// [`Error::Invalid`] for a namespace that none can have, a cursor that is none of this order, and a moment of the past: versions
/// know no reads, and are listed by [`list`](super::list).
pub async fn table(ctx: &Ctx, filter: &Filter, order: EntryOrder, page: &PageRequest) -> Result<EntryTable, Error> {
    let reach = access::reading(ctx).await?;
    let (limit, cursor) = (page.limit(), page.cursor.as_deref());
    validate::listing(filter, &PageRequest { limit, cursor: None })?;
    if filter.as_of.is_some() {
        let expected = "expected none: the past is listed by its changes alone";
        return Err(Error::Invalid(vec![FieldError::new("as_of", expected)]));
    }
    let behind = cursor.map(|cursor| read_cursor(order, cursor)).transpose()?;
    let now = ctx.clock.now();
    let total = match behind {
        Some(_) => None,
        None => Some(store::count_listed(ctx, &reach, now, filter).await?),
    };
    let (rows, is_cut) = store::table(ctx, (&reach, now), filter, order, behind.as_ref(), limit + 1).await?;
    let cursor_of = |row: &store::LineRow| write_cursor(order, &row.behind(order));
    let last = rows.last().filter(|_| is_cut).map(cursor_of);
    let mut page = Page::cut(rows, limit, cursor_of);
    page.next = page.next.or(last);
    Ok(EntryTable { items: page.items.into_iter().map(store::LineRow::line).collect(), next: page.next, total })
}

fn write_cursor(order: EntryOrder, behind: &Behind) -> String {
    let (kind, at) = match &behind.at {
        At::Text(text) => ('t', text.clone()),
        At::Whole(number) => ('w', number.to_string()),
        At::Real(bits) => ('r', bits.to_string()),
    };
    BASE64_URL_SAFE_NO_PAD.encode(format!("{}\n{}\n{kind}{at}", order.text(), behind.id))
}

fn read_cursor(order: EntryOrder, cursor: &str) -> Result<Behind, Error> {
    let read = || -> Option<Behind> {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let mut parts = text.splitn(3, '\n');
        let (of, id, at) = (parts.next()?, parts.next()?, parts.next()?);
        if of != order.text() {
            return None;
        }
        let kind = at.chars().next()?;
        let rest = at.get(kind.len_utf8()..)?;
        let at = match kind {
            't' if !rest.contains('\0') => At::Text(rest.to_owned()),
            // No moment and no count is larger, and a database counts moments from another one.
            'w' => At::Whole(rest.parse().ok().filter(|whole: &i64| whole.unsigned_abs() < 1 << 62)?),
            'r' => At::Real(rest.parse().ok()?),
            _ => return None,
        };
        Some(Behind { at, id: id.parse().ok()? })
    };
    read().ok_or_else(|| {
        Error::Invalid(vec![FieldError::new("cursor", "expected the \"next\" of the page before, in the same order")])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::memory::EntrySort;

    #[test]
    fn a_cursor_reads_back_in_its_own_order_alone() {
        let order = EntryOrder { by: EntrySort::Key, descending: false };
        let id = EntryId(uuid::Uuid::from_u128(7));
        for at in [At::Text("a\nb".to_owned()), At::Text(String::new()), At::Whole(-3), At::Real(0.1_f64.to_bits())] {
            let behind = Behind { at, id };
            let cursor = write_cursor(order, &behind);
            assert_eq!(read_cursor(order, &cursor).unwrap(), behind);
            assert!(read_cursor(EntryOrder::default(), &cursor).is_err());
        }
        let too_large = BASE64_URL_SAFE_NO_PAD.encode(format!("key\n{id}\nw{}", i64::MIN));
        for wrong in ["", "17", "!", &BASE64_URL_SAFE_NO_PAD.encode("key\nx\nt"), &too_large] {
            assert!(read_cursor(order, wrong).is_err(), "{wrong}");
        }
    }
}
