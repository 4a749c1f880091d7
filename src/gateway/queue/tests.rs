//! Who is woken when. Only who was woken is looked at again: a lost wakeup is a call that never goes.

use std::pin::Pin;
use std::task::Poll;

use futures::stream::{FuturesUnordered, StreamExt};

use super::*;

type Came = (u32, Result<Place, NoRoom>);

/// Calls that come to one queue, by a clock in the test's hands.
struct Crowd {
    queue: Arc<Queue>,
    clock: Clock,
    limits: Limits,
    calls: FuturesUnordered<Pin<Box<dyn Future<Output = Came>>>>,
    /// Who went, until they end.
    underway: Vec<(u32, Place)>,
}

impl Crowd {
    fn new(limits: Limits) -> Self {
        let clock = Clock::manual(Timestamp(0));
        let queue = Queues::default().of(ProviderId(uuid::Uuid::nil()), &clock);
        Self { queue, clock, limits, calls: FuturesUnordered::new(), underway: Vec::new() }
    }

    fn call(&self, name: u32, patience_ms: u64) -> Pin<Box<dyn Future<Output = Came>>> {
        let (queue, limits) = (Arc::clone(&self.queue), self.limits);
        Box::pin(async move {
            let patience = Duration::from_millis(patience_ms);
            let want = Want { model: "m", tokens: 10, patience, told_patience: patience };
            (name, queue.enter(limits, want).await.map(|(place, _)| place))
        })
    }

    fn come(&mut self, names: impl IntoIterator<Item = u32>) {
        for name in names {
            self.calls.push(self.call(name, 30_000));
        }
    }

    /// Who goes until nobody is woken any more, and who is turned away, as a negative number.
    async fn go(&mut self) -> Vec<i64> {
        let (mut went, mut quiet) = (Vec::new(), 0);
        while quiet < 3 {
            match futures::poll!(self.calls.next()) {
                Poll::Ready(Some((name, Ok(place)))) => {
                    went.push(i64::from(name));
                    self.underway.push((name, place));
                    quiet = 0;
                }
                Poll::Ready(Some((name, Err(_)))) => {
                    went.push(-i64::from(name));
                    quiet = 0;
                }
                Poll::Ready(None) | Poll::Pending => quiet += 1,
            }
        }
        went
    }

    fn end(&mut self, name: u32) {
        self.underway.retain(|(one, _)| *one != name);
    }

    fn state(&self) -> QueueState {
        self.queue.lock().room.state(self.limits, self.clock.steady())
    }
}

#[tokio::test]
async fn the_next_goes_the_moment_that_one_ends() {
    let mut crowd = Crowd::new(Limits { max_concurrent: Some(2), ..Limits::default() });
    crowd.come(1..=5);
    assert_eq!(crowd.go().await, [1, 2]);
    assert_eq!((crowd.state().underway, crowd.state().waiting), (2, 3));
    crowd.end(2);
    assert_eq!(crowd.go().await, [3]);
    crowd.end(1);
    crowd.end(3);
    assert_eq!(crowd.go().await, [4, 5]);
    crowd.end(4);
    crowd.end(5);
    assert_eq!(crowd.state(), QueueState::default());
}

#[tokio::test]
async fn each_goes_at_the_very_moment_of_their_turn_in_the_minute() {
    let mut crowd = Crowd::new(Limits { requests_per_minute: Some(60), ..Limits::default() });
    crowd.come(1..=63);
    assert_eq!(crowd.go().await.len(), 60);
    crowd.clock.advance_ms(999);
    assert!(crowd.go().await.is_empty());
    crowd.clock.advance_ms(1);
    assert_eq!(crowd.go().await, [61]);
    crowd.clock.advance_ms(2_000);
    assert_eq!(crowd.go().await, [62, 63]);
}

#[tokio::test]
async fn who_goes_away_while_waiting_leaves_the_place_to_the_next() {
    let mut crowd = Crowd::new(Limits { max_concurrent: Some(1), ..Limits::default() });
    crowd.come([1]);
    assert_eq!(crowd.go().await, [1]);
    let mut left = crowd.call(2, 30_000);
    assert!(futures::poll!(&mut left).is_pending());
    crowd.come([3]);
    assert!(crowd.go().await.is_empty());
    // It was let go already, and its caller goes away before it took note of that.
    crowd.end(1);
    assert_eq!((crowd.state().underway, crowd.state().waiting), (1, 1));
    drop(left);
    assert_eq!(crowd.go().await, [3]);
    // And one that still waits.
    let mut left = crowd.call(4, 30_000);
    assert!(futures::poll!(&mut left).is_pending());
    crowd.come([5]);
    assert!(crowd.go().await.is_empty());
    drop(left);
    assert_eq!(crowd.state().waiting, 1);
    crowd.end(3);
    assert_eq!(crowd.go().await, [5]);
}

#[tokio::test]
async fn the_one_behind_keeps_the_time_when_the_first_goes_away() {
    let mut crowd = Crowd::new(Limits { requests_per_minute: Some(1), queue_ms: 600_000, ..Limits::default() });
    let mut gone = crowd.call(1, 300_000);
    assert!(futures::poll!(&mut gone).is_ready());
    drop(gone);
    let mut left = crowd.call(2, 300_000);
    assert!(futures::poll!(&mut left).is_pending());
    crowd.calls.push(crowd.call(3, 300_000));
    assert!(crowd.go().await.is_empty());
    drop(left);
    assert!(crowd.go().await.is_empty());
    crowd.clock.advance_ms(60_000);
    assert_eq!(crowd.go().await, [3]);
}

#[tokio::test]
async fn who_waited_for_as_long_as_they_may_is_turned_away_and_nobody_else() {
    let mut crowd = Crowd::new(Limits { max_concurrent: Some(1), ..Limits::default() });
    crowd.come([1]);
    assert_eq!(crowd.go().await, [1]);
    crowd.calls.push(crowd.call(2, 500));
    crowd.come([3]);
    assert!(crowd.go().await.is_empty());
    crowd.clock.advance_ms(499);
    assert!(crowd.go().await.is_empty());
    crowd.clock.advance_ms(1);
    assert_eq!(crowd.go().await, [-2]);
    crowd.end(1);
    assert_eq!(crowd.go().await, [3]);
}

#[tokio::test]
async fn a_raised_limit_lets_those_go_who_wait() {
    let mut crowd = Crowd::new(Limits { max_concurrent: Some(1), ..Limits::default() });
    crowd.come(1..=3);
    assert_eq!(crowd.go().await, [1]);
    crowd.limits.max_concurrent = Some(4);
    crowd.come([4]);
    let mut went = crowd.go().await;
    went.sort_unstable();
    assert_eq!(went, [2, 3, 4]);
}

#[tokio::test]
async fn what_the_provider_tells_is_waited_for() {
    let mut crowd = Crowd::new(Limits::default());
    crowd.come([1]);
    assert_eq!(crowd.go().await, [1]);
    let header = |name: &str| match name {
        "x-ratelimit-remaining-requests" => Some("0"),
        "x-ratelimit-reset-requests" => Some("2s"),
        _ => None,
    };
    crowd.underway[0].1.ear().hear(header);
    crowd.come([2]);
    assert!(crowd.go().await.is_empty());
    assert_eq!(crowd.state().held.len(), 1);
    crowd.clock.advance_ms(2_000);
    assert_eq!(crowd.go().await, [2]);
}

#[tokio::test]
async fn a_call_counts_with_what_it_took() {
    let mut crowd = Crowd::new(Limits { tokens_per_minute: Some(100), ..Limits::default() });
    crowd.come([1]);
    assert_eq!(crowd.go().await, [1]);
    assert_eq!(crowd.state().tokens, Some(10));
    crowd.underway[0].1.came_to(Usage { input: 30, output: 50, ..Usage::default() });
    crowd.end(1);
    assert_eq!(crowd.state().tokens, Some(80));
}

#[test]
fn a_refusal_says_why_and_when_to_come_again() {
    let full = NoRoom::Full { waiting: 100, least_ms: 0 };
    assert_eq!((full.words(30_000).as_str(), full.retry_after_ms()), ("100 calls wait already, as many as may", 1_000));
    let long = NoRoom::TooLong { least_ms: 42_300 };
    assert_eq!((long.words(30_000).as_str(), long.retry_after_ms()), ("there is none for 43 s more", 42_300));
    assert_eq!(NoRoom::Waited { ms: 30_000 }.words(30_000), "there was none within 30 s");
}
