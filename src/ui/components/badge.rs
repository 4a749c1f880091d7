//! Small labels: statuses and tones.

use leptos::prelude::*;

use super::Icon;
use crate::model::workflow::{RunStatus, StepStatus};

/// The colour of what is not a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Says nothing.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Look at it.
    Warn,
    /// Something is wrong.
    Bad,
    /// In motion.
    Live,
    /// Yours.
    Accent,
}

impl Tone {
    /// As `data-tone`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Live => "live",
            Self::Accent => "accent",
        }
    }

    /// The symbol that goes with it.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Good => "s-succeeded",
            Self::Warn => "warning",
            Self::Bad => "s-failed",
            Self::Plain | Self::Live | Self::Accent => "info",
        }
    }
}

/// A label in a tone.
#[component]
pub fn Badge(#[prop(into)] label: Signal<String>, #[prop(into, optional)] tone: Signal<Tone>) -> impl IntoView {
    view! { <span class="badge" data-tone=move || tone.get().as_str()>{move || label.get()}</span> }
}

/// A status as the look knows it, of a run or of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusLook {
    /// As `data-status`.
    pub name: &'static str,
    /// As a person reads it.
    pub label: &'static str,
}

impl StatusLook {
    /// The symbol of the sprite.
    pub const fn icon(self) -> &'static str {
        // a match, because a symbol's name is `&'static str` and the statuses are few
        match self.name.as_bytes() {
            b"queued" => "s-queued",
            b"ready" => "s-ready",
            b"running" => "s-running",
            b"waiting" => "s-waiting",
            b"paused" => "s-paused",
            b"retrying" => "s-retrying",
            b"succeeded" => "s-succeeded",
            b"failed" => "s-failed",
            b"skipped" => "s-skipped",
            b"cancelled" => "s-cancelled",
            _ => "info",
        }
    }
}

impl From<RunStatus> for StatusLook {
    fn from(status: RunStatus) -> Self {
        Self { name: status.as_str(), label: status.label() }
    }
}

impl From<StepStatus> for StatusLook {
    fn from(status: StepStatus) -> Self {
        Self { name: status.as_str(), label: status.label() }
    }
}

/// How much of a status is shown; its word is there in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusShape {
    /// Icon and word.
    #[default]
    Word,
    /// Icon and word on a tint.
    Pill,
    /// The icon; the word is read out.
    Mark,
}

/// A status: its icon, its colour and its word. Followed for as long as the badge lives.
#[component]
pub fn StatusBadge(
    /// Such as `Signal::derive(move || run.read().status.into())`.
    #[prop(into)]
    status: Signal<StatusLook>,
    #[prop(optional)] shape: StatusShape,
) -> impl IntoView {
    let variant = match shape {
        StatusShape::Word => None,
        StatusShape::Pill => Some("pill"),
        StatusShape::Mark => Some("mark"),
    };
    let hidden = shape == StatusShape::Mark;
    view! {
        <span class="status" data-variant=variant data-status=move || status.get().name title=move || hidden.then(|| status.get().label)>
            <Icon name=Signal::derive(move || status.get().icon()) />
            <span class:visually-hidden=hidden>{move || status.get().label}</span>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_own_icon() {
        let mut icons: Vec<_> = RunStatus::ALL.into_iter().map(|status| StatusLook::from(status).icon()).collect();
        icons
            .extend([StepStatus::Ready, StepStatus::Retrying, StepStatus::Skipped].map(|s| StatusLook::from(s).icon()));
        let named = icons.iter().filter(|icon| icon.starts_with("s-")).count();
        assert_eq!(named, 10, "{icons:?}");
        icons.sort_unstable();
        icons.dedup();
        assert_eq!(icons.len(), 10);
    }

    #[test]
    fn every_status_icon_is_in_the_sprite() {
        let sprite = include_str!("../../../public/icons.svg");
        for status in RunStatus::ALL {
            let icon = StatusLook::from(status).icon();
            assert!(sprite.contains(&format!("id=\"i-{icon}\"")), "{icon} is not in the sprite");
        }
    }
}
