//! Answers to questions that only mean the same: whether, how many may be wrong, how many are checked.

use leptos::prelude::*;

use crate::model::ApiError;
use crate::model::cache::SemanticSettings;
use crate::ui::components::{Icon, Switch, TextInput};

/// The settings while somebody changes them; numbers as they are typed.
#[derive(Clone, Copy)]
pub(super) struct Form {
    enabled: RwSignal<bool>,
    /// In percent.
    budget: RwSignal<String>,
    shadow: RwSignal<String>,
    /// The model that makes vectors; `None` where none is set.
    embedder: RwSignal<Option<String>>,
    was_enabled: RwSignal<bool>,
}

impl Form {
    pub(super) fn new() -> Self {
        Self {
            enabled: RwSignal::new(false),
            budget: RwSignal::new(String::new()),
            shadow: RwSignal::new(String::new()),
            embedder: RwSignal::new(None),
            was_enabled: RwSignal::new(false),
        }
    }

    /// Shows what holds now.
    pub(super) fn read(self, settings: SemanticSettings, embedder: Option<String>) {
        self.enabled.set(settings.enabled);
        self.was_enabled.set(settings.enabled);
        self.budget.set(percent(settings.error_budget));
        self.shadow.set(settings.shadow_percent.to_string());
        self.embedder.set(embedder);
    }

    /// What is wanted. What is no number is out of range, so that the server names the field.
    pub(super) fn settings(self) -> SemanticSettings {
        SemanticSettings {
            enabled: self.enabled.get_untracked(),
            error_budget: self.budget.with_untracked(|text| share(text)).unwrap_or(-1.0),
            shadow_percent: self.shadow.with_untracked(|text| text.trim().parse().unwrap_or(u32::MAX)),
        }
    }

    /// Whether it can't be switched on.
    fn is_barred(self) -> bool {
        self.embedder.with(Option::is_none) && !self.was_enabled.get()
    }
}

/// A share as percent, with no more digits than it needs.
fn percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Percent as a share; a comma will do.
fn share(text: &str) -> Option<f64> {
    let percent: f64 = text.trim().trim_end_matches('%').trim().replace(',', ".").parse().ok()?;
    percent.is_finite().then_some(percent / 100.0)
}

/// What was refused about a field.
pub(super) fn fault(
    refused: Signal<Option<ApiError>>,
    pointer: &'static str,
    words: Option<&'static str>,
) -> Signal<Option<String>> {
    Signal::derive(move || match refused.get() {
        Some(ApiError::Invalid { fields, .. }) => {
            let field = fields.into_iter().find(|field| field.pointer == pointer)?;
            Some(words.map_or(field.message, str::to_owned))
        }
        _ => None,
    })
}

#[component]
pub(super) fn MeaningFields(form: Form, refused: Signal<Option<ApiError>>) -> impl IntoView {
    let error = fault(refused, "/semantic/enabled", None);
    let budget = fault(refused, "/semantic/error_budget", Some("Expected 0.1 to 20 percent."));
    let shadow = fault(refused, "/semantic/shadow_percent", Some("Expected a whole number from 0 to 100."));
    let hint = Signal::derive(move || {
        let what = "Also gives a kept answer to a question that says the same in other words. Everything else of the request must be the same, and so must numbers, names, code, quotes and negations.";
        Some(match form.embedder.get() {
            Some(model) => format!(
                "{what} Questions are compared by vectors of {model}, which costs a call of it for each question."
            ),
            None => what.to_owned(),
        })
    });
    let budget_hint = "Of 100 questions for which there is an answer by meaning, so many may get a wrong one. Each kept question learns from comparisons how like another must be; until it has, the model is asked. Less is safer, more saves more.";
    let shadow_hint = "Of 100 answers that were given so, this many are asked of the model too, in the background and at its price. That is how the rate of wrong answers is measured.";
    view! {
        <Switch id="cache-semantic" label="Answer what means the same" value=form.enabled hint error />
        <Show when=move || form.is_barred()><NoEmbedder /></Show>
        <Show when=move || form.enabled.get()>
            <TextInput
                id="cache-error-budget" label="Wrong answers that may be" aside=Some("percent".to_owned()) value=form.budget
                hint=Some(budget_hint.to_owned()) error=budget
            />
            <TextInput
                id="cache-shadow" label="Answers that are checked" aside=Some("percent".to_owned()) value=form.shadow
                hint=Some(shadow_hint.to_owned()) error=shadow
            />
        </Show>
    }
}

#[component]
fn NoEmbedder() -> impl IntoView {
    view! {
        <div class="notice" data-tone="warn">
            <Icon name="info" />
            <span class="grow">
                "It can't be switched on yet: no model is set that makes vectors. "
                <a class="link over" href="/memory/embedder">"Set one on the page of the memory"</a>"."
            </span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_typed_in_percent() {
        assert_eq!([0.01, 0.005, 0.2, 0.001].map(percent), ["1", "0.5", "20", "0.1"]);
        assert_eq!(share("1"), Some(0.01));
        assert_eq!(share(" 0,5 % "), Some(0.005));
        assert_eq!(share("much"), None);
        assert_eq!(share("inf"), None);
    }
}
