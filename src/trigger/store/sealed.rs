//! What of triggers is sealed with the master key.

use super::super::manage;
use crate::model::TriggerKeyId;
use crate::runtime::keys::Column;
use crate::sealed_column;

/// The columns.
pub const SEALED: [Column; 1] =
    [sealed_column!("secrets of webhooks", "trigger_key", "id", "sealed", "", |row| manage::place(TriggerKeyId(
        row.id
    )))];
