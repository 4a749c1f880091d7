//! What the chosen step printed in the run over the graph, live.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::overlay::use_overlay;
use super::run::use_runner;
use crate::api;
use crate::model::workflow::{LogChunk, StepStatus};
use crate::ui::components::VirtualList;
use crate::ui::format;

/// How many chunks are read when the tab opens.
const PAGE: u32 = 1_000;
/// Characters of a line that is put together of what came in pieces: beyond that another begins.
const MOST_JOINED: usize = 140;

/// Characters of the end that is shown of what a step writes.
const MOST_TAIL: usize = 600;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Default)]
struct LogLine {
    time: String,
    stream: String,
    text: String,
}

/// The lines of chunks, in their order. Times in UTC.
fn lines<'a>(chunks: impl Iterator<Item = &'a LogChunk>) -> Vec<LogLine> {
    let line = |chunk: &LogChunk, text: &str| LogLine {
        time: format::log_time(chunk.at, 0),
        stream: chunk.stream.clone(),
        text: text.to_owned(),
    };
    let mut lines: Vec<LogLine> = Vec::new();
    let mut is_open = false;
    for chunk in chunks {
        let mut texts = chunk.text.trim_end_matches('\n').split('\n').peekable();
        if let (true, Some(last), Some(first)) = (is_open, lines.last_mut(), texts.peek())
            && last.stream == chunk.stream
            && last.text.chars().count() + first.chars().count() <= MOST_JOINED
        {
            last.text.push_str(first);
            texts.next();
        }
        lines.extend(texts.map(|text| line(chunk, text)));
        is_open = !chunk.text.ends_with('\n');
    }
    lines
}

/// The log of one step.
#[component]
pub fn LogTab(id: String) -> impl IntoView {
    let runner = use_runner();
    let step = StoredValue::new(id);
    let read = RwSignal::new(Vec::<LogChunk>::new());
    Effect::new(move |_| {
        let Some(run) = runner.run.get() else { return };
        read.set(Vec::new());
        spawn_local(async move {
            if let Ok(chunks) = api::runs::list_run_logs(run, step.try_get_value(), 0, PAGE).await
                && runner.run.try_get_untracked() == Some(Some(run))
            {
                let _ = read.try_set(chunks);
            }
        });
    });
    let all = Memo::new(move |_| {
        let (read, live) = (read.read(), runner.log.read());
        let last = read.last().map_or(0, |chunk| chunk.seq);
        let mine = |chunk: &&LogChunk| step.with_value(|step| chunk.step == *step) && chunk.seq > last;
        lines(read.iter().chain(live.iter().filter(mine)))
    });
    let count = Signal::derive(move || all.read().len() as u32);
    let follow = RwSignal::new(true);
    let row = move |index: Signal<u32>| {
        let line = Memo::new(move |_| all.read().get(index.get() as usize).cloned().unwrap_or_default());
        let level = move || match line.read().stream.as_str() {
            "stderr" => "err",
            "stdout" => "out",
            _ => "info",
        };
        view! {
            <li data-level=level>
                <time>{move || line.get().time}</time>
                <span class="level">{level}</span>
                <span>{move || line.get().text}</span>
            </li>
        }
    };
    let row = StoredValue::new(row);
    move || {
        if count.get() == 0 {
            return view! { <p class="dim pane-body">"This step has printed nothing in the last run."</p> }.into_any();
        }
        view! { <VirtualList label="Log of the step" count follow class="log" row=move |index| row.with_value(|row| row(index)) /> }
            .into_any()
    }
}

/// The end of what the step writes while it runs, such as the words of a model as they come.
#[component]
pub fn StreamTail(id: String) -> impl IntoView {
    let runner = use_runner();
    let facts = use_overlay().facts(id.clone());
    let id = StoredValue::new(id);
    let text = Memo::new(move |_| {
        let facts = facts.get().filter(|facts| facts.status == StepStatus::Running)?;
        let log = runner.log.read();
        let is_mine = |chunk: &&LogChunk| {
            chunk.attempt == facts.attempt && chunk.stream == "stdout" && id.with_value(|id| chunk.step == *id)
        };
        end_of(log.iter().filter(is_mine))
    });
    move || {
        text.get().map(|text| {
            view! { <pre class="stream-tail" tabindex="0" role="group" aria-label="What it writes">{text}</pre> }
        })
    }
}

/// The last characters of what came in pieces; `None` where nothing did.
fn end_of<'a>(chunks: impl DoubleEndedIterator<Item = &'a LogChunk>) -> Option<String> {
    // From the end, and no further than is shown: it is read anew with each piece that comes.
    let (mut pieces, mut chars) = (Vec::new(), 0);
    for chunk in chunks.rev() {
        pieces.push(chunk.text.as_str());
        chars += chunk.text.trim().chars().count();
        if chars >= MOST_TAIL {
            break;
        }
    }
    let text: String = pieces.into_iter().rev().collect();
    let text = text.trim();
    let over = text.chars().count().saturating_sub(MOST_TAIL);
    (!text.is_empty()).then(|| text.chars().skip(over).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn chunks_become_lines() {
        let chunk = |seq, text: &str| LogChunk {
            seq,
            at: Timestamp(0),
            step: "a".to_owned(),
            attempt: 1,
            stream: "stdout".to_owned(),
            text: text.to_owned(),
        };
        let chunks = [chunk(1, "one\ntwo\n"), chunk(2, "th"), chunk(3, "ree")];
        let texts: Vec<String> = lines(chunks.iter()).into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["one", "two", "three"]);
        assert_eq!(end_of(chunks.iter()).as_deref(), Some("one\ntwo\nthree"));
        assert_eq!(end_of([chunk(1, " \n")].iter()), None);
        let long = [chunk(1, &"é".repeat(MOST_TAIL)), chunk(2, "end")];
        let end = end_of(long.iter()).unwrap();
        assert!(end.ends_with("éend") && end.chars().count() == MOST_TAIL);
    }
}
