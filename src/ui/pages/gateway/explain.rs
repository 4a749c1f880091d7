//! "What would answer?": a name goes in, and out come the models that would be asked, as the server reads it.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::routes::explain;
use crate::model::ApiError;
use crate::model::gateway::{
    Dialect, ExplainRequest, Explained, FlagTold, Level, PassedOver, Score, Standing, TokensBy, WouldAsk, WouldHedge,
};
use crate::ui::browser;
use crate::ui::components::{
    Badge, Button, ButtonVariant, Card, Choice, Field, Icon, Select, TextArea, TextInput, Tone,
};
use crate::ui::format;

/// The box, and what it was asked.
#[derive(Clone, Copy)]
pub(super) struct Question {
    name: RwSignal<String>,
    dialect: RwSignal<String>,
    prompt: RwSignal<String>,
    session: RwSignal<String>,
    ask: Action<ExplainRequest, Result<Explained, ApiError>>,
}

impl Question {
    pub(super) fn new() -> Self {
        Self {
            name: RwSignal::new(String::new()),
            dialect: RwSignal::new(ANTHROPIC.to_owned()),
            prompt: RwSignal::new(String::new()),
            session: RwSignal::new(String::new()),
            ask: Action::new(|question: &ExplainRequest| explain(question.clone())),
        }
    }

    /// Asks about a name.
    pub(super) fn about(self, name: &str) {
        self.name.set(name.to_owned());
        self.send();
        // Where the box is further down, it comes into view.
        browser::focus_id("explain-name");
    }

    fn send(self) {
        let dialect = if self.dialect.get_untracked() == OPENAI { Dialect::OpenAi } else { Dialect::Anthropic };
        self.ask.dispatch(ExplainRequest {
            prompt: self.prompt.get_untracked(),
            session: self.session.get_untracked().trim().to_owned(),
            ..ExplainRequest::about(self.name.get_untracked().trim(), dialect)
        });
    }
}

const ANTHROPIC: &str = "anthropic";
const OPENAI: &str = "open_ai";

#[component]
pub(super) fn ExplainCard(question: Question, names: Signal<Vec<String>>) -> impl IntoView {
    let dialects =
        vec![Choice::new(ANTHROPIC, "Anthropic Messages, as steps do"), Choice::new(OPENAI, "OpenAI Chat Completions")];
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        question.send();
    };
    let options = move || names.get().into_iter().map(|name| view! { <option value=name></option> }).collect_view();
    let error = Signal::derive(move || {
        question.ask.value().with(|answer| match answer {
            Some(Err(error)) => Some(format::sentence(error.field("/model").unwrap_or_else(|| error.detail()))),
            _ => None,
        })
    });
    view! {
        <Card id="explain" title="What would answer?">
            <div class="stack">
                <form class="form" novalidate on:submit=send>
                    <Field
                        id="explain-name" label="Asked for" error
                        hint=Some("A route, a model, or provider/model. Empty: the default.".to_owned())
                    >
                        <input
                            class="input" id="explain-name" data-mono="" list="explain-names" autocomplete="off" spellcheck="false"
                            aria-describedby="explain-name-hint"
                            prop:value=move || question.name.get()
                            on:input=move |event| question.name.set(event_target_value(&event))
                        />
                        <datalist id="explain-names">{options}</datalist>
                    </Field>
                    <Select id="explain-dialect" label="Asked in" value=question.dialect choices=Signal::stored(dialects) />
                    <TextArea
                        id="explain-prompt" label="Prompt" rows=3 aside=Some("optional".to_owned()) value=question.prompt
                        hint=Some("How many tokens it is, and for routes that go by the task or the cost.".to_owned())
                    />
                    <TextInput
                        id="explain-session" label="Session" mono=true aside=Some("optional".to_owned()) value=question.session
                        hint=Some("For models that stand behind a flag. Without one, flags go by you.".to_owned())
                    />
                    <div><Button label="Explain" icon="help" variant=ButtonVariant::Plain submit=true busy=question.ask.pending() /></div>
                </form>
                <div role="status" class="stack">
                    {move || question.ask.value().get().and_then(Result::ok).map(|explained| view! { <Told explained /> })}
                </div>
            </div>
        </Card>
    }
}

#[component]
fn Told(explained: Explained) -> impl IntoView {
    let Explained { rule, refused, flags, task, candidates, passed_over, hedge } = explained;
    let first = candidates.iter().position(|one| one.standing.is_asked());
    let nobody = (first.is_none() && !candidates.is_empty()).then(|| view! {
        <div class="notice" data-tone="warn">
            <Icon name="s-waiting" />
            <span class="grow">"All of them rest or are full at the moment. A call now is refused, and told when to try again."</span>
        </div>
    });
    let rows =
        candidates.into_iter().enumerate().map(|(at, one)| view! { <WouldAskRow one is_first=Some(at) == first /> });
    let rows = rows.collect_view();
    let over = (!passed_over.is_empty()).then(|| view! { <PassedOverList passed_over /> });
    view! {
        {refused.map(|why| view! {
            <div class="notice" data-tone="warn">
                <Icon name="warning" />
                <span class="grow">{format::sentence(&why)}</span>
            </div>
        })}
        {(!rule.is_empty()).then(|| view! { <p><span class="dim">"Read as "</span>{rule}"."</p> })}
        {(!flags.is_empty()).then(|| view! { <FlagsTold flags /> })}
        {task.map(|task| view! { <TaskScore task /> })}
        {nobody}
        <ol class="would-ask">{rows}</ol>
        {hedge.map(|hedge| view! { <p class="small">{hedged(&hedge)}</p> })}
        {over}
        <p class="small dim">"Nothing was called. How models rest and who waits is this server's own view."</p>
    }
}

#[component]
fn WouldAskRow(one: WouldAsk, is_first: bool) -> impl IntoView {
    let (label, tone) = state(one.standing, is_first);
    let why = reason(one.standing);
    let reads = one.reads.map(|tokens| {
        let how = if one.reads_by == TokensBy::Tokenizer { "counted by its vocabulary" } else { "estimated" };
        let said = format!("Reads {} of this, {how}.", format::plural(tokens, "token"));
        view! { <span class="small dim block">{said}</span> }
    });
    let speaks = one.why.map(|why| view! { <span class="small dim block">{format::sentence(&why)}</span> });
    view! {
        <li>
            <a class="link mono" href=format!("/providers/{}", one.provider_id)>{format!("{}/{}", one.provider, one.model)}</a>
            <Badge label tone />
            {speaks}
            {reads}
            {why.map(|why| view! { <span class="small dim block">{why}</span> })}
        </li>
    }
}

/// What the flags of the route say.
#[component]
fn FlagsTold(flags: Vec<FlagTold>) -> impl IntoView {
    let one = |told: FlagTold| {
        let (label, tone) = if told.takes() { ("taken", Tone::Good) } else { ("not taken", Tone::Plain) };
        view! { <li><Badge label tone />" "<span>{format!("{}.", format::sentence(&told.words()).trim_end_matches('.'))}</span></li> }
    };
    view! { <ul class="stack" role="list" aria-label="Flags">{flags.into_iter().map(one).collect_view()}</ul> }
}

/// How hard the task is, and how such a one is gone about. What makes it so stands in the rule.
#[component]
fn TaskScore(task: Score) -> impl IntoView {
    let tone = match task.level {
        Level::Simple => Tone::Good,
        Level::Medium => Tone::Warn,
        Level::Complex => Tone::Bad,
    };
    let label = format!("{} of {} points", task.level.as_str(), task.points);
    view! { <p>"The task is "<Badge label tone />" "<span class="dim">{task.approach}</span></p> }
}

#[component]
fn PassedOverList(passed_over: Vec<PassedOver>) -> impl IntoView {
    let row = |one: PassedOver| {
        let name = if one.provider.is_empty() { one.model } else { format!("{}/{}", one.provider, one.model) };
        view! { <li class="dim"><span class="mono">{name}</span>{format!(", since {}", one.why)}</li> }
    };
    view! {
        <div>
            <h3 class="small dim">"Passed over"</h3>
            <ul>{passed_over.into_iter().map(row).collect_view()}</ul>
        </div>
    }
}

/// Who is asked as well, in a sentence.
fn hedged(hedge: &WouldHedge) -> String {
    let WouldHedge { after_ms, slow, also } = hedge;
    match also {
        Some(also) => format!(
            "Where {slow} has not begun to answer after {after_ms} ms, {also} is asked as well, and whoever begins first is used: at \
             most for a tenth of the calls, and where budgets have money for both."
        ),
        None => format!(
            "Where {slow} has not begun to answer after {after_ms} ms, another would be asked as well, but there is none at the moment."
        ),
    }
}

/// A time to wait, in whole seconds.
pub(super) fn wait(ms: u64) -> String {
    match ms.div_ceil(1000) {
        seconds @ ..60 => format!("{seconds} s"),
        seconds => format::duration(i64::try_from(seconds * 1000).unwrap_or(i64::MAX)),
    }
}

/// In a few words, and their tone.
fn state(standing: Standing, is_first: bool) -> (String, Tone) {
    match standing {
        Standing::Ready | Standing::Probe if is_first => ("asked first".to_owned(), Tone::Good),
        Standing::Ready => ("asked next".to_owned(), Tone::Plain),
        Standing::Probe => ("tried again".to_owned(), Tone::Warn),
        Standing::Rests { for_ms, .. } => (format!("rests for {}", wait(for_ms)), Tone::Bad),
        Standing::Held { for_ms } => (format!("held for {}", wait(for_ms)), Tone::Warn),
        Standing::Waits { .. } => ("waits for room".to_owned(), Tone::Warn),
        Standing::Full { .. } => ("full".to_owned(), Tone::Warn),
    }
}

/// Why it is not simply asked.
fn reason(standing: Standing) -> Option<String> {
    match standing {
        Standing::Ready => None,
        Standing::Probe => Some("It failed too often and has rested: the next call tries it.".to_owned()),
        Standing::Rests { last_failure, .. } => {
            let class =
                last_failure.map(|class| format!(" ({})", class.as_str().replace('_', " "))).unwrap_or_default();
            Some(format!("It failed too often{class}, and is passed over meanwhile."))
        }
        Standing::Held { .. } => Some("Its provider has too many calls, and asked to wait.".to_owned()),
        Standing::Waits { ahead: 0 } => Some("A call waits until there is room at its provider.".to_owned()),
        Standing::Waits { ahead } => {
            Some(format!("A call waits until there is room at its provider, behind {ahead} others."))
        }
        Standing::Full { waiting: 0, for_ms } => Some(format!(
            "There is no room at its provider for {}, and a call does not wait so long.",
            wait(for_ms.max(1000))
        )),
        Standing::Full { waiting, .. } => {
            Some(format!("{waiting} calls wait for room at its provider, as many as may. It is passed over meanwhile."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_asked_is_told_from_those_that_rest() {
        assert_eq!(state(Standing::Ready, true).0, "asked first");
        assert_eq!(state(Standing::Ready, false).0, "asked next");
        let rests = Standing::Rests { for_ms: 8_000, last_failure: None };
        assert_eq!(state(rests, false), ("rests for 8 s".to_owned(), Tone::Bad));
        assert_eq!(reason(Standing::Ready), None);
        assert_eq!(state(Standing::Waits { ahead: 2 }, false).0, "waits for room");
        assert!(reason(Standing::Full { waiting: 100, for_ms: 0 }).unwrap().starts_with("100 calls wait"));
    }
}
