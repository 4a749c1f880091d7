//! The entries of a namespace as points: those that mean or say the like lie near each other.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Trust;
use crate::model::{EntryId, Timestamp};

/// Points of a map at most; of more entries so many are taken, the same ones each time.
pub const MAX_MAP_POINTS: u32 = 10_000;
/// Numbers of a point beside the two that are drawn.
pub const MAP_DETAIL: usize = 6;

/// A map of a namespace and all below it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemoryMap {
    /// At most 10,000.
    pub points: Vec<MapPoint>,
    /// Entries that there are.
    pub entries: u32,
    /// Whether there are more than were taken.
    pub sampled: bool,
    /// Entries that were taken and are not on the map, because they have no vector yet.
    pub without_vector: u32,
    /// What brings points together.
    pub by: MapBasis,
    /// Which share of how the entries differ the two axes show, 0..=1 each.
    pub shares: [f64; 2],
}

/// What brings points together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MapBasis {
    /// Their vectors, of this model.
    Vectors { model: String },
    /// Their words: there is no embedder, or fewer than half of the entries have their vectors.
    Words {},
}

/// An entry on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MapPoint {
    /// Which entry.
    pub id: EntryId,
    /// Where it stands.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// How its content begins, at most 60 characters.
    pub title: String,
    /// Its first tag by the alphabet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Where its newest version came from: `user`, `run`, `cli`, `import` or `expiry`.
    pub source: String,
    /// Who its words came from.
    pub trust: Trust,
    /// When it was written last.
    pub updated_at: Timestamp,
    /// -1..=1, to the right.
    pub x: f32,
    /// -1..=1, upwards.
    pub y: f32,
    /// The point along the next six axes, in hundredths of what `x` and `y` are in: by them its neighbours are known better.
    pub detail: [i8; MAP_DETAIL],
}
