//! Masks what must not leave before a call is made, and puts it back into the answer.
//!
//! Owns what is looked for (`detect`, `rules`), the placeholders of one call (`mask`), and their way back through a stream
//! (`stream`). Promises: what a rule finds in the texts of a request reaches no provider, no log and no kept answer; who asked gets
//! the answer as if nothing had been masked. Where it can't be known what to mask, nothing leaves.
//!
//! It keeps things from providers, not from the tools of whoever asks: those get the values back.

mod detect;
mod mask;
mod rules;
mod stream;
#[cfg(test)]
mod tests;

pub(super) use mask::Mask;
pub(super) use rules::{Rules, compile};
pub(super) use stream::Reveal;
