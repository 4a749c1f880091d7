//! Who was given an entry.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as};

use super::entry::trust_of;
use crate::db::{Db, Result, Tx};
use crate::model::memory::{Reach, Reader, Reading, RunRead, Sought};
use crate::model::{EntryId, RunId, Timestamp, WorkspaceId};
use crate::{read, within};

/// A reader of an entry, or the sums of those that are no longer listed.
#[derive(Debug, FromRow)]
pub(in crate::memory) struct ReaderRow {
    who: Option<Json<Reader>>,
    pub reads: i64,
    pub found: i64,
    version: i64,
    sought: Option<Json<Sought>>,
    pub first_at: Timestamp,
    last_at: Timestamp,
}

impl ReaderRow {
    /// The reader; nobody of the row of the sums.
    pub fn reading(self) -> Option<Reading> {
        let Json(reader) = self.who?;
        Some(Reading {
            reader,
            reads: self.reads,
            found: self.found,
            version: self.version,
            sought: self.sought.map(|sought| sought.0),
            first_at: self.first_at,
            last_at: self.last_at,
        })
    }
}

/// An entry that a run was given.
#[derive(Debug, FromRow)]
pub(in crate::memory) struct RunReadRow {
    namespace: String,
    key: String,
    trust: String,
    #[sqlx(flatten)]
    reader: ReaderRow,
}

impl RunReadRow {
    /// The entry with what the run was given of it.
    pub fn read(self) -> Option<RunRead> {
        let Self { namespace, key, trust, reader } = self;
        Some(RunRead { namespace, key, trust: trust_of(&trust), reading: reader.reading()? })
    }
}

/// What is written of one reader and one entry.
#[derive(Debug)]
pub(in crate::memory) struct NewRead<'a> {
    pub entry: EntryId,
    /// By what the same reader is known again.
    pub name: &'a str,
    pub reader: &'a Reader,
    pub reads: i64,
    pub found: i64,
    pub version: i64,
    pub sought: Option<&'a Sought>,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

/// Locks the readers of an entry until the commit, by the row of their sums. `false`: there is no such entry any more.
pub(in crate::memory) async fn begin_reads(tx: &mut Tx, entry: EntryId, at: Timestamp) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "insert into memory_reader (entry_id, reader, reads, found, version, first_at, last_at)
         select id, '', 0, 0, 0, $2, $2 from memory_entry where id = $1
         on conflict (entry_id, reader) do update set version = 0",
    )
    .bind(entry)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() > 0))?)
}

/// Adds to what a reader was given. What they were given after `once` already counts no more.
pub(in crate::memory) async fn add_read(tx: &mut Tx, row: &NewRead<'_>, once: Timestamp) -> Result<()> {
    let run = match row.reader {
        Reader::Run { run_id, .. } => Some(*run_id),
        Reader::User { .. } | Reader::Cli {} => None,
    };
    let at = |count: i64| (count > 0).then_some(row.last_at);
    within!(tx, conn => query(
        "insert into memory_reader (entry_id, reader, who, run_id, reads, found, version, sought, read_at, found_at, first_at, last_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (entry_id, reader) do update set
             who = excluded.who,
             reads = memory_reader.reads + case when memory_reader.read_at > $13 then 0 else excluded.reads end,
             found = memory_reader.found + case when memory_reader.found_at > $13 then 0 else excluded.found end,
             version = excluded.version,
             sought = coalesce(excluded.sought, memory_reader.sought),
             read_at = coalesce(excluded.read_at, memory_reader.read_at),
             found_at = coalesce(excluded.found_at, memory_reader.found_at),
             last_at = excluded.last_at",
    )
    .bind(row.entry)
    .bind(row.name)
    .bind(Json(row.reader))
    .bind(run)
    .bind(row.reads)
    .bind(row.found)
    .bind(row.version)
    .bind(row.sought.map(Json))
    .bind(at(row.reads))
    .bind(at(row.found))
    .bind(row.first_at)
    .bind(row.last_at)
    .bind(once)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Adds those who are no longer among the last `listed` readers of an entry to its sums, and removes them.
pub(in crate::memory) async fn fold_readers(tx: &mut Tx, entry: EntryId, listed: i64) -> Result<()> {
    // 1,000 are more than one flush can add; the limit is there because SQLite knows no offset without one.
    let (reads, found): (i64, i64) = within!(tx, conn => query_as(
        "select cast(coalesce(sum(reads), 0) as bigint), cast(coalesce(sum(found), 0) as bigint) from
             (select reads, found from memory_reader where entry_id = $1 and reader <> ''
              order by last_at desc, reader limit 1000 offset $2) old",
    )
    .bind(entry)
    .bind(listed)
    .fetch_one(conn)
    .await)?;
    if reads == 0 && found == 0 {
        return Ok(());
    }
    within!(tx, conn => query(
        "delete from memory_reader where entry_id = $1 and reader in
             (select reader from memory_reader where entry_id = $1 and reader <> ''
              order by last_at desc, reader limit 1000 offset $2)",
    )
    .bind(entry)
    .bind(listed)
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query(
        "update memory_reader set reads = reads + $2, found = found + $3 where entry_id = $1 and reader = ''",
    )
    .bind(entry)
    .bind(reads)
    .bind(found)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// The readers of an entry, the last one first, with the row of the sums.
pub(in crate::memory) async fn readers(db: &Db, entry: EntryId, limit: i64) -> Result<Vec<ReaderRow>> {
    Ok(read!(db, conn => query_as(
        "select who, reads, found, version, sought, first_at, last_at from memory_reader
         where entry_id = $1 order by case when reader = '' then 0 else 1 end, last_at desc, reader limit $2",
    )
    .bind(entry)
    .bind(limit)
    .fetch_all(conn)
    .await)?)
}

/// The entries that a run was given, the last first; of one step where a name is given.
pub(in crate::memory) async fn reads_of_run(
    db: &Db,
    workspace: WorkspaceId,
    reach: &Reach,
    (run, name): (RunId, &str),
    now: Timestamp,
    limit: i64,
) -> Result<Vec<RunReadRow>> {
    const SQL: &str = concat!(
        "select e.namespace, e.key, e.trust, r.who, r.reads, r.found, r.version, r.sought, r.first_at, r.last_at
         from memory_reader r join memory_entry e on e.id = r.entry_id
         where r.run_id = $1 and e.workspace_id = $2 and ($3 = '' or r.reader = $3)
           and e.deleted_at is null and (e.expires_at is null or e.expires_at > $4)",
        reachable!("$6"),
        "order by r.last_at desc, e.namespace, e.key limit $5"
    );
    Ok(read!(db, conn => query_as(SQL)
    .bind(run)
    .bind(workspace)
    .bind(name)
    .bind(now)
    .bind(limit)
    .bind(reach.readable_paths())
    .fetch_all(conn)
    .await)?)
}
