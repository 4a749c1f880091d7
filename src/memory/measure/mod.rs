//! How good the search is: questions with judged answers, the usual figures, and a textbook BM25 beside them.
//!
//! Pure. Owns the two sets that are shipped (`benches/memory`): conversations that were made up for it, and the product's own
//! documentation of one day, both with judgements by hand. Any folder in the format of BEIR fits as well. Promises that both
//! rankings are asked the same questions over the same texts. `weft bench memory` prints the figures; tests hold them.

mod set;
#[cfg(test)]
mod tests;
mod textbook;

pub use set::{Document, Question, Set};
pub use textbook::Textbook;

pub use super::index::{VectorSpeed, vector_speed};

use serde::Serialize;

/// How deep answers are looked at.
pub const DEPTH: usize = 10;

/// What an answer is judged by: the documents found, best first, with the score of the first.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    /// Ids, best first.
    pub ids: Vec<String>,
    /// 0 when nothing was found.
    pub top_score: f64,
}

/// The figures of one ranking over one set; means over the questions with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quality {
    /// The share of what answers a question that is among the first 5.
    pub recall_5: f64,
    /// The same among the first 10.
    pub recall_10: f64,
    /// Normalised discounted cumulative gain of the first 10, with the judgements as gains.
    ///
    /// Source: Järvelin and Kekäläinen 2002, in the form of trec_eval.
    pub ndcg_10: f64,
    /// How well the best score parts questions with an answer from those without: the share of pairs of one each in which the
    /// first scores higher. `None` where a set has no questions without an answer.
    pub separation: Option<f64>,
}

/// Asks every question of a set and reckons the figures.
pub fn quality(set: &Set, rankings: &[Ranking]) -> Quality {
    let mut sums = [0.0; 3];
    let (mut answered, mut unanswered) = (Vec::new(), Vec::new());
    for (question, ranking) in set.questions.iter().zip(rankings) {
        if question.answers.is_empty() {
            unanswered.push(ranking.top_score);
            continue;
        }
        answered.push(ranking.top_score);
        sums[0] += recall(question, ranking, 5);
        sums[1] += recall(question, ranking, DEPTH);
        sums[2] += ndcg(question, ranking);
    }
    let [recall_5, recall_10, ndcg_10] = sums.map(|sum| sum / answered.len().max(1) as f64);
    Quality { recall_5, recall_10, ndcg_10, separation: separation(&answered, &unanswered) }
}

fn recall(question: &Question, ranking: &Ranking, depth: usize) -> f64 {
    let found = ranking.ids.iter().take(depth).filter(|id| question.answers.contains_key(*id)).count();
    found as f64 / question.answers.len().max(1) as f64
}

fn ndcg(question: &Question, ranking: &Ranking) -> f64 {
    let discount = |at: usize| ((at + 2) as f64).log2();
    let gains = ranking.ids.iter().take(DEPTH).map(|id| question.answers.get(id).copied().unwrap_or(0));
    let gain: f64 = gains.enumerate().map(|(at, gain)| f64::from(gain) / discount(at)).sum();
    let mut best: Vec<u32> = question.answers.values().copied().collect();
    best.sort_unstable_by(|a, b| b.cmp(a));
    let ideal: f64 = best.iter().take(DEPTH).enumerate().map(|(at, gain)| f64::from(*gain) / discount(at)).sum();
    if ideal > 0.0 { gain / ideal } else { 0.0 }
}

fn separation(answered: &[f64], unanswered: &[f64]) -> Option<f64> {
    let pairs = answered.len() * unanswered.len();
    let won = |a: &f64, b: &f64| if a > b { 1.0 } else { f64::from(u8::from((a - b).abs() < f64::EPSILON)) / 2.0 };
    let sum: f64 = answered.iter().flat_map(|a| unanswered.iter().map(move |b| won(a, b))).sum();
    (pairs > 0).then(|| sum / pairs as f64)
}

/// The value under which a share (0..=1) of the sorted values lies.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}
