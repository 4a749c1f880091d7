//! What the keys do: one table from a key to an action, asked by the listener and by the tests.

use leptos::prelude::*;

use super::action;
use super::change::Change;
use super::document::{Ask, Link, Selection};
use super::editor::Editor;
use super::kernel::walk::{self, Direction};
use super::kernel::{Point, View};
use super::tool::Input;
use crate::ui::browser::{self, KeyPlace};

/// Something a key does in the designer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// Take the last work back.
    Undo,
    /// Do it again.
    Redo,
    /// Choose all steps.
    SelectAll,
    /// Delete what is chosen.
    Delete,
    /// Copy it beside itself.
    Duplicate,
    /// Ask which step to add.
    Add,
    /// Ask what to connect the step to.
    Connect,
    /// Go to the name in the inspector.
    Rename,
    /// Disable or enable.
    ToggleDisabled,
    /// Move by pixels.
    Nudge { dx: f64, dy: f64 },
    /// Lay out anew.
    Tidy,
    /// Closer.
    ZoomIn,
    /// Farther.
    ZoomOut,
    /// As large as life.
    ZoomReset,
    /// Show everything.
    Fit,
    /// Go along the graph.
    Walk(Direction),
    /// Go into the container, or for other steps into the inspector.
    Enter,
    /// Go out of the container that one is in.
    GoUp,
    /// Fold or unfold the chosen containers.
    Fold,
    /// Put what is chosen into a container of this kind.
    Wrap(&'static str),
    /// Take the chosen group apart.
    Dissolve,
    /// Try the draft out.
    TestRun,
}

/// The keys held with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mods {
    /// Ctrl or Command.
    pub ctrl: bool,
    /// Shift.
    pub shift: bool,
    /// Alt or Option.
    pub alt: bool,
}

/// What a key does, by its name in the DOM.
pub fn action_for(key: &str, mods: Mods) -> Option<Action> {
    let lower = key.to_lowercase();
    if mods.ctrl {
        return match (lower.as_str(), mods.shift) {
            ("z", false) => Some(Action::Undo),
            ("z", true) | ("y", false) => Some(Action::Redo),
            ("a", false) => Some(Action::SelectAll),
            ("d", false) => Some(Action::Duplicate),
            ("g", false) => Some(Action::Wrap("group")),
            ("g", true) => Some(Action::Dissolve),
            _ => None,
        };
    }
    if let Some(direction) = direction(key) {
        let by = if mods.shift { 1.0 } else { 8.0 };
        let (dx, dy) = match direction {
            Direction::Up => (0.0, -by),
            Direction::Down => (0.0, by),
            Direction::Left => (-by, 0.0),
            Direction::Right => (by, 0.0),
        };
        return Some(if mods.alt { Action::Nudge { dx, dy } } else { Action::Walk(direction) });
    }
    if mods.alt {
        return None;
    }
    Some(match lower.as_str() {
        "delete" | "backspace" => Action::Delete,
        "a" => Action::Add,
        "c" => Action::Connect,
        "d" => Action::ToggleDisabled,
        "l" => Action::Tidy,
        "r" => Action::TestRun,
        "f2" => Action::Rename,
        "+" | "=" => Action::ZoomIn,
        "-" | "_" => Action::ZoomOut,
        "0" => Action::ZoomReset,
        "1" => Action::Fit,
        "enter" => Action::Enter,
        "u" => Action::GoUp,
        "f" => Action::Fold,
        _ => return None,
    })
}

fn direction(key: &str) -> Option<Direction> {
    Some(match key {
        "ArrowUp" => Direction::Up,
        "ArrowDown" => Direction::Down,
        "ArrowLeft" => Direction::Left,
        "ArrowRight" => Direction::Right,
        _ => return None,
    })
}

/// The id of the canvas, for the focus.
pub const CANVAS: &str = "canvas";
/// The id of the name in the inspector.
pub const NAME: &str = "step-name";

/// Gives the focus to the leading step, else to the canvas.
pub fn focus_canvas(editor: Editor) {
    match editor.selection.with_untracked(|selection| selection.lead.clone()) {
        Some(lead) => browser::focus_id(&format!("step-{lead}")),
        None => browser::focus_id(CANVAS),
    }
}

/// Does it.
pub fn run(editor: Editor, action: Action, test_run: Callback<()>) {
    match action {
        Action::Undo => editor.undo(),
        Action::Redo => editor.redo(),
        Action::SelectAll => editor.act(action::select_all),
        Action::Delete => delete(editor),
        Action::Duplicate => editor.act(action::duplicate),
        Action::Add => add(editor),
        Action::Connect => connect(editor),
        Action::Rename => inspect(editor),
        Action::ToggleDisabled => editor.act(action::toggle_disabled),
        // With nothing to move, up is out.
        Action::Nudge { dy, .. } if dy < 0.0 && editor.with(|document| document.selection.is_empty()) => go_up(editor),
        Action::Nudge { dx, dy } => editor.act(|document| action::nudge(document, dx, dy)),
        Action::Tidy => tidy(editor),
        Action::ZoomIn => zoom(editor, Some(View::STEP)),
        Action::ZoomOut => zoom(editor, Some(1.0 / View::STEP)),
        Action::ZoomReset => zoom(editor, None),
        Action::Fit => editor.fit(),
        Action::Walk(direction) => walk(editor, direction),
        Action::Enter => enter(editor),
        Action::GoUp => go_up(editor),
        Action::Fold => fold(editor),
        Action::Wrap(kind) => wrap(editor, kind),
        Action::Dissolve => dissolve(editor),
        Action::TestRun => test_run.run(()),
    }
}

/// Deletes what is chosen and keeps the focus on the canvas.
pub fn delete(editor: Editor) {
    let before = editor.with(|document| document.selection.clone());
    if before.is_empty() {
        return;
    }
    let next = before.lead.as_deref().and_then(|lead| {
        let to = editor.with(|document| walk::step(&document.graph, lead, Direction::Up).map(|step| step.id.clone()));
        to.filter(|id| !before.steps.contains(id))
    });
    editor.act(action::delete);
    if let Some(next) = next {
        editor.perform(vec![Change::Select(Selection::of(&next))]);
    }
    focus_canvas(editor);
}

/// Lays the graph out and shows it whole.
pub fn tidy(editor: Editor) {
    editor.act(action::tidy);
    editor.fit();
}

/// Asks for a step that follows the leading one, or goes into the chosen edge.
pub fn add(editor: Editor) {
    if !editor.may_edit {
        return;
    }
    let link = editor.with(|document| {
        let selection = &document.selection;
        let after = selection
            .lead
            .as_ref()
            .map(|step| Link::After { step: step.clone(), port: action::free_port(&document.graph, step) });
        after.or_else(|| selection.edges.first().cloned().map(Link::Between))
    });
    editor.perform(vec![Change::Ask(Some(Ask::AddStep { at: None, link }))]);
}

/// Asks what to connect the leading step to.
pub fn connect(editor: Editor) {
    let lead = editor.with(|document| document.selection.lead.clone()).filter(|_| editor.may_edit);
    if let Some(from) = lead {
        editor.perform(vec![Change::Ask(Some(Ask::Connect { from }))]);
    }
}

/// Zooms around the middle of the canvas; to life size without a factor.
pub fn zoom(editor: Editor, factor: Option<f64>) {
    editor.act(|document| {
        let middle = Point::new(document.size.w / 2.0, document.size.h / 2.0);
        let zoom = factor.map_or(1.0, |factor| document.view.zoom * factor);
        vec![Change::Look(document.view.zoomed_to(middle, zoom))]
    });
}

fn walk(editor: Editor, direction: Direction) {
    let to = editor.with(|document| {
        let graph = &document.graph;
        let step = match document.selection.lead.as_deref() {
            Some(lead) => walk::step(graph, lead, direction),
            None => walk::first(graph),
        };
        step.map(|step| step.id.clone())
    });
    if let Some(to) = to {
        editor.go_to(&to);
        browser::next_frame(move || focus_canvas(editor));
    }
}

/// Goes into the leading step if it is a container, else to its settings.
pub fn enter(editor: Editor) {
    let into = editor.with(|document| {
        document.selection.lead.as_ref().map(|lead| action::go_into(document, lead)).unwrap_or_default()
    });
    if into.is_empty() {
        inspect(editor);
    } else {
        editor.perform(into);
        browser::next_frame(move || focus_canvas(editor));
    }
}

/// Goes out of the container that one is in.
pub fn go_up(editor: Editor) {
    editor.act(action::go_up);
    browser::next_frame(move || focus_canvas(editor));
}

/// Folds or unfolds the chosen containers.
pub fn fold(editor: Editor) {
    editor.act(|document| action::toggle_folded(document, document.chosen().map(|step| step.id.as_str())));
}

/// Puts the chosen steps into a container.
pub fn wrap(editor: Editor, kind: &str) {
    editor.try_act(|document| action::wrap(document, kind));
    browser::next_frame(move || focus_canvas(editor));
}

/// Puts the steps of the chosen group in its place.
pub fn dissolve(editor: Editor) {
    editor.try_act(action::dissolve);
    browser::next_frame(move || focus_canvas(editor));
}

fn inspect(editor: Editor) {
    editor.inspector.set(true);
    browser::next_frame(|| browser::focus_id(NAME));
}

/// Listens for the keys of the page as long as the caller's owner lives.
pub fn listen(editor: Editor, test_run: Callback<()>) {
    Effect::new(move |_| {
        let down = move |event: leptos::ev::KeyboardEvent| pressed(editor, &event, test_run);
        let up = move |event: leptos::ev::KeyboardEvent| {
            if event.key() == " " {
                editor.input(Input::Space { down: false });
            }
        };
        let guard = StoredValue::new_local(browser::on_keys(down, up));
        on_cleanup(move || guard.dispose());
    });
}

#[expect(clippy::match_same_arms, reason = "each place of keys has its own line")]
fn pressed(editor: Editor, event: &leptos::ev::KeyboardEvent, test_run: Callback<()>) {
    if event.default_prevented() || event.is_composing() {
        return;
    }
    let (place, key) = (browser::key_place(event), event.key());
    match (place, key.as_str()) {
        (KeyPlace::Dialog, _) => {}
        (KeyPlace::Field, "Escape") => focus_canvas(editor),
        (KeyPlace::Field, _) => {}
        (KeyPlace::Button, "Enter" | " " | "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight") => {}
        (_, "Escape") => {
            editor.input(Input::Escape);
            // Out of a container the step to stand on is drawn first.
            browser::next_frame(move || focus_canvas(editor));
        }
        (KeyPlace::Page, " ") => {
            event.prevent_default();
            if !event.repeat() {
                editor.input(Input::Space { down: true });
            }
        }
        _ => {
            let mods =
                Mods { ctrl: event.ctrl_key() || event.meta_key(), shift: event.shift_key(), alt: event.alt_key() };
            if let Some(action) = action_for(&key, mods) {
                event.prevent_default();
                run(editor, action, test_run);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_sheet_says() {
        let plain = Mods::default();
        let ctrl = Mods { ctrl: true, ..plain };
        let alt = Mods { alt: true, ..plain };
        let rows = [
            ("z", ctrl, Some(Action::Undo)),
            ("Z", Mods { shift: true, ..ctrl }, Some(Action::Redo)),
            ("y", ctrl, Some(Action::Redo)),
            ("c", ctrl, None),
            ("c", plain, Some(Action::Connect)),
            ("d", plain, Some(Action::ToggleDisabled)),
            ("d", ctrl, Some(Action::Duplicate)),
            ("ArrowDown", plain, Some(Action::Walk(Direction::Down))),
            ("ArrowDown", alt, Some(Action::Nudge { dx: 0.0, dy: 8.0 })),
            ("ArrowLeft", Mods { shift: true, ..alt }, Some(Action::Nudge { dx: -1.0, dy: 0.0 })),
            ("1", plain, Some(Action::Fit)),
            ("F2", plain, Some(Action::Rename)),
            ("a", alt, None),
            ("Enter", plain, Some(Action::Enter)),
            ("u", plain, Some(Action::GoUp)),
            ("g", ctrl, Some(Action::Wrap("group"))),
            ("G", Mods { shift: true, ..ctrl }, Some(Action::Dissolve)),
            ("g", plain, None),
            ("q", plain, None),
        ];
        for (key, mods, action) in rows {
            assert_eq!(action_for(key, mods), action, "{key} {mods:?}");
        }
    }
}
