//! Names by number, and the names of what filters can ask for.

use std::collections::HashMap;

use serde_json::Value;

use crate::model::memory::{Entry, Source};

/// Names by number, of which there are few.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    pub names: Vec<String>,
}

impl Names {
    /// The number of a name, new if need be.
    pub fn intern(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The number of a name that some entry has or had.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }
}

/// Longest fact that filters can ask for, in bytes; longer values of metadata are not filterable.
const MAX_FACT_BYTES: usize = 512;

/// What an entry can be filtered by, besides its namespace and its times.
pub(super) fn facts(entry: &Entry) -> Vec<String> {
    let mut facts: Vec<String> = entry.tags.iter().map(|tag| of_tag(tag)).collect();
    facts.extend(entry.group.iter().map(|group| of_group(group)));
    facts.extend(entry.metadata.iter().filter_map(|(key, value)| of_metadata(key, value)));
    match &entry.source {
        Source::User { name } => facts.extend([of_source("user"), of_source(&format!("user:{name}"))]),
        Source::Run { run_id, .. } => facts.extend([of_source("run"), of_source(&format!("run:{run_id}"))]),
        Source::Import { name } => {
            facts.push(of_source("import"));
            facts.extend(name.iter().map(|name| of_source(&format!("import:{name}"))));
        }
        Source::Cli {} => facts.push(of_source("cli")),
        Source::Expiry {} => {}
    }
    facts.sort();
    facts.dedup();
    facts
}

/// Whether a fact of the metadata can be asked for.
pub(in crate::memory) fn is_filterable(key: &str, value: &Value) -> bool {
    of_metadata(key, value).is_some()
}

/// The name of having a tag.
pub(super) fn of_tag(tag: &str) -> String {
    format!("t{tag}")
}

/// The name of being in a group.
pub(super) fn of_group(group: &str) -> String {
    format!("g{group}")
}

/// The name of where a version came from: `user`, `user:NAME`, `run`, `run:ID`, `import`, `import:NAME` or `cli`.
pub(super) fn of_source(source: &str) -> String {
    format!("s{source}")
}

/// The name of a fact of the metadata: a text, a number, true, false or null; `None` for anything else and what is too long.
pub(super) fn of_metadata(key: &str, value: &Value) -> Option<String> {
    if value.is_array() || value.is_object() {
        return None;
    }
    let name = format!("m{key}\0{value}");
    (name.len() <= MAX_FACT_BYTES).then_some(name)
}
