//! The form of a flag as text, and what it means.

use crate::model::gateway::{Flag, FlagAudience, FlagDraft, StickyBy};
use crate::model::{ApiError, FieldError};

/// What the controls hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub name: String,
    pub description: String,
    pub enabled: bool,
    pub percent: String,
    /// As sent.
    pub sticky_by: String,
    pub audience: FlagAudience,
}

impl Form {
    /// For a new flag: off, and for nobody.
    pub fn blank() -> Self {
        Self { percent: "0".to_owned(), sticky_by: StickyBy::default().as_str().to_owned(), ..Self::default() }
    }

    /// Of a flag that there is.
    pub fn of(flag: &Flag) -> Self {
        Self {
            name: flag.name.clone(),
            description: flag.description.clone(),
            enabled: flag.enabled,
            percent: flag.percent.to_string(),
            sticky_by: flag.sticky_by.as_str().to_owned(),
            audience: flag.audience.clone(),
        }
    }

    /// What is sent.
    ///
    /// # Errors
    /// A percentage that is none.
    pub fn draft(&self) -> Result<FlagDraft, ApiError> {
        let percent = self.percent.trim().trim_end_matches('%').trim_end();
        let percent = percent.parse().map_err(|_| {
            let message = "expected a whole number from 0 to 100";
            ApiError::Invalid { detail: message.to_owned(), fields: vec![FieldError::new("/percent", message)] }
        })?;
        Ok(FlagDraft {
            name: self.name.trim().to_owned(),
            description: self.description.trim().to_owned(),
            enabled: self.enabled,
            percent,
            sticky_by: StickyBy::parse(&self.sticky_by).unwrap_or_default(),
            audience: self.audience.clone(),
        })
    }
}

/// Puts one into a list, or takes it out.
pub(super) fn choose<T: PartialEq + Copy>(list: &mut Vec<T>, one: T, is_in: bool) {
    list.retain(|other| *other != one);
    if is_in {
        list.push(one);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::auth::Role;
    use crate::model::{FlagId, Timestamp, UserId};

    #[test]
    fn a_flag_reads_back_as_it_was() {
        let audience =
            FlagAudience { roles: vec![Role::Builder], users: vec![UserId(Uuid::nil())], ..Default::default() };
        let flag = Flag {
            id: FlagId(Uuid::nil()),
            name: "new-model".into(),
            description: "The next one.".into(),
            enabled: true,
            percent: 25,
            sticky_by: StickyBy::User,
            audience,
            revision: 3,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        };
        assert_eq!(Form::of(&flag).draft().unwrap(), flag.draft());
    }

    #[test]
    fn a_percentage_that_is_none_is_named() {
        let form = |percent: &str| Form { percent: percent.into(), ..Form::blank() };
        assert!(form("some").draft().unwrap_err().field("/percent").is_some());
        assert!(form("-1").draft().unwrap_err().field("/percent").is_some());
        assert_eq!(form(" 5 % ").draft().unwrap().percent, 5);
    }

    #[test]
    fn one_is_in_a_list_once() {
        let mut list = vec![1, 2];
        choose(&mut list, 2, true);
        choose(&mut list, 3, true);
        choose(&mut list, 1, false);
        assert_eq!(list, [2, 3]);
    }
}
