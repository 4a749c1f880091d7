//! Lists in pages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a list. `next` is an opaque cursor, `None` on the last page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// In the order that the list documents.
    pub items: Vec<T>,
    /// Pass it as `cursor` to get what follows.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that fits one page.
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// Cuts `items`, fetched with one more than asked for, to `limit`, and names the cursor of the last that stays.
    pub fn cut(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let limit = limit as usize;
        let next = (items.len() > limit).then(|| {
            items.truncate(limit);
            items.last().map(&cursor)
        });
        Self { items, next: next.flatten() }
    }
}

/// What part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// 1..=200.
    pub limit: u32,
    /// From the `next` of the page before.
    pub cursor: Option<String>,
}

impl PageRequest {
    /// The most that one page may hold.
    pub const MAX: u32 = 200;

    /// The limit, forced into 1..=200.
    pub fn limit(&self) -> u32 {
        self.limit.clamp(1, Self::MAX)
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: 50, cursor: None }
    }
}
