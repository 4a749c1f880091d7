//! Whether a run that has gone some way on one definition could have gone it on another: the rule of forks and of runs that
//! are moved to a newer version.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::diff::changed_fields;
use super::{Body, Graph, Step};

/// How far a run has come with a step of the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Touch {
    /// How far.
    pub far: Far,
    /// A body of it has begun.
    pub inside: bool,
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Far {
    /// It is in motion, or waits.
    #[default]
    Begun,
    /// Its attempt failed, and the next has not begun: that one takes its config anew, so that what it does may be
    /// another. Not where it has done a part of its work that it goes on from.
    Failed,
    /// It has ended: how patiently it was tried matters no more.
    Ended,
    /// It was passed over: what it would have done never mattered.
    Skipped,
}

/// The steps of the root that a run has come to, by id.
pub type Touched<'a> = BTreeMap<&'a str, Touch>;

/// How far the steps inside of containers have come, in one body or another, by their ids, which are unique in a definition.
/// One that is missing lies ahead in every body. Where a body has ended, all of its steps have.
pub type Inside<'a> = BTreeMap<&'a str, BTreeSet<Far>>;

/// What must be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Which steps there are and how they hang together: a fork may do something else in a step that it keeps.
    Shape,
    /// Also what they do: what follows builds on it.
    Whole,
}

/// Why a run can't go on with a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Misfit {
    /// The step that stands in the way; `None` for the workflow as a whole.
    pub step: Option<String>,
    /// A sentence without a full stop.
    pub message: String,
}

impl Misfit {
    /// About a step.
    pub fn of(step: &str, message: impl Into<String>) -> Self {
        Self { step: Some(step.to_owned()), message: message.into() }
    }
}

/// Everything that stands in the way, in the order of the ids. `when` says until when the steps count, such as
/// `" before the fork"`.
///
/// Every step that was touched is in both, of the same kind, joined in the same way, with the same edges leading to it. A
/// container whose body has begun is the same altogether, with all that is inside of it; where it is known how far the steps
/// inside have come, those that have not begun, and those that failed and are tried again, may do something else, as outside.
pub fn misfits(
    source: &Graph,
    onto: &Graph,
    touched: &Touched<'_>,
    inside: Option<&Inside<'_>>,
    likeness: Likeness,
    when: &str,
) -> Vec<Misfit> {
    let find = |(&id, touch): (&&str, &Touch)| {
        let message = misfit(source, onto, (id, *touch), inside, likeness, when)?;
        Some(Misfit::of(id, message))
    };
    touched.iter().filter_map(find).collect()
}

fn misfit(
    source: &Graph,
    onto: &Graph,
    (id, touch): (&str, Touch),
    inside: Option<&Inside<'_>>,
    likeness: Likeness,
    when: &str,
) -> Option<String> {
    let (Some(before), Some(after)) = (source.find(id), onto.find(id)) else {
        return Some(format!("step {id} had begun{when} and is not in this definition"));
    };
    let (old, new) = (source.step(before), onto.step(after));
    if old.kind != new.kind {
        return Some(format!("step {id} had begun as {}{when} and is {} here", old.kind, new.kind));
    }
    let joins = |step: &Step| (step.join, step.cancel_others);
    if joins(old) != joins(new) || leading_to(source, before) != leading_to(onto, after) {
        return Some(format!("step {id} had begun{when}, and other edges lead to it here"));
    }
    let mut fits_inside = same_body(old.body.as_ref(), new.body.as_ref());
    if touch.inside {
        let is_same = (&old.config, &old.retry) == (&new.config, &new.retry);
        if is_same
            && !fits_inside
            && touch.far != Far::Ended
            && let (Some(inside), Some(a), Some(b)) = (inside, &old.body, &new.body)
        {
            if let Some(message) = misfit_inside(id, a, b, inside, when) {
                return Some(message);
            }
            fits_inside = true;
        }
        if !is_same || !fits_inside {
            return Some(format!("step {id} had begun its body{when}, and is another here"));
        }
    }
    if likeness == Likeness::Shape || touch.far == Far::Skipped {
        return None;
    }
    let matters = |field: &String| if field == "body" { !fits_inside } else { matters(field, touch.far) };
    let changed: Vec<String> = changed_fields(old, new).into_iter().filter(matters).collect();
    (!changed.is_empty()).then(|| format!("step {id} had begun{when}, and its {} differs here", changed.join(", ")))
}

/// Whether a field must be the same, for a step that has come so far. What is inside of it is another matter.
fn matters(field: &str, far: Far) -> bool {
    match field {
        _ if far == Far::Skipped => false,
        // Whether to begin it at all was decided by the old one.
        field if far == Far::Failed => field == "disabled",
        "retry" | "timeout_ms" | "on_error" | "default" | "slots" | "concurrency" | "compensate" => far != Far::Ended,
        _ => true,
    }
}

/// Why bodies in motion can't go on with another one: it has other steps or edges, or one that has begun does something else.
///
/// The steps are the same ones in the same order, so that a body keeps its place in all that is counted by them.
fn misfit_inside(container: &str, old: &Body, new: &Body, inside: &Inside<'_>, when: &str) -> Option<String> {
    let hangs = |step: &Step| (step.id.clone(), step.join, step.cancel_others);
    let is_same_shape = old.edges == new.edges
        && old.output == new.output
        && old.steps.iter().map(hangs).eq(new.steps.iter().map(hangs));
    if !is_same_shape {
        let what = "its body has other steps, edges or another output here";
        return Some(format!("step {container} had begun its body{when}, and {what}"));
    }
    old.steps.iter().zip(&new.steps).find_map(|(a, b)| {
        let fars = inside.get(a.id.as_str())?;
        let place = format!("step {} inside of {container} had begun", a.id);
        if a.kind != b.kind {
            return Some(format!("{place} as {}{when} and is {} here", a.kind, b.kind));
        }
        let fields = changed_fields(a, b).into_iter().filter(|field| field != "body");
        let changed: Vec<String> = fields.filter(|field| fars.iter().any(|far| matters(field, *far))).collect();
        if !changed.is_empty() {
            return Some(format!("{place}{when}, and its {} differs here", changed.join(", ")));
        }
        match (&a.body, &b.body) {
            (Some(old), Some(new)) if !same_body(Some(old), Some(new)) => {
                if (&a.config, &a.retry) != (&b.config, &b.retry) {
                    return Some(format!("step {} had begun its body{when}, and is another here", a.id));
                }
                misfit_inside(&a.id, old, new, inside, when)
            }
            _ => None,
        }
    })
}

/// The edges that lead to a step, in no matter what order.
fn leading_to(graph: &Graph, step: u32) -> Vec<(&str, &str, Option<&str>)> {
    let edges = graph.inbound(step).iter().map(|&number| graph.edge(number));
    let mut edges: Vec<_> = edges.map(|edge| (edge.from.as_str(), edge.port.as_str(), edge.when.as_deref())).collect();
    edges.sort_unstable();
    edges
}

/// Whether two bodies do the same; names and places on the canvas don't count.
fn same_body(a: Option<&Body>, b: Option<&Body>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            a.edges == b.edges
                && a.output == b.output
                && a.steps.len() == b.steps.len()
                && a.steps.iter().zip(&b.steps).all(|(a, b)| a.id == b.id && same_step(a, b))
        }
        _ => false,
    }
}

fn same_step(a: &Step, b: &Step) -> bool {
    same_body(a.body.as_ref(), b.body.as_ref()) && changed_fields(a, b).iter().all(|field| field == "body")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn graph(steps: &Value, edges: &Value) -> std::sync::Arc<Graph> {
        let definition = json!({"weft": 1, "name": "w", "steps": steps, "edges": edges});
        Graph::new(serde_json::from_value(definition).expect("fits"))
    }

    fn steps() -> Value {
        json!([
            {"id": "a", "kind": "http", "config": {"url": "http://x"}, "retry": {"max_attempts": 3}},
            {"id": "each", "kind": "map", "config": {"items": [1]},
                "body": {"steps": [{"id": "in", "kind": "http", "config": {"url": "http://x"}}]}},
        ])
    }

    fn found(alter: impl Fn(&mut Value), touch: Touch, likeness: Likeness) -> Vec<String> {
        let edges = json!([{"from": "a", "to": "each"}]);
        let mut altered = steps();
        alter(&mut altered);
        let touched = Touched::from([("a", touch), ("each", touch)]);
        let found = misfits(&graph(&steps(), &edges), &graph(&altered, &edges), &touched, None, likeness, "");
        found.into_iter().map(|misfit| misfit.message).collect()
    }

    #[test]
    fn what_a_step_did_may_differ_for_a_fork_and_not_for_a_run_that_is_moved() {
        let other = |steps: &mut Value| steps[0]["config"]["url"] = json!("http://y");
        assert!(found(other, Touch::default(), Likeness::Shape).is_empty());
        let whole = found(other, Touch::default(), Likeness::Whole);
        assert_eq!(whole, ["step a had begun, and its config.url differs here"]);
        let skipped = Touch { far: Far::Skipped, inside: false };
        assert!(found(other, skipped, Likeness::Whole).is_empty());
    }

    #[test]
    fn what_is_tried_again_may_be_another_but_for_what_was_decided_before_it_began() {
        let failed = Touch { far: Far::Failed, inside: false };
        let other = |steps: &mut Value| {
            steps[0]["config"]["url"] = json!("http://y");
            steps[0]["retry"] = json!({"max_attempts": 9});
            steps[0]["pinned"] = json!(1);
        };
        assert!(found(other, failed, Likeness::Whole).is_empty());
        let off = found(|steps| steps[0]["disabled"] = json!(true), failed, Likeness::Whole);
        assert_eq!(off, ["step a had begun, and its disabled differs here"]);
        let kind = found(|steps| steps[0]["kind"] = json!("transform"), failed, Likeness::Whole);
        assert_eq!(kind, ["step a had begun as http and is transform here"]);
        let inside = found(
            |steps| steps[1]["body"]["steps"][0]["config"]["url"] = json!("http://y"),
            Touch { far: Far::Failed, inside: true },
            Likeness::Whole,
        );
        assert_eq!(inside, ["step each had begun its body, and is another here"]);
    }

    #[test]
    fn patience_matters_until_a_step_has_ended() {
        let patient = |steps: &mut Value| steps[0]["retry"] = json!({"max_attempts": 9});
        let ended = Touch { far: Far::Ended, inside: false };
        assert!(found(patient, ended, Likeness::Whole).is_empty());
        assert_eq!(found(patient, Touch::default(), Likeness::Whole), ["step a had begun, and its retry differs here"]);
    }

    #[test]
    fn a_body_that_has_begun_is_the_same_with_all_that_is_inside() {
        let inside = Touch { far: Far::Ended, inside: true };
        let other = |steps: &mut Value| steps[1]["body"]["steps"][0]["config"]["url"] = json!("http://y");
        for likeness in [Likeness::Shape, Likeness::Whole] {
            assert_eq!(found(other, inside, likeness), ["step each had begun its body, and is another here"]);
        }
        let moved = |steps: &mut Value| {
            steps[1]["body"]["steps"][0]["position"] = json!({"x": 5, "y": 5});
            steps[1]["body"]["steps"][0]["name"] = json!("Inside");
            steps[1]["body"]["unfolded"] = json!(true);
        };
        assert!(found(moved, inside, Likeness::Whole).is_empty());
    }

    fn found_inside(alter: impl Fn(&mut Value), far: &[Far]) -> Vec<String> {
        let mut altered = steps();
        alter(&mut altered);
        let touched = Touched::from([("each", Touch { far: Far::Begun, inside: true })]);
        let inside: Inside<'_> =
            if far.is_empty() { Inside::new() } else { Inside::from([("in", far.iter().copied().collect())]) };
        let (source, onto) = (graph(&steps(), &json!([])), graph(&altered, &json!([])));
        let found = misfits(&source, &onto, &touched, Some(&inside), Likeness::Whole, "");
        found.into_iter().map(|misfit| misfit.message).collect()
    }

    #[test]
    fn inside_of_a_body_in_motion_the_same_holds_as_outside() {
        let url = |steps: &mut Value| steps[1]["body"]["steps"][0]["config"]["url"] = json!("http://y");
        let differs = ["step in inside of each had begun, and its config.url differs here"];
        assert_eq!(found_inside(url, &[]), [""; 0], "it lies ahead");
        assert_eq!(found_inside(url, &[Far::Failed]), [""; 0], "it takes its config anew");
        assert_eq!(found_inside(url, &[Far::Begun]), differs);
        assert_eq!(found_inside(url, &[Far::Failed, Far::Ended]), differs, "another body has run it");
        let patient = |steps: &mut Value| steps[1]["body"]["steps"][0]["retry"] = json!({"max_attempts": 9});
        assert_eq!(found_inside(patient, &[Far::Failed, Far::Ended]), [""; 0]);
        assert_eq!(
            found_inside(patient, &[Far::Begun]),
            ["step in inside of each had begun, and its retry differs here"]
        );
        let kind = |steps: &mut Value| steps[1]["body"]["steps"][0]["kind"] = json!("transform");
        assert_eq!(found_inside(kind, &[]), [""; 0]);
        assert_eq!(
            found_inside(kind, &[Far::Failed]),
            ["step in inside of each had begun as http and is transform here"]
        );
    }

    #[test]
    fn a_body_in_motion_keeps_its_steps_its_edges_and_its_output() {
        let shape = ["step each had begun its body, and its body has other steps, edges or another output here"];
        let output = |steps: &mut Value| steps[1]["body"]["output"] = json!("{{ item }}");
        assert_eq!(found_inside(output, &[]), shape);
        let more = |steps: &mut Value| {
            let list = steps[1]["body"]["steps"].as_array_mut().expect("a list");
            list.push(json!({"id": "more", "kind": "http", "config": {"url": "http://x"}}));
        };
        assert_eq!(found_inside(more, &[]), shape);
        let items = |steps: &mut Value| steps[1]["config"]["items"] = json!([1, 2]);
        assert_eq!(found_inside(items, &[]), ["step each had begun its body, and is another here"]);
    }
}
