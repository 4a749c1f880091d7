//! The model of attempts: what they do to the world outside, the sub-runs that they begin, and how their owners hear of it.

use serde_json::json;

use super::faults::Commit;
use super::process::{Attempt, Message, RETRY_MS};
use super::rng;
use super::world::Sim;
use crate::model::RunId;
use crate::model::workflow::{Await, StepError};
use crate::workflow::steps::{Outcome, sub_run_key};
use crate::workflow::store::unwanted::Told;
use crate::workflow::store::{Parent, Verdict};

impl Sim {
    pub fn begin_attempt(&mut self, p: usize, mut attempt: Attempt) {
        self.attempts_begun += 1;
        attempt.id = self.attempts_begun;
        self.processes[p].attempts.push(attempt);
    }

    /// An attempt gets on: its effect is applied, and the next time its owner hears of it.
    pub fn work(&mut self, p: usize, at: usize) {
        let working = &mut self.processes[p].attempts[at];
        if let Some(result) = working.result.take() {
            let Attempt { run, step, attempt, began, .. } = &*working;
            let (run, step, attempt, began) = (*run, step.clone(), *attempt, *began);
            if let Some(owner) = self.processes[p].owners.get_mut(&run) {
                owner.inbox.push(Message::Done { step, attempt, began, result });
            }
            self.processes[p].attempts.remove(at);
            return;
        }
        if working.is_cancelled && self.ambient.rng.chance(50) {
            self.processes[p].attempts.remove(at);
            return;
        }
        let attempt = &self.processes[p].attempts[at];
        if attempt.kind == "workflow" {
            return self.start_child(p, at);
        }
        if attempt.kind == "agent" {
            return self.do_piece(p, at);
        }
        if attempt.kind == "page" {
            return self.bring_page(p, at);
        }
        let answer = self.apply_effect(&attempt.key.clone());
        self.processes[p].attempts[at].result = Some(answer);
    }

    /// `engine::unwanted`: tells the sub-runs that are there.
    pub fn look_at_unwanted(&mut self, p: usize) {
        let now = self.ambient.now();
        let keys: Vec<String> = self.tables.unwanted.keys().cloned().collect();
        for key in keys {
            let outcome = self.commit();
            if outcome == Commit::Lost {
                break;
            }
            let told = self.tables.tell_unwanted(&key, self.ambient.fresh_id(), now);
            if outcome != Commit::Done {
                break;
            }
            if let Told::Run(run) = told {
                self.poke(p, run);
            }
        }
        self.processes[p].looks_at = now.plus_ms(RETRY_MS);
    }

    /// The world outside, which knows idempotency keys: what came of the first request under a key is the answer to all.
    fn apply_effect(&mut self, key: &str) -> Result<Outcome, StepError> {
        let (seed, mends) = (self.seed, !self.faults.are_on);
        let answer = self.applied.entry(key.to_owned()).or_insert_with(|| match rng::hash(seed, key) % 100 {
            _ if mends => Ok(json!({"v": 1})),
            0..62 => Ok(json!({"v": rng::hash(seed, key) % 7})),
            62..80 => Err(StepError::transient("unavailable", "try again")),
            80..90 => Err(StepError::permanent("refused", "no")),
            _ => Err(StepError::transient("timeout", "did not end in time")),
        });
        answer.clone().map(Outcome::out)
    }

    /// `steps::agent`: the next piece, which what stands in the journal decides.
    fn do_piece(&mut self, p: usize, at: usize) {
        let Attempt { run, step, key, config, entries, .. } = &self.processes[p].attempts[at];
        let chance = rng::hash(self.seed, &format!("{run}/{step}/{entries}")) % 12;
        let answer = match chance {
            _ if *entries >= 4 => Ok(Outcome::out(json!({"v": entries}))),
            0..5 => Ok(Outcome::Advanced { entry: json!({"n": entries}) }),
            5..7 => {
                let mut id = [0; 16];
                id.copy_from_slice(&blake3::hash(format!("{key}#{entries}").as_bytes()).as_bytes()[..16]);
                let question = json!({"title": "May it?", "required": 1, "decisions": ["approved", "rejected"]});
                let question = serde_json::from_value(question).expect("it is one");
                let on =
                    Some(Await::Approval { id: uuid::Builder::from_custom_bytes(id).into_uuid().into(), question });
                Ok(Outcome::Waiting { reason: "waits for people".to_owned(), until: None, on })
            }
            7..9 if config["prompt"] != json!("") => return self.start_child(p, at),
            9 if self.faults.are_on => Err(StepError::transient("unavailable", "no model answers")),
            _ => Ok(Outcome::out(json!({"v": entries}))),
        };
        self.processes[p].attempts[at].result = Some(answer);
    }

    /// `steps::workflow`: the sub-run of this attempt's key, begun if there is none.
    fn start_child(&mut self, p: usize, at: usize) {
        let Attempt { id, run, step, attempt, key, config, entries, .. } = &self.processes[p].attempts[at];
        let key = sub_run_key(key, *entries);
        let waits = config["detached"] != json!(true);
        if let Some(child) = self.tables.find_by_key(&key) {
            self.processes[p].attempts[at].result = Some(Ok(started(child, waits)));
            return;
        }
        let name = config["workflow"].as_str().or(config["prompt"].as_str()).unwrap_or_default();
        let workflow = (0..self.graphs.len()).find(|&n| super::generate::name(n) == name).expect("it was generated");
        let parent = Parent { run: *run, step: step.clone(), attempt: *attempt, waits };
        let inputs = Some(&config["inputs"]).filter(|inputs| inputs.is_object()).cloned();
        let (inputs, id) = (inputs.unwrap_or_else(|| json!({"n": 2})), *id);
        self.processes[p].attempts[at].is_parked = true;
        self.begin(p, workflow, inputs, Some((parent, key, id)));
    }

    /// The begin of a sub-run was answered.
    pub fn child_begun(&mut self, p: usize, starter: u64, child: RunId, outcome: Option<Verdict>) {
        let Some(attempt) = self.processes[p].attempts.iter_mut().find(|attempt| attempt.id == starter) else { return };
        let waits = attempt.config["detached"] != json!(true);
        attempt.is_parked = false;
        attempt.result = match outcome {
            Some(Verdict::Stored) => Some(Ok(started(child, waits))),
            // It is looked for under its key.
            Some(_) => None,
            None => Some(Err(StepError::transient("unavailable", "the database did not answer in time"))),
        };
    }
}

/// What an attempt that has started a sub-run says.
fn started(child: RunId, waits: bool) -> Outcome {
    if waits {
        Outcome::Waiting { reason: "waits for the run".to_owned(), until: None, on: Some(Await::Run { run: child }) }
    } else {
        Outcome::out(json!({ "run_id": child }))
    }
}
