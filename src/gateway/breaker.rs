//! When a model that fails is left in peace, and when it is tried again. Pure: time is given.
//!
//! | state | on | becomes |
//! |---|---|---|
//! | closed | a failure that makes 5 of the last minute's calls, and half of them | open, for 10 s |
//! | open | its time is over, and somebody asks | half-open: that one call is the probe |
//! | half-open | the probe is answered, if only with a first token | closed, with nothing remembered |
//! | half-open | the probe fails | open, for twice as long as before, at most 5 min |
//! | half-open | the probe's caller goes away | half-open: the next call is the probe |
//!
//! A reset forgets the whole breaker. Closed again after a rest, it lets those who waited in one after the other (`pace`).
//!
//! Beside that a provider may say when it wants to be asked again (`Retry-After`): until then it is left in peace too, which
//! says nothing about its health.

use std::collections::VecDeque;
use std::time::Duration;

use super::pace::{Arrivals, Pace, Turn};
use crate::model::gateway::{BreakerState, FaultClass, ModelHealth};

/// How far back calls count.
const WINDOW: Duration = Duration::from_mins(1);
/// Calls that are remembered at most.
const MOST: usize = 200;
/// Fewer failures than this never open it.
const LEAST_FAILURES: usize = 5;
/// The first rest.
const REST: Duration = Duration::from_secs(10);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Go,
    /// It may, and what becomes of it decides.
    Probe,
    /// It may not: so many have waited that its turn would come too late.
    Crowd {
        /// Until then.
        for_ms: u64,
    },
    /// It may not: failures.
    Rest {
        /// Until the next probe.
        for_ms: u64,
    },
    /// It may not: the provider said when.
    Hold {
        /// Until then.
        for_ms: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Duration, rest: Duration },
    HalfOpen { probing: bool, rest: Duration },
}

/// The breaker of one model of one provider.
#[derive(Debug, Clone)]
pub struct Breaker {
    state: State,
    /// When calls ended, and whether they failed.
    calls: VecDeque<(Duration, bool)>,
    last_failure: Option<FaultClass>,
    hold_until: Duration,
    /// What comes to it while it is well.
    arrivals: Arrivals,
    /// Calls a second, before it rested.
    usual: f64,
    /// In which order those come who have waited.
    pace: Option<Pace>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: State::Closed,
            calls: VecDeque::new(),
            last_failure: None,
            hold_until: Duration::ZERO,
            arrivals: Arrivals::default(),
            usual: 0.0,
            pace: None,
        }
    }
}

impl Breaker {
    /// Why a call may not be made now; `None` when it may.
    pub fn refuses(&self, now: Duration) -> Option<Admission> {
        if let Some(left) = self.hold_until.checked_sub(now).filter(|left| !left.is_zero()) {
            return Some(Admission::Hold { for_ms: millis(left) });
        }
        match self.state {
            State::Open { until, .. } if now < until => {
                Some(Admission::Rest { for_ms: millis(until.saturating_sub(now)) })
            }
            // The probe will not take long; who knows how long.
            State::HalfOpen { probing: true, .. } => Some(Admission::Rest { for_ms: 1000 }),
            State::Closed | State::Open { .. } | State::HalfOpen { probing: false, .. } => None,
        }
    }

    /// Asks whether a call may be made. A probe must be followed by [`Breaker::succeed`], [`Breaker::fail`] or
    /// [`Breaker::release`].
    pub fn admit(&mut self, now: Duration) -> Admission {
        if let Some(refused) = self.refuses(now) {
            return refused;
        }
        match self.state {
            State::Closed => Admission::Go,
            State::Open { rest, .. } | State::HalfOpen { rest, .. } => {
                self.state = State::HalfOpen { probing: true, rest };
                Admission::Probe
            }
        }
    }

    /// When the next may ask whether a call may be made, who waits for `patience` at most: at once, but while a crowd is let in.
    pub fn turn(&mut self, now: Duration, patience: Duration) -> Turn {
        if self.state != State::Closed {
            return Turn::Now;
        }
        self.pace.take_if(|pace| pace.is_over(now));
        self.pace.as_mut().map_or(Turn::Now, |pace| pace.turn(now, patience))
    }

    /// A first attempt is made.
    pub fn arrived(&mut self, now: Duration) {
        self.arrivals.arrived(now);
    }

    /// A call's answer has begun. That is proof enough for a probe: the answer may take minutes.
    pub fn begin(&mut self, now: Duration) {
        if matches!(self.state, State::HalfOpen { .. }) {
            self.is_well(now);
        }
    }

    fn is_well(&mut self, now: Duration) {
        let pace = Some(Pace::new(self.usual, now));
        *self = Self { last_failure: self.last_failure, usual: self.usual, pace, ..Self::default() };
    }

    /// A call succeeded.
    pub fn succeed(&mut self, now: Duration) {
        match self.state {
            State::Closed => self.remember(now, false),
            State::HalfOpen { .. } => self.is_well(now),
            // One that began before: the probe decides.
            State::Open { .. } => {}
        }
    }

    /// A call failed in a way that says that the provider is ill. Returns whether that opened it.
    pub fn fail(&mut self, now: Duration, class: FaultClass) -> bool {
        self.last_failure = Some(class);
        match self.state {
            State::Closed => {
                self.remember(now, true);
                let failures = self.calls.iter().filter(|(_, failed)| *failed).count();
                let opens = failures >= LEAST_FAILURES && failures * 2 >= self.calls.len();
                if opens {
                    // What comes while a crowd is let in is not what is usual.
                    if self.pace.take().is_none() {
                        self.usual = self.arrivals.rate(now);
                    }
                    self.state = State::Open { until: now + REST, rest: REST };
                }
                opens
            }
            State::HalfOpen { rest, .. } => {
                let rest = (rest * 2).min(LONGEST_REST);
                self.state = State::Open { until: now + rest, rest };
                true
            }
            State::Open { .. } => false,
        }
    }

    /// A call came to nothing that says anything: its caller went away, or it was refused for what was asked.
    pub fn release(&mut self) {
        if let State::HalfOpen { probing: true, rest } = self.state {
            self.state = State::HalfOpen { probing: false, rest };
        }
    }

    /// The provider wants to be left in peace for so long.
    pub fn hold(&mut self, now: Duration, ms: u64) {
        self.hold_until = self.hold_until.max(now + Duration::from_millis(ms));
    }

    /// Whether there is nothing to be remembered any more.
    pub fn is_idle(&self, now: Duration) -> bool {
        let old = |(at, _): &(Duration, bool)| now.saturating_sub(*at) > WINDOW;
        let is_crowded = self.pace.as_ref().is_some_and(|pace| !pace.is_over(now));
        self.state == State::Closed && !is_crowded && self.hold_until <= now && self.calls.iter().all(old)
    }

    /// As people see it.
    pub fn view(&self, model: &str, now: Duration) -> ModelHealth {
        let (state, until) = match self.state {
            State::Closed => (BreakerState::Closed, self.hold_until),
            State::Open { until, .. } if now < until => (BreakerState::Open, until.max(self.hold_until)),
            State::Open { .. } | State::HalfOpen { .. } => (BreakerState::HalfOpen, self.hold_until),
        };
        let recent: Vec<bool> =
            self.calls.iter().filter(|(at, _)| now.saturating_sub(*at) <= WINDOW).map(|(_, failed)| *failed).collect();
        ModelHealth {
            model: model.to_owned(),
            state,
            rests_ms: millis(until.saturating_sub(now)),
            calls: recent.len() as u32,
            failures: recent.iter().filter(|failed| **failed).count() as u32,
            last_failure: self.last_failure,
        }
    }

    fn remember(&mut self, now: Duration, failed: bool) {
        while self.calls.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW) || self.calls.len() >= MOST {
            self.calls.pop_front();
        }
        self.calls.push_back((now, failed));
    }
}

/// Rounded up, so that what is left is never nothing.
fn millis(duration: Duration) -> u64 {
    duration.as_micros().div_ceil(1000) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(1);
    const ILL: FaultClass = FaultClass::Upstream;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            assert_eq!(breaker.admit(at(0)), Admission::Go);
            breaker.fail(at(0), ILL);
        }
        breaker
    }

    #[test]
    fn five_failures_open_it_and_four_do_not() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            assert!(!breaker.fail(at(0), ILL));
        }
        assert_eq!(breaker.admit(at(0)), Admission::Go);
        assert!(breaker.fail(at(0), ILL));
        assert_eq!(breaker.admit(at(3)), Admission::Rest { for_ms: 7000 });
    }

    #[test]
    fn failures_among_many_successes_or_long_ago_do_not_open_it() {
        let mut breaker = Breaker::default();
        for second in 0..20 {
            breaker.succeed(at(second));
        }
        for _ in 0..15 {
            assert!(!breaker.fail(at(20), ILL));
        }
        let mut breaker = Breaker::default();
        for minute in 0..20 {
            assert!(!breaker.fail(at(minute * 61), ILL));
        }
    }

    #[test]
    fn one_probe_decides() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(10)), Admission::Probe);
        assert!(matches!(breaker.admit(at(10)), Admission::Rest { .. }));
        breaker.succeed(at(11));
        assert_eq!(breaker.admit(at(11)), Admission::Go);
        assert_eq!(breaker.view("m", at(11)).failures, 0);
    }

    #[test]
    fn a_probe_is_proven_by_its_first_token() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(10)), Admission::Probe);
        breaker.begin(at(10));
        assert_eq!(breaker.admit(at(10)), Admission::Go);
        breaker.fail(at(11), ILL);
        assert_eq!(breaker.admit(at(11)), Admission::Go);
    }

    #[test]
    fn each_failed_probe_doubles_the_rest_up_to_a_limit() {
        let mut breaker = opened();
        let (mut now, mut rests) = (at(10), Vec::new());
        for _ in 0..7 {
            assert_eq!(breaker.admit(now), Admission::Probe);
            breaker.fail(now, ILL);
            let Admission::Rest { for_ms } = breaker.admit(now) else { panic!("it rests") };
            rests.push(for_ms / 1000);
            now += Duration::from_millis(for_ms);
        }
        assert_eq!(rests, [20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn a_probe_whose_caller_goes_away_leaves_its_place_to_the_next() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(10)), Admission::Probe);
        breaker.release();
        assert_eq!(breaker.admit(at(10)), Admission::Probe);
    }

    #[test]
    fn calls_that_began_before_it_opened_change_nothing() {
        let mut breaker = opened();
        breaker.succeed(at(1));
        assert!(!breaker.fail(at(9), ILL));
        assert_eq!(breaker.admit(at(10)), Admission::Probe);
    }

    #[test]
    fn a_hold_is_no_illness() {
        let mut breaker = Breaker::default();
        breaker.hold(at(0), 2500);
        assert_eq!(breaker.admit(at(1)), Admission::Hold { for_ms: 1500 });
        assert_eq!(breaker.view("m", at(1)).state, BreakerState::Closed);
        assert_eq!(breaker.admit(at(3)), Admission::Go);
    }

    #[test]
    fn those_who_waited_come_one_after_the_other() {
        let mut breaker = Breaker::default();
        for call in 0..1_200 {
            breaker.arrived(Duration::from_millis(call * 50));
        }
        for _ in 0..5 {
            breaker.fail(at(59), ILL);
        }
        assert_eq!(breaker.turn(at(70), SOON), Turn::Now, "who is the probe waits for nobody");
        assert_eq!(breaker.admit(at(70)), Admission::Probe);
        breaker.succeed(at(70));
        let turns: Vec<Turn> = (0..100).map(|_| breaker.turn(at(70), SOON)).collect();
        let count = |of: fn(&Turn) -> bool| turns.iter().filter(|turn| of(turn)).count();
        assert_eq!(count(|one| *one == Turn::Now), 1);
        // 1.7 times the usual 20 a second; the 34th misses the second by a rounded nanosecond.
        assert_eq!(count(|one| matches!(one, Turn::In(_))), 33);
        assert_eq!(count(|one| matches!(one, Turn::After(_))), 66);
        assert_eq!(breaker.admit(at(71)), Admission::Go);
        for _ in 0..100 {
            assert_eq!(breaker.turn(at(82), SOON), Turn::Now, "the crowd is gone");
        }
    }

    #[test]
    fn nobody_waits_for_their_turn_where_it_fell_ill_again() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(10)), Admission::Probe);
        breaker.succeed(at(10));
        assert_eq!(breaker.turn(at(10), SOON), Turn::Now);
        assert!(matches!(breaker.turn(at(10), SOON), Turn::In(_)));
        for _ in 0..5 {
            breaker.fail(at(10), ILL);
        }
        assert_eq!(breaker.turn(at(11), SOON), Turn::Now);
        assert!(matches!(breaker.admit(at(11)), Admission::Rest { .. }));
    }
}
