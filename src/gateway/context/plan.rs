//! What goes from a conversation that is too long, and what stays. Pure.
//!
//! The plan is found as if the conversation had grown piece by piece up to now: whenever it became too long, old results of
//! tools went, the oldest first, and if that was not enough, old pieces, down to [`TARGET_PERCENT`] of the room. So the same
//! beginning is shortened in the same way while the conversation goes on, in few large steps, and what a provider keeps
//! of it stays useful. Nothing has to be remembered for that.

use super::unit::Unit;

/// Of the room for the question, what is left after a step, in percent. The rest is filled before the next.
const TARGET_PERCENT: i64 = 70;

/// What a conversation has to fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Quarters of a token for the question.
    pub weight: i64,
    /// What the task and the tools weigh, which always stay.
    pub fixed: i64,
    /// What stands in the place of pieces that go weighs at most so much.
    pub instead: i64,
    /// Messages at the end that stay.
    pub keep_recent: usize,
}

/// What becomes of a piece.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays.
    #[default]
    Whole,
    /// It stays, without what its tools gave.
    Bare,
    /// It goes.
    Gone,
}

/// What becomes of each piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// By the place of the piece.
    pub fates: Vec<Fate>,
    /// The pieces that go, in the order in which they do.
    pub gone: Vec<usize>,
    /// After how many of them each step ended.
    pub steps: Vec<usize>,
}

impl Plan {
    /// Finds it.
    ///
    /// # Errors
    /// What the conversation weighs at least: what must stay does not fit.
    pub fn find(units: &[Unit], room: Room) -> Result<Self, i64> {
        let mut walk = Walk {
            units,
            room,
            plan: Self { fates: vec![Fate::Whole; units.len()], ..Self::default() },
            order: order(units),
            weight: room.fixed,
            bared: 0,
            looked: 0,
        };
        for (last, unit) in units.iter().enumerate() {
            walk.weight += unit.weight;
            if walk.takes() > room.weight {
                walk.step(last);
            }
        }
        let takes = walk.takes();
        if takes > room.weight { Err(takes) } else { Ok(walk.plan) }
    }
}

/// The pieces in the order in which they go: round by round, and what opened a round last of it. While anything of a round is
/// there, what was asked in it is.
fn order(units: &[Unit]) -> Vec<usize> {
    let mut order = Vec::with_capacity(units.len());
    let mut opened: Option<usize> = None;
    for (at, unit) in units.iter().enumerate() {
        if unit.opens {
            order.extend(opened.replace(at));
        } else {
            order.push(at);
        }
    }
    order.extend(opened);
    order
}

/// A conversation that grows.
struct Walk<'a> {
    units: &'a [Unit],
    room: Room,
    plan: Plan,
    order: Vec<usize>,
    /// What is there now.
    weight: i64,
    /// Pieces before this one have lost the results of their tools.
    bared: usize,
    /// So much of the order was looked at.
    looked: usize,
}

impl Walk<'_> {
    /// What it takes, with what stands in the place of what went.
    fn takes(&self) -> i64 {
        self.weight + if self.plan.gone.is_empty() { 0 } else { self.room.instead }
    }

    /// Whether a piece is among the newest, where `last` is the newest of all.
    fn is_recent(&self, at: usize, last: usize) -> bool {
        at >= last || self.units[at].at.end + self.room.keep_recent > self.units[last].at.end
    }

    /// It became too long with the piece `last`.
    fn step(&mut self, last: usize) {
        let target = self.room.weight / 100 * TARGET_PERCENT;
        while self.takes() > target && self.bared < last && !self.is_recent(self.bared, last) {
            self.bare();
        }
        if self.takes() > self.room.weight {
            self.drop_until(target, last);
        }
        // Where what is recent is too long by itself, results of tools go from there too; those of the last turn stay.
        while self.takes() > self.room.weight && self.bared < last {
            self.bare();
        }
    }

    fn bare(&mut self) {
        let (at, unit) = (self.bared, &self.units[self.bared]);
        if !unit.is_pinned && unit.spare > 0 && self.plan.fates[at] == Fate::Whole {
            self.plan.fates[at] = Fate::Bare;
            self.weight -= unit.spare;
        }
        self.bared += 1;
    }

    fn drop_until(&mut self, target: i64, last: usize) {
        let before = self.plan.gone.len();
        while self.weight + self.room.instead > target {
            let Some(&at) = self.order.get(self.looked).filter(|at| !self.is_recent(**at, last)) else { break };
            self.looked += 1;
            let unit = &self.units[at];
            if unit.is_pinned {
                continue;
            }
            self.weight -= match self.plan.fates[at] {
                Fate::Bare => unit.weight - unit.spare,
                _ => unit.weight,
            };
            self.plan.fates[at] = Fate::Gone;
            self.plan.gone.push(at);
        }
        if self.plan.gone.len() > before {
            self.plan.steps.push(self.plan.gone.len());
        }
    }
}
