//! Copy, cut and paste of steps, as JSON on the system's clipboard.

use leptos::prelude::*;

use super::action;
use super::editor::Editor;
use super::keys;
use crate::ui::browser;
use crate::ui::components::{Toasts, Tone};

/// Listens to the page's clipboard as long as the caller's owner lives. Text in fields stays the browser's own.
pub fn listen(editor: Editor, toasts: Toasts) {
    Effect::new(move |_| {
        let guard = StoredValue::new_local(browser::on_clipboard(move |what, event| {
            if browser::is_text_clipboard(&event) {
                return;
            }
            match what {
                "paste" => {
                    let Some(text) = browser::pasted_text(&event).filter(|_| editor.may_edit) else {
                        return;
                    };
                    event.prevent_default();
                    match editor.with(|document| action::paste(document, &text, None)) {
                        Ok(changes) => {
                            editor.perform(changes);
                            keys::focus_canvas(editor);
                        }
                        Err(why) => toasts.say(Tone::Warn, why),
                    }
                }
                _ => {
                    let Some(fragment) = editor.with(action::copy) else {
                        return;
                    };
                    let text = serde_json::to_string_pretty(&fragment).unwrap_or_default();
                    browser::set_copied_text(&event, &text);
                    editor.say(format!("{} copied", action::counted(fragment.steps.len(), "step")));
                    if what == "cut" {
                        keys::delete(editor);
                    }
                }
            }
        }));
        on_cleanup(move || guard.dispose());
    });
}
