//! A backup as a form.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::memory::save_backup;
use crate::model::gateway::Credential;
use crate::model::memory::{BackupDraft, BackupSchedule, BackupTarget};
use crate::model::{ApiError, BackupId, FieldError};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Choice, Dialog, Select, Switch, TextInput, Tone, use_toasts,
};

/// The dialog and its fields, as they are typed.
#[derive(Clone, Copy)]
pub(super) struct Form {
    open: RwSignal<bool>,
    /// The backup that is written anew; none makes one.
    id: RwSignal<Option<BackupId>>,
    namespace: RwSignal<String>,
    /// `folder` or `s3`.
    target: RwSignal<String>,
    path: RwSignal<String>,
    endpoint: RwSignal<String>,
    region: RwSignal<String>,
    bucket: RwSignal<String>,
    prefix: RwSignal<String>,
    access_key_id: RwSignal<String>,
    secret_key: RwSignal<String>,
    /// `every` or `cron`.
    schedule: RwSignal<String>,
    hours: RwSignal<String>,
    cron: RwSignal<String>,
    timezone: RwSignal<String>,
    keep: RwSignal<String>,
    enabled: RwSignal<bool>,
    wrong: RwSignal<Vec<FieldError>>,
    busy: RwSignal<bool>,
}

impl Form {
    pub(super) fn new() -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            open: RwSignal::new(false),
            id: RwSignal::new(None),
            namespace: text(),
            target: text(),
            path: text(),
            endpoint: text(),
            region: text(),
            bucket: text(),
            prefix: text(),
            access_key_id: text(),
            secret_key: text(),
            schedule: text(),
            hours: text(),
            cron: text(),
            timezone: text(),
            keep: text(),
            enabled: RwSignal::new(true),
            wrong: RwSignal::new(Vec::new()),
            busy: RwSignal::new(false),
        }
    }

    /// Opens the form for a backup, or for a new one.
    pub(super) fn begin(self, backup: Option<(BackupId, BackupDraft)>) {
        let (id, spec) = backup.unzip();
        let spec = spec.unwrap_or_else(|| BackupDraft {
            namespace: String::new(),
            target: BackupTarget::Folder { path: String::new() },
            schedule: BackupSchedule::Every { hours: 24 },
            keep: 7,
            enabled: true,
            secret_key: None,
        });
        self.id.set(id);
        self.namespace.set(spec.namespace);
        for field in [self.path, self.endpoint, self.bucket, self.prefix, self.access_key_id, self.secret_key] {
            field.set(String::new());
        }
        self.region.set("us-east-1".to_owned());
        match spec.target {
            BackupTarget::Folder { path } => {
                self.target.set("folder".to_owned());
                self.path.set(path);
            }
            BackupTarget::S3 { endpoint, region, bucket, prefix, access_key_id } => {
                self.target.set("s3".to_owned());
                self.endpoint.set(endpoint);
                self.region.set(region);
                self.bucket.set(bucket);
                self.prefix.set(prefix);
                self.access_key_id.set(access_key_id);
            }
        }
        let (schedule, hours, cron, timezone) = match spec.schedule {
            BackupSchedule::Every { hours } => ("every", hours, "30 2 * * *".to_owned(), "UTC".to_owned()),
            BackupSchedule::Cron { cron, timezone } => ("cron", 24, cron, timezone),
        };
        self.schedule.set(schedule.to_owned());
        self.hours.set(hours.to_string());
        self.cron.set(cron);
        self.timezone.set(timezone);
        self.keep.set(spec.keep.to_string());
        self.enabled.set(spec.enabled);
        self.wrong.set(Vec::new());
        self.open.set(true);
    }

    /// What is typed as a backup, or what does not fit.
    fn draft(self) -> Result<BackupDraft, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut number = |field: RwSignal<String>, pointer: &str| {
            field.with_untracked(|text| text.trim().parse::<u32>()).unwrap_or_else(|_| {
                wrong.push(FieldError::new(pointer, "expected a whole number"));
                0
            })
        };
        let text = |field: RwSignal<String>| field.with_untracked(|text| text.trim().to_owned());
        let path = |field: RwSignal<String>| field.with_untracked(|text| text.trim().trim_matches('/').to_owned());
        let schedule = if self.schedule.get_untracked() == "cron" {
            BackupSchedule::Cron { cron: text(self.cron), timezone: text(self.timezone) }
        } else {
            BackupSchedule::Every { hours: number(self.hours, "/schedule/hours") }
        };
        let keep = number(self.keep, "/keep");
        let target = if self.target.get_untracked() == "s3" {
            BackupTarget::S3 {
                endpoint: text(self.endpoint).trim_end_matches('/').to_owned(),
                region: text(self.region),
                bucket: text(self.bucket),
                prefix: path(self.prefix),
                access_key_id: text(self.access_key_id),
            }
        } else {
            BackupTarget::Folder { path: path(self.path) }
        };
        let secret_key = Some(text(self.secret_key)).filter(|key| !key.is_empty() && target.needs_secret());
        let draft = BackupDraft {
            namespace: path(self.namespace),
            target,
            schedule,
            keep,
            enabled: self.enabled.get_untracked(),
            secret_key: secret_key.map(Credential),
        };
        if wrong.is_empty() {
            wrong = draft.check();
        }
        if wrong.is_empty() { Ok(draft) } else { Err(wrong) }
    }

    /// What does not fit at a field.
    fn wrong_at(self, pointer: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            let is_its = |field: &&FieldError| field.pointer == pointer;
            self.wrong.with(|wrong| wrong.iter().find(is_its).map(|field| field.message.clone()))
        })
    }
}

/// The dialog; `saved` is called when a backup was written.
#[component]
pub(super) fn BackupDialog(form: Form, saved: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let send = move |()| {
        let draft = match form.draft() {
            Ok(draft) => draft,
            Err(wrong) => return form.wrong.set(wrong),
        };
        form.wrong.set(Vec::new());
        form.busy.set(true);
        let id = form.id.get_untracked();
        spawn_local(async move {
            match save_backup(id, draft).await {
                Ok(backup) => {
                    let on = if backup.spec.enabled { "is switched on" } else { "is switched off" };
                    toasts.say(Tone::Good, format!("Saved; the backup {on}"));
                    let _ = form.open.try_set(false);
                    saved.try_run(());
                }
                Err(ApiError::Invalid { fields, .. }) if !fields.is_empty() => {
                    let _ = form.wrong.try_set(fields);
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            let _ = form.busy.try_set(false);
        });
    };
    let title =
        Signal::derive(move || if form.id.with(Option::is_some) { "Edit backup" } else { "Add backup" }.to_owned());
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| form.open.set(false) />
            <Button label="Save backup" variant=ButtonVariant::Primary busy=form.busy on_press=send />
        }
    };
    let hint = |text: &'static str| Signal::stored(Some(text.to_owned()));
    let targets = vec![Choice::new("folder", "A folder of the server"), Choice::new("s3", "An object store (S3)")];
    let schedules = vec![Choice::new("every", "Every so many hours"), Choice::new("cron", "At times of day")];
    let is_store = Memo::new(move |_| form.target.with(|target| target == "s3"));
    let is_cron = Memo::new(move |_| form.schedule.with(|schedule| schedule == "cron"));
    view! {
        <Dialog id="backup" title open=form.open footer=ViewFn::from(footer)>
            <div class="form">
                <TextInput id="backup-namespace" label="Namespace" value=Bound::from(form.namespace) error=form.wrong_at("/namespace") hint=hint("With all below it; empty: the whole memory.") />
                <Select id="backup-target" label="To" value=Bound::from(form.target) choices=Signal::stored(targets.clone()) error=form.wrong_at("/target/kind") />
                {move || if is_store.get() {
                    view! { <StoreFields form /> }.into_any()
                } else {
                    view! { <TextInput id="backup-path" label="Folder" mono=true value=Bound::from(form.path) error=form.wrong_at("/target/path") hint=hint("Below the workspace's own in the folder that the server's operator has set for backups; empty: that one.") /> }.into_any()
                }}
                <Select id="backup-schedule" label="When" value=Bound::from(form.schedule) choices=Signal::stored(schedules.clone()) />
                {move || if is_cron.get() {
                    view! {
                        <TextInput id="backup-cron" label="Times" mono=true value=Bound::from(form.cron) error=form.wrong_at("/schedule/cron") hint=hint("Minute, hour, day, month, weekday: 30 2 * * * is every night at half past two.") />
                        <TextInput id="backup-timezone" label="Zone" value=Bound::from(form.timezone) error=form.wrong_at("/schedule/timezone") hint=hint("As in the IANA database, such as Europe/Berlin; daylight saving is followed.") />
                    }.into_any()
                } else {
                    view! { <TextInput id="backup-hours" label="Hours" kind="number" value=Bound::from(form.hours) error=form.wrong_at("/schedule/hours") hint=hint("1 to 720.") /> }.into_any()
                }}
                <TextInput id="backup-keep" label="Copies that are kept" kind="number" value=Bound::from(form.keep) error=form.wrong_at("/keep") hint=hint("An older one is removed once a newer one is whole.") />
                <Switch id="backup-enabled" label="Switched on" value=Bound::from(form.enabled) />
            </div>
        </Dialog>
    }
}

#[component]
fn StoreFields(form: Form) -> impl IntoView {
    let hint = |text: &'static str| Signal::stored(Some(text.to_owned()));
    let about_secret = Signal::derive(move || {
        let kept = form.id.with(Option::is_some).then_some(" Empty: the one that is kept stays.");
        Some(format!("Kept encrypted, and never shown again.{}", kept.unwrap_or_default()))
    });
    view! {
        <TextInput id="backup-endpoint" label="Address" kind="url" mono=true value=Bound::from(form.endpoint) error=form.wrong_at("/target/endpoint") hint=hint("Such as https://s3.eu-central-1.amazonaws.com; a private address only where the server's operator allows it.") />
        <TextInput id="backup-region" label="Region" mono=true value=Bound::from(form.region) error=form.wrong_at("/target/region") />
        <TextInput id="backup-bucket" label="Bucket" mono=true value=Bound::from(form.bucket) error=form.wrong_at("/target/bucket") />
        <TextInput id="backup-prefix" label="Prefix" mono=true value=Bound::from(form.prefix) error=form.wrong_at("/target/prefix") hint=hint("What stands before the names of copies.") />
        <TextInput id="backup-access-key" label="Access key" mono=true value=Bound::from(form.access_key_id) error=form.wrong_at("/target/access_key_id") />
        <TextInput id="backup-secret-key" label="Secret key" kind="password" autocomplete="off" value=Bound::from(form.secret_key) error=form.wrong_at("/secret_key") hint=about_secret />
    }
}
