//! Making a key: a name goes in, a secret comes out and is shown once, with the settings for each program.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::route_dialog::cache_choices;
use super::settings::Settings;
use crate::api::gateway::create_key;
use crate::model::cache::CacheMode;
use crate::model::gateway::{Endpoints, KeyDraft, KeyLimits, KeyMade};
use crate::model::{ApiError, FieldError, Timestamp};
use crate::ui::browser;
use crate::ui::components::{
    Button, ButtonShape, ButtonVariant, Choice, CopyButton, Dialog, DialogSize, Icon, Select, TextArea, TextInput,
};

/// The form that the button of the dialog sends.
const FORM: &str = "key-form";
/// A day's milliseconds.
const DAY_MS: i64 = 24 * 3_600_000;
/// Names that are offered to be pressed.
const OFFERED: usize = 12;

type Making = Action<Form, Result<KeyMade, ApiError>>;

/// What the controls hold.
#[derive(Debug, Clone, PartialEq)]
struct Form {
    name: String,
    /// One on a line.
    models: String,
    /// Days, `date`, or empty for never.
    ends: String,
    /// `2027-01-31`.
    date: String,
    /// A [`CacheMode`].
    cache: String,
    /// Calls in a minute; empty for any number.
    requests: String,
    /// Tokens in a minute; empty for any number.
    tokens: String,
}

impl Form {
    fn blank() -> Self {
        Self {
            name: String::new(),
            models: String::new(),
            ends: "90".to_owned(),
            date: String::new(),
            cache: "auto".to_owned(),
            requests: String::new(),
            tokens: String::new(),
        }
    }

    /// What is sent.
    ///
    /// # Errors
    /// A date that is none, or a number.
    fn draft(&self, now_ms: i64, offset_min: impl Fn(i64) -> i32) -> Result<KeyDraft, ApiError> {
        let expires_at = match self.ends.as_str() {
            "" => None,
            "date" => Some(end_of_day(&self.date, offset_min).ok_or_else(|| {
                let field = FieldError::new("/expires_at", "choose a day to come");
                ApiError::Invalid { detail: field.message.clone(), fields: vec![field] }
            })?),
            days => Some(Timestamp(now_ms * 1000).plus_ms(days.parse::<i64>().unwrap_or(90) * DAY_MS)),
        };
        let models = self.models.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
        let cache = CacheMode::parse(&self.cache).unwrap_or_default();
        let limits = KeyLimits {
            requests_per_minute: limit("/limits/requests_per_minute", &self.requests)?,
            tokens_per_minute: limit("/limits/tokens_per_minute", &self.tokens)?,
        };
        Ok(KeyDraft { name: self.name.trim().to_owned(), models: models.collect(), expires_at, cache, limits })
    }
}

/// A number as people write it, such as `100,000`; `None` where nothing is written.
fn limit(pointer: &str, text: &str) -> Result<Option<u32>, ApiError> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    if digits.is_empty() {
        return Ok(None);
    }
    digits.parse().map(Some).map_err(|_| ApiError::invalid(pointer, "expected a whole number, or nothing"))
}

/// The last second of a day where the person is.
fn end_of_day(date: &str, offset_min: impl Fn(i64) -> i32) -> Option<Timestamp> {
    let utc = Timestamp::parse(&format!("{date}T23:59:59Z"))?;
    Some(utc.plus_ms(-i64::from(offset_min(utc.unix_ms())) * 60_000))
}

/// The dialog, and what it tells the page.
#[component]
pub(super) fn KeyDialog(
    open: RwSignal<bool>,
    /// Goes up when a key was made.
    changed: RwSignal<u32>,
    /// What there is to ask for.
    names: Signal<Vec<String>>,
    endpoints: Signal<Option<Endpoints>>,
) -> impl IntoView {
    let form = RwSignal::new(Form::blank());
    let make: Making = Action::new(|form: &Form| {
        let draft = form.draft(browser::now_ms() as i64, browser::offset_minutes);
        async move { create_key(draft?).await }
    });
    let made = Memo::new(move |_| make.value().get().and_then(Result::ok));
    Effect::new(move |_| {
        if made.with(Option::is_some) {
            changed.update(|n| *n += 1);
        }
    });
    Effect::new(move |_| {
        if open.get() {
            form.set(Form::blank());
        } else {
            // Closed, the secret is nowhere any more.
            make.value().set(None);
        }
    });
    let footer = move || {
        if made.with(Option::is_some) {
            return view! { <Button label="Done" variant=ButtonVariant::Primary on_press=move |()| open.set(false) /> }
                .into_any();
        }
        view! {
            <Button label="Cancel" on_press=move |()| open.set(false) />
            <Button label="Make the key" variant=ButtonVariant::Primary submit=true busy=make.pending() attr:form=FORM />
        }
        .into_any()
    };
    let title = Signal::derive(move || {
        made.with(|made| match made {
            Some(made) => format!("The key {}", made.key.name),
            None => "New key".to_owned(),
        })
    });
    view! {
        <Dialog id="key-dialog" title open size=DialogSize::Large footer=ViewFn::from(footer)>
            {move || match made.get() {
                Some(made) => view! { <Made made names endpoints /> }.into_any(),
                None => view! { <KeyForm form make names /> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn KeyForm(form: RwSignal<Form>, make: Making, names: Signal<Vec<String>>) -> impl IntoView {
    let error = move |pointer: &'static str| {
        Signal::derive(move || {
            make.value().with(|answer| match answer {
                Some(Err(error)) => error.field(pointer).map(str::to_owned),
                _ => None,
            })
        })
    };
    let whole = move || {
        make.value().with(|answer| match answer {
            Some(Err(ApiError::Invalid { fields, .. })) if !fields.is_empty() => None,
            Some(Err(error)) => Some(error.detail().to_owned()),
            _ => None,
        })
    };
    let bind = move |get: fn(&Form) -> &String, set: fn(&mut Form) -> &mut String| {
        let read = Memo::new(move |_| form.with(|form| get(form).clone()));
        let write = Callback::new(move |value| form.update(|form| *set(form) = value));
        crate::ui::components::Bound::from((Signal::from(read), write))
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if !make.pending().get_untracked() {
            make.dispatch(form.get_untracked());
        }
    };
    let ends = vec![
        Choice::new("7", "In 7 days"),
        Choice::new("30", "In 30 days"),
        Choice::new("90", "In 90 days"),
        Choice::new("365", "In a year"),
        Choice::new("date", "After a day…"),
        Choice::new("", "Never"),
    ];
    view! {
        <form class="form wide" id=FORM novalidate on:submit=send>
            <div role="alert">
                {move || whole().map(|text| view! { <div class="form-error"><Icon name="s-failed" /><span>{text}</span></div> })}
            </div>
            <TextInput
                id="key-name" label="Name" required=true placeholder="Claude Code of the build team" error=error("/name")
                value=bind(|form| &form.name, |form| &mut form.name)
                hint=Some("Who or what holds it. It stands at each of its calls.".to_owned())
            />
            <TextArea
                id="key-models" label="May ask for" rows=3 mono=true error=error("/models")
                value=bind(|form| &form.models, |form| &mut form.models)
                hint=Some("Routes and models as the program names them, one on a line. Empty: any.".to_owned())
            />
            <Offered form names />
            <div class="grid pair">
                <Select
                    id="key-ends" label="Ends" choices=Signal::stored(ends) error=error("/expires_at")
                    value=bind(|form| &form.ends, |form| &mut form.ends)
                />
                <Show when=move || form.with(|form| form.ends == "date")>
                    <TextInput id="key-date" label="Day" kind="date" value=bind(|form| &form.date, |form| &mut form.date) />
                </Show>
            </div>
            <div class="grid pair">
                <TextInput
                    id="key-requests" label="Calls in a minute" error=error("/limits/requests_per_minute")
                    value=bind(|form| &form.requests, |form| &mut form.requests) hint=Some("Empty: any number.".to_owned())
                />
                <TextInput
                    id="key-tokens" label="Tokens in a minute" error=error("/limits/tokens_per_minute")
                    value=bind(|form| &form.tokens, |form| &mut form.tokens)
                    hint=Some("Read and written together. Empty: any number.".to_owned())
                />
            </div>
            <Select
                id="key-cache" label="Answers that are kept" choices=Signal::stored(cache_choices())
                value=bind(|form| &form.cache, |form| &mut form.cache)
                hint=Some("A kept answer is given again, for nothing, to who asks the same. What a call says comes first.".to_owned())
            />
        </form>
    }
}

/// Names that are written by a press.
#[component]
fn Offered(form: RwSignal<Form>, names: Signal<Vec<String>>) -> impl IntoView {
    let has = move |name: &str| form.with(|form| form.models.lines().any(|line| line.trim() == name));
    let left = Memo::new(move |_| names.get().into_iter().filter(|name| !has(name)).take(OFFERED).collect::<Vec<_>>());
    let add = move |name: String| {
        form.update(|form| {
            let text = form.models.trim_end();
            form.models = if text.is_empty() { name } else { format!("{text}\n{name}") };
        });
    };
    view! {
        <Show when=move || !left.with(Vec::is_empty)>
            <div class="filters" role="group" aria-label="Add a name">
                <For each=move || left.get() key=Clone::clone let:name>
                    {
                        let text = name.clone();
                        view! {
                            <button type="button" class="chip" on:click=move |_| add(name.clone())>
                                <Icon name="plus" /><span class="mono truncate">{text}</span>
                            </button>
                        }
                    }
                </For>
            </div>
        </Show>
    }
}

#[component]
fn Made(made: KeyMade, names: Signal<Vec<String>>, endpoints: Signal<Option<Endpoints>>) -> impl IntoView {
    let secret = made.secret.0;
    let (copied, told) = (secret.clone(), secret.clone());
    let model = made.key.models.first().cloned().or_else(|| names.with_untracked(|names| names.first().cloned()));
    view! {
        <p>"Copy it now. Weft keeps no copy that it could show again: who loses it makes another."</p>
        <div class="secret">
            <code>{secret}</code>
            <CopyButton text=Signal::stored(copied) label="Copy the key" shape=ButtonShape::Labelled />
        </div>
        {move || endpoints.get().map(|endpoints| view! {
            <Settings id="made" endpoints secret=Some(told.clone()) model=model.clone() />
        })}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_when_the_day_does_where_the_person_is() {
        let form = Form { ends: "date".to_owned(), date: "2027-01-31".to_owned(), ..Form::blank() };
        let ends = form.draft(0, |_| 60).unwrap().expires_at.unwrap();
        assert_eq!(ends.to_string(), "2027-01-31T22:59:59Z");
        let none = Form { date: String::new(), ..form };
        assert!(none.draft(0, |_| 0).unwrap_err().field("/expires_at").is_some());
    }

    #[test]
    fn limits_are_read_as_people_write_them() {
        let form = |requests: &str, tokens: &str| Form {
            requests: requests.to_owned(),
            tokens: tokens.to_owned(),
            ..Form::blank()
        };
        assert_eq!(form("", " ").draft(0, |_| 0).unwrap().limits, KeyLimits::default());
        let limits = form("60", "100,000").draft(0, |_| 0).unwrap().limits;
        assert_eq!((limits.requests_per_minute, limits.tokens_per_minute), (Some(60), Some(100_000)));
        assert!(form("many", "").draft(0, |_| 0).unwrap_err().field("/limits/requests_per_minute").is_some());
    }

    #[test]
    fn names_are_read_line_by_line() {
        let form = Form { models: " smart \n\n claude/opus".to_owned(), ends: String::new(), ..Form::blank() };
        let draft = form.draft(0, |_| 0).unwrap();
        assert_eq!(draft.models, ["smart", "claude/opus"]);
        assert_eq!(draft.expires_at, None);
        let soon = Form { ends: "7".to_owned(), ..form };
        assert_eq!(soon.draft(1000, |_| 0).unwrap().expires_at, Some(Timestamp(0).plus_ms(1000 + 7 * DAY_MS)));
    }
}
