//! What people send to prove who they are, and what they get for it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Timestamp;
use super::auth::{Invite, Role};

/// A password on its way in. Never shown by `Debug`, so that no log line can hold it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A secret that is sent once: a set-up token, an invitation's token, a refresh token. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The first owner and the workspace, made with the printed one-time token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupRequest {
    /// From the link that the server printed.
    pub token: Secret,
    /// The owner's e-mail address.
    pub email: String,
    /// The owner's name, 1 to 100 characters.
    pub name: String,
    /// 10 to 1024 bytes.
    pub password: Password,
    /// The workspace's name, 1 to 100 characters.
    pub workspace: String,
}

/// An e-mail address and a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The address; upper and lower case are the same.
    pub email: String,
    /// The password.
    pub password: Password,
}

/// What an API client gets for its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// For `Authorization: Bearer`.
    pub access_token: Secret,
    /// Seconds until the access token ends, at most 600.
    pub expires_in: i64,
    /// For `POST /token/refresh`, once: each refresh gives a new one, and using an old one ends them all.
    pub refresh_token: Secret,
}

/// Asks for new tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The newest refresh token.
    pub refresh_token: Secret,
}

/// Asks for an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// Whom.
    pub email: String,
    /// The role they will have; not above one's own.
    pub role: Role,
}

/// A new invitation and its link, which is shown this once: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InviteMade {
    /// The invitation.
    pub invite: Invite,
    /// To be given to the person.
    pub link: String,
}

/// What the holder of an invitation's link may know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitePreview {
    /// For whom it is.
    pub email: String,
    /// The role they will have.
    pub role: Role,
    /// The workspace's name.
    pub workspace: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// Accepts an invitation: makes the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteAcceptance {
    /// From the link.
    pub token: Secret,
    /// 1 to 100 characters.
    pub name: String,
    /// 10 to 1024 bytes.
    pub password: Password,
}

/// Changes one's own password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one that holds now.
    pub current: Password,
    /// 10 to 1024 bytes.
    pub new: Password,
}

/// The path to go to after signing in: `next` if it stays on this site, else the dashboard.
///
/// Only a path is taken: it begins with one `/`, is followed by neither `/` nor `\` (which browsers read as another
/// host), and holds no control characters (which browsers drop before they look at the rest).
pub fn safe_next(next: &str) -> &str {
    let mut rest = next.chars();
    let is_path = rest.next() == Some('/') && !matches!(rest.next(), Some('/' | '\\'));
    let is_plain = next.len() <= 2048 && !next.chars().any(|c| c.is_control() || c == '\\');
    if is_path && is_plain { next } else { "/" }
}

/// The login page for somebody who was not signed in at `path` with `query` (without its `?`); it leads back there.
pub fn login_path(path: &str, query: &str) -> String {
    if path == "/" {
        return "/login".to_owned();
    }
    let here = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    format!("/login?next={}", query_value(&here))
}

/// Escapes what may not stand in the value of a query.
pub fn query_value(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_page_leads_back_to_where_one_wanted_to_go() {
        assert_eq!(login_path("/", ""), "/login");
        assert_eq!(login_path("/runs", ""), "/login?next=/runs");
        assert_eq!(login_path("/runs", "status=failed&q=a b"), "/login?next=/runs%3Fstatus%3Dfailed%26q%3Da%20b");
    }

    #[test]
    fn only_a_path_of_this_site_is_gone_to() {
        for good in ["/", "/runs", "/runs?status=failed&q=a//b", "/workflows/1#x"] {
            assert_eq!(safe_next(good), good);
        }
        for bad in [
            "",
            "runs",
            "//evil.com",
            "/\\evil.com",
            "https://evil.com",
            "javascript:alert(1)",
            "/\t/evil.com",
            "/a\\b",
            "/\r\nx",
        ] {
            assert_eq!(safe_next(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?} {:?}", Password::from("hunter2"), Secret::from("hunter2"));
        assert!(!shown.contains("hunter2"));
    }
}
