//! Two changes of the same text put together. Pure.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

/// Lines of a text that is merged: the work grows with the product of lines and changes.
const MAX_LINES: usize = 5_000;

/// What was changed at a place: these lines of the base, into those.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hunk<'a> {
    base: Range<usize>,
    lines: &'a [&'a str],
}

/// Puts two changes of `base` together, line by line. `None` where they touch the same place or neighbouring lines and are not the
/// same, or a text has more than 5,000 lines: then only somebody who understands them can.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Option<String> {
    let lines = |text: &'_ str| -> usize { text.split_inclusive('\n').count() };
    if [base, ours, theirs].into_iter().any(|text| lines(text) > MAX_LINES) {
        return None;
    }
    let base: Vec<&str> = base.split_inclusive('\n').collect();
    let ours: Vec<&str> = ours.split_inclusive('\n').collect();
    let theirs: Vec<&str> = theirs.split_inclusive('\n').collect();
    let (mut ours, mut theirs) =
        (hunks(&base, &ours).into_iter().peekable(), hunks(&base, &theirs).into_iter().peekable());
    let (mut merged, mut at) = (String::new(), 0);
    loop {
        let hunk = match (ours.peek(), theirs.peek()) {
            (None, None) => break,
            (Some(a), Some(b)) if a == b => {
                theirs.next();
                ours.next()
            }
            (Some(a), Some(b)) if touch(&a.base, &b.base) => return None,
            (Some(a), Some(b)) if a.base.start < b.base.start => ours.next(),
            (Some(_), None) => ours.next(),
            _ => theirs.next(),
        }?;
        merged.extend(base[at..hunk.base.start].iter().copied());
        merged.extend(hunk.lines.iter().copied());
        at = hunk.base.end;
    }
    merged.extend(base[at..].iter().copied());
    Some(merged)
}

/// Whether two places are the same in part, or nothing lies between them.
fn touch(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start <= b.end && b.start <= a.end
}

/// Where a text differs from its base, in order; no two of them touch.
///
/// They are what lies between the lines that are the same: of the rest the library does not promise where in the base it stands.
fn hunks<'a>(base: &[&str], text: &'a [&'a str]) -> Vec<Hunk<'a>> {
    let mut hunks = Vec::new();
    let (mut old_at, mut new_at) = (0, 0);
    let ops = capture_diff_slices(Algorithm::Myers, base, text);
    let same = ops.iter().filter(|op| op.tag() == DiffTag::Equal).map(|op| (op.old_range(), op.new_range()));
    for (old, new) in same.chain([(base.len()..base.len(), text.len()..text.len())]) {
        let is_in_order = old.start >= old_at && new.start >= new_at && base[old.clone()] == text[new.clone()];
        if !is_in_order {
            continue;
        }
        if old.start > old_at || new.start > new_at {
            hunks.push(Hunk { base: old_at..old.start, lines: &text[new_at..new.start] });
        }
        (old_at, new_at) = (old.end, new.end);
    }
    hunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn changes_at_different_places_are_put_together_and_others_are_not() {
        let base = "a\nb\nc\nd\ne\n";
        assert_eq!(merge(base, "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n").as_deref(), Some("A\nb\nc\nd\nE\n"));
        assert_eq!(merge(base, "a\nb\nc\nd\ne\nf\n", "b\nc\nd\ne\n").as_deref(), Some("b\nc\nd\ne\nf\n"));
        assert_eq!(merge(base, "a\nX\nc\nd\ne\n", "a\nY\nc\nd\ne\n"), None, "the same line");
        assert_eq!(merge(base, "a\nX\nc\nd\ne\n", "a\nb\nY\nd\ne\n"), None, "lines beside each other");
        assert_eq!(
            merge(base, "a\nX\nc\nd\ne\n", "a\nX\nc\nd\nE\n").as_deref(),
            Some("a\nX\nc\nd\nE\n"),
            "the same change"
        );
    }

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(0..6_u8, 0..12)
            .prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat())
    }

    proptest! {
        #[test]
        fn who_changed_nothing_is_in_nobodys_way(base in text(), other in text()) {
            prop_assert_eq!(merge(&base, &base, &other), Some(other.clone()));
            prop_assert_eq!(merge(&base, &other, &base), Some(other.clone()));
            prop_assert_eq!(merge(&base, &other, &other), Some(other));
        }

        #[test]
        fn whose_change_is_whose_makes_no_difference(base in text(), ours in text(), theirs in text()) {
            prop_assert_eq!(merge(&base, &ours, &theirs), merge(&base, &theirs, &ours));
        }

        #[test]
        fn what_both_kept_stays_and_what_either_added_is_there(ours in 0..20_usize, theirs in 0..20_usize) {
            let base: Vec<String> = (0..20).map(|line| format!("{line}\n")).collect();
            let change = |at: usize, word: &str| {
                let mut lines = base.clone();
                lines[at] = format!("{word}\n");
                lines.concat()
            };
            let merged = merge(&base.concat(), &change(ours, "ours"), &change(theirs, "theirs"));
            if ours.abs_diff(theirs) <= 1 {
                prop_assert_eq!(merged, None);
            } else {
                let mut both = base.clone();
                both[ours] = "ours\n".to_owned();
                both[theirs] = "theirs\n".to_owned();
                prop_assert_eq!(merged, Some(both.concat()));
            }
        }
    }
}
