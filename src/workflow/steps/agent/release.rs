//! The answer between the model and whoever waits for it: hooks may look at it, edit it, send it back or have a person asked.
//!
//! As with calls, hooks are asked once, and what they said is an entry of the journal before the answer is given. What a person
//! lets through is just what they saw.

use serde_json::Value;

use super::answer::Answer;
use super::work::{Work, unreadable};
use crate::model::agent::hook::{self, judge_words};
use crate::model::agent::{HookOutcome, HookPoint, HookWords, Judgement};
use crate::model::workflow::StepError;

/// Times that an answer is sent back before the work ends without one.
pub const SENT_BACK: u32 = 3;

/// An answer that nobody has got yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Saying {
    /// As the model gave it, and later as hooks made it.
    pub answer: Answer,
    /// What the hooks said, once they were asked: then a person is to let it through.
    pub judgement: Option<Judgement>,
}

impl Work {
    /// The model answers: where hooks are about answers they are asked first.
    pub fn offer(&mut self, answer: Answer) {
        if self.spec.hooks.iter().any(|hook| hook.when == HookPoint::Answer) {
            self.saying = Some(Saying { answer, judgement: None });
        } else {
            self.end = Some(Ok(answer));
        }
    }

    /// What the hooks say of the answer that waits for them.
    pub fn judge_answer(&self) -> Option<Judgement> {
        let saying = self.saying.as_ref().filter(|saying| saying.judgement.is_none())?;
        let words = HookWords::Answer {
            agent: &self.name,
            text: &saying.answer.text,
            json: &saying.answer.json,
            task: &self.prompt,
            is_tainted: self.is_tainted,
        };
        Some(judge_words(&self.spec.hooks, &words).kept())
    }

    /// Takes in what hooks said of the answer.
    ///
    /// # Errors
    /// Class `journal` where there is none that waits for them.
    pub fn judged_answer(&mut self, judgement: &Judgement) -> Result<(), StepError> {
        let saying = self.saying.take().filter(|saying| saying.judgement.is_none());
        let saying = saying.ok_or_else(|| unreadable("hooks judge an answer that is not theirs to judge"))?;
        if let Some(denial) = judgement.denial() {
            self.send_back(&denial, &format!("the hook {:?} does not let it be given", judgement.by));
            return Ok(());
        }
        let answer = match &judgement.result {
            None => saying.answer,
            Some(text) => match self.fit(text) {
                Ok(answer) => answer,
                Err(reasons) => {
                    let message = format!("what hooks made of the answer does not fit the schema: {reasons}");
                    self.end = Some(Err(StepError::permanent("schema", message)));
                    return Ok(());
                }
            },
        };
        // Of a trial nothing goes anywhere, and nobody is asked.
        if judgement.outcome == HookOutcome::Asked && !self.is_trial {
            self.saying = Some(Saying { answer, judgement: Some(judgement.clone()) });
        } else {
            self.end = Some(Ok(answer));
        }
        Ok(())
    }

    /// Takes in what a person said of the answer; false where none waits for a person.
    pub fn released(&mut self, port: &str, output: &Value, error: Option<&StepError>) -> bool {
        let Some(saying) = self.saying.take_if(|saying| saying.judgement.is_some()) else { return false };
        match (error, port) {
            (Some(error), _) => {
                let message = format!("nobody could be asked whether the answer may be given: {}", error.message);
                self.end = Some(Err(StepError::permanent("hook", message)));
            }
            (None, "approved") => self.end = Some(Ok(saying.answer)),
            (None, "expired") => {
                let message = "nobody said in time whether the answer may be given";
                self.end = Some(Err(StepError::permanent("hook", message)));
            }
            (None, _) => {
                let comment = output.get("comment").and_then(Value::as_str).unwrap_or_default().trim();
                let said = if comment.is_empty() { String::new() } else { format!(" They said: {comment}") };
                let words =
                    format!("A person does not let this answer be given.{said} Answer again so that it can be.");
                self.send_back(&words, "a person does not let it be given");
            }
        }
        true
    }

    /// Tells the model why its answer was not given, a few times; then the work ends without one.
    fn send_back(&mut self, words: &str, why: &str) {
        self.sent_back += 1;
        if self.sent_back > SENT_BACK {
            let message = format!("after {} answers none could be given: {why}", self.sent_back);
            self.end = Some(Err(StepError::permanent("hook", message)));
        } else {
            super::talk::remark(&mut self.messages, words);
        }
    }

    /// Words as an answer of this work.
    ///
    /// # Errors
    /// Why they do not fit its schema.
    pub fn fit(&self, text: &str) -> Result<Answer, String> {
        let json =
            if self.schema.is_null() { Value::Null } else { super::super::prompt::fit_schema(text, &self.schema)? };
        Ok(Answer { text: text.to_owned(), json })
    }
}

/// What hooks say of a message of another; `None` where no hook is about messages.
pub fn judge_heard(work: &Work, number: i64, sender: &str, kind: &str, text: &str) -> Option<Judgement> {
    let hooks: &[hook::Hook] = &work.spec.hooks;
    if !hooks.iter().any(|hook| hook.when == HookPoint::Heard) {
        return None;
    }
    let is_tainted = work.is_tainted;
    let words = HookWords::Heard { agent: &work.name, number, sender, kind, text, is_tainted };
    Some(judge_words(hooks, &words).kept())
}
