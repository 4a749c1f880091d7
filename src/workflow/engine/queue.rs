//! Who may work: at most so many attempts at once, and each run in its turn, so that a wide run does not keep the others
//! waiting.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use crate::model::RunId;

/// The queue; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Queue(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    free: usize,
    waiting: HashMap<RunId, VecDeque<oneshot::Sender<()>>>,
    /// The runs with somebody waiting, whose turn is next first.
    turns: VecDeque<RunId>,
}

/// The right to work; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit(Queue);

impl Queue {
    pub(super) fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(Inner { free: places, waiting: HashMap::new(), turns: VecDeque::new() })))
    }

    /// Waits for a place. Safe to drop.
    pub(super) async fn enter(&self, run: RunId) -> Permit {
        loop {
            let called = {
                let mut inner = self.lock();
                if inner.free > 0 {
                    inner.free -= 1;
                    return Permit(self.clone());
                }
                let (call, called) = oneshot::channel();
                let waiting = inner.waiting.entry(run).or_default();
                waiting.push_back(call);
                if waiting.len() == 1 {
                    inner.turns.push_back(run);
                }
                called
            };
            // The place stays taken on the way from the one who leaves to the one who is called.
            let call = Called { queue: self, called: Some(called) };
            if call.wait().await {
                return Permit(self.clone());
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().expect("no code panics while it holds this lock")
    }

    fn leave(&self) {
        let mut inner = self.lock();
        while let Some(run) = inner.turns.pop_front() {
            let Some(waiting) = inner.waiting.get_mut(&run) else {
                continue;
            };
            let call = waiting.pop_front();
            if waiting.is_empty() {
                inner.waiting.remove(&run);
            } else {
                inner.turns.push_back(run);
            }
            if call.is_some_and(|call| call.send(()).is_ok()) {
                return;
            }
        }
        inner.free += 1;
    }
}

/// Somebody in the queue. When dropped after the call and before the answer, the place goes to the next.
struct Called<'a> {
    queue: &'a Queue,
    called: Option<oneshot::Receiver<()>>,
}

impl Called<'_> {
    async fn wait(mut self) -> bool {
        let Some(called) = self.called.as_mut() else {
            return false;
        };
        let came = called.await.is_ok();
        self.called = None;
        came
    }
}

impl Drop for Called<'_> {
    fn drop(&mut self) {
        if let Some(mut called) = self.called.take() {
            called.close();
            if called.try_recv().is_ok() {
                self.queue.leave();
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;

    use super::*;

    fn run(n: u128) -> RunId {
        RunId(uuid::Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn each_run_has_its_turn() {
        let queue = Queue::new(1);
        let first = queue.enter(run(1)).await;
        let mut wide_a = Box::pin(queue.enter(run(1)));
        let mut wide_b = Box::pin(queue.enter(run(1)));
        let mut other = Box::pin(queue.enter(run(2)));
        assert!(poll!(&mut wide_a).is_pending());
        assert!(poll!(&mut wide_b).is_pending());
        assert!(poll!(&mut other).is_pending());
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
        let first = queue.enter(run(1)).await;
        let mut gone = Box::pin(queue.enter(run(2)));
        let mut next = Box::pin(queue.enter(run(3)));
        assert!(poll!(&mut gone).is_pending());
        assert!(poll!(&mut next).is_pending());
        drop(first);
        drop(gone);
        drop(next.await);
        assert_eq!(queue.lock().free, 1);
    }
}
