//! A graph of vectors in which the nearest to a question are found without comparing all: hierarchical navigable small worlds.
//!
//! Owns who is whose neighbour, and nothing else: how alike two vectors are it is told by whoever asks. Nodes are numbered in the
//! order in which they are put in, as the vectors are. It promises the same graph for the same vectors in the same order (levels come
//! from the numbers, not from chance), and that a filter costs time and not recall: the way leads through everything, and goes on
//! until so many that pass were found. It refuses to take anything out: what is dead is passed through and given to nobody, until the
//! vectors are compacted and a new graph is made.
//!
//! **Memory.** 132 bytes a vector for the lowest layer, about 8 for those above: with 384 numbers of a byte a third of the vector itself.
//!
//! Source: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical navigable small world
//! graphs", 2018 (algorithms 1, 2, 4 and 5), with its M 16 (of 5 to 48), twice as many in the lowest layer, mL 1 / ln M, and pruned
//! neighbours kept where there is room. Our own and not a crate's: none we found takes vectors of bytes with a scale each that live
//! outside of it, and a filter.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

/// Neighbours of a node in each layer but the lowest.
const M: usize = 16;
/// Neighbours in the lowest layer.
const M0: usize = 2 * M;
/// Candidates that are looked at for the neighbours of a new node.
const EF_BUILD: usize = 120;
/// Stands for no neighbour.
const NONE: u32 = u32::MAX;
/// The highest layer there is, for two thousand million nodes.
const TOP: u8 = 8;

/// A node and how alike it is to what is looked for. The greater, the more alike; ties go to the one that was put in first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Near {
    pub alike: f32,
    pub node: u32,
}

impl Eq for Near {}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        self.alike.total_cmp(&other.alike).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Which nodes were met on the way.
#[derive(Debug, Default)]
struct Met {
    bits: Vec<u64>,
    nodes: Vec<u32>,
}

impl Met {
    /// For so many nodes, none met.
    fn begin(&mut self, nodes: usize) {
        for node in self.nodes.drain(..) {
            self.bits[node as usize / 64] = 0;
        }
        self.bits.resize(nodes.div_ceil(64), 0);
    }

    /// True the first time.
    fn meet(&mut self, node: u32) -> bool {
        let (word, bit) = (&mut self.bits[node as usize / 64], 1 << (node % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        if is_new {
            self.nodes.push(node);
        }
        is_new
    }
}

/// The graph.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// [`M0`] neighbours of each node in the lowest layer; [`NONE`] behind the last.
    lowest: Vec<u32>,
    /// Those in the layers above, from the second on, of the few nodes that are there.
    above: HashMap<u32, Vec<[u32; M]>>,
    /// Where the way begins: a node of the highest layer.
    entry: Option<(u32, u8)>,
    met: Met,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// How many, of those that pass.
    pub most: usize,
    /// Nodes that are compared at most; beyond it the graph gives up.
    pub patience: usize,
}

impl Graph {
    /// Nodes that are in.
    pub const fn len(&self) -> usize {
        self.lowest.len() / M0
    }

    /// Bytes that it takes.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        let above: usize = self.above.values().map(|layers| 40 + layers.len() * M * 4).sum();
        self.lowest.len() * 4 + above
    }

    /// Puts the next node in; its number is how many there were. `alike` says it of two nodes, of which all are there.
    pub fn push(&mut self, alike: impl Fn(u32, u32) -> f32) {
        let node = self.len() as u32;
        self.lowest.extend([NONE; M0]);
        let level = level_of(node);
        if level > 0 {
            self.above.insert(node, vec![[NONE; M]; usize::from(level)]);
        }
        let Some((entry, top)) = self.entry else {
            self.entry = Some((node, level));
            return;
        };
        let to_node = |other: u32| alike(node, other);
        let mut from = Near { alike: to_node(entry), node: entry };
        for layer in (level + 1..=top).rev() {
            from = self.descend(from, layer, &to_node);
        }
        let mut starts = vec![from];
        let mut met = std::mem::take(&mut self.met);
        for layer in (0..=level.min(top)).rev() {
            met.begin(self.len());
            met.meet(node);
            let found = self.around(&starts, EF_BUILD, layer, &to_node, &mut met);
            let chosen = choose(&found, M, &alike);
            for near in &chosen {
                self.connect(near.node, node, layer, &alike);
            }
            self.set(node, layer, &chosen);
            starts = found;
        }
        self.met = met;
        if level > top {
            self.entry = Some((node, level));
        }
    }

    /// The nodes most alike to a question, the most alike first, of those that pass. `None` where finding them took more than
    /// its patience: comparing all that pass is then the shorter way.
    pub fn search(
        &self,
        wanted: Wanted,
        alike: impl Fn(u32) -> f32,
        passes: impl Fn(u32) -> bool,
    ) -> Option<Vec<Near>> {
        let Some((entry, top)) = self.entry else { return Some(Vec::new()) };
        let mut from = Near { alike: alike(entry), node: entry };
        for layer in (1..=top).rev() {
            from = self.descend(from, layer, &alike);
        }
        let mut met = Met::default();
        met.begin(self.len());
        met.meet(from.node);
        let mut ahead = BinaryHeap::from([from]);
        // The worst of the found lies on top.
        let mut found: BinaryHeap<Reverse<Near>> = BinaryHeap::with_capacity(wanted.most + 1);
        if passes(from.node) {
            found.push(Reverse(from));
        }
        while let Some(next) = ahead.pop() {
            let is_full = found.len() >= wanted.most;
            if is_full && found.peek().is_some_and(|Reverse(worst)| next < *worst) {
                break;
            }
            if met.nodes.len() > wanted.patience {
                return None;
            }
            for node in self.neighbours(next.node, 0) {
                if !met.meet(node) {
                    continue;
                }
                let near = Near { alike: alike(node), node };
                if found.len() >= wanted.most && found.peek().is_some_and(|Reverse(worst)| near < *worst) {
                    continue;
                }
                ahead.push(near);
                if passes(node) {
                    found.push(Reverse(near));
                    if found.len() > wanted.most {
                        found.pop();
                    }
                }
            }
        }
        let mut found: Vec<Near> = found.into_iter().map(|Reverse(near)| near).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        Some(found)
    }

    /// From neighbour to neighbour as long as one is more alike.
    fn descend(&self, mut from: Near, layer: u8, alike: &impl Fn(u32) -> f32) -> Near {
        loop {
            let nears = self.neighbours(from.node, layer).map(|node| Near { alike: alike(node), node });
            match nears.max() {
                Some(best) if best > from => from = best,
                _ => return from,
            }
        }
    }

    /// The most alike around some nodes, in one layer, the most alike first.
    fn around(&self, starts: &[Near], most: usize, layer: u8, alike: &impl Fn(u32) -> f32, met: &mut Met) -> Vec<Near> {
        let mut ahead = BinaryHeap::with_capacity(most);
        let mut found: BinaryHeap<Reverse<Near>> = BinaryHeap::with_capacity(most + 1);
        for start in starts {
            if met.meet(start.node) {
                ahead.push(*start);
                found.push(Reverse(*start));
            }
        }
        while let Some(next) = ahead.pop() {
            if found.len() >= most && found.peek().is_some_and(|Reverse(worst)| next < *worst) {
                break;
            }
            for node in self.neighbours(next.node, layer) {
                if !met.meet(node) {
                    continue;
                }
                let near = Near { alike: alike(node), node };
                if found.len() < most || found.peek().is_some_and(|Reverse(worst)| near > *worst) {
                    ahead.push(near);
                    found.push(Reverse(near));
                    if found.len() > most {
                        found.pop();
                    }
                }
            }
        }
        let mut found: Vec<Near> = found.into_iter().map(|Reverse(near)| near).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found
    }

    /// Makes `new` a neighbour of a node; where there are too many the best choice of them stays.
    fn connect(&mut self, node: u32, new: u32, layer: u8, alike: &impl Fn(u32, u32) -> f32) {
        let places = self.places(node, layer);
        if let Some(free) = places.iter_mut().find(|place| **place == NONE) {
            *free = new;
            return;
        }
        let most = places.len();
        let near = |other: u32| Near { alike: alike(node, other), node: other };
        let mut all: Vec<Near> = places.iter().map(|other| near(*other)).collect();
        all.push(near(new));
        all.sort_unstable_by(|a, b| b.cmp(a));
        let chosen = choose(&all, most, alike);
        self.set(node, layer, &chosen);
    }

    fn set(&mut self, node: u32, layer: u8, chosen: &[Near]) {
        let places = self.places(node, layer);
        places.fill(NONE);
        for (place, near) in places.iter_mut().zip(chosen) {
            *place = near.node;
        }
    }

    fn places(&mut self, node: u32, layer: u8) -> &mut [u32] {
        let begin = node as usize * M0;
        match layer {
            0 => &mut self.lowest[begin..begin + M0],
            _ => match self.above.get_mut(&node).and_then(|layers| layers.get_mut(usize::from(layer) - 1)) {
                Some(places) => &mut places[..],
                None => &mut [],
            },
        }
    }

    fn neighbours(&self, node: u32, layer: u8) -> impl Iterator<Item = u32> {
        let begin = node as usize * M0;
        let places: &[u32] = match layer {
            0 => &self.lowest[begin..begin + M0],
            _ => match self.above.get(&node).and_then(|layers| layers.get(usize::from(layer) - 1)) {
                Some(places) => &places[..],
                None => &[],
            },
        };
        places.iter().copied().take_while(|place| *place != NONE)
    }
}

/// Of candidates, the most alike first, those that lie in different directions: one that is more like a chosen one than like the
/// node is reached through that one. Where there is room the best of the others follow.
fn choose(candidates: &[Near], most: usize, alike: &impl Fn(u32, u32) -> f32) -> Vec<Near> {
    let mut chosen: Vec<Near> = Vec::with_capacity(most);
    let mut others = Vec::new();
    for near in candidates {
        if chosen.len() == most {
            break;
        }
        if chosen.iter().all(|other| alike(near.node, other.node) < near.alike) {
            chosen.push(*near);
        } else {
            others.push(*near);
        }
    }
    let room = most - chosen.len();
    chosen.extend(others.into_iter().take(room));
    chosen
}

/// The highest layer of a node: one more with a chance of one in [`M`] each time, by a hash of its number (SplitMix64).
fn level_of(node: u32) -> u8 {
    let mut hash = (u64::from(node) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    let mut level = 0;
    while hash % M as u64 == 0 && level < TOP {
        hash /= M as u64;
        level += 1;
    }
    level
}

#[cfg(test)]
mod tests;
