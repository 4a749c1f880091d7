//! Undo and redo: named marks, each with the changes that take it back.

use super::change::{Change, apply};
use super::document::{Document, Selection};

/// How many marks are kept.
const KEPT: usize = 300;

/// What can be undone and redone.
#[derive(Debug, Clone, Default)]
pub struct History {
    done: Vec<Mark>,
    undone: Vec<Mark>,
}

/// One named piece of work.
#[derive(Debug, Clone)]
struct Mark {
    name: String,
    key: Option<String>,
    /// Applied last to first.
    back: Vec<Change>,
    before: Selection,
    /// The containers in which it was done.
    level: Vec<String>,
}

impl History {
    /// Applies changes and remembers how to take them back. Returns whether the definition altered.
    pub fn perform(&mut self, document: &mut Document, changes: Vec<Change>) -> bool {
        let mut edited = false;
        for change in changes {
            match change {
                Change::Mark { name, key } => self.open(name, key, document),
                Change::Select(_) | Change::Enter(_) => {
                    self.seal();
                    apply(document, change);
                }
                change => {
                    if let Some(back) = apply(document, change) {
                        edited = true;
                        self.remember(back, document);
                    }
                }
            }
        }
        if edited {
            document.selection = std::mem::take(&mut document.selection).pruned(&document.graph);
        }
        edited
    }

    /// Takes the newest mark back. Returns its name.
    pub fn undo(&mut self, document: &mut Document) -> Option<String> {
        let mark = loop {
            let mark = self.done.pop()?;
            if !mark.back.is_empty() {
                break mark;
            }
        };
        let name = mark.name.clone();
        self.undone.push(taken_back(mark, document));
        Some(name)
    }

    /// Does again what was taken back last. Returns its name.
    pub fn redo(&mut self, document: &mut Document) -> Option<String> {
        let mark = self.undone.pop()?;
        let name = mark.name.clone();
        self.done.push(taken_back(mark, document));
        Some(name)
    }

    /// What undo would take back.
    pub fn undo_name(&self) -> Option<&str> {
        self.done.iter().rev().find(|mark| !mark.back.is_empty()).map(|mark| mark.name.as_str())
    }

    /// What redo would do again.
    pub fn redo_name(&self) -> Option<&str> {
        self.undone.last().map(|mark| mark.name.as_str())
    }

    /// Ends the joining of changes with equal keys.
    pub fn seal(&mut self) {
        if let Some(last) = self.done.last_mut() {
            last.key = None;
        }
    }

    fn open(&mut self, name: String, key: Option<String>, document: &Document) {
        if key.is_some() && self.undone.is_empty() && self.done.last().is_some_and(|last| last.key == key) {
            return;
        }
        if self.done.last().is_some_and(|last| last.back.is_empty()) {
            self.done.pop();
        }
        if self.done.len() >= KEPT {
            self.done.remove(0);
        }
        let (before, level) = (document.selection.clone(), document.path());
        self.done.push(Mark { name, key, back: Vec::new(), before, level });
    }

    fn remember(&mut self, back: Change, document: &Document) {
        self.undone.clear();
        // What is done at another level is another piece of work.
        if self.done.last().is_none_or(|last| last.level != document.path()) {
            self.open("Change".to_owned(), None, document);
        }
        let Some(last) = self.done.last_mut() else { return };
        // A drag is many moves of the same steps: the first place is the one to go back to.
        if let (Change::MoveSteps(new), Some(Change::MoveSteps(old))) = (&back, last.back.last())
            && new.len() == old.len()
            && new.iter().zip(old).all(|(a, b)| a.0 == b.0)
        {
            return;
        }
        last.back.push(back);
    }
}

/// Goes to where the mark was made and applies its way back; what comes out is the way back from there.
fn taken_back(mark: Mark, document: &mut Document) -> Mark {
    document.enter(&mark.level);
    let now = std::mem::take(&mut document.selection);
    let back = mark.back.into_iter().rev().filter_map(|change| apply(document, change)).collect();
    document.selection = mark.before.pruned(&document.graph);
    Mark { name: mark.name, key: None, back, before: now, level: mark.level }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::workflow::{Definition, Position};
    use crate::ui::designer::action;
    use crate::ui::designer::document::{Link, edge_keys};
    use crate::ui::designer::kernel::Point;

    fn document() -> Document {
        Document::new(Definition::empty("test"), true)
    }

    /// A random piece of work on whatever there is.
    fn work(document: &Document, verb: u8, a: usize, b: usize) -> Vec<Change> {
        let ids: Vec<String> = document.graph.steps.iter().map(|step| step.id.clone()).collect();
        let pick = |n: usize| ids.get(n % ids.len().max(1)).cloned().unwrap_or_default();
        let keys = edge_keys(&document.graph.edges);
        match verb % 10 {
            0 | 1 => {
                let link = (!ids.is_empty()).then(|| Link::After { step: pick(a), port: "out".to_owned() });
                action::add_step(document, "transform", Some(Point::new(a as f64, b as f64)), link)
            }
            2 => action::connect(document, &pick(a), "out", &pick(b)),
            3 => vec![Change::Select(Selection::of_many([pick(a), pick(b)]))],
            4 => action::delete(document),
            5 => action::duplicate(document),
            6 => action::rename_id(document, &pick(a), &format!("renamed_{b}")).unwrap_or_default(),
            7 => vec![Change::mark("Move"), Change::MoveSteps(vec![(pick(a), Position { x: b as f64, y: 3.0 })])],
            8 => action::tidy(document),
            _ if keys.is_empty() => action::toggle_disabled(document),
            _ => {
                let link = Link::Between(keys[a % keys.len()].clone());
                action::add_step(document, "condition", None, Some(link))
            }
        }
    }

    proptest! {
        #[test]
        fn undo_takes_back_exactly_what_was_done(seeds in prop::collection::vec((any::<u8>(), 0..50_usize, 0..50_usize), 1..40)) {
            let (mut document, mut history) = (document(), History::default());
            let mut states = vec![document.graph.clone()];
            for (verb, a, b) in seeds {
                let changes = work(&document, verb, a, b);
                if history.perform(&mut document, changes) {
                    states.push(document.graph.clone());
                }
            }
            let last = states.len() - 1;
            for before in states[..last].iter().rev() {
                prop_assert!(history.undo(&mut document).is_some());
                prop_assert_eq!(&document.graph, before);
            }
            prop_assert_eq!(history.undo(&mut document), None);
            for after in &states[1..] {
                prop_assert!(history.redo(&mut document).is_some());
                prop_assert_eq!(&document.graph, after);
            }
        }
    }

    #[test]
    fn typing_in_one_field_is_one_mark() {
        let (mut document, mut history) = (document(), History::default());
        let changes = action::add_step(&document, "http", None, None);
        history.perform(&mut document, changes);
        let id = document.graph.steps[0].id.clone();
        for text in ["h", "ht", "http://"] {
            let changes = action::set_config(&document, &id, "url", Some(text.into()), "Address");
            history.perform(&mut document, changes);
        }
        assert_eq!(history.undo_name(), Some("Change Address of HTTP request"));
        history.undo(&mut document);
        assert!(document.graph.steps[0].config.is_empty());
        assert_eq!(history.redo_name(), Some("Change Address of HTTP request"));
    }

    #[test]
    fn a_reader_changes_nothing() {
        let mut document = Document::new(Definition::empty("test"), false);
        let changes = action::add_step(&document, "http", None, None);
        assert!(!History::default().perform(&mut document, changes));
        assert!(document.graph.steps.is_empty());
    }
}
