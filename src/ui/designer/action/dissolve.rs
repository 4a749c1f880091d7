//! Taking a group apart, where the workflow then does the same: its steps stand where it stood.

use serde_json::Value;

use super::replaced;
use super::speech::Speech;
use crate::model::workflow::{Body, Edge, Join, OnError, Position, Step};
use crate::ui::designer::change::Change;
use crate::ui::designer::document::{Document, Selection};
use crate::ui::designer::kernel::{Point, geometry};

/// Puts the steps of the chosen group in its place.
///
/// # Errors
/// What would be lost, for people.
pub fn dissolve(document: &Document) -> Result<Vec<Change>, String> {
    let mut chosen = document.chosen();
    let (Some(group), None) = (chosen.next(), chosen.next()) else {
        return Err("Choose one group to take it apart.".to_owned());
    };
    let body = group.body.as_ref().filter(|body| !body.steps.is_empty());
    let Some(body) = body else {
        return Err(format!("{} has no steps inside.", group.label()));
    };
    let ends = Ends::of(document, group, body);
    refused(document, group, body, &ends)?;
    let speeches = speeches(group, body, &ends);
    let mut changes = vec![Change::mark(format!("Take {} apart", group.label()))];
    let edges = &document.graph.edges;
    let touching =
        (0..edges.len()).rev().filter(|index| edges[*index].from == group.id || edges[*index].to == group.id);
    changes.extend(touching.map(|index| Change::RemoveEdge { index }));
    changes.push(Change::RemoveStep { id: group.id.clone() });
    changes.extend(placed(group, body, &ends).map(|step| Change::AddStep { index: usize::MAX, step: Box::new(step) }));
    let tied = body.edges.iter().cloned().chain(ends.tied());
    changes.extend(tied.map(|edge| Change::AddEdge { index: usize::MAX, edge }));
    changes.extend(respoken(document, group, &speeches)?);
    changes.push(Change::Select(Selection::of_many(body.steps.iter().map(|step| step.id.clone()))));
    Ok(changes)
}

/// Where a group begins and ends.
struct Ends<'a> {
    /// The steps inside that nothing inside leads to.
    first: Vec<&'a Step>,
    /// The steps inside that nothing inside follows.
    last: Vec<&'a Step>,
    inbound: Vec<&'a Edge>,
    outbound: Vec<&'a Edge>,
}

impl<'a> Ends<'a> {
    fn of(document: &'a Document, group: &Step, body: &'a Body) -> Self {
        let (graph, inner) = (&document.graph, &body.edges);
        Self {
            first: body.steps.iter().filter(|step| inner.iter().all(|edge| edge.to != step.id)).collect(),
            last: body.steps.iter().filter(|step| inner.iter().all(|edge| edge.from != step.id)).collect(),
            inbound: graph.edges.iter().filter(|edge| edge.to == group.id).collect(),
            outbound: graph.edges.iter().filter(|edge| edge.from == group.id).collect(),
        }
    }

    /// What led to the group leads to each of its first steps, what followed it follows each of its last.
    fn tied(&self) -> impl Iterator<Item = Edge> {
        let into = self
            .inbound
            .iter()
            .flat_map(|edge| self.first.iter().map(|step| Edge { to: step.id.clone(), ..(*edge).clone() }));
        let out = self
            .outbound
            .iter()
            .flat_map(|edge| self.last.iter().map(|step| Edge { from: step.id.clone(), ..(*edge).clone() }));
        into.chain(out)
    }
}

fn refused(document: &Document, group: &Step, body: &Body, ends: &Ends<'_>) -> Result<(), String> {
    let name = group.label();
    if group.kind != "group" {
        return Err(format!("{name} runs its steps more than once. Only a group can be taken apart."));
    }
    if group.timeout_ms.is_some() || group.retry.is_some() || group.on_error != OnError::Fail || group.disabled {
        return Err(format!("{name} has a time limit, retries or a way to handle errors that its steps would lose."));
    }
    if group.join != Join::All && ends.first.len() > 1 {
        return Err(format!("{name} starts before all that leads to it has run; its first steps would each do so."));
    }
    let branches = |step: &Step| geometry::out_ports(step) != [Edge::OUT] || step.on_error == OnError::Port;
    let branched = body.edges.iter().any(|edge| edge.when.is_some()) || body.steps.iter().any(branches);
    if !ends.outbound.is_empty() && branched {
        return Err(format!("What follows {name} runs whichever branch inside was taken; apart, it would not."));
    }
    let waits = |edge: &&Edge| document.graph.step(&edge.to).is_some_and(|step| step.join != Join::All);
    if ends.last.len() > 1 && ends.outbound.iter().any(waits) {
        return Err(format!(
            "What follows {name} does not wait for all that leads to it; apart, it would start earlier."
        ));
    }
    if ends.outbound.iter().any(|edge| edge.port != Edge::OUT) {
        return Err(format!("An edge leaves {name} by another port than out."));
    }
    Ok(())
}

/// The steps at their places outside: where the group stood.
fn placed<'a>(group: &'a Step, body: &'a Body, ends: &'a Ends<'a>) -> impl Iterator<Item = Step> + 'a {
    let inside = geometry::bounds(&body.steps).unwrap_or_default();
    let middle = geometry::node_rect(group).center().x;
    let corner = Point::new(middle - inside.w / 2.0, group.position.y);
    let sole = ends.first.len() == 1;
    body.steps.iter().map(move |step| {
        let (x, y) = (step.position.x - inside.x + corner.x, step.position.y - inside.y + corner.y);
        let step = Step { position: Position { x: x.round(), y: y.round() }, ..step.clone() };
        // With one first step, how the group waited for what leads to it is how that step waits.
        if sole && ends.first[0].id == step.id {
            Step { join: group.join, cancel_others: group.cancel_others, ..step }
        } else {
            step
        }
    })
}

/// How what was said of the group's output is said of its steps'.
fn speeches(group: &Step, body: &Body, ends: &Ends<'_>) -> Vec<Speech> {
    match (&body.output, &*ends.last) {
        (Value::Null, [only]) => vec![Speech::moved(&group.id, ".output", &format!("{}.output", only.id))],
        (Value::Null, several) => several
            .iter()
            .map(|step| Speech::moved(&group.id, &format!(".output.{}", step.id), &format!("{}.output", step.id)))
            .collect(),
        (Value::Object(fields), _) => fields
            .iter()
            .filter_map(|(key, value)| {
                let path = value.as_str()?.trim().strip_prefix("{{ steps.")?.strip_suffix(" }}")?;
                let plain = path.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
                plain.then(|| Speech::moved(&group.id, &format!(".output.{key}"), path))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// What spoke of the group speaks of its steps.
///
/// # Errors
/// Something speaks of the group in a way that none of its steps can answer.
fn respoken(document: &Document, group: &Step, speeches: &[Speech]) -> Result<Vec<Change>, String> {
    let left = Speech::renamed(&group.id, &format!("{}_gone", group.id));
    let refused = || format!("Other steps speak of what {} gives as a whole.", group.label());
    let mut changes = Vec::new();
    for step in document.graph.steps.iter().filter(|step| step.id != group.id) {
        let altered = speeches.iter().fold(step.clone(), |step, speech| speech.in_step(&step));
        if left.is_in_step(&altered) {
            return Err(refused());
        }
        if altered != *step {
            changes.push(replaced(&step.id, altered));
        }
    }
    if document.graph.edges.iter().any(|edge| left.in_edge(edge) != *edge) {
        return Err(refused());
    }
    let output = speeches.iter().fold(document.graph.output.clone(), |value, speech| speech.in_value(&value));
    if left.in_value(&output) != output {
        return Err(refused());
    }
    if output != document.graph.output {
        changes.push(Change::SetOutput(output));
    }
    Ok(changes)
}

#[cfg(test)]
#[path = "dissolve_tests.rs"]
mod tests;
