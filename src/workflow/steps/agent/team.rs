//! What an agent writes to the others of its team, and what it hears of them.
//!
//! Sending and taking go under the place of the call in the journal: whatever happens to the server, the same call has sent one
//! message, and is given the same ones.

use serde_json::Value;

use super::outcome;
use super::release::judge_heard;
use super::work::{Call, Work};
use crate::agents::bus::{self, Joining, Letter, Said, Sender, Taken};
use crate::agents::{Error, Result};
use crate::db;
use crate::model::agent::{
    AgentTool, Entry, Judgement, MAX_BODY, MAX_PATIENCE_S, MessageKind, Processes, Seat, TalkPair, ToolResult, Topology,
};
use crate::model::memory::Trust;
use crate::model::workflow::StepError;
use crate::model::{AgentId, Timestamp};
use crate::workflow::steps::StepCall;
use crate::workflow::team;

/// Between two looks for a message that is waited for, in milliseconds.
const LOOK_MS: i64 = 500;
/// How often the database is asked for the same, in a row.
const TRIES: u32 = 3;

/// A seat for an agent that takes part; `None` for one that is no member of the team.
///
/// # Errors
/// Class `limit` where every seat is taken.
pub async fn join(call: &StepCall, agent: AgentId, name: &str) -> Result<Option<Seat>, StepError> {
    let unavailable = |error: String| StepError::transient("unavailable", error);
    let lineage = team::root(&call.ctx, call.run_id).await.map_err(|error| unavailable(error.to_string()))?;
    let rule = team::rule(&call.ctx, lineage.root).await.map_err(|error| unavailable(error.to_string()))?;
    let joining = Joining {
        root: lineage.root,
        rule: &rule,
        around: &lineage.around,
        run_id: call.run_id,
        step: &call.step,
        agent,
        name,
    };
    bus::join(&call.ctx, joining).await.map_err(|error| match error {
        Error::Conflict(why) => StepError::permanent("limit", why),
        error => unavailable(error.to_string()),
    })
}

/// Why the topology of the team keeps an agent from giving another one work, in words for the model; `None`: it does not.
///
/// # Errors
/// Class `unavailable`.
pub async fn keeps_from(step: &StepCall, work: &Work, to: &str) -> Result<Option<String>, StepError> {
    let unavailable = |error: String| StepError::transient("unavailable", error);
    let root = match &work.seat {
        Some(seat) => seat.root,
        None => team::root(&step.ctx, step.run_id).await.map_err(|error| unavailable(error.to_string()))?.root,
    };
    let rule = team::rule(&step.ctx, root).await.map_err(|error| unavailable(error.to_string()))?;
    // The supervisor may have changed it since.
    let team = bus::current(&step.ctx, root, rule).await.map_err(|error| unavailable(error.to_string()))?;
    Ok(team.keeps_from(&work.name, to))
}

/// Does a call of one of the team's tools: what it gives, and whose words that may be.
///
/// # Errors
/// In words for the model.
pub async fn act(step: &StepCall, work: &Work, call: &Call, tool: AgentTool) -> Result<(String, Trust), String> {
    let Some(seat) = &work.seat else {
        return Err("You are no member of the team of this run.".to_owned());
    };
    let done = match tool {
        AgentTool::SendMessage => send(step, work, seat, call).await,
        AgentTool::ReadMessages => read(step, seat, call).await,
        _ => set_topology(step, seat, call).await,
    };
    done.map_err(|error| error.to_string())
}

fn text(call: &Call, name: &str) -> String {
    call.arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The place of a call in the work, the same after a crash.
fn key(step: &StepCall, id: &str) -> String {
    blake3::hash(format!("{}/{}#{}/{id}", step.run_id, step.step, step.journal.len()).as_bytes()).to_hex().to_string()
}

async fn send(step: &StepCall, work: &Work, seat: &Seat, call: &Call) -> Result<(String, Trust)> {
    let letter = Letter {
        to: text(call, "to"),
        // The schema allows no other.
        kind: MessageKind::parse(&text(call, "kind")).unwrap_or(MessageKind::Note),
        body: text(call, "body"),
        data: call.arguments.get("data").cloned().unwrap_or(Value::Null),
        trust: if work.has_read_web { Trust::Web } else { Trust::Model },
    };
    let sender = Sender { seat, run_id: step.run_id, step: &step.step, agent: work.agent };
    let key = key(step, &call.id);
    let sent = again(|| bus::send(&step.ctx, sender, letter.clone(), &key)).await?;
    Ok((format!("Sent as message {} to {}.", sent.number, sent.receivers.join(", ")), Trust::User))
}

async fn read(step: &StepCall, seat: &Seat, call: &Call) -> Result<(String, Trust)> {
    let patience = call.arguments.get("wait_seconds").and_then(Value::as_u64).unwrap_or(0).min(MAX_PATIENCE_S);
    let until = step.ctx.clock.now().plus_ms(i64::try_from(patience).unwrap_or(0) * 1_000);
    let key = key(step, &call.id);
    loop {
        // Also what this very call took before a crash.
        let (taken, more) = again(|| bus::take(&step.ctx, seat, &key)).await?;
        if !taken.is_empty() {
            return Ok(worded(&taken, more));
        }
        if !comes(step, seat, until).await? {
            break;
        }
    }
    let reach = bus::reach(&step.ctx, seat).await?;
    let whom = if reach.is_empty() { "nobody".to_owned() } else { reach.join(", ") };
    // Names of agents are words of people.
    Ok((format!("No messages wait for you, {}. You may address: {whom}.", seat.handle), Trust::User))
}

/// Waits until a message is there, or the time is over, or nobody wants it any more. Only looks: taking locks the team.
async fn comes(step: &StepCall, seat: &Seat, until: Timestamp) -> Result<bool> {
    while step.ctx.clock.now() < until && !step.cancel.is_cancelled() {
        if again(|| bus::has_waiting(&step.ctx, seat)).await? {
            return Ok(true);
        }
        tokio::select! {
            () = step.ctx.clock.sleep_ms(LOOK_MS) => {}
            () = step.cancel.cancelled() => {}
        }
    }
    Ok(false)
}

async fn set_topology(step: &StepCall, seat: &Seat, call: &Call) -> Result<(String, Trust)> {
    let topology = Topology::parse(&text(call, "topology")).unwrap_or_default();
    let pairs: Vec<TalkPair> = match call.arguments.get("pairs") {
        None | Some(Value::Null) => Vec::new(),
        Some(pairs) => serde_json::from_value(pairs.clone())
            .map_err(|error| Error::Conflict(format!("The pairs do not fit: {error}.")))?,
    };
    let team = again(|| bus::set_topology(&step.ctx, seat, topology, pairs.clone())).await?;
    let reach = bus::reach(&step.ctx, seat).await?;
    let words =
        format!("The topology of the team is {} now. You may address: {}.", team.topology.as_str(), reach.join(", "));
    Ok((words, Trust::User))
}

/// Does the same once more where the database did not answer: it takes effect once.
async fn again<T, F: Future<Output = Result<T>>>(act: impl Fn() -> F) -> Result<T> {
    let mut tries = 1;
    loop {
        match act().await {
            Err(Error::Db(error)) if is_passing(&error) && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

/// A connection that broke is no refusal.
const fn is_passing(error: &db::Error) -> bool {
    error.is_transient() || matches!(error, db::Error::Query(_))
}

/// What is shown to an agent before a turn, if its setting says so and something waits: it is taken with that.
///
/// # Errors
/// Class `unavailable`.
pub async fn hear(step: &StepCall, work: &Work) -> Result<Option<Entry>, StepError> {
    let Some(seat) = work.seat.as_ref().filter(|_| work.spec.hears_messages && !work.has_heard) else {
        return Ok(None);
    };
    let key = key(step, "");
    let taken = again(|| bus::take(&step.ctx, seat, &key)).await;
    let (taken, more) = match taken {
        Ok(taken) => taken,
        // A team that is gone has nothing to say.
        Err(Error::Conflict(_)) => return Ok(None),
        Err(error) => return Err(StepError::transient("unavailable", error.to_string())),
    };
    if taken.is_empty() {
        return Ok(None);
    }
    let (taken, judged) = judged(work, taken);
    let (content, trust) = worded(&taken, more);
    // What is taken at once fits a result, but for what hooks made longer.
    let (content, omitted) = outcome::cut(&content);
    let messages = ToolResult {
        id: String::new(),
        tool: AgentTool::ReadMessages.as_str().to_owned(),
        content,
        is_error: false,
        is_untrusted: true,
        trust: Some(trust),
        omitted,
        seen: None,
        processes: Processes::default(),
        leases: Vec::new(),
    };
    Ok(Some(Entry::Heard { messages, judged }))
}

/// Messages as the hooks of the agent make them, and what those said. The same messages are always judged alike: where they are
/// taken again after a crash, they read the same.
fn judged(work: &Work, mut taken: Vec<Taken>) -> (Vec<Taken>, Vec<Judgement>) {
    let mut judged = Vec::new();
    for one in &mut taken {
        let number = one.number;
        let Some(said) = &mut one.said else { continue };
        let text = text_of(said);
        let Some(judgement) = judge_heard(work, number, &said.from, said.kind.as_str(), &text) else { continue };
        let instead = judgement.denial().or_else(|| judgement.result.clone());
        if let Some(words) = instead {
            // What may be read at once is bounded; hooks make of a message no more than one of the longest.
            said.body = words.chars().take(MAX_BODY).collect();
            said.data.clear();
        }
        if !judgement.said.is_empty() {
            judged.push(judgement);
        }
    }
    (taken, judged)
}

/// The words of a message with what came with them.
fn text_of(said: &Said) -> String {
    if said.data.is_empty() { said.body.clone() } else { format!("{}\n\n{}", said.body, said.data) }
}

/// Messages as the model reads them, and the lowest label among them.
fn worded(taken: &[Taken], more: i64) -> (String, Trust) {
    let mut parts: Vec<String> = taken.iter().map(one).collect();
    if more > 0 {
        parts.push(format!("{more} more wait for you."));
    }
    let lowest = taken.iter().filter_map(|taken| taken.said.as_ref()).map(|said| said.trust).max();
    (parts.join("\n\n"), lowest.unwrap_or(Trust::User))
}

fn one(taken: &Taken) -> String {
    let number = taken.number;
    let Some(said) = &taken.said else {
        return format!(
            "## Message {number}\nIt was refused: somebody altered it, its signature does not fit. It is not shown."
        );
    };
    format!("## Message {number}: {} from {}, {}\n{}", said.kind.as_str(), said.from, said.sent_at, text_of(said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn said(trust: Trust, data: &str) -> Taken {
        let said = Said {
            from: "coder".into(),
            kind: MessageKind::Question,
            body: "Blue or red?".into(),
            data: data.into(),
            trust,
            sent_at: Timestamp(0),
        };
        Taken { number: 3, said: Some(said) }
    }

    #[test]
    fn a_message_says_who_wrote_it_and_one_that_was_altered_says_nothing() {
        let (words, _) = worded(&[said(Trust::Model, "{\"n\":1}")], 2);
        assert!(words.starts_with("## Message 3: question from coder, "), "{words}");
        assert!(words.contains("Blue or red?\n\n{\"n\":1}\n\n2 more wait"), "{words}");
        let (words, trust) = worded(&[Taken { number: 4, said: None }], 0);
        assert!(words.contains("Message 4") && words.contains("refused"), "{words}");
        assert_eq!(trust, Trust::User);
    }

    #[test]
    fn the_lowest_label_counts_for_all_that_is_read_together() {
        assert_eq!(worded(&[said(Trust::Model, ""), said(Trust::Web, "")], 0).1, Trust::Web);
        assert_eq!(worded(&[said(Trust::Model, "")], 0).1, Trust::Model);
    }
}
