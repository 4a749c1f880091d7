//! The SQL of identity, and its private row structs; one file a table.

pub(super) mod invites;
pub(super) mod login_sessions;
pub(super) mod setup;
pub(super) mod users;

use crate::db;
use crate::model::auth::Role;

/// Reads a stored role.
fn role(table: &'static str, text: &str) -> db::Result<Role> {
    Role::parse(text).ok_or_else(|| db::Error::inconsistent(table, "role", text))
}
