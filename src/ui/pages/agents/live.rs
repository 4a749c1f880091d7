//! Following what agents do: the board and an agent's page are read anew when something happened.

use leptos::prelude::*;

use crate::model::auth::{Action, Me};
use crate::model::live::{ServerMessage, Topic};
use crate::ui::browser;
use crate::ui::state::live::follow;

/// How long changes are gathered before something is read anew, in ms; also the least time between two readings.
const GATHER_MS: i32 = 500;
/// How often what works is looked at in any case, in ms.
const LOOK_MS: i32 = 10_000;

/// Counts, a moment later, that agents changed or did something.
pub(super) fn count_changes(changed: RwSignal<u32>) {
    let timer = browser::GuardSlot::new();
    let is_due = StoredValue::new(false);
    let hear = move |message: ServerMessage| {
        let is_news = matches!(message, ServerMessage::Update(_) | ServerMessage::Snapshot { .. });
        // What comes while one waits is part of the same reading: a busy workspace must not put it off forever.
        if !is_news || is_due.try_get_value() != Some(false) {
            return;
        }
        is_due.set_value(true);
        timer.keep(Some(browser::after_ms(GATHER_MS, move || {
            is_due.try_set_value(false);
            changed.try_update(|n| *n += 1);
        })));
    };
    let topic = use_context::<Me>().is_some_and(|me| me.may(Action::ReadAgent)).then_some(Topic::Agents);
    follow(Signal::stored(topic), || 0, hear);
}

/// Counts every few seconds while something is under way.
pub(super) fn count_while(is_busy: Memo<bool>, changed: RwSignal<u32>) {
    Effect::new(move |_| {
        if is_busy.get() {
            StoredValue::new_local(browser::every_ms(LOOK_MS, move || {
                changed.try_update(|n| *n += 1);
            }));
        }
    });
}
