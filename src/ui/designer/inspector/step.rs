//! A step: its head, its tabs, and the form of its kind.

use leptos::prelude::*;

use super::Close;
use super::field::FieldEditor;
use super::inside::StepsInside;
use super::settings::{Behaviour, Identity, Part};
use crate::model::workflow::Step;
use crate::model::workflow::kind::{Field, Kind};
use crate::ui::components::{Icon, Menu, MenuItem, NeedsProvider, Tab, TabPanel, Tabs, Tone};
use crate::ui::designer::costs::StepCosts;
use crate::ui::designer::editor::use_editor;
use crate::ui::designer::pin::PinBar;
use crate::ui::designer::run::use_runner;
use crate::ui::designer::run_log::{LogTab, StreamTail};
use crate::ui::designer::run_tabs::{InputTab, OutputTab, RunNotice};
use crate::ui::designer::{action, keys};

const TABS: &str = "step-tabs";

/// A step.
#[component]
pub fn StepPanel(id: String) -> impl IntoView {
    let editor = use_editor();
    editor.step(&id).map(|step| view! { <Panel id step /> })
}

#[component]
fn Panel(id: String, step: RwSignal<Step>) -> impl IntoView {
    let editor = use_editor();
    let tab = editor.tab;
    let kind = step.with_untracked(|step| Kind::find(&step.kind));
    let icon = kind.map_or("help", |kind| kind.icon);
    let name = Memo::new(move |_| step.read().label().to_owned());
    let tabs = vec![
        Tab::new("setup", "Set up"),
        Tab::new("input", "Input"),
        Tab::new("output", "Output"),
        Tab::new("log", "Log"),
    ];
    let id = StoredValue::new(id);
    view! {
        <div class="pane-head">
            <Icon name=icon />
            <h2>{move || name.get()}</h2>
            <code class="small dimmer">{id.get_value()}</code>
            <div class="actions">
                {editor.may_edit.then(|| view! { <StepMenu step /> })}
                <Close />
            </div>
        </div>
        <Tabs id=TABS label="Step" tabs=tabs chosen=tab on_choose=move |name| tab.set(name) />
        <RunNotice id=id.get_value() />
        <StreamTail id=id.get_value() />
        <TabPanel id=TABS name="setup" chosen=tab>
            <div class="pane-body">
                <SetUp id=id.get_value() step kind />
            </div>
        </TabPanel>
        <TabPanel id=TABS name="input" chosen=tab>
            <InputTab id=id.get_value() />
        </TabPanel>
        <TabPanel id=TABS name="output" chosen=tab>
            <PinBar id=id.get_value() step />
            <OutputTab id=id.get_value() />
        </TabPanel>
        <TabPanel id=TABS name="log" chosen=tab>
            <LogTab id=id.get_value() />
        </TabPanel>
    }
}

#[component]
fn StepMenu(step: RwSignal<Step>) -> impl IntoView {
    let editor = use_editor();
    let toggle = Signal::derive(move || if step.read().disabled { "Enable".to_owned() } else { "Disable".to_owned() });
    let runner = use_runner();
    let up_to = move |()| runner.ask_up_to(Some(step.with_untracked(|step| step.id.clone())));
    // What is inside of a container runs with all of it.
    let is_inside = Signal::derive(move || {
        let around = editor.trail.with(|trail| trail.get(1).map(|around| around.label.clone()));
        around.map(|around| format!("A run goes up to a step that is in no container, such as {around}"))
    });
    let is_group = step.with_untracked(|step| step.kind == "group");
    view! {
        <Menu id="step-menu" label="More actions for this step">
            <MenuItem label="Add a step after it" icon="plus" keys="A" on_press=move |()| keys::add(editor) />
            <MenuItem label="Connect to…" icon="link" keys="C" on_press=move |()| keys::connect(editor) />
            <MenuItem label="Duplicate" icon="duplicate" keys="Ctrl+D" on_press=move |()| editor.act(action::duplicate) />
            <MenuItem label="Run up to here" icon="play" refused=is_inside on_press=up_to />
            <hr />
            <MenuItem label="Put into a group" icon="group" keys="Ctrl+G" on_press=move |()| keys::wrap(editor, "group") />
            <MenuItem label="Put into a For each" icon="map" on_press=move |()| keys::wrap(editor, "map") />
            <MenuItem label="Put into a Repeat" icon="repeat" on_press=move |()| keys::wrap(editor, "repeat") />
            {is_group.then(|| {
                view! {
                    <MenuItem label="Take the group apart" icon="ungroup" keys="Ctrl+Shift+G" on_press=move |()| keys::dissolve(editor) />
                }
            })}
            <hr />
            <MenuItem label=toggle icon="ban" keys="D" on_press=move |()| editor.act(action::toggle_disabled) />
            <hr />
            <MenuItem label="Delete" icon="trash" keys="Del" tone=Tone::Bad on_press=move |()| keys::delete(editor) />
        </Menu>
    }
}

#[component]
fn SetUp(id: String, step: RwSignal<Step>, kind: Option<&'static Kind>) -> impl IntoView {
    let unknown = kind.is_none().then(|| {
        let name = step.with_untracked(|step| step.kind.clone());
        view! {
            <div class="notice" data-tone="bad">
                <Icon name="s-failed" />
                <span class="grow">{format!("This Weft can't run the kind “{name}”.")}</span>
            </div>
        }
    });
    let all = kind.map_or(&[][..], |kind| kind.fields);
    // What is set is seen, whatever it is.
    let is_asked_for = |field: &Field| field.rare && !step.with_untracked(|step| step.config.contains_key(field.name));
    let (more, first): (Vec<&'static Field>, Vec<_>) = all.iter().partition(|field| is_asked_for(field));
    let owner = id.clone();
    let editors = move |fields: Vec<&'static Field>| {
        fields.into_iter().map(|field| view! { <FieldEditor id=owner.clone() step field /> }).collect_view()
    };
    let fields = editors(first);
    let rest = (!more.is_empty()).then(|| {
        let labels = more.iter().map(|field| field.label).collect::<Vec<_>>().join(", ");
        view! { <div class="disclosures"><Part title="More" aside=Signal::stored(labels)>{editors(more.clone())}</Part></div> }
    });
    let inside = kind.is_some_and(Kind::has_body).then(|| view! { <StepsInside step /> });
    view! {
        {unknown}
        {kind.map(|kind| view! { <p class="dim small">{kind.summary}</p> })}
        {kind.is_some_and(Kind::calls_models).then(|| view! { <NeedsProvider why="This step has no model to ask, and would fail." /> })}
        <StepCosts id=id.clone() step kind />
        <fieldset class="plain-fields" disabled=!use_editor().may_edit>
            {fields}
            {rest}
            {inside}
            <Identity id=id.clone() step />
            <Behaviour id=id.clone() step kind />
        </fieldset>
    }
}
