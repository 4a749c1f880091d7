//! Random workflows that the checker accepts: containers in containers, every join, every way to fail and to wait.

use serde_json::{Map, Value, json};

use super::rng::{self, Rng};
use crate::model::workflow::{Body, Definition, Edge, Join, OnError, Position, Retry, Step};

/// The workflows of a seed. The first is the one that people start; each may run those behind it.
pub const WORKFLOWS: usize = 3;
/// The keys under which events are sent.
pub const KEYS: [&str; 2] = ["paid", "shipped"];
/// Containers inside of each other at most.
const DEPTH: usize = 4;

/// From this seed on some steps are agents. The seeds below are as they were before there were any.
pub const AGENTS: u64 = 1 << 40;

/// Makes agents of some of the steps of a workflow.
pub fn add_agents(seed: u64, number: usize, steps: &mut [Step]) {
    for step in steps {
        if let Some(body) = &mut step.body {
            add_agents(seed, number, &mut body.steps);
        }
        let chance = rng::hash(seed, &format!("agent {number}/{}", step.id));
        if step.kind == "http" && step.pinned.is_none() && chance.is_multiple_of(3) {
            // Whom it may ask stands in its task.
            let callee = if number + 1 < WORKFLOWS { name(number + 1) } else { String::new() };
            let Value::Object(config) = json!({"agent": "a", "prompt": callee}) else { unreachable!("it is one") };
            (step.kind, step.config) = ("agent".to_owned(), config);
        }
    }
}

/// The name of a workflow.
pub fn name(number: usize) -> String {
    format!("w{number}")
}

/// One workflow of those of a seed.
pub fn workflow(rng: &Rng, number: usize) -> Definition {
    let budget = if number == 0 { 14 } else { 4 };
    let mut making = Making { rng, number, budget, made: 0 };
    let (steps, edges) = making.level(0, if number == 0 { 6 } else { 3 });
    let output = match rng.below(6) {
        0 => json!("{{ inputs.n }}"),
        1 => json!({"first": format!("{{{{ steps.{}.output }}}}", steps[0].id)}),
        _ => Value::Null,
    };
    let inputs = json!({"type": "object", "properties": {"n": {"type": "integer"}, "missing": {"type": "integer"}}});
    Definition { inputs, steps, edges, output, ..Definition::empty(&name(number)) }
}

struct Making<'a> {
    rng: &'a Rng,
    number: usize,
    /// Steps that may still be made.
    budget: usize,
    made: usize,
}

impl Making<'_> {
    fn level(&mut self, depth: usize, most: usize) -> (Vec<Step>, Vec<Edge>) {
        let count = 1 + self.rng.below(most);
        let mut steps: Vec<Step> = Vec::new();
        for _ in 0..count {
            if self.budget == 0 && !steps.is_empty() {
                break;
            }
            steps.push(self.step(depth));
        }
        let edges = self.edges(&steps);
        for step in &mut steps {
            let inbound = edges.iter().filter(|edge| edge.to == step.id).count();
            if inbound > 1 {
                step.join = match self.rng.below(5) {
                    0 | 1 => Join::Any,
                    2 => Join::Count(2),
                    _ => Join::All,
                };
                step.cancel_others = step.join != Join::All && self.rng.chance(60);
            }
        }
        (steps, edges)
    }

    /// Edges from earlier to later steps: most steps follow one, some several.
    fn edges(&self, steps: &[Step]) -> Vec<Edge> {
        let mut edges: Vec<Edge> = Vec::new();
        for to in 1..steps.len() {
            let wanted = [0, 1, 1, 1, 1, 2, 2, 3][self.rng.below(8)];
            for _ in 0..wanted {
                let from = &steps[self.rng.below(to)];
                let port = self.rng.pick(&ports(from)).clone();
                let when = match self.rng.below(12) {
                    0 => Some("inputs.n > 1".to_owned()),
                    1 => Some("inputs.n > 100".to_owned()),
                    _ => None,
                };
                let edge = Edge { from: from.id.clone(), port, to: steps[to].id.clone(), when };
                if !edges
                    .iter()
                    .any(|other| (&other.from, &other.port, &other.to) == (&edge.from, &edge.port, &edge.to))
                {
                    edges.push(edge);
                }
            }
        }
        edges
    }

    fn step(&mut self, depth: usize) -> Step {
        self.budget = self.budget.saturating_sub(1);
        self.made += 1;
        let id = format!("s{}", self.made);
        let rng = self.rng;
        let may_nest = depth < DEPTH && self.budget > 0;
        let may_call = self.number + 1 < WORKFLOWS;
        let kind = match rng.below(100) {
            0..36 => "http",
            36..44 => "transform",
            44..50 => "condition",
            50..53 => "switch",
            53..61 => "wait",
            61..67 => "approval",
            67..73 => "event",
            73..82 if may_call => "workflow",
            82..88 if may_nest => "map",
            88..93 if may_nest => "repeat",
            93..100 if may_nest => "group",
            _ => "http",
        };
        let body = matches!(kind, "map" | "repeat" | "group").then(|| {
            let (steps, edges) = self.level(depth + 1, 3);
            Body { steps, edges, output: Value::Null, unfolded: false }
        });
        let Value::Object(config) = self.config(kind) else { unreachable!("configs are objects") };
        let pure = matches!(kind, "condition" | "switch" | "transform");
        let on_error = match rng.below(20) {
            _ if matches!(kind, "wait" | "condition" | "switch") => OnError::Fail,
            0..9 => OnError::Fail,
            9..13 => OnError::Continue,
            13..17 if !matches!(kind, "approval" | "event") => OnError::Port,
            17..20 => OnError::Pause,
            _ => OnError::Fail,
        };
        let timeout = body.is_some() || kind == "workflow";
        let pinned = (kind == "http" && rng.chance(4)).then(|| json!({"v": 0}));
        Step {
            id,
            kind: kind.to_owned(),
            name: String::new(),
            config,
            retry: (!pure && kind != "wait" && rng.chance(40)).then(|| self.retry()),
            timeout_ms: (timeout && rng.chance(25)).then(|| 40 + rng.below(400) as u64),
            on_error,
            default: if on_error == OnError::Continue { json!({"v": -1}) } else { Value::Null },
            join: Join::All,
            cancel_others: false,
            concurrency: None,
            slots: None,
            disabled: rng.chance(4),
            body,
            compensate: None,
            pinned,
            pinned_port: None,
            position: Position::default(),
        }
    }

    fn retry(&self) -> Retry {
        let max_attempts = 2 + self.rng.below(2) as u32;
        Retry {
            max_attempts,
            initial_ms: 10,
            factor: 2.0,
            max_ms: 100,
            jitter: self.rng.chance(50),
            anew: max_attempts == 3,
            only: Vec::new(),
            never: if self.rng.chance(20) { vec!["refused".to_owned()] } else { Vec::new() },
        }
    }

    fn config(&self, kind: &str) -> Value {
        let rng = self.rng;
        match kind {
            "http" => json!({"url": "http://x"}),
            "transform" if rng.chance(12) => json!({"value": "{{ inputs.missing }}"}),
            "transform" => json!({"value": 1}),
            "condition" => json!({"when": *rng.pick(&["inputs.n > 1", "inputs.n > 100"])}),
            "switch" => {
                json!({"cases": [{"port": "one", "when": "inputs.n == 1"}, {"port": "two", "when": "inputs.n == 2"}]})
            }
            "wait" => json!({"ms": *rng.pick(&[20, 50, 3_000, 60_000])}),
            "approval" => json!({"title": "Go on?", "required": 1 + rng.below(2), "deadline_ms": self.deadline()}),
            "event" => {
                let fields = if rng.chance(30) { json!({"n": 1}) } else { Value::Null };
                json!({"key": *rng.pick(&KEYS), "match": fields, "deadline_ms": self.deadline()})
            }
            "workflow" => {
                let callee = self.number + 1 + rng.below(WORKFLOWS - self.number - 1);
                json!({"workflow": name(callee), "inputs": {"n": 2}, "detached": rng.chance(15)})
            }
            "map" => {
                let items: Vec<usize> = (0..rng.below(4)).collect();
                let mut config = Map::new();
                config.insert("items".into(), json!(items));
                config.insert("concurrency".into(), json!(1 + rng.below(3)));
                if rng.chance(15) {
                    config.insert("enough".into(), json!(1 + rng.below(2)));
                }
                match rng.below(4) {
                    0 => drop(config.insert("on_item_error".into(), json!("collect"))),
                    1 => {
                        config.insert("on_item_error".into(), json!("tolerate"));
                        config.insert("tolerate_percent".into(), json!(50));
                    }
                    _ => {}
                }
                Value::Object(config)
            }
            "repeat" if rng.chance(50) => json!({"until": "iteration >= 2", "max_iterations": 3}),
            "repeat" => json!({"while": "iteration <= 2", "max_iterations": 1 + rng.below(3)}),
            _ => json!({}),
        }
    }

    fn deadline(&self) -> Value {
        if self.rng.chance(35) { json!(100 + self.rng.below(30_000)) } else { Value::Null }
    }
}

/// The ports that a step can be left by.
fn ports(step: &Step) -> Vec<String> {
    let mut ports: Vec<&str> = match step.kind.as_str() {
        "condition" => vec!["true", "false"],
        "switch" => vec!["one", "two", "default"],
        "approval" => vec!["approved", "approved", "rejected", "expired"],
        "event" => vec!["out", "out", "expired"],
        "repeat" => vec!["out", "out", "exhausted"],
        _ => vec!["out", "out", "out"],
    };
    if step.on_error == OnError::Port {
        ports.push("error");
    }
    ports.into_iter().map(str::to_owned).collect()
}
