//! The master key: another one takes over without loss, whatever is cut off or goes on meanwhile, and nobody works with the wrong one.

use std::path::{Path, PathBuf};

use weft::master::{self, Error, GRACE_MS};
use weft::memory::{self, Expect};
use weft::model::WorkspaceId;
use weft::model::auth::Role;
use weft::model::master::{MasterKeyRotation, MasterKeyState};
use weft::model::memory::{EntryDraft, Source};
use weft::runtime::keys::{Column, KeyId};
use weft::runtime::outbound::Outbound;
use weft::runtime::{Actor, Config, Ctx, Ids, Keys, Principal, Runtime};
use weft::{db, read, within};

use crate::support::Site;

/// The file of the keys of a server.
fn file(site: &Site, name: &str) -> PathBuf {
    site.folder.path().join(name)
}

/// A server on the site's database whose keys are in this file, before its start.
fn server(site: &Site, file: &Path) -> Runtime {
    let old = &site.runtime;
    let keys = Keys::open(file, &Ids).unwrap();
    let config = Config::isolated(site.folder.path());
    Runtime::new(config, old.db.clone(), old.clock.clone(), keys, Outbound::default())
}

async fn started(site: &Site, file: &Path) -> Runtime {
    let server = server(site, file);
    master::boot(&server).await.unwrap();
    server
}

/// A context of the program in a new workspace.
async fn workspace(rt: &Runtime) -> Ctx {
    let id: WorkspaceId = rt.ids.fresh();
    let mut tx = rt.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query("insert into workspace (id, name, created_at) values ($1, 'Team', $2)")
        .bind(id).bind(rt.clock.now()).execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    rt.system(id)
}

async fn put(ctx: &Ctx, key: &str, content: &str) -> Result<(), memory::Error> {
    let draft = EntryDraft { content: content.to_owned(), ..EntryDraft::default() };
    memory::put(ctx, "a", key, draft, Expect::Any, Source::Cli {}).await.map(drop)
}

async fn get(ctx: &Ctx, key: &str) -> String {
    memory::get(ctx, "a", key).await.unwrap().content
}

/// New workspaces, each with an entry and so with a key of its own.
async fn filled(rt: &Runtime, workspaces: usize) -> Vec<Ctx> {
    let mut all = Vec::new();
    for _ in 0..workspaces {
        let ctx = workspace(rt).await;
        put(&ctx, "k", "the words").await.unwrap();
        all.push(ctx);
    }
    all
}

const ROTATE: MasterKeyRotation = MasterKeyRotation { prepare: false };
const PREPARE: MasterKeyRotation = MasterKeyRotation { prepare: true };

async fn tamper(rt: &Runtime, sql: &'static str) -> u64 {
    let mut tx = rt.db.begin().await.unwrap();
    let rows = within!(&mut tx, conn => sqlx::query(sql).execute(conn).await.map(|done| done.rows_affected()));
    tx.commit().await.unwrap();
    rows.unwrap()
}

/// Passes until one finds nothing to do.
async fn reseal(rt: &Runtime) -> u64 {
    let mut moved = 0;
    loop {
        let pass = master::reseal(rt).await.unwrap();
        moved += pass.moved;
        if pass.moved == 0 {
            return moved;
        }
    }
}

/// Past the time in which something may still come under the key before, and everything looked at.
async fn made_whole(rt: &Runtime) {
    reseal(rt).await;
    rt.clock.advance_ms(GRACE_MS);
    assert!(master::reseal(rt).await.unwrap().whole);
}

async fn names_under(rt: &Runtime) -> Vec<Option<KeyId>> {
    let wrapped: Vec<Vec<u8>> =
        read!(&rt.db, conn => sqlx::query_scalar("select wrapped from workspace_key").fetch_all(conn).await).unwrap();
    wrapped.iter().map(|value| KeyId::named_by(value)).collect()
}

on_both_engines! {
    async fn a_new_master_key_takes_over_and_the_old_one_is_given_up(site: Site) {
        let path = file(&site, "a.key");
        let rt = started(&site, &path).await;
        let all = filled(&rt, 20).await;
        let ctx = &all[0];
        let old = rt.keys.sealing().to_string();
        made_whole(&rt).await;

        let report = master::rotate(ctx, ROTATE).await.unwrap();
        assert!(!report.whole && report.keys[0].state == MasterKeyState::Sealing && report.keys[1].id == old);
        assert_eq!(report.left.iter().map(|left| left.values).collect::<Vec<_>>(), [20, 4], "keys of workspaces, and secrets");
        assert_eq!(get(ctx, "k").await, "the words");
        let early = master::retire(ctx, &old).await.unwrap_err();
        assert!(matches!(&early, Error::Conflict(why) if why.contains("20 keys of workspaces")), "{early}");
        let again = master::rotate(ctx, ROTATE).await.unwrap_err();
        assert!(matches!(again, Error::Conflict(_)), "one change at a time");

        assert_eq!(reseal(&rt).await, 24);
        assert_eq!(names_under(&rt).await, vec![Some(rt.keys.sealing()); 20]);
        let early = master::retire(ctx, &old).await.unwrap_err();
        assert!(matches!(&early, Error::Conflict(why) if why.contains("the last look")), "{early}");
        rt.clock.advance_ms(GRACE_MS);
        assert!(master::reseal(&rt).await.unwrap().whole);
        let report = master::retire(ctx, &old).await.unwrap();
        assert_eq!((report.keys[1].state, report.keys[1].in_file), (MasterKeyState::Retired, false));
        assert!(master::retire(ctx, &report.keys[0].id).await.is_err(), "not the one that seals");
        assert!(matches!(master::retire(ctx, "0123456789abcdef").await, Err(Error::NotFound(_))));

        let next = started(&site, &path).await;
        assert_eq!(next.keys.ids().len(), 1);
        for ctx in &all {
            assert_eq!(get(&next.system(ctx.workspace()), "k").await, "the words");
        }
    }

    async fn a_server_that_died_in_between_is_followed_by_one_that_goes_on(site: Site) {
        let path = file(&site, "a.key");
        let rt = started(&site, &path).await;
        let all = filled(&rt, 40).await;
        made_whole(&rt).await;
        master::rotate(&all[0], ROTATE).await.unwrap();
        let done = memory::SEALED[0].go(&rt.db, (&rt.keys, &rt.ids), Column::START).await.unwrap();
        assert_eq!(done.moved, 16, "and then it was killed");

        let next = started(&site, &path).await;
        assert_eq!(get(&next.system(all[0].workspace()), "k").await, "the words");
        assert_eq!(reseal(&next).await, 24 + 4);
        assert_eq!(names_under(&next).await, vec![Some(next.keys.sealing()); 40]);
        for ctx in &all {
            assert_eq!(get(&next.system(ctx.workspace()), "k").await, "the words");
        }
    }

    async fn a_key_that_was_made_and_never_sealed_is_taken_up(site: Site) {
        let path = file(&site, "a.key");
        let rt = started(&site, &path).await;
        let ctx = workspace(&rt).await;
        made_whole(&rt).await;
        let before = rt.keys.sealing();
        // Killed between writing the file and saying so in the database; or prepared for other servers.
        let report = master::rotate(&ctx, PREPARE).await.unwrap();
        assert_eq!((report.keys[0].state, rt.keys.sealing()), (MasterKeyState::Waiting, before));
        assert!(matches!(master::rotate(&ctx, PREPARE).await, Err(Error::Conflict(_))), "one waits");
        let next = started(&site, &path).await;
        assert_eq!(next.keys.sealing(), before, "the file does not say which one seals");
        master::rotate(&next.system(ctx.workspace()), ROTATE).await.unwrap();
        assert_eq!((next.keys.sealing().to_string(), next.keys.ids().len()), (report.keys[0].id.clone(), 2));
        master::follow(&rt).await.unwrap();
        assert_eq!(rt.keys.sealing(), next.keys.sealing(), "every server learns of it");
    }

    async fn a_server_without_the_new_key_seals_nothing_until_it_has_it(site: Site) {
        let (path, copy) = (file(&site, "a.key"), file(&site, "b.key"));
        let first = started(&site, &path).await;
        std::fs::copy(&path, &copy).unwrap();
        let second = started(&site, &copy).await;
        let ctx = workspace(&first).await;
        made_whole(&first).await;
        master::rotate(&ctx, ROTATE).await.unwrap();
        put(&ctx, "k", "under the new one").await.unwrap();

        let there = second.system(ctx.workspace());
        let refused = memory::get(&there, "a", "k").await.unwrap_err();
        assert!(matches!(refused, memory::Error::Unreadable { .. }), "{refused}");
        master::follow(&second).await.unwrap();
        let elsewhere = workspace(&second).await;
        let refused = put(&elsewhere, "k", "x").await.unwrap_err();
        let id = first.keys.sealing().to_string();
        assert!(matches!(&refused, memory::Error::Db(db::Error::MasterKey(why)) if why.contains(&id)), "{refused}");
        assert!(master::reseal(&second).await.is_err(), "nor does it bring anything under another key");
        let refused = master::boot(&server(&site, &copy)).await.unwrap_err();
        assert!(matches!(&refused, Error::WrongKey(why) if why.contains(&id)), "nor does it start: {refused}");
        assert_eq!(names_under(&first).await, [Some(first.keys.sealing())], "nothing is under the key before");

        std::fs::copy(&path, &copy).unwrap();
        master::follow(&second).await.unwrap();
        put(&elsewhere, "k", "x").await.unwrap();
        assert_eq!(get(&there, "k").await, "under the new one");
    }

    async fn a_database_under_other_keys_is_neither_opened_nor_changed(site: Site) {
        let (path, strange) = (file(&site, "a.key"), file(&site, "strange.key"));
        let rt = started(&site, &path).await;
        let ctx = filled(&rt, 1).await.remove(0);
        assert!(matches!(master::boot(&server(&site, &strange)).await, Err(Error::WrongKey(_))));
        // As it was before there was a list of keys.
        assert_eq!(tamper(&rt, "delete from master_key").await, 1);
        assert!(tamper(&rt, "delete from lasting_secret").await > 0);
        let refused = master::boot(&server(&site, &strange)).await.unwrap_err();
        assert!(matches!(&refused, Error::WrongKey(why) if why.contains("keys of workspaces")), "{refused}");
        let rows: i64 = read!(&rt.db, conn => sqlx::query_scalar("select count(*) from master_key").fetch_one(conn).await).unwrap();
        assert_eq!(rows, 0);
        let right = started(&site, &path).await;
        assert_eq!(get(&right.system(ctx.workspace()), "k").await, "the words");
        // The file is gone, and one was made in its place: that is another key.
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(master::boot(&server(&site, &path)).await, Err(Error::WrongKey(_))));
    }

    async fn values_of_before_they_named_their_key_are_opened_and_get_a_name(site: Site) {
        let path = file(&site, "a.key");
        let rt = started(&site, &path).await;
        let all = filled(&rt, 3).await;
        for sql in [
            "update workspace_key set wrapped = substr(wrapped, 13)", "delete from master_key", "delete from lasting_secret",
        ] {
            tamper(&rt, sql).await;
        }
        assert_eq!(names_under(&rt).await, [None, None, None]);
        let next = started(&site, &path).await;
        assert_eq!(get(&next.system(all[1].workspace()), "k").await, "the words");
        assert_eq!(reseal(&next).await, 3);
        assert_eq!(names_under(&next).await, [Some(next.keys.sealing()); 3]);
        assert_eq!(get(&started(&site, &path).await.system(all[2].workspace()), "k").await, "the words");
    }

    async fn a_database_of_before_goes_on_under_its_key_though_the_file_has_a_newer_one(site: Site) {
        let path = file(&site, "a.key");
        let rt = started(&site, &path).await;
        let ctx = filled(&rt, 3).await.remove(0);
        let (old, digests) = (rt.keys.sealing(), rt.keys.lasting(weft::auth::LASTING));
        // A backup of before there was a list of keys, put back beside the file of today.
        for sql in [
            "update workspace_key set wrapped = substr(wrapped, 13)", "delete from master_key", "delete from lasting_secret",
        ] {
            tamper(&rt, sql).await;
        }
        let new = rt.keys.add(&Ids).unwrap();
        let next = started(&site, &path).await;
        assert_eq!((next.keys.ids(), next.keys.sealing()), (vec![new, old], old));
        assert_eq!(next.keys.lasting(weft::auth::LASTING), digests, "nobody has to sign in again");
        assert_eq!(get(&next.system(ctx.workspace()), "k").await, "the words");
        made_whole(&next).await;
        assert_eq!(master::rotate(&next.system(ctx.workspace()), ROTATE).await.unwrap().keys[0].id, new.to_string());
    }

    async fn what_is_written_meanwhile_is_lost_nowhere(site: Site) {
        let path = file(&site, "a.key");
        let rt = started(&site, &path).await;
        let mut all = filled(&rt, 20).await;
        made_whole(&rt).await;
        let old = rt.keys.sealing();
        // Begun before the change, stored after it.
        let late = rt.keys.seal(&rt.ids, "workspace_key/late", b"late").unwrap();
        master::rotate(&all[0], ROTATE).await.unwrap();
        let (more, moved) = tokio::join!(filled(&rt, 20), reseal(&rt));
        all.extend(more);
        assert!(moved >= 20);
        let seen = rt.keys.unseal("workspace_key/late", &late);
        assert_eq!(seen.as_deref(), Some(b"late".as_slice()));
        made_whole(&rt).await;
        master::retire(&all[0], &old.to_string()).await.unwrap();
        let next = started(&site, &path).await;
        for ctx in &all {
            assert_eq!(get(&next.system(ctx.workspace()), "k").await, "the words");
        }
    }

    async fn a_value_that_comes_late_under_the_old_key_keeps_it_from_being_given_up(site: Site) {
        let path = file(&site, "a.key");
        let rt = started(&site, &path).await;
        let ctx = filled(&rt, 1).await.remove(0);
        made_whole(&rt).await;
        let old = rt.keys.sealing().to_string();
        tamper(&rt, "create table late as select * from workspace_key").await;
        master::rotate(&ctx, ROTATE).await.unwrap();
        made_whole(&rt).await;
        // Of a server that stood still for longer than anybody waits.
        tamper(&rt, "update workspace_key set wrapped = (select wrapped from late)").await;
        let refused = master::retire(&ctx, &old).await.unwrap_err();
        assert!(matches!(&refused, Error::Conflict(why) if why.contains("1 keys of workspaces")), "{refused}");
        assert_eq!(rt.keys.ids().len(), 2, "the key is still there");
        assert_eq!(master::reseal(&rt).await.unwrap().moved, 1, "and it is brought under the new one after all");
        assert!(master::reseal(&rt).await.unwrap().whole);
        master::retire(&ctx, &old).await.unwrap();
    }

    async fn whoever_lost_the_key_that_seals_makes_no_other_one_seal(site: Site) {
        let path = file(&site, "a.key");
        let rt = started(&site, &path).await;
        let ctx = workspace(&rt).await;
        made_whole(&rt).await;
        // Somebody put the file of another installation in its place.
        std::fs::remove_file(&path).unwrap();
        let strange = Keys::open(&path, &Ids).unwrap();
        let refused = master::rotate(&ctx, ROTATE).await.unwrap_err();
        assert!(matches!(refused, Error::WrongKey(_)), "{refused}");
        assert_eq!(Keys::open(&path, &Ids).unwrap().ids(), strange.ids());
        assert_eq!(master::status(&ctx).await.unwrap().keys.iter().filter(|key| key.since.is_some()).count(), 1);
    }

    async fn what_no_key_opens_stays_and_is_counted(site: Site) {
        let path = file(&site, "a.key");
        let rt = started(&site, &path).await;
        let all = filled(&rt, 3).await;
        made_whole(&rt).await;
        let old = rt.keys.sealing().to_string();
        // One of them was moved from another row.
        tamper(&rt, "update workspace_key set wrapped = (select wrapped from workspace_key order by wrapped desc limit 1)
            where wrapped = (select wrapped from workspace_key order by wrapped limit 1)").await;
        master::rotate(&all[0], ROTATE).await.unwrap();
        made_whole(&rt).await;
        let report = master::retire(&all[0], &old).await.unwrap();
        assert_eq!((report.unreadable, report.left.len(), report.left[0].values), (1, 1, 1));
    }

    async fn only_owners_look_at_and_change_it(site: Site) {
        let rt = started(&site, &file(&site, "a.key")).await;
        let ctx = workspace(&rt).await;
        for role in [Role::Viewer, Role::Operator, Role::Builder, Role::Admin] {
            let actor = Actor { workspace: ctx.workspace(), principal: Principal::System, role };
            let ctx = rt.as_actor(actor, String::new());
            assert!(matches!(master::status(&ctx).await, Err(Error::Denied(_))), "{role:?}");
            assert!(matches!(master::rotate(&ctx, ROTATE).await, Err(Error::Denied(_))), "{role:?}");
            assert!(matches!(master::retire(&ctx, "0123456789abcdef").await, Err(Error::Denied(_))), "{role:?}");
        }
        assert_eq!(rt.keys.ids().len(), 1);
        // The key is that of all workspaces: the first one stands for the installation.
        let other = workspace(&rt).await;
        assert!(matches!(master::status(&other).await, Err(Error::Elsewhere)));
        assert!(matches!(master::rotate(&other, ROTATE).await, Err(Error::Elsewhere)));
        assert!(master::status(&ctx).await.is_ok());
    }
}
