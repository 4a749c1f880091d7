//! What a step with several inbound edges waits for, and how that is written.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many of several inbound edges must be taken before a step starts: `"all"`, `"any"` or a number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Join {
    /// Waits until each is settled; starts if at least one was taken.
    #[default]
    All,
    /// Starts with the first that is taken.
    Any,
    /// Starts with the n-th that is taken, 1..=1000; passed over once so many can't be taken any more.
    Count(u32),
}

impl Join {
    pub(super) const fn is_default(&self) -> bool {
        matches!(self, Self::All)
    }

    /// How many edges must be taken, for those that don't wait for the rest.
    pub const fn needed(self) -> Option<u32> {
        match self {
            Self::All => None,
            Self::Any => Some(1),
            Self::Count(count) => Some(count),
        }
    }
}

/// A join as it is written.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected \"all\", \"any\" or a number")]
#[schema(as = Join)]
enum WrittenJoin {
    Word(JoinWord),
    Count(u32),
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum JoinWord {
    All,
    Any,
}

impl Serialize for Join {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Self::All => WrittenJoin::Word(JoinWord::All),
            Self::Any => WrittenJoin::Word(JoinWord::Any),
            Self::Count(count) => WrittenJoin::Count(*count),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Join {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match WrittenJoin::deserialize(deserializer)? {
            WrittenJoin::Word(JoinWord::All) => Self::All,
            WrittenJoin::Word(JoinWord::Any) => Self::Any,
            WrittenJoin::Count(count) => Self::Count(count),
        })
    }
}

impl utoipa::PartialSchema for Join {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        WrittenJoin::schema()
    }
}

impl ToSchema for Join {
    fn name() -> std::borrow::Cow<'static, str> {
        WrittenJoin::name()
    }

    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        WrittenJoin::schemas(schemas);
    }
}
