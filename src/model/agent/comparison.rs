//! Two versions of an agent at the same tasks, beside each other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::workflow::RunStatus;
use crate::model::{AgentId, ComparisonId, RunId, Timestamp};

/// Tasks of a comparison at most; each is done twice.
pub const MAX_TASKS: usize = 20;
/// Checks of each answer at most.
pub const MAX_CHECKS: usize = 20;

/// Something that holds for a good answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// 1..=60 characters, unique in the comparison.
    pub name: String,
    /// An expression over `inputs.prompt` and `steps.work.output`, such as `"loom" in steps.work.output.text`. 1..=2,000
    /// characters.
    pub holds: String,
}

/// What is to be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparisonDraft {
    /// A version of the agent, one of those that are kept.
    pub first: i64,
    /// Another one.
    pub second: i64,
    /// Tasks that the agent was given before: their runs.
    #[serde(default)]
    pub runs: Vec<RunId>,
    /// Tasks in words. With those of `runs` 1 to 20.
    #[serde(default)]
    pub prompts: Vec<String>,
    /// What holds for good answers. At most 20.
    #[serde(default)]
    pub checks: Vec<Check>,
}

/// A task of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComparedTask {
    /// In words.
    pub prompt: String,
    /// What the variables of the persona are for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// The run that it was taken from, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<RunId>,
}

/// What is compared, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComparisonPlan {
    /// A version of the agent.
    pub first: i64,
    /// Another one.
    pub second: i64,
    /// What each of them does.
    pub tasks: Vec<ComparedTask>,
    /// What holds for good answers.
    pub checks: Vec<Check>,
}

/// A comparison in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// Its id.
    pub id: ComparisonId,
    /// Of which agent.
    pub agent_id: AgentId,
    /// What is compared.
    pub plan: ComparisonPlan,
    /// Who asked for it.
    pub made_by: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It holds.
    Passed,
    /// It does not, or there is no answer of which it could.
    Missed,
    /// There is no answer yet.
    Open,
}

/// One version at one task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trial {
    /// Its run; absent before that was started, and once it was deleted.
    pub run_id: Option<RunId>,
    /// How that stands.
    pub status: Option<RunStatus>,
    /// In the order of the checks.
    pub checks: Vec<CheckOutcome>,
    /// Calls of the model.
    pub turns: i64,
    /// Tokens, read and written.
    pub tokens: i64,
    /// Millionths of a US dollar; absent where a model has no price.
    pub cost_micros: Option<i64>,
    /// Milliseconds from its beginning to its end, once it has one.
    pub ms: Option<i64>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One version at all tasks. The medians count the tasks that both versions have done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sums {
    /// Tasks that are done.
    pub done: u32,
    /// Tasks that failed, or were cancelled.
    pub failed: u32,
    /// Checks that hold.
    pub passed: u32,
    /// Checks that hold or do not.
    pub checked: u32,
    /// The median of the turns.
    pub turns: Option<i64>,
    /// The median of the tokens.
    pub tokens: Option<i64>,
    /// The median of the cost, in millionths of a US dollar, of tasks that have a price at both.
    pub cost_micros: Option<i64>,
    /// The median of the time, in milliseconds.
    pub ms: Option<i64>,
}

/// A comparison with what came of it so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ComparisonResult {
    /// What is compared.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// The first version at each task.
    pub first: Vec<Trial>,
    /// The second version at each task.
    pub second: Vec<Trial>,
    /// The first version at all of them.
    pub first_sums: Sums,
    /// The second version at all of them.
    pub second_sums: Sums,
    /// Whether every run is over.
    pub is_over: bool,
    /// What that says, in a sentence or two.
    pub verdict: String,
}

impl Trial {
    /// Whether it gave an answer.
    pub fn is_done(&self) -> bool {
        self.status == Some(RunStatus::Succeeded)
    }

    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        self.status.is_none_or(RunStatus::is_final)
    }
}

impl ComparisonResult {
    /// Puts together what came of each task. Both lists have a trial for each task.
    pub fn new(comparison: Comparison, first: Vec<Trial>, second: Vec<Trial>) -> Self {
        let (first_sums, second_sums) = (sums(&first, &second), sums(&second, &first));
        let is_over = first.iter().chain(&second).all(Trial::is_over);
        let verdict = verdict(&comparison.plan, first_sums, second_sums, is_over);
        Self { comparison, first, second, first_sums, second_sums, is_over, verdict }
    }
}

fn sums(of: &[Trial], beside: &[Trial]) -> Sums {
    let count = |is: fn(&Trial) -> bool| of.iter().filter(|trial| is(trial)).count() as u32;
    let checks = |outcome| of.iter().flat_map(|trial| &trial.checks).filter(|one| **one == outcome).count() as u32;
    let passed = checks(CheckOutcome::Passed);
    let both: Vec<&Trial> =
        of.iter().zip(beside).filter(|(one, other)| one.is_done() && other.is_done()).map(|(one, _)| one).collect();
    let priced =
        of.iter().zip(beside).filter(|(one, other)| one.is_done() && other.is_done() && other.cost_micros.is_some());
    Sums {
        done: count(Trial::is_done),
        failed: count(|trial| trial.status.is_some_and(RunStatus::is_final) && !trial.is_done()),
        passed,
        checked: passed + checks(CheckOutcome::Missed),
        turns: median(both.iter().map(|trial| trial.turns)),
        tokens: median(both.iter().map(|trial| trial.tokens)),
        cost_micros: median(priced.filter_map(|(one, _)| one.cost_micros)),
        ms: median(both.iter().filter_map(|trial| trial.ms)),
    }
}

/// The middle one; of an even number the lower of both in the middle.
fn median(values: impl Iterator<Item = i64>) -> Option<i64> {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// What the numbers say: answers first, then checks, then what they took.
fn verdict(plan: &ComparisonPlan, first: Sums, second: Sums, is_over: bool) -> String {
    if !is_over {
        return "It is not over yet.".to_owned();
    }
    let (one, two) = (format!("Version {}", plan.first), format!("version {}", plan.second));
    let total = plan.tasks.len();
    let mut said = if first.done == second.done {
        format!("Both did {} of {total} tasks", first.done)
    } else {
        format!("{one} did {} of {total} tasks, {two} {}", first.done, second.done)
    };
    if !plan.checks.is_empty() {
        let checks = if first.passed == second.passed {
            format!(", and passed {} of {} checks each", first.passed, first.checked)
        } else {
            format!(
                "; {} of {} checks passed against {} of {}",
                first.passed, first.checked, second.passed, second.checked
            )
        };
        said.push_str(&checks);
    }
    said.push('.');
    let more = |what: &str, one: Option<i64>, two: Option<i64>| {
        let (one, two) = (one.filter(|n| *n > 0)?, two.filter(|n| *n > 0)?);
        let percent = ((two - one) as f64 / one as f64 * 100.0).round() as i64;
        (percent != 0).then(|| format!("{} % {} {what}", percent.abs(), if percent > 0 { "more" } else { "less" }))
    };
    let took: Vec<String> = [
        more("money", first.cost_micros, second.cost_micros),
        more("time", first.ms, second.ms),
        more("tokens", first.tokens, second.tokens),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !took.is_empty() {
        said.push_str(&format!(" Where both did a task, version {} took {}.", plan.second, took.join(", ")));
    }
    // So few runs of a model that answers differently each time prove little.
    if total < 10 {
        said.push_str(" So few tasks may come out otherwise the next time.");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(status: RunStatus, checks: &[CheckOutcome], cost: Option<i64>, ms: i64) -> Trial {
        Trial {
            run_id: None,
            status: Some(status),
            checks: checks.to_vec(),
            turns: 2,
            tokens: 100,
            cost_micros: cost,
            ms: Some(ms),
            error: None,
        }
    }

    fn comparison(tasks: usize, checks: usize) -> Comparison {
        let task = |n: usize| ComparedTask { prompt: n.to_string(), variables: BTreeMap::new(), recorded: None };
        let check = |n: usize| Check { name: n.to_string(), holds: "true".into() };
        Comparison {
            id: ComparisonId(uuid::Uuid::nil()),
            agent_id: AgentId(uuid::Uuid::nil()),
            plan: ComparisonPlan {
                first: 3,
                second: 4,
                tasks: (0..tasks).map(task).collect(),
                checks: (0..checks).map(check).collect(),
            },
            made_by: None,
            created_at: Timestamp(0),
        }
    }

    use CheckOutcome::{Missed, Open, Passed};
    use RunStatus::{Failed, Running, Succeeded};

    #[test]
    fn what_is_not_over_has_no_verdict() {
        let result = ComparisonResult::new(
            comparison(1, 1),
            vec![trial(Succeeded, &[Passed], Some(10), 10)],
            vec![trial(Running, &[Open], None, 0)],
        );
        assert_eq!((result.is_over, result.verdict.as_str()), (false, "It is not over yet."));
        assert_eq!((result.second_sums.done, result.second_sums.checked), (0, 0));
    }

    #[test]
    fn medians_count_what_both_have_done() {
        let first = vec![
            trial(Succeeded, &[Passed], Some(100), 1_000),
            trial(Succeeded, &[Passed], Some(300), 3_000),
            trial(Succeeded, &[Passed], Some(9_000), 90_000),
        ];
        let second = vec![
            trial(Succeeded, &[Passed], Some(50), 2_000),
            trial(Succeeded, &[Missed], None, 4_000),
            trial(Failed, &[Missed], Some(1), 1),
        ];
        let result = ComparisonResult::new(comparison(3, 1), first, second);
        let (one, two) = (result.first_sums, result.second_sums);
        assert_eq!((one.done, one.failed, one.passed, one.checked), (3, 0, 3, 3));
        assert_eq!((two.done, two.failed, two.passed, two.checked), (2, 1, 1, 3));
        assert_eq!((one.ms, two.ms), (Some(1_000), Some(2_000)));
        assert_eq!((one.cost_micros, two.cost_micros), (Some(100), Some(50)), "only where both have a price");
        assert_eq!(
            result.verdict,
            "Version 3 did 3 of 3 tasks, version 4 2; 3 of 3 checks passed against 1 of 3. Where both did a task, version 4 \
             took 50 % less money, 100 % more time. So few tasks may come out otherwise the next time."
        );
    }

    #[test]
    fn equals_are_called_equal() {
        let one = || vec![trial(Succeeded, &[Passed, Missed], Some(10), 10)];
        let result = ComparisonResult::new(comparison(1, 2), one(), one());
        assert_eq!(
            result.verdict,
            "Both did 1 of 1 tasks, and passed 1 of 2 checks each. So few tasks may come out otherwise the next time."
        );
    }

    #[test]
    fn the_middle_of_nothing_is_nothing() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([5, 1, 3].into_iter()), Some(3));
        assert_eq!(median([4, 1, 3, 2].into_iter()), Some(2));
    }
}
