//! What the page that is open offers to the palette, beside what is offered everywhere.

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
pub struct Commands(RwSignal<Vec<PageCommand>>);

impl Commands {
    /// Makes the place for them; called once, by the layout.
    pub fn provide() -> Self {
        let commands = Self(RwSignal::new(Vec::new()));
        provide_context(commands);
        commands
    }

    /// What is offered now.
    pub fn list(self) -> Vec<PageCommand> {
        self.0.get()
    }

    /// Offers what `list` says, anew whenever that changes, as long as the caller's owner lives.
    pub fn offer(list: impl Fn() -> Vec<PageCommand> + 'static) {
        let Some(Self(offered)) = use_context::<Self>() else { return };
        Effect::new(move |_| offered.set(list()));
        on_cleanup(move || {
            let _ = offered.try_set(Vec::new());
        });
    }
}
