//! Geometry of charts, in rows of numbers.

use super::*;

#[test]
fn a_grid_has_round_lines_and_holds_the_highest_value() {
    let check = |unit, highest, expected: &[f64]| assert_eq!(ticks(highest, unit), expected, "{highest}");
    check(Unit::Count, 65.0, &[0.0, 20.0, 40.0, 60.0, 80.0]);
    check(Unit::Count, 0.0, &[0.0, 1.0]);
    check(Unit::Count, 3.0, &[0.0, 1.0, 2.0, 3.0]);
    check(Unit::Count, 18_204.0, &[0.0, 5_000.0, 10_000.0, 15_000.0, 20_000.0]);
    check(Unit::Duration, 164_000.0, &[0.0, 60_000.0, 120_000.0, 180_000.0]);
    check(Unit::Duration, 4_100.0, &[0.0, 2_000.0, 4_000.0, 6_000.0]);
    check(Unit::Duration, 30.0 * DAY_MS, &[0.0, 10.0 * DAY_MS, 20.0 * DAY_MS, 30.0 * DAY_MS]);
    check(Unit::Count, f64::NAN, &[0.0, 1.0]);
}

#[test]
fn every_grid_has_two_to_five_lines() {
    for unit in [Unit::Count, Unit::Duration] {
        let mut highest = 0.3;
        while highest < 1e12 {
            let lines = ticks(highest, unit);
            assert!((2..=5).contains(&lines.len()), "{highest}: {lines:?}");
            assert!(*lines.last().expect("two at least") >= highest);
            highest *= 1.37;
        }
    }
}

fn plot() -> Plot {
    Plot { left: 20.0, right: 260.0, upper: 0.0, base: 100.0, top: 50.0, slots: 24 }
}

#[test]
fn zero_stands_on_the_base_and_the_top_at_the_upper_edge() {
    let plot = plot();
    assert_eq!((plot.y(0.0), plot.y(50.0), plot.y(25.0), plot.y(99.0)), (100.0, 0.0, 50.0, 0.0));
    assert_eq!((plot.band(), plot.x(0), plot.slot_left(23)), (10.0, 25.0, 250.0));
}

#[test]
fn a_stack_grows_upwards_and_shows_the_smallest_part() {
    let parts = plot().stack(&[25.0, 0.0, 0.1]);
    assert_eq!(parts, [(51.0, 49.0), (50.0, 0.0), (48.0, 2.0)]);
    assert_eq!(plot().stack(&[10.0]), [(80.0, 20.0)]);
}

#[test]
fn a_few_bars_do_not_become_walls() {
    let wide = Plot { right: 1020.0, slots: 2, ..plot() };
    assert!((wide.bar(0).1 - 48.0).abs() < 1e-9);
    assert!(plot().bar(0).1 < plot().band());
}

#[test]
fn labels_keep_their_distance() {
    assert_eq!(plot().label_every(5), 5);
    let wide = Plot { right: 2000.0, ..plot() };
    assert_eq!(wide.label_every(5), 1);
    let narrow = Plot { right: 30.0, ..plot() };
    assert_eq!(narrow.label_every(6), 24);
}

#[test]
fn a_missing_value_breaks_the_line_and_a_lone_one_is_a_dot() {
    let points = [Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 4.0))];
    assert_eq!(line_path(&points), "M0.0 1.0L1.0 2.0M3.0 4.0h0");
    assert_eq!(area_path(&points, 9.0), "M0.0 9.0L0.0 1.0L1.0 2.0L1.0 9.0Z");
    assert_eq!(line_path(&[None, None]), "");
}

#[test]
fn labels_at_the_ends_of_lines_never_overlap() {
    assert_eq!(spread(&[50.0, 52.0, 10.0], 14.0, 0.0, 100.0), [50.0, 64.0, 10.0]);
    assert_eq!(spread(&[98.0, 99.0, 97.0], 14.0, 0.0, 100.0), [86.0, 100.0, 72.0]);
    assert_eq!(spread(&[], 14.0, 0.0, 100.0), [0.0; 0]);
}

#[test]
fn a_spark_needs_two_values_and_fills_its_box() {
    assert_eq!(spark(&[Some(1.0)], 96.0, 32.0), None);
    assert_eq!(spark(&[None, None], 96.0, 32.0), None);
    let (path, end) = spark(&[None, Some(1.0), None, Some(3.0)], 96.0, 32.0).expect("two values");
    assert_eq!(path, "M0.0 28.0L96.0 4.0");
    assert_eq!(end, (96.0, 4.0));
    assert_eq!(spark(&[Some(2.0), Some(2.0)], 96.0, 32.0).expect("two values").1, (96.0, 16.0));
}

#[test]
fn an_axis_gets_the_room_its_labels_need() {
    let labels = ["0".to_owned(), "100 s".to_owned()];
    let plot = Plot::new(400.0, 228.0, &labels, 30.0, 100.0, 7);
    assert_eq!((plot.left, plot.right, plot.base), (43.0, 370.0, 204.0));
}
