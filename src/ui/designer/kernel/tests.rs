//! The kernels' rules, as tables and properties.

use proptest::prelude::*;

use super::geometry::{self, Point, Rect, Side, Size};
use super::route::{Ends, route_all};
use super::{View, hit, layout, minimap, snap, walk};
use crate::model::workflow::{Body, Edge, Position, Step};

fn step(id: &str, x: f64, y: f64) -> Step {
    Step { position: Position { x, y }, ..Step::new(id, "transform") }
}

fn graph(count: usize, links: &[(usize, usize)]) -> Body {
    let edge = |(a, b): &(usize, usize)| Edge {
        from: format!("s{}", a % count),
        port: Edge::OUT.to_owned(),
        to: format!("s{}", b % count),
        when: None,
    };
    Body {
        steps: (0..count).map(|n| step(&format!("s{n}"), 0.0, 0.0)).collect(),
        edges: links.iter().map(edge).collect(),
        ..Body::default()
    }
}

fn arranged(body: &mut Body) {
    for (id, at) in layout::arrange(body, Point::new(40.0, 40.0)) {
        body.steps.iter_mut().find(|s| s.id == id).unwrap().position = at.into();
    }
}

#[test]
fn steps_without_places_get_some_and_those_with_places_keep_them() {
    let mut heap = graph(3, &[(0, 1), (1, 2)]);
    let mut container = step("each", 0.0, 0.0);
    container.body = Some(graph(2, &[(0, 1)]));
    heap.steps.push(container);
    layout::place(&mut heap);
    let apart = |steps: &[Step]| {
        steps.iter().enumerate().all(|(n, one)| steps[..n].iter().all(|other| other.position != one.position))
    };
    assert!(apart(&heap.steps), "{:?}", heap.steps);
    assert!(apart(&heap.steps[3].body.as_ref().unwrap().steps));
    let before = heap.clone();
    layout::place(&mut heap);
    assert_eq!(heap, before);
    let mut drawn = graph(2, &[]);
    drawn.steps[1].position = Position { x: 9.0, y: 0.0 };
    let before = drawn.clone();
    layout::place(&mut drawn);
    assert_eq!(drawn, before);
}

fn ends(body: &Body) -> Vec<Ends> {
    let index = |id: &str| body.steps.iter().position(|s| s.id == id).unwrap();
    body.edges
        .iter()
        .map(|edge| {
            let (from, side) = geometry::out_point(body.step(&edge.from).unwrap(), &edge.port);
            let to = geometry::in_point(body.step(&edge.to).unwrap());
            Ends { from, side, to, source: index(&edge.from), target: index(&edge.to) }
        })
        .collect()
}

fn links() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    (1..24_usize).prop_flat_map(|n| (Just(n), prop::collection::vec((0..n, 0..n), 0..40)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn zooming_keeps_the_point_under_the_pointer(
        x in -900.0..900.0_f64, y in -900.0..900.0_f64, zoom in 0.1..2.5_f64,
        px in 0.0..1400.0_f64, py in 0.0..900.0_f64, factor in 0.05..20.0_f64,
    ) {
        let view = View { x, y, zoom };
        let at = Point::new(px, py);
        let zoomed = view.zoomed_at(at, factor);
        prop_assert!(zoomed.world_from_screen(at).distance(view.world_from_screen(at)) < 1e-6);
        prop_assert!((View::MIN_ZOOM..=View::MAX_ZOOM).contains(&zoomed.zoom));
    }

    #[test]
    fn a_fitted_graph_is_inside_the_canvas(
        x in -5000.0..5000.0_f64, y in -5000.0..5000.0_f64, w in 1.0..9000.0_f64, h in 1.0..6000.0_f64,
    ) {
        let size = Size { w: 1000.0, h: 700.0 };
        let view = View::fitted(Rect::new(x, y, w, h), size, [20.0; 4]);
        let corner = view.screen_from_world(Point::new(x, y));
        let end = view.screen_from_world(Point::new(x + w, y + h));
        if view.zoom > View::MIN_ZOOM {
            prop_assert!(corner.x >= 19.9 && corner.y >= 19.9 && end.x <= 980.1 && end.y <= 680.1);
        }
        prop_assert!(view.zoom <= 1.0);
    }

    #[test]
    fn the_layout_has_no_overlaps_and_threads_run_down((count, links) in links()) {
        let mut body = graph(count, &links);
        arranged(&mut body);
        let frames: Vec<Rect> = body.steps.iter().map(geometry::node_rect).collect();
        for (i, a) in frames.iter().enumerate() {
            for b in &frames[i + 1..] {
                prop_assert!(!a.grown(8.0).overlaps(*b), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_graph_without_circles_runs_down((count, links) in links()) {
        let down: Vec<(usize, usize)> = links.into_iter().filter(|(a, b)| a < b).collect();
        let mut body = graph(count, &down);
        arranged(&mut body);
        for edge in &body.edges {
            prop_assert!(body.step(&edge.from).unwrap().position.y < body.step(&edge.to).unwrap().position.y);
        }
    }

    #[test]
    fn no_thread_enters_a_node((count, links) in links()) {
        let loose: Vec<(usize, usize)> = links.into_iter().filter(|(a, b)| a != b).collect();
        let mut body = graph(count, &loose);
        arranged(&mut body);
        let frames: Vec<Rect> = body.steps.iter().map(geometry::node_rect).collect();
        for route in route_all(&ends(&body), &frames) {
            for pair in route.points.windows(2) {
                prop_assert!((pair[0].x - pair[1].x).abs() < 0.01 || (pair[0].y - pair[1].y).abs() < 0.01, "slanted {route:?}");
                prop_assert!(!frames.iter().any(|frame| frame.is_crossed(pair[0], pair[1])), "{route:?}");
            }
        }
    }

    #[test]
    fn a_snapped_move_is_on_the_grid_or_on_a_guide(dx in -300.0..300.0_f64, dy in -300.0..300.0_f64) {
        let moving = Rect::new(40.0, 40.0, 224.0, 52.0);
        let others = [Rect::new(400.0, 300.0, 224.0, 52.0), Rect::new(10.0, 260.0, 224.0, 52.0)];
        let done = snap::snap(moving, Point::new(40.0, 40.0), dx, dy, &others, 6.0);
        prop_assert!((done.dx - dx).abs() <= 6.0 && (done.dy - dy).abs() <= 6.0);
        if done.guides.is_empty() {
            prop_assert!(((40.0 + done.dx) % snap::GRID).abs() < 1e-9 && ((40.0 + done.dy) % snap::GRID).abs() < 1e-9);
        }
    }
}

#[test]
fn a_step_dragged_near_another_takes_its_middle() {
    let other = Rect::new(100.0, 0.0, 224.0, 52.0);
    let done = snap::snap(Rect::new(0.0, 100.0, 224.0, 52.0), Point::new(0.0, 100.0), 97.0, 3.0, &[other], 6.0);
    assert!((done.dx - 100.0).abs() < 1e-9);
    assert_eq!(done.guides.len(), 1);
}

#[test]
fn threads_that_share_an_end_share_a_lane() {
    let mut body = graph(4, &[(0, 1), (0, 2), (0, 3)]);
    for (index, x) in [300.0, 0.0, 300.0, 600.0].into_iter().enumerate() {
        body.steps[index].position = Position { x, y: if index == 0 { 0.0 } else { 140.0 } };
    }
    let frames: Vec<Rect> = body.steps.iter().map(geometry::node_rect).collect();
    let routes = route_all(&ends(&body), &frames);
    assert!((routes[0].points[1].y - routes[2].points[1].y).abs() < 0.01);
    assert_eq!(routes[1].points.len(), 2);
    assert!(routes[0].path().contains('Q'));
}

#[test]
fn a_thread_leaves_the_error_port_to_the_right() {
    let ends =
        Ends { from: Point::new(224.0, 26.0), side: Side::Right, to: Point::new(500.0, 200.0), source: 0, target: 1 };
    let route = &route_all(&[ends], &[Rect::new(0.0, 0.0, 224.0, 52.0)])[0];
    assert!(route.points[1].x > 224.0 && (route.points[1].y - 26.0).abs() < 0.01);
}

#[test]
fn arrows_walk_the_graph() {
    use walk::Direction::{Down, Left, Right, Up};
    let mut body = graph(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
    arranged(&mut body);
    let go = |from: &str, to| walk::step(&body, from, to).map(|s| s.id.as_str());
    assert_eq!(walk::first(&body).unwrap().id, "s0");
    let under = go("s0", Down).unwrap();
    let beside = go("s1", Right).or(go("s1", Left)).unwrap();
    assert!(["s1", "s2"].contains(&under));
    assert_eq!(beside, "s2");
    assert_eq!(go("s1", Down), Some("s3"));
    assert_eq!(go("s3", Down), None);
    assert_eq!(go("s1", Up), Some("s0"));
}

#[test]
fn a_circle_is_told_before_it_is_made() {
    let body = graph(3, &[(0, 1), (1, 2)]);
    assert!(hit::closes_circle(&body, "s2", "s0"));
    assert!(hit::closes_circle(&body, "s1", "s1"));
    assert!(!hit::closes_circle(&body, "s0", "s2"));
}

#[test]
fn a_press_on_the_overview_means_the_place_below_it() {
    let frame = Rect::new(-100.0, 0.0, 1000.0, 500.0);
    let at = minimap::world_from_map(frame, Size { w: 200.0, h: 140.0 }, Point::new(100.0, 70.0));
    assert!(at.distance(Point::new(400.0, 250.0)) < 1e-9);
    let view = minimap::centered(View::default(), Size { w: 800.0, h: 600.0 }, at);
    assert!(view.world_from_screen(Point::new(400.0, 300.0)).distance(at) < 1e-9);
}

#[test]
fn a_thread_is_drawn_to_the_input_in_reach() {
    let mut body = graph(2, &[]);
    body.steps[1].position = Position { x: 400.0, y: 200.0 };
    assert_eq!(hit::magnetic_input(&body, Point::new(500.0, 180.0), 28.0, "s0"), Some("s1"));
    assert_eq!(hit::magnetic_input(&body, Point::new(500.0, 100.0), 28.0, "s0"), None);
}
