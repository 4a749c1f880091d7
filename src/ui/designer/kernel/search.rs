//! The way around: Dijkstra's search on the sparse grid of lines beside the nodes, for threads that no natural shape fits.
//!
//! Source of the grid: orthogonal connector routing, Wybrow, Marriott and Stuckey 2009.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::geometry::{Point, Rect};

/// The distance of the grid's lines from the nodes.
const AIR: f64 = 12.0;
/// What a corner costs, in pixels of length.
const CORNER: u64 = 60;
/// More nodes than this are not searched: a thread through a crowd is better than a page that stands still.
const CROWD: usize = 150;

/// Corner points from `from` to `to`, both included, that enter no box; `None` where there is no way.
pub fn around(from: Point, to: Point, boxes: &[Rect]) -> Option<Vec<Point>> {
    let region = Rect::between(from, to).grown(600.0);
    let near: Vec<Rect> = boxes.iter().copied().filter(|b| b.overlaps(region)).collect();
    if near.len() > CROWD {
        return None;
    }
    let mut xs = vec![from.x, to.x];
    let mut ys = vec![from.y, to.y];
    for frame in &near {
        xs.extend([frame.x - AIR, frame.right() + AIR]);
        ys.extend([frame.y - AIR, frame.bottom() + AIR]);
    }
    let grid = Grid { xs: sorted(xs), ys: sorted(ys), boxes: near };
    grid.search(from, to)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values.dedup_by(|a, b| (*a - *b).abs() < 0.01);
    values
}

struct Grid {
    xs: Vec<f64>,
    ys: Vec<f64>,
    boxes: Vec<Rect>,
}

/// A crossing of two lines, and whether it was reached along the horizontal one.
type Node = (usize, usize, bool);

impl Grid {
    fn at(&self, node: Node) -> Point {
        Point::new(self.xs[node.0], self.ys[node.1])
    }

    fn index(values: &[f64], value: f64) -> Option<usize> {
        values.iter().position(|v| (v - value).abs() < 0.02)
    }

    fn search(&self, from: Point, to: Point) -> Option<Vec<Point>> {
        let start: Node = (Self::index(&self.xs, from.x)?, Self::index(&self.ys, from.y)?, false);
        let goal = (Self::index(&self.xs, to.x)?, Self::index(&self.ys, to.y)?);
        let mut cost: HashMap<Node, u64> = HashMap::from([(start, 0)]);
        let mut came: HashMap<Node, Node> = HashMap::new();
        let mut open = BinaryHeap::from([Reverse((0_u64, start))]);
        while let Some(Reverse((so_far, node))) = open.pop() {
            if (node.0, node.1) == goal {
                return Some(self.way_back(node, &came));
            }
            if cost.get(&node).is_some_and(|known| *known < so_far) {
                continue;
            }
            for next in self.neighbours(node) {
                let (a, b) = (self.at(node), self.at(next));
                if self.boxes.iter().any(|frame| frame.is_crossed(a, b)) {
                    continue;
                }
                // Lengths are whole pixels: the heap needs a total order.
                let total = so_far + a.distance(b).round() as u64 + if node.2 == next.2 { 0 } else { CORNER };
                if cost.get(&next).is_none_or(|known| total < *known) {
                    cost.insert(next, total);
                    came.insert(next, node);
                    open.push(Reverse((total, next)));
                }
            }
        }
        None
    }

    fn neighbours(&self, (x, y, _): Node) -> impl Iterator<Item = Node> {
        let left = x.checked_sub(1).map(|x| (x, y, true));
        let up = y.checked_sub(1).map(|y| (x, y, false));
        let right = (x + 1 < self.xs.len()).then_some((x + 1, y, true));
        let down = (y + 1 < self.ys.len()).then_some((x, y + 1, false));
        [left, up, right, down].into_iter().flatten()
    }

    fn way_back(&self, goal: Node, came: &HashMap<Node, Node>) -> Vec<Point> {
        let mut way = vec![self.at(goal)];
        let mut node = goal;
        while let Some(&before) = came.get(&node) {
            node = before;
            way.push(self.at(node));
        }
        way.reverse();
        way
    }
}
