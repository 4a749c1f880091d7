//! What addresses and names look like.

use super::error::{Error, Result};

/// The most characters of a person's or workspace's name.
const MAX_NAME_CHARS: usize = 100;
/// Source: RFC 5321, section 4.5.3.1.3, a path without its brackets.
const MAX_EMAIL_BYTES: usize = 254;

/// Folds an e-mail address: trimmed, lower case.
///
/// # Errors
/// [`Error::Invalid`] at `pointer` for what can't be one; whether it receives mail is not asked.
pub(super) fn email(pointer: &str, text: &str) -> Result<String> {
    let folded = text.trim().to_lowercase();
    let fits = folded.len() <= MAX_EMAIL_BYTES
        && !folded.chars().any(|c| c.is_whitespace() || c.is_control())
        && folded.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        });
    if fits { Ok(folded) } else { Err(Error::invalid(pointer, "expected an e-mail address such as mara@team.example")) }
}

/// Trims a name.
///
/// # Errors
/// [`Error::Invalid`] at `pointer` when it is empty, longer than 100 characters or holds control characters.
pub(super) fn name(pointer: &str, text: &str) -> Result<String> {
    let trimmed = text.trim();
    let length = trimmed.chars().count();
    if (1..=MAX_NAME_CHARS).contains(&length) && !trimmed.chars().any(char::is_control) {
        Ok(trimmed.to_owned())
    } else {
        Err(Error::invalid(pointer, format!("expected 1 to {MAX_NAME_CHARS} characters on one line")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_folded_or_refused() {
        assert_eq!(email("/email", " Mara@Team.Example ").expect("fits"), "mara@team.example");
        for bad in
            ["", "mara", "@team", "mara@", "a@b@c", "ma ra@team", "a@.b", "a@b.", &format!("{}@b", "a".repeat(260))]
        {
            assert!(email("/email", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_has_one_line_of_text() {
        assert_eq!(name("/name", "  Mara  ").expect("fits"), "Mara");
        for bad in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert!(name("/name", bad).is_err(), "{bad:?}");
        }
    }
}
