//! The table of flags.

use leptos::prelude::*;

use super::dialog::Asked;
use crate::api::flags::{delete_flag, list_flags};
use crate::model::FlagId;
use crate::model::gateway::{Flag, FlagAudience, FlagState, StickyBy};
use crate::ui::components::{
    Badge, Button, ButtonSize, ButtonVariant, Column, ConfirmDialog, DataTable, EmptyState, Load, RelativeTime, Tone,
    use_toasts,
};
use crate::ui::format;

/// What the rows do together: ask again, ask before deleting.
#[derive(Clone, Copy)]
struct Table {
    asked: Asked,
    changed: RwSignal<u32>,
    deleting: RwSignal<Option<(FlagId, String)>>,
    is_asking: RwSignal<bool>,
    may_manage: bool,
}

#[component]
pub(super) fn List(asked: Asked, changed: RwSignal<u32>, may_manage: bool) -> impl IntoView {
    let table = Table { asked, changed, deleting: RwSignal::new(None), is_asking: RwSignal::new(false), may_manage };
    let flags = Resource::new(move || changed.get(), |_| list_flags());
    let columns = || {
        vec![
            Column::text("Flag"),
            Column::text("Takes"),
            Column::text("Routes"),
            Column::text("Changed"),
            Column::text(""),
        ]
    };
    view! {
        <Load resource=flags what="the flags" let:list>
            {if list.is_empty() {
                view! { <Nothing table /> }.into_any()
            } else {
                view! {
                    <DataTable label="Flags" columns=columns()>
                        {list.into_iter().map(|state| view! { <Row state table /> }).collect_view()}
                    </DataTable>
                }.into_any()
            }}
        </Load>
        {may_manage.then(|| view! { <DeleteDialog table /> })}
    }
}

#[component]
fn Nothing(table: Table) -> impl IntoView {
    let actions = move || {
        table.may_manage.then(|| view! {
            <Button label="Add a flag" icon="plus" variant=ButtonVariant::Primary on_press=move |()| table.asked.add() />
        })
    };
    view! {
        <EmptyState title="No flags" actions=ViewFnOnce::from(actions)>
            "A model of a route can stand behind a flag: a share of those who ask gets it, and always the same ones. Begin with few, look at the calls, and let it grow."
        </EmptyState>
    }
}

#[component]
fn Row(state: FlagState, table: Table) -> impl IntoView {
    let FlagState { flag, routes } = state;
    let (label, tone) = state_of(&flag);
    let (name, description) = (flag.name.clone(), flag.description.clone());
    let whom = whom(&flag.audience);
    let sticky = match flag.sticky_by {
        StickyBy::Session => "by session",
        StickyBy::User => "by person",
    };
    let updated = flag.updated_at;
    let named = if routes.is_empty() {
        view! { <span class="dim">"None yet"</span> }.into_any()
    } else {
        let links =
            routes.iter().map(|name| view! { <li><a class="link mono" href="/gateway/routes">{name.clone()}</a></li> });
        view! { <ul role="list">{links.collect_view()}</ul> }.into_any()
    };
    view! {
        <tr>
            <td class="route-name">
                <strong class="mono">{name}</strong>
                {(!description.is_empty()).then(|| view! { <div class="small dim wrapped">{description}</div> })}
            </td>
            <td data-wrap="">
                <Badge label tone />
                <div class="small dim">{format!("{whom}; {sticky}")}</div>
            </td>
            <td data-wrap="">{named}</td>
            <td class="small"><RelativeTime at=updated /></td>
            <td class="row-actions">{table.may_manage.then(|| view! { <Acts flag is_named={!routes.is_empty()} table /> })}</td>
        </tr>
    }
}

/// In a few words, and their tone.
fn state_of(flag: &Flag) -> (String, Tone) {
    match (flag.enabled, flag.percent) {
        (false, _) => ("off".to_owned(), Tone::Plain),
        (true, 0) => ("nobody yet".to_owned(), Tone::Plain),
        (true, 100) => ("everybody, 100 %".to_owned(), Tone::Good),
        (true, percent) => (format!("{percent} %"), Tone::Accent),
    }
}

/// For whom it is.
fn whom(audience: &FlagAudience) -> String {
    if audience.is_everybody() {
        return "of all who ask".to_owned();
    }
    let roles = audience.roles.iter().map(|role| format!("role {}", role.label().to_lowercase()));
    let people = match audience.users.len() {
        0 => None,
        1 => Some("1 person".to_owned()),
        many => Some(format!("{many} people")),
    };
    let counted = [(audience.agents.len(), "agent"), (audience.keys.len(), "key")];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let counted = counted.map(|(count, noun)| format::plural(i64::try_from(count).unwrap_or(i64::MAX), noun));
    format!("of {}", roles.chain(people).chain(counted).collect::<Vec<_>>().join(", "))
}

#[component]
fn Acts(flag: Flag, is_named: bool, table: Table) -> impl IntoView {
    let (id, name) = (flag.id, flag.name.clone());
    let delete = move |()| {
        table.deleting.set(Some((id, name.clone())));
        table.is_asking.set(true);
    };
    let refused = Signal::stored(is_named.then(|| "A route has a model behind it".to_owned()));
    view! {
        <div class="row">
            <Button label="Edit" size=ButtonSize::Small on_press=move |()| table.asked.edit(&flag) />
            <Button label="Delete" size=ButtonSize::Small variant=ButtonVariant::Quiet refused on_press=delete />
        </div>
    }
}

#[component]
fn DeleteDialog(table: Table) -> impl IntoView {
    let toasts = use_toasts();
    let name = move || table.deleting.with(|one| one.as_ref().map(|(_, name)| name.clone()).unwrap_or_default());
    let delete = Action::new(|id: &FlagId| delete_flag(*id));
    Effect::new(move |_| {
        let Some(answer) = delete.value().get() else { return };
        table.is_asking.set(false);
        match answer {
            Ok(()) => {
                toasts.say(Tone::Good, "The flag is deleted");
                table.changed.update(|n| *n += 1);
            }
            Err(error) => toasts.say(Tone::Bad, error.detail()),
        }
    });
    let confirm = move |()| {
        if let Some(id) = table.deleting.with_untracked(|one| one.as_ref().map(|(id, _)| *id)) {
            delete.dispatch(id);
        }
    };
    view! {
        <ConfirmDialog
            id="delete-flag"
            title=Signal::derive(move || format!("Delete the flag {}?", name()))
            open=table.is_asking
            action="Delete"
            busy=delete.pending()
            on_confirm=confirm
        >
            <p>"Another flag of that name divides those who ask anew. What was changed of this one stays in the list of changes."</p>
        </ConfirmDialog>
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::auth::Role;
    use crate::model::{AgentId, UserId};

    #[test]
    fn for_whom_a_flag_is_is_said() {
        assert_eq!(whom(&FlagAudience::default()), "of all who ask");
        let audience = FlagAudience {
            roles: vec![Role::Builder],
            users: vec![UserId(Uuid::nil())],
            agents: vec![AgentId(Uuid::nil()), AgentId(Uuid::max())],
            keys: Vec::new(),
        };
        assert_eq!(whom(&audience), "of role builder, 1 person, 2 agents");
    }
}
