//! The pages before one is signed in: log in, first set-up, an invitation. One card each, the same parts.
//!
//! Owns their frame and their inputs. Their forms are sent by the browser itself when our script is not there (yet): the
//! inputs keep what was typed or filled in before it came, and errors come back in the address.

mod invite;
mod login;
mod setup;
mod weave;

pub use invite::InvitePage;
pub use login::LoginPage;
pub use setup::SetupPage;

use leptos::prelude::*;
use leptos_meta::Title;

use crate::model::ApiError;
use crate::ui::browser;
use crate::ui::components::{Field, Icon};
use weave::Weave;

/// What a form that signs in answers: the path to go to.
type Answer = Option<Result<String, ApiError>>;

/// The page around one card.
#[component]
fn Frame(
    /// Of the document.
    title: &'static str,
    /// A form, or `.login-card`.
    children: Children,
) -> impl IntoView {
    view! {
        <Title text=format!("{title} · Weft") />
        <main class="login" id="content">
            <Weave />
            {children()}
        </main>
    }
}

/// The mark and the name over a card's title.
#[component]
fn Brand() -> impl IntoView {
    view! { <div class="brand"><Icon name="weft" />"Weft"</div> }
}

/// What could not be done, unless it concerns one of the fields that are shown.
#[component]
fn Refused(#[prop(into)] answer: Signal<Answer>, fields: &'static [&'static str]) -> impl IntoView {
    let text = move || match answer.get() {
        Some(Err(error)) if !fields.iter().any(|field| error.field(field).is_some()) => Some(sentence(&error)),
        _ => None,
    };
    view! {
        <div role="alert">
            {move || {
                text().map(|text| view! { <div class="notice" data-tone="bad"><Icon name="s-failed" /><span class="grow">{text}</span></div> })
            }}
        </div>
    }
}

/// The error's own sentence, with a capital and a full stop.
fn sentence(error: &ApiError) -> String {
    let detail = error.detail();
    let mut characters = detail.chars();
    let first: String = characters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

/// A line of text in a form that works without script: what was typed before it came stays.
#[component]
fn FormInput(
    /// Unique on the page.
    id: &'static str,
    /// The server function's argument; also the field's pointer without its slash.
    name: &'static str,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    autocomplete: &'static str,
    #[prop(into)] answer: Signal<Answer>,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let pointer = format!("/{name}");
    let error = Signal::derive(move || match answer.get() {
        Some(Err(error)) => error.field(&pointer).map(|message| format!("{}.", capital(message))),
        _ => None,
    });
    let described = move || {
        let hint = hint.map(|_| format!("{id}-hint"));
        let error = error.with(Option::is_some).then(|| format!("{id}-error"));
        let ids: Vec<String> = hint.into_iter().chain(error).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    };
    view! {
        <Field id label hint=Signal::stored(hint.map(str::to_owned)) error>
            <input
                class="input"
                id=id
                name=name
                type=kind
                autocomplete=autocomplete
                autofocus=autofocus
                required
                spellcheck="false"
                aria-describedby=described
                aria-invalid=move || error.with(Option::is_some).then_some("true")
            />
        </Field>
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}", characters.as_str())
}

/// Goes where a successful answer says, as a new page: nothing of whoever was here before stays in memory.
fn go_on(answer: impl Fn() -> Answer + 'static) {
    Effect::new(move |_| {
        if let Some(Ok(path)) = answer() {
            browser::load_page(&path);
        }
    });
}
