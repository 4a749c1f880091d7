//! What the caller of a webhook gets.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the caller of a webhook gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields, try_from = "WrittenAnswer")]
pub enum Answer {
    /// 202 and the run's id, at once.
    #[default]
    Accept,
    /// What the run's `respond` step says, or its end; 202 when neither comes in time.
    Wait {
        /// 100..=60_000.
        #[schema(minimum = 100, maximum = 60000)]
        ms: u32,
    },
}

/// An [`Answer`] as it is written: read by hand, because a tag inside of a tag would take a number for a mode.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnswer {
    mode: AnswerMode,
    #[serde(default)]
    ms: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnswerMode {
    Accept,
    Wait,
}

impl TryFrom<WrittenAnswer> for Answer {
    type Error = &'static str;

    fn try_from(written: WrittenAnswer) -> Result<Self, Self::Error> {
        match (written.mode, written.ms) {
            (AnswerMode::Accept, None) => Ok(Self::Accept),
            (AnswerMode::Wait, Some(ms)) => Ok(Self::Wait { ms }),
            (AnswerMode::Accept, Some(_)) => Err("answer: ms is known with the mode wait only"),
            (AnswerMode::Wait, None) => Err("answer: the mode wait needs ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::super::Config;
    use super::*;

    #[test]
    fn an_answer_is_one_of_the_words_and_reads_back() {
        for answer in [Answer::Accept, Answer::Wait { ms: 500 }] {
            let config = Config::Webhook { answer, signed: false, rate_per_minute: 60, call_id: None };
            let written = serde_json::to_value(&config).expect("plain");
            assert_eq!(from_value::<Config>(written).expect("reads back"), config);
        }
        for wrong in
            [json!({"mode": 0}), json!({"mode": "wait"}), json!({"mode": "accept", "ms": 100}), json!("accept")]
        {
            let config = json!({"kind": "webhook", "answer": wrong, "signed": false, "rate_per_minute": 60});
            assert!(from_value::<Config>(config).is_err(), "{wrong}");
        }
    }
}
