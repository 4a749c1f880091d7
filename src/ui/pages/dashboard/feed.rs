//! Keeps the overview fresh: asks when something happened, at most once a second, and never just to see.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::model::ApiError;
use crate::model::dashboard::{Overview, Period};
use crate::model::live::Topic;
use crate::ui::browser;
use crate::ui::components::Now;
use crate::ui::state::live;

/// The rest after an answer, in ms.
const REST_MS: i32 = 1_000;
const HOUR_MS: i64 = 3_600_000;

/// Where the asking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Asking,
    Resting,
}

/// The newest overview and the way to a newer one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Feed {
    /// The newest that came; the old one stays while a newer is asked for.
    pub shown: RwSignal<Overview>,
    /// Why the last question had no answer; `None` once one has.
    pub error: RwSignal<Option<ApiError>>,
    period: Memo<Period>,
    phase: StoredValue<Phase>,
    /// Something happened since the last question.
    again: StoredValue<bool>,
    rest: browser::GuardSlot,
}

impl Feed {
    /// Follows runs and memory from `first` on, as long as the caller lives.
    pub(super) fn start(first: Overview, period: Memo<Period>) -> Self {
        let feed = Self {
            shown: RwSignal::new(first),
            error: RwSignal::new(None),
            period,
            phase: StoredValue::new(Phase::Idle),
            again: StoredValue::new(false),
            rest: browser::GuardSlot::new(),
        };
        for topic in [Topic::Runs, Topic::Memory(String::new())] {
            live::follow(Signal::stored(Some(topic)), || 0, move |_| feed.ask());
        }
        Effect::new(move |_| {
            if period.get() != feed.shown.with_untracked(|shown| shown.period) {
                feed.ask_now();
            }
        });
        let now = use_context::<Now>();
        Effect::new(move |_| {
            // a new hour begins a new bucket even when nothing happens in it
            let hour = now.and_then(|now| now.0.get()).map(|now| now.div_euclid(HOUR_MS));
            let drawn = feed.shown.with_untracked(|shown| shown.at.unix_ms().div_euclid(HOUR_MS));
            if hour.is_some_and(|hour| hour > drawn) {
                feed.ask();
            }
        });
        feed
    }

    /// Something happened: asks now, or after the rest.
    fn ask(self) {
        match self.phase.try_get_value() {
            Some(Phase::Idle) => {
                self.send();
                // The server answers many with what it read for one, up to a second ago: it is asked once more after the rest.
                let _ = self.again.try_set_value(true);
            }
            Some(_) => drop(self.again.try_set_value(true)),
            None => {}
        }
    }

    /// Asks without a rest: somebody waits for it.
    pub(super) fn ask_now(self) {
        match self.phase.try_get_value() {
            Some(Phase::Asking) => drop(self.again.try_set_value(true)),
            Some(_) => self.send(),
            None => {}
        }
    }

    fn send(self) {
        self.phase.set_value(Phase::Asking);
        self.again.set_value(false);
        let wanted = self.period.get_untracked();
        spawn_local(async move {
            let answer = api::dashboard::get_overview(wanted).await;
            // The page may be gone by now.
            let Some(current) = self.period.try_get_untracked() else {
                return;
            };
            if current != wanted {
                self.send();
                return;
            }
            match answer {
                Ok(overview) => {
                    self.shown.set(overview);
                    self.error.set(None);
                }
                Err(error) => self.error.set(Some(error)),
            }
            self.phase.set_value(Phase::Resting);
            self.rest.keep(Some(browser::after_ms(REST_MS, move || self.rested())));
        });
    }

    fn rested(self) {
        if self.phase.try_get_value() == Some(Phase::Resting) {
            self.phase.set_value(Phase::Idle);
            if self.again.get_value() {
                self.send();
            }
        }
    }
}
