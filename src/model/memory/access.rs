//! Who may read and change the entries of a namespace and all below it: the one decision, asked everywhere. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::is_within;
use crate::model::auth::Role;
use crate::model::{FieldError, Timestamp, UserId};

/// Rules of a workspace.
pub const MAX_ACCESS_RULES: i64 = 100;
/// People whom a rule names for each of reading and changing.
pub const MAX_NAMED: usize = 50;

/// Who may: those with a role, and those who are named. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    /// This role and every more powerful one; absent: owners alone, whom no rule keeps out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// People who may whatever their role is, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserId>,
}

/// Who asks, as far as rules look at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Their role.
    pub role: Role,
    /// Who, if it is a person, or a run that a person started.
    pub user: Option<UserId>,
}

impl Allowed {
    /// Whether somebody may.
    pub fn lets(&self, asker: Asker) -> bool {
        // More powerful roles come first in their order.
        let by_role = asker.role == Role::Owner || self.role.is_some_and(|least| asker.role <= least);
        by_role || asker.user.is_some_and(|user| self.users.contains(&user))
    }
}

/// Who may do what in a namespace and all below it. It only takes away: what the role doesn't allow, no rule gives. Unknown fields are
/// refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Who may read. For all others there is nothing there.
    pub read: Allowed,
    /// Who of these may write, delete, move and set aside.
    pub write: Allowed,
}

impl Access {
    /// What does not fit.
    pub fn check(&self) -> Vec<FieldError> {
        let lists = [("/read/users", &self.read.users), ("/write/users", &self.write.users)];
        let long = lists.into_iter().filter(|(_, users)| users.len() > MAX_NAMED);
        long.map(|(pointer, _)| FieldError::new(pointer, format!("expected at most {MAX_NAMED} people"))).collect()
    }

    /// The same with each person once, in the order of their ids.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        for users in [&mut self.read.users, &mut self.write.users] {
            users.sort_unstable_by_key(|user| user.0);
            users.dedup();
        }
        self
    }
}

/// A rule as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessRule {
    /// The namespace that it was made for; it holds there and below, but where a rule of a longer path does.
    pub path: String,
    /// Who may read.
    pub read: Allowed,
    /// Who of these may change.
    pub write: Allowed,
    /// Who said so last; absent for the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// When.
    pub set_at: Timestamp,
}

/// What somebody may do at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    /// There is nothing for them.
    Nothing,
    Read,
    Write,
}

/// How far somebody reaches into a memory, beside what their role allows: made of the rules once, and asked of every entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// What they may at each path that has a rule; without one everything.
    rights: Vec<(String, Right)>,
}

impl Reach {
    /// Of somebody whom no rule keeps out.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Of somebody under these rules.
    pub fn of(rules: &[AccessRule], asker: Asker) -> Self {
        let right = |rule: &AccessRule| match (rule.read.lets(asker), rule.write.lets(asker)) {
            (false, _) => Right::Nothing,
            (true, false) => Right::Read,
            (true, true) => Right::Write,
        };
        let rights: Vec<(String, Right)> = rules.iter().map(|rule| (rule.path.clone(), right(rule))).collect();
        // Whom nothing is taken from needs not to be asked about.
        if rights.iter().all(|(_, right)| *right == Right::Write) { Self::everything() } else { Self { rights } }
    }

    /// What both may: at each place the lesser right. Never wider than either, and the same in whichever order several are put together.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let paths: BTreeSet<&str> = self.rights.iter().chain(&other.rights).map(|(path, _)| path.as_str()).collect();
        // Below the longest path of both that is over a place, each of them has one right.
        let lesser = |path: &str| self.right(path).min(other.right(path));
        let rights: Vec<(String, Right)> = paths.into_iter().map(|path| (path.to_owned(), lesser(path))).collect();
        if rights.iter().all(|(_, right)| *right == Right::Write) { Self::everything() } else { Self { rights } }
    }

    /// What the rule of the longest path over a namespace says.
    fn right(&self, namespace: &str) -> Right {
        let over = self.rights.iter().filter(|(path, _)| is_within(namespace, path));
        over.max_by_key(|(path, _)| path.len()).map_or(Right::Write, |(_, right)| *right)
    }

    /// Whether entries of a namespace are there for them.
    pub fn may_read(&self, namespace: &str) -> bool {
        self.right(namespace) >= Right::Read
    }

    /// Whether they may change entries of a namespace.
    pub fn may_write(&self, namespace: &str) -> bool {
        self.right(namespace) == Right::Write
    }

    /// Whether a rule hides anything from them.
    pub fn hides(&self) -> bool {
        self.rights.iter().any(|(_, right)| *right < Right::Read)
    }

    /// The paths whose rules let them read, each on a line of its own, for the database: no namespace holds a line's end. Empty where
    /// no rule hides anything.
    pub fn readable_paths(&self) -> String {
        if !self.hides() {
            return String::new();
        }
        let paths = self.rights.iter().filter(|(_, right)| *right >= Right::Read);
        paths.fold("\n".to_owned(), |text, (path, _)| text + path + "\n")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const MARA: UserId = UserId(Uuid::from_u128(1));
    const TOMAS: UserId = UserId(Uuid::from_u128(2));

    fn rule(path: &str, read: Allowed, write: Allowed) -> AccessRule {
        AccessRule { path: path.to_owned(), read, write, set_by: None, set_at: Timestamp(0) }
    }

    fn role(role: Role) -> Allowed {
        Allowed { role: Some(role), users: Vec::new() }
    }

    fn named(users: &[UserId]) -> Allowed {
        Allowed { role: None, users: users.to_vec() }
    }

    #[test]
    fn a_rule_lets_its_role_and_those_above_it_and_whom_it_names() {
        for (allowed, least) in [
            (role(Role::Viewer), Role::Viewer),
            (role(Role::Builder), Role::Builder),
            (role(Role::Admin), Role::Admin),
            (Allowed::default(), Role::Owner),
        ] {
            for asker in Role::ALL {
                let expected = asker <= least;
                assert_eq!(allowed.lets(Asker { role: asker, user: None }), expected, "{allowed:?} {asker:?}");
            }
        }
        let mara = named(&[MARA]);
        assert!(mara.lets(Asker { role: Role::Viewer, user: Some(MARA) }));
        assert!(!mara.lets(Asker { role: Role::Admin, user: Some(TOMAS) }));
        assert!(mara.lets(Asker { role: Role::Owner, user: Some(TOMAS) }), "owners are never kept out");
    }

    #[test]
    fn the_rule_of_the_longest_path_holds() {
        let rules = [
            rule("people", role(Role::Admin), role(Role::Admin)),
            rule("people/public", role(Role::Viewer), role(Role::Builder)),
            rule("people/public/drafts", named(&[MARA]), named(&[MARA])),
            rule("plans", role(Role::Viewer), named(&[TOMAS])),
        ];
        let told = |asker: Asker| {
            let reach = Reach::of(&rules, asker);
            ["people", "people/pay", "people/public", "people/public/drafts/x", "people/publications", "plans", "code"]
                .map(|path| match (reach.may_read(path), reach.may_write(path)) {
                    (false, false) => '-',
                    (true, false) => 'r',
                    (true, true) => 'w',
                    (false, true) => '!',
                })
                .into_iter()
                .collect::<String>()
        };
        for (asked_by, user, expected) in [
            (Role::Owner, None, "wwwwwww"),
            (Role::Admin, None, "www-wrw"),
            (Role::Builder, None, "--w--rw"),
            (Role::Viewer, None, "--r--rw"),
            (Role::Viewer, Some(MARA), "--rw-rw"),
            (Role::Builder, Some(TOMAS), "--w--ww"),
        ] {
            assert_eq!(told(Asker { role: asked_by, user }), expected, "{asked_by:?} {user:?}");
        }
    }

    /// Reaches of several people under one set of rules, and under others.
    fn reaches() -> Vec<Reach> {
        let one = [
            rule("people", role(Role::Admin), role(Role::Admin)),
            rule("people/public", role(Role::Viewer), role(Role::Builder)),
            rule("people/public/drafts", named(&[MARA]), named(&[MARA])),
            rule("plans", role(Role::Viewer), named(&[TOMAS])),
        ];
        let two = [
            rule("people/pay", named(&[TOMAS]), Allowed::default()),
            rule("plans/x", role(Role::Admin), named(&[MARA])),
        ];
        let mut all = vec![Reach::everything()];
        for rules in [&one[..], &two[..]] {
            for asker in Role::ALL {
                all.extend([None, Some(MARA), Some(TOMAS)].map(|user| Reach::of(rules, Asker { role: asker, user })));
            }
        }
        all
    }

    const PLACES: [&str; 10] = [
        "people",
        "people/pay",
        "people/pay/x",
        "people/public",
        "people/public/drafts",
        "people/public/drafts/x",
        "people/publications",
        "plans",
        "plans/x/y",
        "code",
    ];

    #[test]
    fn together_they_may_what_each_of_them_may() {
        let all = reaches();
        for (one, two) in all.iter().flat_map(|one| all.iter().map(move |two| (one, two))) {
            let both = one.intersect(two);
            assert_eq!(both, two.intersect(one));
            for place in PLACES {
                assert_eq!(both.may_read(place), one.may_read(place) && two.may_read(place), "{place}");
                assert_eq!(both.may_write(place), one.may_write(place) && two.may_write(place), "{place}");
            }
        }
    }

    #[test]
    fn it_is_the_same_however_several_are_put_together() {
        let all = reaches();
        for one in &all {
            assert_eq!(one.intersect(&Reach::everything()).right("people"), one.right("people"));
            for two in &all {
                for three in &all {
                    let (left, right) = (one.intersect(two).intersect(three), one.intersect(&two.intersect(three)));
                    for place in PLACES {
                        assert_eq!(left.right(place), right.right(place), "{place}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_database_hears_of_both() {
        let rules = [
            rule("a", named(&[MARA]), named(&[MARA])),
            rule("b", named(&[TOMAS]), named(&[TOMAS])),
            rule("c", role(Role::Viewer), role(Role::Admin)),
        ];
        let of = |user| Reach::of(&rules, Asker { role: Role::Operator, user: Some(user) });
        assert_eq!((of(MARA).readable_paths().as_str(), of(TOMAS).readable_paths().as_str()), ("\na\nc\n", "\nb\nc\n"));
        assert_eq!(of(MARA).intersect(&of(TOMAS)).readable_paths(), "\nc\n");
        assert_eq!(Reach::everything().intersect(&of(MARA)).readable_paths(), "\na\nc\n");
    }

    #[test]
    fn who_may_not_read_may_not_write_either() {
        let reach =
            Reach::of(&[rule("a", role(Role::Admin), role(Role::Viewer))], Asker { role: Role::Builder, user: None });
        assert!(!reach.may_read("a") && !reach.may_write("a"));
    }

    #[test]
    fn the_database_is_asked_only_where_something_is_hidden() {
        let rules = [
            rule("a", role(Role::Admin), role(Role::Admin)),
            rule("a/b", role(Role::Viewer), role(Role::Admin)),
            rule("c", role(Role::Viewer), role(Role::Viewer)),
        ];
        let paths = |role: Role| Reach::of(&rules, Asker { role, user: None }).readable_paths();
        assert_eq!(paths(Role::Viewer), "\na/b\nc\n");
        assert_eq!(paths(Role::Admin), "");
        let alone = Reach::of(&rules[..1], Asker { role: Role::Viewer, user: None });
        assert_eq!(alone.readable_paths(), "\n");
        assert_eq!(Reach::of(&rules[1..], Asker { role: Role::Viewer, user: None }).readable_paths(), "");
    }
}
