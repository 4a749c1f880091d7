//! How many approvals wait for the person who looks, and that something about approvals has changed.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::live::follow;
use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::live::{ServerMessage, Topic};
use crate::ui::browser;

/// Changes that arrive within this time are one change, in ms.
const GATHER_MS: i32 = 200;

/// What every page knows of approvals. Provided by the layout.
#[derive(Debug, Clone, Copy)]
pub struct Inbox {
    /// Open ones that this person may answer; the server counts to 100.
    pub mine: RwSignal<u32>,
    /// Goes up with each change of any approval: whoever shows some reads them anew.
    pub changes: RwSignal<u32>,
}

impl Inbox {
    /// Made once by the layout; follows as long as that lives, for those who may look at approvals.
    pub fn provide(me: &Me) {
        let inbox = Self { mine: RwSignal::new(0), changes: RwSignal::new(0) };
        provide_context(inbox);
        let topic = me.may(Action::ReadRun).then_some(Topic::Approvals);
        let seen = StoredValue::new(None::<i64>);
        let timer = browser::GuardSlot::new();
        let touch_soon = move || timer.keep(Some(browser::after_ms(GATHER_MS, move || inbox.touch())));
        let after = move || seen.try_get_value().flatten().unwrap_or_default();
        follow(Signal::stored(topic.clone()), after, move |message| match message {
            ServerMessage::Update(update) => {
                seen.try_set_value(Some(update.seq));
                touch_soon();
            }
            ServerMessage::Snapshot { seq, .. } => {
                // Changes may have been missed while the socket was closed; the first only says where the topic stands.
                if seen.try_get_value().flatten().is_some() {
                    touch_soon();
                }
                seen.try_set_value(Some(seq));
            }
            ServerMessage::Pong { .. } | ServerMessage::Error { .. } => {}
        });
        if topic.is_some() {
            Effect::new(move |_| inbox.count(inbox.changes.get()));
        }
    }

    /// Something about an approval has changed.
    pub fn touch(self) {
        self.changes.try_update(|changes| *changes = changes.wrapping_add(1));
    }

    /// Asks the server; an answer that is older than the newest change is not taken.
    fn count(self, at: u32) {
        spawn_local(async move {
            // A count that can't be had now stays as it is until the next change.
            if let Ok(mine) = api::approvals::count_approvals().await
                && self.changes.try_get_untracked() == Some(at)
            {
                self.mine.try_set(mine);
            }
        });
    }
}

/// The number beside "Approvals" in the navigation; absent at 0.
#[component]
pub fn MineCount() -> impl IntoView {
    let inbox = expect_context::<Inbox>();
    let shown = move || match inbox.mine.get() {
        count @ 0..=99 => count.to_string(),
        _ => "99+".to_owned(),
    };
    view! {
        <Show when=move || { inbox.mine.get() > 0 }>
            <span class="count" data-tone="accent">
                {shown}
                <span class="visually-hidden">" for you"</span>
            </span>
        </Show>
    }
}
