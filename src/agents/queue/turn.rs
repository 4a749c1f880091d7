//! Whether a task's turn has come: what it comes after decides.

use crate::model::AgentId;
use crate::model::agent::QueuedStatus;

/// Whether what comes after other tasks may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may begin.
    Come,
    /// Something that it comes after is not done yet.
    Waits,
    /// Something that it comes after never will be, and why.
    Never(&'static str),
}

/// Whether a task may begin, by how what it comes after stands: the stored word (`None`: it is forgotten), and who did it.
pub(super) fn turn(before: &[(Option<String>, Option<AgentId>)]) -> Turn {
    let done = QueuedStatus::Done.as_str();
    let is_over =
        |status: &str| [QueuedStatus::Failed, QueuedStatus::Cancelled].iter().any(|one| one.as_str() == status);
    for (status, _) in before {
        match status.as_deref() {
            None => return Turn::Never("a task that it comes after is gone"),
            Some(status) if is_over(status) => return Turn::Never("a task that it comes after was not done"),
            Some(_) => {}
        }
    }
    if before.iter().all(|(status, _)| status.as_deref() == Some(done)) { Turn::Come } else { Turn::Waits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_s_turn_comes_when_all_before_it_are_done_and_never_when_one_was_not() {
        let of = |statuses: &[Option<&str>]| {
            let before: Vec<_> = statuses.iter().map(|status| (status.map(str::to_owned), None)).collect();
            turn(&before)
        };
        assert_eq!(of(&[]), Turn::Come);
        assert_eq!(of(&[Some("done"), Some("done")]), Turn::Come);
        for open in ["waiting", "assigned", "leaving"] {
            assert_eq!(of(&[Some("done"), Some(open)]), Turn::Waits, "{open}");
        }
        assert!(matches!(of(&[Some("waiting"), Some("failed")]), Turn::Never(_)));
        assert!(matches!(of(&[Some("cancelled")]), Turn::Never(_)));
        assert!(matches!(of(&[Some("done"), None]), Turn::Never(_)));
    }
}
