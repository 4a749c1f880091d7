//! Memory, as the memory page and the palette call it.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::model::memory::{
    EmbedderDraft, EmbedderReport, Entry, EntryDraft, EntryVersion, Namespace, Search, SearchResult,
};
use crate::model::{ApiError, Page, PageRequest};

/// Searches entries.
#[server(prefix = "/rpc", endpoint = "memory/search", input = Json)]
pub async fn search_memory(search: Search) -> Result<SearchResult, ApiError> {
    Ok(crate::memory::search(&crate::http::request_ctx().await?, &search).await?)
}

/// Lists entries, changed last first; empty texts mean any.
#[server(prefix = "/rpc", endpoint = "memory/list", input = Json)]
pub async fn list_entries(namespace: String, tag: String, page: PageRequest) -> Result<Page<Entry>, ApiError> {
    let filter = crate::memory::Filter { namespace, tag, prefix: String::new() };
    Ok(crate::memory::list(&crate::http::request_ctx().await?, &filter, &page).await?)
}

/// Lists the namespaces that hold entries.
#[server(prefix = "/rpc", endpoint = "memory/namespaces", input = Json)]
pub async fn list_namespaces() -> Result<Vec<Namespace>, ApiError> {
    Ok(crate::memory::namespaces(&crate::http::request_ctx().await?).await?)
}

/// Reads an entry.
#[server(prefix = "/rpc", endpoint = "memory/get", input = Json)]
pub async fn get_entry(namespace: String, key: String) -> Result<Entry, ApiError> {
    Ok(crate::memory::get(&crate::http::request_ctx().await?, &namespace, &key).await?)
}

/// Writes an entry over the version that the writer saw; version 0 means that there was none.
#[server(prefix = "/rpc", endpoint = "memory/put", input = Json)]
pub async fn put_entry(namespace: String, key: String, draft: EntryDraft, version: i64) -> Result<Entry, ApiError> {
    let ctx = crate::http::request_ctx().await?;
    let expect = if version == 0 { crate::memory::Expect::Absent } else { crate::memory::Expect::Version(version) };
    Ok(crate::memory::put(&ctx, &namespace, &key, draft, expect, crate::memory::source(&ctx)).await?)
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

/// Sets what makes vectors of entries.
#[server(prefix = "/rpc", endpoint = "memory/set_embedder", input = Json)]
pub async fn set_embedder(draft: EmbedderDraft) -> Result<EmbedderReport, ApiError> {
    Ok(crate::memory::set_embedder(&crate::http::request_ctx().await?, draft).await?)
}
