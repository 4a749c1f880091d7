//! Whose number of tokens it is, and which models have a vocabulary that is published.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a number of tokens is from. Of several that are added up, the one that says least counts: they are in that order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokensBy {
    /// The provider told it.
    #[default]
    Provider,
    /// It was counted here, by the model's own vocabulary.
    Tokenizer,
    /// It is an estimate: a quarter of the characters, with something for what has none.
    Estimate,
}

impl TokensBy {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Tokenizer => "tokenizer",
            Self::Estimate => "estimate",
        }
    }

    /// Reads [`TokensBy::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Provider, Self::Tokenizer, Self::Estimate].into_iter().find(|by| by.as_str() == text)
    }

    /// For people, such as "told by the provider".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Provider => "told by the provider",
            Self::Tokenizer => "counted here with the model's vocabulary, since the provider did not tell",
            Self::Estimate => "estimated, since the provider did not tell",
        }
    }
}

/// A vocabulary by which models read and write, where it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vocabulary {
    /// `o200k_base`, of GPT-4o and what came after it.
    O200k,
    /// `cl100k_base`, of GPT-4, GPT-3.5 and the models that make vectors.
    Cl100k,
}

/// Models of the newer vocabulary, and what begins with their name and one of `-.:@`.
const O200K: [&str; 10] =
    ["gpt-4o", "chatgpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "gpt-oss", "o1", "o3", "o4-mini", "codex-mini"];
/// Models of the older one, and what begins with their name and one of `-:@`.
const CL100K: [&str; 6] = [
    "gpt-4",
    "gpt-3.5-turbo",
    "gpt-35-turbo",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "text-embedding-ada-002",
];

impl Vocabulary {
    /// That of a model by its name, as OpenAI or those who resell it call it (`gpt-4o-mini`, `openai/gpt-5`, `ft:gpt-4o:acme::1`,
    /// `gpt-oss:20b`). `None` for a name that is not known, and for all models whose makers publish none, such as Anthropic's.
    ///
    /// Source: the table of models in OpenAI's `tiktoken`.
    pub fn of(model: &str) -> Option<Self> {
        let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
        let name = name.strip_prefix("ft:").unwrap_or(&name);
        let is = |family: &str, ends: &[char]| {
            name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(ends))
        };
        if O200K.iter().any(|family| is(family, &['-', '.', ':', '@'])) {
            Some(Self::O200k)
        } else if CL100K.iter().any(|family| is(family, &['-', ':', '@'])) {
            Some(Self::Cl100k)
        } else {
            None
        }
    }

    /// As OpenAI calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::O200k => "o200k_base",
            Self::Cl100k => "cl100k_base",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_numbers_the_one_that_says_least_counts() {
        assert_eq!(TokensBy::Provider.max(TokensBy::Tokenizer), TokensBy::Tokenizer);
        assert_eq!(TokensBy::Estimate.max(TokensBy::Tokenizer), TokensBy::Estimate);
        for by in [TokensBy::Provider, TokensBy::Tokenizer, TokensBy::Estimate] {
            assert_eq!(TokensBy::parse(by.as_str()), Some(by));
        }
        assert_eq!(TokensBy::parse("guess"), None);
    }

    #[test]
    fn models_of_openai_are_known_by_their_names() {
        use Vocabulary::{Cl100k, O200k};
        for (model, vocabulary) in [
            ("gpt-4o", Some(O200k)),
            ("gpt-4o-mini-2024-07-18", Some(O200k)),
            ("openai/GPT-5.1", Some(O200k)),
            ("ft:gpt-4.1-mini:acme::7", Some(O200k)),
            ("gpt-oss:20b", Some(O200k)),
            ("o3-mini", Some(O200k)),
            ("gpt-4", Some(Cl100k)),
            ("gpt-4-turbo", Some(Cl100k)),
            ("gpt-3.5-turbo-0125", Some(Cl100k)),
            ("text-embedding-3-small", Some(Cl100k)),
            ("gpt-4.9", None),
            ("gpt", None),
            ("o15", None),
            ("claude-sonnet-4-5", None),
            ("qwen3:8b", None),
            ("", None),
        ] {
            assert_eq!(Vocabulary::of(model), vocabulary, "{model}");
        }
    }
}
