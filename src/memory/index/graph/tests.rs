//! The graph against comparing all, on directions in clusters that are the same each time.

use super::*;

/// Numbers that look random, -1..1, and are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// A direction near another.
    fn near(&mut self, centre: &[f32], spread: f32) -> Vec<f32> {
        let bent: Vec<f32> = centre.iter().map(|value| value + spread * self.next()).collect();
        let length = bent.iter().map(|value| value * value).sum::<f32>().sqrt();
        bent.into_iter().map(|value| value / length).collect()
    }
}

const DIMS: usize = 16;
const CLUSTERS: usize = 25;

/// Directions in clusters, each in the next one's turn.
fn clustered(points: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut middle = Chance(0x5eed);
    let centres: Vec<Vec<f32>> = (0..CLUSTERS).map(|_| middle.near(&[0.0; DIMS], 1.0)).collect();
    let mut chance = Chance(seed);
    (0..points).map(|at| chance.near(&centres[at % CLUSTERS], 0.35)).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn graph_of(points: &[Vec<f32>]) -> Graph {
    let mut graph = Graph::default();
    for _ in points {
        graph.push(|a, b| cosine(&points[a as usize], &points[b as usize]));
    }
    graph
}

fn exact(points: &[Vec<f32>], question: &[f32], most: usize, passes: impl Fn(u32) -> bool) -> Vec<u32> {
    let all = (0..points.len() as u32).filter(|node| passes(*node));
    let mut all: Vec<Near> = all.map(|node| Near { alike: cosine(&points[node as usize], question), node }).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.into_iter().take(most).map(|near| near.node).collect()
}

/// The share of the ten best that are found, over fifty questions.
fn recall(graph: &Graph, points: &[Vec<f32>], passes: impl Fn(u32) -> bool) -> f64 {
    let questions = clustered(50, 99);
    let wanted = Wanted { most: 64, patience: usize::MAX };
    let mut found = 0;
    let mut all = 0;
    for question in &questions {
        let best = exact(points, question, 10, &passes);
        let near = graph.search(wanted, |node| cosine(&points[node as usize], question), &passes).unwrap();
        assert!(near.iter().all(|near| passes(near.node)) && near.is_sorted_by(|a, b| a >= b));
        let ten: Vec<u32> = near.iter().take(10).map(|near| near.node).collect();
        found += best.iter().filter(|node| ten.contains(node)).count();
        all += best.len();
    }
    found as f64 / all as f64
}

/// What a question leaves over, by name.
type Filter = (&'static str, fn(u32) -> bool);

#[test]
fn the_nearest_are_found_with_and_without_a_filter() {
    let points = clustered(1500, 7);
    let graph = graph_of(&points);
    let filters: [Filter; 5] = [
        ("all", |_| true),
        ("every tenth", |node| node % 10 == 3),
        ("one in fifty", |node| node % 50 == 11),
        ("one cluster alone, which most questions are far from", |node| node % CLUSTERS as u32 == 4),
        ("what was left when most were removed", |node| node > 1200),
    ];
    for (name, passes) in filters {
        let recall = recall(&graph, &points, passes);
        assert!(recall >= 0.95, "{name}: {recall}");
    }
}

#[test]
fn the_same_vectors_make_the_same_graph_of_a_bounded_size() {
    let points = clustered(600, 3);
    let (one, other) = (graph_of(&points), graph_of(&points));
    assert_eq!((one.len(), &one.lowest, one.entry), (600, &other.lowest, other.entry));
    assert!(one.bytes() <= 600 * 150, "{} bytes a vector", one.bytes() / 600);
    let nobody_twice = (0..600).all(|node| {
        let mut neighbours: Vec<u32> = one.neighbours(node, 0).collect();
        let count = neighbours.len();
        neighbours.sort_unstable();
        neighbours.dedup();
        neighbours.len() == count && !neighbours.contains(&node) && count > 0
    });
    assert!(nobody_twice);
}

#[test]
fn who_loses_patience_is_told_so() {
    let points = clustered(600, 3);
    let graph = graph_of(&points);
    let alike = |node: u32| cosine(&points[node as usize], &points[0]);
    assert_eq!(graph.search(Wanted { most: 10, patience: 100 }, alike, |_| false), None);
    assert_eq!(graph.search(Wanted { most: 10, patience: 600 }, alike, |_| false), Some(Vec::new()));
}

#[test]
fn nothing_one_and_a_thousand_of_the_same_are_no_special_case() {
    let wanted = Wanted { most: 5, patience: usize::MAX };
    assert_eq!(Graph::default().search(wanted, |_| 1.0, |_| true), Some(Vec::new()));
    let mut graph = Graph::default();
    graph.push(|_, _| 1.0);
    assert_eq!(graph.search(wanted, |_| 0.5, |_| true), Some(vec![Near { alike: 0.5, node: 0 }]));
    for _ in 0..300 {
        graph.push(|_, _| 1.0);
    }
    assert_eq!(graph.search(wanted, |_| 1.0, |_| true).map(|found| found.len()), Some(5));
}

#[test]
fn one_node_in_sixteen_is_in_each_layer_above() {
    let above = (0..100_000).filter(|node| level_of(*node) > 0).count();
    assert!((5_500..7_000).contains(&above), "{above}");
}
