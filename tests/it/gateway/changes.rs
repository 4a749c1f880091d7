//! What an agent changed in its copy of a repository: seen as a diff, and committed there.

use std::path::Path;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use weft::model::agent::{AgentSpec, AgentTool};
use weft::runtime::sandbox::{self, Exit, Job};
use weft::workflow;

use super::agents::{agent, answer_of, calling, model, spec, told, words};
use super::somebody;
use crate::engine::end;

/// Has git do something in a folder, and gives what it printed.
async fn git(folder: &Path, script: &str) -> String {
    let script = format!("export GIT_CONFIG_GLOBAL=/dev/null; set -e; {script}");
    let job = Job::new(["/bin/sh", "-c", &script], folder);
    let done = sandbox::run(job, |_, _| (), CancellationToken::new()).await.unwrap();
    assert!(matches!(done.exit, Exit::Code(0)), "{:?} {}", done.exit, done.stderr.text());
    done.stdout.text()
}

on_both_engines! {
    async fn an_agent_sees_what_it_changed_and_commits_it_in_its_copy(site: Site) {
        let helper = Some(env!("CARGO_BIN_EXE_weft").into());
        sandbox::install(sandbox::Settings { helper, ..sandbox::Settings::default() });
        let ctx = somebody(&site).await;
        let folder = tempfile::tempdir().unwrap();
        let commit = "git -c user.name=Ada -c user.email=ada@team.example commit -q -m 'the loom'";
        git(folder.path(), &format!("git init -q -b main; echo 'The loom is red.' > loom.txt; git add -A; {commit}")).await;
        let write = |path: &str, content: &str| json!({"path": path, "content": content});
        let upstream = model(&ctx, [
            calling(&[
                ("1", AgentTool::ShowChanges, json!({})),
                ("2", AgentTool::WriteFile, write("loom.txt", "The loom is blue.\n")),
                ("3", AgentTool::WriteFile, write("yarn/red.txt", "Red yarn.\n")),
                ("4", AgentTool::ShowChanges, json!({"path": "yarn"})),
                ("5", AgentTool::CommitChanges, json!({"message": "loom: blue\n\nAs asked."})),
                ("6", AgentTool::CommitChanges, json!({"message": "again"})),
                ("7", AgentTool::ShowChanges, json!({"since": "last_commit"})),
                ("8", AgentTool::ShowChanges, json!({})),
                ("9", AgentTool::ShowChanges, json!({"path": "../outside"})),
            ]),
            words("Blue now."),
        ]).await;
        let tools = [AgentTool::ShowChanges, AgentTool::WriteFile, AgentTool::CommitChanges];
        let coder = AgentSpec { repository: folder.path().display().to_string(), ..spec(&tools) };
        let id = agent(&ctx, "coder", coder).await;
        let run = workflow::give_task(&ctx, id, "Make it blue.".into(), None).await.unwrap();
        let detail = end(&ctx, run).await;
        let output = answer_of(&detail);
        let given: Vec<String> = told(&upstream, 1).into_iter().filter(|text| text.starts_with("tool")).collect();
        assert!(given[0].contains("Nothing was changed."), "{}", given[0]);
        assert!(given[3].contains("+Red yarn.") && !given[3].contains("loom.txt"), "{}", given[3]);
        assert!(given[4].contains("Committed as") && given[4].contains("loom: blue"), "{}", given[4]);
        assert!(given[5].contains("Nothing has changed since the last commit") && given[5].contains("loom: blue"), "{}", given[5]);
        assert!(given[6].contains("Nothing was changed."), "{}", given[6]);
        assert!(given[7].contains("-The loom is red.") && given[7].contains("+The loom is blue."), "{}", given[7]);
        assert!(given[8].contains("Expected a path inside"), "{}", given[8]);
        let diff = output["changes"]["diff"].as_str().unwrap();
        assert!(diff.contains("+The loom is blue.") && diff.contains("+Red yarn."), "{diff}");
        assert_eq!(output["changes"]["is_published"], json!(false));
        assert_eq!(git(folder.path(), "git log --all --format=%s; cat loom.txt").await, "the loom\nThe loom is red.\n", "the repository sees nothing of it");
    }
}
