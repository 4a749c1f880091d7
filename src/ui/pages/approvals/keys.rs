//! The page's own keys: `J` and `K` move through the list, `A` and `R` lead to the buttons that agree and reject. The
//! buttons are pressed by Enter: no single stray key decides anything.

use leptos::prelude::*;

use super::case::Setting;
use super::{Desk, answer};
use crate::ui::browser;
use crate::ui::layout::is_typing;

/// Listens as long as the page lives.
pub(super) fn listen(desk: Desk) {
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() || is_typing(&event) {
            return;
        }
        match event.key().as_str() {
            "j" | "J" => desk.step(1),
            "k" | "K" => desk.step(-1),
            "a" | "A" => browser::focus_id(&answer::agree_id(Setting::Inbox)),
            "r" | "R" => browser::focus_id(&answer::turn_down_id(Setting::Inbox)),
            _ => return,
        }
        event.prevent_default();
    };
    Effect::new(move |_| {
        let handle = window_event_listener(leptos::ev::keydown, on_key);
        on_cleanup(move || handle.remove());
    });
}
