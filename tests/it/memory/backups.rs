//! Backups: to a folder and to a store, when they are due, in whose name, and back again.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use weft::memory::{self, Error, Expect};
use weft::model::auth::Role;
use weft::model::memory::{
    Access, Allowed, Backup, BackupDraft, BackupOutcome, BackupRestore, BackupRun, EntryDraft, Source,
};
use weft::runtime::{Actor, Config, Ctx, Principal, Runtime};

use super::{as_role, draft, put, workspace};
use crate::auth::{member, owner};

const HOUR_MS: i64 = 3_600_000;

/// The same workspace on a server whose operator has set this folder for backups.
fn with_folder(ctx: &Ctx, folder: &std::path::Path) -> Ctx {
    let mut runtime: Runtime = ctx.runtime().clone();
    let config = Config { backup_dir: Some(folder.to_owned()), ..(*runtime.config).clone() };
    runtime.config = Arc::new(config);
    runtime.as_actor(ctx.actor.clone(), String::new())
}

fn backup(namespace: &str, keep: u32) -> BackupDraft {
    let draft = json!({"namespace": namespace, "target": {"kind": "folder", "path": "daily"},
        "schedule": {"kind": "every", "hours": 1}, "keep": keep, "enabled": true});
    serde_json::from_value(draft).unwrap()
}

async fn the(ctx: &Ctx) -> Backup {
    memory::list_backups(ctx).await.unwrap().remove(0)
}

/// Lets an hour pass; gives what came of the one backup that is due then.
async fn fire(ctx: &Ctx) -> BackupRun {
    ctx.clock.advance_ms(HOUR_MS);
    assert_eq!(memory::fire_backups(ctx.runtime()).await.unwrap(), 1, "it is due");
    the(ctx).await.runs.remove(0)
}

/// Where copies of the workspace stand.
fn place(ctx: &Ctx, folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join(ctx.workspace().to_string()).join("daily")
}

fn asked(copy: &str, preview: bool) -> BackupRestore {
    BackupRestore { copy: copy.to_owned(), preview }
}

async fn content(ctx: &Ctx, namespace: &str, key: &str) -> Option<String> {
    memory::get(ctx, namespace, key).await.ok().map(|entry| entry.content)
}

on_both_engines! {
    async fn a_subtree_is_copied_by_the_hour_and_comes_back(site: Site) {
        let folder = tempfile::tempdir().unwrap();
        let ctx = with_folder(&workspace(&site).await, folder.path());
        for (namespace, key) in [("code", "a"), ("code/db", "b"), ("code-x", "c"), ("other", "d")] {
            put(&ctx, namespace, key, &format!("{namespace} as it was")).await;
        }
        let tagged = EntryDraft { tags: vec!["loom".to_owned()], ..draft("It has 20 shafts.") };
        memory::put(&ctx, "code", "loom", tagged, Expect::Any, memory::source(&ctx)).await.unwrap();
        let made = memory::save_backup(&ctx, None, backup("code", 2)).await.unwrap();
        assert_eq!(memory::fire_backups(ctx.runtime()).await.unwrap(), 0, "the first is due in an hour");
        assert_eq!(made.next_at, Some(ctx.clock.now().plus_ms(HOUR_MS)));
        let run = fire(&ctx).await;
        assert_eq!((run.outcome, run.entries, run.reason.as_str()), (BackupOutcome::Done, 3, ""));
        let known = the(&ctx).await;
        let copy = known.copies[0].name.clone();
        let file = fs::read_to_string(place(&ctx, &folder).join(format!("{copy}-1.jsonl"))).unwrap();
        assert_eq!(file.lines().count(), 3);
        assert!(!file.contains("code-x") && !file.contains("other"), "{file}");
        assert_eq!((known.copies[0].bytes, known.copies[0].entries), (file.len() as i64, 3));

        put(&ctx, "code", "a", "it says something else").await;
        memory::delete(&ctx, "code/db", "b", Expect::Any).await.unwrap();
        put(&ctx, "code", "new", "written since").await;
        let would = memory::restore_backup(&ctx, made.id, &asked(&copy, true)).await.unwrap();
        assert_eq!((would.new, would.updated, would.unchanged), (1, 1, 1));
        assert_eq!(content(&ctx, "code", "a").await.unwrap(), "it says something else", "a preview writes nothing");
        let came = memory::restore_backup(&ctx, made.id, &asked(&copy, false)).await.unwrap();
        assert_eq!(came, would);
        assert_eq!(content(&ctx, "code", "a").await.unwrap(), "code as it was");
        assert_eq!(memory::get(&ctx, "code", "a").await.unwrap().source, Source::Import { name: None });
        assert_eq!(content(&ctx, "code/db", "b").await.unwrap(), "code/db as it was");
        assert_eq!(content(&ctx, "code", "new").await.unwrap(), "written since");
        assert_eq!(memory::get(&ctx, "code", "loom").await.unwrap().tags, ["loom"]);
        let none = memory::restore_backup(&ctx, made.id, &asked("../../etc/passwd", false)).await.unwrap_err();
        assert!(matches!(none, Error::NoBackup("copy")), "{none}");
    }

    async fn the_last_copies_are_kept_and_no_copy_is_worse_than_none(site: Site) {
        let folder = tempfile::tempdir().unwrap();
        let ctx = with_folder(&workspace(&site).await, folder.path());
        put(&ctx, "code", "a", "one").await;
        memory::save_backup(&ctx, None, backup("", 2)).await.unwrap();
        let removed: Vec<u32> = [fire(&ctx).await, fire(&ctx).await, fire(&ctx).await].iter().map(|run| run.removed).collect();
        assert_eq!(removed, [0, 0, 1]);
        let known = the(&ctx).await;
        assert_eq!((known.copies.len(), known.runs.len()), (2, 3));
        assert_eq!(fs::read_dir(place(&ctx, &folder)).unwrap().count(), 2);
        assert!(known.copies[0].at > known.copies[1].at, "the newest first");
        memory::delete(&ctx, "code", "a", Expect::Any).await.unwrap();
        let run = fire(&ctx).await;
        assert_eq!((run.outcome, run.entries), (BackupOutcome::Nothing, 0), "an empty copy drives out no full one");
        assert_eq!(the(&ctx).await.copies, known.copies);
        // What the disk refuses is told, and nothing is lost by it.
        put(&ctx, "code", "a", "two").await;
        let taken = place(&ctx, &folder);
        fs::remove_dir_all(&taken).unwrap();
        fs::write(&taken, "in the way").unwrap();
        let run = fire(&ctx).await;
        assert_eq!(run.outcome, BackupOutcome::Failed);
        assert!(run.reason.contains("is no folder"), "{}", run.reason);
        assert_eq!(the(&ctx).await.copies.len(), 2);
    }

    async fn a_backup_reads_what_its_maker_may_read_and_stops_with_their_role(site: Site) {
        let folder = tempfile::tempdir().unwrap();
        let (mara, _) = owner(&site.runtime).await;
        let (ada, _) = member(&mara, Role::Admin).await;
        let (mara, ada) = (with_folder(&mara, folder.path()), with_folder(&ada, folder.path()));
        put(&mara, "code", "open", "for all").await;
        put(&mara, "pay", "closed", "for owners").await;
        let nobody = Allowed { role: None, users: Vec::new() };
        memory::allow(&mara, "pay", Access { read: nobody.clone(), write: nobody }).await.unwrap();
        memory::save_backup(&ada, None, backup("", 3)).await.unwrap();
        let hidden = memory::save_backup(&ada, None, backup("pay", 3)).await.unwrap_err();
        assert!(matches!(hidden, Error::NoNamespace), "{hidden}");
        assert_eq!(fire(&ada).await.entries, 1);
        let copy = the(&ada).await.copies.remove(0);
        let file = fs::read_to_string(place(&ada, &folder).join(format!("{}-1.jsonl", copy.name))).unwrap();
        assert!(!file.contains("for owners"), "{file}");
        weft::auth::change_role(&mara, ada.actor.principal.user_id().unwrap(), Role::Builder).await.unwrap();
        let run = fire(&mara).await;
        assert_eq!(run.outcome, BackupOutcome::Failed);
        assert!(run.reason.contains("may not manage providers"), "{}", run.reason);
        for role in [Role::Builder, Role::Operator, Role::Viewer] {
            let who = as_role(&mara, role);
            assert!(matches!(memory::list_backups(&who).await, Err(Error::Denied(_))));
            assert!(matches!(memory::restore_backup(&who, copy_of(&mara).await, &asked(&copy.name, false)).await, Err(Error::Denied(_))));
        }
    }

    async fn what_a_program_set_up_reaches_no_further_than_the_program(site: Site) {
        let folder = tempfile::tempdir().unwrap();
        let ctx = with_folder(&workspace(&site).await, folder.path());
        put(&ctx, "code", "open", "for all").await;
        put(&ctx, "pay", "closed", "for owners").await;
        let nobody = Allowed { role: None, users: Vec::new() };
        memory::allow(&ctx, "pay", Access { read: nobody.clone(), write: nobody }).await.unwrap();
        let admin = Actor { workspace: ctx.workspace(), principal: Principal::System, role: Role::Admin };
        let admin = ctx.runtime().as_actor(admin, String::new());
        memory::save_backup(&admin, None, backup("", 3)).await.unwrap();
        assert_eq!(fire(&ctx).await.entries, 1);
    }

    async fn a_backup_at_times_of_day_follows_its_zone(site: Site) {
        let folder = tempfile::tempdir().unwrap();
        let ctx = with_folder(&workspace(&site).await, folder.path());
        let schedule = json!({"kind": "cron", "cron": "30 2 * * *", "timezone": "Europe/Berlin"});
        let draft = BackupDraft { schedule: serde_json::from_value(schedule).unwrap(), ..backup("code", 1) };
        let made = memory::save_backup(&ctx, None, draft.clone()).await.unwrap();
        let next = made.next_at.unwrap().to_string();
        assert!(next.contains("T01:30:00") || next.contains("T00:30:00"), "{next}");
        let wrong = json!({"kind": "cron", "cron": "often", "timezone": "UTC"});
        let wrong = BackupDraft { schedule: serde_json::from_value(wrong).unwrap(), ..draft };
        let refused = memory::save_backup(&ctx, Some(made.id), wrong).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid(fields) if fields[0].pointer == "/schedule/cron"), "{refused}");
        let refused = memory::save_backup(&ctx, Some(made.id), backup("a\0b", 1)).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid(fields) if fields[0].pointer == "/namespace"), "{refused}");
        let now = memory::hasten_backup(&ctx, made.id).await.unwrap();
        assert_eq!(now.next_at, Some(ctx.clock.now()));
    }

    async fn without_a_folder_of_the_operator_none_is_written(site: Site) {
        let ctx = workspace(&site).await;
        let refused = memory::save_backup(&ctx, None, backup("code", 1)).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid(fields) if fields[0].pointer == "/target/kind"), "{refused}");
    }

    async fn a_store_outside_is_asked_by_the_rules_of_the_way_out_and_its_key_never_shows(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "code", "a", "one").await;
        let draft = json!({"namespace": "code", "schedule": {"kind": "every", "hours": 1}, "enabled": true,
            "target": {"kind": "s3", "endpoint": "http://169.254.169.254", "region": "us-east-1", "bucket": "team", "access_key_id": "AKID"},
            "secret_key": "hush-hush"});
        let draft: BackupDraft = serde_json::from_value(draft).unwrap();
        let without = BackupDraft { secret_key: None, ..draft.clone() };
        let refused = memory::save_backup(&ctx, None, without.clone()).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid(fields) if fields[0].pointer == "/secret_key"), "{refused}");
        let nowhere = json!({"kind": "s3", "endpoint": "https://store.example.com:99999", "region": "r", "bucket": "team", "access_key_id": "AKID"});
        let nowhere = BackupDraft { target: serde_json::from_value(nowhere).unwrap(), ..draft.clone() };
        let refused = memory::save_backup(&ctx, None, nowhere).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid(fields) if fields[0].pointer == "/target/endpoint"), "{refused}");
        let made = memory::save_backup(&ctx, None, draft).await.unwrap();
        let run = fire(&ctx).await;
        assert_eq!(run.outcome, BackupOutcome::Failed);
        assert!(run.reason.contains("the address is not allowed"), "{}", run.reason);
        let known = the(&ctx).await;
        assert!(known.copies.is_empty());
        assert!(!json!(known).to_string().contains("hush"), "the key is shown to nobody");
        // The key stays where the store does, and goes nowhere else.
        memory::save_backup(&ctx, Some(made.id), BackupDraft { keep: 3, ..without.clone() }).await.unwrap();
        let elsewhere = json!({"kind": "s3", "endpoint": "https://store.example.com", "region": "us-east-1", "bucket": "team", "access_key_id": "AKID"});
        let moved = BackupDraft { target: serde_json::from_value(elsewhere).unwrap(), ..without };
        let refused = memory::save_backup(&ctx, Some(made.id), moved).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid(fields) if fields[0].pointer == "/secret_key"), "{refused}");
        memory::delete_backup(&ctx, made.id).await.unwrap();
        assert!(memory::list_backups(&ctx).await.unwrap().is_empty());
    }
}

async fn copy_of(ctx: &Ctx) -> weft::model::BackupId {
    the(ctx).await.id
}
