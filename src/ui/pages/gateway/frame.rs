//! What the pages of the gateway share: the header with its tabs, and what is said while no provider is set up.

use leptos::prelude::*;

use crate::model::auth::{Action, Me};
use crate::model::gateway::{Provider, Route};
use crate::ui::components::{ButtonLink, ButtonVariant, EmptyState, PageHeader};

/// A page of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui::pages) enum Part {
    Providers,
    Routes,
    Flags,
    Keys,
    Calls,
    Budgets,
    Cache,
    Redaction,
}

impl Part {
    const ALL: [Self; 8] = [
        Self::Providers,
        Self::Routes,
        Self::Flags,
        Self::Keys,
        Self::Calls,
        Self::Budgets,
        Self::Cache,
        Self::Redaction,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Providers => "Providers",
            Self::Routes => "Routes",
            Self::Flags => "Flags",
            Self::Keys => "Keys",
            Self::Calls => "Calls",
            Self::Budgets => "Budgets",
            Self::Cache => "Cache",
            Self::Redaction => "Redaction",
        }
    }

    const fn href(self) -> &'static str {
        match self {
            Self::Providers => "/providers",
            Self::Routes => "/gateway/routes",
            Self::Flags => "/gateway/flags",
            Self::Keys => "/gateway/keys",
            Self::Calls => "/gateway/calls",
            Self::Budgets => "/gateway/budgets",
            Self::Cache => "/gateway/cache",
            Self::Redaction => "/gateway/redaction",
        }
    }

    const fn needs(self) -> Action {
        match self {
            Self::Providers | Self::Routes | Self::Flags | Self::Redaction => Action::ReadProvider,
            Self::Keys => Action::ManageProvider,
            Self::Calls | Self::Budgets | Self::Cache => Action::ReadUsage,
        }
    }
}

/// The header of a page of the gateway, with the tabs to the others.
#[component]
pub(in crate::ui::pages) fn GatewayHeader(
    /// The page that is open.
    part: Part,
    /// At the right.
    #[prop(into, optional)]
    actions: ViewFnOnce,
) -> impl IntoView {
    let me = expect_context::<Me>();
    let tabs = Part::ALL.into_iter().filter(|one| me.may(one.needs())).map(|one| {
        let current = (one == part).then_some("page");
        view! { <a href=one.href() aria-current=current>{one.label()}</a> }
    });
    view! {
        <PageHeader title="Gateway" part=part.label() actions />
        <nav class="tabs" aria-label="Gateway">{tabs.collect_view()}</nav>
    }
}

/// What a page says while there is no provider, and where to add one.
#[component]
pub(super) fn NoProviders(
    /// Why the page needs one.
    children: Children,
) -> impl IntoView {
    let may_manage = expect_context::<Me>().may(Action::ManageProvider);
    let label = if may_manage { "Add a provider" } else { "See the providers" };
    let actions =
        move || view! { <ButtonLink href="/providers" label variant=ButtonVariant::Primary icon="gateway" /> };
    view! { <EmptyState title="No providers yet" actions=ViewFnOnce::from(actions)>{children()}</EmptyState> }
}

/// The names that callers may ask for: routes first, then what providers list.
pub(super) fn names(routes: &[Route], providers: &[Provider]) -> Vec<String> {
    let listed = providers.iter().filter(|provider| provider.enabled).flat_map(|provider| &provider.models);
    let all = routes.iter().map(|route| &route.name).chain(listed.map(|model| &model.id));
    let mut names: Vec<String> = Vec::new();
    for name in all {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
