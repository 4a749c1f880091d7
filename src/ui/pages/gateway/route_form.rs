//! The form of a route as text, and what it means.

use crate::model::gateway::{Provider, Route, RouteDraft, Target};
use crate::model::{ApiError, FieldError, ProviderId};

/// Most models of a route.
pub(super) const MOST: usize = 10;

/// A model of the route, as its controls hold it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Stays with the line wherever it moves.
    pub key: u32,
    /// The provider's id.
    pub provider: String,
    pub model: String,
}

/// What the controls hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Form {
    pub name: String,
    pub description: String,
    pub lines: Vec<Line>,
    next: u32,
}

impl Form {
    /// For a new route, with one model to begin with.
    pub fn blank(providers: &[Provider]) -> Self {
        let mut form = Self::default();
        form.add(providers);
        form
    }

    /// Of a route that there is.
    pub fn of(route: &Route) -> Self {
        let line = |(key, target): (usize, &Target)| Line {
            key: key as u32,
            provider: target.provider_id.to_string(),
            model: target.model.clone(),
        };
        let lines: Vec<Line> = route.targets.iter().enumerate().map(line).collect();
        let next = lines.len() as u32;
        Self { name: route.name.clone(), description: route.description.clone(), lines, next }
    }

    /// Adds a model at the end: the first that is listed and not there yet. Returns the key of its line.
    pub fn add(&mut self, providers: &[Provider]) -> u32 {
        let is_new = |id: &str, model: &str| self.lines.iter().all(|line| line.provider != id || line.model != model);
        let on = || providers.iter().filter(|provider| provider.enabled);
        let listed = on().flat_map(|provider| {
            let id = provider.id.to_string();
            provider.models.iter().map(move |model| (id.clone(), model.id.clone()))
        });
        let fresh = listed.into_iter().find(|(id, model)| is_new(id, model));
        let any = || providers.first().map(|provider| (provider.id.to_string(), String::new()));
        let (provider, model) = fresh.or_else(any).unwrap_or_default();
        let key = self.next;
        self.next += 1;
        self.lines.push(Line { key, provider, model });
        key
    }

    /// Where a line stands, from 0.
    pub fn place(&self, key: u32) -> Option<usize> {
        self.lines.iter().position(|line| line.key == key)
    }

    /// Moves a line up (-1) or down (1); stays where there is no further.
    pub fn shift(&mut self, key: u32, by: isize) {
        let Some(at) = self.place(key) else { return };
        if let Some(to) = at.checked_add_signed(by).filter(|to| *to < self.lines.len()) {
            self.lines.swap(at, to);
        }
    }

    /// Takes a line away.
    pub fn remove(&mut self, key: u32) {
        self.lines.retain(|line| line.key != key);
    }

    /// Chooses a line's provider, and the first model that it lists.
    pub fn choose(&mut self, key: u32, provider: &str, providers: &[Provider]) {
        let first = providers.iter().find(|one| one.id.to_string() == provider).and_then(|one| one.models.first());
        if let Some(line) = self.lines.iter_mut().find(|line| line.key == key) {
            provider.clone_into(&mut line.provider);
            line.model = first.map(|model| model.id.clone()).unwrap_or_default();
        }
    }

    /// What is sent.
    ///
    /// # Errors
    /// A line whose provider is none.
    pub fn draft(&self) -> Result<RouteDraft, ApiError> {
        let target = |(at, line): (usize, &Line)| {
            let provider_id: ProviderId = line.provider.parse().map_err(|_| {
                let field = FieldError::new(format!("/targets/{at}/provider_id"), "choose a provider");
                ApiError::Invalid { detail: field.message.clone(), fields: vec![field] }
            })?;
            Ok(Target { provider_id, model: line.model.trim().to_owned() })
        };
        let targets = self.lines.iter().enumerate().map(target).collect::<Result<_, ApiError>>()?;
        Ok(RouteDraft { name: self.name.trim().to_owned(), description: self.description.trim().to_owned(), targets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::model::gateway::{Limits, Model, ProviderKind};

    fn provider(n: u128, models: &[&str]) -> Provider {
        Provider {
            id: ProviderId(uuid::Uuid::from_u128(n)),
            name: format!("p{n}"),
            kind: ProviderKind::OpenAi,
            base_url: String::new(),
            credential_hint: None,
            models: models.iter().map(|model| Model::named(*model)).collect(),
            enabled: true,
            limits: Limits::default(),
            health: Vec::new(),
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn models(form: &Form) -> String {
        form.lines.iter().map(|line| line.model.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_new_line_takes_a_model_that_is_not_there_yet() {
        let providers = [provider(1, &["big", "small"]), provider(2, &["big"])];
        let mut form = Form::blank(&providers);
        form.add(&providers);
        form.add(&providers);
        assert_eq!(models(&form), "big small big");
        assert_eq!(form.lines[2].provider, providers[1].id.to_string());
        form.add(&providers);
        assert_eq!(form.lines[3].model, "", "there is no other left");
    }

    #[test]
    fn lines_move_one_place_and_not_beyond_the_ends() {
        let providers = [provider(1, &["a", "b", "c"])];
        let mut form = Form::blank(&providers);
        let second = form.add(&providers);
        form.add(&providers);
        form.shift(second, -1);
        form.shift(second, -1);
        assert_eq!(models(&form), "b a c");
        form.shift(second, 1);
        form.shift(second, 1);
        form.shift(second, 1);
        assert_eq!(models(&form), "a c b");
        form.remove(second);
        assert_eq!(models(&form), "a c");
    }

    #[test]
    fn another_provider_brings_its_first_model() {
        let providers = [provider(1, &["a"]), provider(2, &["z"]), provider(3, &[])];
        let mut form = Form::blank(&providers);
        form.choose(0, &providers[1].id.to_string(), &providers);
        assert_eq!(models(&form), "z");
        form.choose(0, &providers[2].id.to_string(), &providers);
        assert_eq!(models(&form), "");
    }

    #[test]
    fn without_a_provider_it_is_said_where_one_is_to_be_chosen() {
        let form = Form::blank(&[]);
        assert!(form.draft().unwrap_err().field("/targets/0/provider_id").is_some());
    }
}
