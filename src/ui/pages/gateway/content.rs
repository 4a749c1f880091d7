//! What was asked and answered in a call, where that is kept: read when somebody wants to see it.

use leptos::prelude::*;

use crate::api::gateway::get_call_content;
use crate::model::gateway::{Block, CallContent, block_words, role_word};
use crate::model::{ApiError, CallId};
use crate::ui::components::{Button, ButtonSize, Icon};
use crate::ui::format;

#[component]
pub(super) fn Content(call: CallId) -> impl IntoView {
    let read = Action::new(move |(): &()| get_call_content(call));
    let told = move || {
        read.value().get().map(|answer| match answer {
            Ok(content) => view! { <Said content /> }.into_any(),
            Err(ApiError::NotFound { .. }) => view! {
                <p class="dim">
                    "Nothing was kept of it, or not any more. "
                    <a class="link" href="/gateway/redaction">"What is kept"</a>" is set for calls to come."
                </p>
            }
            .into_any(),
            Err(error) => view! {
                <div class="notice" data-tone="bad"><Icon name="s-failed" /><span class="grow">{format::sentence(error.detail())}</span></div>
            }
            .into_any(),
        })
    };
    let is_open = move || read.value().with(Option::is_some);
    view! {
        <div class="stack">
            <Show when=move || !is_open()>
                <div><Button label="Show request and answer" icon="eye" size=ButtonSize::Small busy=read.pending() on_press=move |()| { read.dispatch(()); } /></div>
            </Show>
            <div role="status" class="stack">{told}</div>
        </div>
    }
}

#[component]
fn Said(content: CallContent) -> impl IntoView {
    let CallContent { request, answer, .. } = content;
    let dropped = (request.dropped > 0).then(|| {
        let count = if request.dropped == 1 {
            "The first turn is".to_owned()
        } else {
            format!("The first {} turns are", request.dropped)
        };
        view! { <p class="dim">{count}" not kept: the conversation is too long."</p> }
    });
    let tools = (!request.tools.is_empty()).then(|| {
        view! { <p><span class="dim">"Tools: "</span><span class="mono">{request.tools.join(", ")}</span></p> }
    });
    let system = (!request.system.is_empty()).then(|| view! { <Turn who="system" blocks=request.system /> });
    let turns = request.messages.into_iter().map(|message| {
        let blocks = message.content;
        view! { <Turn who=role_word(message.role) blocks /> }
    });
    let answer = match answer {
        Some(answer) => {
            let part = (!answer.is_whole).then(|| view! { <p class="dim">"The rest is not kept: it is too long."</p> });
            view! { <Turn who="answer" blocks=answer.content />{part} }.into_any()
        }
        None => view! { <p class="dim">"No answer came."</p> }.into_any(),
    };
    view! {
        {tools}
        {system}
        {dropped}
        {turns.collect_view()}
        {answer}
    }
}

#[component]
fn Turn(who: &'static str, blocks: Vec<Block>) -> impl IntoView {
    let words = blocks.iter().map(block_words).collect::<Vec<_>>().join("\n");
    view! {
        <section class="said">
            <h4>{who}</h4>
            <pre class="code masked-text" tabindex="0">{words}</pre>
        </section>
    }
}
