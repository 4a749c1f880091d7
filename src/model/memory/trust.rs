//! Who the words of an entry came from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who the words of an entry came from, the most trusted first. It says nothing about whether they are true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// A person of the workspace.
    #[default]
    User,
    /// A step of a workflow.
    Tool,
    /// A model.
    Model,
    /// Strangers, or a model that had read what strangers may have written.
    Web,
}

impl Trust {
    /// Every label, the most trusted first.
    pub const ALL: [Self; 4] = [Self::User, Self::Tool, Self::Model, Self::Web];

    /// The label as stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Tool => "tool",
            Self::Model => "model",
            Self::Web => "web",
        }
    }

    /// The label as a person reads it, behind "from".
    pub const fn label(self) -> &'static str {
        match self {
            Self::User => "people",
            Self::Tool => "a step",
            Self::Model => "a model",
            Self::Web => "the web",
        }
    }

    /// Reads [`Trust::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trust| trust.as_str() == text)
    }

    /// Reads labels between commas, such as `user,tool`; none of an empty text.
    ///
    /// # Errors
    /// What was expected, in words.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let read = |word: &str| {
            Self::parse(word.trim()).ok_or_else(|| "expected user, tool, model or web, with commas between".to_owned())
        };
        text.split(',').map(read).collect()
    }

    /// The less trusted of two.
    #[must_use]
    pub fn lower(self, other: Self) -> Self {
        self.max(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_reads_back_and_a_list_names_what_it_expected() {
        for trust in Trust::ALL {
            assert_eq!(Trust::parse(trust.as_str()), Some(trust));
            assert_eq!(serde_json::to_value(trust).unwrap(), trust.as_str());
        }
        assert_eq!(Trust::parse_list(" user, web"), Ok(vec![Trust::User, Trust::Web]));
        assert_eq!(Trust::parse_list(""), Ok(Vec::new()));
        assert!(Trust::parse_list("user,robot").unwrap_err().contains("model or web"));
    }

    #[test]
    fn of_two_labels_the_less_trusted_is_the_lower() {
        assert_eq!(Trust::User.lower(Trust::Web), Trust::Web);
        assert_eq!(Trust::Model.lower(Trust::Tool), Trust::Model);
    }
}
