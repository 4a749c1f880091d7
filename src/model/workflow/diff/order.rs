//! The order in which the steps of two runs ran.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::workflow::{Graph, RunDetail};

/// The ids of the steps of both runs. A step comes by the earlier of its starts, counted from the start of each run, and so
/// after what led to it in both; what began at the same moment comes by what leads to what, and what never began comes last.
pub(super) fn execution_order(a: &RunDetail, b: &RunDetail) -> Vec<String> {
    let (ranks_a, ranks_b) = (ranks(a), ranks(b));
    let (begun_a, begun_b) = (begun(a), begun(b));
    let ids: BTreeSet<&String> = ranks_a.keys().chain(ranks_b.keys()).collect();
    let earlier = |a: &BTreeMap<String, i64>, b: &BTreeMap<String, i64>, id: &String| {
        a.get(id).into_iter().chain(b.get(id)).copied().min().unwrap_or(i64::MAX)
    };
    let mut order: Vec<&String> = ids.into_iter().collect();
    order.sort_by_key(|id| {
        let rank = ranks_a.get(*id).or_else(|| ranks_b.get(*id)).copied().unwrap_or(i64::MAX);
        (earlier(&begun_a, &begun_b, id), rank)
    });
    order.into_iter().cloned().collect()
}

/// When each step began, in ms from the start of its run.
fn begun(run: &RunDetail) -> BTreeMap<String, i64> {
    let start = run.summary.started_at.unwrap_or(run.summary.created_at);
    run.steps.iter().filter_map(|step| Some((step.id.clone(), step.started_at?.ms_since(start)))).collect()
}

/// A number for each step that is higher than those of the steps that lead to it.
fn ranks(run: &RunDetail) -> BTreeMap<String, i64> {
    let graph = Graph::new(run.definition.clone());
    let mut open: Vec<usize> = (0..graph.len() as u32).map(|step| graph.inbound(step).len()).collect();
    let mut free: BTreeSet<u32> = (0..graph.len() as u32).filter(|&step| open[step as usize] == 0).collect();
    let mut ranks = BTreeMap::new();
    while let Some(step) = free.pop_first() {
        ranks.insert(graph.step(step).id.clone(), ranks.len() as i64);
        for target in graph.outbound(step).iter().filter_map(|&edge| graph.target(edge)) {
            open[target as usize] -= 1;
            if open[target as usize] == 0 {
                free.insert(target);
            }
        }
    }
    // A definition with a cycle never ran; its steps are listed all the same.
    for step in &run.definition.steps {
        let last = ranks.len() as i64;
        ranks.entry(step.id.clone()).or_insert(last);
    }
    ranks
}
