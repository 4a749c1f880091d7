//! What calls of models take: by the words of a step, in the run that lies over the graph and in past ones. Told where a step is set
//! up, and for the workflow.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};

use super::editor::{Editor, use_editor};
use super::overlay::{Overlay, use_overlay};
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
        Effect::new(move |_| self.read());
    }

    /// Reads it for the nodes: once the page is awake, and again when a run over the graph has ended.
    pub fn follow(self, overlay: Overlay) {
        let has_ended = Memo::new(move |_| {
            overlay.run.with(|run| run.as_ref().is_some_and(|run| run.detail.summary.status.is_final()))
        });
        Effect::new(move |before: Option<bool>| {
            let ended = has_ended.get();
            if before.is_none() || ended {
                self.read();
            }
            ended
        });
    }

    fn read(self) {
        if self.may {
            spawn_local(async move {
                let Ok(preview) = api::dashboard::get_costs(self.id).await else { return };
                self.preview.try_set(Some(preview));
                // Steps that have not run yet are there beside those that have.
                self.estimate.try_set(api::dashboard::get_estimate(self.id).await.ok());
            });
        }
    }

    /// What is known of a step, by its path in the definition: what it took, else what it may take.
    fn of(self, path: &str) -> Option<Known> {
        let past = self.preview.with(|preview| preview.as_ref().and_then(|all| all.step(path)).cloned());
        let may = || self.estimate.with(|all| all.as_ref().and_then(|all| all.step(path)).cloned());
        past.map(Known::Past).or_else(|| may().map(Known::Estimate))
    }
}

/// What is known of what a step takes.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    Past(StepCost),
    Estimate(StepEstimate),
}

/// The path of a step in the definition.
fn path_of(editor: Editor, id: &str) -> String {
    let around = editor.trail.read().last().map(|here| here.path.clone()).unwrap_or_default();
    around.into_iter().chain([id.to_owned()]).collect::<Vec<_>>().join(".")
}

/// What the calls of a step take, under its node: in the run that lies over the graph, else usually, else by an estimate that says
/// that it is one.
#[component]
pub fn NodeCost(id: String, step: RwSignal<Step>) -> impl IntoView {
    let (costs, editor, overlay) = (expect_context::<Costs>(), use_editor(), use_overlay());
    let id = StoredValue::new(id);
    let asks = Memo::new(move |_| step.with(|step| Kind::find(&step.kind).is_some_and(Kind::calls_models)));
    let words = Memo::new(move |_| {
        if !asks.get() {
            return None;
        }
        let in_run = overlay.shown.get().then(|| {
            let run = overlay.run.read();
            run.as_ref().and_then(|run| id.with_value(|id| actual(&run.step(id)?.output)))
        });
        in_run.flatten().or_else(|| costs.of(&id.with_value(|id| path_of(editor, id))).map(|known| known.short()))
    });
    move || words.get().map(|words| view! { <div class="node-cost" title=words.clone()>{words.clone()}</div> })
}

/// In a few words, for a node.
fn short(input: i64, output: i64, micros: Option<i64>) -> String {
    let cost = micros.map_or_else(|| "no price".to_owned(), format::dollars);
    format!("{} → {} tokens, {cost}", format::count(input), format::count(output))
}

/// What the calls of a step took in a run, as its output tells, in a few words.
fn actual(output: &Value) -> Option<String> {
    let usage: Usage = serde_json::from_value(output.get("usage")?.clone()).ok()?;
    let micros = output.get("cost_usd").and_then(Value::as_f64).map(|dollars| (dollars * 1_000_000.0).round() as i64);
    Some(short(usage.prompt(), usage.output, micros))
}

impl Known {
    fn short(&self) -> String {
        match self {
            Self::Past(step) => format!("usually {}", short(step.median_input, step.median_output, step.median_micros)),
            Self::Estimate(step) => {
                format!("est. up to {}", short(step.most.prompt(), step.most.output, step.most_micros))
            }
        }
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
    let path = Memo::new(move |_| path_of(editor, &id));
    let runs = move || costs.preview.with(|preview| preview.as_ref().map_or(0, |all| all.runs));
    let told = move || match costs.of(&path.read())? {
        Known::Past(step) => Some(took(&step, runs())),
        Known::Estimate(step) => Some(may_take(&step)),
    };
    let line = |told: Option<String>| told.map(|told| view! { <p class="small">{told}</p> });
    view! {
        {move || line(words.get())}
        {move || line(told())}
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
    let (called, within) = (calls(step.calls), runs(step.runs));
    let usual = short(step.median_input, step.median_output, step.median_micros);
    format!("A call took {tokens} {cost}: {called} in {within} of the last {of}. In a run it usually takes {usual}.")
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
        {move || {
            // What has run needs no guess.
            let is_new = costs.preview.with(|preview| preview.as_ref().is_none_or(|preview| preview.steps.is_empty()));
            let estimate = costs.estimate.get().filter(|estimate| is_new && !estimate.steps.is_empty());
            estimate.map(|estimate| view! { <Estimated estimate /> })
        }}
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
    use crate::model::gateway::TokensBy;

    #[test]
    fn a_node_tells_what_was_from_what_may_be() {
        let usage = json!({"input": 1000, "cache_read": 200, "cache_write": 0, "cache_write_hour": 0, "output": 34, "reasoning": 0});
        let said = actual(&json!({"usage": usage, "cost_usd": 0.25})).unwrap();
        assert!(said.starts_with("1,200 → 34 tokens, $0.25"), "{said}");
        let past = StepCost {
            step: "ask".into(),
            runs: 3,
            calls: 3,
            usage: Usage::default(),
            cost_micros: 1,
            unpriced: 0,
            median_input: 10,
            median_output: 2,
            median_micros: None,
        };
        assert_eq!(Known::Past(past).short(), "usually 10 → 2 tokens, no price");
    }

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
            reads_by: TokensBy::Estimate,
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
