//! The items of a `map`: a list that is there from the beginning, or pages that come while it runs.
//!
//! Pages are asked for one at a time, when few items are left that no body has begun with; a page is forgotten when the
//! bodies of all its items have ended. So a source of a million items holds two or three pages.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::super::StepError;

/// The fields of a `map` that name where its items come from.
pub const SOURCES: [&str; 3] = ["items", "file", "pages"];

/// Items that came together.
#[derive(Debug, Clone, PartialEq)]
struct Page {
    first: u32,
    items: Vec<Value>,
}

/// Where the items of a `map` come from, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Items {
    /// A list in the container's input.
    List {
        /// How many.
        total: u32,
    },
    /// Pages.
    Paged(Pages),
}

/// A source that is read page by page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pages {
    held: VecDeque<Page>,
    /// Items that have come.
    known: u32,
    /// Pages that have come.
    came: u32,
    /// What the source gave to go on by; null at the beginning.
    cursor: Value,
    /// A page is on its way.
    asked: bool,
    /// The source has no more.
    closed: bool,
}

impl Items {
    /// Reads where a `map` takes its items from.
    ///
    /// # Errors
    /// The field and what was expected.
    pub(super) fn read(config: &Value) -> Result<Self, (&'static str, &'static str)> {
        let named = |field: &&&str| config.get(**field).is_some_and(|value| !value.is_null() && value != "");
        match SOURCES.iter().filter(named).copied().collect::<Vec<_>>().as_slice() {
            ["items"] => match config["items"].as_array().map(|items| u32::try_from(items.len())) {
                Some(Ok(total)) => Ok(Self::List { total }),
                Some(Err(_)) => Err(("items", "fewer items")),
                None => Err(("items", "a list")),
            },
            [_] => Ok(Self::Paged(Pages::default())),
            _ => Err(("items", "a list, or else a file or pages")),
        }
    }

    /// How many have come so far.
    pub const fn known(&self) -> u32 {
        match self {
            Self::List { total } => *total,
            Self::Paged(pages) => pages.known,
        }
    }

    /// How many there are, once that is known.
    pub const fn total(&self) -> Option<u32> {
        match self {
            Self::List { total } => Some(*total),
            Self::Paged(pages) if pages.closed => Some(pages.known),
            Self::Paged(_) => None,
        }
    }

    pub(super) const fn pages(&mut self) -> Option<&mut Pages> {
        match self {
            Self::List { .. } => None,
            Self::Paged(pages) => Some(pages),
        }
    }

    /// Whether the next page is wanted while so many items have no body yet.
    pub(super) const fn wants(&self, left: u32, concurrency: u32) -> bool {
        match self {
            Self::List { .. } => false,
            Self::Paged(pages) => !pages.closed && !pages.asked && left < concurrency,
        }
    }

    /// Whether a page is on its way.
    pub const fn is_asked(&self) -> bool {
        matches!(self, Self::Paged(Pages { asked: true, .. }))
    }

    /// The number of the page that is on its way or is to be asked for, and what to go on by.
    pub fn next_page(&self) -> Option<(u32, &Value)> {
        match self {
            Self::List { .. } => None,
            Self::Paged(pages) => Some((pages.came, &pages.cursor)),
        }
    }

    /// An item whose body has begun and not ended.
    pub(super) fn get<'a>(&'a self, input: &'a Value, index: u32) -> Option<&'a Value> {
        match self {
            Self::List { .. } => input.get("items")?.get(index as usize),
            Self::Paged(pages) => {
                let after = pages.held.partition_point(|page| page.first <= index);
                let page = pages.held.get(after.checked_sub(1)?)?;
                page.items.get((index - page.first) as usize)
            }
        }
    }
}

impl Pages {
    pub(super) const fn ask(&mut self) {
        self.asked = true;
    }

    /// Whoever was to bring the page is gone.
    pub(super) const fn lose(&mut self) {
        self.asked = false;
    }

    pub(super) fn come(&mut self, items: &[Value], next: &Value) {
        self.asked = false;
        self.came += 1;
        self.closed = next.is_null();
        self.cursor = next.clone();
        if !items.is_empty() {
            self.held.push_back(Page { first: self.known, items: items.to_vec() });
        }
        self.known += items.len() as u32;
    }

    /// Forgets the pages of which nothing is needed: every item before this one is over.
    pub(super) fn forget_before(&mut self, index: u32) {
        while let Some(page) = self.held.front()
            && page.first + page.items.len() as u32 <= index
        {
            self.held.pop_front();
        }
    }
}

/// What a page is asked for with: the rendered config of the `map`, and where to go on.
pub fn request(input: &Value, cursor: &Value) -> Map<String, Value> {
    let mut request = input.as_object().cloned().unwrap_or_default();
    request.insert("cursor".to_owned(), cursor.clone());
    request
}

/// Reads what came for a page.
///
/// # Errors
/// It has no list of items, or too many.
pub fn page(output: Value, known: u32) -> Result<(Vec<Value>, Value), StepError> {
    let Value::Object(mut output) = output else {
        return Err(StepError::permanent("pages", "a page came that is not an object with items and next"));
    };
    let Some(Value::Array(items)) = output.remove("items") else {
        return Err(StepError::permanent("pages", "a page came without a list of items"));
    };
    if u32::try_from(items.len()).ok().and_then(|count| known.checked_add(count)).is_none() {
        return Err(StepError::permanent("pages", "expected fewer items: 4294967295 are the most"));
    }
    Ok((items, output.remove("next").unwrap_or(Value::Null)))
}
