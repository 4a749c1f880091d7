//! What would happen: a call of a tool, ruled about by the very function that rules on the server.

use leptos::prelude::*;
use serde_json::Value;

use super::form::Form;
use super::words::{sentence, tone, verdict};
use crate::model::agent::{AgentSpec, AgentTool, Ruled};
use crate::ui::components::{Badge, Card, Checkbox, Choice, Select, TextArea, Tone};
use crate::ui::format;

/// A call to begin with.
pub(super) const fn example(tool: AgentTool) -> &'static str {
    match tool {
        AgentTool::HttpRequest => r#"{"method": "POST", "url": "https://api.example.org/items"}"#,
        AgentTool::MemorySearch => r#"{"query": "how releases are made"}"#,
        AgentTool::MemoryRead => r#"{"namespace": "decisions", "key": "releases"}"#,
        AgentTool::MemoryWrite => r#"{"namespace": "decisions", "key": "releases", "content": "Every other week."}"#,
        AgentTool::Shell => r#"{"script": "ls"}"#,
        AgentTool::ListFiles => r#"{"folder": "src"}"#,
        AgentTool::ReadFile => r#"{"path": "README.md"}"#,
        AgentTool::SearchFiles => r#"{"pattern": "TODO"}"#,
        AgentTool::AnalyzeCode => r#"{"path": "src"}"#,
        AgentTool::OutlineCode => r#"{"path": "src"}"#,
        AgentTool::FindSymbol => r#"{"name": "main"}"#,
        AgentTool::WriteFile => r#"{"path": "notes.md", "content": "Woven."}"#,
        AgentTool::EditFile => r#"{"path": "notes.md", "find": "Woven", "replace": "Sewn"}"#,
        AgentTool::ShowChanges => r#"{"since": "last_commit"}"#,
        AgentTool::CommitChanges => r#"{"message": "loom: thread the needle"}"#,
        AgentTool::PublishChanges => r#"{"message": "loom: thread the needle"}"#,
        AgentTool::RunWorkflow => r#"{"workflow": "Release", "inputs": {}}"#,
        AgentTool::AskAgent => r#"{"agent": "reviewer", "task": "Review the change."}"#,
        AgentTool::HandOver => r#"{"agent": "writer", "task": "Write it up."}"#,
        AgentTool::AskPerson => r#"{"question": "May I?"}"#,
        AgentTool::LeaseTake => r#"{"kind": "file", "name": "notes.md"}"#,
        AgentTool::LeaseRelease => r#"{"kind": "file", "name": "notes.md"}"#,
        AgentTool::SendMessage => r#"{"to": "reviewer", "kind": "question", "body": "Is it ready?"}"#,
        AgentTool::ReadMessages => r#"{"wait_seconds": 30}"#,
        AgentTool::SetTopology => r#"{"topology": "mesh"}"#,
    }
}

#[component]
pub(super) fn Trial(form: RwSignal<Form>) -> impl IntoView {
    let chosen = form.with_untracked(|form| form.tools.clone());
    // What acts is worth trying first.
    let first = [AgentTool::Shell, AgentTool::HttpRequest].into_iter().find(|tool| chosen.contains(tool));
    let tool = RwSignal::new(first.or_else(|| chosen.first().copied()).unwrap_or(AgentTool::Shell));
    let arguments = RwSignal::new(example(tool.get_untracked()).to_owned());
    let has_read_strangers = RwSignal::new(false);
    let choose = move |name: String| {
        if let Some(new) = AgentTool::parse(&name) {
            // What a person wrote stays; an example gives way to the next.
            if arguments.with_untracked(|text| text == example(tool.get_untracked())) {
                arguments.set(example(new).to_owned());
            }
            tool.set(new);
        }
    };
    let value = (Signal::derive(move || tool.get().as_str().to_owned()), Callback::new(choose));
    let choices = AgentTool::ALL.map(|one| Choice::new(one.as_str(), one.label())).to_vec();
    let spec = Memo::new(move |_| form.with(|form| form.draft().spec));
    let is_given = Memo::new(move |_| form.with(|form| form.tools.contains(&tool.get())));
    let told = move || {
        let (tool, is_given) = (tool.get(), is_given.get());
        let (arguments, is_tainted) = (arguments.get(), has_read_strangers.get());
        spec.with(|spec| tell(spec, tool, &arguments, is_tainted, is_given))
    };
    view! {
        <Card id="agent-trial" title="What would happen?">
            <div class="form wide">
                <div class="grid pair">
                    <div class="stack">
                        <Select id="trial-tool" label="If it called" value choices=Signal::stored(choices) />
                        <Checkbox id="trial-strangers" label="after it read what strangers may have written" value=has_read_strangers />
                    </div>
                    <TextArea id="trial-arguments" label="With (JSON)" rows=3 mono=true value=arguments />
                </div>
                <div class="row wrap" role="status">
                    {move || {
                        let (word, tone, text) = told();
                        view! { <Badge label=word tone /><span class="grow wrapped">{text}</span> }
                    }}
                </div>
            </div>
        </Card>
    }
}

/// In a word, its tone, and why.
fn tell(
    spec: &AgentSpec,
    tool: AgentTool,
    arguments: &str,
    is_tainted: bool,
    is_given: bool,
) -> (String, Tone, String) {
    let arguments = match serde_json::from_str::<Value>(arguments) {
        Ok(value) if value.is_object() => value,
        Ok(_) => return ("?".to_owned(), Tone::Plain, "A tool is called with an object: { … }.".to_owned()),
        Err(error) => return ("?".to_owned(), Tone::Plain, format!("This is not JSON yet: {error}.")),
    };
    let Ruled { ruling, rule } = spec.decide(tool, &arguments, is_tainted);
    let why = match rule {
        Some(at) => format!("Rule {} decides. {}", at + 1, sentence(&spec.rules[at])),
        None => format!("No rule fits, so {}.", verdict(ruling)),
    };
    let why = if is_given { why } else { format!("{why} But this tool is not ticked above: it can't call it at all.") };
    (format::sentence(ruling.label()).trim_end_matches('.').to_owned(), tone(ruling), why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::{Rule, Ruling};

    #[test]
    fn the_rule_that_decides_is_named() {
        let deny = Rule {
            tool: Some(AgentTool::Shell),
            matching: "rm *-rf".into(),
            after_untrusted: false,
            ruling: Ruling::Deny,
        };
        let spec = AgentSpec { rules: vec![deny], ..AgentSpec::new("You weave.") };
        let told = |text: &str| tell(&spec, AgentTool::Shell, text, false, true);
        let (word, tone, why) = told(r#"{"script": "rm x -rf"}"#);
        assert_eq!((word.as_str(), tone), ("Deny", Tone::Bad));
        assert!(why.starts_with("Rule 1 decides. Shell"), "{why}");
        assert_eq!(told(r#"{"script": "ls"}"#).2, "No rule fits, so a person is asked first.");
        assert!(told("{").2.starts_with("This is not JSON yet"));
        assert!(told("[]").2.contains("object"));
    }

    #[test]
    fn every_example_is_a_call_of_its_tool() {
        for tool in AgentTool::ALL {
            let example: Value = serde_json::from_str(example(tool)).unwrap();
            let schema = tool.schema();
            for name in schema["required"].as_array().unwrap() {
                assert!(example.get(name.as_str().unwrap()).is_some(), "{tool:?} lacks {name}");
            }
            let known = schema["properties"].as_object().unwrap();
            assert!(example.as_object().unwrap().keys().all(|name| known.contains_key(name)), "{tool:?}");
        }
    }
}
