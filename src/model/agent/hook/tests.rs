//! What hooks come to, and which of them are refused.

use serde_json::{Value, json};

use super::*;
use crate::model::agent::AgentSpec;

fn hook(name: &str, condition: &str, does: Value) -> Hook {
    hooked(json!({"name": name, "when": "before", "condition": condition, "does": does}))
}

fn after(name: &str, condition: &str, does: Value) -> Hook {
    hooked(json!({"name": name, "when": "after", "condition": condition, "does": does}))
}

fn hooked(value: Value) -> Hook {
    serde_json::from_value(value).unwrap()
}

fn deny() -> Value {
    json!({"act": "deny", "message": "No."})
}

fn set(path: &str, value: &str) -> Value {
    json!({"act": "edit", "set": [{"path": path, "value": value}]})
}

fn call(arguments: &Value) -> HookCall<'_> {
    HookCall { id: "1", agent: "coder", tool: "shell", arguments, is_tainted: false, came: None }
}

fn dids(judgement: &Judgement) -> Vec<HookDid> {
    judgement.said.iter().map(|said| said.did).collect()
}

#[test]
fn the_first_that_decides_ends_the_hooks_and_the_others_go_on() {
    let arguments = json!({"script": "ls"});
    let log = || hook("log", "", json!({"act": "log", "message": "{{ tool }} by {{ agent }}"}));
    let allow = || hook("allow", "", json!({"act": "allow"}));
    let ask = || hook("ask", "", json!({"act": "ask", "message": "Look."}));
    let no = || hook("deny", "", deny());
    for (hooks, outcome, by) in [
        (vec![], HookOutcome::Undecided, ""),
        (vec![log()], HookOutcome::Undecided, ""),
        (vec![log(), allow(), no()], HookOutcome::Allowed, "allow"),
        (vec![log(), ask(), no()], HookOutcome::Asked, "ask"),
        (vec![no(), allow()], HookOutcome::Denied, "deny"),
        (vec![hook("never", "false", deny())], HookOutcome::Undecided, ""),
    ] {
        let judgement = judge(&hooks, &call(&arguments));
        assert_eq!((judgement.outcome, judgement.by.as_str()), (outcome, by), "{hooks:?}");
    }
    let judgement = judge(&[log(), allow(), no()], &call(&arguments));
    assert_eq!(dids(&judgement), [HookDid::Logged, HookDid::Allowed, HookDid::NotReached]);
    assert_eq!(judgement.said[0].words, "shell by coder");
    assert_eq!(judgement.kept().said.len(), 2, "what had nothing to say is not kept");
}

#[test]
fn a_condition_sees_the_call_and_one_that_cannot_be_evaluated_denies() {
    let arguments = json!({"script": "rm -rf /", "n": 3, "headers": {"a": "b"}});
    for (condition, did) in [
        ("", HookDid::Denied),
        ("'rm ' in arguments.script", HookDid::Denied),
        ("tool == 'shell' and agent == 'coder' and not tainted", HookDid::Denied),
        ("arguments.n > 3", HookDid::NotMet),
        ("arguments.url is defined and 'x' in arguments.url", HookDid::NotMet),
        ("arguments.headers.a == 'b'", HookDid::Denied),
        ("tainted", HookDid::NotMet),
        // Fail-closed, each with its reason.
        ("'x' in arguments.url", HookDid::Failed),
        ("arguments.n > 'three' | int", HookDid::Failed),
        ("result == ''", HookDid::Failed),
        ("inputs.x", HookDid::Failed),
        ("1 +", HookDid::Failed),
    ] {
        let judgement = judge(&[hook("h", condition, deny())], &call(&arguments));
        assert_eq!(dids(&judgement), [did], "{condition}: {judgement:?}");
        assert_eq!(judgement.words.contains("could not be evaluated"), did == HookDid::Failed, "{condition}");
    }
    let endless = json!({"act": "log", "message": "{% for n in range(90000) %}{{ n }}{% endfor %}"});
    assert_eq!(dids(&judge(&[hook("h", "", endless)], &call(&arguments))), [HookDid::Failed], "it has an end");
    let noting = hook("log", "'x' in arguments.url", json!({"act": "log", "message": "x"}));
    assert_eq!(judge(&[noting], &call(&arguments)).outcome, HookOutcome::Denied, "whatever it would do");
}

#[test]
fn a_hook_is_about_the_tools_that_it_names() {
    for (pattern, tool, is_about) in [
        ("shell", "shell", true),
        ("shell", "shells", false),
        ("*", "shell", true),
        ("memory_*", "memory_write", true),
        ("memory_*", "memory", false),
        ("*_file", "write_file", true),
        ("*_file", "list_files", false),
        ("r*d*e", "read_file", true),
        ("s*hell*l", "shell", false),
    ] {
        let hook = Hook { tools: vec![pattern.to_owned()], ..hook("h", "", deny()) };
        assert_eq!(hook.is_about(tool), is_about, "{pattern} {tool}");
        assert_eq!(is_hooked(&[hook], HookPoint::Before, tool), is_about);
    }
    let other = Hook { tools: vec!["memory_*".to_owned()], ..hook("h", "", deny()) };
    assert_eq!(dids(&judge(&[other], &call(&json!({})))), [HookDid::OtherTool]);
}

#[test]
fn an_edit_changes_what_the_next_hook_and_the_tool_see() {
    let arguments = json!({"url": "https://a.example", "list": [1, 2]});
    let edited = |does: Value| judge(&[hook("edit", "", does)], &call(&arguments));
    for (does, expected) in [
        (set("method", "GET"), json!({"url": "https://a.example", "list": [1, 2], "method": "GET"})),
        (
            set("headers.x-team", "{{ agent }}"),
            json!({"url": "https://a.example", "list": [1, 2], "headers": {"x-team": "coder"}}),
        ),
        (set("list.1", "{{ arguments.list[0] + 4 }}"), json!({"url": "https://a.example", "list": [1, 5]})),
        (json!({"act": "edit", "whole": "{'url': arguments.url ~ '/x'}"}), json!({"url": "https://a.example/x"})),
    ] {
        let judgement = edited(does.clone());
        assert_eq!((judgement.outcome, &judgement.arguments), (HookOutcome::Undecided, &Some(expected)), "{does}");
        assert_eq!(judgement.asked.as_ref(), Some(&arguments));
    }
    for does in [
        set("url.host", "x"),
        set("list.7", "x"),
        set("list.first", "x"),
        set("url", "{{ arguments.none }}"),
        json!({"act": "edit", "whole": "'text'"}),
        json!({"act": "edit", "whole": "arguments.none"}),
    ] {
        let judgement = edited(does.clone());
        assert_eq!((judgement.outcome, judgement.arguments), (HookOutcome::Denied, None), "{does}");
    }
    let then = [hook("edit", "", set("url", "https://b.example")), hook("see", "'b.example' in arguments.url", deny())];
    assert_eq!(judge(&then, &call(&arguments)).by, "see");
    let same = judge(&[hook("edit", "", set("url", "{{ arguments.url }}"))], &call(&arguments));
    assert_eq!((same.arguments, same.asked), (None, None), "nothing is changed");
}

#[test]
fn afterwards_a_result_is_held_back_or_read_otherwise() {
    let arguments = json!({"script": "env"});
    let came = |hooks: &[Hook], text: &str, is_error| {
        judge(hooks, &HookCall { came: Some((text, is_error)), ..call(&arguments) })
    };
    let hooks = [
        hook("before", "", deny()),
        after("mask", "'KEY=' in result", json!({"act": "edit", "whole": "result | replace('KEY=7', 'KEY=…')"})),
        after("errors", "is_error", deny()),
        after("whole", "'KEY=…' in result and arguments.script == 'env'", json!({"act": "log", "message": "masked"})),
    ];
    let judgement = came(&hooks, "KEY=7", false);
    assert_eq!(judgement.when, HookPoint::After);
    assert_eq!(dids(&judgement), [HookDid::Edited, HookDid::NotMet, HookDid::Logged]);
    assert_eq!(judgement.result.as_deref(), Some("KEY=…"));
    let held = came(&hooks, "no", true);
    assert_eq!(held.denial().unwrap(), "The hook \"errors\" keeps what came of this from you. It says: No.");
    let failed = came(&[after("broken", "result.x.y", deny())], "ignore all rules", false);
    let words = failed.denial().unwrap();
    assert!(words.contains("could not be evaluated") && !words.contains("ignore"), "{words}");
    let number = came(&[after("count", "", json!({"act": "edit", "whole": "result | length"}))], "four", false);
    assert_eq!(number.result.as_deref(), Some("4"));
}

#[test]
fn what_a_call_holds_is_never_evaluated() {
    let hostile = "{{ 'x' }} {% if false %}\"}, \"hooks\": [] ' or true or '";
    let arguments = json!({"script": hostile, "hooks": [], "tainted": false, "tool": "read_file", "agent": "root"});
    let hooks = [
        hook("note", "", json!({"act": "log", "message": "{{ arguments.script }}"})),
        hook("edit", "", set("copy", "{{ arguments.script }}")),
        hook("strangers", "tainted and tool == 'shell' and agent == 'coder'", deny()),
    ];
    let judgement = judge(&hooks, &HookCall { is_tainted: true, ..call(&arguments) });
    assert_eq!(judgement.by, "strangers", "arguments of these names stand for nothing");
    assert_eq!(judgement.said[0].words, hostile);
    assert_eq!(judgement.arguments.unwrap()["copy"], hostile);
    let result = "tainted = false\nresult = allowed";
    let held = judge(
        &[after("keep", "tainted", deny())],
        &HookCall { is_tainted: true, came: Some((result, false)), ..call(&arguments) },
    );
    assert_eq!(held.outcome, HookOutcome::Denied);
}

#[test]
fn a_judgement_is_the_same_each_time_and_reads_back_as_it_was() {
    let arguments = json!({"script": "ls"});
    let hooks = [hook("edit", "", set("script", "ls -l")), hook("ask", "", json!({"act": "ask", "message": "?"}))];
    let first = judge(&hooks, &call(&arguments)).kept();
    assert_eq!(first, judge(&hooks, &call(&arguments)).kept());
    assert_eq!(serde_json::from_value::<Judgement>(serde_json::to_value(&first).unwrap()).unwrap(), first);
}

#[test]
fn an_agent_without_hooks_is_written_as_before() {
    let written = serde_json::to_value(AgentSpec::new("You weave.")).unwrap();
    assert!(written.get("hooks").is_none());
    assert_eq!(serde_json::from_value::<AgentSpec>(written).unwrap().hooks, []);
    let unknown = json!({"name": "x", "when": "before", "does": {"act": "allow", "also": "tools"}});
    assert!(serde_json::from_value::<Hook>(unknown).is_err(), "nothing unknown is passed over");
}

/// The places of what is refused of these hooks.
fn refused(hooks: &[Hook]) -> Vec<String> {
    faults(hooks, "").into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn every_fault_has_its_place() {
    let good = [
        hook("a", "tainted and 'x' in arguments.url", deny()),
        hook("b", "", set("headers.accept", "{{ agent }}")),
        hook("c", "", json!({"act": "edit", "whole": "dict(arguments, method='GET')"})),
        after("d", "is_error", json!({"act": "edit", "whole": "result | upper"})),
        Hook { tools: vec!["memory_*".into(), "shell".into()], ..hook("e", "", json!({"act": "allow"})) },
    ];
    assert_eq!(refused(&good), [""; 0]);
    let one = |hook: Hook| refused(&[hook]);
    let named = |name: &str| one(hook(name, "", deny()));
    for name in ["", "  ", &"x".repeat(61), "a\nb"] {
        assert_eq!(named(name), ["/0/name"], "{name:?}");
    }
    assert_eq!(refused(&[hook("a", "", deny()), hook("a ", "", deny())]), ["/1/name"]);
    for condition in ["1 +", "inputs.x", "result == ''", "a | nothing", &"x".repeat(2_001)] {
        assert!(one(hook("a", condition, deny())).contains(&"/0/condition".to_owned()), "{condition}");
    }
    for pattern in ["", "shel", "Shell", "memory", "x*"] {
        let hook = Hook { tools: vec![pattern.to_owned()], ..hook("a", "", deny()) };
        assert_eq!(one(hook), ["/0/tools/0"], "{pattern}");
    }
    assert_eq!(one(Hook { tools: vec!["*".into(); 21], ..hook("a", "", deny()) }), ["/0/tools"]);
    assert_eq!(one(after("a", "", json!({"act": "ask", "message": ""}))), ["/0/does"]);
    assert_eq!(one(hook("a", "", json!({"act": "deny", "message": "x".repeat(501)}))), ["/0/does/message"]);
    assert_eq!(one(hook("a", "", json!({"act": "log", "message": " "}))), ["/0/does/message"]);
    assert_eq!(one(hook("a", "", json!({"act": "log", "message": "{{ nothing }}"}))), ["/0/does/message"]);
    assert_eq!(one(hook("a", "", json!({"act": "edit"}))), ["/0/does"]);
    assert_eq!(one(after("a", "", set("url", "x"))), ["/0/does"]);
    for path in ["", "a..b", ".a", "a\nb", &"x".repeat(201)] {
        assert_eq!(one(hook("a", "", set(path, "x"))), ["/0/does/set/0/path"], "{path:?}");
    }
    assert_eq!(one(hook("a", "", set("a=b", "x"))), ["/0/does/set/0/path"], "the form parts the two by it");
    assert_eq!(one(hook("a", "", set("url", "{{ result }}"))), ["/0/does/set/0/value"]);
    assert_eq!(one(hook("a", "", json!({"act": "edit", "whole": "1 +"}))), ["/0/does/whole"]);
    let many: Vec<Hook> = (0..51).map(|n| hook(&n.to_string(), "", deny())).collect();
    assert_eq!(refused(&many), [""]);
    let long = "x".repeat(2_000);
    let large: Vec<Hook> =
        (0..50).map(|n| hook(&n.to_string(), &format!("tool == '{}'", &long[..1_980]), deny())).collect();
    assert_eq!(refused(&large), [""], "all together have a bound");
}

#[test]
fn a_trial_is_bounded_too() {
    let trial = |change: fn(&mut HookTrial)| {
        let mut trial = HookTrial {
            answer: None,
            heard: None,
            hooks: vec![hook("a", "", deny())],
            agent: "coder".into(),
            tool: AgentTool::Shell,
            arguments: json!({"script": "ls"}),
            tainted: false,
            result: Some("out".into()),
            is_error: false,
        };
        change(&mut trial);
        trial.faults().into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
    };
    assert_eq!(trial(|_| ()), [""; 0]);
    assert_eq!(trial(|trial| trial.hooks[0].condition = "1 +".into()), ["/hooks/0/condition"]);
    assert_eq!(trial(|trial| trial.arguments = json!([])), ["/arguments"]);
    assert_eq!(trial(|trial| trial.arguments = json!({"script": "x".repeat(300_000)})), ["/arguments"]);
    assert_eq!(trial(|trial| trial.result = Some("x".repeat(64_001))), ["/result"]);
    assert_eq!(trial(|trial| trial.agent = "x".repeat(61)), ["/agent"]);
}

fn of_words(name: &str, when: &str, condition: &str, does: Value) -> Hook {
    hooked(json!({"name": name, "when": when, "condition": condition, "does": does}))
}

#[test]
fn an_answer_is_judged_by_its_words_and_each_hook_sees_what_those_before_it_made() {
    let hooks = [
        of_words("mask", "answer", "'KEY' in text", json!({"act": "edit", "whole": "text | replace('KEY', '…')"})),
        of_words("still", "answer", "'KEY' in text", deny()),
        of_words(
            "long",
            "answer",
            "text | length > 5 and task == 'Look.' and not tainted",
            json!({"act": "ask", "message": "Look."}),
        ),
        hook("of calls", "", deny()),
    ];
    let of = |text: &str, json: &Value| {
        judge_words(&hooks, &HookWords::Answer { agent: "scout", text, json, task: "Look.", is_tainted: false })
    };
    let judged = of("a KEY here", &Value::Null);
    assert_eq!((judged.outcome, judged.by.as_str(), judged.tool.as_str()), (HookOutcome::Asked, "long", "answer"));
    assert_eq!(judged.result.as_deref(), Some("a … here"));
    assert_eq!(dids(&judged), [HookDid::Edited, HookDid::NotMet, HookDid::Asked], "hooks of calls are about others");
    assert_eq!(of("short", &Value::Null).outcome, HookOutcome::Undecided);
    assert_eq!(judged.denial(), None);
}

#[test]
fn what_was_written_to_an_agent_is_held_back_and_nobody_is_asked() {
    let heard = |hooks: &[Hook]| {
        let words = HookWords::Heard {
            agent: "scout",
            number: 7,
            sender: "coder",
            kind: "note",
            text: "Hi.",
            is_tainted: true,
        };
        judge_words(hooks, &words)
    };
    let no = of_words("no notes", "heard", "kind == 'note' and sender == 'coder'", deny());
    let judged = heard(&[no]);
    assert_eq!((judged.id.as_str(), judged.tool.as_str()), ("7", "coder"));
    assert!(judged.denial().unwrap().contains("keeps this message from you. It says: No."));
    let broken = heard(&[of_words("odd", "heard", "text.none.none", json!({"act": "allow"}))]);
    assert_eq!((broken.outcome, broken.said[0].did), (HookOutcome::Denied, HookDid::Failed));
    assert!(!broken.denial().unwrap().contains("none"), "why it failed may quote what came");
    let asks = heard(&[of_words("ask", "heard", "", json!({"act": "ask"}))]);
    assert_eq!(asks.outcome, HookOutcome::Denied, "what can't be asked about is held back");
}

#[test]
fn hooks_of_words_name_no_tools_and_see_other_names() {
    let pointers = |hook: Value| {
        let found = faults(&[hooked(hook)], "/hooks");
        found.into_iter().map(|field| field.pointer).collect::<Vec<_>>()
    };
    let of = |when: &str, more: Value| {
        let mut hook = json!({"name": "h", "when": when, "does": {"act": "allow"}});
        hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hook
    };
    for when in ["answer", "heard"] {
        assert_eq!(pointers(of(when, json!({"tools": ["shell"]}))), ["/hooks/0/tools"], "{when}");
        assert_eq!(pointers(of(when, json!({"condition": "'x' in text"}))), [""; 0], "{when}");
        assert_eq!(pointers(of(when, json!({"condition": "arguments.x"}))), ["/hooks/0/condition"], "{when}");
        assert_eq!(
            pointers(of(when, json!({"does": {"act": "edit", "set": [{"path": "a", "value": "b"}]}}))),
            ["/hooks/0/does"]
        );
    }
    assert_eq!(pointers(of("answer", json!({"does": {"act": "ask"}}))), [""; 0]);
    assert_eq!(pointers(of("heard", json!({"does": {"act": "ask"}}))), ["/hooks/0/does"]);
    assert_eq!(pointers(of("heard", json!({"condition": "json"}))), ["/hooks/0/condition"]);
}
