//! What the language gives and what it refuses.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::workflow::StepStatus;
use crate::model::{RunId, Timestamp};

struct Fixture {
    inputs: Value,
    scan: Value,
}

impl Scope for Fixture {
    fn inputs(&self) -> &Value {
        &self.inputs
    }

    fn step(&self, id: &str) -> Option<StepScope<'_>> {
        (id == "scan").then_some(StepScope {
            output: &self.scan,
            status: StepStatus::Succeeded,
            error: None,
            input: None,
        })
    }

    fn step_ids(&self) -> Vec<String> {
        vec!["scan".to_owned()]
    }

    fn run_id(&self) -> RunId {
        RunId(uuid::Uuid::nil())
    }

    fn started_at(&self) -> Option<Timestamp> {
        Some(Timestamp(0))
    }

    fn workflow_name(&self) -> &'static str {
        "Check"
    }
}

fn fixture() -> Fixture {
    Fixture {
        inputs: json!({"path": "src", "n": 3, "none": null, "list": [1, 2, 3]}),
        scan: json!({"title": "A & B", "score": 0.5, "items": [{"name": "a"}, {"name": "b"}], "big": u64::MAX}),
    }
}

#[track_caller]
fn renders(template: Value, expected: Value) {
    assert_eq!(render(&template, &fixture()).expect("renders"), expected);
}

#[track_caller]
fn refused(template: &str, part: &str) {
    let checked = check_template(template);
    let error = match checked {
        Err(error) => error,
        Ok(_) => render(&json!(template), &fixture()).expect_err("refused"),
    };
    assert!(error.message.contains(part), "{template}: {error}");
}

#[test]
fn a_text_that_is_exactly_one_expression_keeps_the_type() {
    renders(json!("{{ inputs.n }}"), json!(3));
    renders(json!("{{ inputs.list }}"), json!([1, 2, 3]));
    renders(json!("{{ inputs.none }}"), json!(null));
    renders(json!("{{ steps.scan.output.big }}"), json!(u64::MAX));
    renders(json!(" {{- steps.scan.output.score -}} "), json!(0.5));
    renders(json!("{{ steps.scan.output['items'] | map(attribute='name') | list }}"), json!(["a", "b"]));
    renders(json!({"a": ["{{ inputs.n > 2 }}", "x{{ inputs.n }}"]}), json!({"a": [true, "x3"]}));
}

#[test]
fn a_text_with_more_becomes_text_and_structures_become_json() {
    renders(json!("{{ inputs.n }} of {{ steps.scan.output.title }}"), json!("3 of A & B"));
    renders(json!("got {{ inputs.list }} and {{ inputs.none }}"), json!("got [1,2,3] and null"));
    renders(json!("{% for i in inputs.list %}{{ i }};{% endfor %}"), json!("1;2;3;"));
    renders(json!("{{ run.started_at }} {{ workflow.name }}"), json!("1970-01-01T00:00:00Z Check"));
    renders(json!("{{ steps.scan.status }}!"), json!("succeeded!"));
    renders(json!("no template { here }"), json!("no template { here }"));
    renders(json!("{{ inputs.path | default('x') }} {{ 'abcdef' | truncate(3) }}"), json!("src abc…"));
}

#[test]
fn conditions_hold_or_not() {
    for (source, expected) in [
        ("steps.scan.output.score >= 0.5", true),
        ("inputs.list | length > 3", false),
        ("inputs.path == 'src' and not inputs.none", true),
        ("inputs.missing is defined", false),
        ("steps.scan.error is none", true),
    ] {
        assert_eq!(eval_bool(source, &fixture()), Ok(expected), "{source}");
    }
}

#[test]
fn what_is_not_defined_is_an_error_with_its_position() {
    let error = render(&json!("a\n{{ inputs.missing }} b"), &fixture()).expect_err("refused");
    assert_eq!(error.line, 2, "{error}");
    assert!(error.message.contains("not defined") || error.message.contains("undefined"), "{error}");
    let error = check_expression("1 +").expect_err("refused");
    assert_eq!(error.line, 1);
    assert!(eval("inputs.missing", &fixture()).is_err());
    assert!(eval("steps.other.output", &fixture()).is_err());
}

#[test]
fn a_checked_template_tells_what_it_mentions() {
    let refs =
        check_template("{{ inputs.path }} {{ steps.scan.output.title }} {{ steps.scan.status }} {{ steps.b.output }}");
    let refs = refs.expect("fits");
    assert_eq!(refs.steps().collect::<Vec<_>>(), ["b", "scan"]);
    assert_eq!(refs.inputs().collect::<Vec<_>>(), ["path"]);
    assert!(check_template("plain").expect("fits").paths.is_empty());
    let (at, _) = check_value(&json!({"a": [0, "{{ nope }}"]})).expect_err("refused");
    assert_eq!(at, "/a/1");
}

#[test]
fn template_injections_of_other_engines_are_refused() {
    for attack in [
        "{{ this.process.mainModule.require('child_process').execSync('id') }}",
        "{{ $json.constructor.constructor('return process')() }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ config.__class__.__init__.__globals__['os'].popen('id').read() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ request.application }}",
        "{{ range.constructor('return 1')() }}",
        "{{ inputs.__class__ }}",
        "{{ inputs.constructor }}",
        "{{ ''|attr('__class__') }}x",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}",
        "{% set x = 1 %}",
        "${7*7}{{ 7*'7' }}{{ constructor }}",
        "{{ debug() }}",
        "{{ namespace() }}",
        "{{ 'x' | pprint }}",
        "{{ 'a' | indent(99999999999) }}",
        "{{ 'a' | nosuchfilter }}",
        "{{ 1 is nosuchtest }}",
    ] {
        refused(attack, "");
    }
    refused("{{ this.process.mainModule }}", "unknown name \"this\"");
    refused("{{ 'a' | shell }}", "unknown filter");
}

#[test]
fn what_would_take_too_long_or_too_much_is_refused() {
    refused("{% for a in range(10000) %}{% for b in range(10000) %}{{ b }}{% endfor %}{% endfor %}", "too long");
    refused("{{ 'x' * 90000000 }}", "at most");
    refused("{{ 'x' * 900000000 }}", "too large");
    refused("{{ (inputs.list | join('x')) | replace('', 'y' * 9000000) }}", "too large");
    refused(&format!("{{{{ {}1{} }}}}", "(".repeat(400), ")".repeat(400)), "");
    refused(&format!("{{{{ {} }}}}", "1+".repeat(40_000)), "at most");
}

#[test]
fn values_by_their_names_are_all_that_is_seen_where_there_is_no_run() {
    const NAMES: &[&str] = &["tool", "arguments"];
    let (tool, arguments) = (json!("shell"), json!({"script": "ls", "run": 7}));
    let scope = Named::new(NAMES, [("tool", &tool), ("arguments", &arguments)]);
    assert_eq!(eval("tool ~ arguments.run", &scope).unwrap(), "shell7");
    for source in ["run.id", "inputs", "event.x", "steps", "workflow.name", "other"] {
        assert!(eval(source, &scope).unwrap_err().message.contains("expected one of tool, arguments"), "{source}");
        assert!(check_expression_of(source, NAMES).is_err(), "{source}");
        assert!(check_template_of(&format!("a {{{{ {source} }}}}"), NAMES).is_err(), "{source}");
    }
    assert!(check_expression("tool == 'shell'").is_err(), "a run has no such name");
    let named = Named::new(NAMES, [("tool", &tool)]);
    assert!(eval("arguments.script", &named).is_err(), "a name without a value is not defined");
    let long = json!("{% for n in range(30000) %}{{ n }}{% endfor %}");
    assert!(render(&long, &scope).unwrap_err().message.contains("too long"));
    assert!(render(&long, &fixture()).is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(source in "\\PC{0,80}") {
        let _ = check_template(&source);
        let _ = check_expression(&source);
        let _ = render(&json!(source), &fixture());
    }

    #[test]
    fn no_token_soup_makes_it_panic(parts in proptest::collection::vec(proptest::sample::select(vec![
        "{{", "}}", "{%", "%}", "{#", "#}", "inputs", ".", "list", "[", "]", "|", "map", "(", ")", "'a'", "1", "-", "*", "if",
        "for", "in", "endfor", "endif", "is", "not", "defined", "~", ",", ":", "{", "}", " ", "\"", "é", "\\", "loop", "range",
    ]), 0..24)) {
        let source = parts.concat();
        let _ = check_template(&source);
        let _ = render(&json!(source), &fixture());
    }
}
