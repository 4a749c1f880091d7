//! What the browser's APIs do on the server: nothing.

mod canvas;
mod dom;
mod dots;
mod files;
mod updates;

use std::task::Poll;

pub use canvas::*;
pub use dom::*;
pub use dots::*;
pub use files::*;
pub use updates::*;

/// Milliseconds since the Unix epoch, by the browser's clock. 0 on the server: call it in effects and handlers only.
pub fn now_ms() -> f64 {
    0.0
}

/// The person's zone in the IANA database, such as `Europe/Berlin`; UTC where it is not known.
pub fn time_zone() -> String {
    "UTC".to_owned()
}

/// Forces `light` or `dark`, or follows the system when empty; remembered in a cookie for a year.
pub fn set_theme(_cookie: &str, _theme: &str) {}

/// The forced theme, as the document says.
pub fn theme() -> String {
    String::new()
}

/// Ready at the second look. The server looks at a page's views up to twice to learn what they wait for, and draws them
/// then: what comes after this is drawn once, with one answer. In the browser it is ready at once.
pub async fn past_dry_runs() {
    let mut seen = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut seen, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Keeps a text until this tab is closed; false where the browser does not take it.
pub fn keep_in_tab(_key: &str, _text: &str) -> bool {
    false
}

/// What was kept until this tab is closed.
pub fn kept_in_tab(_key: &str) -> Option<String> {
    None
}

/// Forgets what was kept.
pub fn forget_in_tab(_key: &str) {}

/// Keeps a text in this browser; false where the browser does not take it.
pub fn keep_in_browser(_key: &str, _text: &str) -> bool {
    false
}

/// What was kept in this browser.
pub fn kept_in_browser(_key: &str) -> Option<String> {
    None
}

/// Goes to a path of this site as a new page: nothing of this one stays in memory.
pub fn load_page(_path: &str) {}
