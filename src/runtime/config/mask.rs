//! What is shown of values that may hold a secret.

/// What stands for a secret.
pub(super) const MASK: &str = "********";

/// A text that may be a URL with a password in it, without the password. What can't be read as a URL but has an `@` is
/// masked whole.
pub(super) fn masked_url(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    let Ok(mut url) = url::Url::parse(text) else {
        return if text.contains('@') { MASK.to_owned() } else { text.to_owned() };
    };
    let in_query = url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("password"));
    if url.password().is_none() && !in_query {
        return text.to_owned();
    }
    if in_query {
        url.set_query(Some(MASK));
    }
    if url.password().is_some() {
        // Refused only where no user can stand, which is where no password was.
        let _ = url.set_password(Some(MASK));
    }
    url.into()
}
