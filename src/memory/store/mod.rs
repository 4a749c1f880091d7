//! The tables of memory: entries as they are, their versions, their tags, their vectors, and a change number and keys a workspace.
//!
//! Rows with something encrypted in them come out opened (`memory::crypt`); what can't be opened says so.

/// Only entries `e` of places that the asker may read: the rule of the longest path over each is among those whose paths the parameter
/// holds ([`Reach::readable_paths`](crate::model::memory::Reach::readable_paths)), or there is none.
macro_rules! reachable {
    ($paths:literal) => {
        concat!(
            " and (",
            $paths,
            " = '' or coalesce((select case when replace(",
            $paths,
            ", '\n' || a.path || '\n', '') <> ",
            $paths,
            " then 1 else 0 end
               from memory_access a
               where a.workspace_id = e.workspace_id
                 and (e.namespace = a.path or (e.namespace >= a.path || '/' and e.namespace < a.path || '0'))
               order by length(a.path) desc limit 1), 1) = 1) "
        )
    };
}

mod access;
mod activity;
mod backup;
mod bulk;
mod embedder;
mod entry;
mod health;
mod key;
mod map;
mod namespace;
mod quarantine;
mod reader;
mod relation;
mod reseal;
mod retention;
mod row;
mod sealed;
mod sibling;
mod summary;
mod summary_rule;
mod table;
mod then;
mod timeline;
mod upkeep;
mod vector;
mod version;

pub(super) use access::*;
pub(super) use activity::*;
pub(super) use backup::*;
pub(super) use bulk::*;
pub(super) use embedder::*;
pub(super) use entry::*;
pub(super) use health::*;
pub(super) use key::*;
pub(super) use map::*;
pub(super) use namespace::*;
pub(super) use quarantine::*;
pub(super) use reader::*;
pub(super) use relation::*;
pub(super) use reseal::*;
pub(super) use retention::*;
pub(super) use row::*;
pub use sealed::SEALED;
pub(super) use sibling::*;
pub(super) use summary::*;
pub(super) use summary_rule::*;
pub(super) use table::*;
pub(super) use then::*;
pub(super) use timeline::*;
pub(super) use upkeep::*;
pub(super) use vector::*;
pub(super) use version::*;
