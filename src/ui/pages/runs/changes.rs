//! What an agent changed in its copy of a repository, file by file.

use leptos::prelude::*;
use serde_json::Value;

use crate::model::agent::Changes;
use crate::ui::components::{Badge, CopyButton, DiffLines, Icon, Tone};
use crate::ui::format;

/// Files that are unfolded to begin with.
const OPEN: usize = 10;

/// The changes in a step's output, if there are any, or why they can't be shown.
pub fn changes_of(output: &Value) -> Option<Result<Changes, String>> {
    let changes = output.get("changes").filter(|changes| !changes.is_null())?;
    match changes.get("error").and_then(Value::as_str) {
        Some(error) => Some(Err(error.to_owned())),
        None => serde_json::from_value(changes.clone()).ok().map(Ok),
    }
}

/// All changes of a step.
#[component]
pub fn ChangesView(changes: Result<Changes, String>) -> impl IntoView {
    let changes = match changes {
        Ok(changes) => changes,
        Err(error) => {
            return view! {
                <div class="notice" data-tone="bad">
                    <Icon name="s-failed" />
                    <span class="grow">{format!("What was changed can't be told: {error}")}</span>
                </div>
            }
            .into_any();
        }
    };
    let summary = changes.summary();
    let (label, tone) = if changes.is_published { ("published", Tone::Good) } else { ("not published", Tone::Warn) };
    let files =
        parts(&changes.diff).into_iter().enumerate().map(|(at, part)| view! { <File part is_open={at < OPEN} /> });
    let left = changes.omitted;
    view! {
        <div class="changes">
            <div class="changes-head">
                <strong>{summary}</strong>
                <Badge label tone />
                <CopyButton text=Signal::stored(changes.diff.clone()) label="Copy the diff" />
            </div>
            <dl class="pairs">
                <dt>"Branch"</dt>
                <dd class="wrapped"><code>{changes.branch}</code></dd>
                <dt>"Commit"</dt>
                <dd class="wrapped"><code>{changes.commit}</code></dd>
            </dl>
            {files.collect_view()}
            {(left > 0).then(|| view! {
                <p class="dim small">{format!("{} bytes of the middle were left out.", format::count(left as i64))}</p>
            })}
        </div>
    }
    .into_any()
}

#[component]
fn File(part: Part, is_open: bool) -> impl IntoView {
    view! {
        <details class="folded" open=is_open>
            <summary><Icon name="right" /><code>{part.name}</code></summary>
            <pre class="code diff" tabindex="0"><code><DiffLines text=part.lines /></code></pre>
        </details>
    }
}

/// What was changed in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: String,
    lines: String,
}

/// The files of a diff.
fn parts(diff: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in diff.split_inclusive('\n') {
        if let Some(names) = line.strip_prefix("diff --git ") {
            let name = names.trim_end().rsplit_once(" b/").map_or(names.trim_end(), |(_, name)| name).to_owned();
            parts.push(Part { name, lines: String::new() });
            continue;
        }
        // The name stands above; what only git needs is left out.
        let is_told = ["index ", "--- ", "+++ "].iter().any(|head| line.starts_with(head));
        match parts.last_mut() {
            Some(part) if is_told && !part.lines.contains("@@") => {}
            Some(part) => part.lines.push_str(line),
            None => parts.push(Part { name: "…".to_owned(), lines: line.to_owned() }),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_diff_is_told_by_its_files() {
        let diff =
            "diff --git a/src/a.rs b/src/a.rs\nindex 1..2\n@@ -1 +1 @@\n-a\n+b\ndiff --git a/x b/y\nrename from x\n";
        let parts = parts(diff);
        assert_eq!(parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["src/a.rs", "y"]);
        assert_eq!(parts[0].lines, "@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(super::parts("…\n")[0].name, "…", "a diff whose beginning is missing");
    }

    #[test]
    fn an_output_without_changes_has_none() {
        assert_eq!(changes_of(&json!({"text": "done", "changes": null})), None);
        assert_eq!(changes_of(&json!({"changes": {"error": "no"}})), Some(Err("no".to_owned())));
    }
}
