//! Who may write to whom among agents: a part of the forms of agents and of workflows.

use leptos::prelude::*;

use super::{Bound, Checkbox, Choice, Select, TextArea, TextInput};
use crate::model::agent::{TalkPair, Team, Topology};

/// What the controls hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TeamForm {
    /// A [`Topology`] as sent; empty: nothing is said.
    pub topology: String,
    /// An agent's name.
    pub supervisor: String,
    /// Names, one on a line.
    pub members: String,
    /// `from > to`, one on a line.
    pub pairs: String,
    /// Whether the supervisor may change it.
    pub adaptive: bool,
    /// To which; none: to any.
    pub may: Vec<Topology>,
}

impl TeamForm {
    /// Of a team that is described, if it is.
    pub fn of(team: Option<&Team>) -> Self {
        let Some(Team { topology, supervisor, members, pairs, adaptive, may }) = team else {
            return Self::default();
        };
        let pairs = pairs
            .iter()
            .map(|TalkPair { from, to }| if to.is_empty() { from.clone() } else { format!("{from} > {to}") });
        Self {
            topology: topology.as_str().to_owned(),
            supervisor: supervisor.clone(),
            members: members.join("\n"),
            pairs: pairs.collect::<Vec<_>>().join("\n"),
            adaptive: *adaptive,
            may: may.clone(),
        }
    }

    /// What is sent. A line that is no pair is sent as one that the server refuses by its place; what the chosen topology has no
    /// use for is left out.
    pub fn team(&self) -> Option<Team> {
        let topology = Topology::parse(&self.topology)?;
        let lines = |text: &str| -> Vec<String> {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        let pair = |line: String| {
            let (from, to) = line.split_once('>').unwrap_or((&line, ""));
            TalkPair { from: from.trim().to_owned(), to: to.trim().to_owned() }
        };
        let is_list = topology == Topology::List;
        Some(Team {
            topology,
            supervisor: self.supervisor.trim().to_owned(),
            members: lines(&self.members),
            pairs: if is_list { lines(&self.pairs).into_iter().map(pair).collect() } else { Vec::new() },
            adaptive: self.adaptive,
            may: if self.adaptive { self.may.clone() } else { Vec::new() },
        })
    }
}

/// Who may write to whom, in a sentence.
const fn hint(topology: Option<Topology>) -> &'static str {
    match topology {
        None => "Agents that may send messages may send them to every other agent that works under the same run.",
        Some(Topology::Hierarchy) => {
            "Each to who asked it to work, else to the supervisor, and to those whom it asked."
        }
        Some(Topology::Mesh) => "All to all.",
        Some(Topology::Ring) => "Each to its two neighbours, in the order of the members.",
        Some(Topology::Star) => "The supervisor to all, and all to the supervisor.",
        Some(Topology::List) => "Those that are listed, in the direction in which they are.",
    }
}

/// The controls. What belongs to a topology is there once one is chosen.
#[component]
pub fn TeamFields(
    /// What the ids of the controls begin with.
    prefix: &'static str,
    #[prop(into)] value: Bound<TeamForm>,
    /// What is wrong with the supervisor; `None` where the agent itself supervises.
    supervisor: Option<Signal<Option<String>>>,
    /// What is wrong with the members, and with the pairs.
    errors: [Signal<Option<String>>; 2],
) -> impl IntoView {
    let alter = move |by: &dyn Fn(&mut TeamForm)| {
        let mut form = value.get.get_untracked();
        by(&mut form);
        value.set.run(form);
    };
    let part = move |get: fn(&TeamForm) -> &String, set: fn(&mut TeamForm, String)| {
        let read = Memo::new(move |_| value.get.with(|form| get(form).clone()));
        Bound::from((read.into(), Callback::new(move |text: String| alter(&|form| set(form, text.clone())))))
    };
    let topology = Memo::new(move |_| value.get.with(|form| Topology::parse(&form.topology)));
    let adaptive = Memo::new(move |_| value.get.with(|form| form.adaptive));
    let set_adaptive = Callback::new(move |is_so: bool| alter(&|form| form.adaptive = is_so));
    let nothing = Choice::new("", "All to all, nothing is said");
    let choices: Vec<Choice> =
        std::iter::once(nothing).chain(Topology::ALL.map(|one| Choice::new(one.as_str(), one.label()))).collect();
    let may = move |one: Topology| {
        let is_on = Memo::new(move |_| value.get.with(|form| form.may.contains(&one)));
        let set = Callback::new(move |on: bool| {
            alter(&|form| {
                form.may.retain(|other| *other != one);
                if on {
                    form.may.push(one);
                }
            });
        });
        view! { <Checkbox id=format!("{prefix}-may-{}", one.as_str()) label=one.label() value=(is_on.into(), set) /> }
    };
    let [members, pairs] = errors;
    view! {
        <Select
            id=format!("{prefix}-topology") label="Who may write to whom" choices=Signal::stored(choices)
            value=part(|form| &form.topology, |form, value| form.topology = value)
            hint=Signal::derive(move || Some(hint(topology.get()).to_owned()))
        />
        <Show when=move || topology.get().is_some()>
            {supervisor.map(|error| view! {
                <TextInput
                    id=format!("{prefix}-supervisor") label="Supervisor" mono=true aside=Some("an agent's name".to_owned()) error
                    value=part(|form| &form.supervisor, |form, value| form.supervisor = value)
                />
            })}
            <TextArea
                id=format!("{prefix}-members") label="Members" rows=3 mono=true aside=Some("optional".to_owned()) error=members
                value=part(|form| &form.members, |form, value| form.members = value)
                hint=Some("Names of agents, one on a line: nobody else takes part. Empty: every agent that works under the run.".to_owned())
            />
        </Show>
        <Show when=move || topology.get() == Some(Topology::List)>
            <TextArea
                id=format!("{prefix}-pairs") label="Pairs" rows=3 mono=true error=pairs
                value=part(|form| &form.pairs, |form, value| form.pairs = value)
                hint=Some("One on a line: coder > reviewer.".to_owned())
            />
        </Show>
        <Show when=move || topology.get().is_some()>
            <Checkbox
                id=format!("{prefix}-adaptive") label="The supervisor may change it while it works"
                value=(adaptive.into(), set_adaptive)
            />
        </Show>
        <Show when=move || topology.get().is_some() && adaptive.get()>
            <fieldset class="field">
                <legend class="label">"To what"<span class="aside">"none chosen: to any"</span></legend>
                <div class="row wrap">{Topology::ALL.map(may).into_iter().collect_view()}</div>
            </fieldset>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_reads_back_as_it_was() {
        let team = Team {
            topology: Topology::List,
            supervisor: "lead".into(),
            members: vec!["lead".into(), "coder".into()],
            pairs: vec![TalkPair { from: "coder".into(), to: "lead".into() }],
            adaptive: true,
            may: vec![Topology::Star, Topology::Mesh],
        };
        assert_eq!(TeamForm::of(Some(&team)).team(), Some(team));
        assert_eq!(TeamForm::of(None).team(), None);
    }

    #[test]
    fn what_is_no_pair_is_left_to_the_server_to_refuse_and_what_has_no_use_is_left_out() {
        let form = TeamForm { topology: "list".into(), pairs: "coder to lead\na>b\n".into(), ..TeamForm::default() };
        let pairs = form.team().unwrap().pairs;
        assert_eq!((pairs[0].from.as_str(), pairs[0].to.as_str()), ("coder to lead", ""));
        assert_eq!((pairs[1].from.as_str(), pairs[1].to.as_str()), ("a", "b"));
        let mesh = TeamForm { topology: "mesh".into(), may: vec![Topology::Ring], ..form };
        assert_eq!(mesh.team(), Some(Team::default()));
    }
}
