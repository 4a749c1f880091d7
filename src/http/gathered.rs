//! Changes of agents, gathered for a moment: a hundred at work are told of in a few messages instead of hundreds a second.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::live::{Topic, Update};

/// The kind that is gathered.
const KIND: &str = "agents_changed";
/// Ids that one message names at most, of agents and of tasks each.
const MOST: usize = 500;

/// What is to be told of agents, and has not been yet.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The last that was taken.
    last: Option<Update>,
    count: u32,
    ids: BTreeSet<String>,
    tasks: BTreeSet<String>,
    has_leases: bool,
}

impl Gathered {
    /// Takes an update that can wait; false for any other, which is told at once.
    pub fn take(&mut self, update: &Update) -> bool {
        if update.topic != Topic::Agents || update.kind != KIND {
            return false;
        }
        let text = |name: &str| update.data.get(name).and_then(Value::as_str).map(str::to_owned);
        // Of a lease the agent does not matter: the list of leases is read anew.
        let is_of_lease = update.data.get("lease").is_some();
        self.has_leases |= is_of_lease;
        self.ids.extend(text("id").filter(|_| !is_of_lease));
        self.tasks.extend(text("task"));
        self.count += 1;
        self.last = Some(update.clone());
        true
    }

    /// Whether no more is to be waited for.
    pub fn is_full(&self) -> bool {
        self.ids.len() >= MOST || self.tasks.len() >= MOST
    }

    /// All of it as one message: as it came where only one came. `None` where nothing did.
    pub fn message(&mut self) -> Option<Update> {
        let Self { last, count, ids, tasks, has_leases } = std::mem::take(self);
        let last = last?;
        if count == 1 {
            return Some(last);
        }
        let mut data = json!({});
        for (name, all) in [("ids", ids), ("tasks", tasks)] {
            if !all.is_empty() {
                data[name] = json!(all);
            }
        }
        if has_leases {
            data["lease"] = json!(true);
        }
        Some(Update { data, ..last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(seq: i64, kind: &str, data: Value) -> Update {
        Update { topic: Topic::Agents, seq, kind: kind.to_owned(), data }
    }

    #[test]
    fn what_comes_alone_is_told_as_it_came_and_what_comes_together_at_once() {
        let mut gathered = Gathered::default();
        assert_eq!(gathered.message(), None);
        let alone = update(1, KIND, json!({"id": "a"}));
        assert!(gathered.take(&alone));
        assert_eq!(gathered.message(), Some(alone));
        for (seq, data) in [
            (2, json!({"id": "b"})),
            (3, json!({"id": "a"})),
            (4, json!({"id": "b"})),
            (5, json!({"task": "t"})),
            (6, json!({"id": "c", "lease": true})),
        ] {
            assert!(gathered.take(&update(seq, KIND, data)));
        }
        let told = gathered.message().unwrap();
        assert_eq!((told.seq, told.data), (6, json!({"ids": ["a", "b"], "tasks": ["t"], "lease": true})));
        assert_eq!(gathered.message(), None, "it is told once");
    }

    #[test]
    fn what_is_of_another_kind_does_not_wait() {
        let mut gathered = Gathered::default();
        assert!(!gathered.take(&update(1, "team_changed", json!({"run_id": "r"}))));
        let elsewhere = Update { topic: Topic::Runs, ..update(2, KIND, json!({"id": "a"})) };
        assert!(!gathered.take(&elsewhere));
        assert!(!gathered.is_full());
        for n in 0..MOST {
            gathered.take(&update(3, KIND, json!({"id": n.to_string()})));
        }
        assert!(gathered.is_full());
    }
}
