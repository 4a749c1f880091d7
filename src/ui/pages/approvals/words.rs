//! How an approval reads. Pure: the clock is an argument.

use crate::model::Timestamp;
use crate::model::auth::Role;
use crate::model::workflow::{Approval, Question, Vote};
use crate::ui::format;

const HOUR_MS: i64 = 3_600_000;
/// Ends an approval whose time is over.
pub const EXPIRED: &str = "expired";
/// Ends an approval with its run.
pub const CANCELLED: &str = "cancelled";

/// A decision as a button that gives it: a verb where it is a common one, else its own words.
pub fn verb(decision: &str) -> String {
    match decision {
        "approved" => "Approve".to_owned(),
        "rejected" => "Reject".to_owned(),
        "accepted" => "Accept".to_owned(),
        "declined" => "Decline".to_owned(),
        "denied" => "Deny".to_owned(),
        "confirmed" => "Confirm".to_owned(),
        other => word(other),
    }
}

/// A decision, or an end, as it was taken: "Approved", "Needs changes", "Expired".
pub fn word(decision: &str) -> String {
    let words = decision.replace(['_', '-'], " ");
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Whether a decision turns down what was asked.
pub fn turns_down(decision: &str) -> bool {
    matches!(decision, "rejected" | "declined" | "denied" | "refused")
}

/// The status that an end looks like, for `data-status` and its symbol.
pub fn status(question: &Question, outcome: Option<&str>) -> (&'static str, &'static str) {
    match outcome {
        None => ("waiting", "s-waiting"),
        Some(EXPIRED | CANCELLED) => ("cancelled", "s-cancelled"),
        Some(outcome) if turns_down(outcome) => ("failed", "s-failed"),
        Some(outcome) if question.decisions.first().is_some_and(|first| first == outcome) => {
            ("succeeded", "s-succeeded")
        }
        Some(_) => ("skipped", "s-skipped"),
    }
}

/// How far it is, "1 of 2 approvals"; `None` where one answer is enough.
pub fn progress(approval: &Approval) -> Option<String> {
    let Question { required, decisions, .. } = &approval.question;
    let first = decisions.first().filter(|_| *required > 1)?;
    let given = approval.votes.iter().filter(|vote| vote.decision == *first).count();
    Some(match first.as_str() {
        "approved" => format!("{given} of {required} approvals"),
        other => format!("{given} of {required} times “{}”", word(other)),
    })
}

/// Who may answer: "anybody whose role allows it", "ada@example.org or any admin".
pub fn whom(question: &Question) -> String {
    let name = |who: &String| match who.strip_prefix("role:") {
        Some(role) => format!("any {}", Role::parse(role).map_or(role, |role| role.as_str())),
        None => who.clone(),
    };
    let mut names: Vec<String> = question.approvers.iter().map(name).collect();
    match names.pop() {
        None => "anybody whose role allows it".to_owned(),
        Some(only) if names.is_empty() => only,
        Some(last) => format!("{} or {last}", names.join(", ")),
    }
}

/// What it takes, if that is more than one answer of anybody.
pub fn rule(question: &Question) -> Option<String> {
    let first = question.decisions.first().map(|first| word(first)).unwrap_or_default();
    let several = (question.required > 1)
        .then(|| format!("{} people must answer “{first}”; any other answer takes one.", question.required));
    let eyes = question.four_eyes.then(|| "Not by who started the run.".to_owned());
    match (several, eyes) {
        (Some(several), Some(eyes)) => Some(format!("{several} {eyes}")),
        (one, other) => one.or(other),
    }
}

/// What a waiting step says beside its bar: for whom it waits, and how far it is.
pub fn waits_for(approval: &Approval) -> String {
    let whom = whom(&approval.question);
    progress(approval).map_or_else(|| format!("waits for {whom}"), |progress| format!("waits for {whom}, {progress}"))
}

/// How an ended approval ended, in a line: "Rejected by Tomas: use the proxy".
pub fn ended(approval: &Approval) -> Option<String> {
    let outcome = approval.outcome.as_deref()?;
    Some(match outcome {
        EXPIRED => "Expired before it was decided".to_owned(),
        CANCELLED => "Cancelled with its run".to_owned(),
        _ => {
            let votes: Vec<&Vote> = approval.votes.iter().filter(|vote| vote.decision == outcome).collect();
            let names = votes.iter().map(|vote| vote.name.as_str()).collect::<Vec<_>>().join(", ");
            let comment = votes.last().map(|vote| vote.comment.lines().next().unwrap_or_default()).unwrap_or_default();
            match (names.is_empty(), comment.is_empty()) {
                (true, _) => word(outcome),
                (false, true) => format!("{} by {names}", word(outcome)),
                (false, false) => format!("{} by {names}: {comment}", word(outcome)),
            }
        }
    })
}

/// How pressing a deadline is, as `data-urgency`; `None` while there is a day or more.
pub fn urgency(deadline: Timestamp, now_ms: i64) -> Option<&'static str> {
    match deadline.unix_ms() - now_ms {
        ..HOUR_MS => Some("now"),
        left if left < 24 * HOUR_MS => Some("today"),
        _ => None,
    }
}

/// How long is left: "in 3 h", "now", or `None` where the date says more.
pub fn left(deadline: Timestamp, now_ms: i64) -> Option<String> {
    if deadline.unix_ms() <= now_ms { Some("now".to_owned()) } else { format::relative(deadline, now_ms) }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::model::{ApprovalId, RunId, UserId};

    fn question(approvers: &[&str], required: u32) -> Question {
        Question {
            title: "Publish?".to_owned(),
            text: String::new(),
            form: Value::Null,
            approvers: approvers.iter().map(|who| (*who).to_owned()).collect(),
            required,
            four_eyes: false,
            decisions: vec!["approved".to_owned(), "rejected".to_owned(), "needs_changes".to_owned()],
        }
    }

    fn approval(question: Question, votes: &[(&str, &str, &str)], outcome: Option<&str>) -> Approval {
        let vote = |(name, decision, comment): &(&str, &str, &str)| Vote {
            by: UserId(Uuid::nil()),
            name: (*name).to_owned(),
            decision: (*decision).to_owned(),
            form: Value::Null,
            comment: (*comment).to_owned(),
            approval: None,
            instead_of: None,
        };
        Approval {
            id: ApprovalId(Uuid::nil()),
            run_id: RunId(Uuid::nil()),
            workflow_id: None,
            workflow_name: "Ship".to_owned(),
            started_by: None,
            step: "ask".to_owned(),
            question,
            votes: votes.iter().map(vote).collect(),
            created_at: Timestamp(0),
            deadline_at: None,
            outcome: outcome.map(str::to_owned),
            decided_at: None,
            refusal: None,
        }
    }

    #[test]
    fn who_may_answer_reads_as_a_list() {
        assert_eq!(whom(&question(&[], 1)), "anybody whose role allows it");
        assert_eq!(whom(&question(&["role:admin"], 1)), "any admin");
        assert_eq!(whom(&question(&["a@b.c", "d@e.f", "role:owner"], 1)), "a@b.c, d@e.f or any owner");
    }

    #[test]
    fn progress_counts_the_first_decision_and_only_where_several_are_needed() {
        assert_eq!(progress(&approval(question(&[], 1), &[], None)), None);
        let votes = [("Ada", "approved", ""), ("Tom", "needs_changes", "")];
        assert_eq!(progress(&approval(question(&[], 3), &votes, None)).as_deref(), Some("1 of 3 approvals"));
    }

    #[test]
    fn an_end_says_who_and_why() {
        let check = |votes: &[(&str, &str, &str)], outcome, expected: &str| {
            assert_eq!(ended(&approval(question(&[], 2), votes, Some(outcome))).as_deref(), Some(expected));
        };
        let both = [("Ada", "approved", ""), ("Tom", "approved", "")];
        check(&both, "approved", "Approved by Ada, Tom");
        check(&[both[0], ("Tom", "rejected", "use the proxy")], "rejected", "Rejected by Tom: use the proxy");
        check(&[], EXPIRED, "Expired before it was decided");
        check(&[], CANCELLED, "Cancelled with its run");
    }

    #[test]
    fn every_end_has_its_look() {
        let question = question(&[], 1);
        let names = [None, Some("approved"), Some("rejected"), Some("needs_changes"), Some(EXPIRED)];
        let looks = names.map(|outcome| status(&question, outcome).0);
        assert_eq!(looks, ["waiting", "succeeded", "failed", "skipped", "cancelled"]);
    }

    #[test]
    fn a_deadline_presses_more_the_nearer_it_is() {
        let now = 1_000 * HOUR_MS;
        let check = |hours: f64, expected| {
            let deadline = Timestamp((now + (hours * 3_600_000.0) as i64) * 1000);
            assert_eq!(urgency(deadline, now), expected, "{hours} h");
        };
        check(30.0, None);
        check(23.0, Some("today"));
        check(0.5, Some("now"));
        check(-1.0, Some("now"));
        assert_eq!(left(Timestamp((now - 1) * 1000), now).as_deref(), Some("now"));
        assert_eq!(left(Timestamp((now + 3 * HOUR_MS) * 1000), now).as_deref(), Some("in 3 h"));
    }

    #[test]
    fn a_common_decision_is_a_verb_on_its_button() {
        assert_eq!(verb("approved"), "Approve");
        assert_eq!(verb("needs_changes"), "Needs changes");
    }
}
