//! Where things stand in a chart: pure numbers in px, y downwards.

use super::Unit;

/// Lines of the grid above zero, at most.
const MOST_STEPS: f64 = 4.0;
/// The width of a character at 12 px with tabular figures; a little wide, so that labels never touch.
const CHAR_PX: f64 = 7.0;
/// The share of a slot that its bar takes.
const BAR_SHARE: f64 = 0.72;
/// A bar is never wider than this, however few there are.
const WIDEST_BAR: f64 = 48.0;
/// What is there is seen: no part of a bar is lower than this.
const LOWEST_PART: f64 = 2.0;

/// Round steps of a clock, in ms, up to a day.
const CLOCK_STEPS_MS: [f64; 27] = [
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    50.0,
    100.0,
    200.0,
    500.0,
    1_000.0,
    2_000.0,
    5_000.0,
    10_000.0,
    20_000.0,
    30_000.0,
    60_000.0,
    120_000.0,
    300_000.0,
    600_000.0,
    1_200_000.0,
    1_800_000.0,
    3_600_000.0,
    7_200_000.0,
    14_400_000.0,
    21_600_000.0,
    43_200_000.0,
    86_400_000.0,
];
const DAY_MS: f64 = 86_400_000.0;

/// The values of the grid's lines: from 0, ascending, evenly apart, the last at or above `highest`; two to five of them.
pub fn ticks(highest: f64, unit: Unit) -> Vec<f64> {
    let highest = if highest.is_finite() { highest.max(1.0) } else { 1.0 };
    let enough = |step: f64| (highest / step).ceil() <= MOST_STEPS;
    let step = match unit {
        Unit::Count | Unit::Percent | Unit::Dollars => round_step(enough),
        Unit::Duration => CLOCK_STEPS_MS
            .into_iter()
            .find(|step| enough(*step))
            .unwrap_or_else(|| round_step(|days| enough(days * DAY_MS)) * DAY_MS),
    };
    (0..=(highest / step).ceil() as u32).map(|line| f64::from(line) * step).collect()
}

/// The smallest of 1, 2, 5, 10, 20, 50, … that is enough.
fn round_step(enough: impl Fn(f64) -> bool) -> f64 {
    let mut decade = 1.0;
    loop {
        if let Some(step) = [1.0, 2.0, 5.0].map(|digit| digit * decade).into_iter().find(|step| enough(*step)) {
            return step;
        }
        decade *= 10.0;
    }
}

/// The inner part of a chart, between the axis labels, in px; and what its height stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plot {
    /// The left edge.
    pub left: f64,
    /// The right edge.
    pub right: f64,
    /// The upper edge: the value `top`.
    pub upper: f64,
    /// The base line: the value 0.
    pub base: f64,
    /// The value at the upper edge, above 0.
    pub top: f64,
    /// How many slots share the width.
    pub slots: usize,
}

impl Plot {
    /// The plot of a chart of `width` by `height` px: room at the left for `labels`, `tail` px at the right, a line of
    /// labels below.
    pub fn new(width: f64, height: f64, labels: &[String], tail: f64, top: f64, slots: usize) -> Self {
        let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let left = longest as f64 * CHAR_PX + 8.0;
        Self { left, right: (width - tail).max(left + 1.0), upper: 8.0, base: height - 24.0, top, slots: slots.max(1) }
    }

    /// The width of a slot.
    pub fn band(&self) -> f64 {
        (self.right - self.left) / self.slots as f64
    }

    /// The left edge of a slot.
    pub fn slot_left(&self, slot: usize) -> f64 {
        self.left + self.band() * slot as f64
    }

    /// The middle of a slot.
    pub fn x(&self, slot: usize) -> f64 {
        self.slot_left(slot) + self.band() / 2.0
    }

    /// The height of a value.
    pub fn y(&self, value: f64) -> f64 {
        self.base - (self.base - self.upper) * (value / self.top).clamp(0.0, 1.0)
    }

    /// Left edge and width of a slot's bar.
    pub fn bar(&self, slot: usize) -> (f64, f64) {
        let width = (self.band() * BAR_SHARE).min(WIDEST_BAR);
        (self.x(slot) - width / 2.0, width)
    }

    /// Every how many slots there is room for a label, counted from the newest.
    pub fn label_every(&self, longest_label: usize) -> usize {
        const ROUND: [usize; 13] = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30];
        let needed = (longest_label as f64 * CHAR_PX + 12.0) / self.band();
        ROUND.into_iter().find(|every| *every as f64 >= needed).unwrap_or(self.slots)
    }

    /// Top and height of each part of a stack, from the base up. A part that is not 0 is at least 2 px high; a part that
    /// has one above it leaves 1 px free where it is high enough.
    pub fn stack(&self, values: &[f64]) -> Vec<(f64, f64)> {
        let mut floor = self.base;
        let last = values.iter().rposition(|value| *value > 0.0);
        let part = |(number, value): (usize, &f64)| {
            if *value <= 0.0 {
                return (floor, 0.0);
            }
            let height = (self.base - self.y(*value)).max(LOWEST_PART);
            floor -= height;
            let gap = if Some(number) == last || height < LOWEST_PART + 1.0 { 0.0 } else { 1.0 };
            (floor + gap, height - gap)
        };
        values.iter().enumerate().map(part).collect()
    }

    /// The points of a series; `None` where it has no value.
    pub fn points(&self, values: &[Option<f64>]) -> Vec<Option<(f64, f64)>> {
        values.iter().enumerate().map(|(slot, value)| value.map(|value| (self.x(slot), self.y(value)))).collect()
    }
}

/// The stretches of points without a gap.
fn stretches(points: &[Option<(f64, f64)>]) -> impl Iterator<Item = Vec<(f64, f64)>> {
    points.split(Option::is_none).filter(|part| !part.is_empty()).map(|part| part.iter().flatten().copied().collect())
}

/// A path through the points, broken where one is missing. A point alone is a line of no length: round caps make it a dot.
pub fn line_path(points: &[Option<(f64, f64)>]) -> String {
    let draw = |part: Vec<(f64, f64)>| {
        let mut path = String::new();
        for (number, (x, y)) in part.iter().enumerate() {
            path.push_str(&format!("{}{x:.1} {y:.1}", if number == 0 { "M" } else { "L" }));
        }
        if part.len() == 1 {
            path.push_str("h0");
        }
        path
    };
    stretches(points).map(draw).collect()
}

/// The ground under the points down to `base`, one closed shape for each stretch of two or more.
pub fn area_path(points: &[Option<(f64, f64)>], base: f64) -> String {
    let draw = |part: Vec<(f64, f64)>| {
        let (first, last) = (part[0].0, part[part.len() - 1].0);
        let edge = part.iter().map(|(x, y)| format!("L{x:.1} {y:.1}")).collect::<Vec<_>>().concat();
        format!("M{first:.1} {base:.1}{edge}L{last:.1} {base:.1}Z")
    };
    stretches(points).filter(|part| part.len() > 1).map(draw).collect()
}

/// Moves labels apart to at least `gap` px, keeping their order and staying as near as can be, within `upper` to `lower`.
pub fn spread(wanted: &[f64], gap: f64, upper: f64, lower: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut placed = wanted.to_vec();
    let mut floor = upper;
    for &at in &order {
        placed[at] = placed[at].max(floor);
        floor = placed[at] + gap;
    }
    let mut ceiling = lower;
    for &at in order.iter().rev() {
        placed[at] = placed[at].min(ceiling);
        ceiling = placed[at] - gap;
    }
    placed
}

/// A line through the values in a box of `width` by `height` px with a margin of 4 px, and its end; values that are missing
/// are left out. `None` with fewer than two values.
pub fn spark(values: &[Option<f64>], width: f64, height: f64) -> Option<(String, (f64, f64))> {
    const MARGIN: f64 = 4.0;
    let known: Vec<(usize, f64)> = values.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)?))).collect();
    let (first, last) = (known.first()?.0, known.last()?.0);
    if first == last {
        return None;
    }
    let (low, high) =
        known.iter().fold((f64::MAX, f64::MIN), |(low, high), (_, value)| (low.min(*value), high.max(*value)));
    let flat = (high - low).abs() < f64::EPSILON;
    let point = |(at, value): &(usize, f64)| {
        let x = width * (at - first) as f64 / (last - first) as f64;
        let share = if flat { 0.5 } else { (value - low) / (high - low) };
        Some((x, height - MARGIN - (height - 2.0 * MARGIN) * share))
    };
    let points: Vec<Option<(f64, f64)>> = known.iter().map(point).collect();
    let end = points.last().copied().flatten()?;
    Some((line_path(&points), end))
}

#[cfg(test)]
#[path = "scale_tests.rs"]
mod tests;
