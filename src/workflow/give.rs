//! Giving a step's output by hand: it has failed and is to be tried again, and somebody has done its work instead.

use serde_json::{Map, Value};

use super::engine::{self, Engine};
use super::machine::{Input, Refusal};
use super::{Error, hand, inputs, runs, store};
use crate::agents;
use crate::model::RunId;
use crate::model::auth::Action;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{
    Edge, GiveOutput, Given, GivenOutput, Graph, MAX_GIVEN_REASON, RunSummary, State, Step, StepStatus, UNDO, port_of,
};
use crate::runtime::Ctx;

/// The largest output that is given by hand, as JSON text: it travels to whoever has the run in hand.
const MAX_BYTES: usize = 1024 * 1024;

/// Ends a step that has failed and is to be tried again as succeeded, with an output that a person gives. A run that is
/// held stays so until it is resumed; one that would have tried the step again later goes on at once. Returns how the run
/// stands once that is durable.
///
/// # Errors
/// [`Error::Invalid`] for an output that is none of the step's kind, a port that it does not have, a missing reason;
/// [`Error::Refused`] when the step is not about to be tried again or the run has ended; [`Error::NotFound`] for a run or a
/// step that there is not.
pub async fn give_output(ctx: &Ctx, run: RunId, asked: GiveOutput) -> Result<RunSummary, Error> {
    ctx.authorize(Action::ControlRun)?;
    let reason = check_reason(&asked.reason)?;
    check_text("/step", &asked.step)?;
    check_size(&asked.output)?;
    let (summary, hash) = runs::find(ctx, run).await?;
    if summary.status.is_final() {
        return Err(Refusal::Ended.into());
    }
    let definition = store::history::definition(&ctx.db, ctx.workspace(), &hash).await?;
    let mut state = State::new(run, &definition);
    engine::fold(ctx.runtime(), ctx.workspace(), &mut state).await?;
    let (kind, config) = kind_at(state.graph(), &asked.step).ok_or(Error::NotFound("step"))?;
    if kind.name == "approval" || state.graph().find_path(&asked.step).is_some_and(Step::asks_people) {
        let message =
            "expected a step that asks nobody: people answer an approval, and it asks anew when it is tried again";
        return Err(Error::invalid("/step", message));
    }
    // Whoever has the run in hand looks again.
    if state.find_step(&asked.step).is_none_or(|step| step.status != StepStatus::Retrying) {
        return Err(Refusal::NotRetrying.into());
    }
    let port = choose_port(kind, config, &asked)?;
    if let Some(schema) = kind.output_schema(config, &port) {
        inputs::fit_output(&schema, &asked.output)?;
    }
    let by = ctx.actor.principal.user_name().map(str::to_owned);
    let given = Given { by, reason };
    let is_agent = kind.keeps_journal();
    let gift = GivenOutput { step: asked.step.clone(), port, output: asked.output, given };
    let input = Input::Give(Box::new(gift));
    hand::note(ctx, run).await?;
    let stands = Engine::of(ctx.runtime()).tell(ctx.runtime(), ctx.workspace(), run, input).await?;
    // Else the run would be let go on with the agent, whatever holds it then.
    if is_agent && let Err(error) = agents::close_task(ctx, run, &asked.step).await {
        tracing::warn!(%run, %error, "the board of agents is behind");
    }
    Ok(stands)
}

/// What a path names: a step, or what undoes one.
fn kind_at<'a>(graph: &'a Graph, path: &str) -> Option<(&'static Kind, &'a Map<String, Value>)> {
    let (kind, config) = match path.strip_prefix(UNDO) {
        Some(undone) => {
            let compensation = graph.find_path(undone.trim_end_matches('\''))?.compensate.as_ref()?;
            (&compensation.kind, &compensation.config)
        }
        None => {
            let step = graph.find_path(path)?;
            (&step.kind, &step.config)
        }
    };
    Some((Kind::find(kind)?, config))
}

/// The port that was named, or that the output leads to.
fn choose_port(kind: &Kind, config: &Map<String, Value>, asked: &GiveOutput) -> Result<String, Error> {
    let mut ports = kind.ports_of(config);
    // What leaves by it has failed.
    ports.retain(|port| port != Edge::ERROR);
    let led = || match kind.name {
        "approval" => asked.output.get("decision").and_then(Value::as_str).unwrap_or_default().to_owned(),
        name => port_of(name, &asked.output),
    };
    let port = asked.port.clone().filter(|port| !port.is_empty()).unwrap_or_else(led);
    if ports.contains(&port) {
        return Ok(port);
    }
    let known = ports.join(", ");
    Err(Error::invalid("/port", format!("expected one of {known}")))
}

fn check_reason(reason: &str) -> Result<String, Error> {
    let reason = reason.trim();
    let is_fit = (1..=MAX_GIVEN_REASON).contains(&reason.chars().count());
    if !is_fit {
        return Err(Error::invalid("/reason", format!("expected 1 to {MAX_GIVEN_REASON} characters")));
    }
    check_text("/reason", reason)?;
    Ok(reason.to_owned())
}

fn check_text(pointer: &str, text: &str) -> Result<(), Error> {
    if text.contains('\0') { Err(Error::invalid(pointer, "expected no NUL characters")) } else { Ok(()) }
}

fn check_size(output: &Value) -> Result<(), Error> {
    if output.to_string().len() > MAX_BYTES {
        return Err(Error::invalid("/output", "expected at most 1 MiB of JSON"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn port(kind: &str, config: &Value, output: Value, port: Option<&str>) -> Result<String, String> {
        let kind = Kind::find(kind).expect("there");
        let asked = GiveOutput { step: "a".into(), output, port: port.map(str::to_owned), reason: "so".into() };
        let config = config.as_object().cloned().unwrap_or_default();
        choose_port(kind, &config, &asked).map_err(|error| error.to_string())
    }

    #[test]
    fn the_port_is_the_one_that_was_named_or_that_the_output_leads_to() {
        let none = json!({});
        assert_eq!(port("http", &none, json!({"status": 200}), None), Ok("out".to_owned()));
        assert_eq!(port("condition", &none, json!({"value": true}), None), Ok("true".to_owned()));
        assert_eq!(port("approval", &none, json!({"decision": "rejected"}), None), Ok("rejected".to_owned()));
        assert_eq!(port("event", &none, json!(1), Some("expired")), Ok("expired".to_owned()));
        let cases = json!({"cases": [{"port": "big", "when": "true"}]});
        assert_eq!(port("switch", &cases, json!({"port": "big"}), None), Ok("big".to_owned()));
    }

    #[test]
    fn a_port_that_there_is_not_is_refused_and_so_is_the_one_of_failures() {
        let none = json!({});
        for (kind, output, named) in [
            ("http", json!({"status": 200}), Some("error")),
            ("http", json!({"status": 200}), Some("true")),
            ("approval", json!({}), None),
            ("switch", json!({"port": "huge"}), None),
        ] {
            let refused = port(kind, &none, output, named).expect_err("refused");
            assert!(refused.starts_with("port: expected one of"), "{kind}: {refused}");
        }
    }

    #[test]
    fn a_reason_is_asked_for_and_bounded() {
        assert_eq!(check_reason("  paid by hand ").expect("fits"), "paid by hand");
        let long = "x".repeat(MAX_GIVEN_REASON + 1);
        for reason in ["", "   ", long.as_str(), "a\0b"] {
            assert!(check_reason(reason).is_err(), "{reason:?}");
        }
    }
}
