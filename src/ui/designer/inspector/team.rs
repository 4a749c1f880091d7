//! Who may write to whom among the agents that work under the runs of the workflow.

use leptos::prelude::*;

use super::limits::problem_at;
use super::settings::Part;
use super::workflow::alter;
use crate::ui::components::{TeamFields, TeamForm};
use crate::ui::designer::editor::use_editor;
use crate::ui::designer::problems::use_problems;

/// What the checker has against a list of the team, or something in it.
fn problem_below(field: &'static str) -> Signal<Option<String>> {
    let all = use_problems().all();
    Signal::derive(move || {
        let all = all.read();
        let found = all.iter().find(|problem| problem.step.is_none() && problem.field.starts_with(field))?;
        Some(found.message.clone())
    })
}

/// The team.
#[component]
pub fn TeamPart() -> impl IntoView {
    let editor = use_editor();
    let team = Memo::new(move |_| editor.details.read().team.clone());
    // What is typed stays as it is typed for as long as it means what the document says.
    let typed = RwSignal::new(TeamForm::of(team.get_untracked().as_ref()));
    let shown = Signal::derive(move || {
        let team = team.get();
        let typed = typed.get();
        if typed.team() == team { typed } else { TeamForm::of(team.as_ref()) }
    });
    let set = Callback::new(move |form: TeamForm| {
        let team = form.team();
        typed.set(form);
        alter(editor, "who may write to whom", |details| details.team = team);
    });
    let aside = Signal::derive(move || {
        team.with(|team| team.as_ref().map_or("All to all", |team| team.topology.label()).to_owned())
    });
    view! {
        <h3 class="label">"Agents"</h3>
        <div class="disclosures">
            <Part title="Messages between agents" aside>
                <TeamFields
                    prefix="team" value=(shown, set) supervisor=Some(problem_at("/team/supervisor").into())
                    errors=[problem_below("/team/members"), problem_below("/team/pairs")]
                />
            </Part>
        </div>
    }
}
