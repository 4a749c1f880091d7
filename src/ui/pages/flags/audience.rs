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

/// Those that can be chosen, each with what it is called and its id, or why nobody knows.
type Known<T> = Result<Vec<(String, T)>, ApiError>;

/// Asked for once the dialog is open, and never while the server draws the page. `None` until it is known.
fn known<T, F>(open: RwSignal<bool>, ask: impl Fn() -> F + Copy + 'static) -> Signal<Option<Known<T>>>
where
    T: Clone + Send + Sync + 'static,
    F: Future<Output = Known<T>> + 'static,
{
    let asked = LocalResource::new(move || {
        let is_open = open.get();
        async move { if is_open { Some(ask().await) } else { None } }
    });
    Signal::derive(move || asked.get().flatten())
}

/// What stands for one that was chosen and is not among those that can be: gone only where all of them are known.
const fn missing<T>(known: &Known<T>) -> &'static str {
    match known {
        Ok(list) if list.len() < MOST_CHOICES as usize => "gone by now",
        Ok(_) => "not among the first 200",
        Err(_) => "chosen before",
    }
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
    let roles = Signal::stored(Some(Ok(Role::ALL.map(|role| (role.label().to_owned(), role)).to_vec())));
    let people = known(open, || async {
        let page = list_users(first()).await;
        page.map(|page| page.items.into_iter().map(|user| (user.name, user.id)).collect::<Vec<(String, UserId)>>())
    });
    let agents = known(open, || async {
        let list = list_board(Vec::new()).await;
        list.map(|list| list.into_iter().map(|one| (one.name, one.id)).collect::<Vec<(String, AgentId)>>())
    });
    let keys = known(open, || async {
        let page = list_keys(first()).await;
        page.map(|page| {
            page.items.into_iter().map(|one| (one.key.name, one.key.id)).collect::<Vec<(String, ApiKeyId)>>()
        })
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
        let word = missing(&known);
        let (known, error) = match known {
            Ok(known) => (known, None),
            Err(error) => (Vec::new(), Some(format!("The list can't be loaded: {}", error.detail()))),
        };
        let unlisted = form.with_untracked(|form| {
            let is_unlisted = |id: &&T| !known.iter().any(|(_, one)| one == *id);
            get(form).iter().filter(is_unlisted).map(|id| (word.to_owned(), *id)).collect::<Vec<_>>()
        });
        let all: Vec<(String, T)> = known.into_iter().chain(unlisted).collect();
        (!all.is_empty() || error.is_some()).then(|| {
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
                    {error.map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
                </fieldset>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_listed_is_gone_only_where_the_list_is_all_there_is() {
        let listed = |count: u32| Ok((0..count).map(|one| (one.to_string(), one)).collect());
        assert_eq!(missing::<u32>(&listed(3)), "gone by now");
        assert_eq!(missing::<u32>(&listed(MOST_CHOICES)), "not among the first 200");
        assert_eq!(
            missing::<u32>(&Err(ApiError::Forbidden { detail: String::new() })),
            "chosen before",
            "that the list failed says nothing of them"
        );
    }
}
