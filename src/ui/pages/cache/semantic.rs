//! What was given by meaning: how often it was wrong, and each answer with both questions.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::cache::{list_semantic, set_semantic_wrong};
use crate::model::auth::{Action as May, Me};
use crate::model::cache::{SemanticHit, SemanticReport};
use crate::model::{Page, PageRequest, SemanticHitId};
use crate::ui::components::{
    Badge, Button, ButtonSize, Card, Column, DataTable, Load, RelativeTime, SkeletonShape, Tone, use_toasts,
};
use crate::ui::format;

/// Fewer checks than this say little, and no rate is shown.
const ENOUGH_CHECKS: i64 = 20;

/// What was counted.
#[component]
pub(super) fn Rates(report: SemanticReport) -> impl IntoView {
    view! {
        <Card id="by-meaning" title="By meaning">
            <dl class="pairs">
                <dt>"Given"</dt>
                <dd>{format::plural(report.hits, "answer")}</dd>
                <dt>"Asked to learn"</dt>
                <dd>{explored(&report)}</dd>
                <dt>"Wrong"</dt>
                <dd>{rate(&report)}</dd>
                <dt>"Called wrong"</dt>
                <dd>{format::count(report.called_wrong)}</dd>
            </dl>
        </Card>
    }
}

fn explored(report: &SemanticReport) -> String {
    match report.explored {
        0 => "no question that is like a kept one".to_owned(),
        explored => format!(
            "{}, {} with the same answer",
            format::plural(explored, "question"),
            format::count(report.explored_same)
        ),
    }
}

/// The measured rate of wrong answers, with how sure that is.
fn rate(report: &SemanticReport) -> String {
    let checked = format::plural(report.checked, "check");
    match report.false_hit_rate {
        Some(rate) if report.checked >= ENOUGH_CHECKS => format!(
            "{} of {checked}; between {} and {}, 95 times of 100",
            format::percent(rate),
            format::percent(report.false_hit_low),
            format::percent(report.false_hit_high)
        ),
        _ if report.checked > 0 => format!("{} of {checked}, too few to tell a rate", format::count(report.wrong)),
        _ => "nothing checked yet".to_owned(),
    }
}

/// What was given, newest first; nothing where nothing was.
#[component]
pub(super) fn Given(changed: RwSignal<u32>) -> impl IntoView {
    let given = Resource::new(move || changed.get(), |_| list_semantic(PageRequest::default()));
    view! {
        <Load resource=given what="the answers that were given by meaning" shape=SkeletonShape::Block(6) let:page>
            {(!page.items.is_empty()).then(|| view! { <List page changed /> })}
        </Load>
    }
}

#[component]
fn List(page: Page<SemanticHit>, changed: RwSignal<u32>) -> impl IntoView {
    let rows = RwSignal::new(page.items);
    let next = RwSignal::new(page.next);
    let columns = vec![
        Column::text("Given"),
        Column::text("Asked, and what the answer was made for"),
        Column::number("Likeness"),
        Column::number("Doubt"),
        Column::text("Checked"),
        Column::text(""),
    ];
    view! {
        <section class="stack" aria-labelledby="given-title">
            <h2 id="given-title">"Given by meaning"</h2>
            <DataTable label="Given by meaning" columns>
                <For each=move || rows.get() key=|one| (one.id, one.wrong_at) let:one><Row one changed /></For>
            </DataTable>
            <More rows next />
        </section>
    }
}

#[component]
fn Row(one: SemanticHit, changed: RwSignal<u32>) -> impl IntoView {
    let may_change = expect_context::<Me>().may(May::UseModel);
    let is_wrong = one.wrong_at.is_some();
    let by = one.wrong_by.clone().map(|name| format!("by {name}"));
    let words = match (one.asked.clone(), one.kept.clone()) {
        (Some(asked), Some(kept)) => view! {
            <div class="wrapped">{short(&asked)}</div>
            <div class="small dim wrapped">{short(&kept)}</div>
        }
        .into_any(),
        _ => view! { <span class="dim">"What belongs to one person is shown to that person."</span> }.into_any(),
    };
    view! {
        <tr>
            <td class="nowrap"><RelativeTime at=one.at /></td>
            <td data-wrap="">
                {words}
                <div class="small dim mono wrapped">{format!("{}/{}", one.provider, one.model)}</div>
                {is_wrong.then(|| view! { <div class="row wrap"><Badge label="Called wrong" tone=Tone::Warn /><span class="small dim">{by}</span></div> })}
            </td>
            <td class="num">{format!("{:.3}", one.similarity)}</td>
            <td class="num">{format::percent(one.doubt)}</td>
            <td class="nowrap">{checked(one.same)}</td>
            <td class="row-actions">{may_change.then(|| view! { <Judge id=one.id is_wrong changed /> })}</td>
        </tr>
    }
}

/// The beginning of a question.
fn short(text: &str) -> String {
    const MOST: usize = 240;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain("…".chars()).collect() }
}

fn checked(same: Option<bool>) -> AnyView {
    match same {
        Some(true) => view! { <Badge label="Right" tone=Tone::Good /> }.into_any(),
        Some(false) => view! { <Badge label="Wrong" tone=Tone::Bad /> }.into_any(),
        None => view! { <span class="dim">"no"</span> }.into_any(),
    }
}

#[component]
fn Judge(id: SemanticHitId, is_wrong: bool, changed: RwSignal<u32>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let mark = move |()| {
        busy.set(true);
        spawn_local(async move {
            match set_semantic_wrong(id, !is_wrong).await {
                Ok(_) if is_wrong => toasts.say(Tone::Good, "The answer may be given to this question again"),
                Ok(_) => toasts.say(Tone::Good, "The answer is not given to this question again"),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
            changed.try_update(|n| *n += 1);
        });
    };
    let label = if is_wrong { "Not wrong" } else { "Wrong answer" };
    view! { <Button label size=ButtonSize::Small busy on_press=mark /> }
}

#[component]
fn More(rows: RwSignal<Vec<SemanticHit>>, next: RwSignal<Option<String>>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let load = move |()| {
        busy.set(true);
        let page = PageRequest { cursor: next.get_untracked(), ..PageRequest::default() };
        spawn_local(async move {
            match list_semantic(page).await {
                Ok(page) => {
                    next.try_set(page.next);
                    rows.try_update(|rows| rows.extend(page.items));
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    view! {
        <Show when=move || next.read().is_some()>
            <nav class="pager" aria-label="Pages of what was given by meaning">
                <Button label="Load more" size=ButtonSize::Small busy on_press=load />
            </nav>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_only_after_enough_checks() {
        let of = |wrong: i64, checked: i64| SemanticReport {
            hits: 100,
            explored: 0,
            explored_same: 0,
            checked,
            wrong,
            false_hit_rate: (checked > 0).then(|| wrong as f64 / checked as f64),
            false_hit_low: 0.01,
            false_hit_high: 0.2,
            called_wrong: 0,
        };
        assert_eq!(rate(&of(0, 0)), "nothing checked yet");
        assert_eq!(rate(&of(1, 19)), "1 of 19 checks, too few to tell a rate");
        assert_eq!(rate(&of(1, 20)), "5 % of 20 checks; between 1 % and 20 %, 95 times of 100");
    }
}
