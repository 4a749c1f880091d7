//! Ways out of the folder that an agent works in, and words of a model that a shell could take for commands.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use weft::model::agent::AgentTool as T;
use weft::workflow;

use super::{SECRET, behind_walls, in_folder, results};
use crate::engine::end;
use crate::gateway::agents::{agent, answer_of, calling, model, words};
use crate::gateway::somebody;

/// A call with an id of its own.
fn numbered(calls: Vec<(T, Value)>) -> Vec<(String, T, Value)> {
    calls.into_iter().enumerate().map(|(at, (tool, arguments))| (at.to_string(), tool, arguments)).collect()
}

fn asking(calls: &[(String, T, Value)]) -> crate::gateway::upstream::Reply {
    let calls: Vec<(&str, T, Value)> =
        calls.iter().map(|(id, tool, arguments)| (id.as_str(), *tool, arguments.clone())).collect();
    calling(&calls)
}

on_both_engines! {
    async fn no_path_and_no_link_leads_a_tool_out_of_its_folder(site: Site) {
        behind_walls();
        let ctx = somebody(&site).await;
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(outside.path().join("key.rs"), format!("fn key() {{ \"{SECRET}\" }}")).unwrap();
        std::fs::create_dir_all(folder.path().join(".git/hooks")).unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        symlink(outside.path(), folder.path().join("out")).unwrap();
        symlink(outside.path().join("key.rs"), folder.path().join("key.rs")).unwrap();
        symlink("/etc/passwd", folder.path().join("people")).unwrap();
        symlink(".git", folder.path().join("repo")).unwrap();
        symlink("nowhere/at/all", folder.path().join("lost")).unwrap();
        let up = format!("../{}/key.rs", outside.path().file_name().unwrap().to_str().unwrap());
        let path = |path: &str| json!({"path": path});
        let write = |path: &str| json!({"path": path, "content": "mine"});
        let calls = numbered(vec![
            (T::ReadFile, path("/etc/passwd")),
            (T::ReadFile, path(&up)),
            (T::ReadFile, path("src/../../etc/passwd")),
            (T::ReadFile, path("people")),
            (T::ReadFile, path("key.rs")),
            (T::ReadFile, path("out/key.rs")),
            (T::ReadFile, path("lost")),
            (T::ReadFile, path("repo/config")),
            (T::ListFiles, json!({"folder": "out"})),
            (T::ListFiles, json!({"folder": ".."})),
            (T::SearchFiles, json!({"pattern": "sk-", "folder": "out"})),
            (T::OutlineCode, path("out")),
            (T::OutlineCode, path("key.rs")),
            (T::AnalyzeCode, path("out")),
            (T::AnalyzeCode, path("key.rs")),
            (T::FindSymbol, json!({"name": "key", "path": "out"})),
            (T::WriteFile, write("out/new")),
            (T::WriteFile, write("key.rs")),
            (T::WriteFile, write("repo/hooks/pre-commit")),
            (T::WriteFile, write(".git/hooks/pre-commit")),
            (T::WriteFile, write("src/../../new")),
            (T::EditFile, json!({"path": "out/key.rs", "find": "key", "replace": "mine"})),
        ]);
        let upstream = model(&ctx, [asking(&calls), words("Done.")]).await;
        let tools = [T::ListFiles, T::ReadFile, T::SearchFiles, T::OutlineCode, T::FindSymbol, T::AnalyzeCode, T::WriteFile, T::EditFile];
        let id = agent(&ctx, "reader", in_folder(folder.path(), &tools)).await;
        let run = workflow::give_task(&ctx, id, "Look around.".into(), None).await.unwrap();
        answer_of(&end(&ctx, run).await);
        let given = results(&upstream, 1);
        assert_eq!(given.len(), calls.len());
        for ((_, tool, arguments), result) in calls.iter().zip(&given) {
            let refused = ["inside of your working directory", "out of your working directory", "leads nowhere", ".git is not"];
            assert!(refused.iter().any(|words| result.contains(words)), "{tool:?} {arguments}: {result}");
            assert!(!result.contains(SECRET) && !result.contains("root:"), "{tool:?} {arguments}: {result}");
        }
        assert!(!outside.path().join("new").exists());
        assert!(std::fs::read_to_string(outside.path().join("key.rs")).unwrap().contains(SECRET));
        assert!(!folder.path().join(".git/hooks/pre-commit").exists());
    }

    async fn what_a_model_writes_is_no_part_of_a_command(site: Site) {
        behind_walls();
        let ctx = somebody(&site).await;
        let folder = tempfile::tempdir().unwrap();
        let names = ["a; touch pwned", "$(touch pwned)", "`touch pwned`", "a' ; touch pwned; '", "-rf", "--help", "* ?", "\"&& touch pwned"];
        let mut calls: Vec<(T, Value)> =
            names.iter().map(|name| (T::WriteFile, json!({"path": name, "content": "$(touch pwned)"}))).collect();
        calls.extend(names.iter().map(|name| (T::ReadFile, json!({"path": name}))));
        for name in names {
            calls.push((T::SearchFiles, json!({"pattern": name})));
            calls.push((T::ListFiles, json!({"folder": name})));
            calls.push((T::OutlineCode, json!({"path": name})));
            calls.push((T::FindSymbol, json!({"name": name})));
        }
        let calls = numbered(calls);
        let upstream = model(&ctx, [asking(&calls), words("Done.")]).await;
        let tools = [T::ListFiles, T::ReadFile, T::SearchFiles, T::OutlineCode, T::FindSymbol, T::WriteFile];
        let id = agent(&ctx, "writer", in_folder(folder.path(), &tools)).await;
        let run = workflow::give_task(&ctx, id, "Write.".into(), None).await.unwrap();
        answer_of(&end(&ctx, run).await);
        assert_eq!(results(&upstream, 1).len(), calls.len());
        let mut there: Vec<String> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        there.sort();
        let mut expected: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        expected.sort();
        assert_eq!(there, expected, "each name is a file, and nothing was run");
        for name in names {
            assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), "$(touch pwned)");
        }
    }
}
