//! Who could answer, for the name that somebody asked for. Pure.
//!
//! 1. Nothing asked for: the route `default`, else the first model of the oldest provider.
//! 2. A route: its models in order.
//! 3. A model that providers list: theirs, the oldest provider first.
//! 4. `provider/model`: that one, listed or not.
//! 5. A name that nobody lists: those providers that list nothing; of them, where there are any, only those that speak the
//!    dialect that was asked in.

use crate::model::ProviderId;
use crate::model::gateway::{Dialect, Fault, FaultClass, Model, ProviderKind, Route};

/// What is to know of a provider here.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub id: ProviderId,
    pub name: String,
    pub kind: ProviderKind,
    pub models: Vec<Model>,
    pub enabled: bool,
}

/// One that could answer: a place in the list of providers, and a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub provider: usize,
    pub model: Model,
}

/// The candidates in order, and the rule that found them.
pub(super) type Found = (Vec<Candidate>, String);

/// The name of the route that is taken where nobody names one.
pub(super) const DEFAULT_ROUTE: &str = "default";

/// Finds the candidates for `asked`; `route` is the route of that name (of the default route's, when nothing is asked for).
pub(super) fn find(asked: &str, dialect: Dialect, providers: &[Known], route: Option<&Route>) -> Result<Found, Fault> {
    if !providers.iter().any(|provider| provider.enabled) {
        let message = if providers.is_empty() {
            "no provider is set up; add one on the page Providers, or with POST /api/v1/providers"
        } else {
            "every provider is switched off; switch one on, on the page Providers"
        };
        return Err(Fault::new(FaultClass::NoProvider, message));
    }
    if let Some(route) = route {
        return of_route(route, providers);
    }
    let on = || providers.iter().enumerate().filter(|(_, provider)| provider.enabled);
    if asked.is_empty() {
        let first = on().find_map(|(place, provider)| Some((place, provider, provider.models.first()?)));
        let Some((place, provider, model)) = first else {
            let message =
                "no model is named, there is no route called default, and no provider lists a model; name one";
            return Err(Fault::new(FaultClass::NoProvider, message));
        };
        let rule = format!("the first model of {}, since no route is called default", provider.name);
        return Ok((vec![Candidate { provider: place, model: model.clone() }], rule));
    }
    let listed: Vec<Candidate> = on()
        .filter_map(|(provider, known)| {
            let model = known.models.iter().find(|model| model.id == asked)?.clone();
            Some(Candidate { provider, model })
        })
        .collect();
    if !listed.is_empty() {
        return Ok((listed, format!("the providers that list {asked}")));
    }
    if let Some((name, model)) = asked.split_once('/')
        && let Some((provider, known)) = on().find(|(_, known)| known.name == name)
        && !model.is_empty()
    {
        return Ok((vec![candidate(provider, known, model)], format!("{model} of {name}, as asked")));
    }
    let open = |fits: &dyn Fn(&Known) -> bool| -> Vec<Candidate> {
        on().filter(|(_, known)| known.models.is_empty() && fits(known))
            .map(|(provider, _)| Candidate { provider, model: Model::named(asked) })
            .collect()
    };
    let same = open(&|known| known.kind.is_near(dialect));
    if !same.is_empty() {
        return Ok((same, format!("providers that list no models and speak {}", dialect.label())));
    }
    let any = open(&|_| true);
    if any.is_empty() { Err(unknown(asked, providers)) } else { Ok((any, "providers that list no models".to_owned())) }
}

fn of_route(route: &Route, providers: &[Known]) -> Result<Found, Fault> {
    let candidates: Vec<Candidate> = route
        .targets
        .iter()
        .filter(|target| target.weight > 0)
        .filter_map(|target| {
            let provider = providers.iter().position(|known| known.enabled && known.id == target.provider_id)?;
            Some(candidate(provider, &providers[provider], &target.model))
        })
        .collect();
    if candidates.is_empty() {
        let message = format!(
            "every model of the route {} is switched off or left out by its flag, or its provider is gone",
            route.name
        );
        return Err(Fault::new(FaultClass::NoProvider, message));
    }
    Ok((candidates, format!("the route {}", route.name)))
}

fn candidate(provider: usize, known: &Known, model: &str) -> Candidate {
    let listed = known.models.iter().find(|listed| listed.id == model);
    Candidate { provider, model: listed.cloned().unwrap_or_else(|| Model::named(model)) }
}

fn unknown(asked: &str, providers: &[Known]) -> Fault {
    let known: Vec<String> = providers
        .iter()
        .filter(|provider| provider.enabled)
        .flat_map(|provider| provider.models.iter().map(|model| format!("{}/{}", provider.name, model.id)))
        .take(10)
        .collect();
    let known = if known.is_empty() { "none is listed".to_owned() } else { known.join(", ") };
    Fault::new(FaultClass::NoModel, format!("no route and no provider has the model {asked}; known are: {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::{Policy, Target};
    use crate::model::{RouteId, Timestamp};

    fn id(n: u128) -> ProviderId {
        ProviderId(uuid::Uuid::from_u128(n))
    }

    fn providers() -> Vec<Known> {
        let known = |n, name: &str, kind, models: &[&str], enabled| Known {
            id: id(n),
            name: name.into(),
            kind,
            models: models.iter().map(|model| Model::named(*model)).collect(),
            enabled,
        };
        vec![
            known(1, "off", ProviderKind::OpenAi, &["big"], false),
            known(2, "acme", ProviderKind::OpenAiCompatible, &["small", "big", "org/odd"], true),
            known(3, "zeta", ProviderKind::OpenAi, &["big"], true),
            known(4, "any", ProviderKind::Anthropic, &[], true),
        ]
    }

    fn route(targets: &[(u128, &str)]) -> Route {
        Route {
            id: RouteId(uuid::Uuid::nil()),
            name: "smart".into(),
            description: String::new(),
            targets: targets.iter().map(|(n, m)| Target::new(id(*n), *m)).collect(),
            policy: Policy::default(),
            cache: crate::model::cache::CacheMode::Auto,
            context: None,
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn names(found: Result<Found, Fault>) -> String {
        let providers = providers();
        match found {
            Ok((candidates, _)) => {
                let name = |one: &Candidate| format!("{}/{}", providers[one.provider].name, one.model.id);
                candidates.iter().map(name).collect::<Vec<_>>().join(" ")
            }
            Err(fault) => fault.class.as_str().to_owned(),
        }
    }

    #[test]
    fn a_name_is_read_by_the_first_rule_that_fits() {
        let ask = |asked: &str, dialect| names(find(asked, dialect, &providers(), None));
        assert_eq!(ask("", Dialect::OpenAi), "acme/small");
        assert_eq!(ask("big", Dialect::OpenAi), "acme/big zeta/big");
        assert_eq!(ask("org/odd", Dialect::OpenAi), "acme/org/odd");
        assert_eq!(ask("zeta/new", Dialect::OpenAi), "zeta/new");
        assert_eq!(names(find("off/big", Dialect::OpenAi, &providers()[..3], None)), "no_model");
        assert_eq!(ask("claude", Dialect::Anthropic), "any/claude");
        assert_eq!(ask("claude", Dialect::OpenAi), "any/claude");
        assert_eq!(names(find("claude", Dialect::OpenAi, &providers()[..3], None)), "no_model");
    }

    #[test]
    fn a_route_is_taken_in_its_order_without_what_is_off() {
        let route = route(&[(4, "claude"), (1, "big"), (2, "big"), (9, "gone")]);
        assert_eq!(names(find("smart", Dialect::OpenAi, &providers(), Some(&route))), "any/claude acme/big");
    }

    #[test]
    fn without_a_provider_it_is_said_what_to_do() {
        let fault = find("big", Dialect::OpenAi, &[], None).unwrap_err();
        assert_eq!(fault.class, FaultClass::NoProvider);
        assert!(fault.message.contains("Providers"), "{fault}");
        assert_eq!(names(find("big", Dialect::OpenAi, &providers()[..1], None)), "no_provider");
    }
}
