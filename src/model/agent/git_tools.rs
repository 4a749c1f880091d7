//! What models are told of the tools about changes in a copy of a repository.

use serde_json::{Value, json};

/// Of `show_changes`.
pub(super) const SHOW: &str = "Shows as a diff what you changed in your copy of the repository since your task began, or since your last \
                        commit, new files included. Read it before you commit or publish.";
/// Of `commit_changes`.
pub(super) const COMMIT: &str = "Commits everything that you changed in your copy of the repository, in your name. Commit each step that is \
                          whole by itself. Others see nothing of it before you publish.";
/// Of `publish_changes`.
pub(super) const PUBLISH: &str = "Commits everything that you changed in your copy of the repository, and puts it into the repository as a \
                           branch of its own. Do it once the work is done and you have seen it work.";

/// The properties and required ones of `show_changes`.
pub(super) fn show() -> (Value, Value) {
    (
        json!({
            "path": {"type": "string", "description": "Only in this file or folder, such as src; all where it is left out."},
            "since": {"enum": ["start", "last_commit"], "description": "start, where none is named: since your task began."},
        }),
        json!([]),
    )
}

/// The properties and required ones of `commit_changes` and `publish_changes`.
pub(super) fn commit() -> (Value, Value) {
    let message = json!({"type": "string", "minLength": 1, "description": "The commit's message: what, and why."});
    (json!({"message": message}), json!(["message"]))
}
