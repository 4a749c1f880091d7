//! Tests of personas: variables, occasions, priorities and what is refused.

use super::*;

fn persona(name: &str, words: &[&str], when: &str, priority: u8) -> Persona {
    Persona {
        name: name.to_owned(),
        text: format!("Work as the {name}."),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        when: when.to_owned(),
        priority,
        adds: false,
    }
}

fn variable(name: &str, default: Option<&str>) -> Variable {
    Variable { name: name.to_owned(), default: default.map(str::to_owned) }
}

fn agent(personas: Vec<Persona>) -> AgentSpec {
    AgentSpec { personas, ..AgentSpec::new("You weave.") }
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn taken(spec: &AgentSpec, task: &str) -> (String, Vec<String>) {
    let taken = spec.take_persona(task, &BTreeMap::new()).unwrap();
    (taken.text, names(taken.chosen))
}

fn names(chosen: Option<Chosen>) -> Vec<String> {
    chosen.map(|chosen| chosen.names).unwrap_or_default()
}

#[test]
fn an_agent_without_variables_says_what_is_written() {
    let spec = AgentSpec::new("Write {{ in braces }}, as it is. {% raw");
    let taken = spec.take_persona("Weave.", &BTreeMap::new()).unwrap();
    assert_eq!((taken.text.as_str(), taken.chosen), ("Write {{ in braces }}, as it is. {% raw", None));
}

#[test]
fn a_variable_is_what_the_task_says_or_what_stands_there_by_itself() {
    let spec = AgentSpec {
        variables: vec![variable("customer", None), variable("language", Some("English"))],
        ..AgentSpec::new("You work for {{ inputs.customer }} in {{ inputs.language }}.")
    };
    let text = |pairs: &[(&str, &str)]| spec.take_persona("Weave.", &given(pairs)).map(|taken| taken.text);
    assert_eq!(text(&[("customer", "Acme")]).unwrap(), "You work for Acme in English.");
    assert_eq!(
        text(&[("customer", "{{ inputs.language }}"), ("language", "German")]).unwrap(),
        "You work for {{ inputs.language }} in German.",
        "a value is not a template"
    );
    assert_eq!(text(&[]).unwrap_err().pointer, "/variables/customer");
    let unknown = text(&[("customer", "Acme"), ("colour", "red")]).unwrap_err();
    assert_eq!(
        (unknown.pointer.as_str(), unknown.message.as_str()),
        ("/variables/colour", "expected a variable of the agent: customer, language")
    );
    assert_eq!(text(&[("customer", "a\0b")]).unwrap_err().pointer, "/variables/customer");
    assert!(text(&[("customer", &"x".repeat(MAX_VALUE))]).is_ok());
    assert_eq!(text(&[("customer", &"x".repeat(MAX_VALUE + 1))]).unwrap_err().pointer, "/variables/customer");
}

#[test]
fn words_stand_on_their_own_in_any_case() {
    let spec = agent(vec![persona("reviewer", &["review", "c++", "\u{00fc}ber"], "", 5)]);
    for task in ["Review it.", "a REVIEW, please", "port the C++ part", "\u{00dc}ber Nacht"] {
        assert_eq!(taken(&spec, task), ("Work as the reviewer.".to_owned(), vec!["reviewer".to_owned()]), "{task}");
    }
    for task in ["reviewers", "preview", "c", "gegen\u{00fc}ber"] {
        assert_eq!(taken(&spec, task), ("You weave.".to_owned(), Vec::new()), "{task}");
    }
}

#[test]
fn a_condition_sees_the_task_and_the_variables() {
    let spec = AgentSpec {
        variables: vec![variable("language", Some("en"))],
        ..agent(vec![persona("german", &[], r#"inputs.language == "de" and "loom" in inputs.task"#, 5)])
    };
    let chosen = |task: &str, pairs: &[(&str, &str)]| names(spec.take_persona(task, &given(pairs)).unwrap().chosen);
    assert_eq!(chosen("Thread the loom.", &[("language", "de")]), ["german"]);
    assert_eq!(chosen("Thread the loom.", &[]), [""; 0]);
    assert_eq!(chosen("Sew.", &[("language", "de")]), [""; 0]);
}

#[test]
fn words_and_a_condition_must_both_fit() {
    let spec = agent(vec![persona("short", &["weave"], "inputs.task | length < 10", 5)]);
    assert_eq!(taken(&spec, "Weave.").1, ["short"]);
    assert_eq!(taken(&spec, "Weave a very long cloth.").1, [""; 0]);
    assert_eq!(taken(&spec, "Sew.").1, [""; 0]);
}

#[test]
fn the_highest_priority_goes_first_and_the_rule_decides_between_equals() {
    let personas = || {
        vec![persona("low", &["weave"], "", 2), persona("one", &["weave"], "", 7), persona("two", &["weave"], "", 7)]
    };
    let with = |between_personas| AgentSpec { between_personas, ..agent(personas()) };
    let first = with(Conflict::First).take_persona("Weave.", &BTreeMap::new()).unwrap().chosen.unwrap();
    assert_eq!(first.names, ["one"]);
    assert_eq!(
        first.why,
        "one fits: the task says \u{201c}weave\u{201d}. 1 more of the same priority stand below it. 1 of a lower priority would fit too."
    );
    let joined = with(Conflict::Join).take_persona("Weave.", &BTreeMap::new()).unwrap();
    assert_eq!((joined.text.as_str(), names(joined.chosen).len()), ("Work as the one.\n\nWork as the two.", 2));
    let refused = with(Conflict::Refuse).take_persona("Weave.", &BTreeMap::new()).unwrap_err();
    assert_eq!(
        (refused.pointer.as_str(), refused.message.as_str()),
        ("/prompt", "expected a task that one persona fits; one, two fit equally")
    );
    assert!(with(Conflict::Refuse).take_persona("Sew.", &BTreeMap::new()).is_ok());
}

#[test]
fn one_that_adds_stands_below_the_agents_own() {
    let mut spec = agent(vec![Persona { adds: true, ..persona("careful", &["weave"], "", 5) }]);
    assert_eq!(taken(&spec, "Weave.").0, "You weave.\n\nWork as the careful.");
    spec.personas.push(persona("instead", &["weave"], "", 5));
    spec.between_personas = Conflict::Join;
    assert_eq!(taken(&spec, "Weave.").0, "Work as the careful.\n\nWork as the instead.");
}

#[test]
fn a_condition_that_fails_refuses_the_task_and_names_the_persona() {
    let spec = agent(vec![persona("odd", &[], "inputs.task | int > 3", 5)]);
    let refused = spec.take_persona("Weave.", &BTreeMap::new()).unwrap_err();
    assert_eq!(refused.pointer, "/prompt");
    assert!(refused.message.starts_with("the condition of the persona odd failed: "), "{}", refused.message);
}

#[test]
fn what_a_persona_mentions_is_there() {
    let spec = AgentSpec { variables: vec![variable("language", None)], ..AgentSpec::new("You weave.") };
    let faults = |change: fn(&mut Persona)| {
        let mut one = persona("one", &["weave"], "", 5);
        change(&mut one);
        one.faults(&spec).into_iter().map(|(field, _)| field).collect::<Vec<_>>()
    };
    assert_eq!(faults(|_| {}), [""; 0]);
    assert_eq!(faults(|one| one.words.clear()), ["words"]);
    assert_eq!(faults(|one| one.when = "inputs.language ==".into()), ["when"]);
    assert_eq!(faults(|one| one.when = "inputs.colour == 1".into()), ["when"]);
    assert_eq!(faults(|one| one.when = "run.id == 1".into()), ["when"]);
    assert_eq!(faults(|one| one.text = "{{ inputs.task }} in {{ inputs.language }}".into()), [""; 0]);
    assert_eq!(faults(|one| one.text = "{{ inputs.colour }}".into()), ["text"]);
    assert_eq!(faults(|one| one.text = "{{ inputs".into()), ["text"]);
    let plain = AgentSpec::new("You weave.");
    assert!(Persona { text: "{{ inputs".into(), ..persona("one", &["weave"], "", 5) }.faults(&plain).is_empty());
}

#[test]
fn what_holds_by_itself_is_not_written() {
    let json = serde_json::to_value(AgentSpec::new("You weave.")).unwrap();
    for field in ["variables", "personas", "between_personas"] {
        assert!(json.get(field).is_none(), "{field}");
    }
}
