//! Paths of steps: `fetch`, `each[3].fetch`, `outer[0].inner[2].fetch`.

use std::fmt::Write as _;

use super::super::UNDO;
use super::{Slot, State};

impl State {
    /// The step under a path; `None` when there is no such step, or its body is not in motion.
    pub fn find_slot(&self, path: &str) -> Option<Slot> {
        if let Some(undone) = path.strip_prefix(UNDO) {
            let frame = self.frame_of_undo()?;
            return Some(Slot { frame, step: self.frame(frame).graph.find(undone)? });
        }
        let mut frame = Slot::RUN;
        let mut rest = path;
        loop {
            let Some((id, inside)) = rest.split_once('[') else {
                return Some(Slot { frame, step: self.frame(frame).graph.find(rest)? });
            };
            let (index, after) = inside.split_once("].")?;
            let step = self.frame(frame).graph.find(id)?;
            frame = self.frame(frame).cells.get(&step)?.frame_of(index.parse().ok()?)?;
            rest = after;
        }
    }

    /// The path of a step.
    pub fn path(&self, slot: Slot) -> String {
        self.path_with(slot, |_| String::new())
    }

    /// The path of a body: `each[3]`.
    pub(super) fn body_path(&self, container: Slot, index: u32) -> String {
        format!("{}[{index}]", self.path(container))
    }

    /// The path with something after the id of each container on the way.
    pub(super) fn path_with(&self, slot: Slot, mark: impl Fn(Slot) -> String) -> String {
        let id = |slot: Slot| self.graph_of(slot).step(slot.step).id.as_str();
        let Some(mut home) = self.frame(slot.frame).home.as_ref() else {
            return if self.is_undo(slot) { format!("{UNDO}{}", id(slot)) } else { id(slot).to_owned() };
        };
        let mut homes = vec![home];
        while let Some(outer) = self.frame(home.container.frame).home.as_ref() {
            homes.push(outer);
            home = outer;
        }
        let mut path = String::new();
        for home in homes.into_iter().rev() {
            // Writing into a String does not fail.
            let _ = write!(path, "{}{}[{}].", id(home.container), mark(home.container), home.index);
        }
        path.push_str(id(slot));
        path
    }

    /// The path with the attempt of each container that was begun more than once with nothing: what happens there is
    /// something else. Part of the keys of attempts.
    pub fn unique_path(&self, slot: Slot) -> String {
        self.path_with(slot, |container| match self.track(container).begun {
            0 | 1 => String::new(),
            attempt => format!("#{attempt}"),
        })
    }
}
