//! What a reader, who folds a history to look into it, has the fold keep of bodies that are over.

use std::ops::Range;

use super::super::{BodySummary, StepError, StepState};
use super::{Slot, State, StepStatus};
use crate::model::Timestamp;

/// What is to be kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Watch {
    /// A body, such as `each[3]`, whose steps are kept.
    body: Option<String>,
    steps: Option<Vec<StepState>>,
    /// A container, and the items of which an account is kept.
    list: Option<(String, Range<u32>)>,
    listed: Vec<BodySummary>,
}

impl State {
    /// Keeps the steps of one body, such as `each[3]`, after its end.
    #[must_use]
    pub fn watching(mut self, body: &str) -> Self {
        self.watch.body = Some(body.to_owned());
        self
    }

    /// Keeps an account of the bodies of one container, those with these indexes.
    #[must_use]
    pub fn listing(mut self, container: &str, indexes: Range<u32>) -> Self {
        self.watch.list = Some((container.to_owned(), indexes));
        self
    }

    /// The account of the bodies of the container, by index.
    pub fn listed(&self) -> &[BodySummary] {
        &self.watch.listed
    }

    /// The steps of a body such as `each[3]`: in motion, or the one that was watched for.
    pub fn find_body(&self, body: &str) -> Option<&[StepState]> {
        let (container, index) = split_body(body)?;
        let live = self.find_slot(container).and_then(|slot| self.cell(slot)?.frame_of(index));
        match live {
            Some(frame) => Some(&self.frame(frame).steps),
            None => self.watch.steps.as_deref().filter(|_| self.watch.body.as_deref() == Some(body)),
        }
    }

    /// A body is about to be dropped.
    pub(super) fn keep_watched(&mut self, slot: Slot, index: u32, frame: u32) {
        if self.watch.body.as_deref().is_some_and(|watched| watched == self.body_path(slot, index)) {
            self.watch.steps = Some(self.frame(frame).steps.clone());
        }
    }

    fn is_listed(&self, slot: Slot, index: u32) -> bool {
        self.watch.list.as_ref().is_some_and(|(path, indexes)| indexes.contains(&index) && *path == self.path(slot))
    }

    pub(super) fn list_begun(&mut self, slot: Slot, index: u32, at: Timestamp) {
        if !self.is_listed(slot, index) {
            return;
        }
        let begun = BodySummary { index, status: StepStatus::Running, started_at: at, ended_at: None, error: None };
        // One that is begun anew stands for the one before.
        match self.watch.listed.binary_search_by_key(&index, |body| body.index) {
            Ok(place) => self.watch.listed[place] = begun,
            Err(place) => self.watch.listed.insert(place, begun),
        }
    }

    pub(super) fn list_ended(&mut self, slot: Slot, index: u32, error: Option<&StepError>, at: Timestamp) {
        if !self.is_listed(slot, index) {
            return;
        }
        if let Ok(place) = self.watch.listed.binary_search_by_key(&index, |body| body.index) {
            let body = &mut self.watch.listed[place];
            body.status = if error.is_some() { StepStatus::Failed } else { StepStatus::Succeeded };
            body.ended_at = Some(at);
            body.error = error.cloned();
        }
    }

    /// The container has ended: what was in motion was stopped.
    pub(super) fn list_stopped(&mut self, slot: Slot, at: Timestamp) {
        if self.watch.list.as_ref().is_none_or(|(path, _)| *path != self.path(slot)) {
            return;
        }
        for body in self.watch.listed.iter_mut().filter(|body| body.ended_at.is_none()) {
            body.status = StepStatus::Cancelled;
            body.ended_at = Some(at);
        }
    }
}

/// `each[3]` as `each` and 3.
pub fn split_body(body: &str) -> Option<(&str, u32)> {
    let (container, index) = body.strip_suffix(']')?.rsplit_once('[')?;
    Some((container, index.parse().ok()?))
}
