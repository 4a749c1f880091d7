//! Rules for summaries, what came of them, and what they could summarize.

use sqlx::types::Json;
use sqlx::{FromRow, query, query_as, query_scalar};

use crate::db::{Db, Result, Tx};
use crate::memory::maker::Maker;
use crate::model::auth::Role;
use crate::model::memory::{KEPT_FIRINGS, Reach, SummaryFiring, SummaryRuleDraft};
use crate::model::{EntryId, SummaryRuleId, Timestamp, UserId, WorkspaceId};
use crate::{read, within};

/// A rule. Whether it is switched on stands in a column of its own too, by which those that are due are found.
#[derive(Debug, Clone)]
pub(in crate::memory) struct RuleRow {
    pub id: SummaryRuleId,
    pub workspace_id: WorkspaceId,
    pub spec: SummaryRuleDraft,
    pub made_by: Maker,
    pub created_at: Timestamp,
    pub next_at: Timestamp,
}

/// The same as it is stored.
#[derive(FromRow)]
struct StoredRule {
    id: SummaryRuleId,
    workspace_id: WorkspaceId,
    spec: Json<SummaryRuleDraft>,
    made_by: Option<UserId>,
    made_by_name: Option<String>,
    made_role: Option<String>,
    created_at: Timestamp,
    next_at: Timestamp,
}

impl From<StoredRule> for RuleRow {
    fn from(row: StoredRule) -> Self {
        let StoredRule { id, workspace_id, spec, made_by, made_by_name, made_role, created_at, next_at } = row;
        let role = made_role.as_deref().and_then(Role::parse);
        let made_by = Maker { user: made_by, name: made_by_name, role };
        Self { id, workspace_id, spec: spec.0, made_by, created_at, next_at }
    }
}

/// The rules of a workspace, the oldest first.
pub(in crate::memory) async fn rules(db: &Db, workspace: WorkspaceId) -> Result<Vec<RuleRow>> {
    let rows: Vec<StoredRule> = read!(db, conn => query_as(
        "select id, workspace_id, spec, made_by, made_by_name, made_role, created_at, next_at from memory_summary_rule
         where workspace_id = $1 order by created_at, id limit 200",
    )
    .bind(workspace)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(RuleRow::from).collect())
}

/// A rule of a workspace.
pub(in crate::memory) async fn find_rule(
    db: &Db,
    workspace: WorkspaceId,
    id: SummaryRuleId,
) -> Result<Option<RuleRow>> {
    let row: Option<StoredRule> = read!(db, conn => query_as(
        "select id, workspace_id, spec, made_by, made_by_name, made_role, created_at, next_at from memory_summary_rule
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(RuleRow::from))
}

/// How many rules a workspace has.
pub(in crate::memory) async fn count_rules(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    Ok(within!(tx, conn => query_scalar("select count(*) from memory_summary_rule where workspace_id = $1")
        .bind(workspace)
        .fetch_one(conn)
        .await)?)
}

/// Makes a rule, or writes another text of it.
pub(in crate::memory) async fn put_rule(tx: &mut Tx, row: &RuleRow) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_summary_rule (id, workspace_id, spec, enabled, made_by, made_by_name, created_at, next_at, made_role)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (id) do update set spec = excluded.spec, enabled = excluded.enabled, made_by = excluded.made_by,
             made_by_name = excluded.made_by_name, made_role = excluded.made_role, next_at = excluded.next_at",
    )
    .bind(row.id)
    .bind(row.workspace_id)
    .bind(Json(&row.spec))
    .bind(row.spec.enabled)
    .bind(row.made_by.user)
    .bind(row.made_by.name.as_deref())
    .bind(row.created_at)
    .bind(row.next_at)
    .bind(row.made_by.role.map(Role::as_str))
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Removes a rule with what came of it; false when there is none. Its summaries stay.
pub(in crate::memory) async fn delete_rule(tx: &mut Tx, workspace: WorkspaceId, id: SummaryRuleId) -> Result<bool> {
    Ok(within!(tx, conn => query("delete from memory_summary_rule where workspace_id = $1 and id = $2")
        .bind(workspace)
        .bind(id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?)
}

/// Rules of all workspaces that are switched on and due, the one that waits longest first.
pub(in crate::memory) async fn due_rules(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<RuleRow>> {
    let rows: Vec<StoredRule> = read!(db, conn => query_as(
        "select id, workspace_id, spec, made_by, made_by_name, made_role, created_at, next_at from memory_summary_rule
         where enabled and next_at <= $1 order by next_at, id limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(RuleRow::from).collect())
}

/// Takes a rule that is due, until `next`; false when somebody was faster.
pub(in crate::memory) async fn take_rule(tx: &mut Tx, row: &RuleRow, next: Timestamp) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update memory_summary_rule set next_at = $3 where id = $1 and next_at = $2 and enabled",
    )
    .bind(row.id)
    .bind(row.next_at)
    .bind(next)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Has a rule look at once; false when there is none that is switched on.
pub(in crate::memory) async fn hasten_rule(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: SummaryRuleId,
    now: Timestamp,
) -> Result<bool> {
    Ok(within!(tx, conn => query(
        "update memory_summary_rule set next_at = $3 where workspace_id = $1 and id = $2 and enabled",
    )
    .bind(workspace)
    .bind(id)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))?)
}

/// Notes what came of a rule, unless it was removed meanwhile, and forgets the oldest.
pub(in crate::memory) async fn add_firing(tx: &mut Tx, rule: SummaryRuleId, firing: &SummaryFiring) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_summary_firing (rule_id, at, report)
         select id, $2, $3 from memory_summary_rule where id = $1
         on conflict (rule_id, at) do nothing",
    )
    .bind(rule)
    .bind(firing.at)
    .bind(Json(firing))
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query(
        "delete from memory_summary_firing where rule_id = $1 and at <= (
             select at from memory_summary_firing where rule_id = $1 order by at desc limit 1 offset $2)",
    )
    .bind(rule)
    .bind(KEPT_FIRINGS)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// What came of a rule, the last first.
pub(in crate::memory) async fn firings(db: &Db, rule: SummaryRuleId, limit: i64) -> Result<Vec<SummaryFiring>> {
    let rows: Vec<(Json<SummaryFiring>,)> = read!(db, conn => query_as(
        "select report from memory_summary_firing where rule_id = $1 order by at desc limit $2",
    )
    .bind(rule)
    .bind(limit)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|(report,)| report.0).collect())
}

/// What has no summary yet: no summary itself, made part of none in its newest version, also none that was deleted since.
macro_rules! unsummarized {
    ($before:literal, $($after:expr),+) => {
        concat!(
            $before,
            " from memory_entry e
             where e.workspace_id = $1 and e.deleted_at is null and e.quarantined_at is null
               and (e.expires_at is null or e.expires_at > $2) and e.updated_at <= $3
               and not exists (select 1 from memory_summary m where m.entry_id = e.id and m.version = e.version)
               and not exists (select 1 from memory_summary_source s where s.source_id = e.id and s.version = e.version) ",
            $($after),+
        )
    };
}

/// Namespaces with groups of so many entries without a summary: the namespace, the group (empty for what is in none), and how many. The
/// ones that were not changed for the longest time first.
pub(in crate::memory) async fn unsummarized_groups(
    db: &Db,
    workspace: WorkspaceId,
    reach: &Reach,
    spec: &SummaryRuleDraft,
    (now, before): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<(String, String, i64)>> {
    const SQL: &str = unsummarized!(
        "select e.namespace, coalesce(e.context_group, ''), count(*)",
        "and (e.namespace = $4 or (e.namespace >= $4 || '/' and e.namespace < $4 || '0'))",
        reachable!("$7"),
        "group by e.namespace, coalesce(e.context_group, '') having count(*) >= $5
         order by min(e.updated_at), e.namespace, coalesce(e.context_group, '') limit $6"
    );
    Ok(read!(db, conn => query_as(SQL)
        .bind(workspace)
        .bind(now)
        .bind(before)
        .bind(spec.namespace.as_str())
        .bind(i64::from(spec.at_least))
        .bind(limit)
        .bind(reach.readable_paths())
        .fetch_all(conn)
        .await)?)
}

/// The entries of such a group, in the order in which they are read.
pub(in crate::memory) async fn unsummarized_entries(
    db: &Db,
    workspace: WorkspaceId,
    (namespace, group): (&str, &str),
    (now, before): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<EntryId>> {
    const SQL: &str = unsummarized!(
        "select e.id",
        "and e.namespace = $4 and coalesce(e.context_group, '') = $5
         order by coalesce(e.context_position, 9223372036854775807), e.created_at, e.id limit $6"
    );
    Ok(read!(db, conn => query_scalar(SQL)
        .bind(workspace)
        .bind(now)
        .bind(before)
        .bind(namespace)
        .bind(group)
        .bind(limit)
        .fetch_all(conn)
        .await)?)
}
