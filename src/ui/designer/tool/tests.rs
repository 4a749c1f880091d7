//! The table of the pointer: scenes from press to release.

use super::*;
use crate::model::workflow::Definition;
use crate::ui::designer::action;
use crate::ui::designer::history::History;
use crate::ui::designer::kernel::Size;

/// Two steps, `a` at (0, 0) and `b` at (0, 200), not connected.
struct Scene {
    document: Document,
    history: History,
    tool: Tool,
}

impl Scene {
    fn new() -> Self {
        let mut scene = Self {
            document: Document::new(Definition::empty("test"), true),
            history: History::default(),
            tool: Tool::default(),
        };
        scene.document.size = Size { w: 1000.0, h: 800.0 };
        for y in [0.0, 200.0] {
            let changes = action::add_step(&scene.document, "transform", Some(Point::new(112.0, y)), None);
            scene.history.perform(&mut scene.document, changes);
        }
        scene.apply(vec![Change::Select(Selection::default())]);
        scene
    }

    fn apply(&mut self, changes: Vec<Change>) {
        self.history.perform(&mut self.document, changes);
    }

    fn on(&mut self, input: Input) -> &mut Self {
        let (tool, changes) = std::mem::take(&mut self.tool).on(input, &self.document);
        self.tool = tool;
        self.apply(changes);
        self
    }

    fn down(&mut self, x: f64, y: f64, target: Target) -> &mut Self {
        self.on(Input::Down { pointer: 1, at: Point::new(x, y), target, button: Button::Main, held: Held::default() })
    }

    fn to(&mut self, x: f64, y: f64) -> &mut Self {
        self.on(Input::Move { pointer: 1, at: Point::new(x, y), held: Held::default() })
    }

    fn up(&mut self, x: f64, y: f64) -> &mut Self {
        self.on(Input::Up { pointer: 1, at: Point::new(x, y) })
    }

    fn chosen(&self) -> Vec<&str> {
        self.document.selection.steps.iter().map(String::as_str).collect()
    }
}

fn a() -> Target {
    Target::Step("transform".to_owned())
}

#[test]
fn a_press_on_a_step_chooses_it_and_a_press_on_the_ground_lets_go() {
    let mut scene = Scene::new();
    scene.down(10.0, 10.0, a()).up(10.0, 10.0);
    assert_eq!(scene.chosen(), ["transform"]);
    scene.down(500.0, 500.0, Target::Ground).up(500.0, 500.0);
    assert!(scene.chosen().is_empty() && scene.tool.is_idle());
}

#[test]
fn a_drag_moves_by_the_grid_and_is_one_mark() {
    let mut scene = Scene::new();
    scene.down(10.0, 10.0, a()).to(12.0, 10.0).to(330.0, 90.0).to(353.0, 95.0).up(353.0, 95.0);
    let at = scene.document.graph.step("transform").unwrap().position;
    assert!((at.x - 344.0).abs() < 6.1 && (at.y - 85.0).abs() < 6.1 && at.x % 8.0 == 0.0);
    assert_eq!(scene.history.undo_name(), Some("Move Transform"));
    scene.history.undo(&mut scene.document);
    assert_eq!(scene.document.graph.step("transform").unwrap().position, Position::default());
}

#[test]
fn escape_takes_a_drag_back() {
    let mut scene = Scene::new();
    scene.down(10.0, 10.0, a()).to(200.0, 90.0).on(Input::Escape);
    assert_eq!(scene.document.graph.step("transform").unwrap().position, Position::default());
    assert!(scene.tool.is_idle());
}

#[test]
fn a_box_chooses_what_it_touches() {
    let mut scene = Scene::new();
    scene.down(300.0, 30.0, Target::Ground).to(100.0, 220.0);
    assert_eq!(scene.chosen(), ["transform", "transform_2"]);
    scene.to(280.0, 60.0);
    assert!(scene.chosen().is_empty());
}

#[test]
fn a_thread_is_caught_by_an_input_in_reach() {
    let mut scene = Scene::new();
    let port = Target::Out { step: "transform".to_owned(), port: "out".to_owned() };
    scene.down(112.0, 52.0, port).to(120.0, 180.0);
    assert!(matches!(&scene.tool, Tool::Connecting { catch: Some(Catch::In { step }), .. } if step == "transform_2"));
    scene.up(120.0, 180.0);
    assert_eq!(scene.document.graph.edges.len(), 1);
    assert_eq!(scene.history.undo_name(), Some("Connect Transform to Transform 2"));
}

#[test]
fn a_thread_that_closes_a_circle_is_refused() {
    let mut scene = Scene::new();
    let changes = action::connect(&scene.document, "transform", "out", "transform_2");
    scene.apply(changes);
    let port = Target::Out { step: "transform_2".to_owned(), port: "out".to_owned() };
    scene.down(112.0, 252.0, port).to(112.0, 10.0);
    assert!(matches!(&scene.tool, Tool::Connecting { catch: Some(Catch::Refused { .. }), .. }));
    scene.up(112.0, 10.0);
    assert_eq!(scene.document.graph.edges.len(), 1);
}

#[test]
fn a_thread_let_go_over_nothing_asks_for_a_step() {
    let mut scene = Scene::new();
    let port = Target::Out { step: "transform_2".to_owned(), port: "out".to_owned() };
    scene.down(112.0, 252.0, port).to(400.0, 500.0).up(400.0, 500.0);
    let Some(Ask::AddStep { at: Some(at), link: Some(Link::After { .. }) }) = &scene.document.ask else {
        panic!("asks")
    };
    assert_eq!(*at, Point::new(400.0, 500.0));
    scene.on(Input::Escape);
    assert!(scene.document.ask.is_none());
}

#[test]
fn the_middle_button_and_the_space_bar_pan() {
    let mut scene = Scene::new();
    scene.on(Input::Space { down: true }).down(10.0, 10.0, a()).to(60.0, 40.0).up(60.0, 40.0);
    assert_eq!(scene.document.view, View { x: 50.0, y: 30.0, zoom: 1.0 });
    assert_eq!(scene.tool, Tool::Idle { space: true });
}

#[test]
fn two_fingers_zoom_around_their_middle() {
    let mut scene = Scene::new();
    let finger = |pointer, x| Input::Down {
        pointer,
        at: Point::new(x, 100.0),
        target: Target::Ground,
        button: Button::Touch,
        held: Held::default(),
    };
    scene.on(finger(1, 100.0)).on(finger(2, 200.0));
    let under = scene.document.view.world_from_screen(Point::new(150.0, 100.0));
    scene.on(Input::Move { pointer: 1, at: Point::new(50.0, 100.0), held: Held::default() });
    scene.on(Input::Move { pointer: 2, at: Point::new(250.0, 100.0), held: Held::default() });
    assert!((scene.document.view.zoom - 2.0).abs() < 1e-9);
    assert!(scene.document.view.world_from_screen(Point::new(150.0, 100.0)).distance(under) < 1e-6);
    scene.on(Input::Lost { pointer: 1 });
    assert!(matches!(scene.tool, Tool::Panning { pointer: 2, .. }));
}

#[test]
fn a_kind_dropped_on_a_thread_goes_into_it() {
    let mut scene = Scene::new();
    let changes = action::connect(&scene.document, "transform", "out", "transform_2");
    scene.apply(changes);
    scene.on(Input::Place { kind: "condition".to_owned(), at: Some(Point::new(112.0, 120.0)) }).on(Input::Drop);
    let edges = &scene.document.graph.edges;
    assert_eq!(
        (edges[0].to.as_str(), edges[1].from.as_str(), edges[1].port.as_str()),
        ("condition", "condition", "true")
    );
}

#[test]
fn a_kind_let_go_beside_the_canvas_is_not_added() {
    let mut scene = Scene::new();
    scene.on(Input::Place { kind: "http".to_owned(), at: None }).on(Input::Drop);
    assert_eq!(scene.document.graph.steps.len(), 2);
}

#[test]
fn a_reader_looks_but_does_not_move() {
    let mut scene = Scene::new();
    scene.document.may_edit = false;
    scene.down(10.0, 10.0, a()).to(300.0, 300.0).up(300.0, 300.0);
    assert_eq!(scene.document.graph.step("transform").unwrap().position, Position::default());
    assert_eq!(scene.chosen(), ["transform"]);
}

#[test]
fn any_string_of_inputs_ends_idle_after_letting_go() {
    let inputs = [
        Input::Space { down: true },
        Input::Place { kind: "http".to_owned(), at: None },
        Input::Drop,
        Input::Lost { pointer: 1 },
        Input::Escape,
        Input::Up { pointer: 1, at: Point::default() },
    ];
    let targets = [Target::Ground, a(), Target::In { step: "transform".to_owned() }, Target::Step("gone".to_owned())];
    for target in targets {
        for input in &inputs {
            let mut scene = Scene::new();
            scene.down(5.0, 5.0, target.clone()).to(90.0, 90.0).on(input.clone()).up(90.0, 90.0).on(Input::Escape);
            assert!(scene.tool.is_idle(), "{target:?} {input:?} {:?}", scene.tool);
        }
    }
}
