//! The automatic layout, top to bottom: rows by the longest way from a root, order within a row by medians, then places.
//!
//! Source: the layered method of Sugiyama, Tagawa and Toda 1981; dummies, medians and transposition after Gansner, Koutsofios,
//! North and Vo 1993. Deterministic: the same graph always lies the same way.

use std::collections::HashMap;

use super::geometry::{self, NODE_H, Point, Size};
use super::snap::to_grid;
use crate::model::workflow::{Body, Definition, Position};

/// The air between two nodes of a row.
const GAP_X: f64 = 48.0;
/// The air between two rows.
const GAP_Y: f64 = 60.0;
/// The width that a thread takes where it passes a row.
const LANE_W: f64 = 24.0;
/// Where the first graph of a workflow begins, on both axes.
const FIRST: f64 = 40.0;
/// How often the order within the rows is swept down and up.
const SWEEPS: usize = 12;

/// A definition whose steps stand somewhere: where none of a graph was given a place, as in files that people write, they are
/// laid out.
pub fn placed(mut definition: Definition) -> Definition {
    let mut graph = Body { steps: definition.steps, edges: definition.edges, ..Body::default() };
    place(&mut graph);
    (definition.steps, definition.edges) = (graph.steps, graph.edges);
    definition
}

/// Gives the steps of a graph places where none of them has one: several that all stand at the origin. Bodies first: how large a
/// container is drawn depends on what is in it.
pub fn place(body: &mut Body) {
    for step in &mut body.steps {
        if let Some(inner) = &mut step.body {
            place(inner);
        }
    }
    let is_heap = body.steps.len() > 1 && body.steps.iter().all(|step| step.position == Position::default());
    if !is_heap {
        return;
    }
    for (id, at) in arrange(body, Point::new(FIRST, FIRST)) {
        if let Some(step) = body.steps.iter_mut().find(|step| step.id == id) {
            step.position = at.into();
        }
    }
}

/// New places of all steps, in the order of the definition; the top left of the whole is at `origin`.
pub fn arrange(body: &Body, origin: Point) -> Vec<(String, Point)> {
    let mut graph = Graph::of(body);
    graph.make_rows();
    graph.order_rows();
    let xs = graph.places();
    let left = graph.real().map(|n| xs[n] - graph.sizes[n].w / 2.0).fold(f64::INFINITY, f64::min);
    let tops = graph.tops();
    let place = |n: usize| {
        let x = to_grid(xs[n] - graph.sizes[n].w / 2.0 - left + origin.x);
        Point::new(x, to_grid(origin.y) + tops[graph.row[n]])
    };
    body.steps.iter().enumerate().map(|(n, step)| (step.id.clone(), place(n))).collect()
}

/// Nodes `0..real` are steps, the rest are places where a long thread passes a row.
struct Graph {
    real: usize,
    /// Of the steps.
    sizes: Vec<Size>,
    edges: Vec<(usize, usize)>,
    /// Where along its source's lower edge a thread starts, 0 to 1.
    ports: HashMap<(usize, usize), f64>,
    row: Vec<usize>,
    rows: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

impl Graph {
    fn of(body: &Body) -> Self {
        let index: HashMap<&str, usize> = body.steps.iter().enumerate().map(|(i, s)| (s.id.as_str(), i)).collect();
        let real = body.steps.len();
        let sizes: Vec<Size> = body.steps.iter().map(geometry::node_size).collect();
        let mut edges: Vec<(usize, usize)> = Vec::new();
        let mut ports = HashMap::new();
        for edge in &body.edges {
            if let (Some(&a), Some(&b)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str()))
                && a != b
                && !edges.contains(&(a, b))
            {
                edges.push((a, b));
                let (at, _) = geometry::out_point(&body.steps[a], &edge.port);
                ports.insert((a, b), (at.x - body.steps[a].position.x) / sizes[a].w);
            }
        }
        let edges = without_circles(real, &edges);
        Self { real, sizes, edges, ports, row: vec![0; real], rows: Vec::new(), above: Vec::new(), below: Vec::new() }
    }

    /// Where each row begins: below the highest step of the one before.
    fn tops(&self) -> Vec<f64> {
        let mut heights = vec![NODE_H; self.rows.len()];
        for n in self.real() {
            heights[self.row[n]] = heights[self.row[n]].max(self.sizes[n].h);
        }
        let below = heights.iter().scan(0.0, |top, height| Some(std::mem::replace(top, *top + height + GAP_Y)));
        below.collect()
    }

    fn real(&self) -> impl Iterator<Item = usize> {
        0..self.real
    }

    /// Rows by the longest way; steps without threads keep the first row's end; long threads get a node in each row.
    fn make_rows(&mut self) {
        let order = topological(self.real, &self.edges);
        for &n in &order {
            for &(_, b) in self.edges.iter().filter(|(a, _)| *a == n) {
                self.row[b] = self.row[b].max(self.row[n] + 1);
            }
        }
        // A root far above its only successor comes down beside its siblings.
        for &n in order.iter().rev() {
            let next = self.edges.iter().filter(|(a, _)| *a == n).map(|(_, b)| self.row[*b]).min();
            if let Some(next) = next
                && !self.edges.iter().any(|(_, b)| *b == n)
            {
                self.row[n] = next - 1;
            }
        }
        let edges = std::mem::take(&mut self.edges);
        for (a, b) in edges {
            let mut from = a;
            for row in self.row[a] + 1..self.row[b] {
                let lane = self.row.len();
                self.row.push(row);
                self.edges.push((from, lane));
                if from == a
                    && let Some(&port) = self.ports.get(&(a, b))
                {
                    self.ports.insert((a, lane), port);
                }
                from = lane;
            }
            self.edges.push((from, b));
        }
        let count = self.row.len();
        self.rows = vec![Vec::new(); self.row.iter().max().map_or(0, |max| max + 1)];
        (self.above, self.below) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        for n in 0..count {
            self.rows[self.row[n]].push(n);
        }
        for &(a, b) in &self.edges {
            self.below[a].push(b);
            self.above[b].push(a);
        }
    }

    fn order_rows(&mut self) {
        for r in 1..self.rows.len() {
            self.sort_row(r, true);
        }
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let range: Vec<usize> = if down {
                (1..self.rows.len()).collect()
            } else {
                (0..self.rows.len().saturating_sub(1)).rev().collect()
            };
            for r in range {
                self.sort_row(r, down);
            }
            let now = self.crossings();
            if now < best.0 {
                best = (now, self.rows.clone());
            }
            if best.0 == 0 {
                break;
            }
        }
        self.rows = best.1;
    }

    fn sort_row(&mut self, r: usize, down: bool) {
        let fixed = if down { &self.rows[r - 1] } else { &self.rows[r + 1] };
        let at: HashMap<usize, usize> = fixed.iter().enumerate().map(|(i, &n)| (n, i)).collect();
        let links = if down { &self.above } else { &self.below };
        let keyed = self.rows[r].iter().enumerate().map(|(i, &n)| {
            // Below a step, its ports' order counts: a fraction of a place, so it only decides among siblings.
            let port = |l: usize| {
                if down { self.ports.get(&(l, n)).copied().unwrap_or(0.5) * 0.9 } else { 0.0 }
            };
            let mut places: Vec<f64> = links[n].iter().filter_map(|&l| Some(*at.get(&l)? as f64 + port(l))).collect();
            places.sort_by(f64::total_cmp);
            let median = match places.len() {
                0 => i as f64,
                len if len % 2 == 1 => places[len / 2],
                len => f64::midpoint(places[len / 2 - 1], places[len / 2]),
            };
            (median, i, n)
        });
        let mut keyed: Vec<(f64, usize, usize)> = keyed.collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.rows[r] = keyed.into_iter().map(|(.., n)| n).collect();
    }

    fn crossings(&self) -> usize {
        let at = self.ranks();
        self.rows
            .windows(2)
            .map(|pair| {
                let mut links: Vec<(usize, usize)> = pair[0]
                    .iter()
                    .flat_map(|&a| self.below[a].iter().map(move |&b| (a, b)))
                    .map(|(a, b)| (at[a], at[b]))
                    .collect();
                links.sort_unstable();
                let crossed = |i: usize| links[..i].iter().filter(|before| before.1 > links[i].1).count();
                (0..links.len()).map(crossed).sum::<usize>()
            })
            .sum()
    }

    fn ranks(&self) -> Vec<usize> {
        let mut at = vec![0; self.row.len()];
        for row in &self.rows {
            for (i, &n) in row.iter().enumerate() {
                at[n] = i;
            }
        }
        at
    }

    fn width(&self, n: usize) -> f64 {
        self.sizes.get(n).map_or(LANE_W, |size| size.w + GAP_X)
    }

    /// Centres along x: packed, then each pulled to the middle of its neighbours as far as the row's order allows.
    fn places(&self) -> Vec<f64> {
        let mut xs = vec![0.0; self.row.len()];
        for row in &self.rows {
            let whole: f64 = row.iter().map(|&n| self.width(n)).sum();
            let mut left = -whole / 2.0;
            for &n in row {
                xs[n] = left + self.width(n) / 2.0;
                left += self.width(n);
            }
        }
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            for step in 0..self.rows.len() {
                let r = if down { step } else { self.rows.len() - 1 - step };
                self.pull(r, down, &mut xs);
            }
        }
        xs
    }

    fn pull(&self, r: usize, down: bool, xs: &mut [f64]) {
        let row = &self.rows[r];
        let wish: Vec<f64> = row
            .iter()
            .map(|&n| {
                let links = if down { &self.above[n] } else { &self.below[n] };
                let links = if links.is_empty() { if down { &self.below[n] } else { &self.above[n] } } else { links };
                if links.is_empty() { xs[n] } else { links.iter().map(|&l| xs[l]).sum::<f64>() / links.len() as f64 }
            })
            .collect();
        // The mean of "as far left as allowed" and "as far right as allowed" keeps the row's order and both sides fair.
        let gap = |i: usize| f64::midpoint(self.width(row[i]), self.width(row[i + 1]));
        let mut left = wish.clone();
        for i in 1..row.len() {
            left[i] = left[i].max(left[i - 1] + gap(i - 1));
        }
        let mut right = wish;
        for i in (0..row.len().saturating_sub(1)).rev() {
            right[i] = right[i].min(right[i + 1] - gap(i));
        }
        for (i, &n) in row.iter().enumerate() {
            xs[n] = f64::midpoint(left[i], right[i]);
        }
    }
}

/// The edges without those that close a circle, found by a depth-first walk from the first node on.
fn without_circles(count: usize, edges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    for &(a, b) in edges {
        next[a].push(b);
    }
    let (mut state, mut kept) = (vec![0_u8; count], Vec::new());
    for root in 0..count {
        if state[root] != 0 {
            continue;
        }
        state[root] = 1;
        let mut stack = vec![(root, 0)];
        while let Some((n, i)) = stack.pop() {
            let Some(&to) = next[n].get(i) else {
                state[n] = 2;
                continue;
            };
            stack.push((n, i + 1));
            if state[to] != 1 {
                kept.push((n, to));
            }
            if state[to] == 0 {
                state[to] = 1;
                stack.push((to, 0));
            }
        }
    }
    kept.sort_unstable();
    kept
}

fn topological(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut inbound = vec![0; count];
    for &(_, b) in edges {
        inbound[b] += 1;
    }
    let mut order: Vec<usize> = (0..count).filter(|&n| inbound[n] == 0).collect();
    let mut next = 0;
    while next < order.len() {
        let n = order[next];
        next += 1;
        for &(_, b) in edges.iter().filter(|(a, _)| *a == n) {
            inbound[b] -= 1;
            if inbound[b] == 0 {
                order.push(b);
            }
        }
    }
    order
}
