//! The state of all that an answer depends on, as one digest: it changes exactly when something below changes.

use std::collections::BTreeMap;

use crate::model::cache::{Dependency, SourceRef};

/// A digest.
pub(super) type Root = [u8; 32];

/// Something that answers depend on, as it was last heard of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Source {
    pub fingerprint: Option<String>,
    /// What it depends on itself.
    pub needs: Vec<SourceRef>,
}

/// All that was heard of. What nobody told about is in no state, which is one, too.
pub(super) type Known = BTreeMap<SourceRef, Source>;

/// The state of these dependencies; `None` when whoever asks sees something in another state than was heard of last: one of
/// both is out of date, and nobody can tell which.
pub(super) fn root(depends_on: &[Dependency], known: &Known) -> Option<Root> {
    let mut seen = BTreeMap::new();
    for one in depends_on {
        let heard = known.get(&one.source()).and_then(|source| source.fingerprint.as_ref());
        match (&one.fingerprint, heard) {
            (Some(seen), Some(heard)) if seen != heard => return None,
            (Some(fingerprint), None) => drop(seen.insert(one.source(), fingerprint.clone())),
            _ => {}
        }
    }
    let mut made = Made { known, seen, nodes: BTreeMap::new() };
    let mut parts: Vec<Root> = depends_on.iter().map(|one| made.node(&one.source())).collect();
    parts.sort_unstable();
    let mut hasher = blake3::Hasher::new_derive_key("weft 2026 response cache answer");
    for part in parts {
        hasher.update(&part);
    }
    Some(*hasher.finalize().as_bytes())
}

struct Made<'a> {
    known: &'a Known,
    /// What only whoever asks has seen.
    seen: BTreeMap<SourceRef, String>,
    /// What is made already; `None` while it is being made, so that a circle ends.
    nodes: BTreeMap<SourceRef, Option<Root>>,
}

impl Made<'_> {
    fn node(&mut self, source: &SourceRef) -> Root {
        if let Some(made) = self.nodes.get(source) {
            return made.unwrap_or_default();
        }
        self.nodes.insert(source.clone(), None);
        let known = self.known.get(source).cloned().unwrap_or_default();
        let fingerprint = known.fingerprint.or_else(|| self.seen.get(source).cloned());
        let mut below: Vec<Root> = known.needs.iter().map(|need| self.node(need)).collect();
        below.sort_unstable();
        let mut hasher = blake3::Hasher::new_derive_key("weft 2026 response cache source");
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(source.kind.as_str().as_bytes());
        part(source.id.as_bytes());
        part(if fingerprint.is_some() { b"in" } else { b"no" });
        part(fingerprint.unwrap_or_default().as_bytes());
        for one in below {
            part(&one);
        }
        let node = *hasher.finalize().as_bytes();
        self.nodes.insert(source.clone(), Some(node));
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cache::SourceKind;

    fn file(id: &str) -> SourceRef {
        SourceRef { kind: SourceKind::File, id: id.into() }
    }

    fn on(id: &str, fingerprint: Option<&str>) -> Dependency {
        Dependency { kind: SourceKind::File, id: id.into(), fingerprint: fingerprint.map(str::to_owned) }
    }

    fn known(all: &[(&str, &str, &[&str])]) -> Known {
        let source = |(id, print, needs): &(&str, &str, &[&str])| {
            let needs = needs.iter().map(|need| file(need)).collect();
            (file(id), Source { fingerprint: Some((*print).to_owned()), needs })
        };
        all.iter().map(source).collect()
    }

    #[test]
    fn a_change_below_changes_the_root_and_nothing_else_does() {
        let tree = known(&[("a", "1", &["b"]), ("b", "1", &["c"]), ("c", "1", &[]), ("z", "1", &[])]);
        let base = root(&[on("a", None)], &tree).unwrap();
        let with = |id: &str, print: &str| {
            let mut tree = tree.clone();
            tree.get_mut(&file(id)).unwrap().fingerprint = Some(print.to_owned());
            root(&[on("a", None)], &tree).unwrap()
        };
        for id in ["a", "b", "c"] {
            assert_ne!(with(id, "2"), base, "{id}");
            assert_eq!(with(id, "1"), base, "{id}");
        }
        assert_eq!(with("z", "2"), base);
        let mut other = tree.clone();
        other.get_mut(&file("c")).unwrap().needs.push(file("z"));
        assert_ne!(root(&[on("a", None)], &other).unwrap(), base, "it depends on more now");
    }

    #[test]
    fn what_was_told_first_by_the_one_and_then_by_the_other_is_the_same() {
        let none = Known::new();
        let heard = known(&[("a", "1", &[])]);
        let asked = root(&[on("a", Some("1"))], &none);
        assert_eq!(asked, root(&[on("a", Some("1"))], &heard));
        assert_eq!(asked, root(&[on("a", None)], &heard));
        assert_ne!(asked, root(&[on("a", None)], &none));
        assert_eq!(root(&[on("a", Some("2"))], &heard), None, "one of both is out of date");
        assert_ne!(root(&[on("a", Some("1"))], &none), root(&[on("b", Some("1"))], &none));
        assert_ne!(root(&[on("a", Some("1")), on("b", Some("1"))], &none), asked);
    }

    #[test]
    fn a_circle_ends() {
        let tree = known(&[("a", "1", &["b"]), ("b", "1", &["a"])]);
        assert!(root(&[on("a", None)], &tree).is_some());
    }
}
