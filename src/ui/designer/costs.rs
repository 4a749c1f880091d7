//! What calls of models take: by the words of a step, in the run that lies over the graph and in past ones. Told where a step is set
//! up, and for the workflow.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};

use super::editor::use_editor;
use super::overlay::use_overlay;
use crate::api;
use crate::model::WorkflowId;
use crate::model::auth::{Action, Me};
use crate::model::gateway::{CostEstimate, CostPreview, StepCost, StepEstimate, Usage, estimate_tokens, own_words};
use crate::model::workflow::Step;
use crate::model::workflow::kind::Kind;
use crate::ui::format;

/// Steps that the workflow's panel names.
const MOST_STEPS: usize = 5;

/// What is known; read anew whenever a panel that shows it opens.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    id: WorkflowId,
    may: bool,
    preview: RwSignal<Option<CostPreview>>,
    /// What is reckoned while no run has told anything.
    estimate: RwSignal<Option<CostEstimate>>,
}

impl Costs {
    /// Nothing is known yet.
    pub fn new(id: WorkflowId) -> Self {
        let may = use_context::<Me>().is_some_and(|me| me.may(Action::ReadUsage));
        Self { id, may, preview: RwSignal::new(None), estimate: RwSignal::new(None) }
    }

    /// Reads it in the browser. What can't be read is not shown: nobody is kept from drawing by it.
    fn look(self) {
        Effect::new(move |_| {
            if self.may {
                spawn_local(async move {
                    let Ok(preview) = api::dashboard::get_costs(self.id).await else { return };
                    let is_new = preview.steps.is_empty();
                    self.preview.try_set(Some(preview));
                    // What has run needs no guess.
                    let estimate = if is_new { api::dashboard::get_estimate(self.id).await.ok() } else { None };
                    self.estimate.try_set(estimate);
                });
            }
        });
    }
}

/// What the step's calls take: by its words, in the run over the graph, and in past runs where there are some.
#[component]
pub fn StepCosts(id: String, step: RwSignal<Step>, kind: Option<&'static Kind>) -> impl IntoView {
    let costs = expect_context::<Costs>();
    if !kind.is_some_and(Kind::calls_models) {
        return ().into_any();
    }
    costs.look();
    let (editor, overlay) = (use_editor(), use_overlay());
    let words = Memo::new(move |_| step.with(|step| of_words(&step.config)));
    let own = id.clone();
    let last = Memo::new(move |_| {
        let run = overlay.run.read();
        run.as_ref().and_then(|run| of_output(&run.step(&own)?.output))
    });
    let path = Memo::new(move |_| {
        let around = editor.trail.read().last().map(|here| here.path.clone()).unwrap_or_default();
        around.into_iter().chain([id.clone()]).collect::<Vec<_>>().join(".")
    });
    let told = move || {
        costs.preview.with(|preview| preview.as_ref().and_then(|all| Some(took(all.step(&path.read())?, all.runs))))
    };
    let may = move || costs.estimate.with(|all| Some(may_take(all.as_ref()?.step(&path.read())?)));
    let line = |told: Option<String>| told.map(|told| view! { <p class="small">{told}</p> });
    view! {
        {move || line(words.get())}
        {move || line(told())}
        {move || line(may())}
        {move || line(last.get())}
    }
    .into_any()
}

/// What the words of a step come to, by the estimate that calls are counted with; nothing where it has none.
fn of_words(config: &Map<String, Value>) -> Option<String> {
    let (chars, templates) = own_words(config);
    let is_filled_in = templates > 0;
    if chars == 0 && !is_filled_in {
        return None;
    }
    let tokens = estimate_tokens(chars);
    let more = if is_filled_in { ", and what its templates put in" } else { "" };
    Some(format!("A call reads about {} tokens of its own words{more}.", format::count(tokens)))
}

/// What the calls of a step took in a run, as its output tells.
fn of_output(output: &Value) -> Option<String> {
    let usage: Usage = serde_json::from_value(output.get("usage")?.clone()).ok()?;
    let (read, written) = (format::count(usage.prompt()), format::count(usage.output));
    let cost = match output.get("cost_usd").and_then(Value::as_f64) {
        Some(dollars) => format!(" and {}", format::dollars((dollars * 1_000_000.0).round() as i64)),
        None => ", without a price".to_owned(),
    };
    Some(format!("In this run it took {read} → {written} tokens{cost}."))
}

/// What a call took, in a sentence.
fn took(step: &StepCost, of: u32) -> String {
    let each = |all: i64| all / step.calls.max(1);
    let tokens =
        format!("{} → {} tokens", format::count(each(step.usage.prompt())), format::count(each(step.usage.output)));
    let priced = step.calls - step.unpriced;
    let cost = if priced > 0 {
        format!("and {}", format::dollars(step.cost_micros / priced))
    } else {
        "without a price".to_owned()
    };
    format!("A call took {tokens} {cost}: {} in {} of the last {of}.", calls(step.calls), runs(step.runs))
}

/// What a step may cost before it ran, and how that was reckoned.
fn may_take(step: &StepEstimate) -> String {
    let cost = match (step.least_micros, step.most_micros) {
        (Some(least), Some(most)) => format!("may cost {} to {}", format::dollars(least), format::dollars(most)),
        _ => "has no price yet".to_owned(),
    };
    let whom = if step.model.is_empty() { String::new() } else { format!(" at {}", step.model) };
    format!("Before its first run: it {cost}{whom}. It {}.", step.how)
}

fn calls(count: i64) -> String {
    if count == 1 { "1 call".to_owned() } else { format!("{} calls", format::count(count)) }
}

fn runs(count: u32) -> String {
    if count == 1 { "1 run".to_owned() } else { format!("{count} runs") }
}

/// What a run cost; before one called a model, what it may cost; nothing where no step would call one.
#[component]
pub fn RunCosts() -> impl IntoView {
    let costs = expect_context::<Costs>();
    costs.look();
    view! {
        {move || past(costs)}
        {move || costs.estimate.get().filter(|estimate| !estimate.steps.is_empty()).map(|estimate| view! { <Estimated estimate /> })}
    }
}

/// What is reckoned before the first run.
#[component]
fn Estimated(estimate: CostEstimate) -> impl IntoView {
    let CostEstimate { least_micros, most_micros, unpriced, steps, assumes } = estimate;
    let priced = steps.len() > unpriced as usize;
    let span = format!("{} to {}", format::dollars(least_micros), format::dollars(most_micros));
    let dearest = steps.into_iter().take(MOST_STEPS).map(|step| {
        let cost = match (step.least_micros, step.most_micros) {
            (Some(least), Some(most)) => format!("{} to {}", format::dollars(least), format::dollars(most)),
            _ => "no price".to_owned(),
        };
        view! { <dt class="mono">{step.step}</dt><dd class="num">{cost}</dd> }
    });
    let lacks = match unpriced {
        0 => None,
        1 => Some("1 step is not in it: its model has no price, or nobody could be asked.".to_owned()),
        many => Some(format!("{many} steps are not in it: their models have no price, or nobody could be asked.")),
    };
    view! {
        <section class="field past-costs" aria-labelledby="run-estimate-label">
            <span class="label" id="run-estimate-label">
                "What a run may cost"<span class="aside">"an estimate, before the first"</span>
            </span>
            {priced.then(|| view! {
                <dl class="pairs"><dt>"From, to"</dt><dd class="num">{span}</dd></dl>
            })}
            <span class="hint">"By step"</span>
            <dl class="pairs">{dearest.collect_view()}</dl>
            {lacks.map(|lacks| view! { <p class="dim small">{lacks}</p> })}
            <p class="dim small">{assumes.join(" ")}</p>
        </section>
    }
}

/// What past runs cost.
fn past(costs: Costs) -> Option<impl IntoView> {
    let preview = costs.preview.get().filter(|preview| !preview.steps.is_empty())?;
    let CostPreview { runs, least_micros, median_micros, most_micros, unpriced, steps } = preview;
    let span = format!("{} to {}", format::dollars(least_micros), format::dollars(most_micros));
    let dearest = steps.into_iter().take(MOST_STEPS).map(|step| {
            view! { <dt class="mono">{step.step}</dt><dd class="num">{format::dollars(step.cost_micros / i64::from(runs.max(1)))}</dd> }
        });
    Some(view! {
        <section class="field past-costs" aria-labelledby="run-costs-label">
            <span class="label" id="run-costs-label">
                "What a run cost"<span class="aside">{format!("the last {}", self::runs(runs))}</span>
            </span>
            <dl class="pairs">
                <dt>"Half of them at most"</dt><dd class="num">{format::dollars(median_micros)}</dd>
                <dt>"From, to"</dt><dd class="num">{span}</dd>
            </dl>
            <span class="hint">"By step, on average"</span>
            <dl class="pairs">{dearest.collect_view()}</dl>
            {(unpriced > 0).then(|| view! {
                <p class="dim small">{format!("{} had no price, and are not in it.", calls(unpriced))}</p>
            })}
        </section>
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_words_of_a_step_are_counted_without_what_is_put_in() {
        let of = |config: Value| of_words(config.as_object().unwrap());
        assert_eq!(of(json!({"route": "smart"})), None);
        let plain = json!({"prompt": "w".repeat(360), "system": "s".repeat(40), "model": "ignored"});
        assert_eq!(of(plain).unwrap(), "A call reads about 100 tokens of its own words.");
        let filled = json!({"text": format!("{}{{{{ inputs.text }}}}", "w".repeat(40)), "labels": []});
        assert_eq!(
            of(filled).unwrap(),
            "A call reads about 11 tokens of its own words, and what its templates put in."
        );
    }

    #[test]
    fn before_the_first_run_it_is_told_what_a_step_may_cost_and_how_that_was_reckoned() {
        let step = |micros: Option<i64>| StepEstimate {
            step: "ask".into(),
            model: "acme/big".into(),
            least_calls: 1,
            most_calls: 1,
            least: Usage::default(),
            most: Usage::default(),
            least_micros: micros,
            most_micros: micros.map(|micros| micros * 2),
            how: "reads 8 tokens of its own".into(),
        };
        let told = may_take(&step(Some(250_000)));
        assert_eq!(told, "Before its first run: it may cost $0.25 to $0.50 at acme/big. It reads 8 tokens of its own.");
        assert!(may_take(&step(None)).contains("it has no price yet at acme/big"));
    }

    #[test]
    fn a_run_tells_what_it_took() {
        let usage = json!({"input": 1000, "cache_read": 200, "cache_write": 0, "cache_write_hour": 0, "output": 34, "reasoning": 0});
        let told = of_output(&json!({"text": "x", "usage": usage, "cost_usd": 0.25})).unwrap();
        assert!(told.starts_with("In this run it took 1,200 → 34 tokens and $0.25"), "{told}");
        assert!(of_output(&json!({"usage": usage, "cost_usd": null})).unwrap().ends_with(", without a price."));
        assert_eq!(of_output(&json!({"text": "x"})), None);
    }
}
