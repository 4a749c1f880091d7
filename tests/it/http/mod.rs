//! The edges as the outside meets them: who may call what, what the document promises, headers, the live socket.

mod agents;
mod conformance;
mod document;
mod headers;
mod matrix;
mod pages;
mod plan;
mod socket;
mod tenants;
mod workflows;

pub use crate::auth::{call, json_of, member, owner};

/// An id that names nothing.
pub const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// The smallest definition that the checker accepts.
pub fn definition(name: &str) -> serde_json::Value {
    serde_json::json!({"weft": 1, "name": name, "steps": [{"id": "a", "kind": "transform", "config": {"value": 1}}]})
}
