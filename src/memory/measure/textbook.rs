//! BM25 as a textbook has it: what the search is measured against. Nothing of the index is used, so that no mistake is shared.
//!
//! Source: Robertson and Zaragoza 2009, k1 = 1.2 and b = 0.75; words of letters and digits, lower case, without stop words,
//! stemmed by Snowball's English stemmer.

use std::collections::HashMap;

use rust_stemmers::{Algorithm, Stemmer};

use super::{DEPTH, Ranking, Set};

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Also those that questions begin with: without them the baseline would be easy to beat.
const STOP_WORDS: &str = "a an and are as at be but by can did do does for from had has have how i if in into is it its me my \
    no not of on or our so such that the their then there these they this to was we were what when where which who why will \
    with you your";

/// An index of a set's documents.
pub struct Textbook {
    ids: Vec<String>,
    lengths: Vec<f64>,
    mean_length: f64,
    postings: HashMap<String, Vec<(usize, f64)>>,
    stemmer: Stemmer,
}

impl Textbook {
    /// Indexes every document.
    pub fn new(set: &Set) -> Self {
        let stemmer = Stemmer::create(Algorithm::English);
        let mut postings: HashMap<String, Vec<(usize, f64)>> = HashMap::new();
        let mut lengths = Vec::with_capacity(set.documents.len());
        for (at, document) in set.documents.iter().enumerate() {
            let words = words(&stemmer, &document.draft.content);
            lengths.push(words.len() as f64);
            let mut counts: HashMap<String, f64> = HashMap::new();
            for word in words {
                *counts.entry(word).or_default() += 1.0;
            }
            for (word, count) in counts {
                postings.entry(word).or_default().push((at, count));
            }
        }
        let mean_length = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
        let ids = set.documents.iter().map(|document| document.id.clone()).collect();
        Self { ids, lengths, mean_length, postings, stemmer }
    }

    /// The best documents for a question; ties in the order of the set.
    pub fn rank(&self, question: &str) -> Ranking {
        let mut asked = words(&self.stemmer, question);
        asked.sort();
        asked.dedup();
        let all = self.ids.len() as f64;
        let mut scores: HashMap<usize, f64> = HashMap::new();
        for postings in asked.iter().filter_map(|word| self.postings.get(word)) {
            let holding = postings.len() as f64;
            let rarity = (1.0 + (all - holding + 0.5) / (holding + 0.5)).ln();
            for (at, count) in postings {
                let norm = 1.0 - B + B * self.lengths[*at] / self.mean_length.max(1.0);
                *scores.entry(*at).or_default() += rarity * count * (K1 + 1.0) / (count + K1 * norm);
            }
        }
        let mut ranked: Vec<(usize, f64)> = scores.into_iter().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(DEPTH);
        let top_score = ranked.first().map_or(0.0, |(_, score)| *score);
        Ranking { ids: ranked.into_iter().map(|(at, _)| self.ids[at].clone()).collect(), top_score }
    }
}

fn words(stemmer: &Stemmer, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words = words.filter(|word| !STOP_WORDS.split_whitespace().any(|stop| stop == *word));
    words.map(|word| stemmer.stem(word).into_owned()).collect()
}
