//! The agents of a run as a drawing: who may write to whom, and how many messages went from one to the other.

use std::f64::consts::TAU;

use leptos::prelude::*;

use crate::model::agent::{TeamEdge, TeamMember, TeamView};
use crate::ui::format;

/// Agents that are drawn at most: more are no longer told apart. The table has all.
const MOST: usize = 24;
/// The drawing, in its own units.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 380.0;
/// How far the agents are from the middle.
const RADIUS: (f64, f64) = (240.0, 140.0);
/// Half the height of an agent, and how far a line ends from its middle.
const HALF: f64 = 15.0;
const GAP: f64 = 34.0;
/// How far the middle of a line is beside the straight one: two that go either way are told apart.
const BEND: f64 = 22.0;
/// Characters of a name.
const NAME: usize = 18;

/// A line: where its parts are.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    path: String,
    label: (f64, f64),
}

/// Where the agents stand: evenly around the middle, the first at the top.
fn places(count: usize) -> Vec<(f64, f64)> {
    let (x, y) = (WIDTH / 2.0, HEIGHT / 2.0);
    if count == 1 {
        return vec![(x, y)];
    }
    let angle = |place: usize| TAU * place as f64 / count as f64;
    (0..count).map(angle).map(|angle| (x + RADIUS.0 * angle.sin(), y - RADIUS.1 * angle.cos())).collect()
}

/// A line from one place to another, bent to its right.
fn line(from: (f64, f64), to: (f64, f64)) -> Line {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let gap = GAP.min(length / 3.0);
    let (ax, ay) = (ux.mul_add(gap, from.0), uy.mul_add(gap, from.1));
    let (bx, by) = (ux.mul_add(-gap, to.0), uy.mul_add(-gap, to.1));
    let (mx, my) = (f64::midpoint(ax, bx) - uy * BEND, f64::midpoint(ay, by) + ux * BEND);
    // The curve passes half-way between its middle and its control point.
    let label = (f64::midpoint(ax, bx) - uy * BEND / 2.0, f64::midpoint(ay, by) + ux * BEND / 2.0);
    Line { path: format!("M{ax:.1} {ay:.1}Q{mx:.1} {my:.1} {bx:.1} {by:.1}"), label }
}

/// Who is drawn: all, or those that wrote and were written to most, in the order of the team.
fn drawn(team: &TeamView) -> Vec<TeamMember> {
    let talk = |handle: &str| -> i64 {
        let own = |edge: &&TeamEdge| edge.from == handle || edge.to == handle;
        team.edges.iter().filter(own).map(|edge| edge.count).sum()
    };
    let mut order: Vec<usize> = (0..team.members.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(talk(&team.members[*at].handle)), *at));
    order.truncate(MOST);
    order.sort_unstable();
    order.into_iter().map(|at| team.members[at].clone()).collect()
}

/// A name that fits its box.
fn short(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let start: String = name.chars().take(NAME - 1).collect();
    format!("{start}…")
}

/// The drawing. What it shows stands in the table beside it, too.
#[component]
pub fn TeamGraph(team: TeamView) -> impl IntoView {
    let members = drawn(&team);
    let places = places(members.len());
    let place = |handle: &str| members.iter().position(|member| member.handle == handle).map(|at| places[at]);
    let name = format!(
        "{} and {} between them. The table has the same.",
        format::plural(team.members.len() as i64, "agent"),
        format::plural(team.messages, "message")
    );
    let cut = (members.len() < team.members.len()).then(|| {
        view! { <p class="small dim">{format!("Drawn are {} of {}; the table has all.", members.len(), team.members.len())}</p> }
    });
    // Whom one may write to, where nothing was written yet.
    let wrote = |from: &str, to: &str| team.edges.iter().any(|edge| edge.from == from && edge.to == to);
    let open =
        members.iter().flat_map(|member| member.reaches.iter().map(move |to| (member.handle.as_str(), to.as_str())));
    let ways = open
        .filter(|(from, to)| !wrote(from, to))
        .filter_map(|(from, to)| Some(line(place(from)?, place(to)?).path))
        .map(|path| view! { <path class="way" d=path /> })
        .collect_view();
    let most = team.edges.iter().map(|edge| edge.count).max().unwrap_or(1).max(1);
    let edges = team
        .edges
        .iter()
        .filter_map(|edge| Some((line(place(&edge.from)?, place(&edge.to)?), edge)))
        .map(|(Line { path, label: (x, y) }, edge)| {
            let width = format!("{:.1}", 1.5 + 2.5 * edge.count as f64 / most as f64);
            view! {
                <g class="talk">
                    <path d=path stroke-width=width marker-end="url(#team-arrow)" />
                    <text x=format!("{x:.1}") y=format!("{:.1}", y + 4.0)>{edge.count.to_string()}</text>
                </g>
            }
        })
        .collect_view();
    let nodes = members
        .iter()
        .zip(&places)
        .map(|(member, (x, y))| {
            let leads = (member.handle == team.team.supervisor).then_some("");
            let waits = member.run_id.is_none().then_some("");
            let text = short(&member.handle);
            let half = 12.0 + 4.2 * text.chars().count() as f64;
            view! {
                <g class="agent" data-leads=leads data-absent=waits>
                    <rect
                        x=format!("{:.1}", x - half) y=format!("{:.1}", y - HALF) rx="6"
                        width=format!("{:.1}", 2.0 * half) height=format!("{:.1}", 2.0 * HALF)
                    />
                    <text x=format!("{x:.1}") y=format!("{:.1}", y + 4.5)>{text}</text>
                </g>
            }
        })
        .collect_view();
    view! {
        <svg class="team-graph" role="img" aria-label=name viewBox=format!("0 0 {WIDTH} {HEIGHT}")>
            <defs>
                <marker id="team-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="11" markerHeight="11" orient="auto">
                    <path d="M0 0L8 4L0 8z" />
                </marker>
            </defs>
            {ways}
            {edges}
            {nodes}
        </svg>
        {cut}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;
    use crate::model::agent::Team;

    fn team(count: usize, edges: &[(usize, usize, i64)]) -> TeamView {
        let member = |at: usize| TeamMember {
            handle: format!("a{at}"),
            agent: format!("a{at}"),
            run_id: None,
            step: None,
            reaches: Vec::new(),
            waiting: 0,
        };
        let edge = |(from, to, count): &(usize, usize, i64)| TeamEdge {
            from: format!("a{from}"),
            to: format!("a{to}"),
            count: *count,
        };
        TeamView {
            root: RunId(uuid::Uuid::nil()),
            team: Team::default(),
            members: (0..count).map(member).collect(),
            edges: edges.iter().map(edge).collect(),
            messages: 0,
        }
    }

    #[test]
    fn everybody_stands_inside_of_the_drawing_and_nobody_on_another() {
        for count in 1..=MOST {
            let places = places(count);
            assert_eq!(places.len(), count);
            for (at, (x, y)) in places.iter().enumerate() {
                assert!((0.0..=WIDTH).contains(x) && (HALF..=HEIGHT - HALF).contains(y), "{count} {at}");
                let apart = |other: &(f64, f64)| (x - other.0).hypot(y - other.1) > HALF;
                assert!(places[..at].iter().all(apart), "{count} {at}");
            }
        }
    }

    #[test]
    fn there_and_back_are_two_lines() {
        let (there, back) = (line((0.0, 0.0), (200.0, 0.0)), line((200.0, 0.0), (0.0, 0.0)));
        assert_ne!(there.path, back.path);
        assert!(there.label.1 > 0.0 && back.label.1 < 0.0, "{there:?} {back:?}");
    }

    #[test]
    fn of_many_those_are_drawn_that_talk_most() {
        assert_eq!(drawn(&team(3, &[])).len(), 3);
        let many = drawn(&team(30, &[(29, 28, 5), (27, 29, 1)]));
        let names: Vec<&str> = many.iter().map(|member| member.handle.as_str()).collect();
        assert_eq!(names.len(), MOST);
        assert_eq!((names[0], &names[MOST - 3..]), ("a0", ["a27", "a28", "a29"].as_slice()));
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(short("coder"), "coder");
        assert_eq!(short(&"x".repeat(60)).chars().count(), NAME);
    }
}
