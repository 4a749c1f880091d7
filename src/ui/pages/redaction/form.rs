//! The rules as their controls hold them.

use crate::model::gateway::{Contents, Keeping, MAX_MASK_PATTERNS, MaskKind, MaskPattern, RedactionDraft};

/// A pattern, as its controls hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Stays with the line when others go.
    pub key: u32,
    pub name: String,
    pub pattern: String,
}

/// What the controls hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Form {
    pub kinds: Vec<MaskKind>,
    pub lines: Vec<Line>,
    /// Of which calls contents are kept.
    pub contents: Contents,
    /// For how many days, as it was typed.
    pub days: String,
    next: u32,
}

impl Form {
    /// Of rules that there are.
    pub fn of(draft: &RedactionDraft) -> Self {
        let mut form = Self {
            kinds: draft.kinds.clone(),
            contents: draft.keep.contents,
            days: draft.keep.days.to_string(),
            ..Self::default()
        };
        for own in &draft.patterns {
            form.push(own.name.clone(), own.pattern.clone());
        }
        form
    }

    fn push(&mut self, name: String, pattern: String) -> u32 {
        let key = self.next;
        self.next += 1;
        self.lines.push(Line { key, name, pattern });
        key
    }

    /// Adds an empty pattern; returns its key.
    pub fn add(&mut self) -> u32 {
        self.push(String::new(), String::new())
    }

    /// Whether there is room for one more.
    pub const fn is_full(&self) -> bool {
        self.lines.len() >= MAX_MASK_PATTERNS
    }

    /// Switches a kind on or off.
    pub fn switch(&mut self, kind: MaskKind, on: bool) {
        self.kinds.retain(|own| *own != kind);
        if on {
            self.kinds.push(kind);
            self.kinds.sort_unstable();
        }
    }

    /// Where a line stands among those that are sent, from 0; `None` for one that is empty.
    pub fn place(&self, key: u32) -> Option<usize> {
        self.sent().position(|line| line.key == key)
    }

    /// Lines with something in them.
    fn sent(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.name.trim().is_empty() || !line.pattern.is_empty())
    }

    /// What is sent: an empty line is none.
    pub fn draft(&self) -> RedactionDraft {
        let own = |line: &Line| MaskPattern { name: line.name.trim().to_owned(), pattern: line.pattern.clone() };
        // What is no number is refused by the server, with the field.
        let keep = Keeping { contents: self.contents, days: self.days.trim().parse().unwrap_or(0) };
        RedactionDraft { kinds: self.kinds.clone(), patterns: self.sent().map(own).collect(), keep }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_goes_out_and_empty_lines_do_not() {
        let own = MaskPattern { name: "ticket".into(), pattern: " T-[0-9]+".into() };
        let draft = RedactionDraft { kinds: vec![MaskKind::Email], patterns: vec![own], ..RedactionDraft::default() };
        let mut form = Form::of(&draft);
        assert_eq!(form.draft(), draft);
        let key = form.add();
        assert_eq!(form.draft(), draft);
        assert_eq!(form.place(key), None);
        form.lines.insert(0, Line { key: 9, name: "a".into(), pattern: "b".into() });
        assert_eq!(form.place(0), Some(1));
    }

    #[test]
    fn kinds_stand_in_one_order_however_they_are_switched() {
        let mut form = Form::default();
        form.switch(MaskKind::Ip, true);
        form.switch(MaskKind::Secrets, true);
        form.switch(MaskKind::Secrets, true);
        assert_eq!(form.kinds, [MaskKind::Secrets, MaskKind::Ip]);
        form.switch(MaskKind::Ip, false);
        assert_eq!(form.kinds, [MaskKind::Secrets]);
    }
}
