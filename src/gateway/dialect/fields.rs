//! Takes the fields of a JSON object one after the other, naming each that does not fit. What is left is `extra`.

use serde_json::{Map, Value};

use crate::model::gateway::{Extra, Fault};

/// An object whose fields are being taken. Fields that are null count as absent.
#[derive(Debug)]
pub(super) struct Fields {
    map: Map<String, Value>,
    at: String,
}

impl Fields {
    /// The object at `at`.
    pub fn of(value: Value, at: impl Into<String>) -> Result<Self, Fault> {
        let at = at.into();
        match value {
            Value::Object(map) => Ok(Self { map, at }),
            other => Err(Fault::invalid(at, format!("expected an object, found {}", kind(&other)))),
        }
    }

    /// The pointer of a field.
    pub fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    /// Takes a field of any type.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.unfit(name, "text", &other)),
        }
    }

    /// Takes a text that must be there.
    pub fn need_text(&mut self, name: &str) -> Result<String, Fault> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// Takes a yes or no.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(self.unfit(name, "true or false", &other)),
        }
    }

    /// Takes a number.
    pub fn number(&mut self, name: &str) -> Result<Option<f64>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) => Ok(Some(number)),
                None => Err(self.unfit(name, "a number", &value)),
            },
        }
    }

    /// Takes a whole number that is not negative.
    pub fn count(&mut self, name: &str) -> Result<Option<u32>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => match value.as_u64().and_then(|number| u32::try_from(number).ok()) {
                Some(number) => Ok(Some(number)),
                None => Err(self.unfit(name, "a whole number from 0", &value)),
            },
        }
    }

    /// Takes a whole number.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(self.unfit(name, "a whole number", &value)),
            },
        }
    }

    /// Takes tokens: a whole number, 0 when absent.
    pub fn tokens(&mut self, name: &str) -> Result<i64, Fault> {
        Ok(self.integer(name)?.unwrap_or(0).max(0))
    }

    /// Takes a list.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Fault> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.unfit(name, "a list", &other)),
        }
    }

    /// Takes a list that must be there.
    pub fn need_list(&mut self, name: &str) -> Result<Vec<Value>, Fault> {
        self.list(name)?.ok_or_else(|| self.missing(name))
    }

    /// Takes a list of texts.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, Fault> {
        let at = self.at(name);
        let list = self.list(name)?.unwrap_or_default().into_iter().enumerate();
        list.map(|(index, value)| match value {
            Value::String(text) => Ok(text),
            other => Err(Fault::invalid(format!("{at}/{index}"), format!("expected text, found {}", kind(&other)))),
        })
        .collect()
    }

    /// Takes an object.
    pub fn object(&mut self, name: &str) -> Result<Option<Self>, Fault> {
        let at = self.at(name);
        self.value(name).map(|value| Self::of(value, at)).transpose()
    }

    /// Takes a field that must be there.
    pub fn need(&mut self, name: &str) -> Result<Value, Fault> {
        self.value(name).ok_or_else(|| self.missing(name))
    }

    /// What was not taken.
    pub fn rest(self) -> Extra {
        self.map.into_iter().filter(|(_, value)| !value.is_null()).collect()
    }

    fn missing(&self, name: &str) -> Fault {
        Fault::invalid(self.at(name), "this field is required")
    }

    fn unfit(&self, name: &str, expected: &str, found: &Value) -> Fault {
        Fault::invalid(self.at(name), format!("expected {expected}, found {}", kind(found)))
    }
}

/// A value's type, for people.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// An object being written: what is absent is left out.
#[derive(Debug, Default)]
pub(super) struct Built(pub Map<String, Value>);

impl Built {
    /// Adds a field, if there is a value.
    pub fn put<T: Into<Value>>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
    }

    /// Adds a field.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Adds what only this dialect knows; what has a field of its own stays.
    pub fn extend(&mut self, extra: &Extra) {
        for (name, value) in extra {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

impl From<Built> for Value {
    fn from(built: Built) -> Self {
        Self::Object(built.0)
    }
}
