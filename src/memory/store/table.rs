//! Entries in an order that one chooses, a page at a time.

use sqlx::{FromRow, query_as, query_scalar};

use super::row::EntryRow;
use super::then::{behind, labels};
use crate::db::{self, Result};
use crate::memory::Error;
use crate::memory::crypt::{self, Holds, Place, Unreadable};
use crate::memory::table::{At, Behind};
use crate::model::memory::{EntryFilter, EntryLine, EntryOrder, EntrySort, Reach};
use crate::model::{EntryId, Timestamp};
use crate::read;
use crate::runtime::Ctx;

/// An entry with what a line says beside it.
#[derive(Debug, FromRow)]
pub(in crate::memory) struct LineRow {
    #[sqlx(flatten)]
    entry: EntryRow,
    reads: i64,
    chars: i64,
    writer: String,
}

impl LineRow {
    /// Where a page behind this line begins.
    pub fn behind(&self, order: EntryOrder) -> Behind {
        let entry = &self.entry;
        let at = match order.by {
            EntrySort::Key => At::Text(entry.key().to_owned()),
            EntrySort::Namespace => At::Text(entry.namespace().to_owned()),
            EntrySort::Source => At::Text(self.writer.clone()),
            EntrySort::Changed => At::Whole(entry.updated_at().0),
            EntrySort::Created => At::Whole(entry.created_at.0),
            EntrySort::Reads => At::Whole(self.reads),
            EntrySort::Size => At::Whole(self.chars),
            EntrySort::Importance => At::Real(entry.importance().to_bits()),
        };
        Behind { at, id: entry.id }
    }

    /// What the line says.
    pub fn line(self) -> EntryLine {
        EntryLine::of(self.entry.shown(), self.reads, self.chars)
    }
}

impl Holds for LineRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        self.entry.take_sealed()
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        self.entry.put_clear(clear);
    }
}

/// Which entries are listed; as in `entry.rs`.
macro_rules! listed {
    ($select:expr, $held:literal, $paths:literal, $rest:expr) => {
        concat!(
            $select,
            " from memory_entry e
              where e.workspace_id = $1 and e.deleted_at is null and (e.expires_at is null or e.expires_at > $2)
                and ($3 = '' or e.namespace = $3 or (e.namespace >= $3 || '/' and e.namespace < $3 || '0'))
                and ($4 = '' or (e.key >= $4 and e.key < $5))
                and ($6 = '' or exists (select 1 from memory_tag t where t.entry_id = e.id and t.tag = $6))
                and ($7 = '' or $7 like '%,' || e.trust || ',%')
                and e.quarantined_at ",
            $held,
            reachable!($paths),
            $rest
        )
    };
}

macro_rules! reads {
    () => {
        "(select cast(coalesce(sum(r.reads + r.found), 0) as bigint) from memory_reader r where r.entry_id = e.id)"
    };
}
macro_rules! chars {
    () => {
        "cast(coalesce(e.chars, length(e.plain)) as bigint)"
    };
}
macro_rules! writer {
    () => {
        "(coalesce(e.source ->> 'kind', '') || ' ' || coalesce(e.source ->> 'name', e.source ->> 'step', ''))"
    };
}

/// Where a page begins: at the first line.
macro_rules! first {
    ($at:expr, $than:literal) => {
        // What is not needed is named all the same: both pages take the same parameters.
        concat!(" and ($8 = 0 or ", $at, " ", $than, " $9 or e.id ", $than, " $10)")
    };
}

/// Behind a line: a database goes there by an index, and does not walk past what stands before.
macro_rules! further {
    ($at:expr, $than:literal) => {
        concat!(" and $8 = 1 and ", $at, " ", $than, "= $9 and (", $at, " ", $than, " $9 or e.id ", $than, " $10)")
    };
}

/// A page. The inner query sorts ids alone, so that no text is carried through the sorting.
macro_rules! page {
    ($held:literal, $at:expr, $from:expr, $way:literal) => {
        concat!(
            "select e.id, e.namespace, e.key, e.plain as content, e.sealed, e.data_key, e.value, e.tags, e.metadata, e.importance, e.version, e.source,
                e.created_at, e.updated_at, e.expires_at, e.deleted_at, e.change, e.context_group, e.context_position,
                e.trust, e.quarantine, e.quarantined_at, e.siblings, e.superseded_at, ",
            reads!(), " as reads, ", chars!(), " as chars, ", writer!(), " as writer
             from (",
            listed!(
                concat!("select e.id, ", $at, " as place"),
                $held,
                "$12",
                concat!($from, " order by 2 ", $way, ", 1 ", $way, " limit $11")
            ),
            ") p join memory_entry e on e.id = p.id order by p.place ", $way, ", p.id ", $way
        )
    };
}

/// The text for a column, an order, entries in quarantine or all others, and the first page or one behind it.
macro_rules! pick {
    ($order:expr, $held:expr, $goes_on:expr, $at:expr) => {{
        const UP: [&str; 2] =
            [page!("is null", $at, first!($at, ">"), "asc"), page!("is null", $at, further!($at, ">"), "asc")];
        const DOWN: [&str; 2] =
            [page!("is null", $at, first!($at, "<"), "desc"), page!("is null", $at, further!($at, "<"), "desc")];
        const HELD_UP: [&str; 2] =
            [page!("is not null", $at, first!($at, ">"), "asc"), page!("is not null", $at, further!($at, ">"), "asc")];
        const HELD_DOWN: [&str; 2] = [
            page!("is not null", $at, first!($at, "<"), "desc"),
            page!("is not null", $at, further!($at, "<"), "desc"),
        ];
        let texts = match ($held, $order.descending) {
            (false, false) => UP,
            (false, true) => DOWN,
            (true, false) => HELD_UP,
            (true, true) => HELD_DOWN,
        };
        texts[usize::from($goes_on)]
    }};
}

/// What stands before every line; a page begins with the first one there.
const BEFORE_ALL: EntryId = EntryId(uuid::Uuid::nil());

/// Characters of the texts of one page at most, beside its first line.
const MOST_CHARS: i64 = 2_000_000;

/// Lines in an order, behind one or from the start, and whether there are fewer than asked for though more follow: their texts are long.
pub(in crate::memory) async fn table(
    ctx: &Ctx,
    (reach, now): (&Reach, Timestamp),
    filter: &EntryFilter,
    order: EntryOrder,
    from: Option<&Behind>,
    limit: u32,
) -> Result<(Vec<LineRow>, bool), Error> {
    let (held, on) = (filter.quarantined, from.is_some());
    let sql = match order.by {
        EntrySort::Key => pick!(order, held, on, "e.key"),
        EntrySort::Namespace => pick!(order, held, on, "e.namespace"),
        EntrySort::Changed => pick!(order, held, on, "e.updated_at"),
        EntrySort::Created => pick!(order, held, on, "e.created_at"),
        EntrySort::Importance => pick!(order, held, on, "e.importance"),
        EntrySort::Reads => pick!(order, held, on, reads!()),
        EntrySort::Size => pick!(order, held, on, chars!()),
        EntrySort::Source => pick!(order, held, on, writer!()),
    };
    let (behind_prefix, trust) = (behind(&filter.prefix), labels(filter));
    let goes_on = i64::from(on);
    let id = from.map_or(BEFORE_ALL, |from| from.id);
    // One body for each type that a column has: both databases want to know it.
    macro_rules! fetch {
        ($at:expr) => {
            read!(&ctx.db, conn => query_as(sql)
                .bind(ctx.workspace())
                .bind(now)
                .bind(filter.namespace.as_str())
                .bind(filter.prefix.as_str())
                .bind(behind_prefix.as_str())
                .bind(filter.tag.as_str())
                .bind(trust.as_str())
                .bind(goes_on)
                .bind($at)
                .bind(id)
                .bind(i64::from(limit))
                .bind(reach.readable_paths())
                .fetch_all(conn)
                .await)
        };
    }
    let whole = match from.map(|from| &from.at) {
        Some(At::Whole(number)) => *number,
        _ => 0,
    };
    let rows = match order.by {
        EntrySort::Key | EntrySort::Namespace | EntrySort::Source => {
            let text = match from.map(|from| &from.at) {
                Some(At::Text(text)) => text.as_str(),
                _ => "",
            };
            fetch!(text)
        }
        EntrySort::Changed | EntrySort::Created => fetch!(Timestamp(whole)),
        EntrySort::Reads | EntrySort::Size => fetch!(whole),
        EntrySort::Importance => {
            let real = match from.map(|from| &from.at) {
                Some(At::Real(bits)) => f64::from_bits(*bits),
                _ => 0.0,
            };
            fetch!(real)
        }
    };
    let mut rows: Vec<LineRow> = rows.map_err(db::Error::from)?;
    let is_cut = cut(&mut rows);
    Ok((crypt::open_rows(ctx, rows).await?, is_cut))
}

/// Leaves out what would make a page heavy: a line shows the beginning of its text, and that is decrypted whole. Whether it did.
fn cut(rows: &mut Vec<LineRow>) -> bool {
    let mut chars = 0;
    let heavy = rows.iter().position(|row| {
        chars += row.chars;
        chars > MOST_CHARS
    });
    let kept = heavy.map_or(rows.len(), |at| at.max(1));
    let is_cut = kept < rows.len();
    rows.truncate(kept);
    is_cut
}

/// How many entries a list with this filter shows.
pub(in crate::memory) async fn count_listed(
    ctx: &Ctx,
    reach: &Reach,
    now: Timestamp,
    filter: &EntryFilter,
) -> Result<i64> {
    const FREE: &str = listed!("select count(*)", "is null", "$8", "");
    const HELD: &str = listed!("select count(*)", "is not null", "$8", "");
    let sql = if filter.quarantined { HELD } else { FREE };
    Ok(read!(&ctx.db, conn => query_scalar(sql)
        .bind(ctx.workspace())
        .bind(now)
        .bind(filter.namespace.as_str())
        .bind(filter.prefix.as_str())
        .bind(behind(&filter.prefix))
        .bind(filter.tag.as_str())
        .bind(labels(filter))
        .bind(reach.readable_paths())
        .fetch_one(conn)
        .await)?)
}
