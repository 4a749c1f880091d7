//! Many numbers for each point become a few: principal components, found by subspace iteration. Pure.
//!
//! The same rows give the same places, to the bit: it begins with numbers that look random and are always the same, and each axis
//! points to where its largest number is positive. The axes are found of at most [`LOOKED_AT`] rows, evenly taken, and all rows are
//! placed by them: that costs a few products of a row with [`AXES`] vectors, for as many rows as there are.

use crate::memory::index::Rows;

/// Numbers that a point has afterwards: two to be drawn, the others to know its neighbours better by.
pub(super) const AXES: usize = 8;
/// Rows that the axes are found of.
const LOOKED_AT: usize = 2_000;
/// Rounds of the iteration. Each makes what lies outside of the axes smaller by the square of the ratio of what is outside and inside.
const ROUNDS: usize = 8;
/// Rounds of turning the axes to the principal ones; eight numbers need about five.
const TURNS: usize = 24;

/// Where the rows lie.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Projected {
    /// Of each row, the principal axis first; the first two of all rows reach from -1 to 1 at most.
    pub places: Vec<[f32; AXES]>,
    /// Which share of how the rows differ the first two axes show, 0..=1 each.
    pub shares: [f64; 2],
}

/// Places every row. Rows that are all equal, and one alone, lie at 0.
pub(super) fn project(rows: &Rows) -> Projected {
    let (count, dims) = (rows.len(), rows.dims());
    if count < 2 || dims == 0 {
        return Projected { places: vec![[0.0; AXES]; count], shares: [0.0; 2] };
    }
    let mean = mean(rows);
    let looked_at = centred(rows, &mean);
    let total: f64 = looked_at.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
    if total <= f64::from(f32::EPSILON) {
        return Projected { places: vec![[0.0; AXES]; count], shares: [0.0; 2] };
    }
    let mut axes = beginning(dims);
    orthonormal(&mut axes);
    for _ in 0..ROUNDS {
        axes = multiplied(&looked_at, dims, &axes);
        orthonormal(&mut axes);
    }
    let spread = turned(&looked_at, dims, &mut axes);
    for axis in &mut axes {
        let largest = axis.iter().fold(0.0_f32, |most, value| if value.abs() > most.abs() { *value } else { most });
        if largest < 0.0 {
            for value in axis.iter_mut() {
                *value = -*value;
            }
        }
    }
    let mut row = vec![0.0_f32; dims];
    let place = |at: usize| {
        rows.read(at, &mut row);
        row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        let mut place = [0.0_f32; AXES];
        for (number, axis) in place.iter_mut().zip(&axes) {
            *number = dot(&row, axis);
        }
        place
    };
    let mut places: Vec<[f32; AXES]> = (0..count).map(place).collect();
    let most = places.iter().flat_map(|place| &place[..2]).fold(0.0_f32, |most, number| most.max(number.abs()));
    if most > 0.0 {
        places.iter_mut().flatten().for_each(|number| *number /= most);
    }
    Projected { places, shares: [spread[0] / total, spread[1] / total].map(|share| share.clamp(0.0, 1.0)) }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn mean(rows: &Rows) -> Vec<f32> {
    let mut sum = vec![0.0_f64; rows.dims()];
    let mut row = vec![0.0_f32; rows.dims()];
    for at in 0..rows.len() {
        rows.read(at, &mut row);
        sum.iter_mut().zip(&row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    sum.into_iter().map(|sum| (sum / rows.len() as f64) as f32).collect()
}

/// The rows that are looked at, one behind the other, without what they have in common.
fn centred(rows: &Rows, mean: &[f32]) -> Vec<f32> {
    let taken = rows.len().min(LOOKED_AT);
    let mut all = vec![0.0_f32; taken * rows.dims()];
    for (at, row) in all.chunks_exact_mut(rows.dims()).enumerate() {
        rows.read(at * rows.len() / taken, row);
        row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
    }
    all
}

/// Axes to begin with: as good as random, and always the same.
fn beginning(dims: usize) -> Vec<Vec<f32>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..AXES).map(|_| (0..dims).map(|_| next()).collect()).collect()
}

/// The axes times how the rows differ: what they have of the directions in which rows differ most grows.
fn multiplied(rows: &[f32], dims: usize, axes: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut grown = vec![vec![0.0_f32; dims]; axes.len()];
    for row in rows.chunks_exact(dims) {
        for (axis, grown) in axes.iter().zip(&mut grown) {
            let along = dot(row, axis);
            grown.iter_mut().zip(row).for_each(|(sum, value)| *sum += along * value);
        }
    }
    grown
}

/// Makes each axis one long and at right angles to those before it. One that has nothing of its own becomes nothing.
fn orthonormal(axes: &mut [Vec<f32>]) {
    for at in 0..axes.len() {
        let (before, rest) = axes.split_at_mut(at);
        let Some(axis) = rest.first_mut() else { return };
        let length_before = dot(axis, axis).sqrt();
        // Twice: once leaves rounding errors that the next round would make larger.
        for other in before.iter().chain(before.iter()) {
            let along = dot(axis, other);
            axis.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
        }
        let length = dot(axis, axis).sqrt();
        let is_own = length.is_finite() && length > 1e-5 * length_before && length > f32::MIN_POSITIVE;
        let scale = if is_own { 1.0 / length } else { 0.0 };
        for value in axis.iter_mut() {
            *value *= scale;
        }
    }
}

/// Turns the axes within the space that they span to the principal ones, the one along which rows differ most first, and gives
/// how much they differ along each. By Jacobi's rotations.
fn turned(rows: &[f32], dims: usize, axes: &mut [Vec<f32>]) -> [f64; AXES] {
    let mut spread = [[0.0_f64; AXES]; AXES];
    for row in rows.chunks_exact(dims) {
        let mut along = [0.0_f64; AXES];
        along.iter_mut().zip(axes.iter()).for_each(|(number, axis)| *number = f64::from(dot(row, axis)));
        for (a, line) in spread.iter_mut().enumerate() {
            line.iter_mut().zip(along).for_each(|(sum, b)| *sum += along[a] * b);
        }
    }
    for _ in 0..TURNS {
        for p in 0..AXES {
            for q in p + 1..AXES {
                rotate(&mut spread, axes, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..AXES).collect();
    order.sort_by(|a, b| spread[*b][*b].total_cmp(&spread[*a][*a]));
    let sorted: Vec<Vec<f32>> = order.iter().map(|at| axes[*at].clone()).collect();
    axes.iter_mut().zip(sorted).for_each(|(axis, sorted)| *axis = sorted);
    let mut along = [0.0; AXES];
    along.iter_mut().zip(order).for_each(|(number, at)| *number = spread[at][at]);
    along
}

/// One of Jacobi's rotations: afterwards rows that differ along `p` say nothing about `q`.
fn rotate(spread: &mut [[f64; AXES]; AXES], axes: &mut [Vec<f32>], p: usize, q: usize) {
    let off = spread[p][q];
    if off.abs() <= f64::EPSILON * (spread[p][p] + spread[q][q]).abs() {
        return;
    }
    let theta = (spread[q][q] - spread[p][p]) / (2.0 * off);
    let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for line in spread.iter_mut() {
        let (a, b) = (line[p], line[q]);
        (line[p], line[q]) = (cosine * a - sine * b, sine * a + cosine * b);
    }
    let (mut first, mut second) = (spread[p], spread[q]);
    for (a, b) in first.iter_mut().zip(&mut second) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
    (spread[p], spread[q]) = (first, second);
    let (before, behind) = axes.split_at_mut(q);
    let (cosine, sine) = (cosine as f32, sine as f32);
    for (a, b) in before[p].iter_mut().zip(behind[0].iter_mut()) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(of: &[Vec<f32>]) -> Rows {
        let mut rows = Rows::new(of.first().map_or(0, Vec::len));
        for row in of {
            rows.push(row);
        }
        rows
    }

    fn distance(a: &[f32; AXES], b: &[f32; AXES]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// Points of a plane that lies askew in many dimensions: `x` along one direction, `y` along another at right angles.
    fn plane(points: &[(f32, f32)], dims: usize) -> Vec<Vec<f32>> {
        let across = |at: usize| if at.is_multiple_of(2) { 1.0 } else { -1.0 };
        points.iter().map(|(x, y)| (0..dims).map(|at| x + y * across(at)).collect()).collect()
    }

    #[test]
    fn a_plane_in_many_dimensions_is_found() {
        let points: Vec<(f32, f32)> = (0..200).map(|n| ((n % 20) as f32 - 9.5, (n / 20) as f32 * 0.5)).collect();
        let found = project(&rows(&plane(&points, 64)));
        assert!(found.shares[0] > found.shares[1] && found.shares[1] > 0.01, "{:?}", found.shares);
        assert!((found.shares[0] + found.shares[1] - 1.0).abs() < 0.01, "{:?}", found.shares);
        let scale = distance(&found.places[0], &found.places[199])
            / f64::from(points[199].0 - points[0].0).hypot(f64::from(points[199].1 - points[0].1));
        for (a, b) in [(0, 1), (0, 20), (17, 150), (63, 64), (5, 199)] {
            let (from, to) = (points[a], points[b]);
            let expected = scale * f64::from(from.0 - to.0).hypot(f64::from(from.1 - to.1));
            assert!((distance(&found.places[a], &found.places[b]) - expected).abs() < 0.02, "{a} and {b}");
        }
        let farthest = found.places.iter().flat_map(|place| &place[..2]).fold(0.0_f32, |most, n| most.max(n.abs()));
        assert!((farthest - 1.0).abs() < 1e-5, "{farthest}");
    }

    #[test]
    fn what_differs_most_is_the_first_axis() {
        let long: Vec<Vec<f32>> = (0..50).map(|n| vec![0.0, n as f32, 0.0, (n % 2) as f32]).collect();
        let found = project(&rows(&long));
        assert!(found.shares[0] > 0.99, "{:?}", found.shares);
        assert!(found.places.windows(2).all(|pair| pair[0][0] < pair[1][0]), "along the line, in its direction");
    }

    #[test]
    fn what_has_nothing_to_show_lies_at_nought() {
        assert_eq!(project(&rows(&[])), Projected::default());
        assert_eq!(project(&rows(&[vec![1.0, 2.0]])).places, [[0.0; AXES]]);
        let equal = project(&rows(&vec![vec![0.3, -0.7, 0.1]; 30]));
        assert_eq!((equal.places, equal.shares), (vec![[0.0; AXES]; 30], [0.0; 2]));
        assert_eq!(project(&rows(&vec![vec![0.0; 5]; 3])).places, [[0.0; AXES]; 3]);
    }

    #[test]
    fn two_points_lie_at_the_ends_of_a_line() {
        let found = project(&rows(&[vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0]]));
        assert!((found.places[0][0] + found.places[1][0]).abs() < 1e-3, "{:?}", found.places);
        assert!((found.places[0][0].abs() - 1.0).abs() < 1e-3, "{:?}", found.places);
        assert!(found.places.iter().flat_map(|place| &place[1..]).all(|number| number.abs() < 1e-3));
        assert!((found.shares[0] - 1.0).abs() < 1e-6, "{:?}", found.shares);
    }

    #[test]
    fn the_same_rows_give_the_same_places() {
        let all: Vec<Vec<f32>> =
            (0..300).map(|n| (0..12).map(|at| ((n * 7 + at * 13) % 29) as f32).collect()).collect();
        let (one, other) = (project(&rows(&all)), project(&rows(&all)));
        assert_eq!(one, other);
        assert!(one.places.iter().flatten().all(|number| number.is_finite()));
    }

    #[test]
    fn more_rows_than_are_looked_at_are_all_placed() {
        let many: Vec<Vec<f32>> = (0..LOOKED_AT + 500).map(|n| vec![n as f32, 1.0]).collect();
        let found = project(&rows(&many));
        assert_eq!(found.places.len(), LOOKED_AT + 500);
        assert!(found.places.windows(2).all(|pair| pair[0][0] <= pair[1][0]));
    }
}
