//! What is seen of the saving: a word in the header, and a banner where a person has to decide.

use leptos::prelude::*;

use super::save::{SaveState, use_saver};
use crate::ui::components::{Button, ButtonSize, Icon};

/// One word about the draft, in the header.
#[component]
pub fn SaveWord() -> impl IntoView {
    let saver = use_saver();
    view! {
        <span class="save-state" role="status" data-state=move || saver.state.read().as_str()>
            {move || saver.state.read().label()}
        </span>
    }
}

/// What to do about a draft that can't be saved, across the page.
#[component]
pub fn SaveBanner() -> impl IntoView {
    let saver = use_saver();
    let left = move || {
        let is_asked = saver.unsaved.read().is_some() && !matches!(saver.state.get(), SaveState::Conflict { .. });
        is_asked.then(|| view! {
            <div class="banner" data-tone="warn" role="alert">
                <Icon name="warning" />
                <span class="grow">"Edits of yours were not saved when you left this page. They are kept in this tab."</span>
                <Button label="Take them up" size=ButtonSize::Small on_press=move |()| saver.take_up() />
                <Button label="Throw them away" size=ButtonSize::Small on_press=move |()| saver.forget_unsaved() />
            </div>
        })
    };
    let standing = move || match saver.state.get() {
        SaveState::Failed(why) => Some(
            view! {
                <div class="banner" data-tone="bad" role="alert">
                    <Icon name="warning" />
                    <span class="grow">{format!("Your last edits are not saved. {why}")}</span>
                    <Button label="Save again" size=ButtonSize::Small on_press=move |()| saver.save() />
                </div>
            }
            .into_any(),
        ),
        SaveState::Conflict { theirs } => {
            let revision = theirs.map_or_else(|| "a newer revision".to_owned(), |theirs| format!("revision {theirs}"));
            let said =
                format!("Someone else saved {revision} while you edited. Your draft is kept here, and not saved.");
            Some(
                view! {
                    <div class="banner" data-tone="warn" role="alert">
                        <Icon name="warning" />
                        <span class="grow">{said}</span>
                        <Button label="Take theirs" size=ButtonSize::Small on_press=move |()| saver.reload() />
                        <Button label="Overwrite with mine" size=ButtonSize::Small on_press=move |()| saver.overwrite() />
                    </div>
                }
                .into_any(),
            )
        }
        _ => None,
    };
    view! {
        {left}
        {standing}
    }
}
