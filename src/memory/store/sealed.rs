//! What of memory is sealed with the master key: the keys of the workspaces, and nothing else.

use crate::memory::crypt::place_of_key;
use crate::model::WorkspaceId;
use crate::runtime::keys::Column;

/// The columns.
pub const SEALED: [Column; 1] = [Column {
    what: "keys of workspaces, under which memory rests",
    find: "select workspace_id as id, number, wrapped as sealed from workspace_key
         where substr(wrapped, 1, 12) <> $1 and (workspace_id, number) > ($2, $3)
         order by workspace_id, number limit $4",
    put: "update workspace_key set wrapped = $1 where workspace_id = $2 and number = $3 and wrapped = $4",
    count: "select count(*) from workspace_key where substr(wrapped, 1, 12) <> $1",
    place: |row| place_of_key(WorkspaceId(row.id), row.number),
}];
