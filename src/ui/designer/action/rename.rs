//! Renaming a step's id: the edges and every expression that speaks of it follow.

use super::replaced;
use super::speech::Speech;
use crate::model::workflow::Body;
use crate::ui::designer::change::Change;
use crate::ui::designer::document::{Document, Selection};

/// Renames a step.
///
/// # Errors
/// What is wrong with the new id, for people.
pub fn rename_id(document: &Document, old: &str, new: &str) -> Result<Vec<Change>, String> {
    let graph = &document.graph;
    if old == new {
        return Ok(Vec::new());
    }
    if !is_id(new) {
        return Err("Start with a letter or _, then letters, digits and _, at most 64.".to_owned());
    }
    if document.find(new).is_some() {
        return Err(format!("Another step is called {new}."));
    }
    let Some(step) = graph.step(old) else {
        return Err("This step is gone.".to_owned());
    };
    let speech = Speech::renamed(old, new);
    let mut changes = vec![Change::mark(format!("Rename {old} to {new}"))];
    let mut renamed = speech.in_step(step);
    new.clone_into(&mut renamed.id);
    changes.push(replaced(old, renamed));
    // Expressions of this level and of the bodies in it can speak of the step; what lies around can't.
    for other in graph.steps.iter().filter(|other| other.id != old) {
        let altered = speech.in_step(other);
        if altered != *other {
            changes.push(replaced(&other.id, altered));
        }
    }
    changes.extend(edges(graph, old, new, &speech));
    let output = speech.in_value(&graph.output);
    if output != graph.output {
        changes.push(Change::SetOutput(output));
    }
    changes.push(Change::Select(Selection::of(new)));
    Ok(changes)
}

fn edges(graph: &Body, old: &str, new: &str, speech: &Speech) -> Vec<Change> {
    let mut changes = Vec::new();
    for (index, edge) in graph.edges.iter().enumerate() {
        let mut altered = speech.in_edge(edge);
        for end in [&mut altered.from, &mut altered.to] {
            if *end == old {
                new.clone_into(end);
            }
        }
        if altered != *edge {
            changes.push(Change::ReplaceEdge { index, edge: altered });
        }
    }
    changes
}

/// Whether a text may be a step's id.
pub fn is_id(text: &str) -> bool {
    let mut letters = text.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && text.len() <= 64 && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_word() {
        assert!(is_id("_a1") && is_id("Scan_2"));
        assert!(!is_id("") && !is_id("1a") && !is_id("a b") && !is_id(&"a".repeat(65)));
    }
}
