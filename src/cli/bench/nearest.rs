//! `weft bench memory --vectors N`: the nearest of very many vectors, by a scan and by a graph.

use super::super::Failure;
use super::memory::Latency;
use super::{Bar, Figure};
use crate::memory::measure::vector_speed;
use crate::runtime::Ctx;

/// Numbers of a vector, as of MiniLM-class models.
const DIMS: usize = 384;
/// What the graph finds of the ten best, at least.
const RECALL: f64 = 0.95;

/// Measures with so many vectors.
pub(super) async fn measure(ctx: &Ctx, count: u32) -> Result<Vec<Figure>, Failure> {
    let work = move || vector_speed(count as usize, DIMS);
    let speed = ctx.tasks.blocking(work).await.map_err(|_| Failure::failed("the measurement failed"))?;
    let exact = Latency::of(speed.exact_ms);
    let figure = |name, title, unit, bar, value| Figure::of(name, title, unit, bar, vec![value]);
    let mut figures = vec![
        figure("vectors_exact_p50", "vectors scanned, half of them", "ms", Bar::None, exact.p50),
        figure("vectors_exact_p95", "vectors scanned, 95 of 100", "ms", Bar::None, exact.p95),
    ];
    if !speed.graph_ms.is_empty() {
        let graph = Latency::of(speed.graph_ms);
        figures.extend([
            figure("vectors_graph_p50", "vectors by the graph, half of them", "ms", Bar::None, graph.p50),
            figure("vectors_graph_p95", "vectors by the graph, 95 of 100", "ms", Bar::None, graph.p95),
        ]);
    }
    figures.extend([
        figure("vectors_recall", "the ten nearest that are found", "", Bar::AtLeast(RECALL), speed.recall_10),
        figure("vectors_recall_filtered", "and behind a filter", "", Bar::AtLeast(RECALL), speed.recall_10_filtered),
        figure("vectors_graph_made", "making the graph", "s", Bar::None, speed.made.as_secs_f64()),
    ]);
    Ok(figures)
}
