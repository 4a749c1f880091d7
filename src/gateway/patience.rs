//! How long is waited for the next piece of an answer. Pure: time is given.
//!
//! A provider that is held back because whoever reads is slow can't go on, so that this time is not counted against it: else a
//! slow reader would lose the end of a long answer, and the provider would be blamed for it.

use std::time::Duration;

use tokio::time::Instant;

/// The limits of an answer on its way in.
#[derive(Debug)]
pub(super) struct Patience {
    /// The longest silence.
    silence: Duration,
    /// Until when the answer is to be complete.
    deadline: Instant,
    /// When the last piece was handed on, while nobody asked for the next.
    given: Option<Instant>,
}

impl Patience {
    /// For an answer that is to be complete by `deadline`, with no longer `silence` before it or between two pieces.
    pub const fn new(deadline: Instant, silence: Duration) -> Self {
        Self { silence, deadline, given: None }
    }

    /// A piece is handed on: from now on the time is the reader's.
    pub const fn gave(&mut self, now: Instant) {
        self.given = Some(now);
    }

    /// Until when the next piece is waited for, as it is asked for now.
    pub fn until(&mut self, now: Instant) -> Instant {
        if let Some(given) = self.given.take() {
            self.deadline += now.saturating_duration_since(given);
        }
        self.deadline.min(now + self.silence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_silent_provider_is_given_up_after_the_longest_silence_and_at_the_end() {
        let begun = Instant::now();
        let mut patience = Patience::new(begun + SECOND * 10, SECOND * 4);
        assert_eq!(patience.until(begun), begun + SECOND * 4);
        patience.gave(begun + SECOND * 3);
        assert_eq!(patience.until(begun + SECOND * 3), begun + SECOND * 7);
        patience.gave(begun + SECOND * 7);
        assert_eq!(patience.until(begun + SECOND * 7), begun + SECOND * 10);
    }

    #[test]
    fn the_time_of_a_slow_reader_is_not_the_providers() {
        let begun = Instant::now();
        let mut patience = Patience::new(begun + SECOND * 10, SECOND * 4);
        patience.gave(begun + SECOND);
        let back = begun + SECOND * 3600;
        assert_eq!(patience.until(back), back + SECOND * 4);
        assert_eq!(patience.until(back + SECOND * 8), back + SECOND * 9, "9 s of its 10 were left to it");
    }
}
