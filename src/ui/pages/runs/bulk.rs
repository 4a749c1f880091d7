//! Ticked rows of the list of runs, and what can be done to all of them at once.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::model::RunId;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{BulkResult, Command};
use crate::ui::components::{Button, ButtonLink, ButtonSize, ButtonVariant, ConfirmDialog, Icon, Tone, use_toasts};
use crate::ui::format;

/// Runs that one command reaches at most, as the server has it.
const MAX_RUNS: usize = 200;

/// The ticked rows. From the context of the list.
#[derive(Debug, Clone, Copy)]
pub struct Ticked {
    runs: RwSignal<BTreeSet<RunId>>,
    /// What the last command did not reach.
    refused: RwSignal<Vec<BulkResult>>,
}

impl Ticked {
    /// No row.
    pub fn new() -> Self {
        Self { runs: RwSignal::new(BTreeSet::new()), refused: RwSignal::new(Vec::new()) }
    }

    fn toggle(self, id: RunId, on: bool) {
        self.runs.update(|runs| {
            if on {
                runs.insert(id);
            } else {
                runs.remove(&id);
            }
        });
    }

    /// These, and no others: the newest of those that are shown, as many as one command reaches.
    fn choose(self, shown: &[RunId]) {
        self.runs.set(shown.iter().take(MAX_RUNS).copied().collect());
    }

    /// "2 of 3 cancelled", and what was refused stays ticked, with its reason.
    fn take(self, word: &str, results: Vec<BulkResult>) -> String {
        let all = results.len();
        let refused: Vec<BulkResult> = results.into_iter().filter(|result| result.refused.is_some()).collect();
        self.runs.set(refused.iter().map(|result| result.run_id).collect());
        let text = done(word, all, refused.len());
        self.refused.set(refused);
        text
    }
}

fn done(word: &str, all: usize, refused: usize) -> String {
    match refused {
        0 => format!("{} {word}.", format::plural(all as i64, "run")),
        refused => format!("{} of {} {word}.", all - refused, format::plural(all as i64, "run")),
    }
}

/// The box of one row.
#[component]
pub fn Tick(id: RunId, name: String) -> impl IntoView {
    let ticked = expect_context::<Ticked>();
    let on = Memo::new(move |_| ticked.runs.read().contains(&id));
    view! {
        <label>
            <span class="visually-hidden">{format!("Choose this run of {name}")}</span>
            <input
                type="checkbox"
                prop:checked=move || on.get()
                on:change=move |event| ticked.toggle(id, event_target_checked(&event))
            />
        </label>
    }
}

/// What can be done to the ticked rows; there while any is ticked.
#[component]
pub fn BulkBar(
    ticked: Ticked,
    /// The rows of the list, from the first.
    shown: Signal<Vec<RunId>>,
) -> impl IntoView {
    let count = Memo::new(move |_| ticked.runs.read().len());
    let pair = Memo::new(move |_| {
        let runs = ticked.runs.read();
        let mut ids = runs.iter().copied();
        // Ids grow with time: the older one stands on the left.
        (runs.len() == 2).then(|| ids.next().zip(ids.next())).flatten()
    });
    let more = Memo::new(move |_| {
        let shown = shown.read();
        let most = shown.len().min(MAX_RUNS);
        let all = ticked.runs.with(|runs| shown.iter().take(MAX_RUNS).all(|id| runs.contains(id)));
        (!all).then_some((most, shown.len() > most))
    });
    let all_label = Signal::derive(move || match more.get() {
        Some((most, true)) => format!("Choose the first {most}"),
        Some((most, false)) => format!("Choose all {most} shown"),
        None => String::new(),
    });
    let choose_all = move |()| shown.with_untracked(|shown| ticked.choose(shown));
    let clear = move |()| {
        ticked.runs.update(BTreeSet::clear);
        ticked.refused.update(Vec::clear);
    };
    view! {
        <Show when=move || { count.get() > 0 }>
            <div class="bulk-bar" role="region" aria-label="Chosen runs">
                <strong role="status">{move || format!("{} chosen", format::plural(count.get() as i64, "run"))}</strong>
                {move || {
                    pair.get().map(|(a, b)| {
                        view! {
                            <ButtonLink
                                href=format!("/runs/compare?a={a}&b={b}")
                                label="Compare"
                                icon="updown"
                                size=ButtonSize::Small
                            />
                        }
                    })
                }}
                <BulkButton ticked command=Command::Retry label="Retry" word="retried" icon="retry" />
                <CancelButton ticked count />
                <Show when=move || more.read().is_some()>
                    <Button label=all_label variant=ButtonVariant::Quiet size=ButtonSize::Small on_press=choose_all />
                </Show>
                <Button label="Choose none" variant=ButtonVariant::Quiet size=ButtonSize::Small on_press=clear />
                <Refusals ticked />
            </div>
        </Show>
    }
}

/// Why the command can't be given.
fn no_command(ticked: Ticked) -> Signal<Option<String>> {
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::ControlRun));
    Signal::derive(move || {
        if !may {
            return Some(format!("Your role may not {}", Action::ControlRun.phrase()));
        }
        let count = ticked.runs.read().len();
        (count > MAX_RUNS).then(|| format!("At most {MAX_RUNS} runs at once; {count} are chosen"))
    })
}

fn send(ticked: Ticked, command: Command, word: &'static str, busy: RwSignal<bool>, then: impl FnOnce() + 'static) {
    let toasts = use_toasts();
    let ids: Vec<RunId> = ticked.runs.with_untracked(|runs| runs.iter().copied().collect());
    busy.set(true);
    spawn_local(async move {
        match api::travel::control_runs(ids, command).await {
            Ok(results) => {
                let bad = results.iter().any(|result| result.refused.is_some());
                let text = ticked.take(word, results);
                toasts.say(if bad { Tone::Warn } else { Tone::Good }, text);
            }
            Err(error) => toasts.say(Tone::Bad, error.detail()),
        }
        busy.try_set(false);
        then();
    });
}

#[component]
fn BulkButton(
    ticked: Ticked,
    command: Command,
    label: &'static str,
    word: &'static str,
    icon: &'static str,
) -> impl IntoView {
    let busy = RwSignal::new(false);
    let refused = no_command(ticked);
    let owner = Owner::current();
    let press = move |()| {
        if let Some(owner) = &owner {
            owner.with(|| send(ticked, command, word, busy, || {}));
        }
    };
    view! { <Button label icon size=ButtonSize::Small busy refused on_press=press /> }
}

/// Cancelling can't be taken back: it is asked for.
#[component]
fn CancelButton(ticked: Ticked, count: Memo<usize>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let open = RwSignal::new(false);
    let refused = no_command(ticked);
    let owner = Owner::current();
    let confirm = move |()| {
        if let Some(owner) = &owner {
            owner.with(|| {
                send(ticked, Command::Cancel, "cancelled", busy, move || {
                    open.try_set(false);
                });
            });
        }
    };
    let title = Signal::derive(move || format!("Cancel {}?", format::plural(count.get() as i64, "run")));
    let action = Signal::derive(move || format!("Cancel {}", format::plural(count.get() as i64, "run")));
    view! {
        <Button label="Cancel…" icon="stop" size=ButtonSize::Small refused on_press=move |()| open.set(true) />
        <ConfirmDialog id="bulk-cancel" title open action keep="Keep them" busy on_confirm=confirm>
            "Steps in flight are ended, and what a workflow says is to be undone is undone. What has ended stays as it is. A cancelled run can be retried where nothing was undone."
        </ConfirmDialog>
    }
}

/// Those that the last command did not reach, each with its reason.
#[component]
fn Refusals(ticked: Ticked) -> impl IntoView {
    let rows = move || {
        let refused = ticked.refused.get();
        (!refused.is_empty()).then(|| {
            let row = |result: BulkResult| {
                let id = result.run_id.to_string();
                let end = id.get(id.len() - 8..).unwrap_or(&id).to_owned();
                view! {
                    <li data-fails="">
                        <Icon name="s-failed" />
                        <a class="link" href=format!("/runs/{id}")>{format!("Run …{end}")}</a>
                        <span class="grow">{result.refused}</span>
                    </li>
                }
            };
            view! { <ul class="told">{refused.into_iter().map(row).collect_view()}</ul> }
        })
    };
    view! { {rows} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_counted() {
        assert_eq!(done("cancelled", 3, 0), "3 runs cancelled.");
        assert_eq!(done("retried", 3, 1), "2 of 3 runs retried.");
    }
}
