//! Why a queued run waits, in words: its key, its rate, the quota of its workspace, or its turn.

use super::{Code, Unblock, Why};
use crate::model::workflow::flow::admission::Blocked;
use crate::model::workflow::flow::{Key, Limits, Window};
use crate::model::{RunId, Timestamp};

impl Limits {
    /// What people read beside a queued run, in few words.
    pub fn headline(&self, blocked: Option<Blocked>) -> String {
        match (blocked, &self.key, &self.rate) {
            (Some(Blocked::Key), Some(key), _) => format!("Waits for a place under the key “{}”", key.name),
            (Some(Blocked::Rate(_)), _, Some(rate)) => format!("Waits for the rate “{}”", rate.name),
            (Some(Blocked::Quota), ..) => "Waits for the workspace's quota".to_owned(),
            _ => "Waits for its turn".to_owned(),
        }
    }
}

/// How a queued run stands.
#[derive(Debug, Clone)]
pub struct Place {
    /// What keeps it from beginning, beside its turn.
    pub blocked: Option<Blocked>,
    /// Its key.
    pub key: Option<Key>,
    /// Its rate.
    pub rate: Option<Window>,
    /// Its place in its lane, 1 for the next.
    pub position: u32,
    /// When it was queued.
    pub since: Timestamp,
    /// The runs that hold what it waits for, some of them.
    pub holders: Vec<(RunId, String)>,
    /// How many hold it in all.
    pub held: u32,
    /// How many runs of the workspace may be in progress, where that is limited.
    pub quota: Option<Quota>,
}

/// How many runs of a workspace may be in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// So many.
    pub limit: u32,
    /// The workspace asks for that itself; the server would allow more.
    pub is_own: bool,
}

impl Quota {
    /// As the end of a sentence.
    fn phrase(self) -> String {
        let whose = if self.is_own { "the workspace's own limit" } else { "the server's limit" };
        format!("and {whose} is {}", self.limit)
    }
}

impl Place {
    /// The reason in words.
    pub fn why(&self) -> Why {
        let mut unblocks: Vec<Unblock> = self.holders.iter().map(|(run, name)| Unblock::run(*run, name)).collect();
        let ahead = self.position.saturating_sub(1);
        let (code, sentence) = match (self.blocked, &self.key, &self.rate) {
            (Some(Blocked::Key), Some(key), _) => {
                let (name, limit) = (&key.name, key.limit);
                let taken = if limit == 1 { "place is taken" } else { "places are taken" };
                let sentence = format!("Waits for a place under the key “{name}”: {} of {limit} {taken}", self.held);
                (Code::ConcurrencyKey, sentence)
            }
            (Some(Blocked::Rate(opens_at)), _, Some(rate)) => {
                unblocks.extend(opens_at.map(|at| Unblock::Time { at }));
                let (count, name) = (runs(rate.count), &rate.name);
                (Code::Rate, format!("Waits for the rate “{name}”: {count} in {} have begun", span(rate.per_ms)))
            }
            (Some(Blocked::Quota), ..) => {
                let allowed = self.quota.map_or_else(|| "as many as may be".to_owned(), Quota::phrase);
                let sentence = format!("Waits for the workspace's quota: {} in progress, {allowed}", self.held);
                (Code::Quota, sentence)
            }
            _ if ahead > 0 => (Code::Turn, "Waits for its turn".to_owned()),
            _ => (Code::Starting, "May begin: a server is about to take it".to_owned()),
        };
        let before = match ahead {
            0 => String::new(),
            1 => "; one run is before it".to_owned(),
            ahead => format!("; {ahead} runs are before it"),
        };
        let sentence = format!("{sentence}{before}.");
        Why { step: None, code, sentence, since: Some(self.since), position: Some(self.position), unblocks }
    }
}

fn runs(count: u32) -> String {
    if count == 1 { "one run".to_owned() } else { format!("{count} runs") }
}

fn span(ms: u64) -> String {
    match ms {
        ms if ms % 3_600_000 == 0 => format!("{} h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::workflow::flow::WhenFull;

    #[test]
    fn a_full_key_names_the_key_the_holders_and_the_place() {
        let holder = RunId(uuid::Uuid::nil());
        let place = Place {
            blocked: Some(Blocked::Key),
            key: Some(Key { name: "acme".into(), limit: 1, when_full: WhenFull::Queue }),
            rate: None,
            position: 3,
            since: Timestamp(0),
            holders: vec![(holder, "Invoices".into())],
            held: 1,
            quota: None,
        };
        let why = place.why();
        assert_eq!(
            why.sentence,
            "Waits for a place under the key “acme”: 1 of 1 place is taken; 2 runs are before it."
        );
        assert_eq!(why.unblocks, [Unblock::run(holder, "Invoices")]);
    }

    #[test]
    fn a_used_up_quota_names_the_number_that_holds_and_whose_it_is() {
        let place = |is_own| Place {
            blocked: Some(Blocked::Quota),
            key: None,
            rate: None,
            position: 1,
            since: Timestamp(0),
            holders: Vec::new(),
            held: 3,
            quota: Some(Quota { limit: 2, is_own }),
        };
        for (is_own, whose) in [(true, "the workspace's own limit"), (false, "the server's limit")] {
            let expected = format!("Waits for the workspace's quota: 3 in progress, and {whose} is 2.");
            assert_eq!(place(is_own).why().sentence, expected);
        }
    }

    #[test]
    fn a_full_window_names_when_it_opens() {
        let at = Timestamp(5);
        let place = Place {
            blocked: Some(Blocked::Rate(Some(at))),
            key: None,
            rate: Some(Window { name: "mail".into(), count: 5, per_ms: 60_000 }),
            position: 1,
            since: Timestamp(0),
            holders: Vec::new(),
            held: 5,
            quota: None,
        };
        let why = place.why();
        assert_eq!(why.sentence, "Waits for the rate “mail”: 5 runs in 1 min have begun.");
        assert_eq!(why.unblocks, [Unblock::Time { at }]);
    }
}
