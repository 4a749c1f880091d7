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
//! A reset forgets the whole breaker.
//!
//! Beside that a provider may say when it wants to be asked again (`Retry-After`): until then it is left in peace too, which
//! says nothing about its health.

use std::collections::VecDeque;
use std::time::Duration;

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
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed, calls: VecDeque::new(), last_failure: None, hold_until: Duration::ZERO }
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

    /// A call's answer has begun. That is proof enough for a probe: the answer may take minutes.
    pub fn begin(&mut self) {
        if matches!(self.state, State::HalfOpen { .. }) {
            *self = Self { last_failure: self.last_failure, ..Self::default() };
        }
    }

    /// A call succeeded.
    pub fn succeed(&mut self, now: Duration) {
        match self.state {
            State::Closed => self.remember(now, false),
            State::HalfOpen { .. } => *self = Self { last_failure: self.last_failure, ..Self::default() },
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
        self.state == State::Closed && self.hold_until <= now && self.calls.iter().all(old)
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
        breaker.begin();
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
}
