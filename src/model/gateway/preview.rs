//! What a workflow's calls of models took in past runs, as a preview of the next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::response::Usage;
use crate::model::RunId;

/// Runs that are looked at: the newest that have ended.
pub const PREVIEW_RUNS: u32 = 50;

/// What the calls of one step in one run took. A step inside of a container has a line for each iteration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepCalls {
    /// In which run.
    pub run: RunId,
    /// The step's path in the run, such as `each[3].ask`.
    pub path: String,
    /// How many.
    pub calls: i64,
    /// What they took.
    pub usage: Usage,
    /// Millionths of a US dollar of those that have a price.
    pub cost_micros: i64,
    /// How many have none.
    pub unpriced: i64,
}

/// What a step's calls took in past runs, all together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepCost {
    /// The step's path in the definition, such as `each.ask`.
    pub step: String,
    /// In how many of the runs it called a model.
    pub runs: u32,
    /// How many calls.
    pub calls: i64,
    /// What they took.
    pub usage: Usage,
    /// Millionths of a US dollar of those that have a price.
    pub cost_micros: i64,
    /// How many have none.
    pub unpriced: i64,
    /// Tokens that it read in a run in which it called a model: in as many it read less as in others more.
    #[serde(default)]
    pub median_input: i64,
    /// Tokens that it wrote, in the same way.
    #[serde(default)]
    pub median_output: i64,
    /// What it cost, in the same way; absent where no call had a price.
    #[serde(default)]
    pub median_micros: Option<i64>,
}

/// What a step took in one run.
#[derive(Debug, Clone, Copy, Default)]
struct InRun {
    input: i64,
    output: i64,
    cost_micros: i64,
    is_priced: bool,
}

/// What a workflow's calls of models took in its last runs that have ended, at most 50.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostPreview {
    /// How many runs that is; 0 says that nothing can be told.
    pub runs: u32,
    /// What a run cost: the cheapest, in millionths of a US dollar.
    pub least_micros: i64,
    /// As many cost less as cost more.
    pub median_micros: i64,
    /// The dearest.
    pub most_micros: i64,
    /// Calls of models without a price: the costs lack them.
    pub unpriced: i64,
    /// Each step that called a model, the dearest first.
    pub steps: Vec<StepCost>,
}

impl CostPreview {
    /// Sums up what so many runs did; those without a line called no model, and cost nothing.
    pub fn of(runs: u32, lines: &[StepCalls]) -> Self {
        let mut by_run: BTreeMap<RunId, i64> = BTreeMap::new();
        let mut by_step: BTreeMap<String, (BTreeMap<RunId, InRun>, StepCost)> = BTreeMap::new();
        for line in lines {
            *by_run.entry(line.run).or_default() += line.cost_micros;
            let step = in_definition(&line.path);
            let (runs, sum) = by_step.entry(step.clone()).or_insert_with(|| {
                let nothing = StepCost {
                    step,
                    runs: 0,
                    calls: 0,
                    usage: Usage::default(),
                    cost_micros: 0,
                    unpriced: 0,
                    median_input: 0,
                    median_output: 0,
                    median_micros: None,
                };
                (BTreeMap::new(), nothing)
            });
            let in_run: &mut InRun = runs.entry(line.run).or_default();
            in_run.input = in_run.input.saturating_add(line.usage.prompt());
            in_run.output = in_run.output.saturating_add(line.usage.output);
            in_run.cost_micros = in_run.cost_micros.saturating_add(line.cost_micros);
            in_run.is_priced |= line.calls > line.unpriced;
            sum.calls += line.calls;
            sum.usage = sum.usage.plus(line.usage);
            sum.cost_micros = sum.cost_micros.saturating_add(line.cost_micros);
            sum.unpriced += line.unpriced;
        }
        let mut costs: Vec<i64> = by_run.into_values().collect();
        costs.resize(costs.len().max(runs as usize), 0);
        costs.sort_unstable();
        let mut steps: Vec<StepCost> = by_step.into_values().map(|(runs, sum)| with_medians(&runs, sum)).collect();
        steps.sort_by(|a, b| b.cost_micros.cmp(&a.cost_micros).then_with(|| a.step.cmp(&b.step)));
        Self {
            runs,
            least_micros: costs.first().copied().unwrap_or_default(),
            median_micros: costs.get(costs.len() / 2).copied().unwrap_or_default(),
            most_micros: costs.last().copied().unwrap_or_default(),
            unpriced: steps.iter().map(|step| step.unpriced).sum(),
            steps,
        }
    }

    /// What a step took, by its path in the definition.
    pub fn step(&self, path: &str) -> Option<&StepCost> {
        self.steps.iter().find(|step| step.step == path)
    }
}

fn with_medians(runs: &BTreeMap<RunId, InRun>, sum: StepCost) -> StepCost {
    let of = |get: fn(&InRun) -> i64| median(runs.values().map(get).collect()).unwrap_or_default();
    StepCost {
        runs: runs.len() as u32,
        median_input: of(|run| run.input),
        median_output: of(|run| run.output),
        median_micros: median(runs.values().filter(|run| run.is_priced).map(|run| run.cost_micros).collect()),
        ..sum
    }
}

/// The one in the middle; of an even number the larger of the two. `None` of nothing.
fn median(mut numbers: Vec<i64>) -> Option<i64> {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}

/// A path without the numbers of iterations.
fn in_definition(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut depth = 0_u32;
    for c in path.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(run: u128, path: &str, cost_micros: i64, unpriced: i64) -> StepCalls {
        let usage = Usage { input: 10, output: 2, ..Usage::default() };
        StepCalls { run: RunId(uuid::Uuid::from_u128(run)), path: path.into(), calls: 1, usage, cost_micros, unpriced }
    }

    #[test]
    fn iterations_of_a_step_are_one_step() {
        let lines = [line(1, "each[0].ask", 5, 0), line(1, "each[1].ask", 7, 0), line(1, "sum", 100, 0)];
        let preview = CostPreview::of(1, &lines);
        let names: Vec<&str> = preview.steps.iter().map(|step| step.step.as_str()).collect();
        assert_eq!(names, ["sum", "each.ask"]);
        let ask = preview.step("each.ask").unwrap();
        assert_eq!((ask.runs, ask.calls, ask.cost_micros, ask.usage.input), (1, 2, 12, 20));
        assert_eq!(in_definition("a[1].b[2].c"), "a.b.c");
    }

    #[test]
    fn a_run_that_called_nobody_cost_nothing() {
        let preview = CostPreview::of(3, &[line(1, "ask", 30, 0), line(2, "ask", 10, 1)]);
        assert_eq!((preview.least_micros, preview.median_micros, preview.most_micros), (0, 10, 30));
        assert_eq!((preview.unpriced, preview.step("ask").unwrap().runs), (1, 2));
    }

    #[test]
    fn a_step_is_told_by_its_run_in_the_middle() {
        // Two iterations in the first run, and a price in all but the last.
        let lines = [
            line(1, "each[0].ask", 5, 0),
            line(1, "each[1].ask", 7, 0),
            line(2, "each[0].ask", 30, 0),
            line(3, "each[0].ask", 0, 1),
        ];
        let preview = CostPreview::of(3, &lines);
        let ask = preview.step("each.ask").unwrap();
        assert_eq!((ask.median_input, ask.median_output, ask.median_micros), (10, 2, Some(30)));
        let unpriced = CostPreview::of(1, &lines[3..]);
        assert_eq!(unpriced.step("each.ask").unwrap().median_micros, None);
        assert_eq!((median(vec![3, 1, 2]), median(Vec::new())), (Some(2), None));
    }

    #[test]
    fn without_runs_nothing_is_told() {
        assert_eq!(CostPreview::of(0, &[]), CostPreview::default());
    }
}
