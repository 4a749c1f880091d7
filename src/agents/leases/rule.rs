//! Who gets a lease, who waits for whom, and which wait would never end. Pure.
//!
//! Claims stand in the order in which they were asked. One is granted once no lease that somebody else has is in its way, and no
//! earlier claim that waits: so a shared one does not overtake an exclusive one. Two exceptions, without which work would stand
//! still. What an agent has is in nobody's way to whom it gave work and for whom it waits: they work on its behalf. And whoever
//! waits for me is not before me: it can't go on in any case before I am done.
//!
//! A wait-for graph has an edge from each who waits to all who are in the way, and from each who waits for another's run to whoever
//! works there. One who waits goes on only when *all* of that is over, so every circle in it is one in which all wait for ever.
//! No circle stays: the claim in it that was asked last is refused.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::agent::{LeaseMode, Thing};
use crate::model::{LeaseId, RunId};

/// Who has leases and waits for some: a step of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party {
    /// The run.
    pub run: RunId,
    /// The step's path.
    pub step: String,
}

/// A lease that somebody has or wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its id.
    pub id: LeaseId,
    /// Whose.
    pub party: Party,
    /// The name of the agent.
    pub agent: String,
    /// The steps that wait for the run of that party to end, the nearest first.
    pub above: Vec<Party>,
    /// On what.
    pub thing: Thing,
    /// How much of it.
    pub mode: LeaseMode,
    /// Whether the party has it.
    pub is_held: bool,
}

/// Why one waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    /// The claim at this place waits for the one at that.
    Claim { waits: usize, is_behind: usize },
    /// It gave work to the other, and waits for what comes of it.
    Run,
}

/// One edge of a circle.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    /// Who waits.
    from: Party,
    /// For whom.
    to: Party,
    /// Why.
    because: Because,
}

/// What comes of all claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Who gets what it waited for, in their order.
    pub granted: Vec<LeaseId>,
    /// Who can't wait, and the circle in which it would, in words.
    pub refused: Vec<(LeaseId, String)>,
}

/// Grants and refuses until nothing is left to do. The claims are as they are asked: the oldest first. What was granted is held
/// then, and what was refused is gone from them.
pub fn settle(claims: &mut Vec<Claim>) -> Settled {
    let mut settled = Settled::default();
    loop {
        let before = settled.granted.len();
        for at in 0..claims.len() {
            if !claims[at].is_held && blockers(claims, at).is_empty() {
                claims[at].is_held = true;
                settled.granted.push(claims[at].id);
            }
        }
        // Who was granted something may go before others now, who wait for that.
        if settled.granted.len() > before {
            continue;
        }
        if !goes_round(claims) {
            return settled;
        }
        // The last that waits in a circle goes first: nobody has waited less.
        let circle = (0..claims.len()).rev().find_map(|at| Some((at, circle(claims, at)?)));
        let Some((at, links)) = circle else { return settled };
        settled.refused.push((claims[at].id, words(claims, &links)));
        claims.remove(at);
    }
}

/// The places of the claims that keep the one at `at` waiting; none for one that is held.
pub fn blockers(claims: &[Claim], at: usize) -> Vec<usize> {
    let claim = &claims[at];
    if claim.is_held {
        return Vec::new();
    }
    // What the party has, and those on whose behalf it works: whoever waits for some of that waits for it.
    let is_mine = |held: &&Claim| held.is_held && (held.party == claim.party || claim.above.contains(&held.party));
    let mine: Vec<&Claim> = claims.iter().filter(is_mine).collect();
    let waits_for_me = |other: &Claim| mine.iter().any(|held| is_against(held, other));
    let is_in_the_way = |(place, other): &(usize, &Claim)| {
        is_against(other, claim) && (other.is_held || (*place < at && !waits_for_me(other)))
    };
    claims.iter().enumerate().filter(is_in_the_way).map(|(place, _)| place).collect()
}

/// Whether `other` and `claim` can't both be had: by strangers, and at least one of them alone.
pub fn is_against(other: &Claim, claim: &Claim) -> bool {
    other.party != claim.party
        && !claim.above.contains(&other.party)
        && (other.mode == LeaseMode::Exclusive || claim.mode == LeaseMode::Exclusive)
        && other.thing.overlaps(&claim.thing)
}

/// Whether there is a circle at all: those who wait for nobody end, then those who waited only for them, and so on; whoever is left
/// waits for ever.
///
/// Source: Kahn 1962, topological sorting.
fn goes_round(claims: &[Claim]) -> bool {
    let parties: BTreeSet<&Party> = claims.iter().map(|claim| &claim.party).collect();
    let numbers: BTreeMap<&Party, usize> = parties.into_iter().zip(0..).collect();
    let (mut open, mut waited_by) = (vec![0_usize; numbers.len()], vec![Vec::new(); numbers.len()]);
    for (party, number) in &numbers {
        let links = links_of(claims, party);
        let others: BTreeSet<usize> = links.iter().filter_map(|link| numbers.get(&link.to).copied()).collect();
        open[*number] = others.len();
        for other in others {
            waited_by[other].push(*number);
        }
    }
    let mut free: Vec<usize> = (0..open.len()).filter(|number| open[*number] == 0).collect();
    let mut ended = 0;
    while let Some(number) = free.pop() {
        ended += 1;
        for waiting in &waited_by[number] {
            open[*waiting] -= 1;
            if open[*waiting] == 0 {
                free.push(*waiting);
            }
        }
    }
    ended < open.len()
}

/// The circle in which the claim at `at` would wait for itself, from its party round to it again; `None`: there is none. It goes
/// through this very claim.
fn circle(claims: &[Claim], at: usize) -> Option<Vec<Link>> {
    let home = &claims[at].party;
    let first = |is_behind: usize| Link {
        from: home.clone(),
        to: claims[is_behind].party.clone(),
        because: Because::Claim { waits: at, is_behind },
    };
    let mut came: BTreeMap<Party, Link> = BTreeMap::new();
    let mut next: VecDeque<Party> = VecDeque::new();
    for link in blockers(claims, at).into_iter().map(first) {
        if came.insert(link.to.clone(), link.clone()).is_none() {
            next.push_back(link.to);
        }
    }
    while let Some(party) = next.pop_front() {
        if party == *home {
            return Some(way(&came, home));
        }
        for link in links_of(claims, &party) {
            if !came.contains_key(&link.to) {
                next.push_back(link.to.clone());
                came.insert(link.to.clone(), link);
            }
        }
    }
    None
}

/// Everybody for whom a party waits.
fn links_of(claims: &[Claim], from: &Party) -> Vec<Link> {
    let mut links = Vec::new();
    for waits in (0..claims.len()).filter(|at| claims[*at].party == *from && !claims[*at].is_held) {
        links.extend(blockers(claims, waits).into_iter().map(|is_behind| Link {
            from: from.clone(),
            to: claims[is_behind].party.clone(),
            because: Because::Claim { waits, is_behind },
        }));
    }
    let below: BTreeSet<&Party> =
        claims.iter().filter(|claim| claim.above.contains(from)).map(|claim| &claim.party).collect();
    links.extend(below.into_iter().map(|to| Link { from: from.clone(), to: to.clone(), because: Because::Run }));
    links
}

/// The way by which `home` was reached again, from its beginning.
fn way(came: &BTreeMap<Party, Link>, home: &Party) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let mut to = home.clone();
    // Each party is reached by one link, so that this ends.
    while let Some(link) = came.get(&to) {
        links.push(link.clone());
        if link.from == *home || links.len() > came.len() {
            break;
        }
        to = link.from.clone();
    }
    links.reverse();
    links
}

/// The circle in words for the agent whose claim is refused, which is the first link's.
fn words(claims: &[Claim], links: &[Link]) -> String {
    let name = |party: &Party| {
        let agent = claims.iter().find(|claim| claim.party == *party).map_or("somebody", |claim| claim.agent.as_str());
        let run = party.run.to_string();
        format!("{agent} (run …{})", &run[run.len().saturating_sub(6)..])
    };
    let said = links.iter().map(|link| match link.because {
        Because::Claim { waits, is_behind } => {
            let (wanted, other) = (&claims[waits], &claims[is_behind]);
            let has = if other.is_held { "has" } else { "waits before it for" };
            format!("{} waits for {}, because {} {has} {}", name(&link.from), wanted.thing, name(&link.to), other.thing)
        }
        Because::Run => format!("{} waits for what it asked {} to do", name(&link.from), name(&link.to)),
    });
    said.collect::<Vec<_>>().join("; ")
}
