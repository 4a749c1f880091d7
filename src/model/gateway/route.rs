//! Routes: which models are asked, in which order; and why it was this one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::context::{ContextRule, ContextUse};
use super::fault::FaultClass;
use super::flag::FlagTold;
use super::policy::Policy;
use super::task::Level;
use crate::model::cache::CacheMode;
use crate::model::{ProviderId, RouteId, Timestamp};

/// A model of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Whose.
    pub provider_id: ProviderId,
    /// Which.
    pub model: String,
    /// Its chance where the route draws by weight, 0..=1000; 0 switches it off in every route.
    #[serde(default = "one")]
    pub weight: u32,
    /// The hardest task that it takes, where the route goes by the task.
    #[serde(default)]
    pub takes: Level,
    /// The flag that it stands behind: it is asked only for the calls that the flag takes. Absent: for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
}

const fn one() -> u32 {
    1
}

impl Target {
    /// A model that takes everything.
    pub fn new(provider_id: ProviderId, model: impl Into<String>) -> Self {
        Self { provider_id, model: model.into(), weight: 1, takes: Level::default(), flag: None }
    }
}

/// A route to add or to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteDraft {
    /// 1..=60 letters, digits, `-`, `_` and `.`; callers send it as the model. `default` is taken where nobody names one.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Who is asked, in this order; 1..=10.
    pub targets: Vec<Target>,
    /// What may change that order.
    #[serde(default)]
    pub policy: Policy,
    /// Which of its answers are kept, where the caller and its key do not say.
    #[serde(default)]
    pub cache: CacheMode,
    /// How long a conversation may get, and what is done once it is longer. Absent: as long as a model is known to hold.
    #[serde(default)]
    pub context: Option<ContextRule>,
}

/// An ordered choice of models under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who is asked, in this order.
    pub targets: Vec<Target>,
    /// What may change that order.
    pub policy: Policy,
    /// Which of its answers are kept.
    pub cache: CacheMode,
    /// How long a conversation may get, and what is done once it is longer.
    #[serde(default)]
    pub context: Option<ContextRule>,
    /// The value for `If-Match`.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// What became of one of those that could have answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Verdict {
    /// It answers.
    Answers,
    /// It was not asked, because its answer was kept.
    Kept,
    /// It was not asked, because its answer to a question that means the same was kept.
    Alike {
        /// How like that is, and how sure that the answer is the same.
        why: String,
    },
    /// It was not asked, because it lacks what the call needs.
    Lacks {
        /// What, in words.
        what: String,
    },
    /// It was not asked, because it rests after failures.
    Rests {
        /// Until it is tried again.
        for_ms: u64,
    },
    /// It was not asked, because there was no room for the call: too many are underway or wait.
    NoRoom {
        /// In words.
        why: String,
    },
    /// It was dropped, because the other that was asked as well began to answer first.
    Dropped,
    /// It was asked and did not answer.
    Failed {
        /// Why.
        class: FaultClass,
        /// In words.
        message: String,
    },
}

/// One of those that could have answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tried {
    /// The provider's name.
    pub provider: String,
    /// The model.
    pub model: String,
    /// How often it was asked.
    pub attempts: u32,
    /// Milliseconds that the call waited for room at its provider.
    #[serde(default)]
    pub waited_ms: u64,
    /// What became of it.
    pub verdict: Verdict,
}

/// That a second model was asked, because the first had not begun to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hedged {
    /// Milliseconds after which it was.
    pub after_ms: u32,
    /// Who had not begun, as `provider/model`.
    pub slow: String,
    /// Who was asked as well.
    pub also: String,
}

/// Why it was this model: what was asked for, how that was read, and what became of each that could have answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Choice {
    /// What was asked for; empty for the workspace's default.
    pub asked: String,
    /// How it was read, such as "the route smart" or "a model of acme".
    pub rule: String,
    /// What the flags of the route said; absent where none of its models stands behind one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FlagTold>,
    /// In the order in which they were looked at.
    pub tried: Vec<Tried>,
    /// What budgets had to say, such as "Team: 83 % of $10.00".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<String>,
    /// That two were asked at once; absent when they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hedged: Option<Hedged>,
    /// What was left out of the conversation, so that it fits; absent for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextUse>,
    /// What was left out or said in another way, because who answers speaks another dialect than who asks; absent for nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// What the answer lost, or had said in another way, on its way back, because who asked speaks another dialect than who answered;
    /// absent for nothing. Known once the answer has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
}

impl Tried {
    /// As callers name it: `provider/model`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }

    /// What became of it, in words; `None` where that is said of the other.
    fn words(&self) -> Option<String> {
        let name = self.name();
        Some(match &self.verdict {
            Verdict::Answers if self.attempts > 1 => format!("{name} answered at attempt {}", self.attempts),
            Verdict::Answers => format!("{name} answered"),
            Verdict::Kept => format!("an answer of {name} was kept"),
            Verdict::Alike { why } => {
                format!("an answer of {name} to a question that means the same was kept ({why})")
            }
            Verdict::Lacks { what } => format!("{name} {what}"),
            Verdict::Rests { for_ms } => format!("{name} rests for {} s more", for_ms.div_ceil(1000)),
            Verdict::NoRoom { why } => format!("{name} has no room: {why}"),
            Verdict::Dropped => return None,
            Verdict::Failed { class, .. } => format!("{name} failed ({})", class.as_str()),
        })
    }
}

impl Choice {
    /// In one sentence.
    pub fn why(&self) -> String {
        let mut parts = vec![self.rule.clone()];
        parts.extend(self.flags.iter().map(FlagTold::words));
        let mut hedged = self.hedged.as_ref();
        let is_dropped = self.tried.iter().any(|tried| tried.verdict == Verdict::Dropped);
        for tried in &self.tried {
            if tried.waited_ms > 0 {
                parts.push(format!("waited {} for room at {}", seconds(tried.waited_ms), tried.provider));
            }
            let name = tried.name();
            if let Some(Hedged { after_ms, slow, also }) = hedged.take_if(|one| one.slow == name || one.also == name) {
                parts.push(format!("{slow} had not begun after {after_ms} ms, {also} was asked too"));
            }
            match &tried.verdict {
                Verdict::Answers if is_dropped => {
                    let is_also = self.hedged.as_ref().is_some_and(|hedged| hedged.also == name);
                    match parts.last_mut() {
                        Some(last) if is_also && last.ends_with("was asked too") => {
                            last.push_str(" and answered first");
                        }
                        _ => parts.push(format!("{name} answered first")),
                    }
                }
                _ => parts.extend(tried.words()),
            }
        }
        parts.extend(self.context.as_ref().map(ContextUse::words));
        parts.join("; ")
    }
}

/// Milliseconds as seconds, with a tenth.
fn seconds(ms: u64) -> String {
    let tenths = ms.div_ceil(100);
    format!("{}.{} s", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(provider: &str, attempts: u32, waited_ms: u64, verdict: Verdict) -> Tried {
        Tried { provider: provider.into(), model: "m".into(), attempts, waited_ms, verdict }
    }

    fn why(hedged: bool, tried: Vec<Tried>) -> String {
        let hedged = hedged.then(|| Hedged { after_ms: 800, slow: "claude/m".into(), also: "acme/m".into() });
        Choice { rule: "the route smart".into(), tried, hedged, ..Choice::default() }.why()
    }

    #[test]
    fn what_was_waited_for_is_said() {
        assert_eq!(
            why(false, vec![tried("acme", 1, 1_150, Verdict::Answers)]),
            "the route smart; waited 1.2 s for room at acme; acme/m answered"
        );
        let full = Verdict::NoRoom { why: "100 calls wait already".into() };
        assert_eq!(
            why(false, vec![tried("acme", 0, 0, full), tried("zeta", 2, 0, Verdict::Answers)]),
            "the route smart; acme/m has no room: 100 calls wait already; zeta/m answered at attempt 2"
        );
    }

    #[test]
    fn who_was_asked_as_well_is_said_once_whoever_answered() {
        let failed = || Verdict::Failed { class: FaultClass::Upstream, message: "no".into() };
        let begin = "the route smart; claude/m had not begun after 800 ms, acme/m was asked too";
        for (one, other, end) in [
            (Verdict::Dropped, Verdict::Answers, " and answered first"),
            (Verdict::Answers, Verdict::Dropped, "; claude/m answered first"),
            (failed(), Verdict::Answers, "; claude/m failed (upstream); acme/m answered"),
            (failed(), failed(), "; claude/m failed (upstream); acme/m failed (upstream)"),
        ] {
            let why = why(true, vec![tried("claude", 1, 0, one), tried("acme", 1, 0, other)]);
            assert_eq!(why, format!("{begin}{end}"));
        }
    }
}
