//! What the variables and personas of an agent must look like.

use super::{Findings, MAX_PERSONA, expertise};
use crate::model::agent::{AgentSpec, MAX_VALUE, TASK, template_fault};

const MAX_VARIABLES: usize = 20;
const MAX_VARIABLE: usize = 40;
const MAX_PERSONAS: usize = 20;
const MAX_NAME: usize = 60;
const MAX_WHEN: usize = 2_000;

pub(super) fn personas(spec: &AgentSpec, found: &mut Findings) {
    variables(spec, found);
    if let Some(fault) = template_fault(&spec.persona, spec) {
        found.add("/spec/persona", fault);
    }
    let count = spec.personas.len();
    found.unless(count <= MAX_PERSONAS, "/spec/personas", format!("expected at most {MAX_PERSONAS}, found {count}"));
    for (index, persona) in spec.personas.iter().enumerate().take(MAX_PERSONAS) {
        let at = |field: &str| format!("/spec/personas/{index}/{field}");
        let name = persona.name.as_str();
        let fits =
            (1..=MAX_NAME).contains(&name.chars().count()) && name.trim() == name && !name.contains(char::is_control);
        let message = format!("expected 1 to {MAX_NAME} characters without blanks at the ends");
        found.unless(fits, &at("name"), message);
        let fresh = !spec.personas[..index].iter().any(|one| one.name.to_lowercase() == name.to_lowercase());
        found.unless(fresh, &at("name"), format!("{name} is there twice"));
        let says = (1..=MAX_PERSONA).contains(&persona.text.chars().count())
            && !persona.text.trim().is_empty()
            && !persona.text.contains('\0');
        let message = format!("expected 1 to {MAX_PERSONA} characters that are not all blank");
        found.unless(says, &at("text"), message);
        expertise(&at("words"), &persona.words, found);
        let short = persona.when.chars().count() <= MAX_WHEN;
        found.unless(short, &at("when"), format!("expected at most {MAX_WHEN} characters"));
        let ranked = (1..=9).contains(&persona.priority);
        found.unless(
            ranked,
            &at("priority"),
            format!("expected 1 to 9, of which 9 is first, found {}", persona.priority),
        );
        if short && says {
            for (field, message) in persona.faults(spec) {
                found.add(&at(field), message);
            }
        }
    }
}

fn variables(spec: &AgentSpec, found: &mut Findings) {
    let count = spec.variables.len();
    found.unless(count <= MAX_VARIABLES, "/spec/variables", format!("expected at most {MAX_VARIABLES}, found {count}"));
    for (index, variable) in spec.variables.iter().enumerate().take(MAX_VARIABLES) {
        let at = |field: &str| format!("/spec/variables/{index}/{field}");
        let name = variable.name.as_str();
        let fits = (1..=MAX_VARIABLE).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && name.as_bytes()[0].is_ascii_alphabetic()
            && name != TASK;
        let message = format!("expected 1 to {MAX_VARIABLE} letters, digits and _, a letter first, and not {TASK}");
        found.unless(fits, &at("name"), message);
        let fresh = !spec.variables[..index].iter().any(|one| one.name == name);
        found.unless(fresh, &at("name"), format!("{name} is there twice"));
        let is_line = |text: &String| text.chars().count() <= MAX_VALUE && !text.contains(['\0', '\n', '\r']);
        let fits = variable.default.as_ref().is_none_or(is_line);
        found.unless(fits, &at("default"), format!("expected one line of at most {MAX_VALUE} characters"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::MAX_WORD;
    use super::super::tests::refused;
    use super::*;
    use crate::model::agent::{Persona, Variable};

    fn persona(name: &str) -> Persona {
        Persona {
            name: name.to_owned(),
            text: "Work.".to_owned(),
            words: vec!["weave".to_owned()],
            when: String::new(),
            priority: 5,
            adds: false,
        }
    }

    fn variable(name: &str) -> Variable {
        Variable { name: name.to_owned(), default: None }
    }

    #[test]
    fn a_variable_has_a_name_of_its_own_that_an_expression_can_say() {
        let named =
            |names: &[&str]| refused(|agent| agent.spec.variables = names.iter().map(|name| variable(name)).collect());
        assert_eq!(named(&["customer", "a_1", &"x".repeat(40)]), [""; 0]);
        for bad in ["", "1a", "_a", "a-b", "a b", "\u{00fc}", "task", &"x".repeat(41)] {
            assert_eq!(named(&[bad]), ["/spec/variables/0/name"], "{bad}");
        }
        assert_eq!(named(&["a", "a"]), ["/spec/variables/1/name"]);
        let many: Vec<String> = (0..21).map(|n| format!("v{n}")).collect();
        assert_eq!(named(&many.iter().map(String::as_str).collect::<Vec<_>>()), ["/spec/variables"]);
        let long = |agent: &mut crate::model::agent::AgentDraft| {
            agent.spec.variables = vec![Variable { default: Some("x".repeat(MAX_VALUE + 1)), ..variable("a") }];
        };
        assert_eq!(refused(long), ["/spec/variables/0/default"]);
    }

    #[test]
    fn a_persona_of_an_agent_with_variables_is_a_template_over_them() {
        let said = |text: &str| {
            refused(|agent| {
                agent.spec.variables = vec![variable("customer")];
                text.clone_into(&mut agent.spec.persona);
            })
        };
        assert_eq!(said("You work for {{ inputs.customer }}."), [""; 0]);
        for bad in ["{{ inputs.colour }}", "{{ inputs.customer", "{{ run.id }}"] {
            assert_eq!(said(bad), ["/spec/persona"], "{bad}");
        }
    }

    #[test]
    fn every_part_of_a_persona_has_its_bounds_and_its_place() {
        let with = |change: fn(&mut Persona)| {
            refused(|agent| {
                let mut second = persona("two");
                change(&mut second);
                agent.spec.personas = vec![persona("one"), second];
            })
        };
        assert_eq!(with(|_| {}), [""; 0]);
        for (change, field) in [
            ((|one| one.name.clear()) as fn(&mut Persona), "name"),
            (|one| one.name = "ONE".into(), "name"),
            (|one| one.text = " ".into(), "text"),
            (|one| one.text = "x".repeat(20_001), "text"),
            (|one| one.words.clear(), "words"),
            (|one| one.words = vec!["x".repeat(MAX_WORD + 1)], "words/0"),
            (|one| one.when = "inputs.task ==".into(), "when"),
            (|one| one.when = "x".repeat(2_001), "when"),
            (|one| one.priority = 0, "priority"),
            (|one| one.priority = 10, "priority"),
        ] {
            assert_eq!(with(change), [format!("/spec/personas/1/{field}")], "{field}");
        }
        let many = |agent: &mut crate::model::agent::AgentDraft| {
            agent.spec.personas = (0..21).map(|n| persona(&n.to_string())).collect();
        };
        assert_eq!(refused(many), ["/spec/personas"]);
    }
}
