//! Who may read and change a namespace: the fields of it in the dialog that governs one, for who administers memory.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::memory::{allow_namespace, list_memory_access};
use crate::api::users::list_users;
use crate::model::auth::{Role, User};
use crate::model::memory::{Access, AccessRule, Allowed, is_within};
use crate::model::{ApiError, PageRequest, UserId};
use crate::ui::components::{Bound, Choice, Select, Skeleton, SkeletonShape};

/// The choice that no rule of its own stands for.
const NO_RULE: &str = "none";
/// The least role of what nobody may by role but owners.
const OWNERS: Role = Role::Owner;
/// What a person may by name.
const BY_NAME: [(&str, &str); 3] = [("", "By role alone"), ("read", "May read"), ("write", "May read and change")];

/// The fields, as they are chosen.
#[derive(Clone, Copy)]
pub(super) struct Granting {
    /// The least role that reads, or [`NO_RULE`].
    read: RwSignal<String>,
    /// The least role that changes.
    write: RwSignal<String>,
    /// What people may by name, a word of [`BY_NAME`].
    named: RwSignal<BTreeMap<UserId, String>>,
    /// The people of the workspace; `None` until they are known.
    people: RwSignal<Option<Result<Vec<User>, ApiError>>>,
    /// The namespace's own rule when the dialog was opened.
    own: RwSignal<Option<Access>>,
    /// The path of the rule that holds for it where it has none of its own.
    above: RwSignal<Option<String>>,
}

impl Granting {
    pub(super) fn new() -> Self {
        Self {
            read: RwSignal::new(NO_RULE.to_owned()),
            write: RwSignal::new(OWNERS.as_str().to_owned()),
            named: RwSignal::default(),
            people: RwSignal::new(None),
            own: RwSignal::new(None),
            above: RwSignal::new(None),
        }
    }

    /// Reads the rule of a namespace and who is here.
    pub(super) fn begin(self, path: String) {
        self.people.set(None);
        self.take(None, None);
        spawn_local(async move {
            let known = load().await;
            // It may come after the page is gone.
            let _ = self.people.try_set(Some(known.map(|(rules, people)| {
                let over = rules.iter().filter(|rule| is_within(&path, &rule.path)).max_by_key(|rule| rule.path.len());
                let own = over.filter(|rule| rule.path == path).map(access_of);
                self.take(own, over.filter(|rule| rule.path != path).map(|rule| rule.path.clone()));
                people
            })));
        });
    }

    fn take(self, own: Option<Access>, above: Option<String>) {
        let word = |allowed: &Allowed| allowed.role.unwrap_or(OWNERS).as_str().to_owned();
        let mut named = BTreeMap::new();
        if let Some(own) = &own {
            named.extend(own.read.users.iter().map(|user| (*user, "read".to_owned())));
            named.extend(own.write.users.iter().map(|user| (*user, "write".to_owned())));
        }
        let (read, write) = match &own {
            Some(own) => (word(&own.read), word(&own.write)),
            None => (NO_RULE.to_owned(), Role::Operator.as_str().to_owned()),
        };
        // Whoever waited for the answer may be gone.
        let _ = (self.read.try_set(read), self.write.try_set(write), self.named.try_set(named));
        let _ = (self.own.try_set(own), self.above.try_set(above));
    }

    /// What is chosen.
    fn chosen(self) -> Option<Access> {
        let read = self.read.with_untracked(|word| Role::parse(word))?;
        let write = self.write.with_untracked(|word| Role::parse(word)).unwrap_or(OWNERS);
        let users = |words: &[&str]| {
            self.named.with_untracked(|named| {
                let these = named.iter().filter(|(_, word)| words.contains(&word.as_str()));
                these.map(|(user, _)| *user).collect::<Vec<_>>()
            })
        };
        let least = |role: Role| Some(role).filter(|role| *role != OWNERS);
        Some(Access {
            read: Allowed { role: least(read), users: users(&["read", "write"]) },
            write: Allowed { role: least(write), users: users(&["write"]) },
        })
    }

    /// Saves the rule if it was changed.
    pub(super) async fn save(self, namespace: String) -> Result<(), ApiError> {
        let is_known = self.people.with_untracked(|people| matches!(people, Some(Ok(_))));
        let wanted = self.chosen().map(Access::tidied);
        if !is_known || wanted == self.own.get_untracked().map(Access::tidied) {
            return Ok(());
        }
        allow_namespace(namespace, wanted).await
    }
}

fn access_of(rule: &AccessRule) -> Access {
    Access { read: rule.read.clone(), write: rule.write.clone() }
}

/// The rules, and the first 200 people.
async fn load() -> Result<(Vec<AccessRule>, Vec<User>), ApiError> {
    let rules = list_memory_access().await?;
    let people = list_users(PageRequest { limit: PageRequest::MAX, cursor: None }).await?;
    Ok((rules, people.items))
}

/// A least role, in words.
fn from(role: Role) -> Choice {
    let label = match role {
        Role::Owner => "Owners alone",
        Role::Admin => "Admins and owners",
        Role::Builder => "Builders and above",
        Role::Operator => "Operators and above",
        Role::Viewer => "Everybody here",
    };
    Choice::new(role.as_str(), label)
}

/// The fields.
#[component]
pub(super) fn GrantingFields(granting: Granting) -> impl IntoView {
    move || {
        granting.people.with(|people| match people {
            None => view! { <Skeleton shape=SkeletonShape::Lines(2) what="who may read it" /> }.into_any(),
            Some(Err(error)) => view! { <p class="small" role="status">{error.detail().to_owned()}</p> }.into_any(),
            Some(Ok(people)) => view! { <Chosen granting people=people.clone() /> }.into_any(),
        })
    }
}

#[component]
fn Chosen(granting: Granting, people: Vec<User>) -> impl IntoView {
    let readers = Signal::derive(move || {
        let none = match granting.above.get() {
            Some(path) => format!("As for all of {path}"),
            None => "Whose role allows it".to_owned(),
        };
        std::iter::once(Choice::new(NO_RULE, none)).chain(Role::ALL.into_iter().rev().map(from)).collect::<Vec<_>>()
    });
    let writers = [Role::Operator, Role::Builder, Role::Admin, Role::Owner].map(from).to_vec();
    let has_rule = Memo::new(move |_| granting.read.with(|word| word != NO_RULE));
    // Owners may anyway.
    let people: Vec<User> = people.into_iter().filter(|user| !user.disabled && user.role != Role::Owner).collect();
    let (writers, people) = (StoredValue::new(writers), StoredValue::new(people));
    view! {
        <Select
            id="namespace-readers" label="Who may read" choices=readers value=Bound::from(granting.read)
            hint=Some("For all others there is nothing here: no list, search, map, step or agent shows it to them.".to_owned())
        />
        {move || {
            has_rule.get().then(|| {
                view! {
                    <Select
                        id="namespace-writers" label="Who of these may change" choices=Signal::stored(writers.get_value())
                        value=Bound::from(granting.write)
                    />
                    <details>
                        <summary class="small">"People by name"</summary>
                        <div class="form">
                            {people.get_value().into_iter().map(|user| view! { <ByName granting user /> }).collect_view()}
                        </div>
                    </details>
                }
            })
        }}
    }
}

/// What one person may besides.
#[component]
fn ByName(granting: Granting, user: User) -> impl IntoView {
    let User { id, name, role, .. } = user;
    let shown = Signal::derive(move || granting.named.with(|named| named.get(&id).cloned().unwrap_or_default()));
    let choose = Callback::new(move |word: String| {
        granting.named.update(|named| {
            named.insert(id, word);
        });
    });
    let choices: Vec<Choice> = BY_NAME.map(|(word, label)| Choice::new(word, label)).to_vec();
    let label = format!("{name} ({})", role.label());
    view! { <Select id=format!("namespace-user-{id}") label choices=Signal::stored(choices) value=(shown, choose) /> }
}
