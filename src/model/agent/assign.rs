//! Which agent a task was given, and why that one: the weights, and what each agent that might have it came to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{AgentId, FieldError};

/// How much each part of an agent's score counts: 0 to 1 each, and 1 together.
///
/// Source of the defaults: the requirement of the product. They put who can have it done soon before who knows most, and both
/// before habit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Of [`Parts::availability`].
    pub availability: f64,
    /// Of [`Parts::expertise`].
    pub expertise: f64,
    /// Of [`Parts::workload`].
    pub workload: f64,
    /// Of [`Parts::success`].
    pub success: f64,
    /// Of [`Parts::affinity`].
    pub affinity: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { availability: 0.30, expertise: 0.25, workload: 0.20, success: 0.15, affinity: 0.10 }
    }
}

impl Weights {
    /// How far the sum may be from 1: what people write has two or three places.
    const SLACK: f64 = 1e-6;

    /// Each with its name, in the order of the fields.
    pub const fn named(&self) -> [(&'static str, f64); 5] {
        [
            ("availability", self.availability),
            ("expertise", self.expertise),
            ("workload", self.workload),
            ("success", self.success),
            ("affinity", self.affinity),
        ]
    }

    /// Checks that each is 0 to 1 and that they come to 1.
    ///
    /// # Errors
    /// A field for each that does not fit; the pointer `""` for the sum.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let is_out = |weight: &f64| !(0.0..=1.0).contains(weight);
        let mut found: Vec<FieldError> = self
            .named()
            .into_iter()
            .filter(|(_, weight)| is_out(weight))
            .map(|(name, weight)| FieldError::new(format!("/{name}"), format!("expected 0 to 1, found {weight}")))
            .collect();
        let sum: f64 = self.named().into_iter().map(|(_, weight)| weight).sum();
        if found.is_empty() && (sum - 1.0).abs() > Self::SLACK {
            found.push(FieldError::new("", format!("expected weights that come to 1, found {sum:.3}")));
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    /// The score that parts come to, 0 to 1.
    pub fn score(&self, parts: &Parts) -> f64 {
        self.named()
            .into_iter()
            .zip(parts.named())
            .map(|((_, weight), (_, part))| weight * part)
            .sum::<f64>()
            .clamp(0.0, 1.0)
    }
}

/// What an agent's score is made of. Each is 0 to 1, and more is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Parts {
    /// How soon it could have the task done, beside the soonest of the agents: 1 for the soonest, and half for each time that
    /// such a task usually takes that it would be later.
    pub availability: f64,
    /// The share of the words that the task asks for which are among its expertise; 1 where the task asks for none.
    pub expertise: f64,
    /// How little it has to do, beside the one that has least: 1 for that one, a half with one task more for each of its places,
    /// a third with two.
    pub workload: f64,
    /// The share of its tasks that it got done, as if it had begun with 3 done of 4: what is new is neither good nor bad.
    pub success: f64,
    /// How much it has to do with the task already: it did what the task comes after, or last worked at the same topic or in the
    /// same repository. 0 where nothing of it is so.
    pub affinity: f64,
}

impl Parts {
    /// Each with its name, in the order of the fields.
    pub const fn named(&self) -> [(&'static str, f64); 5] {
        [
            ("availability", self.availability),
            ("expertise", self.expertise),
            ("workload", self.workload),
            ("success", self.success),
            ("affinity", self.affinity),
        ]
    }
}

/// What one agent came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scored {
    /// Which.
    pub agent: AgentId,
    /// Its name then.
    pub name: String,
    /// 0 to 1.
    pub score: f64,
    /// What it is made of.
    pub parts: Parts,
    /// Milliseconds until a place of it would be free; 0 for one that is.
    pub wait_ms: i64,
    /// Milliseconds that it would take, by what it took for such tasks; absent where nothing is known of it.
    pub takes_ms: Option<i64>,
    /// The parts in words.
    pub why: String,
}

/// Why an agent could not have a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeptOut {
    /// Somebody stopped it.
    Stopped,
    /// It had the task already.
    Tried,
    /// Its persona has variables that a task of the queue does not say.
    Variables,
}

impl KeptOut {
    /// As the end of "scout".
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Stopped => "is stopped",
            Self::Tried => "had it already",
            Self::Variables => "has to be told variables",
        }
    }
}

/// An agent that could not have a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// Which.
    pub agent: AgentId,
    /// Its name then.
    pub name: String,
    /// Why.
    pub because: KeptOut,
}

/// Which agent a task was given, and why that one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Assignment {
    /// Which.
    pub agent: AgentId,
    /// Its name then.
    pub name: String,
    /// Why that one, in a sentence or two.
    pub why: String,
    /// What the parts counted.
    pub weights: Weights,
    /// Every agent that could have it, the best first.
    pub candidates: Vec<Scored>,
    /// Those that could not.
    pub left_out: Vec<LeftOut>,
}

impl Assignment {
    /// Who would have had the task under other weights, and with which score, by what was known then. Equal scores stay in the
    /// order in which they were. `None` where nobody could have had it.
    pub fn under(&self, weights: &Weights) -> Option<(&Scored, f64)> {
        // Below what rounding can turn around, scores are equal.
        let rank = |score: f64| (score * 1e9).round() as i64;
        let mut best: Option<(&Scored, f64)> = None;
        for one in &self.candidates {
            let score = weights.score(&one.parts);
            if best.is_none_or(|(_, most)| rank(score) > rank(most)) {
                best = Some((one, score));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(name: &str, parts: Parts) -> Scored {
        let (agent, why) = (AgentId(uuid::Uuid::nil()), String::new());
        let score = Weights::default().score(&parts);
        Scored { agent, name: name.to_owned(), score, parts, wait_ms: 0, takes_ms: None, why }
    }

    #[test]
    fn under_other_weights_somebody_else_has_a_task_and_equals_stay_in_order() {
        let nothing = Parts { availability: 0.0, expertise: 0.0, workload: 0.0, success: 0.0, affinity: 0.0 };
        let assignment = Assignment {
            agent: AgentId(uuid::Uuid::nil()),
            name: "soon".to_owned(),
            why: String::new(),
            weights: Weights::default(),
            candidates: vec![
                scored("soon", Parts { availability: 1.0, ..nothing }),
                scored("knows", Parts { expertise: 1.0, affinity: 0.5, ..nothing }),
                scored("knows too", Parts { expertise: 1.0, affinity: 0.5, ..nothing }),
            ],
            left_out: Vec::new(),
        };
        let none = Weights { availability: 0.0, expertise: 0.0, workload: 0.0, success: 0.0, affinity: 0.0 };
        let name = |weights: Weights| assignment.under(&weights).map(|(one, _)| one.name.as_str());
        assert_eq!(name(Weights { availability: 1.0, ..none }), Some("soon"));
        assert_eq!(name(Weights { expertise: 1.0, ..none }), Some("knows"));
        assert_eq!(name(Weights { success: 1.0, ..none }), Some("soon"), "all are equal, and it was the first");
        assert_eq!(Assignment { candidates: Vec::new(), ..assignment.clone() }.under(&none), None);
    }

    #[test]
    fn the_weights_that_hold_by_themselves_come_to_one() {
        assert_eq!(Weights::default().check(), Ok(()));
    }

    #[test]
    fn weights_that_do_not_come_to_one_are_refused() {
        let even = Weights { availability: 0.2, expertise: 0.2, workload: 0.2, success: 0.2, affinity: 0.2 };
        assert_eq!(even.check(), Ok(()));
        let pointers = |weights: Weights| {
            let found = weights.check().err().unwrap_or_default();
            found.into_iter().map(|field| field.pointer).collect::<Vec<_>>()
        };
        assert_eq!(pointers(Weights { affinity: 0.21, ..even }), [""]);
        assert_eq!(pointers(Weights { affinity: 0.199_999_9, ..even }), [""; 0], "rounding is no offence");
        assert_eq!(pointers(Weights { affinity: -0.2, success: 1.4, ..even }), ["/success", "/affinity"]);
        assert_eq!(pointers(Weights { workload: f64::NAN, ..even }), ["/workload"]);
    }
}
