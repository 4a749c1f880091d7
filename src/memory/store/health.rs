//! What the health of a memory is told by. Every question reads a bounded number of rows.

use sqlx::{FromRow, query_as};

use super::entry::trust_of;
use super::row::{place_of_entry, sealed_of, sealed_version};
use crate::db::{self, Result};
use crate::memory::Error;
use crate::memory::crypt::{self, Holds, Place, Unreadable, read_body};
use crate::model::memory::{HealthEntry, Reach};
use crate::model::{EntryId, Timestamp};
use crate::read;
use crate::runtime::Ctx;

/// Rows that each question answers with at most.
const MOST: i64 = 50;
/// Entries among which long ones are looked for, those changed last, and those that nobody reads, those changed the longest ago.
const LOOKED_AT: i64 = 10_000;
/// Characters that are shown of an entry.
const EXCERPT_CHARS: usize = 240;

macro_rules! short {
    ($before:literal, $paths:literal, $after:literal) => {
        concat!(
            "select e.namespace, e.key, e.version, e.id, e.plain as content, e.sealed, e.data_key, e.deleted_at, cast(coalesce(e.chars, length(e.plain)) as bigint) as chars, e.trust,
                e.updated_at, e.expires_at from memory_entry e ",
            $before,
            reachable!($paths),
            $after
        )
    };
}

/// An entry, as short as lists show it.
#[derive(Debug, FromRow)]
pub(super) struct ShortRow {
    namespace: String,
    key: String,
    id: EntryId,
    version: i64,
    content: String,
    sealed: Option<Vec<u8>>,
    data_key: Option<i64>,
    deleted_at: Option<Timestamp>,
    #[sqlx(skip)]
    unreadable: Option<Unreadable>,
    chars: i64,
    trust: String,
    updated_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl From<ShortRow> for HealthEntry {
    fn from(row: ShortRow) -> Self {
        let trust = trust_of(&row.trust);
        let excerpt = row.content.chars().take(EXCERPT_CHARS).collect();
        let unreadable = row.unreadable.map(|why| why.to_string());
        let ShortRow { namespace, key, version, chars, updated_at, expires_at, .. } = row;
        Self { namespace, key, version, excerpt, chars, trust, updated_at, expires_at, unreadable }
    }
}

impl Holds for ShortRow {
    fn take_sealed(&mut self) -> Option<(Place, Vec<u8>)> {
        let version = sealed_version(self.version, self.deleted_at);
        Some((place_of_entry(self.id, version), sealed_of(&mut self.sealed, self.data_key)?))
    }

    fn put_clear(&mut self, clear: Result<Vec<u8>, Unreadable>) {
        match clear.and_then(read_body) {
            Ok(body) => self.content = body.content,
            Err(why) => self.unreadable = Some(why),
        }
    }
}

async fn told(ctx: &Ctx, rows: sqlx::Result<Vec<ShortRow>>) -> Result<Vec<HealthEntry>, Error> {
    let rows = crypt::open_rows(ctx, rows.map_err(db::Error::from)?).await?;
    Ok(rows.into_iter().map(HealthEntry::from).collect())
}

/// Entries that were not changed since, the oldest change first.
pub(in crate::memory) async fn unchanged_since(
    ctx: &Ctx,
    reach: &Reach,
    now: Timestamp,
    since: Timestamp,
) -> Result<Vec<HealthEntry>, Error> {
    const SQL: &str = short!(
        "where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is null
           and (e.expires_at is null or e.expires_at > $2) and e.updated_at < $3",
        "$5",
        "order by e.updated_at, e.id limit $4"
    );
    told(ctx, read!(&ctx.db, conn => query_as(SQL).bind(ctx.workspace()).bind(now).bind(since).bind(MOST).bind(reach.readable_paths()).fetch_all(conn).await)).await
}

/// Entries written before a moment that nobody was given since, the oldest change first, among those changed the longest ago.
pub(in crate::memory) async fn never_read(
    ctx: &Ctx,
    reach: &Reach,
    now: Timestamp,
    before: Timestamp,
) -> Result<Vec<HealthEntry>, Error> {
    const SQL: &str = short!(
        "where e.id in (select l.id from memory_entry l
                        where l.workspace_id = $1 and l.deleted_at is null and l.updated_at < $3
                        order by l.updated_at, l.id limit $4)
           and e.quarantined_at is null and (e.expires_at is null or e.expires_at > $2)
           and not exists (select 1 from memory_reader r where r.entry_id = e.id and r.reads + r.found > 0)",
        "$6",
        "order by e.updated_at, e.id limit $5"
    );
    told(
        ctx,
        read!(&ctx.db, conn => query_as(SQL)
        .bind(ctx.workspace())
        .bind(now)
        .bind(before)
        .bind(LOOKED_AT)
        .bind(MOST)
        .bind(reach.readable_paths())
        .fetch_all(conn)
        .await),
    )
    .await
}

/// Entries of more characters, the longest first, among those that were changed last.
pub(in crate::memory) async fn longer_than(
    ctx: &Ctx,
    reach: &Reach,
    now: Timestamp,
    chars: i64,
) -> Result<Vec<HealthEntry>, Error> {
    const SQL: &str = short!(
        "where e.id in (select l.id from memory_entry l where l.workspace_id = $1 order by l.change desc limit $4)
           and e.deleted_at is null and e.quarantined_at is null and (e.expires_at is null or e.expires_at > $2)
           and coalesce(e.chars, length(e.plain)) > $3",
        "$6",
        "order by coalesce(e.chars, length(e.plain)) desc, e.change desc limit $5"
    );
    told(
        ctx,
        read!(&ctx.db, conn => query_as(SQL)
        .bind(ctx.workspace())
        .bind(now)
        .bind(chars)
        .bind(LOOKED_AT)
        .bind(MOST)
        .bind(reach.readable_paths())
        .fetch_all(conn)
        .await),
    )
    .await
}

/// Entries that are gone by then, the first to go first.
pub(in crate::memory) async fn gone_by(
    ctx: &Ctx,
    reach: &Reach,
    now: Timestamp,
    by: Timestamp,
) -> Result<Vec<HealthEntry>, Error> {
    const SQL: &str = short!(
        "where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is null
           and e.expires_at is not null and e.expires_at > $2 and e.expires_at <= $3",
        "$5",
        "order by e.expires_at, e.change limit $4"
    );
    told(
        ctx,
        read!(&ctx.db, conn => query_as(SQL).bind(ctx.workspace()).bind(now).bind(by).bind(MOST).bind(reach.readable_paths()).fetch_all(conn).await),
    )
    .await
}

/// Entries in quarantine, changed last first.
pub(in crate::memory) async fn held(ctx: &Ctx, reach: &Reach, now: Timestamp) -> Result<Vec<HealthEntry>, Error> {
    const SQL: &str = short!(
        "where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is not null
           and (e.expires_at is null or e.expires_at > $2)",
        "$4",
        "order by e.change desc limit $3"
    );
    told(ctx, read!(&ctx.db, conn => query_as(SQL).bind(ctx.workspace()).bind(now).bind(MOST).bind(reach.readable_paths()).fetch_all(conn).await))
        .await
}
