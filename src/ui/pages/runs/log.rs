//! The log of a run or of one of its steps: found by words, followed at its end, saved as a file.

use leptos::prelude::*;

use super::logbook::{Line, Logbook, MOST_LINES, Shown, Wanted};
use super::watch::Watch;
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant, ErrorState, SearchBox, VirtualList};
use crate::ui::{browser, format};

/// The log of `step`, or of the whole run.
#[component]
pub fn LogPane(watch: Watch, step: Signal<Option<String>>) -> impl IntoView {
    let words = RwSignal::new(String::new());
    let attempt = RwSignal::new(None::<u32>);
    let follow = RwSignal::new(true);
    let shown = Memo::new(move |_| {
        let wanted = Wanted { step: step.get(), attempt: attempt.get(), words: words.get() };
        watch.log.with(|log| log.shown(&wanted))
    });
    let count = Signal::derive(move || shown.with(Shown::len));
    let whole_run = step.with_untracked(Option::is_none);
    let label = if whole_run { "Log of the run" } else { "Log of the step" };
    let row = move |at: Signal<u32>| {
        let line = move || watch.log.with(|log| log.line(shown.with(|shown| shown.line(at.get()))?).cloned());
        view! { <LogLine line=Signal::derive(line) words whole_run watch /> }
    };
    view! {
        <div class="pane-head">
            <h2>"Log"</h2>
            <Attempts watch step attempt />
            <div class="actions">
                <SearchBox label="Find in log" words on_search=move |found| words.set(found) />
                <Button
                    label="Follow"
                    variant=ButtonVariant::Quiet
                    size=ButtonSize::Small
                    pressed=Signal::derive(move || Some(follow.get()))
                    on_press=move |()| follow.update(|follow| *follow = !*follow)
                />
                <Save watch shown />
            </div>
        </div>
        <LogState watch count words />
        <Show when=move || { count.get() > 0 }>
            <VirtualList label count follow class="log" row />
        </Show>
    }
}

/// What is to be said where no lines are, or where some are left out.
#[component]
fn LogState(watch: Watch, count: Signal<u32>, words: RwSignal<String>) -> impl IntoView {
    let again = Callback::new(move |()| watch.read_log());
    let left_out = Memo::new(move |_| watch.log.with(Logbook::left_out));
    move || {
        if let Some(error) = watch.log_error.get() {
            return view! { <ErrorState error what="the log" on_retry=again /> }.into_any();
        }
        if left_out.get() > 0 {
            let text = format!(
                "The first {} lines are shown; {} more were printed.",
                format::count(MOST_LINES as i64),
                format::count(i64::from(left_out.get())),
            );
            return view! { <p class="pane-note">{text}</p> }.into_any();
        }
        let empty = match (count.get() > 0, words.read().is_empty()) {
            (true, _) => return ().into_any(),
            (false, false) => "No line contains these words.",
            (false, true) if watch.status().get().is_final() => "Nothing was printed.",
            (false, true) => "Nothing has been printed yet.",
        };
        view! { <p class="pane-note">{empty}</p> }.into_any()
    }
}

/// One attempt of several, where there are several.
#[component]
fn Attempts(watch: Watch, step: Signal<Option<String>>, attempt: RwSignal<Option<u32>>) -> impl IntoView {
    let tries = Memo::new(move |_| {
        let state = step.get().and_then(|step| watch.step(&step));
        state.map_or(0, |state| state.read().attempt)
    });
    let button = move |which: Option<u32>| {
        let label = which.map_or_else(|| "All".to_owned(), |number| format!("Attempt {number}"));
        view! {
            <button type="button" aria-pressed=move || (attempt.get() == which).to_string() on:click=move |_| attempt.set(which)>
                {label}
            </button>
        }
    };
    view! {
        <Show when=move || { (2..=4).contains(&tries.get()) }>
            <div class="segmented" role="group" aria-label="Attempt">
                {button(None)} {move || (1..=tries.get()).map(|number| button(Some(number))).collect_view()}
            </div>
        </Show>
    }
}

#[component]
fn Save(watch: Watch, shown: Memo<Shown>) -> impl IntoView {
    let save = move |()| {
        let text = watch.log.with_untracked(|log| shown.with_untracked(|shown| log.text(shown)));
        browser::save_file(&format!("run-{}.log", watch.id), "text/plain", &text);
    };
    let refused =
        Signal::derive(move || shown.with(|shown| (shown.len() == 0).then(|| "There is nothing to save".to_owned())));
    view! {
        <Button
            label="Save the log as a file"
            icon="download"
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            shape=ButtonShape::IconOnly
            refused
            on_press=save
        />
    }
}

#[component]
fn LogLine(line: Signal<Option<Line>>, words: RwSignal<String>, whole_run: bool, watch: Watch) -> impl IntoView {
    let level = move || line.with(|line| line.as_ref().map_or("info", |line| line.level));
    let time = move || {
        line.with(|line| {
            line.as_ref().map(|line| format::log_time(line.at, browser::offset_minutes(line.at.unix_ms())))
        })
    };
    let name = move || {
        let step = line.with(|line| line.as_ref().map(|line| line.step.to_string()))?;
        let label = |definition: &crate::model::workflow::Definition| {
            definition.step(&step).map(|step| step.label().to_owned())
        };
        Some(watch.definition.with_value(label).unwrap_or(step))
    };
    let source = move || whole_run.then(|| view! { <b class="log-step">{name()}</b> });
    let text = move || {
        marked(&line.with(|line| line.as_ref().map(|line| line.text.clone()).unwrap_or_default()), &words.read())
    };
    view! {
        <li data-level=level>
            <time>{time}</time>
            <span class="level">{level}</span>
            <span>{source} {text}</span>
        </li>
    }
}

/// The text with what was searched for marked, where upper and lower case have the same length.
fn marked(text: &str, words: &str) -> AnyView {
    let (lower, words) = (text.to_lowercase(), words.to_lowercase());
    let found = if words.is_empty() || lower.len() != text.len() { None } else { lower.find(&words) };
    let split =
        found.and_then(|at| Some((text.get(..at)?, text.get(at..at + words.len())?, text.get(at + words.len()..)?)));
    match split {
        Some((before, mark, after)) => {
            view! { {before.to_owned()}<mark>{mark.to_owned()}</mark>{after.to_owned()} }.into_any()
        }
        None => text.to_owned().into_any(),
    }
}
