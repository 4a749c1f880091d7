//! What of memory is sealed with the master key: the keys of the workspaces, and those of stores that backups go to.

use crate::memory::backup;
use crate::memory::crypt::place_of_key;
use crate::model::{BackupId, WorkspaceId};
use crate::runtime::keys::Column;
use crate::sealed_column;

/// The columns.
pub const SEALED: [Column; 2] = [
    Column {
        what: "keys of workspaces, under which memory rests",
        find: "select workspace_id as id, number, wrapped as sealed from workspace_key
         where substr(wrapped, 1, 12) <> $1 and (workspace_id, number) > ($2, $3)
         order by workspace_id, number limit $4",
        put: "update workspace_key set wrapped = $1 where workspace_id = $2 and number = $3 and wrapped = $4",
        count: "select count(*) from workspace_key where substr(wrapped, 1, 12) <> $1",
        place: |row| place_of_key(WorkspaceId(row.id), row.number),
    },
    sealed_column!("keys of stores for backups", "memory_backup", "id", "sealed", "", |row| backup::secret_place(
        BackupId(row.id)
    )),
];
