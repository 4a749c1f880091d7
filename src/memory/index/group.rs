//! Groups: the conversations and documents that entries belong to, each in its order.

use std::collections::HashMap;

use crate::model::EntryId;

/// A group's number; dense from 0.
pub(super) type GroupId = u32;

/// Where an entry stands in its group: by position, those without one behind; then by when they were first written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// `i64::MAX` for none.
    pub position: i64,
    /// In microseconds.
    pub created_at: i64,
    /// The last word among equals.
    pub id: EntryId,
}

/// An entry's group, and its rank there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub group: GroupId,
    pub rank: Rank,
}

/// A group's entries in their order.
#[derive(Debug, Default)]
pub(super) struct Group {
    members: Vec<(Rank, u32)>,
    /// Words of the contents of its entries.
    words: u64,
}

impl Group {
    /// The slots of its entries, in their order.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = u32> {
        self.members.iter().map(|(_, slot)| *slot)
    }
}

/// Every group of an index. Names are those of one namespace: `(namespace, name)`.
#[derive(Default)]
pub(super) struct Groups {
    numbers: HashMap<(u32, String), GroupId>,
    all: Vec<Group>,
    /// Groups with entries.
    filled: u32,
    words: u64,
}

impl Groups {
    /// How many numbers are given out.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// A group by its number.
    pub fn get(&self, group: GroupId) -> &Group {
        &self.all[group as usize]
    }

    /// A group's words, as a share of the mean.
    pub fn relative_length(&self, group: GroupId) -> f32 {
        let mean = self.words as f32 / self.filled.max(1) as f32;
        self.get(group).words as f32 / mean.max(1.0)
    }

    /// The number of a group, new if need be.
    pub fn intern(&mut self, namespace: u32, name: &str) -> GroupId {
        let next = self.all.len() as GroupId;
        let number = *self.numbers.entry((namespace, name.to_owned())).or_insert(next);
        if number == next {
            self.all.push(Group::default());
        }
        number
    }

    /// Puts an entry in its place.
    pub fn put(&mut self, place: Place, slot: u32, words: u32) {
        let group = &mut self.all[place.group as usize];
        self.filled += u32::from(group.members.is_empty());
        let at = group.members.partition_point(|(rank, _)| *rank < place.rank);
        group.members.insert(at, (place.rank, slot));
        group.words += u64::from(words);
        self.words += u64::from(words);
    }

    /// Takes an entry out.
    pub fn remove(&mut self, place: Place, words: u32) {
        let group = &mut self.all[place.group as usize];
        if let Ok(at) = group.members.binary_search_by_key(&place.rank, |(rank, _)| *rank) {
            group.members.remove(at);
            group.words -= u64::from(words);
            self.words -= u64::from(words);
            self.filled -= u32::from(group.members.is_empty());
        }
    }

    /// The entries before and behind a place, at most `most` on each side, in their order.
    pub fn around(&self, place: Place, most: usize) -> (Vec<u32>, Vec<u32>) {
        let members = &self.get(place.group).members;
        let Ok(at) = members.binary_search_by_key(&place.rank, |(rank, _)| *rank) else { return Default::default() };
        let slots = |from: usize, to: usize| members[from..to].iter().map(|(_, slot)| *slot).collect();
        (slots(at.saturating_sub(most), at), slots(at + 1, (at + 1 + most).min(members.len())))
    }

    /// Renumbers the slots, of which the entries in groups are alive, and gives up groups without entries. Returns the new
    /// number of each old group.
    pub fn compact(&mut self, slots: &[Option<u32>]) -> Vec<Option<GroupId>> {
        let mut kept = Vec::new();
        let mut numbers = Vec::with_capacity(self.all.len());
        for mut group in std::mem::take(&mut self.all) {
            if group.members.is_empty() {
                numbers.push(None);
                continue;
            }
            for (_, slot) in &mut group.members {
                *slot = slots[*slot as usize].expect("a group holds entries alive");
            }
            numbers.push(Some(kept.len() as GroupId));
            kept.push(group);
        }
        self.all = kept;
        self.numbers.retain(|_, number| match numbers[*number as usize] {
            Some(renewed) => {
                *number = renewed;
                true
            }
            None => false,
        });
        numbers
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn rank(position: i64, id: u128) -> Rank {
        Rank { position, created_at: 0, id: EntryId(Uuid::from_u128(id)) }
    }

    #[test]
    fn entries_stand_by_position_and_lose_no_neighbour() {
        let mut groups = Groups::default();
        let group = groups.intern(0, "talk");
        assert_eq!(groups.intern(0, "talk"), group);
        assert_ne!(groups.intern(1, "talk"), group, "another namespace's group is another");
        for (position, slot) in [(3, 0), (1, 1), (i64::MAX, 2), (2, 3)] {
            groups.put(Place { group, rank: rank(position, slot.into()) }, slot, 10);
        }
        assert_eq!(groups.get(group).slots().collect::<Vec<_>>(), [1, 3, 0, 2]);
        let place = Place { group, rank: rank(3, 0) };
        assert_eq!(groups.around(place, 1), (vec![3], vec![2]));
        assert_eq!(groups.around(place, 5), (vec![1, 3], vec![2]));
        groups.remove(Place { group, rank: rank(2, 3) }, 10);
        assert_eq!(groups.around(place, 1), (vec![1], vec![2]));
        let renumbered = groups.compact(&[Some(0), Some(1), Some(2), None]);
        assert_eq!(renumbered, [Some(0), None]);
        assert!((groups.relative_length(group) - 1.0).abs() < 1e-6);
    }
}
