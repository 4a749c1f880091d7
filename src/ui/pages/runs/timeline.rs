//! The timeline: a row for each step, a bar for each attempt and wait.

use leptos::html;
use leptos::prelude::*;

use super::asked::Asked;
use super::order::running_order;
use super::page::{Place, View};
use super::scale::Scale;
use super::undone::named;
use super::watch::Watch;
use crate::model::Timestamp;
use crate::model::workflow::{Edge, SkipReason, Span, StepState, StepStatus};
use crate::ui::components::{StatusBadge, StatusLook, StatusShape};
use crate::ui::designer::container::{progress_words, told_words};
use crate::ui::pages::approvals::words;
use crate::ui::{browser, format};

/// Rows drawn before one asks for more.
const PAGE: usize = 400;
/// Characters of a note beside a bar.
const NOTE_CHARS: usize = 70;

/// The axis, and now.
#[derive(Clone, Copy)]
struct Axis {
    start: Signal<Timestamp>,
    now: Signal<Timestamp>,
    scale: Memo<Scale>,
}

impl Axis {
    fn fraction(self, at: Timestamp) -> f64 {
        self.scale.get().fraction(at.ms_since(self.start.get()))
    }
}

/// The steps in running order as bars over time. ↑ and ↓ move between rows, Enter opens one.
#[component]
pub fn Timeline(watch: Watch, clock: Signal<Option<i64>>, place: Place) -> impl IntoView {
    let latest = watch.latest();
    let start = Signal::derive(move || {
        let run = watch.summary.read();
        run.started_at.unwrap_or(run.created_at)
    });
    let is_open = Signal::derive(move || watch.summary.read().ended_at.is_none());
    let now = Signal::derive(move || match watch.summary.read().ended_at {
        Some(ended) => ended,
        None => clock.get().map_or(latest, |ms| Timestamp(ms * 1000).max(start.get())),
    });
    let scale = Memo::new(move |_| Scale::covering(now.get().ms_since(start.get())));
    let axis = Axis { start, now, scale };
    let order =
        StoredValue::new(watch.definition.with_value(|definition| running_order(&definition.steps, &definition.edges)));
    let known = order.with_value(Vec::len);
    let total = move || known + watch.undone.read().len();
    let shown = RwSignal::new(PAGE);
    let rows = move || {
        order.with_value(|ids| {
            let undone = watch.undone.read();
            ids.iter().chain(undone.iter()).take(shown.get()).cloned().collect::<Vec<_>>()
        })
    };
    let element = NodeRef::<html::Ul>::new();
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            "Home" => i32::MIN,
            "End" => i32::MAX,
            _ => return,
        };
        event.prevent_default();
        if let Some(element) = element.get() {
            browser::move_focus(&element, ".gantt-row", step);
        }
    };
    let ticks = move || {
        let tick =
            |(at, label): (f64, String)| view! { <span style=format!("--at: {:.3}%", at * 100.0)>{label}</span> };
        scale.get().ticks().into_iter().map(tick).collect_view()
    };
    view! {
        <div class="gantt">
            <span class="gantt-corner">{move || format::plural(total() as i64, "step")}</span>
            <div class="gantt-axis" aria-hidden="true">{ticks}</div>
            <Show when=move || is_open.get() && clock.get().is_some()>
                <div class="gantt-now" aria-hidden="true" style=move || format!("--at: {:.4}", axis.fraction(now.get()))>
                    <span>{move || format::stopwatch(now.get().ms_since(start.get()))}</span>
                </div>
            </Show>
            <ul class="gantt-rows" node_ref=element on:keydown=keys>
                <For each=rows key=Clone::clone let:id>
                    <Row id watch axis place first=order.with_value(|ids| ids.first().cloned()) />
                </For>
            </ul>
            <Show when=move || shown.get() < total()>
                <button class="json-more" type="button" on:click=move |_| shown.update(|shown| *shown += PAGE)>
                    {move || format!("{} of {} more steps", PAGE.min(total() - shown.get()), total() - shown.get())}
                </button>
            </Show>
        </div>
    }
}

#[component]
fn Row(id: String, watch: Watch, axis: Axis, place: Place, first: Option<String>) -> impl IntoView {
    let state = watch.step(&id)?;
    let (name, _) = watch.definition.with_value(|definition| named(definition, &id))?;
    let is_first = first.as_deref() == Some(&id);
    let id = StoredValue::new(id);
    let chosen = Memo::new(move |_| place.step.with(|step| id.with_value(|id| step.as_deref() == Some(id))));
    // one tab stop: the chosen row, or the first
    let tab = move || {
        if chosen.get() || (is_first && place.step.with(Option::is_none)) { "0" } else { "-1" }
    };
    let idle = Memo::new(move |_| state.read().spans.is_empty());
    let spans = move || (0..state.read().spans.len()).collect::<Vec<_>>();
    Some(view! {
        <li>
            <a
                class="gantt-row"
                href=move || place.href(View::Timeline, Some(&id.get_value()))
                data-noscroll=""
                aria-current=move || chosen.get().then_some("true")
                tabindex=tab
            >
                <span class="gantt-name">
                    <StatusBadge status=Signal::derive(move || StatusLook::from(state.read().status)) shape=StatusShape::Mark />
                    <span class="name" class:dim=move || idle.get()>{name}</span>
                    <span class="num">{move || took(&state.read(), axis.start.get(), axis.now.get())}</span>
                </span>
                <span class="gantt-lane" style=move || format!("--tick: {:.4}%", axis.scale.get().tick() * 100.0)>
                    <For each=spans key=|at| *at let:at>
                        <Bar span=Signal::derive(move || state.read().spans.get(at).cloned()) axis />
                    </For>
                    <SkippedBar state axis />
                    <Note state axis watch />
                </span>
            </a>
        </li>
    })
}

/// How long a step took so far, without what the source of a fork had done of it; nothing for one that did nothing.
fn took(step: &StepState, start: Timestamp, now: Timestamp) -> String {
    let own = step.spans.iter().find(|span| span.from >= start).or(step.spans.first());
    match (own, step.ended_at) {
        (Some(first), ended) => format::duration(ended.unwrap_or(now).ms_since(first.from)),
        _ => String::new(),
    }
}

#[component]
fn Bar(span: Signal<Option<Span>>, axis: Axis) -> impl IntoView {
    let geometry = move || {
        span.get().map(|span| {
            let from = axis.fraction(span.from);
            let to = axis.fraction(span.to.unwrap_or_else(|| axis.now.get()));
            format!("--from: {:.3}%; --for: {:.3}%", from * 100.0, (to - from) * 100.0)
        })
    };
    let title = move || {
        span.get().map(|span| match span.to {
            Some(to) => format!(
                "Attempt {}: {}, {}",
                span.attempt,
                span.status.label(),
                format::duration(to.ms_since(span.from))
            ),
            None => format!("Attempt {}: {}", span.attempt, span.status.label()),
        })
    };
    view! { <span class="bar" data-status=move || span.get().map(|span| span.status.as_str()) style=geometry title=title></span> }
}

/// A few dots where a step was passed over.
#[component]
fn SkippedBar(state: RwSignal<StepState>, axis: Axis) -> impl IntoView {
    let at = move || {
        let step = state.read();
        if step.status == StepStatus::Skipped && step.spans.is_empty() { step.ended_at } else { None }
    };
    move || {
        at().map(|at| {
            let from = axis.fraction(at).min(0.96) * 100.0;
            view! { <span class="bar" data-status="skipped" style=format!("--from: {from:.3}%; --for: 3%")></span> }
        })
    }
}

/// A few words beside the bars, on the side where there is room.
#[component]
fn Note(state: RwSignal<StepState>, axis: Axis, watch: Watch) -> impl IntoView {
    let asked = use_context::<Asked>();
    // For whom a step waits is said by its approval.
    let waits = move |step: &StepState| asked.and_then(|asked| asked.of_step(&step.id)).map(|a| words::waits_for(&a));
    let text = Memo::new(move |_| {
        let step = state.read();
        // A fork begins with what its source had done.
        let kept = step.ended_at.is_some_and(|ended| ended < axis.start.get());
        if kept {
            Some("kept from the run it was forked from".to_owned())
        } else {
            let told = watch.progress_of(&step.id).map(|told| told_words(&told));
            told.or_else(|| note(&step, (step.status == StepStatus::Waiting).then(|| waits(&step)).flatten()))
        }
    });
    let ends = move || {
        let step = state.read();
        let from = step.spans.first().map(|span| span.from).or(step.ended_at);
        let to = step.spans.last().map_or(step.ended_at, |span| Some(span.to.unwrap_or_else(|| axis.now.get())));
        let skipped = if step.spans.is_empty() { 0.03 } else { 0.0 };
        let fraction = |at: Option<Timestamp>| at.map_or(0.0, |at| axis.fraction(at));
        (fraction(from), fraction(to) + skipped)
    };
    move || {
        let text = text.get()?;
        let (from, to) = ends();
        let side = side(from, to, text.chars().count());
        let at = if side.is_some() { from } else { to };
        let style = format!("--from: {:.3}%", at * 100.0);
        Some(view! { <span class="bar-note" data-side=side style=style><span>{text}</span></span> })
    }
}

/// Where a note of `chars` characters stands, by the ends of the bars (0 to 1): after them when there is room, else
/// before them, else on a line of its own under them, so that they stay whole.
fn side(from: f64, to: f64, chars: usize) -> Option<&'static str> {
    /// The part of a lane that a character takes, where the lane is some 520 px wide, and that the gap takes.
    const CHAR: f64 = 0.012;
    const GAP: f64 = 0.02;
    /// With so much, the longest notes fit a usual lane.
    const ENOUGH: f64 = 0.34;
    let wanted = (chars as f64 * CHAR + GAP).min(ENOUGH);
    match (1.0 - to >= wanted, from >= wanted) {
        (true, _) => None,
        (false, true) => Some("before"),
        (false, false) => Some("under"),
    }
}

/// What a step has to say beside its bars; `waits` in place of the reason that the run knows.
pub(super) fn note(step: &StepState, waits: Option<String>) -> Option<String> {
    let text = match step.status {
        StepStatus::Running | StepStatus::Succeeded if step.bodies.is_some() => {
            step.bodies.as_ref().map(progress_words)
        }
        StepStatus::Waiting if waits.is_some() => waits,
        StepStatus::Waiting => step.waiting.as_ref().map(|waiting| waiting.reason.clone()),
        StepStatus::Retrying => step.error.as_ref().map(|error| format!("tries again after: {}", error.message)),
        StepStatus::Failed => step.error.as_ref().map(|error| error.message.clone()),
        StepStatus::Skipped | StepStatus::Cancelled => step.skipped.map(|reason| skipped(reason).to_owned()),
        StepStatus::Succeeded if step.error.is_some() => Some("failed, went on with its default".to_owned()),
        StepStatus::Succeeded if step.given.is_some() => Some("given by hand".to_owned()),
        StepStatus::Succeeded if step.attempt > 1 => Some(format!("passed on attempt {}", step.attempt)),
        StepStatus::Succeeded => step.port.as_ref().filter(|port| *port != Edge::OUT).cloned(),
        StepStatus::Running if step.attempt > 1 => Some(format!("attempt {}", step.attempt)),
        StepStatus::Queued | StepStatus::Ready | StepStatus::Running => None,
    }?;
    let line = text.lines().next().unwrap_or_default();
    let cut = line.char_indices().nth(NOTE_CHARS).map(|(at, _)| at);
    Some(cut.map_or_else(|| line.to_owned(), |at| format!("{}…", &line[..at])))
}

/// Why a step did not run, or not to its end.
pub fn skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NotReached => "not reached",
        SkipReason::LostRace => "another branch was first",
        SkipReason::Disabled => "disabled",
        SkipReason::RunEnded => "the run ended before it",
        SkipReason::NotAsked => "not asked for",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::workflow::StepError;

    fn step(status: StepStatus) -> StepState {
        StepState {
            id: "a".into(),
            status,
            attempt: 1,
            started_at: None,
            ended_at: None,
            input: Value::Null,
            output: Value::Null,
            port: None,
            error: None,
            waiting: None,
            skipped: None,
            sub_run: None,
            given: None,
            bodies: None,
            spans: Vec::new(),
        }
    }

    #[test]
    fn a_note_says_what_is_worth_knowing() {
        let check =
            |step: StepState, expected: Option<&str>| assert_eq!(note(&step, None).as_deref(), expected, "{step:?}");
        let error = |message: &str| Some(StepError::permanent("exit_code", message));
        check(step(StepStatus::Queued), None);
        check(StepState { port: Some("out".into()), ..step(StepStatus::Succeeded) }, None);
        check(StepState { port: Some("true".into()), ..step(StepStatus::Succeeded) }, Some("true"));
        check(StepState { attempt: 2, ..step(StepStatus::Succeeded) }, Some("passed on attempt 2"));
        check(StepState { error: error("exit code 1\nmore"), ..step(StepStatus::Failed) }, Some("exit code 1"));
        check(StepState { skipped: Some(SkipReason::NotReached), ..step(StepStatus::Skipped) }, Some("not reached"));
    }

    #[test]
    fn a_note_stands_where_there_is_room_and_never_on_a_bar() {
        assert_eq!(side(0.1, 0.6, 70), None);
        assert_eq!(side(0.1, 0.9, 4), None);
        assert_eq!(side(0.5, 0.9, 70), Some("before"));
        assert_eq!(side(0.0, 0.9, 37), Some("under"));
    }

    #[test]
    fn a_waiting_step_says_for_whom() {
        let waits = Some("waits for any admin".to_owned());
        assert_eq!(note(&step(StepStatus::Waiting), waits.clone()), waits);
    }

    #[test]
    fn a_long_note_is_cut_between_characters() {
        let error = Some(StepError::permanent("x", "ä".repeat(100)));
        let text = note(&StepState { error, ..step(StepStatus::Failed) }, None).expect("a note");
        assert_eq!(text.chars().count(), NOTE_CHARS + 1);
    }
}
