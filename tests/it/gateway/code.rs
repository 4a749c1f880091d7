//! The tools that read source code: what stands where, and where a name is used.

use serde_json::json;
use weft::model::agent::{AgentSpec, AgentTool, Effect, Rule, Ruling};
use weft::runtime::sandbox;
use weft::workflow;

use super::agents::{agent, answer_of, calling, model, spec, told, words};
use super::somebody;
use crate::engine::end;

on_both_engines! {
    async fn an_agent_reads_what_stands_where_in_code_and_where_a_name_is_used(site: Site) {
        // Files are read behind the walls, which the program itself builds.
        let helper = Some(env!("CARGO_BIN_EXE_weft").into());
        sandbox::install(sandbox::Settings { helper, ..sandbox::Settings::default() });
        let ctx = somebody(&site).await;
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("src/loom.rs", "pub struct Loom;\n\nimpl Loom {\n    pub fn weave(&self) {}\n}\n");
        write("src/main.rs", "// weave it\nfn main() {\n    Loom.weave();\n}\n");
        write("web/app.ts", "export function show(yarn: string) { return weave(yarn); }\n");
        write("node_modules/a/index.js", "function weave() {}\n");
        write("README.md", "weave");
        let upstream = model(&ctx, [
            calling(&[
                ("1", AgentTool::OutlineCode, json!({})),
                ("2", AgentTool::OutlineCode, json!({"path": "src/loom.rs"})),
                ("3", AgentTool::FindSymbol, json!({"name": "weave"})),
                ("4", AgentTool::FindSymbol, json!({"name": "weave", "path": "web"})),
                ("5", AgentTool::FindSymbol, json!({"name": "nothing_at_all"})),
                ("6", AgentTool::FindSymbol, json!({"name": "a.b"})),
                ("7", AgentTool::OutlineCode, json!({"path": "nowhere"})),
                ("8", AgentTool::AnalyzeCode, json!({"path": "src"})),
            ]),
            words("Read."),
        ]).await;
        let tools = [AgentTool::OutlineCode, AgentTool::FindSymbol, AgentTool::AnalyzeCode];
        assert!(tools.iter().all(|tool| tool.effect(&json!({})) == Effect::Reads));
        let allows = Rule { tool: None, matching: String::new(), after_untrusted: true, ruling: Ruling::Allow };
        let reader = AgentSpec { folder: folder.path().display().to_string(), rules: vec![allows], ..spec(&tools) };
        let id = agent(&ctx, "reader", reader).await;
        let run = workflow::give_task(&ctx, id, "Read the code.".into(), None).await.unwrap();
        assert_eq!(answer_of(&end(&ctx, run).await)["untrusted"], json!(true), "strangers may have written it");
        let given: Vec<String> = told(&upstream, 1).into_iter().filter(|text| text.starts_with("tool")).collect();
        let all = &given[0];
        for line in ["src/loom.rs", "1-1      pub struct Loom;", "4-4        pub fn weave(&self) {}", "src/main.rs", "2-4      fn main() {", "web/app.ts"] {
            assert!(all.contains(line), "{line}: {all}");
        }
        assert!(!all.contains("node_modules") && !all.contains("README"), "{all}");
        assert!(given[1].contains("impl Loom {") && !given[1].contains("main"), "{}", given[1]);
        let found = &given[2];
        assert!(found.contains("Defined:\\nsrc/loom.rs:4: pub fn weave(&self) {}\\nUsed:\\nsrc/main.rs:3: Loom.weave();\\nweb/app.ts:1:"), "{found}");
        assert!(given[3].contains("Nowhere that was read") && !given[3].contains("loom.rs"), "{}", given[3]);
        assert!(given[4].contains("That name does not stand in the code"), "{}", given[4]);
        assert!(given[5].contains("Expected one name"), "{}", given[5]);
        assert!(given[6].contains("There is no nowhere."), "{}", given[6]);
        assert!(given[7].contains("# Code analysis") && given[7].contains("2 files with"), "{}", given[7]);
    }
}
