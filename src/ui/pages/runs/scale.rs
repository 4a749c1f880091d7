//! The time axis of the timeline. Pure.

use crate::ui::format;

/// The distances that ticks may have, in ms: what people count in.
const STEPS_MS: [i64; 31] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    172_800_000,
    604_800_000,
    1_209_600_000,
    2_592_000_000,
];
/// At most this many stretches between ticks.
const MOST: i64 = 8;

/// What the axis spans. It grows in whole ticks, so that bars stand still while time goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    tick_ms: i64,
    span_ms: i64,
}

impl Scale {
    /// An axis for `elapsed_ms`, with some air at its end.
    pub fn covering(elapsed_ms: i64) -> Self {
        let wanted = elapsed_ms.max(1) + elapsed_ms.max(0) / 12;
        let fits = |tick: &&i64| wanted <= **tick * MOST;
        let tick_ms = STEPS_MS.iter().find(fits).copied().unwrap_or_else(|| wanted / MOST + 1);
        Self { tick_ms, span_ms: (wanted + tick_ms - 1) / tick_ms * tick_ms }
    }

    /// Where a moment stands, 0 to 1.
    pub fn fraction(self, ms: i64) -> f64 {
        (ms as f64 / self.span_ms as f64).clamp(0.0, 1.0)
    }

    /// The distance of two ticks, 0 to 1.
    pub fn tick(self) -> f64 {
        self.fraction(self.tick_ms)
    }

    /// The ticks but for the last, with what stands at them.
    pub fn ticks(self) -> Vec<(f64, String)> {
        (0..self.span_ms / self.tick_ms).map(|n| n * self.tick_ms).map(|ms| (self.fraction(ms), label(ms))).collect()
    }
}

/// A moment of the axis: "0", "500 ms", "2 s", "1 min 30 s".
fn label(ms: i64) -> String {
    match ms {
        0 => "0".to_owned(),
        1_000..10_000 if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
        _ => format::duration(ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_its_run_and_has_at_most_eight_stretches() {
        for elapsed in [0, 1, 7, 950, 12_345, 408_000, 3_600_000, 90_000_000, 9_000_000_000, 900_000_000_000] {
            let scale = Scale::covering(elapsed);
            assert!(scale.span_ms >= elapsed, "{elapsed}");
            assert!((1..=8).contains(&(scale.span_ms / scale.tick_ms)), "{elapsed}: {scale:?}");
        }
    }

    #[test]
    fn ticks_stand_at_round_times() {
        let labels =
            |ms| Scale::covering(ms).ticks().into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" | ");
        assert_eq!(labels(5_000), "0 | 1 s | 2 s | 3 s | 4 s | 5 s");
        assert_eq!(labels(408_000), "0 | 1 min | 2 min | 3 min | 4 min | 5 min | 6 min | 7 min");
    }

    #[test]
    fn an_axis_stands_still_while_its_run_goes_on() {
        assert_eq!(Scale::covering(61_000), Scale::covering(62_000));
    }
}
