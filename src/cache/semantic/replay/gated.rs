//! The token gate alone, on labelled pairs: what can be told without any vector.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::decide;
use super::super::gate::Facts;
use super::pairs::Pairs;

/// What the gate does with pairs of one kind, without any vector.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Gated {
    /// The kind; empty for pairs without.
    pub kind: String,
    /// Pairs with the same answer.
    pub same: usize,
    /// Of these, let pass.
    pub passed: usize,
    /// Pairs with another answer.
    pub different: usize,
    /// Of these, stopped.
    pub stopped: usize,
    /// Why pairs with the same answer were not let pass: how many, by what differs.
    pub refused_by: BTreeMap<&'static str, usize>,
    /// Why pairs with another answer were stopped.
    pub stopped_by: BTreeMap<&'static str, usize>,
}

/// Shows every pair to the gate; kinds stand in the order of the lines.
pub fn gate(set: &Pairs) -> Vec<Gated> {
    let mut kinds: Vec<Gated> = Vec::new();
    for pair in &set.pairs {
        let at = kinds.iter().position(|one| one.kind == pair.kind).unwrap_or_else(|| {
            kinds.push(Gated { kind: pair.kind.clone(), ..Gated::default() });
            kinds.len() - 1
        });
        let kind = &mut kinds[at];
        let refused = refused(&set.texts[pair.a], &set.texts[pair.b]);
        let (of, counted, why) = if pair.same {
            (&mut kind.same, &mut kind.passed, &mut kind.refused_by)
        } else {
            (&mut kind.different, &mut kind.stopped, &mut kind.stopped_by)
        };
        *of += 1;
        *counted += usize::from(refused.is_some() != pair.same);
        if let Some(refused) = refused {
            *why.entry(refused).or_default() += 1;
        }
    }
    kinds
}

/// What keeps an answer to the one from being given to the other, before any likeness counts.
fn refused(one: &str, other: &str) -> Option<&'static str> {
    let (facts, others) = (Facts::of(one), Facts::of(other));
    if !decide::takes_part(one, &facts) || !decide::takes_part(other, &others) {
        return Some("unfit");
    }
    facts.admits(&others).err().map(super::super::gate::Differs::as_str)
}
