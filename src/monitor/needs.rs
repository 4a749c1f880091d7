//! What needs a person. Pure.

use std::collections::HashMap;

use super::store::LastSuccess;
use crate::model::dashboard::Need;
use crate::model::workflow::{RunSummary, TriggerKind};
use crate::model::{Timestamp, WorkflowId};

/// A stored workflow by its id, another by its name.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Stored(WorkflowId),
    Named(String),
}

impl Key {
    fn new(id: Option<WorkflowId>, name: &str) -> Self {
        id.map_or_else(|| Self::Named(name.to_owned()), Self::Stored)
    }
}

/// Paused runs, and the newest failed run of each workflow that has not succeeded in a later run; newest first.
///
/// `failed` is newest first. Tests from the designer are left out. A failed run that was accepted before a success of its
/// workflow needs nobody any more, even if it failed after it.
pub(super) fn needs(paused: Vec<RunSummary>, failed: Vec<RunSummary>, successes: &[LastSuccess]) -> Vec<Need> {
    let mut last: HashMap<Key, Timestamp> = HashMap::new();
    for success in successes {
        let at = last.entry(Key::new(success.workflow_id, &success.workflow_name)).or_default();
        *at = success.accepted_at.max(*at);
    }
    let mut needs: Vec<Need> = paused.into_iter().map(|run| Need { run, failures: 0 }).collect();
    let mut place: HashMap<Key, usize> = HashMap::new();
    for run in failed.into_iter().filter(|run| run.trigger != TriggerKind::Test) {
        let key = Key::new(run.workflow_id, &run.workflow_name);
        if last.get(&key).is_some_and(|success| *success > run.created_at) {
            continue;
        }
        let at = *place.entry(key).or_insert(needs.len());
        match needs.get_mut(at) {
            Some(need) => need.failures += 1,
            None => needs.push(Need { run, failures: 1 }),
        }
    }
    needs.sort_by_key(|need| std::cmp::Reverse(need.run.ended_at.unwrap_or(need.run.created_at)));
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;
    use crate::model::workflow::RunStatus;

    fn run(name: &str, status: RunStatus, at: i64) -> RunSummary {
        RunSummary {
            id: RunId(uuid::Uuid::nil()),
            workflow_id: None,
            workflow_name: name.to_owned(),
            version: None,
            status,
            trigger: TriggerKind::Cli,
            started_by: None,
            parent_run_id: None,
            created_at: Timestamp(at),
            started_at: None,
            ended_at: (status == RunStatus::Failed).then_some(Timestamp(at)),
            headline: None,
            steps_done: 0,
            steps_total: 1,
        }
    }

    fn told(needs: &[Need]) -> Vec<(&str, i64)> {
        needs.iter().map(|need| (need.run.workflow_name.as_str(), need.failures)).collect()
    }

    #[test]
    fn failures_of_a_workflow_are_one_row_and_a_later_success_removes_it() {
        let failed = |name, at| run(name, RunStatus::Failed, at);
        let success = LastSuccess { workflow_id: None, workflow_name: "mended".to_owned(), accepted_at: Timestamp(8) };
        let runs = vec![failed("broken", 9), failed("mended", 7), failed("broken", 5), failed("other", 3)];
        assert_eq!(told(&needs(Vec::new(), runs, &[success])), [("broken", 2), ("other", 1)]);
    }

    #[test]
    fn a_paused_run_stands_among_the_failures_by_its_time() {
        let paused = vec![run("held", RunStatus::Paused, 6)];
        let runs = vec![run("new", RunStatus::Failed, 9), run("old", RunStatus::Failed, 3)];
        assert_eq!(told(&needs(paused, runs, &[])), [("new", 1), ("held", 0), ("old", 1)]);
    }

    #[test]
    fn a_failed_test_needs_nobody() {
        let test = RunSummary { trigger: TriggerKind::Test, ..run("draft", RunStatus::Failed, 1) };
        assert_eq!(told(&needs(Vec::new(), vec![test], &[])), []);
    }
}
