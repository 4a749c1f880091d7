//! A text goes in, and out comes what would leave in its place.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::form::Form;
use crate::api::redaction::try_redaction;
use crate::model::ApiError;
use crate::model::gateway::{Masked, RedactionTrial, RedactionTried};
use crate::ui::components::{Badge, Button, ButtonVariant, Card, Icon, TextArea, Tone};
use crate::ui::format;

#[component]
pub(super) fn TrialCard(form: RwSignal<Form>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let ask = Action::new(|trial: &RedactionTrial| try_redaction(trial.clone()));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        ask.dispatch(RedactionTrial { text: text.get_untracked(), rules: Some(form.with_untracked(Form::draft)) });
    };
    view! {
        <Card id="try" title="What would leave?">
            <div class="stack">
                <form class="form" novalidate on:submit=send>
                    <TextArea
                        id="try-text" label="Text" rows=6 value=text
                        hint=Some("Goes by the rules as they stand here, saved or not. Nothing of it is kept.".to_owned())
                    />
                    <div><Button label="Mask" icon="eye" variant=ButtonVariant::Plain submit=true busy=ask.pending() /></div>
                </form>
                <div role="status" class="stack">
                    {move || ask.value().get().map(|answer| view! { <Told answer /> })}
                </div>
            </div>
        </Card>
    }
}

#[component]
fn Told(answer: Result<RedactionTried, ApiError>) -> impl IntoView {
    match answer {
        Ok(tried) if tried.masked.is_empty() => {
            view! { <p class="dim">"Nothing is found: it would leave as it is."</p> }.into_any()
        }
        Ok(RedactionTried { text, masked }) => {
            let found = masked.into_iter().map(|one| view! { <Badge label=label(&one) tone=Tone::Accent /> " " });
            let pieces = split(&text).into_iter().map(|(is_placeholder, piece)| {
                if is_placeholder { view! { <mark>{piece}</mark> }.into_any() } else { piece.into_any() }
            });
            view! {
                <p>{found.collect_view()}</p>
                <pre class="code masked-text" tabindex="0">{pieces.collect_view()}</pre>
            }
            .into_any()
        }
        Err(error) => view! {
            <div class="notice" data-tone="bad">
                <Icon name="s-failed" /><span class="grow">{format::sentence(error.detail())}</span>
            </div>
        }
        .into_any(),
    }
}

fn label(one: &Masked) -> String {
    if one.count == 1 { one.what.clone() } else { format!("{} × {}", one.what, one.count) }
}

/// The placeholders of a text, and what stands between them.
fn split(text: &str) -> Vec<(bool, String)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("[[weft-") {
        let Some(length) = rest[at..].find("]]") else { break };
        let end = at + length + 2;
        if at > 0 {
            pieces.push((false, rest[..at].to_owned()));
        }
        pieces.push((true, rest[at..end].to_owned()));
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        pieces.push((false, rest.to_owned()));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_what_stands_between_them() {
        let pieces = split("a [[weft-email-1]][[weft-jwt-2]] b [[weft-");
        let expected = [(false, "a "), (true, "[[weft-email-1]]"), (true, "[[weft-jwt-2]]"), (false, " b [[weft-")];
        assert_eq!(pieces, expected.map(|(is, text)| (is, text.to_owned())));
    }
}
