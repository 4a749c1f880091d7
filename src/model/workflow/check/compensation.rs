//! Whether what undoes a step can be run, and whether there is anything to undo.

use super::super::kind::Kind;
use super::super::{Compensation, Definition, Step};
use super::{Findings, check_patience, config};

/// The workflow's own part.
pub(super) fn check(definition: &Definition, found: &mut Findings) {
    if let Some(workflow) = &definition.on_failure
        && (workflow.trim().is_empty() || workflow.chars().any(char::is_control))
    {
        found.error(None, "/on_failure", "expected the name or the id of a workflow");
    }
}

/// A step's part; its references are checked with those of the step.
pub(super) fn check_step(step: &Step, compensation: &Compensation, found: &mut Findings) {
    let id = Some(step.id.as_str());
    let Some(kind) = Kind::find(&compensation.kind) else {
        return found.error(id, "/compensate/kind", format!("unknown kind {:?}", compensation.kind));
    };
    if kind.pure_step || kind.has_body() {
        let message = format!("expected a kind that does something, such as http or shell; {} can't undo", kind.name);
        return found.error(id, "/compensate/kind", message);
    }
    if Kind::find(&step.kind).is_some_and(|kind| kind.pure_step) {
        let message = format!("the kind {} only computes: there is nothing to undo", step.kind);
        found.warning(id, "/compensate", message);
    }
    let alone = Step { config: compensation.config.clone(), ..Step::new(&step.id, &compensation.kind) };
    let mut inside = Findings::default();
    config::check(&alone, kind, &mut inside);
    check_patience(&step.id, compensation.retry.as_ref(), compensation.timeout_ms, &mut inside);
    for problem in inside.0 {
        found.add(problem.severity, id, format!("/compensate{}", problem.field), problem.message);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::model::workflow::check::check;

    fn problems(compensate: Value) -> Vec<String> {
        let definition = json!({"weft": 1, "name": "w", "on_failure": "", "steps": [
            {"id": "before", "kind": "transform", "config": {"value": 1}, "compensate": compensate},
            {"id": "charge", "kind": "http", "config": {"url": "http://x"}, "compensate": compensate},
            {"id": "after", "kind": "transform", "config": {"value": 1}},
        ], "edges": [{"from": "before", "to": "charge"}, {"from": "charge", "to": "after"}]});
        let definition = serde_json::from_value(definition).expect("fits");
        check(&definition)
            .into_iter()
            .map(|p| format!("{} {} {}", p.step.unwrap_or_default(), p.field, p.message))
            .collect()
    }

    #[test]
    fn what_undoes_a_step_sees_it_and_what_came_before() {
        let url = "http://x/{{ steps.charge.output.id }}/{{ steps.charge.input.url }}/{{ steps.before.output }}";
        let found = problems(json!({"kind": "http", "config": {"url": url}}));
        assert_eq!(
            found,
            [
                " /on_failure expected the name or the id of a workflow",
                "before /compensate the kind transform only computes: there is nothing to undo",
                "before /compensate/config/url charge does not run before before: no path leads from it to here",
            ]
        );
    }

    #[test]
    fn what_undoes_a_step_is_checked_like_a_step() {
        let found = problems(json!({"kind": "shell", "config": {"argv": ["{{ steps.after.output }}"], "x": 1},
            "retry": {"max_attempts": 0}, "timeout_ms": 0}));
        let of_charge: Vec<&String> = found.iter().filter(|p| p.starts_with("charge")).collect();
        assert_eq!(of_charge.len(), 4, "{of_charge:?}");
        assert!(of_charge[0].starts_with("charge /compensate/config/x unknown field"));
        assert_eq!(of_charge[1], "charge /compensate/retry/max_attempts expected 1 to 100, found 0");
        assert_eq!(of_charge[2], "charge /compensate/timeout_ms expected 1 to 604800000 (a week)");
        assert!(of_charge[3].starts_with("charge /compensate/config/argv after does not run before charge"));
        for kind in ["condition", "map", "transform", "nothing"] {
            let found = problems(json!({"kind": kind}));
            assert!(found.iter().any(|p| p.starts_with("charge /compensate/kind")), "{kind}: {found:?}");
        }
    }
}
