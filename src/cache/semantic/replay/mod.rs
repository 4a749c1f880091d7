//! What answering by meaning would have done: labelled pairs of questions, played through its own decisions.
//!
//! Pure, but for a look at the time that each decision took. What decides is what decides in use: which questions are like another
//! (`decide`), the gate, and the threshold that each kept question learns. The label of a pair stands for the comparison of
//! two answers of a model. A single threshold for all, as caches by meaning commonly have, is played beside it on the same questions and vectors.
//!
//! **How questions are made of pairs.** A round is a day. In each, every pair comes once, in an order that is shuffled anew: first its
//! a is asked, then its b. What was asked of the model is kept until the day is over, and given again to the very same words, as by
//! the exact tier; what was learned stays for 30 days. So a question recurs daily, its forms come in another order each day, and
//! the threshold of each question that is kept is learned over days, as in use. All pairs are one context: every question is compared
//! with whatever was kept on that day. Of a share of what is given the model is asked too, and that is learned from, as by shadow checks.

mod gated;
mod pairs;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use serde::Serialize;

use super::decide::{self, Alike, Refused};
use super::embed;
use super::gate::Facts;
use super::threshold::{self, Observation};

pub use gated::{Gated, gate};
pub use pairs::{Pair, Pairs};

/// For so many days it is known what was observed; as the housekeeping has it.
const OBSERVED_DAYS: u32 = 30;

/// Vectors of length 1 of all texts of a set, in order.
#[derive(Debug, Clone)]
pub struct Vectors(Vec<Vec<f32>>);

impl Vectors {
    /// Takes what an embedder made of [`Pairs::texts`].
    ///
    /// # Errors
    /// What does not fit: how many there are, how long they are, one without a direction.
    pub fn new(set: &Pairs, made: Vec<Vec<f32>>) -> Result<Self, String> {
        if made.len() != set.texts.len() {
            return Err(format!("expected {} vectors, found {}", set.texts.len(), made.len()));
        }
        let dims = made.first().map_or(0, Vec::len);
        let unit = |(at, vector): (usize, Vec<f32>)| {
            let fits = vector.len() == dims;
            let vector = embed::unit(vector).filter(|_| fits);
            vector.ok_or_else(|| format!("the vector of {:?} does not fit the others", set.texts[at]))
        };
        Ok(Self(made.into_iter().enumerate().map(unit).collect::<Result<_, _>>()?))
    }

    /// Numbers of a vector.
    pub fn dims(&self) -> usize {
        self.0.first().map_or(0, Vec::len)
    }
}

/// When an answer is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// As in use: past the gate, by the threshold that each question learns within this share of wrong answers, 0 to 1.
    Learned(f64),
    /// From this cosine on, whatever the words are.
    Fixed(f64),
}

/// What is played.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Days.
    pub rounds: u32,
    /// The same seed makes the same figures.
    pub seed: u64,
    /// Of 100 answers that are given, so many are checked; nothing is checked with a fixed threshold.
    pub shadow_percent: u32,
}

/// An answer that was given to a question that has another, each pair of questions once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wrong {
    /// The question that it was made for.
    pub kept: String,
    /// The question that it was given to.
    pub asked: String,
    /// Cosine, 0.7 to 1.
    pub similarity: f64,
    /// How often it was given.
    pub times: u64,
    /// Whether lines say that it is wrong; else nothing is known of both.
    pub labelled: bool,
}

/// What came of it. Each question is counted once in one of `exact`, `unfit`, `alone`, `refused` and `candidates`, and each
/// candidate in one of `explored` and `given`.
#[derive(Debug, Clone, Default)]
pub struct Played {
    /// All that was asked.
    pub questions: u64,
    /// There word for word.
    pub exact: u64,
    /// Too long, or without words.
    pub unfit: u64,
    /// Like none that was kept.
    pub alone: u64,
    /// Like one that was kept, and none of these passed the gate.
    pub refused: u64,
    /// Like one that was kept, past the gate: what the promise is made for.
    pub candidates: u64,
    /// Of these, the model was asked.
    pub explored: u64,
    /// Of these, the kept answer was given.
    pub given: u64,
    /// Of what was given, what has another answer.
    pub wrong: u64,
    /// Of what was wrong, where no line says so.
    pub unlabelled: u64,
    /// Of what was given, what was checked.
    pub checked: u64,
    /// Neither there word for word nor unfit, and the right answer was kept: what could have been given.
    pub possible: u64,
    /// On the last day: what was not there word for word, and of that what was given.
    pub last_day: (u64, u64),
    /// How long each decision took, in microseconds.
    pub took_us: Vec<f64>,
    /// What was wrong, the most frequent first.
    pub errors: Vec<Wrong>,
}

impl Played {
    /// Questions that were not there word for word.
    pub const fn asked(&self) -> u64 {
        self.questions - self.exact
    }
}

/// Plays a set by a rule.
pub fn play(set: &Pairs, vectors: &Vectors, rule: Rule, options: Options) -> Played {
    let mut order = Dice::new(options.seed);
    let mut play = Play {
        set,
        vectors,
        rule,
        shadow: f64::from(options.shadow_percent) / 100.0,
        dice: Dice::new(options.seed ^ 0x5eed),
        kept: Vec::new(),
        exact: HashSet::new(),
        answers: HashSet::new(),
        seen: HashMap::new(),
        wrong: HashSet::new(),
        errors: BTreeMap::new(),
        played: Played::default(),
    };
    for day in 0..options.rounds {
        play.begin_day(day);
        let before = (play.played.asked(), play.played.given);
        let mut pairs: Vec<&Pair> = set.pairs.iter().collect();
        order.shuffle(&mut pairs);
        for pair in pairs {
            play.ask(pair.a, day);
            play.ask(pair.b, day);
        }
        play.played.last_day = (play.played.asked() - before.0, play.played.given - before.1);
    }
    play.end()
}

/// Of a question that is not there word for word.
enum Decision {
    Unfit,
    Alone,
    Refused,
    Explore(Alike<usize>),
    Give(Alike<usize>),
}

struct Play<'a> {
    set: &'a Pairs,
    vectors: &'a Vectors,
    rule: Rule,
    shadow: f64,
    dice: Dice,
    /// What is found by its meaning on this day, the oldest first.
    kept: Vec<usize>,
    /// What is found word for word.
    exact: HashSet<usize>,
    /// The answers to these.
    answers: HashSet<usize>,
    /// What was observed of a question, with the day, oldest first.
    seen: HashMap<usize, Vec<(u32, Observation)>>,
    /// Questions, and kept ones that a check found to be wrong for them.
    wrong: HashSet<(usize, usize)>,
    /// How often, and how like: by the kept question and the one that it was given to.
    errors: BTreeMap<(usize, usize), (u64, f64)>,
    played: Played,
}

impl Play<'_> {
    fn begin_day(&mut self, day: u32) {
        self.kept.clear();
        self.exact.clear();
        self.answers.clear();
        for seen in self.seen.values_mut() {
            seen.retain(|(then, _)| then + OBSERVED_DAYS > day);
        }
    }

    fn ask(&mut self, asked: usize, day: u32) {
        self.played.questions += 1;
        if self.exact.contains(&asked) {
            self.played.exact += 1;
            return;
        }
        let since = Instant::now();
        let decision = self.decide(asked);
        self.played.took_us.push(since.elapsed().as_secs_f64() * 1e6);
        let could_be_given = self.answers.contains(&self.set.answer(asked));
        self.played.possible += u64::from(could_be_given && !matches!(decision, Decision::Unfit));
        match decision {
            Decision::Unfit => {
                self.played.unfit += 1;
                self.exact.insert(asked);
            }
            Decision::Alone => {
                self.played.alone += 1;
                self.keep(asked);
            }
            Decision::Refused => {
                self.played.refused += 1;
                self.keep(asked);
            }
            Decision::Explore(Alike { kept, similarity }) => {
                self.played.candidates += 1;
                self.played.explored += 1;
                let is_same = self.set.is_same(kept, asked);
                if matches!(self.rule, Rule::Learned(_)) {
                    self.observe(kept, (day, Observation { similarity, is_same }));
                }
                // One whose answer is the same is found by the meaning of the other.
                if is_same && matches!(self.rule, Rule::Learned(_)) {
                    self.exact.insert(asked);
                    self.answers.insert(self.set.answer(asked));
                } else {
                    self.keep(asked);
                }
            }
            Decision::Give(alike) => self.give(asked, alike, day),
        }
    }

    fn decide(&mut self, asked: usize) -> Decision {
        let facts = Facts::of(&self.set.texts[asked]);
        if !decide::takes_part(&self.set.texts[asked], &facts) {
            return Decision::Unfit;
        }
        let (set, vectors) = (self.set, &self.vectors.0);
        let newest = self.kept.iter().rev().take(decide::MOST_CANDIDATES);
        let worded = newest.map(|kept| ((*kept, set.texts[*kept].as_str()), &vectors[*kept]));
        let alike = decide::list_alike(&vectors[asked], worded);
        let Some(first) = alike.first().map(unworded) else { return Decision::Alone };
        let budget = match self.rule {
            Rule::Fixed(least) => {
                return if first.similarity >= least { Decision::Give(first) } else { Decision::Explore(first) };
            }
            Rule::Learned(budget) => budget,
        };
        let mut is_refused = false;
        let nearest = decide::nearest(
            &facts,
            alike,
            |(_, text)| text,
            |(kept, _)| self.wrong.contains(&(asked, *kept)),
            |refused| is_refused |= matches!(refused, Refused::Differs(_)),
        );
        let Some(nearest) = nearest.as_ref().map(unworded) else {
            return if is_refused { Decision::Refused } else { Decision::Alone };
        };
        let seen = self.seen.get(&nearest.kept).map_or(&[][..], Vec::as_slice);
        let seen: Vec<Observation> = seen.iter().map(|(_, one)| *one).collect();
        let verdict = threshold::weigh(&seen, nearest.similarity, budget);
        if threshold::gives(verdict, self.dice.roll()) { Decision::Give(nearest) } else { Decision::Explore(nearest) }
    }

    fn give(&mut self, asked: usize, Alike { kept, similarity }: Alike<usize>, day: u32) {
        self.played.candidates += 1;
        self.played.given += 1;
        let is_same = self.set.is_same(kept, asked);
        if !is_same {
            self.played.wrong += 1;
            self.played.unlabelled += u64::from(!self.set.is_labelled(kept, asked));
            self.errors.entry((kept, asked)).or_insert((0, similarity)).0 += 1;
        }
        if matches!(self.rule, Rule::Learned(_)) && self.dice.roll() < self.shadow {
            self.played.checked += 1;
            self.observe(kept, (day, Observation { similarity, is_same }));
            if !is_same {
                self.wrong.insert((asked, kept));
            }
        }
    }

    /// The model was asked, and the answer is found by these words' own meaning.
    fn keep(&mut self, asked: usize) {
        self.exact.insert(asked);
        self.answers.insert(self.set.answer(asked));
        self.kept.push(asked);
    }

    /// Of too many the oldest of the same answer goes, or the oldest; as the database has it.
    fn observe(&mut self, kept: usize, new: (u32, Observation)) {
        let seen = self.seen.entry(kept).or_default();
        if seen.len() >= threshold::MOST {
            seen.remove(seen.iter().position(|(_, one)| one.is_same).unwrap_or(0));
        }
        seen.push(new);
    }

    fn end(self) -> Played {
        let set = self.set;
        let wrong = |((kept, asked), (times, similarity)): ((usize, usize), (u64, f64))| Wrong {
            kept: set.texts[kept].clone(),
            asked: set.texts[asked].clone(),
            similarity,
            times,
            labelled: set.is_labelled(kept, asked),
        };
        let mut errors: Vec<Wrong> = self.errors.into_iter().map(wrong).collect();
        errors.sort_by_key(|one| std::cmp::Reverse(one.times));
        Played { errors, ..self.played }
    }
}

/// Without its words.
const fn unworded(alike: &Alike<(usize, &str)>) -> Alike<usize> {
    Alike { kept: alike.kept.0, similarity: alike.similarity }
}

/// Numbers that look random and are the same each time.
///
/// Source: Marsaglia 2003, "Xorshift RNGs"; the seed is spread as by Steele, Lea and Flood 2014, "Fast splittable pseudorandom
/// number generators".
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut spread = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        spread = (spread ^ (spread >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        spread = (spread ^ (spread >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((spread ^ (spread >> 31)).max(1))
    }

    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to below 1.
    fn roll(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Source: Fisher and Yates, in the form of Durstenfeld 1964.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, (self.draw() % (at as u64 + 1)) as usize);
        }
    }
}
