//! The lines of the table that were asked for so far: the first page comes with the page, the others while one scrolls.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::column::{self, Col};
use super::grid::Sight;
use crate::api::memory::list_entry_lines;
use crate::model::memory::{EntryFilter, EntryLine, EntryOrder, EntryTable};
use crate::model::{ApiError, PageRequest};
use crate::ui::browser;

/// Lines that the table shows at most; beyond it, searching is the way.
pub(super) const MOST: u32 = 20_000;
/// Lines that are loaded anew by themselves when something changed; with more, a person says when.
const MOST_ANEW: u32 = 2_000;
/// Where the choice of columns is kept.
const KEPT: &str = "weft.memory.columns";

/// What is asked for: which entries, in which order.
pub(in crate::ui::pages::memory) type Asked = (EntryFilter, EntryOrder);

/// The lines, and how the table stands.
#[derive(Clone, Copy)]
pub(in crate::ui::pages::memory) struct Lines {
    /// Those that are here, from the first one on without gaps.
    pub here: RwSignal<Vec<EntryLine>>,
    /// How many there are, as far as they are shown.
    pub total: RwSignal<u32>,
    /// How many there are.
    pub all: RwSignal<u32>,
    /// Whether the first page is here, and there is nothing on it.
    pub is_empty: RwSignal<bool>,
    /// Why the next ones did not come.
    pub failed: RwSignal<Option<String>>,
    /// Whether something changed that is not shown.
    pub is_stale: RwSignal<bool>,
    /// Goes up when somebody asks for all of it anew: it is shown from its first line on.
    pub restarts: RwSignal<u32>,
    /// The row that the keys are at.
    pub active: RwSignal<Option<u32>>,
    /// The columns beside the key.
    pub columns: RwSignal<Vec<Col>>,
    /// Whether the dialog of the columns is open.
    pub choosing: RwSignal<bool>,
    /// How the grid stands in its window.
    pub(super) sight: Sight,
    /// The row from which a range goes.
    pub anchor: StoredValue<Option<u32>>,
    /// Rows that are chosen once they are here: the range went beyond what is loaded.
    pub reach: RwSignal<Option<(u32, u32)>>,
    /// With what the first page was asked for: the address may say something else by now.
    asked: StoredValue<Asked>,
    next: StoredValue<Option<String>>,
    wanted: StoredValue<u32>,
    busy: StoredValue<bool>,
    /// Goes up when all begins anew: what comes for an older one is dropped.
    round: StoredValue<u32>,
}

impl Lines {
    /// No lines, and the columns that are there until somebody chooses.
    pub fn new() -> Self {
        let total = RwSignal::new(0);
        Self {
            here: RwSignal::new(Vec::new()),
            total,
            all: RwSignal::new(0),
            is_empty: RwSignal::new(false),
            failed: RwSignal::new(None),
            is_stale: RwSignal::new(false),
            restarts: RwSignal::new(0),
            active: RwSignal::new(None),
            columns: RwSignal::new(Col::FIRST.to_vec()),
            choosing: RwSignal::new(false),
            sight: Sight::new(total),
            anchor: StoredValue::new(None),
            reach: RwSignal::new(None),
            asked: StoredValue::new(Asked::default()),
            next: StoredValue::new(None),
            wanted: StoredValue::new(0),
            busy: StoredValue::new(false),
            round: StoredValue::new(0),
        }
    }

    /// Takes the columns that this browser keeps.
    pub fn take_kept_columns(self) {
        if let Some(kept) = browser::kept_in_browser(KEPT) {
            self.columns.set(column::read(&kept));
        }
    }

    /// Shows a column, or no longer, here and from now on in this browser.
    pub fn choose_column(self, col: Col, on: bool) {
        self.columns.update(|columns| *columns = column::with(columns, col, on));
        // A browser that keeps nothing shows it until the page is left.
        let _ = browser::keep_in_browser(KEPT, &column::text(&self.columns.get_untracked()));
    }

    /// Begins with another first page. It may come when the page is gone already.
    pub fn begin(self, first: EntryTable, asked: Asked) {
        let _ = self.asked.try_set_value(asked);
        self.round.try_update_value(|round| *round += 1);
        let _ = self.busy.try_set_value(false);
        let _ = self.wanted.try_set_value(0);
        let _ = self.anchor.try_set_value(None);
        self.active.try_set(None);
        self.reach.try_set(None);
        self.failed.try_set(None);
        self.is_stale.try_set(false);
        self.take(first.items, first.next, first.total);
    }

    fn take(self, lines: Vec<EntryLine>, next: Option<String>, all: Option<i64>) {
        let here = lines.len() as u32;
        let all = match (&next, all) {
            // Now it is known.
            (None, _) | (_, None) => here,
            (Some(_), Some(all)) => u32::try_from(all).unwrap_or(u32::MAX).max(here),
        };
        let _ = self.next.try_set_value(next);
        self.here.try_set(lines);
        self.all.try_set(all);
        self.total.try_set(all.min(MOST));
        self.is_empty.try_set(all == 0);
    }

    /// Sees to it that this many lines come.
    pub fn want(self, count: u32) {
        self.wanted.set_value(count.min(MOST));
        if self.busy.get_value() || self.failed.with_untracked(Option::is_some) || !self.lacks() {
            return;
        }
        self.busy.set_value(true);
        let (round, (filter, order)) = (self.round.get_value(), self.asked.get_value());
        spawn_local(async move {
            while self.is_round(round) && self.lacks() {
                let Some(cursor) = self.next.try_get_value().flatten() else { break };
                let page = PageRequest { limit: PageRequest::MAX, cursor: Some(cursor) };
                let answer = list_entry_lines(filter.clone(), order, page).await;
                if !self.is_round(round) {
                    return;
                }
                match answer {
                    Ok(page) => self.append(page),
                    Err(error) => {
                        self.failed.try_set(Some(error.detail().to_owned()));
                        break;
                    }
                }
            }
            if self.is_round(round) {
                let _ = self.busy.try_set_value(false);
            }
        });
    }

    /// Asks again for what did not come.
    pub fn ask_again(self) {
        self.failed.set(None);
        self.want(self.wanted.get_value());
    }

    fn append(self, page: EntryTable) {
        let is_last = page.next.is_none();
        let _ = self.next.try_set_value(page.next);
        let here = self.here.try_update(|lines| {
            lines.extend(page.items);
            lines.len() as u32
        });
        let Some(here) = here else { return };
        let all = self.all.try_get_untracked().unwrap_or_default();
        let all = if is_last { here } else { all.max(here) };
        self.all.try_set(all);
        self.total.try_set(all.min(MOST));
    }

    /// Whether lines are wanted that are not here and can be had.
    fn lacks(self) -> bool {
        let here = self.here.try_with_untracked(Vec::len).unwrap_or_default() as u32;
        let wanted = self.wanted.try_get_value().unwrap_or_default();
        here < wanted && self.next.try_with_value(Option::is_some).unwrap_or_default()
    }

    fn is_round(self, round: u32) -> bool {
        self.round.try_get_value() == Some(round)
    }

    /// Loads what is in sight, and all before it, anew; what was here stays until then. Far down it only says that something changed.
    pub fn load_anew(self) {
        let needed = self.wanted.get_value().max(1);
        if needed > MOST_ANEW {
            self.is_stale.set(true);
            return;
        }
        self.round.update_value(|round| *round += 1);
        self.busy.set_value(true);
        let (round, asked) = (self.round.get_value(), self.asked.get_value());
        spawn_local(async move {
            let answer = load(asked, needed).await;
            if !self.is_round(round) {
                return;
            }
            match answer {
                Ok(table) => {
                    self.failed.try_set(None);
                    self.is_stale.try_set(false);
                    self.take(table.items, table.next, table.total);
                }
                Err(error) => {
                    self.failed.try_set(Some(error.detail().to_owned()));
                    // To try again gives the next lines, not these anew.
                    self.is_stale.try_set(true);
                }
            }
            let _ = self.busy.try_set_value(false);
            // Somebody may have scrolled on meanwhile.
            if self.lacks() {
                self.want(self.wanted.get_value());
            }
        });
    }

    /// From the first line on, as somebody asked for it.
    pub fn reload(self) {
        self.wanted.set_value(0);
        self.load_anew();
        self.restarts.update(|restarts| *restarts += 1);
    }

    /// The line of a row, if it is here.
    pub fn at(self, row: u32) -> Option<EntryLine> {
        self.here.with_untracked(|lines| lines.get(row as usize).cloned())
    }
}

/// The first lines, at least so many of them if there are.
async fn load((filter, order): Asked, needed: u32) -> Result<EntryTable, ApiError> {
    let mut all = EntryTable { items: Vec::new(), next: None, total: None };
    loop {
        let request = PageRequest { limit: PageRequest::MAX, cursor: all.next.take() };
        let page = list_entry_lines(filter.clone(), order, request).await?;
        all.items.extend(page.items);
        all.next = page.next;
        all.total = all.total.or(page.total);
        if all.next.is_none() || all.items.len() as u32 >= needed {
            return Ok(all);
        }
    }
}

/// The first page, as the page loads it.
pub(in crate::ui::pages::memory) async fn load_first(asked: Asked) -> Result<EntryTable, ApiError> {
    load(asked, 1).await
}
