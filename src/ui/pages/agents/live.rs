//! Following what agents do: what is shown of them is read anew when something happened, and only what that is about.

use std::collections::BTreeSet;

use leptos::prelude::*;

use crate::model::AgentId;
use crate::model::auth::{Action, Me};
use crate::model::live::{ServerMessage, Topic};
use crate::ui::browser;
use crate::ui::state::live::follow;

/// How long changes are gathered before something is read anew, in ms; also the least time between two readings.
const GATHER_MS: i32 = 500;
/// How often what works is looked at in any case, in ms.
const LOOK_MS: i32 = 10_000;

/// What has changed since it was last read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Anything may have.
    pub all: bool,
    /// These agents, or what they are busy with.
    pub agents: BTreeSet<AgentId>,
    /// The queue of tasks.
    pub queue: bool,
    /// Leases.
    pub leases: bool,
}

impl News {
    /// That anything may have changed.
    pub(super) fn all() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// What a message of the socket tells; nothing where it is about something else.
    pub(super) fn of(message: &ServerMessage) -> Self {
        let update = match message {
            ServerMessage::Update(update) => update,
            ServerMessage::Snapshot { .. } => return Self::all(),
            ServerMessage::Pong { .. } | ServerMessage::Error { .. } => return Self::default(),
        };
        if update.kind != "agents_changed" {
            return Self::default();
        }
        let id = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<AgentId>().ok());
        let is_of_lease = update.data.get("lease").is_some();
        let one = update.data.get("id").and_then(id).filter(|_| !is_of_lease);
        let many = update.data.get("ids").and_then(serde_json::Value::as_array).into_iter().flatten().filter_map(id);
        let agents = one.into_iter().chain(many).collect();
        let is_told = |name: &str| update.data.get(name).is_some();
        Self { all: false, agents, queue: is_told("task") || is_told("tasks"), leases: is_of_lease }
    }

    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, more: Self) {
        self.all |= more.all;
        self.queue |= more.queue;
        self.leases |= more.leases;
        self.agents.extend(more.agents);
    }
}

/// Gathers news, and has them read a moment later: never twice at once.
#[derive(Clone, Copy)]
pub(super) struct Gather {
    pending: StoredValue<News>,
    is_busy: StoredValue<bool>,
    timer: browser::GuardSlot,
    read: Callback<News>,
}

impl Gather {
    /// `read` gets what changed, and must call [`Gather::done`] once it has read that.
    pub(super) fn new(read: Callback<News>) -> Self {
        let (pending, is_busy) = (StoredValue::new(News::default()), StoredValue::new(false));
        Self { pending, is_busy, timer: browser::GuardSlot::new(), read }
    }

    /// Adds news.
    pub(super) fn add(self, news: News) {
        self.pending.try_update_value(|pending| pending.add(news));
        self.arm();
    }

    /// What was asked for has been read: what came meanwhile has its turn.
    pub(super) fn done(self) {
        self.is_busy.try_set_value(false);
        self.arm();
    }

    fn arm(self) {
        let has_news = self.pending.try_with_value(|pending| !pending.is_nothing()) == Some(true);
        if !has_news || self.is_busy.try_get_value() != Some(false) {
            return;
        }
        self.is_busy.set_value(true);
        self.timer.keep(Some(browser::after_ms(GATHER_MS, move || {
            if let Some(news) = self.pending.try_update_value(std::mem::take) {
                self.read.run(news);
            }
        })));
    }
}

/// Hears what happens to agents, for as long as the caller's owner lives.
pub(super) fn hear(on: impl Fn(News) + Clone + 'static) {
    let topic = use_context::<Me>().is_some_and(|me| me.may(Action::ReadAgent)).then_some(Topic::Agents);
    follow(
        Signal::stored(topic),
        || 0,
        move |message| {
            let news = News::of(&message);
            if !news.is_nothing() {
                on(news);
            }
        },
    );
}

/// Counts, a moment later, that this agent changed or did something.
pub(super) fn count_changes_of(id: Memo<Option<AgentId>>, changed: RwSignal<u32>) {
    let timer = browser::GuardSlot::new();
    let is_due = StoredValue::new(false);
    hear(move |news| {
        let is_of_it = news.all || id.try_get_untracked().flatten().is_some_and(|id| news.agents.contains(&id));
        // What comes while one waits is part of the same reading: a busy agent must not put it off forever.
        if !is_of_it || is_due.try_get_value() != Some(false) {
            return;
        }
        is_due.set_value(true);
        timer.keep(Some(browser::after_ms(GATHER_MS, move || {
            is_due.try_set_value(false);
            changed.try_update(|n| *n += 1);
        })));
    });
}

/// Counts every few seconds while something is under way.
pub(super) fn count_while(is_busy: Memo<bool>, changed: RwSignal<u32>) {
    Effect::new(move |_| {
        if is_busy.get() {
            StoredValue::new_local(browser::every_ms(LOOK_MS, move || {
                changed.try_update(|n| *n += 1);
            }));
        }
    });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::live::Update;

    const ID: &str = "01900000-0000-7000-8000-000000000001";

    fn told(kind: &str, data: Value) -> News {
        News::of(&ServerMessage::Update(Update { topic: Topic::Agents, seq: 1, kind: kind.to_owned(), data }))
    }

    #[test]
    fn only_what_a_message_is_about_is_read_anew() {
        let id: AgentId = ID.parse().unwrap();
        assert_eq!(told("agents_changed", json!({"id": ID})).agents, BTreeSet::from([id]));
        assert_eq!(told("agents_changed", json!({"ids": [ID, ID]})).agents, BTreeSet::from([id]));
        let queue = told("agents_changed", json!({"task": ID}));
        assert!(queue.queue && queue.agents.is_empty() && !queue.all);
        let lease = told("agents_changed", json!({"id": ID, "lease": true}));
        assert!(lease.leases && lease.agents.is_empty());
        assert!(told("team_changed", json!({"run_id": ID})).is_nothing());
        assert!(News::of(&ServerMessage::Snapshot { snapshot: Topic::Agents, seq: 1, data: Value::Null }).all);
    }

    #[test]
    fn news_come_together() {
        let mut news = told("agents_changed", json!({"id": ID}));
        news.add(told("agents_changed", json!({"task": ID})));
        assert!(news.queue && news.agents.len() == 1 && !news.is_nothing());
    }
}
