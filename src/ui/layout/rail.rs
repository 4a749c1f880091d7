//! The rail at the left, and the tabs at the foot of a phone.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::model::auth::{Action, Me};
use crate::ui::components::{Button, Dialog, Icon};
use crate::ui::state::approvals::MineCount;
use crate::ui::state::live::Connection;
use crate::ui::state::theme;

/// A place of the rail.
struct Place {
    href: &'static str,
    label: &'static str,
    icon: &'static str,
    needs: Action,
}

const fn place(href: &'static str, label: &'static str, icon: &'static str, needs: Action) -> Place {
    Place { href, label, icon, needs }
}

const HOME: Place = place("/", "Dashboard", "dashboard", Action::ViewDashboard);
const APPROVALS: Place = place("/approvals", "Approvals", "inbox", Action::ReadRun);
const BUILD: [Place; 2] = [
    place("/workflows", "Workflows", "workflow", Action::ReadWorkflow),
    place("/memory", "Memory", "memory", Action::ReadMemory),
];
const OPERATE: [Place; 3] = [
    place("/runs", "Runs", "runs", Action::ReadRun),
    place("/agents", "Agents", "agent", Action::ReadAgent),
    place("/triggers", "Triggers", "bolt", Action::ReadWorkflow),
];
const WORKSPACE: [Place; 2] = [
    place("/providers", "Gateway", "gateway", Action::ReadProvider),
    place("/users", "Users", "users", Action::ReadUser),
];

/// Whether the page at `path` belongs to the place at `href`.
fn is_at(path: &str, href: &str) -> bool {
    let is_below = |href: &str| path == href || path.starts_with(&format!("{href}/"));
    match href {
        "/" => path == "/",
        // The gateway's other pages stand beside the first of them.
        "/providers" => is_below(href) || is_below("/gateway"),
        _ => is_below(href),
    }
}

#[component]
fn RailLink(place: &'static Place) -> impl IntoView {
    let pathname = use_location().pathname;
    let current = move || is_at(&pathname.read(), place.href).then_some("page");
    view! {
        <a class="rail-link" href=place.href aria-current=current title=place.label>
            <Icon name=place.icon />
            <span class="rail-label">{place.label}</span>
            {(place.href == APPROVALS.href).then(|| view! { <MineCount /> })}
        </a>
    }
}

#[component]
fn RailGroup(title: &'static str, places: &'static [Place], me: Me) -> impl IntoView {
    let shown: Vec<&'static Place> = places.iter().filter(|place| me.may(place.needs)).collect();
    (!shown.is_empty()).then(|| {
        view! {
            <div class="rail-group">
                <h2>{title}</h2>
                {shown.into_iter().map(|place| view! { <RailLink place /> }).collect::<Vec<_>>()}
            </div>
        }
    })
}

/// The navigation of a wide window.
#[component]
pub(super) fn Rail(me: Me, palette_open: RwSignal<bool>, keys_open: RwSignal<bool>) -> impl IntoView {
    let connection = expect_context::<Connection>();
    let (state, state_label) = (
        move || (!connection.0.get()).then_some("offline"),
        move || if connection.0.get() { "Live" } else { "Reconnecting" },
    );
    view! {
        <nav class="rail" aria-label="Main">
            <a class="workspace" href="/" title=me.workspace.name.clone()>
                <Icon name="weft" />
                <span class="rail-label">{me.workspace.name.clone()}</span>
            </a>
            <button class="rail-link" type="button" title="Search" on:click=move |_| palette_open.set(true)>
                <Icon name="search" />
                <span class="rail-label">"Search"</span>
                <kbd>"Ctrl K"</kbd>
            </button>
            <div class="rail-group">
                <RailLink place=&HOME />
                {me.may(APPROVALS.needs).then(|| view! { <RailLink place=&APPROVALS /> })}
            </div>
            <RailGroup title="Build" places=&BUILD me=me.clone() />
            <RailGroup title="Operate" places=&OPERATE me=me.clone() />
            <RailGroup title="Workspace" places=&WORKSPACE me=me.clone() />
            <div class="rail-foot">
                <span class="rail-link" role="status">
                    <span class="live" data-state=state><span class="rail-label">{state_label}</span></span>
                </span>
                <theme::ThemeButton />
                <button class="rail-link" type="button" title="Keys and help" on:click=move |_| keys_open.set(true)>
                    <Icon name="help" />
                    <span class="rail-label">"Keys and help"</span>
                    <kbd>"?"</kbd>
                </button>
                <a class="rail-link" href="/account" title=format!("{}, account and sessions", me.name)>
                    <span class="avatar" aria-hidden="true">{me.name.chars().next().map(String::from)}</span>
                    <span class="rail-label">{me.name.clone()}</span>
                </a>
            </div>
        </nav>
    }
}

/// The navigation of a phone: what one does on the way, and behind the last tab the rest. The account is in the bar above.
#[component]
pub(super) fn TabBar(me: Me) -> impl IntoView {
    let pathname = use_location().pathname;
    let more_open = RwSignal::new(false);
    let places: [(&'static Place, &'static str); 4] =
        [(&HOME, "Home"), (&BUILD[0], "Workflows"), (&OPERATE[0], "Runs"), (&APPROVALS, "Approvals")];
    let links = places.into_iter().filter(|(place, _)| me.may(place.needs)).map(|(place, label)| {
        view! {
            <a href=place.href aria-current=move || is_at(&pathname.read(), place.href).then_some("page")>
                <Icon name=place.icon />
                {label}
                {(place.href == APPROVALS.href).then(|| view! { <MineCount /> })}
            </a>
        }
    });
    let rest: Vec<&'static Place> = [&BUILD[1], &OPERATE[1], &OPERATE[2], &WORKSPACE[0], &WORKSPACE[1]]
        .into_iter()
        .filter(|place| me.may(place.needs))
        .collect();
    let beyond = StoredValue::new(rest.clone());
    let is_beyond = move || rest.iter().any(|place| is_at(&pathname.read(), place.href)).then_some("page");
    let footer = move || view! { <Button label="Close" on_press=move |()| more_open.set(false) /> };
    view! {
        <nav class="tabbar" aria-label="Sections">
            {links.collect::<Vec<_>>()}
            <button type="button" aria-haspopup="dialog" aria-current=is_beyond on:click=move |_| more_open.set(true)>
                <Icon name="more" />
                "More"
            </button>
        </nav>
        <Dialog id="more-places" title="More" open=more_open footer=ViewFn::from(footer)>
            <nav aria-label="More">
                <ul class="rows">
                    {beyond
                        .get_value()
                        .into_iter()
                        .map(|place| {
                            let current = move || is_at(&pathname.read(), place.href).then_some("page");
                            view! {
                                <li>
                                    <a class="row-link" href=place.href aria-current=current on:click=move |_| more_open.set(false)>
                                        <Icon name=place.icon />
                                        <span class="grow">{place.label}</span>
                                        <Icon name="right" />
                                    </a>
                                </li>
                            }
                        })
                        .collect::<Vec<_>>()}
                </ul>
            </nav>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn a_page_below_a_place_belongs_to_it() {
        assert!(is_at("/runs/1", "/runs"));
        assert!(!is_at("/runs", "/"));
        assert!(!is_at("/runsome", "/runs"));
        assert!(is_at("/gateway/routes", "/providers"));
    }
}
