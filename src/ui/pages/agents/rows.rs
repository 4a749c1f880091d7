//! The agents of the board, each with a signal of its own: what one of them does redraws that one.

use std::collections::{BTreeSet, HashMap};

use leptos::prelude::*;

use super::live::News;
use crate::api::agents::list_board;
use crate::model::AgentId;
use crate::model::agent::BoardAgent;
use crate::ui::format;

/// All of them in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub agents: u32,
    pub stopped: u32,
    pub working: u32,
    pub waiting: u32,
    /// Of those that wait, the ones that whoever looks may answer.
    pub for_me: u32,
    pub queued: u32,
    pub cost_micros: i64,
}

impl Sums {
    fn of<'a>(agents: impl Iterator<Item = &'a BoardAgent>) -> Self {
        agents.fold(Self::default(), |sums, one| Self {
            agents: sums.agents + 1,
            stopped: sums.stopped + u32::from(one.busy.is_stopped),
            working: sums.working + one.busy.working,
            waiting: sums.waiting + one.busy.waiting,
            for_me: sums.for_me + one.busy.for_me,
            queued: sums.queued + one.busy.queued,
            cost_micros: sums.cost_micros + one.cost_micros,
        })
    }

    pub(super) const fn is_any_busy(self) -> bool {
        self.working + self.waiting + self.queued > 0
    }

    /// As a sentence without its end.
    pub(super) fn words(self) -> String {
        let mut parts = vec![format::plural(i64::from(self.agents), "agent")];
        if self.stopped > 0 {
            parts.push(format!("{} stopped", self.stopped));
        }
        for (count, doing) in [(self.working, "under way"), (self.waiting, "waiting"), (self.queued, "queued")] {
            if count > 0 {
                parts.push(format!("{} {doing}", format::plural(i64::from(count), "task")));
            }
        }
        parts.push(format!("{} in 30 days", format::dollars(self.cost_micros)));
        parts.join(", ")
    }
}

/// What the board shows.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// By name.
    pub order: RwSignal<Vec<AgentId>>,
    pub sums: RwSignal<Sums>,
    each: StoredValue<HashMap<AgentId, ArcRwSignal<BoardAgent>>>,
}

impl Rows {
    pub(super) fn new(list: Vec<BoardAgent>) -> Self {
        let sums = RwSignal::new(Sums::of(list.iter()));
        let order = RwSignal::new(list.iter().map(|one| one.id).collect());
        let each = list.into_iter().map(|one| (one.id, ArcRwSignal::new(one))).collect();
        Self { order, sums, each: StoredValue::new(each) }
    }

    /// An agent of the order; `None` for one that is gone.
    pub(super) fn one(self, id: AgentId) -> Option<ArcRwSignal<BoardAgent>> {
        self.each.try_with_value(|each| each.get(&id).cloned()).flatten()
    }

    /// Those that are shown: all, or only those that wait for whoever looks. Follows what it goes by.
    pub(super) fn shown(self, only_mine: bool) -> Vec<AgentId> {
        let mut shown = self.order.get();
        if only_mine {
            shown.retain(|id| self.one(*id).is_some_and(|one| one.with(|one| one.busy.for_me > 0)));
        }
        shown
    }

    /// Those that may work.
    pub(super) fn list_working(self) -> Vec<AgentId> {
        let may_work =
            |one: &ArcRwSignal<BoardAgent>| one.with_untracked(|one| (!one.busy.is_stopped).then_some(one.id));
        self.each.with_value(|each| each.values().filter_map(may_work).collect())
    }

    /// Reads what the news are about; on an error what is shown stays.
    pub(super) async fn read(self, news: &News) {
        let wanted: Vec<AgentId> = if news.all { Vec::new() } else { news.agents.iter().copied().collect() };
        if !news.all && wanted.is_empty() {
            return;
        }
        let Ok(list) = list_board(wanted.clone()).await else { return };
        if wanted.is_empty() {
            self.take_all(list);
        } else if !self.take_some(&wanted, list)
            && let Ok(list) = list_board(Vec::new()).await
        {
            self.take_all(list);
        }
    }

    /// Takes in every agent.
    fn take_all(self, list: Vec<BoardAgent>) {
        let order: Vec<AgentId> = list.iter().map(|one| one.id).collect();
        let known: BTreeSet<AgentId> = order.iter().copied().collect();
        self.each.try_update_value(|each| each.retain(|id, _| known.contains(id)));
        for one in list {
            self.put(one);
        }
        self.count();
        // Last: what it names is there by now.
        if self.order.try_with_untracked(|shown| *shown != order) == Some(true) {
            self.order.try_set(order);
        }
    }

    /// Takes in some agents; false where that would change which there are, or their order.
    fn take_some(self, wanted: &[AgentId], list: Vec<BoardAgent>) -> bool {
        let is_known = |one: &BoardAgent| {
            self.one(one.id).and_then(|kept| kept.try_with_untracked(|kept| kept.name == one.name)) == Some(true)
        };
        if list.len() != wanted.len() || !list.iter().all(is_known) {
            return false;
        }
        for one in list {
            self.put(one);
        }
        self.count();
        true
    }

    fn put(self, one: BoardAgent) {
        match self.one(one.id) {
            Some(kept) => {
                // What is as it was redraws nothing.
                if kept.try_with_untracked(|kept| *kept != one) == Some(true) {
                    kept.try_set(one);
                }
            }
            None => {
                let (id, one) = (one.id, ArcRwSignal::new(one));
                self.each.try_update_value(|each| each.insert(id, one));
            }
        }
    }

    fn count(self) {
        let sums = self.each.try_with_value(|each| {
            let lines: Vec<BoardAgent> = each.values().filter_map(ArcRwSignal::try_get_untracked).collect();
            Sums::of(lines.iter())
        });
        if let Some(sums) = sums.filter(|sums| self.sums.try_with_untracked(|shown| shown != sums) == Some(true)) {
            self.sums.try_set(sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::Busy;

    fn agent(n: u128, name: &str, working: u32) -> BoardAgent {
        BoardAgent {
            id: AgentId(uuid::Uuid::from_u128(n)),
            name: name.to_owned(),
            description: String::new(),
            model: String::new(),
            busy: Busy { working, ..Busy::default() },
            done: 0,
            failed: 0,
            cost_micros: 100,
            latest: None,
        }
    }

    #[test]
    fn some_agents_are_taken_in_and_others_stay() {
        let owner = Owner::new();
        owner.with(|| {
            let rows = Rows::new(vec![agent(1, "anna", 0), agent(2, "ben", 0)]);
            let ben = AgentId(uuid::Uuid::from_u128(2));
            assert!(rows.take_some(&[ben], vec![agent(2, "ben", 3)]));
            assert_eq!(rows.one(ben).unwrap().get_untracked().busy.working, 3);
            assert_eq!(rows.sums.get_untracked().words(), "2 agents, 3 tasks under way, $0.00020 in 30 days");
            assert!(rows.shown(true).is_empty() && rows.shown(false).len() == 2);
            let mut asks = agent(2, "ben", 3);
            (asks.busy.for_people, asks.busy.for_me) = (1, 1);
            assert!(rows.take_some(&[ben], vec![asks]));
            assert_eq!((rows.shown(true), rows.sums.get_untracked().for_me), (vec![ben], 1));
            assert!(!rows.take_some(&[ben], vec![agent(2, "zoe", 0)]), "another name stands elsewhere");
            assert!(!rows.take_some(&[ben], Vec::new()), "it is gone");
            rows.take_all(vec![agent(3, "carl", 0), agent(2, "zoe", 0)]);
            assert_eq!(rows.order.get_untracked().len(), 2);
            assert_eq!(rows.one(ben).unwrap().get_untracked().name, "zoe");
            assert!(rows.one(AgentId(uuid::Uuid::from_u128(1))).is_none());
        });
    }
}
