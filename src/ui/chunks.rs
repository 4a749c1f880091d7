//! The parts that the program comes in. A browser loads the chunk of the page that it opens, and what that shares with
//! others, instead of all pages: `scripts/build-site.mjs` cuts the wasm where this file says.
//!
//! On the server nothing is cut, and a page is drawn at once.

use futures::channel::oneshot;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::hooks::use_location;
use leptos_router::{Lazy, LazyRoute};

use super::{browser, layout, pages};

/// Makes each page that is named a route whose code stands in the chunk of its group.
macro_rules! chunks {
    ($($group:ident { $($route:ident: $Route:ident, $draw:ident, $load:ident => $page:path;)+ })+) => { $($(
        #[doc = concat!("`", stringify!($page), "`, in the chunk `", stringify!($group), "`.")]
        #[derive(Debug)]
        pub struct $Route;

        #[doc = concat!("The view of a route to `", stringify!($page), "`.")]
        pub fn $route() -> Lazy<$Route> {
            Lazy::new()
        }

        #[wasm_split($group, wasm_split_path = ::leptos::wasm_split, preload($load), fallible)]
        fn $draw() -> Result<AnyView, SplitLoaderError> {
            Ok($page().into_any())
        }

        impl LazyRoute for $Route {
            fn data() -> Self {
                Self
            }

            async fn view(_: Self) -> AnyView {
                $draw().await.unwrap_or_else(|_| view! { <NotLoaded /> }.into_any())
            }

            async fn preload() {
                load_patiently(|| $load()).await;
            }
        }
    )+)+

        /// All groups, for a test.
        #[cfg(test)]
        const GROUPS: &[&str] = &[$(stringify!($group)),+];
    };
}

chunks! {
    door {
        login: Login, draw_login, load_login => pages::auth::LoginPage;
        setup: Setup, draw_setup, load_setup => pages::auth::SetupPage;
        invite: Invite, draw_invite, load_invite => pages::auth::InvitePage;
    }
    frame {
        frame: Frame, draw_frame, load_frame => layout::Layout;
    }
    home {
        dashboard: Dashboard, draw_dashboard, load_dashboard => pages::dashboard::DashboardPage;
    }
    approvals {
        approvals: Approvals, draw_approvals, load_approvals => pages::approvals::ApprovalsPage;
    }
    workflows {
        workflows: Workflows, draw_workflows, load_workflows => pages::workflows::WorkflowsPage;
    }
    designer {
        designer: Designer, draw_designer, load_designer => pages::workflows::DesignerPage;
    }
    runs {
        runs: Runs, draw_runs, load_runs => pages::runs::RunsPage;
        compare: Compare, draw_compare, load_compare => pages::runs::ComparePage;
        run: Run, draw_run, load_run => pages::runs::RunPage;
    }
    agents {
        agents: Agents, draw_agents, load_agents => pages::agents::AgentsPage;
        new_agent: NewAgent, draw_new_agent, load_new_agent => pages::agents::NewAgentPage;
        assignment: AssignmentRoute, draw_assignment, load_assignment => pages::agents::AssignmentPage;
        agent: Agent, draw_agent, load_agent => pages::agents::AgentPage;
        edit_agent: EditAgent, draw_edit_agent, load_edit_agent => pages::agents::EditAgentPage;
    }
    triggers {
        triggers: Triggers, draw_triggers, load_triggers => pages::triggers::TriggersPage;
        trigger: Trigger, draw_trigger, load_trigger => pages::triggers::TriggerPage;
    }
    memory {
        memory: Memory, draw_memory, load_memory => pages::memory::MemoryPage;
        embedder: Embedder, draw_embedder, load_embedder => pages::memory::EmbedderPage;
        health: Health, draw_health, load_health => pages::memory::HealthPage;
        timeline: Timeline, draw_timeline, load_timeline => pages::memory::TimelinePage;
        summaries: Summaries, draw_summaries, load_summaries => pages::memory::SummariesPage;
        backups: Backups, draw_backups, load_backups => pages::memory::BackupsPage;
        memory_map: MemoryMap, draw_memory_map, load_memory_map => pages::memory::MapPage;
    }
    gateway {
        providers: Providers, draw_providers, load_providers => pages::providers::ProvidersPage;
        provider: Provider, draw_provider, load_provider => pages::providers::ProviderPage;
        routes: Routes, draw_routes, load_routes => pages::gateway::RoutesPage;
        flags: Flags, draw_flags, load_flags => pages::flags::FlagsPage;
        keys: Keys, draw_keys, load_keys => pages::gateway::KeysPage;
        calls: Calls, draw_calls, load_calls => pages::gateway::CallsPage;
        budgets: Budgets, draw_budgets, load_budgets => pages::budgets::BudgetsPage;
        cache: Cache, draw_cache, load_cache => pages::cache::CachePage;
        redaction: Redaction, draw_redaction, load_redaction => pages::redaction::RedactionPage;
    }
    people {
        users: Users, draw_users, load_users => pages::users::UsersPage;
        account: Account, draw_account, load_account => pages::sessions::SessionsPage;
    }
}

/// The first pause before a chunk that did not come is asked for again, doubled each time; in ms.
const FIRST_PAUSE_MS: i32 = 500;
/// The longest such pause, in ms.
const LONGEST_PAUSE_MS: i32 = 30_000;
/// How long a person who followed a link waits for the chunk before the page says that it did not come: the pause that is
/// not begun any more, in ms.
const GIVEN_UP_MS: i32 = 4_000;

/// Loads a chunk, and again when it does not come. A page that the server has drawn keeps standing as it is for as long as
/// it takes: what can't be woken must not be drawn anew. Elsewhere the view says after some seconds that nothing came.
async fn load_patiently<F: Future<Output = Result<(), SplitLoaderError>>>(load: impl Fn() -> F) {
    let is_asleep = Owner::current_shared_context().is_some_and(|context| context.during_hydration());
    let mut pause = FIRST_PAUSE_MS;
    while load().await.is_err() {
        if !is_asleep && pause >= GIVEN_UP_MS {
            return;
        }
        let (wake, woken) = oneshot::channel();
        browser::after_ms_detached(pause, move || _ = wake.send(()));
        _ = woken.await;
        pause = (pause * 2).min(LONGEST_PAUSE_MS);
    }
}

/// The chunks that the page at this path needs, for the browser to ask for them while the main program is on its way.
/// A hint: what is missing here is loaded when the page is drawn.
#[must_use]
pub fn chunks_of(path: &str) -> &'static [&'static str] {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    match (segments.next().unwrap_or_default(), segments.next()) {
        ("login" | "setup" | "invite", _) => &["door"],
        ("", _) => &["frame", "home"],
        ("approvals", _) => &["frame", "approvals"],
        ("workflows", Some(_)) => &["frame", "designer"],
        ("workflows", None) => &["frame", "workflows"],
        ("runs", _) => &["frame", "runs"],
        ("agents", _) => &["frame", "agents"],
        ("triggers", _) => &["frame", "triggers"],
        ("memory", _) => &["frame", "memory"],
        ("providers" | "gateway", _) => &["frame", "gateway"],
        ("users" | "account", _) => &["frame", "people"],
        _ => &[],
    }
}

/// In place of a page whose chunk didn't come.
#[component]
fn NotLoaded() -> impl IntoView {
    let location = use_location();
    let query = location.search.get_untracked();
    let here = format!("{}?{}", location.pathname.get_untracked(), query.trim_start_matches('?'));
    let here = here.trim_end_matches('?').to_owned();
    view! {
        <leptos_meta::Title text="Not loaded · Weft" />
        <div class="page-body">
            <div class="empty" role="alert">
                <h1>"This page did not load"</h1>
                <p>"Its program could not be fetched: the server was away, or has a newer one by now. Nothing is lost."</p>
                <div class="actions">
                    <a class="button" rel="external" href=here>
                        "Load again"
                    </a>
                </div>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_chunks_of_a_path_are_groups_that_there_are() {
        let paths = [
            "/",
            "/login",
            "/setup",
            "/invite",
            "/approvals",
            "/approvals/1",
            "/workflows",
            "/workflows/1",
            "/runs",
            "/runs/1",
            "/agents/new",
            "/triggers",
            "/memory/health",
            "/providers",
            "/gateway/cache",
            "/users",
            "/account",
        ];
        let named: BTreeSet<_> = paths.into_iter().flat_map(chunks_of).copied().collect();
        assert_eq!(named, GROUPS.iter().copied().collect());
        assert_eq!(chunks_of("/nothing/here"), &[] as &[&str]);
        assert_eq!(chunks_of("/workflows/"), chunks_of("/workflows"));
    }
}
