//! Attacks on agents, their tools and the people who are asked about them: a model that does all that a stranger tells it, and what
//! nevertheless holds. `docs/security.md` lists which attack is which test.

mod approvals;
mod handed_on;
mod links;
mod tools;

use std::path::Path;

use serde_json::{Value, json};
use weft::model::agent::{AgentSpec, AgentTool, Rule, Ruling};
use weft::runtime::sandbox;

use crate::gateway::agents::spec;
use crate::gateway::upstream::{Reply, Upstream};

/// What must not leave, and nobody may read who should not.
const SECRET: &str = "sk-loom-7391";

/// Files and scripts are behind walls, which the program itself builds.
fn behind_walls() {
    let helper = Some(env!("CARGO_BIN_EXE_weft").into());
    sandbox::install(sandbox::Settings { helper, ..sandbox::Settings::default() });
}

/// Lets an agent do all that its tools can.
fn allowing() -> Rule {
    Rule { tool: None, matching: String::new(), after_untrusted: false, ruling: Ruling::Allow }
}

/// Works in a folder of the server, and nobody is asked.
fn in_folder(folder: &Path, tools: &[AgentTool]) -> AgentSpec {
    AgentSpec { folder: folder.display().to_string(), rules: vec![allowing()], ..spec(tools) }
}

/// An answer that calls tools by these names, with these ids.
fn naming(calls: &[(&str, &str, Value)]) -> Reply {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "real-name", "choices": choices, "usage": usage});
        format!("data: {chunk}\n\n")
    };
    let call = |(at, (id, name, arguments)): (usize, &(&str, &str, Value))| json!({"index": at, "id": id, "type": "function", "function": {"name": name, "arguments": arguments.to_string()}});
    let all: Vec<Value> = calls.iter().enumerate().map(call).collect();
    let mut text = chunk(json!([{"index": 0, "delta": {"tool_calls": all}, "finish_reason": null}]), Value::Null);
    text.push_str(&chunk(json!([{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]), Value::Null));
    text.push_str(&chunk(json!([]), json!({"prompt_tokens": 1000, "completion_tokens": 100})));
    text.push_str("data: [DONE]\n\n");
    Reply::Events(text)
}

/// What the tools gave, as the model was told it with this call.
fn results(upstream: &Upstream, call: usize) -> Vec<String> {
    let body = upstream.seen()[call].body.clone();
    let messages = body["messages"].as_array().unwrap();
    let given = messages.iter().filter(|message| message["role"] == "tool");
    given.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}
