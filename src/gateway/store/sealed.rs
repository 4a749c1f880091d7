//! What of the gateway is sealed with the master key.

use super::super::{content, providers};
use crate::model::{CallId, ProviderId};
use crate::runtime::keys::Column;
use crate::sealed_column;

/// The columns.
pub const SEALED: [Column; 3] = [
    sealed_column!("keys of model providers", "provider", "id", "sealed", "", |row| providers::place(ProviderId(
        row.id
    ))),
    sealed_column!("what models were asked", "model_call_content", "call_id", "request", "", |row| {
        content::place(CallId(row.id), "request")
    }),
    sealed_column!("what models answered", "model_call_content", "call_id", "answer", "", |row| {
        content::place(CallId(row.id), "answer")
    }),
];
