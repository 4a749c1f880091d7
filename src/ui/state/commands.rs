//! What the page that is open offers to the palette, beside what is offered everywhere.

use std::sync::Arc;

use leptos::prelude::*;

/// Something that the page can do now.
#[derive(Debug, Clone, Copy)]
pub struct PageCommand {
    /// A verb and its object: "Put into a group".
    pub name: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// Its key, empty without one.
    pub keys: &'static str,
    /// Does it.
    pub run: Callback<()>,
}

/// The commands of the page. Provided by the layout.
#[derive(Debug, Clone, Copy)]
pub struct Commands(RwSignal<Offer>);

/// What is offered, and by whom.
#[derive(Debug, Default)]
struct Offer {
    by: Option<Arc<()>>,
    commands: Vec<PageCommand>,
}

impl Commands {
    /// Makes the place for them; called once, by the layout.
    pub fn provide() -> Self {
        let commands = Self(RwSignal::new(Offer::default()));
        provide_context(commands);
        commands
    }

    /// What is offered now.
    pub fn list(self) -> Vec<PageCommand> {
        self.0.with(|offer| offer.commands.clone())
    }

    /// Offers what `list` says, anew whenever that changes, as long as the caller's owner lives, or until another offers.
    pub fn offer(list: impl Fn() -> Vec<PageCommand> + 'static) {
        let Some(Self(offered)) = use_context::<Self>() else { return };
        let mine = Arc::new(());
        let by = Arc::clone(&mine);
        Effect::new(move |_| offered.set(Offer { by: Some(Arc::clone(&by)), commands: list() }));
        // what takes the place of something is drawn before that is gone, so an offer may be another's by then
        on_cleanup(move || {
            let is_mine = offered
                .try_with_untracked(|offer| offer.by.as_ref().is_some_and(|by| Arc::ptr_eq(by, &mine)))
                .unwrap_or_default();
            if is_mine {
                let _ = offered.try_set(Offer::default());
            }
        });
    }
}
