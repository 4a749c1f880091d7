//! The hooks of an agent on its form: in the order in which they are asked, and tried without doing anything.

mod form;
mod row;
mod trial;

use leptos::prelude::*;

pub(super) use form::HookForm;
use row::HookRow;
use trial::HookTrialBox;

use super::editor::Editor;
use super::words::verdict;
use crate::model::agent::hook::MAX_HOOKS;
use crate::model::agent::{Hook, HookAct, HookPoint, Ruling};
use crate::ui::browser;
use crate::ui::components::{Button, ButtonSize, Card, Icon};

#[component]
pub(super) fn HookFields(editor: Editor) -> impl IntoView {
    let form = editor.form;
    let full = Signal::derive(move || {
        form.with(|form| (form.hooks.len() >= MAX_HOOKS).then(|| format!("An agent has at most {MAX_HOOKS} hooks")))
    });
    let add = move |()| {
        let key = form.try_update(super::form::Form::add_hook).unwrap_or_default();
        browser::after_ms_detached(0, move || browser::focus_id(&format!("hook-name-{key}")));
    };
    let keys = move || form.with(|form| form.hooks.iter().map(|line| line.key).collect::<Vec<_>>());
    let list_error = editor.error("/spec/hooks");
    view! {
        <Card id="agent-hooks-title" title="Hooks around its tools and its words">
            <div class="form wide" id="agent-hooks" tabindex="-1">
                <p class="hint">
                    "Each call of a tool goes through these in their order, before it is done and after; so do its answer, and what others of \
                     its team write to it. The first that denies, asks or ends decides. Hooks only hold back: the rules above, hosts, namespaces and people's consent stay as they are. "
                    <kbd>"Alt ↑"</kbd>" and "<kbd>"Alt ↓"</kbd>" move a hook."
                </p>
                <ol class="agent-hooks">
                    <For each=keys key=|key| *key let:key><HookRow editor key /></For>
                </ol>
                {move || list_error.get().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
                <div><Button label="Add a hook" icon="plus" size=ButtonSize::Small refused=full on_press=add /></div>
                <Show when=move || form.with(|form| !form.hooks.is_empty())><HookTrialBox form /></Show>
            </div>
        </Card>
    }
}

/// A hook as a sentence.
pub(super) fn sentence(hook: &Hook) -> String {
    use HookPoint as P;
    let tools = if hook.tools.is_empty() { "any tool".to_owned() } else { hook.tools.join(", ") };
    let when = match hook.when {
        P::Before => format!("before {tools}"),
        P::After => format!("after {tools}"),
        P::Answer => "once it answers".to_owned(),
        P::Heard => "once others write to it".to_owned(),
    };
    let condition = if hook.condition.is_empty() { String::new() } else { format!(", if {}", hook.condition) };
    let does = match (&hook.does, hook.when) {
        (HookAct::Allow {}, _) => "the hooks after it are not asked".to_owned(),
        (HookAct::Deny { .. }, P::Before) => verdict(Ruling::Deny).to_owned(),
        (HookAct::Deny { .. }, P::After) => "the result is held back".to_owned(),
        (HookAct::Deny { .. }, P::Answer) => "the answer is sent back".to_owned(),
        (HookAct::Deny { .. }, P::Heard) => "the message is held back".to_owned(),
        (HookAct::Ask { .. }, _) => verdict(Ruling::Ask).to_owned(),
        (HookAct::Log { message }, _) => format!("“{message}” is noted"),
        (HookAct::Edit { .. }, P::After) => "the result is edited".to_owned(),
        (HookAct::Edit { .. }, P::Answer) => "the answer is edited".to_owned(),
        (HookAct::Edit { .. }, P::Heard) => "the message is edited".to_owned(),
        (HookAct::Edit { set, .. }, P::Before) if set.is_empty() => "all arguments are edited".to_owned(),
        (HookAct::Edit { set, .. }, P::Before) => {
            format!("{} set", set.iter().map(|one| one.path.as_str()).collect::<Vec<_>>().join(", "))
        }
    };
    format!("{}: {when}{condition}: {does}.", hook.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_reads_as_a_sentence() {
        let hook = |when, tools: &[&str], condition: &str, does| Hook {
            name: "watch".into(),
            when,
            tools: tools.iter().map(|tool| (*tool).to_owned()).collect(),
            condition: condition.into(),
            does,
        };
        let deny = || HookAct::Deny { message: String::new() };
        assert_eq!(sentence(&hook(HookPoint::Before, &[], "", deny())), "watch: before any tool: it is not done.");
        assert_eq!(
            sentence(&hook(HookPoint::After, &["shell", "memory_*"], "tainted", deny())),
            "watch: after shell, memory_*, if tainted: the result is held back."
        );
        assert_eq!(
            sentence(&hook(HookPoint::Answer, &[], "'key' in text", deny())),
            "watch: once it answers, if 'key' in text: the answer is sent back."
        );
    }
}
