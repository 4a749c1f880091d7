//! The rules of an agent, in the order in which they are asked.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::editor::Editor;
use super::form::MOST_RULES;
use super::words::OTHERWISE;
use crate::model::ApiError;
use crate::model::agent::{AgentTool, Rule, Ruling};
use crate::ui::browser;
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant, Card, Icon};

const RULINGS: [(&str, Ruling); 3] = [("allow", Ruling::Allow), ("ask", Ruling::Ask), ("deny", Ruling::Deny)];

#[component]
pub(super) fn RuleFields(editor: Editor) -> impl IntoView {
    let form = editor.form;
    let full = Signal::derive(move || {
        form.with(|form| (form.rules.len() >= MOST_RULES).then(|| format!("An agent has at most {MOST_RULES} rules")))
    });
    let add = move |()| {
        let key = form.try_update(super::form::Form::add).unwrap_or_default();
        browser::after_ms_detached(0, move || browser::focus_id(&format!("rule-tool-{key}")));
    };
    let keys = move || form.with(|form| form.rules.iter().map(|line| line.key).collect::<Vec<_>>());
    let list_error = editor.error("/spec/rules");
    view! {
        <Card id="agent-rules-title" title="What it may do by itself">
            <fieldset class="field" id="agent-rules" tabindex="-1" aria-describedby="agent-rules-hint">
                <legend class="visually-hidden">"Rules"</legend>
                <span class="hint" id="agent-rules-hint">
                    "The first rule that fits a call decides. "{OTHERWISE}" "<kbd>"Alt ↑"</kbd>" and "<kbd>"Alt ↓"</kbd>" move a rule."
                </span>
                <ol class="agent-rules">
                    <For each=keys key=|key| *key let:key><RuleRow editor key /></For>
                </ol>
                {move || list_error.get().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
                <div><Button label="Add a rule" icon="plus" size=ButtonSize::Small refused=full on_press=add /></div>
            </fieldset>
        </Card>
    }
}

/// One rule: of which tool, with what in its arguments, only after strangers were read; and what comes of it.
#[component]
fn RuleRow(editor: Editor, key: u32) -> impl IntoView {
    let form = editor.form;
    let place = Memo::new(move |_| form.with(|form| form.place(key)).unwrap_or_default());
    let number = move || place.get() + 1;
    let shift = move |by: isize| {
        form.update(|form| form.shift(key, by));
        // The line was taken out and put in again, and has lost the focus.
        let (at, count) = form.with_untracked(|form| (form.place(key).unwrap_or_default(), form.rules.len()));
        let button = if (by < 0 && at > 0) || at + 1 == count { "up" } else { "down" };
        browser::after_ms_detached(0, move || browser::focus_id(&format!("rule-{button}-{key}")));
    };
    let keys = move |event: KeyboardEvent| {
        let by = match (event.alt_key(), event.key().as_str()) {
            (true, "ArrowUp") => -1,
            (true, "ArrowDown") => 1,
            _ => return,
        };
        event.prevent_default();
        shift(by);
    };
    let error = move || {
        let below = format!("/spec/rules/{}", place.get());
        let Some(ApiError::Invalid { fields, .. }) = editor.refused() else { return None };
        let is_here =
            |pointer: &str| pointer.strip_prefix(&below).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        fields.into_iter().find(|field| is_here(&field.pointer)).map(|field| field.message)
    };
    view! {
        <li on:keydown=keys>
            <RuleControls editor key place />
            <span class="row">
                <Shift key place editor label="up" on_press=Callback::new(move |()| shift(-1)) />
                <Shift key place editor label="down" on_press=Callback::new(move |()| shift(1)) />
                <Button
                    label=Signal::derive(move || format!("Remove rule {}", number())) icon="x" size=ButtonSize::Small
                    variant=ButtonVariant::Quiet shape=ButtonShape::IconOnly
                    on_press=move |()| form.update(|form| form.rules.retain(|line| line.key != key))
                />
            </span>
            {move || error().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
        </li>
    }
}

/// Moves a rule by one.
#[component]
fn Shift(key: u32, place: Memo<usize>, editor: Editor, label: &'static str, on_press: Callback<()>) -> impl IntoView {
    let refused = Signal::derive(move || {
        let (at, count) = (place.get(), editor.form.with(|form| form.rules.len()));
        match label {
            "up" if at == 0 => Some("It is the first".to_owned()),
            "down" if at + 1 >= count => Some("It is the last".to_owned()),
            _ => None,
        }
    });
    view! {
        <Button
            label=Signal::derive(move || format!("Move rule {} {label}", place.get() + 1)) icon=label size=ButtonSize::Small
            variant=ButtonVariant::Quiet shape=ButtonShape::IconOnly refused on_press=on_press attr:id=format!("rule-{label}-{key}")
        />
    }
}

#[component]
fn RuleControls(editor: Editor, key: u32, place: Memo<usize>) -> impl IntoView {
    let form = editor.form;
    let rule = Memo::new(move |before: Option<&Option<Rule>>| {
        let found = form.with(|form| form.rules.iter().find(|line| line.key == key).map(|line| line.rule.clone()));
        // Its row lives a moment longer than the rule.
        found.or_else(|| before.cloned().flatten())
    });
    let of = move |get: fn(&Rule) -> String| move || rule.with(|rule| rule.as_ref().map(get).unwrap_or_default());
    let tool = of(|rule| rule.tool.map_or("", AgentTool::as_str).to_owned());
    let ruling = of(|rule| RULINGS.iter().find(|(_, one)| *one == rule.ruling).map_or("", |(name, _)| name).to_owned());
    let matching = of(|rule| rule.matching.clone());
    let is_after = move || rule.with(|rule| rule.as_ref().is_some_and(|rule| rule.after_untrusted));
    let alter = move |alter: &dyn Fn(&mut Rule)| form.update(|form| form.alter(key, alter));
    let of_rule = move |what: &'static str| move || format!("{what} of rule {}", place.get() + 1);
    let first = rule.get_untracked();
    let tools = AgentTool::ALL.map(|one| {
        let is_chosen = first.as_ref().is_some_and(|rule| rule.tool == Some(one));
        view! { <option value=one.as_str() selected=is_chosen>{one.label()}</option> }
    });
    let rulings = RULINGS.map(|(name, one)| {
        let is_chosen = first.as_ref().is_some_and(|rule| rule.ruling == one);
        view! { <option value=name selected=is_chosen>{one.label()}</option> }
    });
    let after = format!("rule-after-{key}");
    view! {
        <select
            class="input" id=format!("rule-tool-{key}") aria-label=of_rule("Tool") prop:value=tool
            on:change=move |event| alter(&|rule| rule.tool = AgentTool::parse(&event_target_value(&event)))
        >
            <option value="">"Any tool"</option>
            {tools.into_iter().collect_view()}
        </select>
        <input
            class="input" data-mono="" spellcheck="false" autocomplete="off" placeholder="containing, such as rm *-rf" aria-label=of_rule("Text")
            prop:value=matching on:input=move |event| alter(&|rule| rule.matching = event_target_value(&event))
        />
        <label class="check small" for=after.clone()>
            <input
                type="checkbox" id=after.clone() aria-label=of_rule("Only after reading strangers") checked=is_after() prop:checked=is_after
                on:change=move |event| alter(&|rule| rule.after_untrusted = event_target_checked(&event))
            />
            "only after reading strangers"
        </label>
        <select
            class="input" aria-label=of_rule("Ruling") prop:value=ruling
            on:change=move |event| {
                let name = event_target_value(&event);
                alter(&|rule| rule.ruling = RULINGS.iter().find(|(one, _)| *one == name).map_or(rule.ruling, |(_, one)| *one));
            }
        >
            {rulings.into_iter().collect_view()}
        </select>
    }
}
