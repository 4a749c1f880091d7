//! One field of a step's config: the editor that fits its shape.

use leptos::prelude::*;
use serde_json::{Number, Value};

use super::expression::ExpressionField;
use super::lists::{Cases, Group, JsonField, Limits, TextList, TextMap};
use crate::model::workflow::Step;
use crate::model::workflow::kind::{Field, Shape};
use crate::ui::components::{Choice, Select, Switch};
use crate::ui::designer::action;
use crate::ui::designer::editor::use_editor;
use crate::ui::designer::problems::use_problems;
use crate::ui::format;

/// What an editor of any shape gets: the value, the way to set it, its words.
#[derive(Clone, Copy)]
pub struct FieldContext {
    /// The id of the control, unique on the page.
    pub control: StoredValue<String>,
    /// Whose.
    pub step: StoredValue<String>,
    /// Label, hint, placeholder.
    pub field: &'static Field,
    /// As it is; `None` when absent.
    pub value: Memo<Option<Value>>,
    /// What is wrong with it.
    pub error: Memo<Option<String>>,
    /// Sets it, or takes it away.
    pub set: Callback<Option<Value>>,
}

impl FieldContext {
    /// The value as text: texts as they are, other values as JSON, nothing as nothing.
    pub fn text(self) -> Memo<String> {
        Memo::new(move |_| match &*self.value.read() {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        })
    }

    /// The hint, if there is one.
    pub fn hint(self) -> Signal<Option<String>> {
        Signal::stored((!self.field.hint.is_empty()).then(|| self.field.hint.to_owned()))
    }

    /// The error as a sentence.
    pub fn error(self) -> Signal<Option<String>> {
        Signal::derive(move || self.error.get().map(|error| crate::ui::designer::problems::sentence(&error)))
    }

    /// "optional" beside the label of what may be absent.
    pub fn aside(self) -> Option<&'static str> {
        (!self.field.required).then_some("optional")
    }
}

/// The editor of one field.
#[component]
pub fn FieldEditor(id: String, step: RwSignal<Step>, field: &'static Field) -> impl IntoView {
    let editor = use_editor();
    let name = field.name;
    let error = use_problems().at(id.clone(), &format!("/config/{name}"));
    let owner = StoredValue::new(id.clone());
    let context = FieldContext {
        control: StoredValue::new(format!("config-{name}")),
        step: owner,
        field,
        value: Memo::new(move |_| step.read().config.get(name).cloned()),
        error,
        set: Callback::new(move |value: Option<Value>| {
            owner.with_value(|id| editor.act(|document| action::set_config(document, id, name, value, field.label)));
        }),
    };
    view! { <ShapeEditor context /> }
}

/// The editor that fits the shape of a field.
#[component]
pub fn ShapeEditor(context: FieldContext) -> impl IntoView {
    match &context.field.shape {
        Shape::Template { lines } => view! { <ExpressionField context lines=*lines bare=false /> }.into_any(),
        Shape::Expression => view! { <ExpressionField context lines=2 bare=true /> }.into_any(),
        Shape::Integer { .. } | Shape::Number { .. } => view! { <NumberField context /> }.into_any(),
        Shape::Time { .. } => view! { <TimeField context /> }.into_any(),
        Shape::Bool => view! { <BoolField context /> }.into_any(),
        Shape::Choice { options } => view! { <ChoiceField context options /> }.into_any(),
        Shape::Json => view! { <JsonField context /> }.into_any(),
        Shape::TextMap => view! { <TextMap context /> }.into_any(),
        Shape::TextList => view! { <TextList context whole_numbers=false /> }.into_any(),
        Shape::IntegerList => view! { <TextList context whole_numbers=true /> }.into_any(),
        Shape::Cases => view! { <Cases context /> }.into_any(),
        Shape::Limits { keys } => view! { <Limits context keys /> }.into_any(),
        Shape::Fields { fields } => view! { <Parts context fields /> }.into_any(),
    }
}

/// A text that is a number where it reads as one; a template, or something for the checker to refuse, where not.
pub fn number_or_text(text: &str) -> Option<Value> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let whole = trimmed.parse::<i64>().ok().map(Value::from);
    let number = || trimmed.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number);
    Some(whole.or_else(number).unwrap_or_else(|| Value::String(text.to_owned())))
}

/// A number, or a template that yields one.
#[component]
fn NumberField(context: FieldContext) -> impl IntoView {
    let text = context.text();
    let set = Callback::new(move |text: String| context.set.run(number_or_text(&text)));
    view! {
        <div class="field">
            <label for=context.control.get_value()>
                {context.field.label} {context.aside().map(|aside| view! { <span class="aside">{aside}</span> })}
            </label>
            <input
                class="input"
                id=context.control.get_value()
                type="text"
                inputmode="decimal"
                placeholder=context.field.placeholder
                aria-invalid=move || context.error.read().is_some().then_some("true")
                aria-describedby=format!("{}-notes", context.control.get_value())
                prop:value=move || text.get()
                on:input=move |event| set.run(event_target_value(&event))
            />
            <Notes context />
        </div>
    }
}

/// A length of time, or a template that yields its milliseconds.
#[component]
fn TimeField(context: FieldContext) -> impl IntoView {
    let text = context.text();
    let shown = move || text.with(|text| text.parse().map_or_else(|_| text.clone(), format::span));
    view! {
        <div class="field">
            <label for=context.control.get_value()>
                {context.field.label} {context.aside().map(|aside| view! { <span class="aside">{aside}</span> })}
            </label>
            <input
                class="input"
                id=context.control.get_value()
                type="text"
                spellcheck="false"
                placeholder=if context.field.placeholder.is_empty() { "90 s, 2 h, 3 d" } else { context.field.placeholder }
                aria-invalid=move || context.error.read().is_some().then_some("true")
                aria-describedby=format!("{}-notes", context.control.get_value())
                prop:value=shown
                on:change=move |event| context.set.run(time_or_text(&event_target_value(&event)))
            />
            <Notes context />
        </div>
    }
}

/// A text that is a length of time where it reads as one; a template, or something for the checker to refuse, where not.
fn time_or_text(text: &str) -> Option<Value> {
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| format::read_span(trimmed).map_or_else(|| Value::from(trimmed), Value::from))
}

/// Hint and error under a control.
#[component]
pub fn Notes(context: FieldContext) -> impl IntoView {
    let error = context.error();
    view! {
        <span class="hint" id=format!("{}-notes", context.control.get_value())>
            {context.hint().get_untracked()}
            {move || error.get().map(|error| view! { <span class="error">{error}</span> })}
        </span>
    }
}

/// An object of fields: the editor of each.
#[component]
fn Parts(context: FieldContext, fields: &'static [Field]) -> impl IntoView {
    let map = Memo::new(move |_| context.value.read().as_ref().and_then(Value::as_object).cloned().unwrap_or_default());
    let editors = fields.iter().map(move |field| {
        let name = field.name;
        let set = move |value: Option<Value>| {
            let mut map = map.get_untracked();
            match value {
                Some(value) => drop(map.insert(name.to_owned(), value)),
                None => drop(map.remove(name)),
            }
            context.set.run((!map.is_empty()).then_some(Value::Object(map)));
        };
        let pointer = format!("/config/{}/{name}", context.field.name);
        let part = FieldContext {
            control: StoredValue::new(format!("{}-{name}", context.control.get_value())),
            step: context.step,
            field,
            value: Memo::new(move |_| map.read().get(name).cloned()),
            error: use_problems().at(context.step.get_value(), &pointer),
            set: Callback::new(set),
        };
        view! { <ShapeEditor context=part /> }.into_any()
    });
    // What is wrong with a part stands under the part.
    let error = Memo::new(move |_| {
        let is_object = context.value.read().as_ref().is_none_or(Value::is_object);
        if is_object { None } else { context.error.get() }
    });
    view! {
        <Group context=FieldContext { error, ..context }>{editors.collect_view()}</Group>
    }
}

#[component]
fn BoolField(context: FieldContext) -> impl IntoView {
    let get = Signal::derive(move || context.value.read().as_ref().and_then(Value::as_bool).unwrap_or(false));
    let set = Callback::new(move |on: bool| context.set.run(on.then_some(Value::Bool(true))));
    view! { <Switch id=context.control.get_value() label=context.field.label value=(get, set) hint=context.hint() error=context.error() /> }
}

#[component]
fn ChoiceField(context: FieldContext, options: &'static [&'static str]) -> impl IntoView {
    let text = context.text();
    let default = context.field.placeholder;
    let get = Signal::derive(move || text.get());
    let set = Callback::new(move |text: String| context.set.run((!text.is_empty()).then_some(Value::String(text))));
    let mut choices: Vec<Choice> = options.iter().map(|option| Choice::new(*option, *option)).collect();
    let absent = if default.is_empty() { "Not set".to_owned() } else { format!("{default}, the default") };
    choices.insert(0, Choice::new("", absent));
    view! {
        <Select
            id=context.control.get_value()
            label=context.field.label
            value=(get, set)
            choices=Signal::stored(choices)
            hint=context.hint()
            error=context.error()
        />
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_milliseconds_and_templates_stay_text() {
        assert_eq!(time_or_text(" 2 d "), Some(json!(172_800_000)));
        assert_eq!(time_or_text("{{ inputs.ms }}"), Some(json!("{{ inputs.ms }}")));
        assert_eq!(time_or_text("90"), Some(json!("90")), "refused by the checker: nobody knows of what");
        assert_eq!(time_or_text(" "), None);
    }

    #[test]
    fn numbers_are_numbers_and_templates_stay_text() {
        assert_eq!(number_or_text(" 12 "), Some(json!(12)));
        assert_eq!(number_or_text("0.5"), Some(json!(0.5)));
        assert_eq!(number_or_text("{{ inputs.n }}"), Some(json!("{{ inputs.n }}")));
        assert_eq!(number_or_text("  "), None);
    }
}
