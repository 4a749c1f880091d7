//! For whom a flag is: boxes for roles, people, agents and keys.

use leptos::prelude::*;

use super::form::{Form, choose};
use crate::api::agents::list_board;
use crate::api::gateway::list_keys;
use crate::api::users::list_users;
use crate::model::auth::Role;
use crate::model::gateway::MOST_FLAG_NAMES;
use crate::model::{AgentId, ApiError, ApiKeyId, PageRequest, UserId};
use crate::ui::components::{Bound, Checkbox, Icon};

/// People, agents and keys that can be chosen.
const MOST_CHOICES: u32 = 200;

/// One that can be chosen: what it is called, and its id.
type Known<T> = Vec<(String, T)>;

/// Asked for once the dialog is open, and never while the server draws the page. `None` until it is known.
fn known<T, F>(open: RwSignal<bool>, ask: impl Fn() -> F + Copy + 'static) -> Signal<Option<Known<T>>>
where
    T: Clone + Send + Sync + 'static,
    F: Future<Output = Result<Known<T>, ApiError>> + 'static,
{
    let asked = LocalResource::new(move || {
        let is_open = open.get();
        async move { if is_open { Some(ask().await.unwrap_or_default()) } else { None } }
    });
    Signal::derive(move || asked.get().flatten())
}

fn first() -> PageRequest {
    PageRequest { limit: MOST_CHOICES, cursor: None }
}

#[component]
pub(super) fn AudienceFields(
    form: RwSignal<Form>,
    open: RwSignal<bool>,
    error: Signal<Option<String>>,
) -> impl IntoView {
    let roles = Signal::stored(Some(Role::ALL.map(|role| (role.label().to_owned(), role)).to_vec()));
    let people = known(open, || async {
        let page = list_users(first()).await;
        page.map(|page| page.items.into_iter().map(|user| (user.name, user.id)).collect::<Known<UserId>>())
    });
    let agents = known(open, || async {
        let list = list_board(Vec::new()).await;
        list.map(|list| list.into_iter().map(|one| (one.name, one.id)).collect::<Known<AgentId>>())
    });
    let keys = known(open, || async {
        let page = list_keys(first()).await;
        page.map(|page| page.items.into_iter().map(|one| (one.key.name, one.key.id)).collect::<Known<ApiKeyId>>())
    });
    let is_everybody = move || form.with(|form| form.audience.is_everybody());
    view! {
        <fieldset class="field">
            <legend>"For whom"</legend>
            <span class="hint">
                {move || if is_everybody() {
                    "None chosen: of all who ask, so many of a hundred."
                } else {
                    "Whoever is in one of the lists: of these, so many of a hundred. All others don't get it."
                }}
            </span>
            <Boxes
                prefix="flag-role" legend="Roles" form known=roles
                get=|form| &form.audience.roles set=|form| &mut form.audience.roles
            />
            <Boxes
                prefix="flag-user" legend="People" form known=people
                get=|form| &form.audience.users set=|form| &mut form.audience.users
            />
            <Boxes
                prefix="flag-agent" legend="Agents" form known=agents
                get=|form| &form.audience.agents set=|form| &mut form.audience.agents
            />
            <Boxes
                prefix="flag-key" legend="Keys of the gateway" form known=keys
                get=|form| &form.audience.keys set=|form| &mut form.audience.keys
            />
            {move || error.get().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
        </fieldset>
    }
}

/// A box for each that can be chosen, and for those that were and are gone.
#[component]
fn Boxes<T>(
    prefix: &'static str,
    legend: &'static str,
    form: RwSignal<Form>,
    known: Signal<Option<Known<T>>>,
    get: fn(&Form) -> &Vec<T>,
    set: fn(&mut Form) -> &mut Vec<T>,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    move || {
        let known = known.get()?;
        let gone = form.with_untracked(|form| {
            let is_gone = |id: &&T| !known.iter().any(|(_, one)| one == *id);
            get(form).iter().filter(is_gone).map(|id| ("gone by now".to_owned(), *id)).collect::<Vec<_>>()
        });
        let all: Known<T> = known.into_iter().chain(gone).collect();
        (!all.is_empty()).then(|| {
            let one = |(at, (name, id)): (usize, (String, T))| {
                let is_in = Memo::new(move |_| form.with(|form| get(form).contains(&id)));
                let put = Callback::new(move |is_in: bool| form.update(|form| choose(set(form), id, is_in)));
                let value = Bound::from((is_in.into(), put));
                view! { <Checkbox id=format!("{prefix}-{at}") label=name value /> }
            };
            let count = all.len();
            let boxes = all.into_iter().enumerate().map(one).collect_view();
            let many = (count > MOST_FLAG_NAMES).then(|| format!("at most {MOST_FLAG_NAMES}"));
            view! {
                <fieldset class="field">
                    <legend class="label">{legend}{many.map(|many| view! { <span class="aside">{many}</span> })}</legend>
                    <div class="row wrap">{boxes}</div>
                </fieldset>
            }
        })
    }
}
