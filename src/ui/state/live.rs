//! Live changes: a page follows topics, the one socket of the window carries them.

use leptos::prelude::*;

use crate::model::live::{ServerMessage, Topic};
use crate::ui::browser;

/// Whether changes arrive. Provided by the layout.
#[derive(Debug, Clone, Copy)]
pub struct Connection(pub RwSignal<bool>);

impl Connection {
    /// Made once by the layout; starts as connected so that a page that loads does not flash a warning.
    pub fn provide() {
        let open = RwSignal::new(true);
        provide_context(Self(open));
        Effect::new(move |_| {
            browser::on_connection(Box::new(move |is_open| {
                // The layout may be gone when the socket closes.
                let _ = open.try_set(is_open);
            }));
        });
    }
}

/// Follows a topic as long as the caller's owner lives, in the browser only.
///
/// `after` tells the number of the newest update that the page has seen; it is asked whenever the socket opens. `on` gets
/// every update in order, and a `Snapshot` when the page must read the topic anew (also first, when there is nothing to
/// resume from).
pub fn follow(
    topic: Signal<Option<Topic>>,
    after: impl Fn() -> i64 + Clone + 'static,
    on: impl Fn(ServerMessage) + Clone + 'static,
) {
    Effect::new(move |_| {
        if let Some(topic) = topic.get() {
            let listener = browser::follow_topic(topic, Box::new(after.clone()), Box::new(on.clone()));
            on_cleanup(move || browser::unfollow_topic(listener));
        }
    });
}
