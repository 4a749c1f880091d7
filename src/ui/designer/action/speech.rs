//! How expressions speak of a step, `steps.scan.output`, and how they are made to speak of another.

use serde_json::Value;

use crate::model::workflow::kind::{Kind, Shape};
use crate::model::workflow::{Edge, Step};

/// What expressions say, and what they shall say instead.
#[derive(Debug, Clone)]
pub struct Speech {
    /// The step that is spoken of.
    id: String,
    /// What must follow its id: nothing, or `.output`, or `.output.key`.
    tail: String,
    /// What stands after `steps.` instead of both.
    to: String,
}

impl Speech {
    /// `steps.OLD` becomes `steps.NEW`.
    pub fn renamed(old: &str, new: &str) -> Self {
        Self { id: old.to_owned(), tail: String::new(), to: new.to_owned() }
    }

    /// `steps.ID` with this tail becomes `steps.` with `to`; without the tail it stays.
    pub fn moved(id: &str, tail: &str, to: &str) -> Self {
        Self { id: id.to_owned(), tail: tail.to_owned(), to: to.to_owned() }
    }

    /// Whether anything in the step speaks of it so.
    pub fn is_in_step(&self, step: &Step) -> bool {
        self.in_step(step) != *step
    }

    /// A step with what its expressions and those of its body say. The ids stay.
    pub fn in_step(&self, step: &Step) -> Step {
        let mut step = step.clone();
        let kind = Kind::find(&step.kind);
        for value in step.compensate.iter_mut().flat_map(|compensation| compensation.config.values_mut()) {
            *value = self.in_value(value);
        }
        for (name, value) in &mut step.config {
            let field = kind.and_then(|kind| kind.fields.iter().find(|field| field.name == name));
            *value = match (field.map(|field| &field.shape), &*value) {
                (Some(Shape::Expression), Value::String(text)) => Value::String(self.in_expression(text)),
                (Some(Shape::Cases), Value::Array(cases)) => {
                    Value::Array(cases.iter().map(|case| self.in_case(case)).collect())
                }
                _ => self.in_value(value),
            };
        }
        step.default = self.in_value(&step.default);
        if let Some(concurrency) = &mut step.concurrency {
            concurrency.key = self.in_template(&concurrency.key);
        }
        if let Some(body) = &mut step.body {
            body.steps = body.steps.iter().map(|step| self.in_step(step)).collect();
            body.edges = body.edges.iter().map(|edge| self.in_edge(edge)).collect();
            body.output = self.in_value(&body.output);
        }
        step
    }

    /// An edge with what its condition says.
    pub fn in_edge(&self, edge: &Edge) -> Edge {
        Edge { when: edge.when.as_ref().map(|when| self.in_expression(when)), ..edge.clone() }
    }

    /// JSON with what its templates say.
    pub fn in_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.in_template(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.in_value(item)).collect()),
            Value::Object(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), self.in_value(v))).collect()),
            other => other.clone(),
        }
    }

    fn in_case(&self, case: &Value) -> Value {
        let mut case = case.clone();
        if let Some(Value::String(when)) = case.get_mut("when") {
            *when = self.in_expression(when);
        }
        case
    }

    /// Inside `{{ … }}` and `{% … %}` only.
    fn in_template(&self, text: &str) -> String {
        let (mut done, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(open) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
            let close = if rest[open..].starts_with("{{") { "}}" } else { "%}" };
            let end = rest[open + 2..].find(close).map_or(rest.len(), |at| open + 2 + at + 2);
            done.push_str(&rest[..open]);
            done.push_str(&self.in_expression(&rest[open..end]));
            rest = &rest[end..];
        }
        done.push_str(rest);
        done
    }

    /// `steps.ID`, `steps["ID"]` and `steps['ID']`, with the tail.
    fn in_expression(&self, text: &str) -> String {
        let (mut done, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find("steps") {
            let (before, from) = rest.split_at(at);
            let after = &from["steps".len()..];
            let starts = !before.chars().next_back().or(done.chars().next_back()).is_some_and(is_word_or_dot);
            done.push_str(before);
            done.push_str("steps");
            rest = after;
            if let Some((said, tail)) = self.said(after).filter(|_| starts) {
                done.push_str(&said);
                rest = tail;
            }
        }
        done.push_str(rest);
        done
    }

    /// What replaces the beginning of a text that follows `steps`, and what comes after it.
    fn said<'t>(&self, after: &'t str) -> Option<(String, &'t str)> {
        let whole = |rest: &'t str| rest.strip_prefix(&*self.tail).filter(|rest| !rest.starts_with(is_word));
        let dotted = after.strip_prefix('.').and_then(|rest| rest.strip_prefix(&*self.id));
        if let Some(rest) = dotted.filter(|rest| !rest.starts_with(is_word)) {
            return Some((format!(".{}", self.to), whole(rest)?));
        }
        let quotes = ['"', '\''];
        quotes.into_iter().find_map(|quote| {
            let rest = whole(after.strip_prefix(&format!("[{quote}{}{quote}]", self.id))?)?;
            let said =
                if self.tail.is_empty() { format!("[{quote}{}{quote}]", self.to) } else { format!(".{}", self.to) };
            Some((said, rest))
        })
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word_or_dot(c: char) -> bool {
    is_word(c) || c == '.'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_follow_a_new_id_and_nothing_else_does() {
        let speech = Speech::renamed("scan", "look");
        let check = |text: &str, expected: &str| assert_eq!(speech.in_template(text), expected);
        check("{{ steps.scan.output }}", "{{ steps.look.output }}");
        check("steps.scan is text", "steps.scan is text");
        check("{{ steps.scanner.output }} {{ mysteps.scan }}", "{{ steps.scanner.output }} {{ mysteps.scan }}");
        check("{{ steps[\"scan\"].x }}{% if steps['scan'] %}", "{{ steps[\"look\"].x }}{% if steps['look'] %}");
        check("a {{ steps.scan.n + steps.scan.m", "a {{ steps.look.n + steps.look.m");
        assert_eq!(speech.in_expression("steps.scan.output > 0"), "steps.look.output > 0");
    }

    #[test]
    fn an_output_moves_and_what_else_is_said_of_the_step_stays() {
        let speech = Speech::moved("scan", ".output", "group.output.scan");
        let check = |text: &str, expected: &str| assert_eq!(speech.in_expression(text), expected);
        check("steps.scan.output.files", "steps.group.output.scan.files");
        check("steps['scan'].output", "steps.group.output.scan");
        check("steps.scan.outputs + steps.scan.status", "steps.scan.outputs + steps.scan.status");
    }
}
