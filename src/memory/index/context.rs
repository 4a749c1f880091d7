//! What the entries around an entry say about it: its neighbours and its whole group.
//!
//! An answer often has none of the question's words ("Where did you stay?", "In a small inn by the river."), and a
//! conversation about what is asked is likelier to hold the answer than one that meets a word by chance.

use super::group::GroupId;
use super::score;
use super::search::{Clause, Sums};
use super::vocabulary::{TermId, weight};
use super::{Index, NO_GROUP, Slot};

/// What the entries around each entry add to it. Empty without groups.
pub(super) struct Context {
    /// By slot.
    neighbours: Vec<f32>,
    /// By group.
    groups: Vec<f32>,
    /// Slots that only their neighbours speak for.
    pub nearby: Vec<u32>,
}

impl Context {
    /// What the neighbours add.
    pub fn neighbours(&self, slot: usize) -> f32 {
        self.neighbours.get(slot).copied().unwrap_or_default()
    }

    /// What the whole group adds, weighted.
    pub fn group(&self, group: GroupId) -> f32 {
        self.groups.get(group as usize).map_or(0.0, |score| score::WEIGHTS[score::Signal::Group as usize] * score)
    }
}

/// Adds up what one word says for whole groups.
pub(super) struct GroupSums {
    scores: Vec<f32>,
    /// Occurrences of the word at hand.
    occurrences: Vec<f32>,
    touched: Vec<u32>,
}

impl GroupSums {
    /// For so many groups.
    pub fn new(groups: usize) -> Self {
        Self { scores: vec![0.0; groups], occurrences: vec![0.0; groups], touched: Vec::new() }
    }

    /// An entry of a group holds the word so often.
    pub fn add(&mut self, group: u32, occurrences: f32) {
        let sum = &mut self.occurrences[group as usize];
        if *sum == 0.0 {
            self.touched.push(group);
        }
        *sum += occurrences;
    }

    /// No more of this word.
    pub fn finish_word(&mut self, index: &Index, rarity: f32) {
        for group in self.touched.drain(..) {
            let occurrences = std::mem::take(&mut self.occurrences[group as usize]);
            let frequency = occurrences / score::norm(index.groups.relative_length(group));
            self.scores[group as usize] += score::contribution(rarity, frequency);
        }
    }
}

impl Index {
    /// What neighbours and groups add, from the text scores of the entries that may be found.
    pub(super) fn context(&self, sums: &Sums, groups: GroupSums, accepted: &[bool]) -> Context {
        let mut context = Context { neighbours: Vec::new(), groups: groups.scores, nearby: Vec::new() };
        if self.groups.len() == 0 {
            return context;
        }
        (context.neighbours, context.nearby) = self.spread(&sums.touched, &sums.text, accepted);
        context
    }

    /// Hands shares of what each entry has to those around it in its group. Returns what each got, by slot, and which of them
    /// may be found and have nothing of their own.
    pub(super) fn spread(&self, touched: &[u32], own: &[f32], accepted: &[bool]) -> (Vec<f32>, Vec<u32>) {
        let (mut got, mut nearby) = (vec![0.0; self.slots.len()], Vec::new());
        let mut seen = vec![false; self.groups.len()];
        for slot in touched {
            let group = self.lights[*slot as usize].group;
            if group == NO_GROUP || std::mem::replace(&mut seen[group as usize], true) {
                continue;
            }
            let members: Vec<u32> = self.groups.get(group).slots().collect();
            for (at, member) in members.iter().enumerate() {
                let has = own[*member as usize];
                if has == 0.0 {
                    continue;
                }
                for (offset, share) in score::NEIGHBOURS {
                    let Some(near) = at.checked_add_signed(offset).and_then(|at| members.get(at)) else { continue };
                    let near = *near as usize;
                    if got[near] == 0.0 && own[near] == 0.0 && accepted[near] {
                        nearby.push(near as u32);
                    }
                    got[near] += share * has;
                }
            }
        }
        (got, nearby)
    }
}

/// The words of the index that name a speaker when the question holds them, ascending: the words themselves and their forms.
pub(super) fn named(clauses: &[Clause<'_>]) -> Vec<TermId> {
    let forms = clauses.iter().flat_map(|clause| &clause.expansions);
    let mut terms: Vec<TermId> = forms.filter(|form| form.weight >= weight::STEM).map(|form| form.term).collect();
    terms.sort_unstable();
    terms
}

/// The factor for an entry whose speaker is among the named.
pub(super) fn speaker(slot: &Slot, named: &[TermId]) -> f32 {
    let is_named = slot.speaker.iter().any(|term| named.binary_search(term).is_ok());
    if is_named { score::SPEAKER } else { 1.0 }
}
