//! Identity: the first owner, passwords, login sessions, access tokens, invitations, the people of a workspace.
//!
//! Owns `app_user`, `login_session`, `invite`, `setup` and (for its creation only) `workspace`. A sign-in is one row: a
//! browser's cookie or a client's family of refresh tokens, with the SHA-256 of its secret. Every request looks that row
//! and its person up, without a cache, so that logging out, revoking, disabling and a new password hold at once, on every
//! replica; whoever keeps a connection open listens to [`revocations`] or asks [`holds`] again.
//!
//! | what ends a login session | when |
//! |---|---|
//! | not used | [`IDLE_MS`], 14 days |
//! | at the latest | [`ABSOLUTE_MS`], 30 days after signing in |
//! | too many of one person | the least recently used beyond [`MAX_LOGIN_SESSIONS`], 50 |
//! | logging out, revoking, a password change elsewhere or a reset, being disabled | at once |
//!
//! Why not tower-sessions: its store keeps a blob under an id that it holds in clear, loaded and saved by the middleware.
//! We need the digest only, a list of one's own, revocation by person and epoch, and one look-up that yields the role
//! too; the same row also carries the refresh tokens. What would be left of the crate is the `Set-Cookie` line.
//!
//! Refuses to send e-mail (links are handed over by people), to delete people (history refers to them: they are disabled),
//! and to say whether an address has an account.

mod error;
mod invites;
mod limit;
mod login;
mod login_session;
mod password;
mod purge;
mod revocation;
mod setup;
mod store;
mod text;
mod token;
mod users;

pub use error::{Error, Result};
pub use invites::{accept_invite, accept_invite_for_tokens, delete_invite, find_invite, invite, list_invites};
pub use login::{BrowserSignIn, issue_tokens, log_in, log_out, refresh};
pub use login_session::{
    ABSOLUTE_MS, IDLE_MS, MAX_LOGIN_SESSIONS, authenticate_bearer, authenticate_cookie, holds, list_login_sessions,
    revoke_login_session, revoke_other_login_sessions,
};
pub use password::{MAX_BYTES as MAX_PASSWORD_BYTES, MIN_BYTES as MIN_PASSWORD_BYTES, hashes_run};
pub use purge::{purge, start};
pub use revocation::{Revoked, revocations};
pub use setup::{boot, create_local_workspace, find_workspace, is_setup_pending, set_up, set_up_and_log_in};
pub use token::{ACCESS_SECONDS, REFRESH as LASTING};
pub use users::{
    change_name, change_password, change_role, disable_user, enable_user, find_user, get_me, list_users,
    reset_password, role_now,
};

/// Where a request came from, as the edge saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The peer's address; of the original client when a configured proxy says so. Empty when unknown.
    pub address: String,
    /// The user agent; only its first 200 characters are kept.
    pub user_agent: String,
}
