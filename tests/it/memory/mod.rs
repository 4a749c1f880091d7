//! Memory's face on both engines.

mod access;
mod backup_store;
mod backups;
mod bulk;
mod context;
mod deputy;
mod duplicates;
mod encryption;
mod find;
mod health;
mod imports;
mod keep;
mod local;
mod map;
pub mod meaning;
mod namespaces;
mod quarantine;
mod readers;
mod related;
mod relations;
mod rest;
mod retention;
mod siblings;
mod table;
mod then;
mod timeline;
pub mod tiny;
mod trust;
mod vectors;

use weft::memory::{self, Expect};
use weft::model::WorkspaceId;
use weft::model::auth::Role;
use weft::model::memory::{Entry, EntryDraft, Search, Source};
use weft::runtime::{Actor, Ctx, Principal};
use weft::within;

use crate::support::Site;

/// A context of the program in a new workspace.
async fn workspace(site: &Site) -> Ctx {
    let rt = &site.runtime;
    let id: WorkspaceId = rt.ids.fresh();
    let mut tx = rt.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query("insert into workspace (id, name, created_at) values ($1, 'Team', $2)")
        .bind(id).bind(rt.clock.now()).execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    rt.system(id)
}

/// The same workspace, entered with a role.
fn as_role(ctx: &Ctx, role: Role) -> Ctx {
    let actor = Actor { workspace: ctx.workspace(), principal: Principal::System, role };
    ctx.runtime().as_actor(actor, String::new())
}

fn draft(content: &str) -> EntryDraft {
    EntryDraft { content: content.to_owned(), ..EntryDraft::default() }
}

async fn put(ctx: &Ctx, namespace: &str, key: &str, content: &str) -> Entry {
    memory::put(ctx, namespace, key, draft(content), Expect::Any, Source::Cli {}).await.unwrap()
}

/// The keys found, best first.
async fn found(ctx: &Ctx, query: &str) -> Vec<String> {
    found_in(ctx, Search::text(query)).await
}

async fn found_in(ctx: &Ctx, search: Search) -> Vec<String> {
    memory::search(ctx, &search).await.unwrap().hits.into_iter().map(|hit| hit.entry.key).collect()
}
