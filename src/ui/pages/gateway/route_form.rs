//! The form of a route as text, and what it means.

use crate::model::cache::CacheMode;
use crate::model::gateway::{By, Hedge, Level, Policy, Provider, Route, RouteDraft, Target, TaskRules};
use crate::model::{ApiError, FieldError, ProviderId};
use crate::ui::components::ContextForm;

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
    pub weight: String,
    /// The hardest task that it takes, as sent.
    pub takes: String,
    /// The flag that it stands behind; empty for none.
    pub flag: String,
}

/// Milliseconds after which the next is asked too, to begin with: longer than most answers take to begin.
const HEDGE_MS: u32 = 3_000;

/// The settings of how the hardness of a task is counted: the field, and what it is called.
pub(super) const RULES: [(&str, &str); 9] = [
    ("file", "A file"),
    ("files_at_most", "All files, at most"),
    ("technology", "A technology"),
    ("thousand_tokens", "1,000 tokens"),
    ("length_at_most", "The length, at most"),
    ("tool", "A tool"),
    ("tools_at_most", "All tools, at most"),
    ("medium_from", "Medium from"),
    ("complex_from", "Complex from"),
];

/// What the controls hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Form {
    pub name: String,
    pub description: String,
    pub lines: Vec<Line>,
    /// By what the models are ordered, as sent.
    pub by: String,
    pub sticky: bool,
    /// The numbers of [`RULES`], in that order.
    pub rules: [String; RULES.len()],
    /// Whether the next is asked too where one is slow, and after how many milliseconds.
    pub hedges: bool,
    pub hedge_ms: String,
    /// A [`CacheMode`].
    pub cache: String,
    pub context: ContextForm,
    next: u32,
}

impl Form {
    /// For a new route, with one model to begin with.
    pub fn blank(providers: &[Provider]) -> Self {
        let policy = Policy::default();
        let mut form = Self {
            by: policy.by.as_str().to_owned(),
            rules: written(&policy.task),
            hedge_ms: HEDGE_MS.to_string(),
            cache: CacheMode::Auto.as_str().to_owned(),
            context: ContextForm::of(None),
            ..Self::default()
        };
        form.add(providers);
        form
    }

    /// Of a route that there is.
    pub fn of(route: &Route) -> Self {
        let line = |(key, target): (usize, &Target)| Line {
            key: key as u32,
            provider: target.provider_id.to_string(),
            model: target.model.clone(),
            weight: target.weight.to_string(),
            takes: target.takes.as_str().to_owned(),
            flag: target.flag.clone().unwrap_or_default(),
        };
        let lines: Vec<Line> = route.targets.iter().enumerate().map(line).collect();
        let next = lines.len() as u32;
        Self {
            name: route.name.clone(),
            description: route.description.clone(),
            lines,
            by: route.policy.by.as_str().to_owned(),
            sticky: route.policy.sticky,
            rules: written(&route.policy.task),
            hedges: route.policy.hedge.is_some(),
            hedge_ms: route.policy.hedge.map_or(HEDGE_MS, |hedge| hedge.after_ms).to_string(),
            cache: route.cache.as_str().to_owned(),
            context: ContextForm::of(route.context.as_ref()),
            next,
        }
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
        let takes = Level::default().as_str().to_owned();
        self.lines.push(Line { key, provider, model, weight: "1".to_owned(), takes, flag: String::new() });
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
    /// A line whose provider is none; a number that is none.
    pub fn draft(&self) -> Result<RouteDraft, ApiError> {
        let target = |(at, line): (usize, &Line)| {
            let provider_id: ProviderId =
                line.provider.parse().map_err(|_| wrong(format!("/targets/{at}/provider_id"), "choose a provider"))?;
            let weight = number(&line.weight, || format!("/targets/{at}/weight"))?;
            let takes = Level::parse(&line.takes).unwrap_or_default();
            let flag = Some(line.flag.clone()).filter(|flag| !flag.is_empty());
            Ok(Target { provider_id, model: line.model.trim().to_owned(), weight, takes, flag })
        };
        let targets = self.lines.iter().enumerate().map(target).collect::<Result<_, ApiError>>()?;
        let by = By::parse(&self.by).unwrap_or_default();
        let after = || number(&self.hedge_ms, || "/policy/hedge/after_ms".to_owned());
        let hedge = if self.hedges { Some(Hedge { after_ms: after()? }) } else { None };
        let cache = CacheMode::parse(&self.cache).unwrap_or_default();
        Ok(RouteDraft {
            name: self.name.trim().to_owned(),
            description: self.description.trim().to_owned(),
            targets,
            policy: Policy { by, sticky: self.sticky, task: self.task()?, hedge },
            cache,
            context: self.context.rule(),
        })
    }

    fn task(&self) -> Result<TaskRules, ApiError> {
        let rule = |at: usize| number(&self.rules[at], || format!("/policy/task/{}", RULES[at].0));
        Ok(TaskRules {
            file: rule(0)?,
            files_at_most: rule(1)?,
            technology: rule(2)?,
            thousand_tokens: rule(3)?,
            length_at_most: rule(4)?,
            tool: rule(5)?,
            tools_at_most: rule(6)?,
            medium_from: rule(7)?,
            complex_from: rule(8)?,
        })
    }
}

fn written(rules: &TaskRules) -> [String; RULES.len()] {
    let TaskRules {
        file,
        files_at_most,
        technology,
        thousand_tokens,
        length_at_most,
        tool,
        tools_at_most,
        medium_from,
        complex_from,
    } = *rules;
    let all = [
        file,
        files_at_most,
        technology,
        thousand_tokens,
        length_at_most,
        tool,
        tools_at_most,
        medium_from,
        complex_from,
    ];
    all.map(|number| number.to_string())
}

fn number(text: &str, pointer: impl Fn() -> String) -> Result<u32, ApiError> {
    text.trim().parse().map_err(|_| wrong(pointer(), "expected a whole number"))
}

fn wrong(pointer: String, message: &str) -> ApiError {
    ApiError::Invalid { detail: message.to_owned(), fields: vec![FieldError::new(pointer, message)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::model::gateway::{ContextRule, Limits, Model, ProviderKind};

    fn provider(n: u128, models: &[&str]) -> Provider {
        Provider {
            id: ProviderId(uuid::Uuid::from_u128(n)),
            name: format!("p{n}"),
            kind: ProviderKind::OpenAi,
            base_url: String::new(),
            credential_hint: None,
            models: models.iter().map(|model| Model::named(*model)).collect(),
            responses: false,
            enabled: true,
            limits: Limits::default(),
            health: Vec::new(),
            queue: Default::default(),
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
    fn a_form_that_is_not_touched_sends_what_it_was_made_of() {
        let task = TaskRules { medium_from: 31, ..TaskRules::default() };
        let target = Target {
            weight: 90,
            takes: Level::Simple,
            flag: Some("new".into()),
            ..Target::new(ProviderId(uuid::Uuid::from_u128(1)), "a")
        };
        let route = Route {
            id: crate::model::RouteId(uuid::Uuid::nil()),
            name: "smart".into(),
            description: "for all".into(),
            targets: vec![target],
            policy: Policy { by: By::Task, sticky: true, task, hedge: Some(Hedge { after_ms: 750 }) },
            cache: CacheMode::Auto,
            context: Some(ContextRule { window: 8_000, ..ContextRule::default() }),
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        };
        let draft = Form::of(&route).draft().unwrap();
        assert_eq!((draft.targets, draft.policy, draft.context), (route.targets, route.policy, route.context));
    }

    #[test]
    fn what_is_no_number_is_named() {
        let mut form = Form::blank(&[provider(1, &["a"])]);
        form.lines[0].weight = "many".into();
        assert!(form.draft().unwrap_err().field("/targets/0/weight").is_some());
        form.lines[0].weight = "3".into();
        form.hedge_ms = "soon".into();
        assert_eq!(form.draft().unwrap().policy.hedge, None, "what is not wanted is not read");
        form.hedges = true;
        assert!(form.draft().unwrap_err().field("/policy/hedge/after_ms").is_some());
        form.hedges = false;
        form.rules[7] = "-1".into();
        assert!(form.draft().unwrap_err().field("/policy/task/medium_from").is_some());
    }

    #[test]
    fn without_a_provider_it_is_said_where_one_is_to_be_chosen() {
        let form = Form::blank(&[]);
        assert!(form.draft().unwrap_err().field("/targets/0/provider_id").is_some());
    }
}
