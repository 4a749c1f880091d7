//! What tasks of the queue must look like.

use super::{Findings, MAX_FOLDER, expertise, name};
use crate::agents::error::{Error, Result};
use crate::model::agent::TaskDraft;

const MAX_PROMPT: usize = 100_000;
const MAX_AMONG: usize = 50;
const MAX_TOPIC: usize = 200;
const MAX_AFTER: usize = 20;

/// Checks a task of the queue; whether what it comes after is there is looked up by whoever keeps it.
///
/// # Errors
/// [`Error::Invalid`] with everything that does not fit.
pub(in crate::agents) fn task(task: &TaskDraft) -> Result<()> {
    let mut found = Findings(Vec::new());
    let prompt = (1..=MAX_PROMPT).contains(&task.prompt.chars().count())
        && !task.prompt.trim().is_empty()
        && !task.prompt.contains('\0');
    found.unless(prompt, "/prompt", format!("expected a task of 1 to {MAX_PROMPT} characters"));
    expertise("/expertise", &task.expertise, &mut found);
    found.list("/among", &task.among, MAX_AMONG, name);
    let priority = task.priority.is_none_or(|level| (1..=9).contains(&level));
    found.unless(priority, "/priority", "expected 1 to 9, of which 9 is first");
    let topic = task.topic.chars().count() <= MAX_TOPIC && !task.topic.contains(char::is_control);
    found.unless(topic, "/topic", format!("expected at most {MAX_TOPIC} characters and no control characters"));
    let repository = task.repository.chars().count() <= MAX_FOLDER && !task.repository.contains(char::is_control);
    found.unless(repository, "/repository", format!("expected a path of at most {MAX_FOLDER} characters, or nothing"));
    let after = task.after.len() <= MAX_AFTER;
    found.unless(after, "/after", format!("expected at most {MAX_AFTER}, found {}", task.after.len()));
    if found.0.is_empty() { Ok(()) } else { Err(Error::Invalid(found.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::QueuedTaskId;

    fn refused(change: impl Fn(&mut TaskDraft)) -> Vec<String> {
        let mut draft = TaskDraft {
            prompt: "Look.".to_owned(),
            expertise: Vec::new(),
            among: Vec::new(),
            priority: None,
            topic: String::new(),
            repository: String::new(),
            after: Vec::new(),
        };
        change(&mut draft);
        match task(&draft) {
            Err(Error::Invalid(fields)) => fields.into_iter().map(|field| field.pointer).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_task_of_words_is_all_that_is_needed() {
        assert_eq!(refused(|_| {}), [""; 0]);
    }

    #[test]
    fn each_field_is_named_that_does_not_fit() {
        for prompt in ["", " ", "a\0b"] {
            assert_eq!(refused(|draft| draft.prompt = prompt.to_owned()), ["/prompt"]);
        }
        assert_eq!(refused(|draft| draft.prompt = "x".repeat(100_001)), ["/prompt"]);
        assert_eq!(refused(|draft| draft.expertise = vec!["rust".to_owned(), " ".to_owned()]), ["/expertise/1"]);
        assert_eq!(refused(|draft| draft.among = vec!["no one".to_owned()]), ["/among/0"]);
        for (level, fits) in [(0, false), (1, true), (9, true), (10, false)] {
            assert_eq!(refused(|draft| draft.priority = Some(level)).is_empty(), fits, "{level}");
        }
        assert_eq!(refused(|draft| draft.topic = "x".repeat(201)), ["/topic"]);
        assert_eq!(refused(|draft| draft.repository = "a\nb".to_owned()), ["/repository"]);
        assert_eq!(refused(|draft| draft.after = vec![QueuedTaskId(uuid::Uuid::nil()); 21]), ["/after"]);
    }
}
