//! What the designer offers to the palette: by what is chosen.

use leptos::prelude::*;

use super::action;
use super::editor::Editor;
use super::keys;
use super::level::is_container;
use crate::ui::state::commands::{Commands, PageCommand};

/// What is chosen, as far as commands depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Chosen {
    steps: usize,
    containers: usize,
    /// Just one step, a group.
    group: bool,
    /// Inside of a container.
    inside: bool,
}

impl Chosen {
    fn of(editor: Editor) -> Self {
        editor.selection.track();
        editor.order.track();
        let inside = editor.trail.read().len() > 1;
        editor.with(|document| {
            let chosen: Vec<_> = document.chosen().collect();
            Self {
                steps: chosen.len(),
                containers: chosen.iter().filter(|step| is_container(step)).count(),
                group: chosen.len() == 1 && chosen[0].kind == "group",
                inside,
            }
        })
    }
}

/// Offers them as long as the caller's owner lives.
pub fn offer(editor: Editor, may_run: bool, test_run: Callback<()>) {
    let chosen = Memo::new(move |_| Chosen::of(editor));
    Commands::offer(move || list(editor, chosen.get(), may_run, test_run));
}

fn list(editor: Editor, chosen: Chosen, may_run: bool, test_run: Callback<()>) -> Vec<PageCommand> {
    let Chosen { steps, containers, group, inside } = chosen;
    let mut list = Vec::new();
    let mut add = |offered: bool, name, icon, keys, run: Callback<()>| {
        if offered {
            list.push(PageCommand { name, icon, keys, run });
        }
    };
    let edits = editor.may_edit;
    let by = |run: fn(Editor)| Callback::new(move |()| run(editor));
    let wrap = |kind: &'static str| Callback::new(move |()| keys::wrap(editor, kind));
    add(edits && steps > 0, "Put into a group", "group", "Ctrl+G", wrap("group"));
    add(edits && steps > 0, "Put into a For each (map)", "map", "", wrap("map"));
    add(edits && steps > 0, "Put into a Repeat", "repeat", "", wrap("repeat"));
    add(edits && group, "Take the group apart", "ungroup", "Ctrl+Shift+G", by(keys::dissolve));
    add(steps == 1 && containers == 1, "Go into the container", "into", "Enter", by(keys::enter));
    add(edits && containers > 0, "Fold or unfold", "fold", "F", by(keys::fold));
    add(inside, "Go out of the container", "up-level", "U", by(keys::go_up));
    add(edits && steps > 0, "Duplicate", "duplicate", "Ctrl+D", by(|editor| editor.act(action::duplicate)));
    add(edits && steps > 0, "Disable or enable", "ban", "D", by(|editor| editor.act(action::toggle_disabled)));
    add(edits && steps == 1, "Connect to…", "link", "C", by(keys::connect));
    add(edits, "Add a step", "plus", "A", by(keys::add));
    add(edits, "Tidy the layout", "tidy", "L", by(keys::tidy));
    add(may_run, "Test run", "play", "R", test_run);
    list
}
