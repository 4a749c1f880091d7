//! `/memory/backups`: copies of namespaces that are written by themselves, what came of each, and how they come back.

mod form;
mod restore;

use leptos::prelude::*;
use leptos::task::spawn_local;

use self::form::{BackupDialog, Form};
use self::restore::{Restore, RestoreDialog};
use crate::api::memory::{delete_backup, list_backups, run_backup};
use crate::model::BackupId;
use crate::model::auth::{Action as May, Me};
use crate::model::memory::{Backup, BackupCopy, BackupDraft, BackupOutcome, BackupRun};
use crate::ui::components::{
    Badge, Button, ButtonShape, ButtonSize, ButtonVariant, ConfirmDialog, Crumb, EmptyState, Load, PageHeader,
    RelativeTime, SkeletonShape, Tone, use_toasts,
};
use crate::ui::{browser, format};

/// When it is looked again after a backup was made to begin at once, in ms.
const LOOKS_MS: [i32; 4] = [500, 2_000, 6_000, 20_000];
/// Copies that a card shows; the others wait behind a press.
const SHOWN: usize = 5;

/// What the cards share.
#[derive(Clone, Copy)]
struct Acts {
    /// Goes up when everything must be loaded anew.
    refresh: RwSignal<u32>,
    form: Form,
    restore: Restore,
    /// The backup that is about to be removed.
    removed: RwSignal<Option<(BackupId, String)>>,
    asks: RwSignal<bool>,
}

impl Acts {
    fn load_anew(self) {
        // A task may end after the page is gone.
        self.refresh.try_update(|count| *count += 1);
    }
}

/// `/memory/backups`.
#[component]
pub fn BackupsPage() -> impl IntoView {
    let refresh = RwSignal::new(0_u32);
    let may = use_context::<Me>().is_none_or(|me| me.may(May::ManageProvider));
    let acts = Acts {
        refresh,
        form: Form::new(),
        restore: Restore::new(),
        removed: RwSignal::new(None),
        asks: RwSignal::new(false),
    };
    let refused = Signal::stored((!may).then(|| "Your role can't set where the memory is copied to".to_owned()));
    let actions = move || {
        view! {
            <Button
                label="Add backup" icon="plus" size=ButtonSize::Small variant=ButtonVariant::Primary refused
                on_press=move |()| acts.form.begin(None)
            />
        }
    };
    let body = if may {
        let backups = Resource::new(move || refresh.get(), |_| list_backups());
        view! {
            <Load resource=backups what="the backups" shape=SkeletonShape::Block(8) let:backups>
                <Backups backups acts />
            </Load>
        }
        .into_any()
    } else {
        view! { <EmptyState title="Backups are for those who administer memory">"An admin of the workspace can change your role."</EmptyState> }.into_any()
    };
    view! {
        <PageHeader title="Backups" crumbs=vec![Crumb::new("/memory", "Memory")] actions=ViewFnOnce::from(actions) />
        <div class="page-body stack" data-narrow>
            <p class="dim">
                "A namespace with all below it is copied by itself: as lines of JSON, each entry as it is then, to a folder of the server or to an object store. A copy is not encrypted by Weft, and holds neither older versions nor what is in quarantine. It comes back as an import does."
            </p>
            {body}
        </div>
        <BackupDialog form=acts.form saved=Callback::new(move |()| acts.load_anew()) />
        <RestoreDialog restore=acts.restore />
        <RemoveDialog acts />
    }
}

#[component]
fn RemoveDialog(acts: Acts) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let title = Signal::derive(move || {
        let of = acts.removed.with(|removed| removed.as_ref().map(|(_, of)| of.clone()).unwrap_or_default());
        format!("Delete the backup of {of}?")
    });
    let confirm = move |()| {
        let Some((id, of)) = acts.removed.get_untracked() else { return };
        busy.set(true);
        spawn_local(async move {
            match delete_backup(id).await {
                Ok(()) => toasts.say(Tone::Good, format!("Deleted the backup of {of}; its copies stay")),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            let _ = busy.try_set(false);
            let _ = acts.asks.try_set(false);
            acts.load_anew();
        });
    };
    view! {
        <ConfirmDialog id="backup-remove" title open=acts.asks action="Delete backup" busy on_confirm=confirm>
            <p>"No more copies are made. Those that there are stay where they are, and can be imported from there; this page forgets them."</p>
        </ConfirmDialog>
    }
}

/// What a backup is of, in words.
fn of(spec: &BackupDraft) -> String {
    if spec.namespace.is_empty() { "the whole memory".to_owned() } else { spec.namespace.clone() }
}

#[component]
fn Backups(backups: Vec<Backup>, acts: Acts) -> impl IntoView {
    if backups.is_empty() {
        return view! {
            <EmptyState title="No backups">"Nothing is copied by itself. Entries can be exported from the memory page at any time."</EmptyState>
        }
        .into_any();
    }
    backups.into_iter().map(|backup| view! { <Card backup acts /> }).collect_view().into_any()
}

#[component]
fn Card(backup: Backup, acts: Acts) -> impl IntoView {
    let toasts = use_toasts();
    let Backup { id, spec, made_by, next_at, copies, runs, .. } = backup;
    let title = if spec.namespace.is_empty() { "The whole memory".to_owned() } else { spec.namespace.clone() };
    let cannot_run = Signal::stored((!spec.enabled).then(|| "It is switched off".to_owned()));
    let run = move |()| {
        spawn_local(async move {
            match run_backup(id).await {
                Ok(_) => toasts.say(Tone::Good, "A copy is made now"),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            for pause in LOOKS_MS {
                browser::after_ms_detached(pause, move || acts.load_anew());
            }
        });
    };
    let edited = spec.clone();
    let edit = move |()| acts.form.begin(Some((id, edited.clone())));
    let named = of(&spec);
    let asked = named.clone();
    let delete = move |()| {
        acts.removed.set(Some((id, asked.clone())));
        acts.asks.set(true);
    };
    let state = match (spec.enabled, next_at) {
        (true, Some(at)) => {
            view! { <Badge label="On" tone=Tone::Good /> <span class="small dim">"next " <RelativeTime at /></span> }
                .into_any()
        }
        (true, None) => view! { <Badge label="No further moment" tone=Tone::Warn /> }.into_any(),
        (false, _) => view! { <Badge label="Off" /> }.into_any(),
    };
    let by = made_by.map(|name| view! { <span class="small dim">"in the name of " {name}</span> });
    let ran = if runs.is_empty() {
        view! { <p class="small dim">"No copy was made yet."</p> }.into_any()
    } else {
        let runs = runs.into_iter().map(|run| view! { <Ran run /> }).collect_view();
        view! { <ul class="stack" role="list" aria-label="What came of it">{runs}</ul> }.into_any()
    };
    let (when, to) = (spec.schedule.phrase(), spec.target.phrase());
    let kept =
        if spec.keep == 1 { "the last one is kept".to_owned() } else { format!("the last {} are kept", spec.keep) };
    let said = format!("Copied {when}, to {to}; {kept}.");
    let name = format!("Backup of {named}");
    view! {
        <section class="card" aria-label=name>
            <div class="card-head">
                <h2 class="over">{title}</h2>
                <div class="actions">
                    <Button label="Copy now" icon="play" size=ButtonSize::Small refused=cannot_run on_press=run />
                    <Button label="Edit…" icon="edit" size=ButtonSize::Small on_press=edit />
                    <Button
                        label=format!("Delete the backup of {named}") icon="trash" shape=ButtonShape::IconOnly
                        size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=delete
                    />
                </div>
            </div>
            <div class="card-body stack">
                <p class="over">{said}</p>
                <p class="row wrap">{state} {by}</p>
                {ran}
                <Copies copies id acts />
            </div>
        </section>
    }
}

/// What came of it once.
#[component]
fn Ran(run: BackupRun) -> impl IntoView {
    let BackupRun { at, outcome, entries, bytes, removed, took_ms, reason, .. } = run;
    let (label, tone) = match outcome {
        BackupOutcome::Done => ("Done", Tone::Good),
        BackupOutcome::Nothing => ("Nothing to copy", Tone::Plain),
        BackupOutcome::Failed => ("Failed", Tone::Bad),
    };
    let said = (outcome == BackupOutcome::Done).then(|| {
        let gone = match removed {
            0 => String::new(),
            1 => ", an old copy removed".to_owned(),
            count => format!(", {count} old copies removed"),
        };
        let took = format::duration(took_ms.cast_signed());
        format!("{}, {}, in {took}{gone}", entries_of(entries.cast_signed()), format::bytes(bytes))
    });
    view! {
        <li class="row wrap">
            <Badge label tone />
            <span class="small dim"><RelativeTime at /></span>
            <span class="small">{said}</span>
            <span class="small over">{reason}</span>
        </li>
    }
}

/// "1 entry", "3 entries".
fn entries_of(count: i64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{} entries", format::count(count)) }
}

/// The copies that are kept, each with the way back.
#[component]
fn Copies(copies: Vec<BackupCopy>, id: BackupId, acts: Acts) -> impl IntoView {
    let count = copies.len();
    let all = RwSignal::new(count <= SHOWN);
    let copies = StoredValue::new(copies);
    let rows = move || {
        let most = if all.get() { count } else { SHOWN };
        copies.with_value(|copies| copies.iter().take(most).cloned().map(|copy| row(copy, id, acts)).collect_view())
    };
    (count > 0).then(|| {
        view! {
            <section class="stack" aria-label="Copies">
                <h3>"Copies"</h3>
                <ul class="stack" role="list">{rows}</ul>
                <Show when=move || !all.get()>
                    <Button label=format!("Show all {count}") size=ButtonSize::Small variant=ButtonVariant::Quiet on_press=move |()| all.set(true) />
                </Show>
            </section>
        }
    })
}

fn row(copy: BackupCopy, id: BackupId, acts: Acts) -> impl IntoView {
    let BackupCopy { name, at, entries, bytes, parts } = copy;
    let files = if parts == 1 { format!("{name}-1.jsonl") } else { format!("{name}-1.jsonl to -{parts}.jsonl") };
    let said = format!("{}, {}", entries_of(entries), format::bytes(bytes.unsigned_abs()));
    let label = format!("Restore {name}");
    let begin = move |()| acts.restore.begin(id, name.clone());
    view! {
        <li class="row wrap">
            <span class="grow stack">
                <span class="over mono small">{files}</span>
                <span class="small dim"><RelativeTime at /> ", " {said}</span>
            </span>
            <Button label icon="undo" shape=ButtonShape::IconOnly size=ButtonSize::Small on_press=begin />
        </li>
    }
}
