//! An answer that a provider streams, on its way in: read as it is asked for, or all of it before anything is handed on.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::dialect::{Frames, Reader};
use super::head::told;
use super::patience::Patience;
use super::upstream::Endpoint;
use crate::model::gateway::{Delta, Fault, FaultClass, Fold, ToldLimits, Usage, Wire};
use crate::runtime::outbound::Incoming;

/// Pieces at the end of what has come among which the last of all is looked for.
const LAST: usize = 8;

/// An answer on its way in.
#[derive(Debug)]
pub(super) struct Pieces {
    /// What the provider says of its limits.
    pub told: ToldLimits,
    endpoint: Endpoint,
    answer: Incoming,
    frames: Frames,
    reader: Reader,
    ready: VecDeque<Delta>,
    patience: Patience,
    ended: bool,
}

impl Pieces {
    /// Of an answer whose head has come, to a request that was sent when it `begun`.
    pub fn new(endpoint: &Endpoint, wire: Wire, answer: Incoming, begun: Instant) -> Self {
        let limits = endpoint.limits;
        Self {
            told: told(&answer),
            endpoint: endpoint.clone(),
            answer,
            frames: Frames::new(wire),
            reader: Reader::new(wire),
            ready: VecDeque::new(),
            patience: Patience::new(
                begun + Duration::from_millis(limits.total_ms.into()),
                Duration::from_millis(limits.first_token_ms.into()),
            ),
            ended: false,
        }
    }

    /// Reads until a token is there, or the end.
    pub async fn begin(&mut self) -> Result<(), Fault> {
        let is_first = |delta: &Delta| !matches!(delta, Delta::Start { .. } | Delta::Ping);
        while !self.ready.iter().any(is_first) {
            self.more().await?;
            let told = self.ready.iter().filter_map(|delta| match delta {
                Delta::Start { usage, .. } => Some(*usage),
                _ => None,
            });
            if let Some(progress) = &self.endpoint.progress {
                told.for_each(|usage| progress.tells(usage));
            }
        }
        Ok(())
    }

    /// Reads all the rest, so that nothing is handed on while it may still break off. What had come by then is told, where it does.
    ///
    /// # Errors
    /// The answer broke off.
    pub async fn gather(&mut self) -> Result<(), Fault> {
        if let Some(progress) = &self.endpoint.progress {
            progress.begins();
        }
        while !self.ready.iter().rev().take(LAST).any(|delta| *delta == Delta::End) {
            let until = self.patience.until(Instant::now());
            let more = tokio::time::timeout_at(until, self.more()).await;
            if let Err(fault) = more.unwrap_or_else(|_| Err(stopped())) {
                self.tell();
                return Err(fault);
            }
        }
        Ok(())
    }

    /// Tells what came so far.
    fn tell(&self) {
        let Some(progress) = &self.endpoint.progress else { return };
        let mut fold = Fold::default();
        fold.count_only();
        self.ready.iter().for_each(|delta| fold.push(delta));
        let output = fold.usage().output.max(fold.estimated_output());
        progress.tells(Usage { output, ..fold.usage() });
    }

    /// The next piece; `None` after the end.
    ///
    /// # Errors
    /// The answer broke off.
    pub async fn next(&mut self) -> Option<Result<Delta, Fault>> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                self.ended |= delta == Delta::End;
                self.patience.gave(Instant::now());
                return Some(Ok(delta));
            }
            if self.ended {
                return None;
            }
            let until = self.patience.until(Instant::now());
            let fault = match tokio::time::timeout_at(until, self.more()).await {
                Ok(Ok(())) => continue,
                Ok(Err(fault)) => fault,
                Err(_) => stopped(),
            };
            self.ended = true;
            return Some(Err(self.endpoint.blame(fault)));
        }
    }

    async fn more(&mut self) -> Result<(), Fault> {
        let piece =
            self.answer.chunk().await.map_err(|error| Fault::new(FaultClass::Interrupted, error.to_string()))?;
        let Some(piece) = piece else {
            let mut last = match self.frames.end() {
                Some(event) => self.reader.read(&event)?,
                None => Vec::new(),
            };
            last.extend(self.reader.end());
            if last.is_empty() {
                let message = "the answer ended before it was complete";
                return Err(Fault::new(FaultClass::Interrupted, message));
            }
            self.ready.extend(last);
            return Ok(());
        };
        for event in self.frames.push(&piece)? {
            self.ready.extend(self.reader.read(&event)?);
        }
        Ok(())
    }
}

fn stopped() -> Fault {
    Fault::new(FaultClass::Timeout, "the answer stopped coming")
}
