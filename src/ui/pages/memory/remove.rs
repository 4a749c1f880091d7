//! Deleting an entry, with a way back.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::memory::{delete_entry, undelete_entry};
use crate::ui::components::{Tone, use_toasts};

/// Deletes an entry in the version that was seen and offers to take that back. `gone` is called when it is deleted, `changed`
/// when it is back; both may come after the page is gone.
pub(super) fn remove(
    (namespace, key, version): (String, String, i64),
    gone: impl Fn() + 'static,
    changed: impl Fn() + Clone + Send + Sync + 'static,
) {
    let toasts = use_toasts();
    spawn_local(async move {
        if let Err(error) = delete_entry(namespace.clone(), key.clone(), version).await {
            toasts.say(Tone::Bad, error.detail());
            return;
        }
        let said = format!("Deleted {key}");
        // The toast outlives the page, so what it calls has an owner of its own, kept by the call itself.
        let owner = Owner::new_root(None);
        let kept = owner.clone();
        let undo = owner.with(|| {
            Callback::new(move |()| {
                let _owner = &kept;
                let (namespace, key, changed) = (namespace.clone(), key.clone(), changed.clone());
                spawn_local(async move {
                    match undelete_entry(namespace, key.clone()).await {
                        Ok(_) => toasts.say(Tone::Good, format!("{key} is back")),
                        Err(error) => toasts.say(Tone::Bad, error.detail()),
                    }
                    changed();
                });
            })
        });
        toasts.say_with_undo(said, "Undo", undo);
        gone();
    });
}
