//! How a route orders its models for a call.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::task::{Level, TaskRules};

/// By what a route orders its models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// As they are listed.
    #[default]
    Order,
    /// The first is drawn, each with a chance as its weight; the rest as listed. For a roll-out in percent.
    Weight,
    /// The one that this call is expected to cost least at; those without a price last.
    Cost,
    /// The one that began to answer soonest of late; those that were not asked lately first, to find out.
    Latency,
    /// The plainest model that takes a task as hard as this one.
    Task,
}

impl By {
    /// Every way, the plainest first.
    pub const ALL: [Self; 5] = [Self::Order, Self::Weight, Self::Cost, Self::Latency, Self::Task];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Weight => "weight",
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::Task => "task",
        }
    }

    /// Reads [`By::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == text)
    }

    /// As people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Order => "In this order",
            Self::Weight => "By weight, drawn for each call",
            Self::Cost => "The cheapest first",
            Self::Latency => "The fastest first",
            Self::Task => "By how hard the task is",
        }
    }
}

/// How a route orders its models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// By what.
    pub by: By,
    /// Whether the calls of a session stay with the model that answered its first: the session is `x-weft-session`, else
    /// what the caller's dialect has for it, else the run of a step.
    pub sticky: bool,
    /// How the hardness of a task is counted, for [`By::Task`].
    pub task: TaskRules,
    /// When the next model is asked as well; absent for never.
    pub hedge: Option<Hedge>,
}

/// When the next model is asked as well, because the one that was asked has not begun to answer. Whoever begins first is used, and
/// the other is dropped. At most one such call is made for a call, and one for ten calls, beyond the first ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hedge {
    /// Milliseconds after which it is, 100..=60000.
    pub after_ms: u32,
}

/// One that could answer, as far as the order is concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contender {
    /// Its chance in a draw; 0 is switched off.
    pub weight: u32,
    /// The hardest task that it takes.
    pub takes: Level,
    /// What the call is expected to cost, in millionths of a dollar.
    pub cost_micros: Option<i64>,
    /// Milliseconds until it began to answer, of late.
    pub latency_ms: Option<u32>,
}

/// The places of the contenders in the order in which they are asked. `level` is how hard the task is; `draw` a number
/// from 0 to below 1. Those that are switched off are left out.
pub fn order(policy: &Policy, contenders: &[Contender], level: Level, draw: f64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..contenders.len()).filter(|place| contenders[*place].weight > 0).collect();
    match policy.by {
        By::Order => {}
        By::Weight => {
            let total: f64 = places.iter().map(|place| f64::from(contenders[*place].weight)).sum();
            let mut left = draw.clamp(0.0, 1.0) * total;
            let drawn = places.iter().position(|place| {
                left -= f64::from(contenders[*place].weight);
                left < 0.0
            });
            if let Some(at) = drawn {
                let first = places.remove(at);
                places.insert(0, first);
            }
        }
        By::Cost => places.sort_by_key(|place| {
            let cost = contenders[*place].cost_micros;
            (cost.is_none(), cost)
        }),
        By::Latency => places.sort_by_key(|place| contenders[*place].latency_ms),
        By::Task => places.sort_by_key(|place| {
            let takes = contenders[*place].takes;
            // Those that are meant for less come last, the best of them first.
            (takes < level, if takes < level { Level::ALL.len() - takes as usize } else { takes as usize })
        }),
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Contender = Contender { weight: 1, takes: Level::Complex, cost_micros: None, latency_ms: None };

    fn by(by: By) -> Policy {
        Policy { by, ..Policy::default() }
    }

    #[test]
    fn without_a_rule_they_are_asked_as_listed_but_for_those_switched_off() {
        let contenders = [ANY, Contender { weight: 0, ..ANY }, ANY];
        assert_eq!(order(&by(By::Order), &contenders, Level::Simple, 0.0), [0, 2]);
    }

    #[test]
    fn a_draw_gives_each_its_share_and_keeps_the_rest_in_order() {
        let weighted = |weight| Contender { weight, ..ANY };
        let contenders = [weighted(90), weighted(0), weighted(10)];
        let firsts = |draw: f64| order(&by(By::Weight), &contenders, Level::Simple, draw);
        assert_eq!(firsts(0.0), [0, 2]);
        assert_eq!(firsts(0.899), [0, 2]);
        assert_eq!(firsts(0.9), [2, 0]);
        assert_eq!(firsts(0.999_999), [2, 0]);
        assert_eq!(firsts(1.0), [0, 2], "what can't be drawn changes nothing");
    }

    #[test]
    fn the_cheapest_comes_first_and_what_has_no_price_last() {
        let costs = |cost_micros| Contender { cost_micros, ..ANY };
        let contenders = [costs(None), costs(Some(30)), costs(Some(5))];
        assert_eq!(order(&by(By::Cost), &contenders, Level::Simple, 0.0), [2, 1, 0]);
    }

    #[test]
    fn the_fastest_comes_first_after_those_of_which_nothing_is_known() {
        let takes = |latency_ms| Contender { latency_ms, ..ANY };
        let contenders = [takes(Some(900)), takes(None), takes(Some(200))];
        assert_eq!(order(&by(By::Latency), &contenders, Level::Simple, 0.0), [1, 2, 0]);
    }

    #[test]
    fn a_task_goes_to_the_plainest_model_that_takes_it() {
        let takes = |takes| Contender { takes, ..ANY };
        let contenders = [takes(Level::Complex), takes(Level::Simple), takes(Level::Medium)];
        let of = |level| order(&by(By::Task), &contenders, level, 0.0);
        assert_eq!(of(Level::Simple), [1, 2, 0]);
        assert_eq!(of(Level::Medium), [2, 0, 1]);
        assert_eq!(of(Level::Complex), [0, 2, 1], "the next best answers where the best does not");
    }
}
