//! What the agents of a run write to each other: the team as a drawing and as a table, and the messages.

use leptos::prelude::*;

use super::team_graph::TeamGraph;
use super::watch::Watch;
use crate::api;
use crate::model::agent::{EVERYBODY, TeamMember, TeamMessage, TeamView, Topology};
use crate::model::auth::{Action, Me};
use crate::model::live::{ServerMessage, Topic};
use crate::model::workflow::{Definition, Step};
use crate::model::{ApiError, Page, PageRequest, RunId};
use crate::ui::components::{Badge, EmptyState, ErrorState, Icon, RelativeTime, Skeleton, SkeletonShape, Tone};
use crate::ui::state::live::follow;
use crate::ui::{browser, format};

/// Messages read at a time.
const PAGE: u32 = 100;
/// How long changes are gathered before something is read anew, in ms.
const GATHER_MS: i32 = 300;

/// Whether agents may work under a run of this definition: in a step of its own, or in one that it starts.
pub fn may_have_agents(definition: &Definition) -> bool {
    fn has(steps: &[Step]) -> bool {
        steps.iter().any(|step| {
            matches!(step.kind.as_str(), "agent" | "workflow")
                || step.body.as_ref().is_some_and(|body| has(&body.steps))
        })
    }
    has(&definition.steps)
}

async fn read(run: RunId, most: u32) -> Result<(TeamView, Page<TeamMessage>), ApiError> {
    let team = api::runs::get_team(run).await?;
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest { limit: PAGE, cursor: cursor.take() };
        let found = api::runs::list_messages(run, page).await?;
        items.extend(found.items);
        cursor = found.next;
        if cursor.is_none() || items.len() as u32 >= most {
            return Ok((team, Page { items, next: cursor }));
        }
    }
}

/// Counts, a moment later, that something about a team was told.
fn count_changes(changed: RwSignal<u32>) {
    let timer = browser::GuardSlot::new();
    let is_due = StoredValue::new(false);
    let hear = move |message: ServerMessage| {
        let is_news = match message {
            ServerMessage::Update(update) => update.kind != "agents_changed",
            ServerMessage::Snapshot { .. } => true,
            _ => false,
        };
        if !is_news || is_due.try_get_value() != Some(false) {
            return;
        }
        is_due.set_value(true);
        timer.keep(Some(browser::after_ms(GATHER_MS, move || {
            is_due.try_set_value(false);
            changed.try_update(|n| *n += 1);
        })));
    };
    let topic = use_context::<Me>().is_some_and(|me| me.may(Action::ReadAgent)).then_some(Topic::Agents);
    follow(Signal::stored(topic), || 0, hear);
}

/// The messages of a run's agents, and who they are.
#[component]
pub fn MessagesView(watch: Watch) -> impl IntoView {
    let run = watch.id;
    let most = RwSignal::new(PAGE);
    let changed = RwSignal::new(0_u32);
    count_changes(changed);
    let found = LocalResource::new(move || {
        changed.track();
        read(run, most.get())
    });
    let shown = move || {
        match found.get() {
        None => view! { <Skeleton shape=SkeletonShape::Block(12) what="the messages" /> }.into_any(),
        Some(Err(error)) => {
            let again = Callback::new(move |()| found.refetch());
            view! { <ErrorState error what="the messages" on_retry=again /> }.into_any()
        }
        Some(Ok((team, _))) if team.members.is_empty() => view! {
            <EmptyState title="No agent of this run takes part">
                "Agents that have the tool Send messages or Read messages, or are shown what others write, stand here once they begin."
            </EmptyState>
        }
        .into_any(),
        Some(Ok((team, page))) => {
            let more = page.next.is_some().then(|| {
                view! { <button class="json-more" type="button" on:click=move |_| most.update(|most| *most += PAGE)>"Show older"</button> }
            });
            view! { <TeamPart team /> <Letters messages=page.items /> {more} }.into_any()
        }
    }
    };
    view! { <div class="team">{shown}</div> }
}

/// Who may write to whom, in a sentence.
fn rule_words(team: &TeamView) -> String {
    let rule = match team.team.topology {
        Topology::Mesh => "All may write to all.",
        Topology::Hierarchy => "Each may write to who asked it to work, and to those whom it asked.",
        Topology::Ring => "Each may write to its two neighbours.",
        Topology::Star => "The supervisor may write to all, and all to the supervisor.",
        Topology::List => "Those may write to whom the list says.",
    };
    let lead = match team.team.supervisor.as_str() {
        "" => String::new(),
        name => format!(" {name} supervises."),
    };
    let adaptive = if team.team.adaptive { " The supervisor may change that." } else { "" };
    format!("{rule}{lead}{adaptive}")
}

#[component]
fn TeamPart(team: TeamView) -> impl IntoView {
    let words = rule_words(&team);
    let topology = team.team.topology.label();
    let rows = team.members.iter().map(|member| row(&team, member)).collect_view();
    let drawing = team.clone();
    view! {
        <section class="team-part" aria-labelledby="team-title">
            <div class="row wrap">
                <h2 id="team-title">{topology}</h2>
                <span class="dim small">{words}</span>
            </div>
            <div class="team-both">
                <div class="team-drawing"><TeamGraph team=drawing /></div>
                <div class="table-wrap" role="region" tabindex="0" aria-label="Agents of the team">
                    <table class="table">
                        <thead>
                            <tr>
                                <th scope="col">"Agent"</th>
                                <th scope="col">"Wrote to"</th>
                                <th scope="col">"May write to"</th>
                                <th scope="col" class="num">"Unread"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </div>
        </section>
    }
}

fn row(team: &TeamView, member: &TeamMember) -> impl IntoView + use<> {
    let wrote: Vec<String> = team
        .edges
        .iter()
        .filter(|edge| edge.from == member.handle)
        .map(|edge| format!("{} {}", edge.to, format::count(edge.count)))
        .collect();
    let or_nobody = |names: &[String]| if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    let (wrote, reaches) = (or_nobody(&wrote), or_nobody(&member.reaches));
    let handle = member.handle.clone();
    let who = match member.run_id {
        Some(run) => view! { <a class="link" href=format!("/runs/{run}")>{handle}</a> }.into_any(),
        None => view! { {handle} " " <Badge label="not begun" /> }.into_any(),
    };
    view! {
        <tr>
            <td>{who}</td>
            <td class="names">{wrote}</td>
            <td class="names">{reaches}</td>
            <td class="num">{format::count(member.waiting)}</td>
        </tr>
    }
}

#[component]
fn Letters(messages: Vec<TeamMessage>) -> impl IntoView {
    if messages.is_empty() {
        return view! { <p class="pane-note">"Nobody has written yet."</p> }.into_any();
    }
    let letters = messages.into_iter().map(|message| view! { <Letter message /> }).collect_view();
    view! { <ol class="letters" aria-label="Messages, the newest first">{letters}</ol> }.into_any()
}

/// To whom, and who of them has not read it.
fn receivers(message: &TeamMessage) -> (String, String) {
    let names = |unread: bool| -> Vec<&str> {
        let those = message.receivers.iter().filter(|receipt| !unread || receipt.taken_at.is_none());
        those.map(|receipt| receipt.handle.as_str()).collect()
    };
    let all = if message.to == EVERYBODY { format!("all: {}", names(false).join(", ")) } else { message.to.clone() };
    let unread = names(true);
    let state = match unread.len() {
        0 => "read".to_owned(),
        _ if unread.len() == message.receivers.len() => "not read yet".to_owned(),
        _ => format!("not read yet by {}", unread.join(", ")),
    };
    (all, state)
}

#[component]
fn Letter(message: TeamMessage) -> impl IntoView {
    let (to, state) = receivers(&message);
    let TeamMessage { number, kind, from, body, data, is_refused, sent_at, run_id, .. } = message;
    let said = if is_refused {
        view! {
            <p class="notice" data-tone="bad">
                <Icon name="s-failed" />
                <span class="grow">"Somebody altered this message: its signature does not fit what is stored. No agent is shown it."</span>
            </p>
        }
        .into_any()
    } else {
        let data = (!data.is_null()).then(|| {
            view! { <pre tabindex="0">{serde_json::to_string_pretty(&data).unwrap_or_default()}</pre> }
        });
        view! { <p class="letter-body">{body}</p> {data} }.into_any()
    };
    let tone = if is_refused { Tone::Bad } else { Tone::Plain };
    view! {
        <li class="letter">
            <p class="who">
                <span class="num dim">{number}</span>
                <Badge label=kind.as_str() tone=Signal::stored(tone) />
                <strong><a class="link" href=format!("/runs/{run_id}")>{from}</a>" to "{to}</strong>
                <span class="dim small">{state}", "<RelativeTime at=sent_at /></span>
            </p>
            {said}
        </li>
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::Timestamp;
    use crate::model::agent::{MessageKind, Receipt};
    use crate::model::workflow::Body;

    #[test]
    fn agents_may_work_in_steps_inside_of_containers_and_in_workflows_that_are_started() {
        let definition = |step: Step| Definition { steps: vec![step], ..Definition::empty("w") };
        assert!(!may_have_agents(&definition(Step::new("a", "http"))));
        assert!(may_have_agents(&definition(Step::new("a", "agent"))));
        assert!(may_have_agents(&definition(Step::new("a", "workflow"))));
        let body = Body { steps: vec![Step::new("b", "agent")], ..Body::default() };
        assert!(may_have_agents(&definition(Step { body: Some(body), ..Step::new("a", "map") })));
    }

    #[test]
    fn a_message_says_who_has_not_read_it() {
        let receipt =
            |handle: &str, taken: bool| Receipt { handle: handle.into(), taken_at: taken.then_some(Timestamp(1)) };
        let message = |to: &str, receivers: Vec<Receipt>| TeamMessage {
            number: 1,
            kind: MessageKind::Note,
            from: "lead".into(),
            to: to.into(),
            receivers,
            body: "x".into(),
            data: Value::Null,
            is_refused: false,
            run_id: RunId(uuid::Uuid::nil()),
            step: "work".into(),
            sent_at: Timestamp(0),
        };
        let told = |to: &str, receivers: Vec<Receipt>| super::receivers(&message(to, receivers));
        assert_eq!(told("a", vec![receipt("a", true)]), ("a".into(), "read".into()));
        assert_eq!(told("a", vec![receipt("a", false)]), ("a".into(), "not read yet".into()));
        assert_eq!(
            told("*", vec![receipt("a", true), receipt("b", false)]),
            ("all: a, b".into(), "not read yet by b".into())
        );
    }
}
