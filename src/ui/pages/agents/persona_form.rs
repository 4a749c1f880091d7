//! The variables and personas on the form of an agent.

use super::form::Form;
use crate::model::agent::{Persona, Variable};

/// A persona for some tasks on the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// Tells it from the others, wherever it stands.
    pub key: u32,
    pub persona: Persona,
    /// With commas between.
    pub words: String,
}

impl Way {
    pub fn of(key: u32, persona: &Persona) -> Self {
        Self { key, words: persona.words.join(", "), persona: persona.clone() }
    }

    pub fn read(&self) -> Persona {
        let words = self.words.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
        let text = |text: &str| text.trim().to_owned();
        let persona = &self.persona;
        Persona {
            name: text(&persona.name),
            text: text(&persona.text),
            words: words.collect(),
            when: text(&persona.when),
            ..persona.clone()
        }
    }
}

impl Form {
    /// Adds a persona at the end; its key.
    pub fn add_persona(&mut self) -> u32 {
        let key = self.next_key;
        self.next_key += 1;
        let persona = Persona {
            name: String::new(),
            text: String::new(),
            words: Vec::new(),
            when: String::new(),
            priority: 5,
            adds: false,
        };
        self.personas.push(Way::of(key, &persona));
        key
    }

    /// Where a persona stands, from 0.
    pub fn place_of_persona(&self, key: u32) -> Option<usize> {
        self.personas.iter().position(|way| way.key == key)
    }

    /// Alters a persona.
    pub fn alter_persona(&mut self, key: u32, alter: impl FnOnce(&mut Way)) {
        if let Some(way) = self.personas.iter_mut().find(|way| way.key == key) {
            alter(way);
        }
    }
}

/// `name`, or `name = what holds by itself`.
pub(super) fn variable_line(variable: &Variable) -> String {
    match &variable.default {
        Some(default) => format!("{} = {default}", variable.name),
        None => variable.name.clone(),
    }
}

pub(super) fn variable(line: &str) -> Variable {
    match line.split_once('=') {
        Some((name, default)) => Variable { name: name.trim().to_owned(), default: Some(default.trim().to_owned()) },
        None => Variable { name: line.to_owned(), default: None },
    }
}
