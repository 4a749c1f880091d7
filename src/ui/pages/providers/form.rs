//! The form of a provider as text, and what it means.

use crate::model::gateway::{Credential, Limits, Model, Provider, ProviderDraft, ProviderKind};

/// What the controls hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub name: String,
    pub kind: ProviderKind,
    pub base_url: String,
    /// Empty: the one that is stored stays.
    pub credential: String,
    /// One on a line.
    pub models: String,
    /// Whether it is always asked in Responses; of no meaning for kinds that can't be.
    pub responses: bool,
    pub enabled: bool,
    /// What the provider had before, which the form does not show.
    limits: Limits,
}

impl Form {
    /// For a new provider.
    pub fn blank() -> Self {
        Self {
            name: String::new(),
            kind: ProviderKind::Anthropic,
            base_url: String::new(),
            credential: String::new(),
            models: String::new(),
            responses: false,
            enabled: true,
            limits: Limits::default(),
        }
    }

    /// Of a provider that there is.
    pub fn of(provider: &Provider) -> Self {
        let models: Vec<String> = provider.models.iter().map(Model::line).collect();
        Self {
            name: provider.name.clone(),
            kind: provider.kind,
            base_url: provider.base_url.clone(),
            credential: String::new(),
            models: models.join("\n"),
            responses: provider.responses,
            enabled: provider.enabled,
            limits: provider.limits,
        }
    }

    /// What is sent. A line that can't be read goes as it is, as a name, and is refused with its field.
    pub fn draft(&self) -> ProviderDraft {
        let lines = self.models.lines().map(str::trim).filter(|line| !line.is_empty());
        let models = lines.map(|line| Model::read(line).unwrap_or_else(|_| Model::named(line)));
        let credential = self.credential.trim();
        ProviderDraft {
            name: self.name.trim().to_owned(),
            kind: self.kind,
            base_url: self.base_url.trim().to_owned(),
            credential: (!credential.is_empty()).then(|| Credential(credential.to_owned())),
            models: models.collect(),
            responses: self.responses && self.kind.may_speak_responses(),
            enabled: self.enabled,
            limits: self.limits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ProviderId, Timestamp};

    #[test]
    fn what_the_form_does_not_show_is_kept() {
        let exact = Model { max_output_tokens: Some(9), json_schema: true, tools: false, ..Model::named("exact") };
        let provider = Provider {
            id: ProviderId(uuid::Uuid::nil()),
            name: "acme".into(),
            kind: ProviderKind::OpenAi,
            base_url: "https://api.openai.com/v1".into(),
            credential_hint: Some("…cret".into()),
            models: vec![exact.clone()],
            responses: true,
            enabled: true,
            limits: Limits { max_retries: 5, ..Limits::default() },
            health: Vec::new(),
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        };
        let mut form = Form::of(&provider);
        form.models.push_str("\n\n  new  \n odd word");
        let draft = form.draft();
        assert_eq!(draft.models, [exact, Model::named("new"), Model::named("odd word")]);
        assert_eq!((draft.limits.max_retries, draft.credential, draft.responses), (5, None, true));
    }

    #[test]
    fn a_kind_that_does_not_speak_responses_is_not_told_to() {
        let mut form = Form { responses: true, ..Form::blank() };
        assert!(!form.draft().responses);
        form.kind = ProviderKind::OpenAiCompatible;
        assert!(form.draft().responses);
    }
}
