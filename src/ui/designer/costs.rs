//! What calls of models took in past runs: told where a step is set up, and for the workflow.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::editor::use_editor;
use crate::api;
use crate::model::WorkflowId;
use crate::model::auth::{Action, Me};
use crate::model::gateway::{CostPreview, StepCost};
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
}

impl Costs {
    /// Nothing is known yet.
    pub fn new(id: WorkflowId) -> Self {
        let may = use_context::<Me>().is_some_and(|me| me.may(Action::ReadUsage));
        Self { id, may, preview: RwSignal::new(None) }
    }

    /// Reads it in the browser. What can't be read is not shown: nobody is kept from drawing by it.
    fn look(self) {
        Effect::new(move |_| {
            if self.may {
                spawn_local(async move {
                    if let Ok(preview) = api::dashboard::get_costs(self.id).await {
                        self.preview.try_set(Some(preview));
                    }
                });
            }
        });
    }
}

/// Whether steps of a kind call models.
fn calls_models(kind: &Kind) -> bool {
    kind.fields.iter().any(|field| field.name == "model")
}

/// What a call of the step took; nothing where no run ever made one.
#[component]
pub fn StepCosts(id: String, kind: Option<&'static Kind>) -> impl IntoView {
    let costs = expect_context::<Costs>();
    if !costs.may || !kind.is_some_and(calls_models) {
        return ().into_any();
    }
    costs.look();
    let editor = use_editor();
    let path = Memo::new(move |_| {
        let around = editor.trail.read().last().map(|here| here.path.clone()).unwrap_or_default();
        around.into_iter().chain([id.clone()]).collect::<Vec<_>>().join(".")
    });
    let told = move || {
        costs.preview.with(|preview| preview.as_ref().and_then(|all| Some(took(all.step(&path.read())?, all.runs))))
    };
    view! { {move || told().map(|told| view! { <p class="small">{told}</p> })} }.into_any()
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

fn calls(count: i64) -> String {
    if count == 1 { "1 call".to_owned() } else { format!("{} calls", format::count(count)) }
}

fn runs(count: u32) -> String {
    if count == 1 { "1 run".to_owned() } else { format!("{count} runs") }
}

/// What a run cost; nothing where no run ever called a model.
#[component]
pub fn RunCosts() -> impl IntoView {
    let costs = expect_context::<Costs>();
    costs.look();
    move || {
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
}
