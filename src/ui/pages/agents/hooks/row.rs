//! One hook on the form.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::super::editor::Editor;
use super::form::{Act, HookForm};
use crate::model::ApiError;
use crate::model::agent::HookPoint;
use crate::ui::browser;
use crate::ui::components::{
    Bound, Button, ButtonShape, ButtonSize, ButtonVariant, Choice, Select, TextArea, TextInput,
};

/// A hook and where it stands, for its controls.
#[derive(Clone, Copy)]
struct Row {
    editor: Editor,
    key: u32,
    place: Memo<usize>,
}

impl Row {
    /// A part of the hook as a control reads and writes it.
    fn bind<T: Clone + PartialEq + Default + Send + Sync + 'static>(
        self,
        get: fn(&HookForm) -> T,
        set: fn(&mut HookForm, T),
    ) -> Bound<T> {
        let (form, key) = (self.editor.form, self.key);
        let read = Memo::new(move |before: Option<&T>| {
            // Its row lives a moment longer than the hook.
            form.with(|form| form.hook(key).map(get)).or_else(|| before.cloned()).unwrap_or_default()
        });
        let write = move |value| form.update(|form| form.alter_hook(key, |hook| set(hook, value)));
        Bound::from((read.into(), Callback::new(write)))
    }

    /// What is wrong at one of these places below the hook, or below them.
    fn error(self, places: &'static [&'static str]) -> Signal<Option<String>> {
        Signal::derive(move || {
            let Some(ApiError::Invalid { fields, .. }) = self.editor.refused() else { return None };
            let hook = format!("/spec/hooks/{}/", self.place.get());
            let is_here = |pointer: &str| {
                let below = pointer.strip_prefix(&hook);
                below.is_some_and(|below| places.iter().any(|place| below.starts_with(place)))
            };
            fields.into_iter().find(|field| is_here(&field.pointer)).map(|field| field.message)
        })
    }

    fn when(self) -> HookPoint {
        let key = self.key;
        self.editor.form.with(|form| form.hook(key).map_or(HookPoint::Before, |hook| hook.when))
    }

    fn act(self) -> Act {
        let key = self.key;
        self.editor.form.with(|form| form.hook(key).map_or(Act::Deny, |hook| hook.act))
    }

    fn id(self, part: &str) -> String {
        format!("hook-{part}-{}", self.key)
    }
}

#[component]
pub fn HookRow(editor: Editor, key: u32) -> impl IntoView {
    let form = editor.form;
    let place = Memo::new(move |_| form.with(|form| form.place_of_hook(key)).unwrap_or_default());
    let row = Row { editor, key, place };
    let shift = move |by: isize| {
        form.update(|form| form.shift_hook(key, by));
        // The hook was taken out and put in again, and has lost the focus.
        let (at, count) = form.with_untracked(|form| (form.place_of_hook(key).unwrap_or_default(), form.hooks.len()));
        let button = if (by < 0 && at > 0) || at + 1 == count { "up" } else { "down" };
        browser::after_ms_detached(0, move || browser::focus_id(&format!("hook-{button}-{key}")));
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
    let remove = move |()| {
        form.update(|form| form.hooks.retain(|line| line.key != key));
        browser::after_ms_detached(0, move || browser::focus_id("agent-hooks"));
    };
    view! {
        <li on:keydown=keys>
            <fieldset>
                <legend>{move || format!("Hook {}", place.get() + 1)}</legend>
                <span class="row hook-moves">
                    <Move row label="up" on_press=Callback::new(move |()| shift(-1)) />
                    <Move row label="down" on_press=Callback::new(move |()| shift(1)) />
                    <Button
                        label=Signal::derive(move || format!("Remove hook {}", place.get() + 1)) icon="x" size=ButtonSize::Small
                        variant=ButtonVariant::Quiet shape=ButtonShape::IconOnly on_press=remove
                    />
                </span>
                <When row />
                <Does row />
            </fieldset>
        </li>
    }
}

/// Moves a hook by one.
#[component]
fn Move(row: Row, label: &'static str, on_press: Callback<()>) -> impl IntoView {
    let place = row.place;
    let refused = Signal::derive(move || {
        let (at, count) = (place.get(), row.editor.form.with(|form| form.hooks.len()));
        match label {
            "up" if at == 0 => Some("It is the first".to_owned()),
            "down" if at + 1 >= count => Some("It is the last".to_owned()),
            _ => None,
        }
    });
    view! {
        <Button
            label=Signal::derive(move || format!("Move hook {} {label}", place.get() + 1)) icon=label size=ButtonSize::Small
            variant=ButtonVariant::Quiet shape=ButtonShape::IconOnly refused on_press attr:id=row.id(label)
        />
    }
}

/// Its name, when it is asked, of which tools and if what.
#[component]
fn When(row: Row) -> impl IntoView {
    let points = || {
        let label = |point: HookPoint| match point {
            HookPoint::Before => "before the call",
            HookPoint::After => "after the call",
            HookPoint::Answer => "when it answers",
            HookPoint::Heard => "when others write to it",
        };
        HookPoint::ALL.map(|point| Choice::new(point.as_str(), label(point))).to_vec()
    };
    let names = move || {
        let over = match row.when() {
            HookPoint::Before => "Over tool, arguments, agent and tainted. Empty: always.",
            HookPoint::After => "Over tool, arguments, agent, tainted, result and is_error. Empty: always.",
            HookPoint::Answer => "Over text, json, task, agent and tainted. Empty: always.",
            HookPoint::Heard => "Over text, sender, kind, agent and tainted. Empty: always.",
        };
        Some(over.to_owned())
    };
    let is_of_words = Memo::new(move |_| row.when().is_of_words());
    view! {
        <div class="grid agent-four">
            <TextInput
                id=row.id("name") label="Name of the hook" error=row.error(&["name"])
                value=row.bind(|hook| hook.name.clone(), |hook, value| hook.name = value)
            />
            <Select
                id=row.id("when") label="When" choices=Signal::stored(points())
                value=row.bind(|hook| hook.when.as_str().to_owned(), |hook, value| {
                    hook.when = HookPoint::parse(&value).unwrap_or(hook.when);
                    // There nobody can be asked.
                    if !hook.when.can_ask() && hook.act == Act::Ask {
                        hook.act = Act::Deny;
                    }
                })
            />
            <div hidden=move || is_of_words.get()>
                <TextInput
                    id=row.id("tools") label="Of which tools" mono=true placeholder="shell, memory_*" error=row.error(&["tools"])
                    value=row.bind(|hook| hook.tools.clone(), |hook, value| hook.tools = value) hint=Some("Empty: of all.".to_owned())
                />
            </div>
        </div>
        <TextInput
            id=row.id("if") label="If" mono=true placeholder="'prod' in arguments.url" error=row.error(&["condition"])
            value=row.bind(|hook| hook.condition.clone(), |hook, value| hook.condition = value) hint=Signal::derive(names)
        />
    }
}

/// What it does, and with what.
#[component]
fn Does(row: Row) -> impl IntoView {
    let acts = move || {
        let when = row.when();
        let fits = |act: &Act| when.can_ask() || *act != Act::Ask;
        Act::ALL.into_iter().filter(fits).map(|act| Choice::new(act.as_str(), act.label(when))).collect::<Vec<_>>()
    };
    let kind = Memo::new(move |_| (row.act(), row.when()));
    let message = move |label: &'static str, hint: &'static str| {
        view! {
            <TextInput
                id=row.id("message") label hint=Some(hint.to_owned()) error=row.error(&["does/message"])
                value=row.bind(|hook| hook.message.clone(), |hook, value| hook.message = value)
            />
        }
        .into_any()
    };
    let whole = move |label: &'static str, hint: &'static str| {
        view! {
            <TextInput
                id=row.id("whole") label mono=true hint=Some(hint.to_owned()) error=row.error(&["does/whole"])
                value=row.bind(|hook| hook.whole.clone(), |hook, value| hook.whole = value)
            />
        }
        .into_any()
    };
    let with = move || {
        match kind.get() {
        (Act::Allow, _) => ().into_any(),
        (Act::Deny, HookPoint::Answer) => message("Why", "The model is told, and answers again."),
        (Act::Deny, _) => message("Why", "The model and people are told."),
        (Act::Ask, HookPoint::Answer) => message("What the person is told", "Beside what exactly would be answered."),
        (Act::Ask, _) => message("What the person is told", "Beside what exactly would be done."),
        (Act::Log, HookPoint::Answer | HookPoint::Heard) => message("What is noted", "A template: {{ text | length }} characters."),
        (Act::Log, _) => message("What is noted", "A template: wrote {{ arguments.path }}."),
        (Act::Edit, HookPoint::Answer) => whole("What is answered instead", "An expression: text | replace(\"x\", \"y\")."),
        (Act::Edit, HookPoint::Heard) => whole("What the model reads instead", "An expression: text | replace(\"x\", \"y\")."),
        (Act::Edit, HookPoint::After) => whole("What the model reads instead", "An expression: result | replace(\"x\", \"y\")."),
        (Act::Edit, HookPoint::Before) => view! {
            <TextArea
                id=row.id("set") label="Arguments that are set" rows=2 mono=true error=row.error(&["does/set"]) placeholder="headers.x-team = loom"
                value=row.bind(|hook| hook.set.clone(), |hook, value| hook.set = value)
                hint=Some("One on a line: its name, =, and a template.".to_owned())
            />
            {whole("Or an expression for all of them", "Such as dict(arguments, method=\"GET\").")}
        }
        .into_any(),
    }
    };
    view! {
        <div class="grid pair">
            <Select
                id=row.id("act") label="It does" choices=Signal::derive(acts) error=row.own_error()
                value=row.bind(
                    |hook| hook.act.as_str().to_owned(),
                    |hook, value| hook.act = Act::parse(&value).unwrap_or(hook.act),
                )
            />
            <div class="stack">{with}</div>
        </div>
    }
}

impl Row {
    /// What is wrong with what it does, as a whole.
    fn own_error(self) -> Signal<Option<String>> {
        Signal::derive(move || {
            let place = format!("/spec/hooks/{}/does", self.place.get());
            let Some(ApiError::Invalid { fields, .. }) = self.editor.refused() else { return None };
            fields.into_iter().find(|field| field.pointer == place).map(|field| field.message)
        })
    }
}
