//! What a container ran: its items or iterations, and of a chosen one the steps with what went in and what came out.
//!
//! What is chosen stands in the URL as a path: `each[3]` is a body, `each[3].work` a step in it, and so on inwards.

use leptos::prelude::*;

use super::give::GiveButton;
use super::page::Place;
use super::step::{AttemptList, Says};
use super::timeline::note;
use super::travel::StepTravel;
use super::value::ValueView;
use super::watch::Watch;
use crate::api;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Bodies, Body, BodyDetail, BodySummary, Step, StepState, StepStatus};
use crate::model::{ApiError, Page, PageRequest, RunId};
use crate::ui::components::{ErrorState, Icon, JsonTree, StatusBadge, StatusLook, StatusShape};
use crate::ui::designer::container::progress_words;
use crate::ui::format;

/// Bodies read at a time.
const PAGE: u32 = 100;

/// What a path has inside of a container: the number of the body, and what comes after it.
fn inside<'a>(path: &'a str, container: &str) -> Option<(u32, Option<&'a str>)> {
    let (index, rest) = path.strip_prefix(container)?.strip_prefix('[')?.split_once(']')?;
    Some((index.parse().ok()?, rest.strip_prefix('.')))
}

/// The word for one body of a container of this kind.
pub fn body_word(kind: &str) -> &'static str {
    match kind {
        "map" => "Item",
        "repeat" => "Iteration",
        _ => "Inside",
    }
}

/// Whose bodies are looked at.
#[derive(Clone, Copy)]
pub struct Whose {
    /// The run.
    pub watch: Watch,
    /// Where one looks.
    pub place: Place,
    /// The step of the run that all this is inside of.
    pub step: StoredValue<String>,
    /// The container's path.
    pub container: StoredValue<String>,
    /// The container's kind.
    pub kind: StoredValue<String>,
    /// How far it is.
    pub bodies: Signal<Option<Bodies>>,
    /// The browser's clock, in Unix ms.
    pub clock: Signal<Option<i64>>,
}

impl Whose {
    fn path(self, index: u32) -> String {
        self.container.with_value(|container| format!("{container}[{index}]"))
    }

    fn href(self, path: Option<&str>) -> String {
        self.step.with_value(|step| self.place.href_at(self.place.view.get(), Some(step), path))
    }

    /// The chosen body, and the step in it.
    fn chosen(self) -> Option<(u32, Option<String>)> {
        let at = self.place.at.read();
        let (index, rest) = self.container.with_value(|container| inside(at.as_deref()?, container))?;
        let step = rest.and_then(|rest| rest.split('[').next()).map(str::to_owned);
        Some((index, step))
    }
}

async fn read(run: RunId, container: String, most: u32) -> Result<Page<BodySummary>, ApiError> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest { limit: PAGE, cursor: cursor.take() };
        let found = api::runs::list_bodies(run, container.clone(), page).await?;
        items.extend(found.items);
        cursor = found.next;
        if cursor.is_none() || items.len() as u32 >= most {
            return Ok(Page { items, next: cursor });
        }
    }
}

/// The bodies of a container, and the one that is chosen.
#[component]
pub fn BodyList(whose: Whose) -> AnyView {
    let most = RwSignal::new(PAGE);
    let run = whose.watch.id;
    let rows = LocalResource::new(move || {
        whose.bodies.track();
        read(run, whose.container.get_value(), most.get())
    });
    let chosen = Memo::new(move |_| whose.chosen().map(|(index, _)| index));
    let words = move || whose.bodies.get().map(|bodies| progress_words(&bodies));
    let list = move || match rows.get() {
        None => ().into_any(),
        Some(Err(error)) => {
            let again = Callback::new(move |()| rows.refetch());
            view! { <ErrorState error what="the bodies" on_retry=again /> }.into_any()
        }
        Some(Ok(page)) if page.items.is_empty() => {
            view! { <p class="pane-note">"Nothing inside has begun."</p> }.into_any()
        }
        Some(Ok(page)) => {
            let more = page.next.is_some().then(|| {
                view! { <button class="json-more" type="button" on:click=move |_| most.update(|most| *most += PAGE)>"Show more"</button> }
            });
            let rows = page.items.into_iter().map(|body| view! { <BodyRow whose body chosen /> }).collect_view();
            view! { <ol class="bodies">{rows}</ol> {more} }.into_any()
        }
    };
    view! {
        <div class="body-list">
            {move || words().map(|words| view! { <p class="pane-note" role="status">{words}</p> })}
            {list}
        </div>
    }
    .into_any()
}

/// A body: a press opens it here, and closes it again.
#[component]
fn BodyRow(whose: Whose, body: BodySummary, chosen: Memo<Option<u32>>) -> impl IntoView {
    let BodySummary { index, status, started_at, ended_at, error } = body;
    let is_open = Memo::new(move |_| chosen.get() == Some(index));
    let href = move || whose.href((!is_open.get()).then(|| whose.path(index)).as_deref());
    let name = whose.kind.with_value(|kind| match kind.as_str() {
        "group" => "The steps inside".to_owned(),
        kind => format!("{} {}", body_word(kind), index + 1),
    });
    let took = ended_at.map(|ended| format::duration(ended.ms_since(started_at)));
    let said = error.map(|error| error.message);
    view! {
        <li>
            <a class="body-row" href=href data-noscroll="" aria-expanded=move || is_open.get().to_string()>
                <span class="twist" aria-hidden="true"><Icon name="right" /></span>
                <StatusBadge status=Signal::stored(StatusLook::from(status)) shape=StatusShape::Mark />
                <span class="name">{name}</span>
                {said.map(|said| view! { <span class="said">{said}</span> })}
                <span class="num">{took}</span>
            </a>
            <Show when=move || is_open.get()>
                <BodyView whose index />
            </Show>
        </li>
    }
}

#[component]
fn BodyView(whose: Whose, index: u32) -> AnyView {
    let run = whose.watch.id;
    let goes_on = RwSignal::new(true);
    let body = LocalResource::new(move || {
        whose.bodies.track();
        // A wait or another attempt inside moves no body, but the run.
        if goes_on.get_untracked() {
            whose.watch.moves.track();
        }
        let path = whose.path(index);
        async move {
            let read = api::runs::get_body(run, path).await;
            if let Ok(body) = &read {
                goes_on.try_set(body.summary.ended_at.is_none());
            }
            read
        }
    });
    // Drawn anew where something differs.
    let shown = Memo::new(move |_| body.get());
    let view = move || match shown.get() {
        None => ().into_any(),
        Some(Err(error)) => {
            let again = Callback::new(move |()| body.refetch());
            view! { <ErrorState error what="the steps inside" on_retry=again /> }.into_any()
        }
        Some(Ok(BodyDetail { path, definition, steps, .. })) => {
            let rows = in_order(&definition, steps)
                .into_iter()
                .map(|(step, state)| view! { <InnerStep whose path=format!("{path}.{}", step.id) step state index /> })
                .collect_view();
            view! {
                <div class="inner-actions"><StepTravel path watch=whose.watch /></div>
                <ol class="inner-steps">{rows}</ol>
            }
            .into_any()
        }
    };
    view! { {view} }.into_any()
}

/// The steps of a body as one reads them, with what became of each.
fn in_order(definition: &Body, states: Vec<StepState>) -> Vec<(Step, StepState)> {
    let order = super::order::running_order(&definition.steps, &definition.edges);
    let pair = |id: &String| Some((definition.step(id)?.clone(), states.iter().find(|state| state.id == *id)?.clone()));
    order.iter().filter_map(pair).collect()
}

#[component]
fn InnerStep(whose: Whose, index: u32, path: String, step: Step, state: StepState) -> AnyView {
    let id = StoredValue::new(step.id.clone());
    let is_open = Memo::new(move |_| {
        whose.chosen().is_some_and(|(at, step)| at == index && id.with_value(|id| step.as_deref() == Some(id)))
    });
    let body = whose.path(index);
    let own = path.clone();
    let href = move || whose.href(Some(if is_open.get() { &body } else { &own }));
    let icon = Kind::find(&step.kind).map_or("help", |kind| kind.icon);
    let took = state.started_at.zip(state.ended_at).map(|(from, to)| format::duration(to.ms_since(from)));
    let said = note(&state, None);
    let status = Signal::stored(StatusLook::from(state.status));
    let (path, kind, state) = (StoredValue::new(path), StoredValue::new(step.kind.clone()), StoredValue::new(state));
    let label = step.label().to_owned();
    let shown = label.clone();
    let inner = move || {
        let state = state.get_value();
        let label = |what: &str| Signal::stored(format!("{what} of {label}"));
        let nested = state.bodies.map(|bodies| {
            let whose = Whose { container: path, kind, bodies: Signal::stored(Some(bodies)), ..whose };
            view! { <BodyList whose /> }
        });
        let (output_label, input_label) = (label("Output"), label("Input"));
        let is_retrying = state.status == StepStatus::Retrying;
        // One attempt without a wait says no more than the line above.
        let has_waited = state.spans.len() > 1 || is_retrying || state.status == StepStatus::Waiting;
        let signal = RwSignal::new(state.clone());
        let attempts = has_waited.then(|| {
            let id = path.get_value();
            view! { <h3>"Attempts"</h3> <AttemptList id run=whose.watch.id state=signal clock=whose.clock /> }
        });
        view! {
            <div class="inner-actions">
                {is_retrying.then(|| view! { <GiveButton path=path.get_value() /> })}
                <StepTravel path=path.get_value() watch=whose.watch />
            </div>
            <Says state=signal />
            {attempts}
            {nested}
            <Values state output_label input_label />
        }
    };
    view! {
        <li>
            <a class="body-row" href=href data-noscroll="" aria-expanded=move || is_open.get().to_string()>
                <span class="twist" aria-hidden="true"><Icon name="right" /></span>
                <StatusBadge status shape=StatusShape::Mark />
                <span class="name"><Icon name=icon />{shown}</span>
                {said.map(|said| view! { <span class="said">{said}</span> })}
                <span class="num">{took}</span>
            </a>
            {move || is_open.get().then(|| view! { <div class="inner-step">{inner()}</div> })}
        </li>
    }
    .into_any()
}

#[component]
fn Values(state: StepState, output_label: Signal<String>, input_label: Signal<String>) -> impl IntoView {
    let StepState { input, output, attempt, .. } = state;
    let output = (!output.is_null()).then(|| {
        let value = Memo::new(move |_| output.clone());
        view! { <h3>"Output"</h3> <ValueView label=output_label value /> }
    });
    let input = (attempt > 0 && !input.is_null()).then(|| {
        let value = Memo::new(move |_| input.clone());
        view! { <h3>"Input"</h3> <JsonTree label=input_label value /> }
    });
    let none =
        (output.is_none() && input.is_none()).then(|| view! { <p class="pane-note">"The step has not started."</p> });
    view! { {output} {input} {none} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_level_by_level() {
        assert_eq!(inside("each[3].again[0].try", "each"), Some((3, Some("again[0].try"))));
        assert_eq!(inside("each[3].again[0].try", "each[3].again"), Some((0, Some("try"))));
        assert_eq!(inside("each[3]", "each"), Some((3, None)));
        for other in ["each", "each[", "each[x]", "eachother[1]"] {
            assert_eq!(inside(other, "each"), None, "{other}");
        }
    }
}
