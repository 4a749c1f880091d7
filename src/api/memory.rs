//! Memory, as the memory page and the palette call it.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::memory::{
    Access, AccessRule, Backup, BackupDraft, BackupRestore, EmbedTrial, EmbedTried, EmbedderDraft, EmbedderReport,
    EncryptionReport, Entries, Entry, EntryBulk, EntryBulkDone, EntryDraft, EntryExport, EntryFilter, EntryName,
    EntryOrder, EntryTable, EntryVersion, HealthEntry, ImportPart, ImportReport, Learned, LocalModel, MemoryHealth,
    MemoryMap, MemorySettings, Namespace, NamespaceActivity, Readers, Relation, RelationDraft, RestoreReport,
    Retention, RetentionPreview, Search, SearchResult, Sibling, Summarized, SummaryDraft, SummaryEstimate,
    SummaryLinks, SummaryPlan, SummaryRule, SummaryRuleDraft,
};
use crate::model::{ApiError, BackupId, Page, PageRequest, SummaryRuleId, Timestamp};

/// Searches entries.
#[server(prefix = "/rpc", endpoint = "memory/search", input = Json)]
pub async fn search_memory(search: Search) -> Result<SearchResult, ApiError> {
    Ok(crate::memory::search(&crate::http::request_ctx().await?, &search).await?)
}

/// Lists entries, changed last first.
#[server(prefix = "/rpc", endpoint = "memory/list", input = Json)]
pub async fn list_entries(filter: EntryFilter, page: PageRequest) -> Result<Entries, ApiError> {
    Ok(crate::memory::list(&crate::http::request_ctx().await?, &filter, &page).await?)
}

/// Lists entries as lines of a table, in an order that one chooses.
#[server(prefix = "/rpc", endpoint = "memory/table", input = Json)]
pub async fn list_entry_lines(
    filter: EntryFilter,
    order: EntryOrder,
    page: PageRequest,
) -> Result<EntryTable, ApiError> {
    Ok(crate::memory::table(&crate::http::request_ctx().await?, &filter, order, &page).await?)
}

/// What was learned when, the last first.
#[server(prefix = "/rpc", endpoint = "memory/timeline", input = Json)]
pub async fn memory_timeline(filter: EntryFilter, page: PageRequest) -> Result<Page<Learned>, ApiError> {
    Ok(crate::memory::timeline(&crate::http::request_ctx().await?, &filter, &page).await?)
}

/// Lists the namespaces that hold entries or are described.
#[server(prefix = "/rpc", endpoint = "memory/namespaces", input = Json)]
pub async fn list_namespaces() -> Result<Vec<Namespace>, ApiError> {
    Ok(crate::memory::namespaces(&crate::http::request_ctx().await?).await?)
}

/// How much was written in each namespace lately.
#[server(prefix = "/rpc", endpoint = "memory/activity", input = Json)]
pub async fn list_namespace_activity() -> Result<Vec<NamespaceActivity>, ApiError> {
    Ok(crate::memory::activity(&crate::http::request_ctx().await?).await?)
}

/// Says what a namespace is for; empty takes that back.
#[server(prefix = "/rpc", endpoint = "memory/describe", input = Json)]
pub async fn describe_namespace(namespace: String, description: String) -> Result<Namespace, ApiError> {
    let said = crate::model::memory::NamespaceDescription { description };
    Ok(crate::memory::describe(&crate::http::request_ctx().await?, &namespace, &said).await?)
}

/// Says how long the entries of a namespace and all below it are kept; `None` removes what was said.
#[server(prefix = "/rpc", endpoint = "memory/keep", input = Json)]
pub async fn keep_namespace(namespace: String, retention: Option<Retention>) -> Result<(), ApiError> {
    let ctx = crate::http::request_ctx().await?;
    match retention {
        Some(retention) => Ok(crate::memory::keep_for(&ctx, &namespace, retention).await.map(drop)?),
        None => Ok(crate::memory::keep_for_ever(&ctx, &namespace).await?),
    }
}

/// What a rule would remove now.
#[server(prefix = "/rpc", endpoint = "memory/preview_keep", input = Json)]
pub async fn preview_keep(namespace: String, retention: Retention) -> Result<RetentionPreview, ApiError> {
    Ok(crate::memory::preview_retention(&crate::http::request_ctx().await?, &namespace, retention).await?)
}

/// The rules of who may read and change what.
#[server(prefix = "/rpc", endpoint = "memory/access", input = Json)]
pub async fn list_memory_access() -> Result<Vec<AccessRule>, ApiError> {
    Ok(crate::memory::list_access(&crate::http::request_ctx().await?).await?)
}

/// Says who may read and change the entries of a namespace and all below it; `None` removes what was said.
#[server(prefix = "/rpc", endpoint = "memory/allow", input = Json)]
pub async fn allow_namespace(namespace: String, access: Option<Access>) -> Result<(), ApiError> {
    let ctx = crate::http::request_ctx().await?;
    match access {
        Some(access) => Ok(crate::memory::allow(&ctx, &namespace, access).await.map(drop)?),
        None => Ok(crate::memory::allow_by_role(&ctx, &namespace).await?),
    }
}

/// Reads an entry, also one in quarantine: a person looks at it.
#[server(prefix = "/rpc", endpoint = "memory/get", input = Json)]
pub async fn get_entry(namespace: String, key: String) -> Result<Entry, ApiError> {
    Ok(crate::memory::get_any(&crate::http::request_ctx().await?, &namespace, &key).await?)
}

/// Reads an entry as it stood then, also one that was in quarantine.
#[server(prefix = "/rpc", endpoint = "memory/get_as_of", input = Json)]
pub async fn get_entry_as_of(namespace: String, key: String, as_of: Timestamp) -> Result<Entry, ApiError> {
    Ok(crate::memory::get_any_as_of(&crate::http::request_ctx().await?, &namespace, &key, as_of).await?)
}

/// Writes an entry over the version that the writer saw; version 0 means that there was none.
#[server(prefix = "/rpc", endpoint = "memory/put", input = Json)]
pub async fn put_entry(namespace: String, key: String, draft: EntryDraft, version: i64) -> Result<Entry, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    let expect = if version == 0 { crate::memory::Expect::Absent } else { crate::memory::Expect::Version(version) };
    Ok(crate::memory::put(&ctx, &namespace, &key, draft, expect, crate::memory::source(&ctx)).await?)
}

/// What would come of items of a file; nothing is written.
#[server(prefix = "/rpc", endpoint = "memory/preview_import", input = Json)]
pub async fn preview_memory_import(part: ImportPart) -> Result<ImportReport, ApiError> {
    Ok(crate::memory::preview_import(&crate::http::request_ctx().await?, &part).await?)
}

/// Writes the entries of items of a file.
#[server(prefix = "/rpc", endpoint = "memory/import", input = Json)]
pub async fn import_memory_part(part: ImportPart) -> Result<ImportReport, ApiError> {
    Ok(crate::memory::import_part(&crate::http::request_ctx().await?, &part).await?)
}

/// What is said of an entry and others.
#[server(prefix = "/rpc", endpoint = "memory/relations", input = Json)]
pub async fn list_relations(namespace: String, key: String) -> Result<Vec<Relation>, ApiError> {
    Ok(crate::memory::relations(&crate::http::request_ctx().await?, &namespace, &key).await?)
}

/// Says something of an entry and another; gives what is said of the entry then.
#[server(prefix = "/rpc", endpoint = "memory/relate", input = Json)]
pub async fn relate_entries(namespace: String, key: String, draft: RelationDraft) -> Result<Vec<Relation>, ApiError> {
    Ok(crate::memory::relate(&crate::http::request_ctx().await?, (&namespace, &key), &draft).await?)
}

/// Takes back what is said of an entry and another.
#[server(prefix = "/rpc", endpoint = "memory/unrelate", input = Json)]
pub async fn unrelate_entries(namespace: String, key: String, other: EntryName) -> Result<(), ApiError> {
    Ok(crate::memory::unrelate(&crate::http::request_ctx().await?, (&namespace, &key), &other).await?)
}

/// The texts that stand beside an entry, and those that were merged.
#[server(prefix = "/rpc", endpoint = "memory/siblings", input = Json)]
pub async fn list_siblings(namespace: String, key: String) -> Result<Vec<Sibling>, ApiError> {
    Ok(crate::memory::siblings(&crate::http::request_ctx().await?, &namespace, &key).await?)
}

/// The entries that share the most telling words with one.
#[server(prefix = "/rpc", endpoint = "memory/related", input = Json)]
pub async fn list_related(namespace: String, key: String) -> Result<Vec<HealthEntry>, ApiError> {
    Ok(crate::memory::related(&crate::http::request_ctx().await?, &namespace, &key).await?)
}

/// The entries of a namespace and all below it as points.
#[server(prefix = "/rpc", endpoint = "memory/map", input = Json)]
pub async fn map_memory(namespace: String) -> Result<MemoryMap, ApiError> {
    Ok(crate::memory::map(&crate::http::request_ctx().await?, &namespace).await?)
}

/// What a summary of entries would be made of, and what it would cost.
#[server(prefix = "/rpc", endpoint = "memory/estimate", input = Json)]
pub async fn estimate_summary(draft: SummaryDraft) -> Result<SummaryEstimate, ApiError> {
    Ok(crate::memory::estimate(&crate::http::request_ctx().await?, &draft).await?)
}

/// Has a model summarize entries; kept as an entry only where `keep` says so.
#[server(prefix = "/rpc", endpoint = "memory/summarize", input = Json)]
pub async fn summarize_entries(draft: SummaryDraft, keep: bool) -> Result<Summarized, ApiError> {
    Ok(crate::memory::summarize(&crate::http::request_ctx().await?, &draft, keep).await?)
}

/// What an entry was summarized of, and its summaries.
#[server(prefix = "/rpc", endpoint = "memory/summary_links", input = Json)]
pub async fn get_summary_links(namespace: String, key: String) -> Result<SummaryLinks, ApiError> {
    Ok(crate::memory::summary_links(&crate::http::request_ctx().await?, &namespace, &key).await?)
}

/// The rules by which a model summarizes entries, each with what came of it.
#[server(prefix = "/rpc", endpoint = "memory/summary_rules", input = Json)]
pub async fn list_summary_rules() -> Result<Vec<SummaryRule>, ApiError> {
    Ok(crate::memory::list_summary_rules(&crate::http::request_ctx().await?).await?)
}

/// Makes a rule, or writes another text of one.
#[server(prefix = "/rpc", endpoint = "memory/save_summary_rule", input = Json)]
pub async fn save_summary_rule(id: Option<SummaryRuleId>, draft: SummaryRuleDraft) -> Result<SummaryRule, ApiError> {
    Ok(crate::memory::save_summary_rule(&crate::http::request_ctx().await?, id, draft).await?)
}

/// Removes a rule; its summaries stay.
#[server(prefix = "/rpc", endpoint = "memory/delete_summary_rule", input = Json)]
pub async fn delete_summary_rule(id: SummaryRuleId) -> Result<(), ApiError> {
    Ok(crate::memory::delete_summary_rule(&crate::http::request_ctx().await?, id).await?)
}

/// What a rule would do now, and what that would cost.
#[server(prefix = "/rpc", endpoint = "memory/preview_summary_rule", input = Json)]
pub async fn preview_summary_rule(draft: SummaryRuleDraft) -> Result<SummaryPlan, ApiError> {
    Ok(crate::memory::preview_summary_rule(&crate::http::request_ctx().await?, draft).await?)
}

/// Has a rule look at once.
#[server(prefix = "/rpc", endpoint = "memory/run_summary_rule", input = Json)]
pub async fn run_summary_rule(id: SummaryRuleId) -> Result<SummaryRule, ApiError> {
    Ok(crate::memory::hasten_summary_rule(&crate::http::request_ctx().await?, id).await?)
}

/// Who was given an entry, the last one first.
#[server(prefix = "/rpc", endpoint = "memory/readers", input = Json)]
pub async fn list_readers(namespace: String, key: String) -> Result<Readers, ApiError> {
    Ok(crate::memory::readers(&crate::http::request_ctx().await?, &namespace, &key).await?)
}

/// Writes an entry by somebody who has read this version of it and these siblings: it replaces all of them.
#[server(prefix = "/rpc", endpoint = "memory/merge", input = Json)]
pub async fn merge_entry(
    namespace: String,
    key: String,
    draft: EntryDraft,
    version: i64,
    merges: Vec<i64>,
) -> Result<Entry, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    let stated = crate::memory::Stated {
        expect: crate::memory::Expect::Version(version),
        on_conflict: crate::model::memory::OnConflict::Refuse,
        merges,
    };
    Ok(crate::memory::put_beside(&ctx, (&namespace, &key), draft, stated, crate::memory::source(&ctx))
        .await?
        .into_entry())
}

/// Deletes an entry; [`undelete_entry`] brings it back.
#[server(prefix = "/rpc", endpoint = "memory/delete", input = Json)]
pub async fn delete_entry(namespace: String, key: String, version: i64) -> Result<(), ApiError> {
    let ctx = crate::http::request_ctx().await?;
    Ok(crate::memory::delete(&ctx, &namespace, &key, crate::memory::Expect::Version(version)).await?)
}

/// Brings a deleted entry back as it was.
#[server(prefix = "/rpc", endpoint = "memory/undelete", input = Json)]
pub async fn undelete_entry(namespace: String, key: String) -> Result<Entry, ApiError> {
    Ok(crate::memory::undelete(&crate::http::request_ctx().await?, &namespace, &key).await?)
}

/// Gives an entry the content of one of its versions again.
#[server(prefix = "/rpc", endpoint = "memory/restore", input = Json)]
pub async fn restore_entry(namespace: String, key: String, version: i64) -> Result<Entry, ApiError> {
    Ok(crate::memory::restore(&crate::http::request_ctx().await?, &namespace, &key, version).await?)
}

/// Changes many entries, one after the other; what takes it back comes with the answer.
#[server(prefix = "/rpc", endpoint = "memory/change", input = Json)]
pub async fn change_entries(bulk: EntryBulk) -> Result<EntryBulkDone, ApiError> {
    Ok(crate::memory::change_entries(&crate::http::request_ctx().await?, &bulk).await?)
}

/// Gives chosen entries as lines of JSON, as many as an answer holds.
#[server(prefix = "/rpc", endpoint = "memory/export", input = Json)]
pub async fn export_entries(names: Vec<EntryName>) -> Result<EntryExport, ApiError> {
    Ok(crate::memory::export_entries(&crate::http::request_ctx().await?, &names).await?)
}

/// Puts an entry into quarantine, in the version that the person saw.
#[server(prefix = "/rpc", endpoint = "memory/quarantine", input = Json)]
pub async fn quarantine_entry(namespace: String, key: String, reason: String, version: i64) -> Result<Entry, ApiError> {
    let (ctx, expect) = (crate::http::request_ctx().await?, crate::memory::Expect::Version(version));
    Ok(crate::memory::quarantine(&ctx, (&namespace, &key), &reason, expect).await?)
}

/// Lets an entry out of quarantine, in the version that the person saw.
#[server(prefix = "/rpc", endpoint = "memory/release", input = Json)]
pub async fn release_entry(namespace: String, key: String, version: i64) -> Result<Entry, ApiError> {
    let (ctx, expect) = (crate::http::request_ctx().await?, crate::memory::Expect::Version(version));
    Ok(crate::memory::release(&ctx, (&namespace, &key), expect).await?)
}

/// What is done about what is written.
#[server(prefix = "/rpc", endpoint = "memory/settings", input = Json)]
pub async fn get_memory_settings() -> Result<MemorySettings, ApiError> {
    Ok(crate::memory::get_settings(&crate::http::request_ctx().await?).await?)
}

/// Changes what is done about what is written.
#[server(prefix = "/rpc", endpoint = "memory/update_settings", input = Json)]
pub async fn update_memory_settings(settings: MemorySettings) -> Result<MemorySettings, ApiError> {
    Ok(crate::memory::update_settings(&crate::http::request_ctx().await?, settings).await?)
}

/// What in the memory may need somebody.
#[server(prefix = "/rpc", endpoint = "memory/health", input = Json)]
pub async fn get_memory_health() -> Result<MemoryHealth, ApiError> {
    Ok(crate::memory::get_health(&crate::http::request_ctx().await?).await?)
}

/// Under which keys the memory rests, and how far a change of them has come.
#[server(prefix = "/rpc", endpoint = "memory/encryption", input = Json)]
pub async fn get_memory_encryption() -> Result<EncryptionReport, ApiError> {
    Ok(crate::memory::get_encryption(&crate::http::request_ctx().await?).await?)
}

/// Makes a new key for the memory.
#[server(prefix = "/rpc", endpoint = "memory/rotate_key", input = Json)]
pub async fn rotate_memory_key() -> Result<EncryptionReport, ApiError> {
    Ok(crate::memory::rotate_data_key(&crate::http::request_ctx().await?).await?)
}

/// The kept versions of an entry, newest first.
#[server(prefix = "/rpc", endpoint = "memory/history", input = Json)]
pub async fn entry_history(namespace: String, key: String) -> Result<Vec<EntryVersion>, ApiError> {
    Ok(crate::memory::history(&crate::http::request_ctx().await?, &namespace, &key).await?)
}

/// How entries are found: what makes their vectors, and how far it has come.
#[server(prefix = "/rpc", endpoint = "memory/embedder", input = Json)]
pub async fn get_embedder() -> Result<EmbedderReport, ApiError> {
    Ok(crate::memory::get_embedder(&crate::http::request_ctx().await?).await?)
}

/// The models of this machine that can make vectors.
#[server(prefix = "/rpc", endpoint = "memory/local_models", input = Json)]
pub async fn list_local_models() -> Result<Vec<LocalModel>, ApiError> {
    Ok(crate::memory::list_local_models(&crate::http::request_ctx().await?).await?)
}

/// Embeds a text as a trial.
#[server(prefix = "/rpc", endpoint = "memory/try_embedder", input = Json)]
pub async fn try_embedder(trial: EmbedTrial) -> Result<EmbedTried, ApiError> {
    Ok(crate::memory::try_embedder(&crate::http::request_ctx().await?, trial).await?)
}

/// Sets what makes vectors of entries.
#[server(prefix = "/rpc", endpoint = "memory/set_embedder", input = Json)]
pub async fn set_embedder(draft: EmbedderDraft) -> Result<EmbedderReport, ApiError> {
    Ok(crate::memory::set_embedder(&crate::http::request_ctx().await?, draft).await?)
}

/// The backups, the oldest first, each with its copies and what came of it.
#[server(prefix = "/rpc", endpoint = "memory/backups", input = Json)]
pub async fn list_backups() -> Result<Vec<Backup>, ApiError> {
    Ok(crate::memory::list_backups(&crate::http::request_ctx().await?).await?)
}

/// Makes a backup, or writes another text of one.
#[server(prefix = "/rpc", endpoint = "memory/save_backup", input = Json)]
pub async fn save_backup(id: Option<BackupId>, draft: BackupDraft) -> Result<Backup, ApiError> {
    Ok(crate::memory::save_backup(&crate::http::request_ctx().await?, id, draft).await?)
}

/// Removes a backup; its copies stay where they are.
#[server(prefix = "/rpc", endpoint = "memory/delete_backup", input = Json)]
pub async fn delete_backup(id: BackupId) -> Result<(), ApiError> {
    Ok(crate::memory::delete_backup(&crate::http::request_ctx().await?, id).await?)
}

/// Has a backup made at once.
#[server(prefix = "/rpc", endpoint = "memory/run_backup", input = Json)]
pub async fn run_backup(id: BackupId) -> Result<Backup, ApiError> {
    Ok(crate::memory::hasten_backup(&crate::http::request_ctx().await?, id).await?)
}

/// Brings a copy back, or says what would come of it.
#[server(prefix = "/rpc", endpoint = "memory/restore_backup", input = Json)]
pub async fn restore_backup(id: BackupId, asked: BackupRestore) -> Result<RestoreReport, ApiError> {
    Ok(crate::memory::restore_backup(&crate::http::request_ctx().await?, id, &asked).await?)
}
