//! The form of a provider as text, and what it means.

use crate::model::gateway::{Credential, Limits, Model, Provider, ProviderDraft, ProviderKind};
use crate::model::{ApiError, FieldError};

/// The limits that the form shows: the field as sent.
pub(super) const LIMITS: [&str; 9] = [
    "max_concurrent",
    "requests_per_minute",
    "tokens_per_minute",
    "queue",
    "queue_ms",
    "connect_ms",
    "first_token_ms",
    "total_ms",
    "max_retries",
];

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
    /// The numbers of [`LIMITS`], in that order; times in seconds, and of the first three empty for any number.
    pub limits: [String; LIMITS.len()],
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
            limits: written(Limits::default()),
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
            limits: written(provider.limits),
        }
    }

    /// What is sent. A line of models that can't be read goes as it is, as a name, and is refused with its field.
    ///
    /// # Errors
    /// A number that is none.
    pub fn draft(&self) -> Result<ProviderDraft, ApiError> {
        let lines = self.models.lines().map(str::trim).filter(|line| !line.is_empty());
        let models = lines.map(|line| Model::read(line).unwrap_or_else(|_| Model::named(line)));
        let credential = self.credential.trim();
        Ok(ProviderDraft {
            name: self.name.trim().to_owned(),
            kind: self.kind,
            base_url: self.base_url.trim().to_owned(),
            credential: (!credential.is_empty()).then(|| Credential(credential.to_owned())),
            models: models.collect(),
            responses: self.responses && self.kind.may_speak_responses(),
            enabled: self.enabled,
            limits: self.read_limits()?,
        })
    }

    fn read_limits(&self) -> Result<Limits, ApiError> {
        let number = |at: usize| {
            let text = self.limits[at].trim();
            text.parse::<u32>().map_err(|_| wrong(LIMITS[at], "expected a whole number"))
        };
        let any = |at: usize| if self.limits[at].trim().is_empty() { Ok(None) } else { number(at).map(Some) };
        // The ranges of `Limits`, in seconds.
        let millis = |at: usize, least: f64, most: f64| {
            let found = self.limits[at].trim().parse::<f64>();
            let seconds = found.map_err(|_| wrong(LIMITS[at], "expected a number of seconds"))?;
            if (least..=most).contains(&seconds) {
                Ok((seconds * 1000.0).round() as u32)
            } else {
                Err(wrong(LIMITS[at], &format!("expected {least} to {most} seconds")))
            }
        };
        Ok(Limits {
            max_concurrent: any(0)?,
            requests_per_minute: any(1)?,
            tokens_per_minute: any(2)?,
            queue: number(3)?,
            queue_ms: millis(4, 0.0, 600.0)?,
            connect_ms: millis(5, 0.1, 60.0)?,
            first_token_ms: millis(6, 1.0, 3600.0)?,
            total_ms: millis(7, 1.0, 3600.0)?,
            max_retries: number(8)?,
        })
    }
}

fn written(limits: Limits) -> [String; LIMITS.len()] {
    let any = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let seconds = |ms: u32| (f64::from(ms) / 1000.0).to_string();
    [
        any(limits.max_concurrent),
        any(limits.requests_per_minute),
        any(limits.tokens_per_minute),
        limits.queue.to_string(),
        seconds(limits.queue_ms),
        seconds(limits.connect_ms),
        seconds(limits.first_token_ms),
        seconds(limits.total_ms),
        limits.max_retries.to_string(),
    ]
}

fn wrong(field: &str, message: &str) -> ApiError {
    let field = FieldError::new(format!("/limits/{field}"), message);
    ApiError::Invalid { detail: message.to_owned(), fields: vec![field] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ProviderId, Timestamp};

    #[test]
    fn a_provider_that_is_not_changed_is_sent_as_it_was() {
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
            limits: Limits {
                max_retries: 5,
                max_concurrent: Some(4),
                queue_ms: 1_500,
                connect_ms: 150,
                total_ms: 3_599_999,
                ..Limits::default()
            },
            health: Vec::new(),
            queue: Default::default(),
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        };
        let mut form = Form::of(&provider);
        form.models.push_str("\n\n  new  \n odd word");
        let draft = form.draft().unwrap();
        assert_eq!(draft.limits, provider.limits);
        assert_eq!(draft.models, [exact, Model::named("new"), Model::named("odd word")]);
        assert_eq!((draft.limits.max_retries, draft.credential, draft.responses), (5, None, true));
    }

    #[test]
    fn a_kind_that_does_not_speak_responses_is_not_told_to() {
        let mut form = Form { responses: true, ..Form::blank() };
        assert!(!form.draft().unwrap().responses);
        form.kind = ProviderKind::OpenAiCompatible;
        assert!(form.draft().unwrap().responses);
    }

    #[test]
    fn a_limit_is_a_number_or_left_out() {
        let mut form = Form::blank();
        form.limits = ["8", " 60 ", "", "0", "2.5", "0.25", "90", "3600", "0"].map(str::to_owned);
        let limits = form.draft().unwrap().limits;
        assert_eq!(
            (limits.max_concurrent, limits.requests_per_minute, limits.tokens_per_minute),
            (Some(8), Some(60), None)
        );
        assert_eq!((limits.queue, limits.queue_ms), (0, 2_500));
        assert_eq!((limits.connect_ms, limits.first_token_ms, limits.total_ms), (250, 90_000, 3_600_000));
        assert_eq!(limits.max_retries, 0);
        for (at, text) in [
            (0, "many"),
            (3, ""),
            (4, "soon"),
            (4, "601"),
            (4, "NaN"),
            (5, "0.05"),
            (6, "0"),
            (7, "3601"),
            (7, ""),
            (8, "-1"),
        ] {
            let mut form = form.clone();
            form.limits[at] = text.to_owned();
            assert!(form.draft().unwrap_err().field(&format!("/limits/{}", LIMITS[at])).is_some(), "{text}");
        }
    }
}
