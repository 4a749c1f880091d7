//! Who may work: at most so many slots at once, by priority, and each run in its turn, so that a wide run does not keep
//! the others waiting.
//!
//! The order is kept: a step that needs several slots waits at the head until they are free, and nobody behind it slips
//! in, else it would wait for ever.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use crate::model::{RunId, Timestamp};

/// The queue; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Queue(Arc<Mutex<Inner>>);

/// Who wants to work, and how many slots that takes.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) run: RunId,
    pub(super) step: String,
    /// More than there are counts as all.
    pub(super) cost: u32,
    /// 9 is first.
    pub(super) priority: u8,
    pub(super) since: Timestamp,
}

/// A step in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workflow) struct Waiting {
    pub(in crate::workflow) step: String,
    pub(in crate::workflow) since: Timestamp,
    pub(in crate::workflow) position: u32,
    pub(in crate::workflow) cost: u32,
}

#[derive(Debug)]
struct Inner {
    free: u32,
    total: u32,
    levels: BTreeMap<Reverse<u8>, Level>,
}

/// Those of one priority.
#[derive(Debug, Default)]
struct Level {
    waiting: HashMap<RunId, VecDeque<(Ticket, oneshot::Sender<()>)>>,
    /// The runs with somebody waiting, whose turn is next first.
    turns: VecDeque<RunId>,
}

/// The right to work; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    queue: Queue,
    cost: u32,
}

impl Queue {
    pub(super) fn new(slots: u32) -> Self {
        Self(Arc::new(Mutex::new(Inner { free: slots, total: slots, levels: BTreeMap::new() })))
    }

    /// Waits for its slots. Safe to drop.
    pub(super) async fn enter(&self, mut ticket: Ticket) -> Permit {
        let (call, called) = oneshot::channel();
        let cost = {
            let mut inner = self.lock();
            ticket.cost = ticket.cost.clamp(1, inner.total);
            let cost = ticket.cost;
            if inner.levels.is_empty() && inner.free >= cost {
                inner.free -= cost;
                return Permit { queue: self.clone(), cost };
            }
            inner.push(ticket, call);
            inner.call();
            cost
        };
        // The slots stay taken on the way from the one who leaves to the one who is called.
        Called { queue: self, cost, answer: Some(called) }.wait().await;
        Permit { queue: self.clone(), cost }
    }

    /// The steps of a run that wait, how many slots are taken, and how many there are.
    pub(super) fn look(&self, run: RunId) -> (Vec<Waiting>, u32, u32) {
        let inner = self.lock();
        let mut found = Vec::new();
        let mut before = 0;
        for level in inner.levels.values() {
            found.extend(level.look(run, before));
            before += level.waiting.values().map(VecDeque::len).sum::<usize>();
        }
        (found, inner.total - inner.free, inner.total)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().expect("no code panics while it holds this lock")
    }

    fn leave(&self, cost: u32) {
        let mut inner = self.lock();
        inner.free += cost;
        inner.call();
    }
}

impl Inner {
    fn push(&mut self, ticket: Ticket, call: oneshot::Sender<()>) {
        let level = self.levels.entry(Reverse(ticket.priority)).or_default();
        let run = ticket.run;
        let waiting = level.waiting.entry(run).or_default();
        waiting.push_back((ticket, call));
        if waiting.len() == 1 {
            level.turns.push_back(run);
        }
    }

    /// Calls those whose turn it is, as far as the slots reach.
    fn call(&mut self) {
        while let Some(mut entry) = self.levels.first_entry() {
            let level = entry.get_mut();
            let Some(run) = level.turns.front().copied() else {
                entry.remove();
                continue;
            };
            let next = level.waiting.get(&run).and_then(VecDeque::front);
            let Some((gone, cost)) = next.map(|(ticket, call)| (call.is_closed(), ticket.cost)) else {
                level.turns.pop_front();
                continue;
            };
            if !gone && cost > self.free {
                return;
            }
            if let Some((_, call)) = level.take(run)
                && call.send(()).is_ok()
            {
                self.free -= cost;
            }
        }
    }
}

impl Level {
    /// Takes the first of a run whose turn it is; the run's next turn comes after those of the others.
    fn take(&mut self, run: RunId) -> Option<(Ticket, oneshot::Sender<()>)> {
        self.turns.pop_front();
        let waiting = self.waiting.get_mut(&run)?;
        let taken = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&run);
        } else {
            self.turns.push_back(run);
        }
        taken
    }

    /// The places of a run's steps, `before` of which stand in front of the whole level.
    fn look(&self, run: RunId, before: usize) -> Vec<Waiting> {
        let (Some(own), Some(turn)) = (self.waiting.get(&run), self.turns.iter().position(|other| *other == run))
        else {
            return Vec::new();
        };
        let place = |depth: usize| {
            let served = |(other, run): (usize, &RunId)| {
                let rounds = depth + usize::from(other < turn);
                self.waiting.get(run).map_or(0, VecDeque::len).min(rounds)
            };
            before + self.turns.iter().enumerate().map(served).sum::<usize>() + 1
        };
        let step = |(depth, (ticket, _)): (usize, &(Ticket, oneshot::Sender<()>))| Waiting {
            step: ticket.step.clone(),
            since: ticket.since,
            position: u32::try_from(place(depth)).unwrap_or(u32::MAX),
            cost: ticket.cost,
        };
        own.iter().enumerate().filter(|(_, (_, call))| !call.is_closed()).map(step).collect()
    }
}

/// Somebody in the queue. When dropped after the call and before the answer, the slots go to the next.
struct Called<'a> {
    queue: &'a Queue,
    cost: u32,
    answer: Option<oneshot::Receiver<()>>,
}

impl Called<'_> {
    async fn wait(mut self) {
        if let Some(answer) = self.answer.as_mut() {
            // The sender stands in the queue, which this holds: it is never dropped unsent.
            let _ = answer.await;
            self.answer = None;
        }
    }
}

impl Drop for Called<'_> {
    fn drop(&mut self) {
        if let Some(mut answer) = self.answer.take() {
            answer.close();
            if answer.try_recv().is_ok() {
                self.queue.leave(self.cost);
            } else {
                // Whoever stood behind it may be next now.
                self.queue.lock().call();
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.queue.leave(self.cost);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;

    use futures::poll;

    use super::*;

    fn run(n: u128) -> RunId {
        RunId(uuid::Uuid::from_u128(n))
    }

    fn ticket(n: u128, cost: u32, priority: u8) -> Ticket {
        Ticket { run: run(n), step: format!("s{n}"), cost, priority, since: Timestamp(0) }
    }

    /// Somebody who has asked to enter.
    async fn ask(queue: &Queue, ticket: Ticket) -> Pin<Box<impl Future<Output = Permit>>> {
        let mut entering = Box::pin(queue.enter(ticket));
        assert!(poll!(&mut entering).is_pending());
        entering
    }

    #[tokio::test]
    async fn each_run_has_its_turn() {
        let queue = Queue::new(1);
        let first = queue.enter(ticket(1, 1, 5)).await;
        let wide_a = ask(&queue, ticket(1, 1, 5)).await;
        let mut wide_b = ask(&queue, ticket(1, 1, 5)).await;
        let other = ask(&queue, ticket(2, 1, 5)).await;
        let places = queue.look(run(1)).0.into_iter().map(|waiting| waiting.position).collect::<Vec<_>>();
        assert_eq!((places, queue.look(run(2)).0[0].position), (vec![1, 3], 2));
        drop(first);
        drop(wide_a.await);
        assert!(poll!(&mut wide_b).is_pending(), "the other run is next");
        drop(other.await);
        drop(wide_b.await);
        assert_eq!(queue.lock().free, 1);
    }

    #[tokio::test]
    async fn one_who_leaves_the_queue_gives_the_place_on() {
        let queue = Queue::new(1);
        let first = queue.enter(ticket(1, 1, 5)).await;
        let gone = ask(&queue, ticket(2, 1, 5)).await;
        let next = ask(&queue, ticket(3, 1, 5)).await;
        drop(first);
        drop(gone);
        drop(next.await);
        assert_eq!(queue.lock().free, 1);
    }

    #[tokio::test]
    async fn the_higher_priority_is_called_first() {
        let queue = Queue::new(1);
        let first = queue.enter(ticket(1, 1, 5)).await;
        let mut low = ask(&queue, ticket(2, 1, 1)).await;
        let high = ask(&queue, ticket(3, 1, 9)).await;
        assert_eq!(queue.look(run(2)).0[0].position, 2);
        drop(first);
        let high = high.await;
        assert!(poll!(&mut low).is_pending());
        drop(high);
        drop(low.await);
    }

    #[tokio::test]
    async fn a_step_of_several_slots_waits_for_all_and_is_not_overtaken() {
        let queue = Queue::new(3);
        let (a, b) = (queue.enter(ticket(1, 1, 5)).await, queue.enter(ticket(2, 1, 5)).await);
        let mut heavy = ask(&queue, ticket(3, 3, 5)).await;
        let mut light = ask(&queue, ticket(4, 1, 5)).await;
        drop(a);
        assert!(poll!(&mut heavy).is_pending());
        assert!(poll!(&mut light).is_pending(), "the free slots are kept for the heavy step");
        drop(b);
        drop(heavy.await);
        drop(light.await);
        assert_eq!(queue.look(run(9)), (Vec::new(), 0, 3));
    }

    #[tokio::test]
    async fn a_step_of_more_slots_than_there_are_takes_all() {
        let queue = Queue::new(2);
        let heavy = queue.enter(ticket(1, 100, 5)).await;
        assert_eq!(queue.look(run(1)).1, 2);
        let light = ask(&queue, ticket(2, 1, 5)).await;
        drop(heavy);
        drop(light.await);
    }

    #[tokio::test]
    async fn who_gives_up_at_the_head_lets_those_behind_in() {
        let queue = Queue::new(2);
        let busy = queue.enter(ticket(1, 1, 5)).await;
        let heavy = ask(&queue, ticket(2, 2, 5)).await;
        let light = ask(&queue, ticket(3, 1, 5)).await;
        drop(heavy);
        let light = light.await;
        drop((busy, light));
        assert_eq!(queue.lock().free, 2);
    }
}
