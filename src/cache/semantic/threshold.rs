//! When an answer may be given to a question that is only like the one it answered: learned for each kept question.
//!
//! For each kept question there are observations: how like another question was, and whether its answer was the same. From them
//! follows how likely it is that an answer is the same at some likeness, and from that how often the model must be asked so that
//! wrong answers stay within the budget. No likeness is good for all: of "what is a loom" much is the same that is far away, and
//! of "is it safe to eat" little that is near.
//!
//! Source: Schroeder, Desai, Cuadron, Chu, Liu, Zhao, Krusche, Kemper, Zaharia and Gonzalez 2025, "vCache: Verified Semantic Prompt
//! Caching" (arXiv 2502.03771): the logistic model for each entry, `P(same | s) = 1 / (1 + exp(-gamma (s - t)))`, and the rule that asks the model with the
//! probability `tau = 1 - budget / (1 - alpha)`, where `alpha = max over e of (1 - e) P_e` and `P_e` is what P is at least, but with
//! the probability e. With it, wrong answers are at most `budget` of the questions that come here, those included that the model
//! was asked.
//!
//! Two things are our own. The paper fits `t` and `gamma` by likelihood and takes `P_e` from a normal approximation, which
//! has no width while all observations agree, as they do at first. Here a grid of `t` and `gamma` with a prior is weighed by the
//! observations, and `P_e` is the e-quantile of P under these weights. The prior is wary: half of its mass says that nothing below
//! a likeness of 0.9 is the same. And each point has a share of `slips`, of questions that are as like as can be and yet have
//! another answer: without it a steep curve would promise certainty that nothing was seen of.

/// How like another question was, and whether its answer was the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::cache) struct Observation {
    /// Cosine, -1 to 1.
    pub similarity: f64,
    pub is_same: bool,
}

/// What follows from observations for a question of some likeness.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::cache) struct Verdict {
    /// How likely it is that the answer is wrong: the upper bound that counts, `1 - alpha`; 0 to 1.
    pub doubt: f64,
    /// How often the kept answer may be given, 0 to 1.
    pub give: f64,
}

/// Observations of a question that count; the oldest go first, those of the same answer before others.
pub(in crate::cache) const MOST: usize = 64;
/// So many are needed before an answer is given.
const FEWEST: usize = 3;
/// An answer that is more likely wrong than this is not given, however seldom.
const MOST_DOUBT: f64 = 0.2;

/// Likeness at which the same becomes as likely as another; over 1 it never does. Steps of 0.02 from 0.7 to 1.1.
const CENTRES: usize = 21;
/// How steep: over a likeness of 0.1 the odds change by e to a tenth of this.
const SLOPES: [f64; 6] = [10.0, 20.0, 40.0, 80.0, 160.0, 320.0];
/// Questions that are like and yet have another answer, with their prior.
const SLIPS: [(f64, f64); 6] = [(0.001, 0.35), (0.005, 0.2), (0.02, 0.15), (0.05, 0.12), (0.15, 0.1), (0.4, 0.08)];
/// What a probability is at least away from 0 and 1, so that 64 of them multiplied stay within a double.
const EDGE: f64 = 1e-4;

/// Weighs what was observed. `budget` is the share of wrong answers that may be, 0 to 1.
pub(in crate::cache) fn weigh(observations: &[Observation], similarity: f64, budget: f64) -> Verdict {
    let alpha = alpha(observations, similarity);
    let doubt = (1.0 - alpha).clamp(EDGE, 1.0);
    let give = if observations.len() < FEWEST || doubt > MOST_DOUBT { 0.0 } else { (budget / doubt).min(1.0) };
    Verdict { doubt, give }
}

/// What the probability of the same answer is taken for.
fn alpha(observations: &[Observation], similarity: f64) -> f64 {
    let recent = &observations[observations.len().saturating_sub(MOST)..];
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(CENTRES * SLOPES.len() * SLIPS.len());
    for centre in 0..CENTRES {
        let centre = 0.7 + 0.02 * centre as f64;
        for slope in SLOPES {
            let curve = |s: f64| 1.0 / (1.0 + (-slope * (s - centre)).exp());
            let seen: Vec<(f64, bool)> = recent.iter().map(|one| (curve(one.similarity), one.is_same)).collect();
            let here = curve(similarity);
            for (slip, prior) in SLIPS {
                let same = |curve: f64| ((1.0 - slip) * curve).clamp(EDGE, 1.0 - EDGE);
                let likely = |(curve, is_same): &(f64, bool)| if *is_same { same(*curve) } else { 1.0 - same(*curve) };
                points.push((same(here), prior * seen.iter().map(likely).product::<f64>()));
            }
        }
    }
    points.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let total: f64 = points.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    let mut best: f64 = 0.0;
    for (same, weight) in points {
        best = best.max((1.0 - below / total) * same);
        below += weight;
    }
    best
}

/// Whether the kept answer is given, by a number that was drawn from 0 to below 1.
pub(in crate::cache) fn gives(verdict: Verdict, drawn: f64) -> bool {
    drawn < verdict.give
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(same: bool, at: &[f64]) -> Vec<Observation> {
        at.iter().map(|similarity| Observation { similarity: *similarity, is_same: same }).collect()
    }

    fn is_never(verdict: Verdict) -> bool {
        verdict.give <= 0.0 && !gives(verdict, 0.0)
    }

    /// Numbers that look random and are the same each time.
    ///
    /// Source: Marsaglia 2003, "Xorshift RNGs".
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self) -> f64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    #[test]
    fn nothing_is_given_before_something_was_seen() {
        for similarity in [0.5, 0.9, 1.0] {
            assert!(is_never(weigh(&[], similarity, 0.2)));
            assert!(is_never(weigh(&seen(true, &[0.95, 0.95]), similarity, 0.2)));
        }
    }

    #[test]
    fn more_of_the_same_is_given_more_often_and_a_wrong_one_less() {
        let give = |observations: &[Observation]| weigh(observations, 0.95, 0.01).give;
        let shares: Vec<f64> = [4, 8, 16, 32, 64].map(|n| give(&seen(true, &vec![0.95; n]))).into();
        assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]) && shares[4] > shares[0], "{shares:?}");
        let mut mixed = seen(true, &[0.95; 30]);
        mixed.extend(seen(false, &[0.95; 3]));
        assert!(give(&mixed) < shares[3] / 2.0, "{} of {}", give(&mixed), shares[3]);
        assert!(is_never(weigh(&seen(false, &[0.95; 8]), 0.95, 0.01)));
        assert!(is_never(weigh(&seen(true, &[0.95; 64]), 0.6, 0.01)), "nothing was seen so far away");
    }

    #[test]
    fn a_question_learns_its_own_threshold() {
        let mut observations = seen(true, &[0.97; 20]);
        observations.extend(seen(false, &[0.88; 20]));
        let give = |similarity| weigh(&observations, similarity, 0.02).give;
        assert!(give(0.98) > 0.3, "{}", give(0.98));
        assert!(is_never(weigh(&observations, 0.86, 0.02)));
        let doubt = |similarity| weigh(&observations, similarity, 0.02).doubt;
        assert!(doubt(0.98) < doubt(0.93) && doubt(0.93) < doubt(0.88));
    }

    #[test]
    fn a_larger_budget_gives_at_least_as_often() {
        let observations = seen(true, &[0.93; 10]);
        let shares = [0.001, 0.005, 0.01, 0.05, 0.2].map(|budget| weigh(&observations, 0.94, budget).give);
        assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]), "{shares:?}");
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
    }

    /// A kept question that is asked again and again: what of `rounds` questions was given, and how much of that wrongly.
    fn live(dice: &mut Dice, rounds: usize, budget: f64, truth: impl Fn(f64) -> f64, lie: f64) -> (usize, usize) {
        let (mut observations, mut given, mut wrong) = (Vec::new(), 0, 0);
        for _ in 0..rounds {
            let similarity = 0.8 + 0.2 * dice.roll();
            let is_same = dice.roll() < truth(similarity);
            let verdict = weigh(&observations, similarity, budget);
            if gives(verdict, dice.roll()) {
                given += 1;
                wrong += usize::from(!is_same);
            } else {
                // What is the same is sometimes not seen to be.
                let is_same = is_same && dice.roll() >= lie;
                observations.push(Observation { similarity, is_same });
            }
        }
        (given, wrong)
    }

    #[test]
    fn wrong_answers_stay_within_the_budget_whatever_the_questions_are_like() {
        type Truth = fn(f64) -> f64;
        let worlds: [(&str, Truth); 7] = [
            ("a sharp line", |s| if s > 0.9 { 1.0 } else { 0.0 }),
            ("a line near the top", |s| if s > 0.98 { 1.0 } else { 0.0 }),
            ("a soft slope", |s| 1.0 / (1.0 + (-40.0 * (s - 0.88)).exp())),
            ("always the same", |_| 1.0),
            ("never the same", |_| 0.0),
            ("nine of ten, however like", |_| 0.9),
            ("the wrong way round", |s| if s > 0.9 { 0.7 } else { 0.95 }),
        ];
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for (name, truth) in worlds {
            for (budget, questions) in [(0.01, 6), (0.05, 14)] {
                let rounds = 40;
                let (mut given, mut wrong) = (0, 0);
                for _ in 0..questions {
                    let (more, bad) = live(&mut dice, rounds, budget, truth, 0.02);
                    (given, wrong) = (given + more, wrong + bad);
                }
                let rate = f64::from(wrong as u32) / f64::from((questions * rounds) as u32);
                // Three standard deviations of chance.
                let most = budget + 3.0 * (budget / f64::from((questions * rounds) as u32)).sqrt();
                assert!(rate <= most, "{name}: {rate:.4} of {budget}, {given} given");
                if name == "always the same" && budget > 0.01 {
                    assert!(given > 0, "{name}, {budget}");
                }
            }
        }
    }
}
