//! Rules of who may read and change what: every way to the memory, walked by somebody who may not.

use serde::Serialize;
use serde_json::{Value, json};
use weft::memory::file::Record;
use weft::memory::{self, Error, Expect, Filter, Stated};
use weft::model::auth::Role;
use weft::model::memory::{
    Access, Allowed, Duplicates, EntryAct, EntryBulk, EntryName, EntryOrder, EntryStep, ImportItem, ImportKind,
    ImportPart, MemorySettings, NamespaceDescription, OnConflict, Reader, RelationDraft, RelationKind, Search,
    SearchMode, Source, SummaryDraft,
};
use weft::model::workflow::RunStatus;
use weft::model::{PageRequest, RunId};
use weft::runtime::{Ctx, Runtime};
use weft::workflow::{self, NewRun};

use super::rest::{call, send};
use super::{as_role, draft, found, found_in, put, workspace};
use crate::auth::{member, owner};
use crate::engine::{chain, end};

/// Words that only the hidden entries have.
const SECRET: &str = "quetzal";
/// What is hidden is said with them.
const HIDDEN: &str =
    "The quetzal earns more than the loom in the attic and nobody but a few people here is to know how much it is";
/// The namespace that is hidden, and the one that may only be read.
const CLOSED: &str = "people/pay";
const LOOKED_AT: &str = "people/public";

fn from(role: Role) -> Allowed {
    Allowed { role: Some(role), users: Vec::new() }
}

async fn allow(ctx: &Ctx, path: &str, read: Allowed, write: Allowed) {
    memory::allow(ctx, path, Access { read, write }).await.unwrap();
}

/// A workspace with an entry that only admins may read, one that builders may only read, and one for all; and a builder in it.
async fn governed(rt: &Runtime) -> (Ctx, Ctx) {
    let (mara, _) = owner(rt).await;
    let (tomas, _) = member(&mara, Role::Builder).await;
    put(&mara, CLOSED, "k", &format!("{HIDDEN}, in its first words")).await;
    put(&mara, CLOSED, "k", HIDDEN).await;
    put(&mara, LOOKED_AT, "k", "The loom in the attic is everybody's to look at").await;
    put(&mara, "code", "k", "The loom in the attic has 24 shafts").await;
    allow(&mara, "people", from(Role::Admin), from(Role::Admin)).await;
    allow(&mara, LOOKED_AT, from(Role::Viewer), from(Role::Admin)).await;
    (mara, tomas)
}

fn all() -> PageRequest {
    PageRequest { limit: 200, cursor: None }
}

fn search(query: &str, ctx: &Ctx, then: bool) -> Search {
    Search { explain: true, limit: 100, as_of: then.then(|| ctx.clock.now()), ..Search::text(query) }
}

/// What one way tells somebody, as text; also why it is refused.
fn told<T: Serialize>(answer: Result<T, Error>) -> String {
    match answer {
        Ok(told) => json!(told).to_string(),
        Err(error) => format!("refused: {error}"),
    }
}

/// Every way to read, with what it tells.
async fn readings(ctx: &Ctx, run: RunId) -> Vec<(&'static str, String)> {
    let then = ctx.clock.now();
    let under = |namespace: &str| Filter { namespace: namespace.to_owned(), ..Filter::default() };
    let held = Filter { quarantined: true, ..Filter::default() };
    let of_then = Filter { as_of: Some(then), ..Filter::default() };
    let names = vec![EntryName { namespace: CLOSED.to_owned(), key: "k".to_owned() }];
    let of_all = SummaryDraft { namespace: "people".to_owned(), ..SummaryDraft::default() };
    let changes = memory::list_changes(ctx, 0, 100).await;
    let file = json!({"namespace": CLOSED, "key": "k", "content": "mine"}).to_string();
    let items = vec![ImportItem { place: "line 1".to_owned(), text: file }];
    let part = ImportPart { kind: ImportKind::Jsonl, items, into: String::new() };
    let order = EntryOrder::default();
    vec![
        ("table", told(memory::table(ctx, &Filter::default(), order, &all()).await)),
        ("table of a subtree", told(memory::table(ctx, &under("people"), order, &all()).await)),
        ("table of the quarantine", told(memory::table(ctx, &held, order, &all()).await)),
        ("activity", told(memory::activity(ctx).await)),
        ("relations", told(memory::relations(ctx, CLOSED, "k").await)),
        ("relations of another", told(memory::relations(ctx, "code", "k").await)),
        ("preview of an import", told(memory::preview_import(ctx, &part).await)),
        ("get", told(memory::get(ctx, CLOSED, "k").await)),
        ("get_any", told(memory::get_any(ctx, CLOSED, "k").await)),
        ("get_as_of", told(memory::get_as_of(ctx, CLOSED, "k", then).await)),
        ("history", told(memory::history(ctx, CLOSED, "k").await)),
        ("siblings", told(memory::siblings(ctx, CLOSED, "k").await)),
        ("readers", told(memory::readers(ctx, CLOSED, "k").await)),
        ("related", told(memory::related(ctx, CLOSED, "k").await)),
        ("summary_links", told(memory::summary_links(ctx, CLOSED, "k").await)),
        ("list", told(memory::list(ctx, &Filter::default(), &all()).await)),
        ("list of a subtree", told(memory::list(ctx, &under("people"), &all()).await)),
        ("list of the namespace", told(memory::list(ctx, &under(CLOSED), &all()).await)),
        ("list of the quarantine", told(memory::list(ctx, &held, &all()).await)),
        ("list as of", told(memory::list(ctx, &of_then, &all()).await)),
        ("timeline", told(memory::timeline(ctx, &Filter::default(), &all()).await)),
        ("namespaces", told(memory::namespaces(ctx).await)),
        ("search", told(memory::search(ctx, &search(SECRET, ctx, false)).await.map(|found| found.hits))),
        ("search of all", told(memory::search(ctx, &search("loom attic people", ctx, false)).await)),
        ("search as of", told(memory::search(ctx, &search("loom attic people", ctx, true)).await)),
        ("map", told(memory::map(ctx, "").await)),
        ("map of the namespace", told(memory::map(ctx, CLOSED).await)),
        ("health", told(memory::get_health(ctx).await)),
        ("related to another", told(memory::related(ctx, "code", "k").await)),
        ("export", told(memory::export_entries(ctx, &names).await)),
        ("changes", changes.map_or_else(|error| error.to_string(), |changes| format!("{changes:?}"))),
        ("what a run read", told(memory::reads_of_run(ctx, run, None).await)),
        ("estimate", told(memory::estimate(ctx, &of_all).await)),
        ("embedder", told(memory::get_embedder(ctx).await)),
        ("summary rules", told(memory::list_summary_rules(ctx).await)),
    ]
}

/// Notes that a run was given the hidden entry, has another held, and makes a rule about the hidden namespace.
async fn leave_traces(mara: &Ctx) -> RunId {
    let run = mara.ids.fresh();
    let entry = memory::get(mara, CLOSED, "k").await.unwrap();
    let reader = Reader::Run { run_id: run, step: "look".to_owned(), agent: None };
    memory::note_read(mara, &reader, &entry);
    memory::write_reads(mara.runtime()).await.unwrap();
    put(mara, CLOSED, "odd", &format!("{HIDDEN} and odd")).await;
    memory::quarantine(mara, (CLOSED, "odd"), "", Expect::Any).await.unwrap();
    put(mara, CLOSED, "copy", HIDDEN).await;
    let rule = json!({"namespace": CLOSED, "budget_micros": 1});
    memory::save_summary_rule(mara, None, serde_json::from_value(rule).unwrap()).await.unwrap();
    let contradicts =
        RelationDraft { kind: RelationKind::Contradicts, namespace: CLOSED.to_owned(), key: "k".to_owned() };
    memory::relate(mara, ("code", "k"), &contradicts).await.unwrap();
    let supersedes =
        RelationDraft { kind: RelationKind::Supersedes, namespace: "code".to_owned(), key: "k".to_owned() };
    memory::relate(mara, (CLOSED, "copy"), &supersedes).await.unwrap();
    run
}

/// Whether an answer says anything of what is hidden.
fn says(told: &str) -> bool {
    told.contains(SECRET) || told.contains(CLOSED)
}

fn step(namespace: &str, act: EntryAct) -> EntryBulk {
    let (namespace, key) = (namespace.to_owned(), "k".to_owned());
    EntryBulk { steps: vec![EntryStep { namespace, key, version: None, act }] }
}

/// Every way to change what stands at `namespace/k`, with what came of it.
async fn writings(ctx: &Ctx, namespace: &str) -> Vec<(&'static str, Result<(), Error>)> {
    let stated = || Stated { expect: Expect::Any, on_conflict: OnConflict::Sibling, merges: Vec::new() };
    let place = (namespace, "k");
    let record: Record =
        serde_json::from_value(json!({"namespace": namespace, "key": "k", "content": "mine"})).unwrap();
    let said = NamespaceDescription { description: "Mine.".to_owned() };
    let to = |namespace: &str| RelationDraft {
        kind: RelationKind::Contradicts,
        namespace: namespace.to_owned(),
        key: "k".to_owned(),
    };
    let (ours, theirs) = (to("code"), to(namespace));
    let named = EntryName { namespace: namespace.to_owned(), key: "k".to_owned() };
    let summary = SummaryDraft { namespace: namespace.to_owned(), ..SummaryDraft::default() };
    vec![
        ("put", memory::put(ctx, namespace, "k", draft("mine"), Expect::Any, Source::Cli {}).await.map(drop)),
        ("put anew", memory::put(ctx, namespace, "new", draft("mine"), Expect::Absent, Source::Cli {}).await.map(drop)),
        ("put beside", memory::put_beside(ctx, place, draft("mine"), stated(), Source::Cli {}).await.map(drop)),
        ("delete", memory::delete(ctx, namespace, "k", Expect::Any).await),
        ("restore", memory::restore(ctx, namespace, "k", 1).await.map(drop)),
        ("undelete", memory::undelete(ctx, namespace, "k").await.map(drop)),
        ("quarantine", memory::quarantine(ctx, place, "", Expect::Any).await.map(drop)),
        ("release", memory::release(ctx, place, Expect::Any).await.map(drop)),
        ("import", memory::import_record(ctx, &record).await.map(drop)),
        ("describe", memory::describe(ctx, namespace, &said).await.map(drop)),
        ("relate", memory::relate(ctx, place, &ours).await.map(drop)),
        ("be related", memory::relate(ctx, ("code", "k"), &theirs).await.map(drop)),
        ("unrelate", memory::unrelate(ctx, ("code", "k"), &named).await),
        ("summarize", memory::estimate(ctx, &summary).await.map(drop)),
    ]
}

async fn bulk(ctx: &Ctx, bulk: EntryBulk) -> Vec<String> {
    let done = memory::change_entries(ctx, &bulk).await.unwrap();
    assert_eq!(done.done, 0, "{bulk:?}");
    done.refused.into_iter().map(|refusal| refusal.reason).collect()
}

on_both_engines! {
    async fn no_way_shows_what_a_rule_hides_and_every_way_shows_it_to_whom_it_lets(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let run = leave_traces(&mara).await;
        for (way, told) in readings(&tomas, run).await {
            assert!(!says(&told), "{way}: {told}");
        }
        let ways = readings(&mara, run).await.into_iter().filter(|(way, told)| *way != "related to another" && !says(told));
        let silent: Vec<&str> = ways.map(|(way, _)| way).collect();
        // These say so little of the entry, or only of what it has to do with, that nothing of it stands in them for anybody.
        assert_eq!(silent, ["relations", "siblings", "readers", "summary_links", "embedder"], "an owner is never kept out");
        // What may be read is told as before, and as many as there are.
        assert_eq!(memory::get_health(&tomas).await.unwrap().entries, 2);
        assert_eq!(memory::map(&tomas, "").await.unwrap().entries, 2);
        assert_eq!(memory::list(&tomas, &Filter::default(), &all()).await.unwrap().items.len(), 2);
        assert_eq!(memory::search(&tomas, &search("loom", &tomas, false)).await.unwrap().matched, 2);
        let listed = memory::namespaces(&tomas).await.unwrap();
        let listed: Vec<_> = listed.iter().map(|one| (one.path.as_str(), one.entries, one.read_only)).collect();
        assert_eq!(listed, [("code", 1, false), (LOOKED_AT, 1, true)]);
    }

    async fn what_is_hidden_takes_no_place_from_what_is_found(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "open", "first", "a loom among many other words of all sorts").await;
        for n in 0..60 {
            put(&ctx, "hidden", &format!("k{n}"), "loom loom loom").await;
        }
        allow(&ctx, "hidden", from(Role::Admin), from(Role::Admin)).await;
        let viewer = as_role(&ctx, Role::Viewer);
        assert_eq!(found_in(&viewer, Search { limit: 1, ..Search::text("loom") }).await, ["first"]);
        let page = PageRequest { limit: 1, cursor: None };
        assert_eq!(memory::list(&viewer, &Filter::default(), &page).await.unwrap().items[0].key, "first");
        assert_eq!(memory::timeline(&viewer, &Filter::default(), &page).await.unwrap().items[0].key, "first");
        let text = Search { mode: SearchMode::Text, limit: 100, ..Search::text("loom") };
        assert_eq!(found_in(&ctx, text).await.len(), 61, "nothing was taken out of the index");
    }

    async fn a_rule_for_summaries_passes_over_what_its_writer_may_only_read(site: Site) {
        let ctx = workspace(&site).await;
        for (namespace, key) in [("code/a", "x"), ("code/a", "y"), ("code/b", "x"), ("code/b", "y")] {
            put(&ctx, namespace, key, "The loom has shafts").await;
        }
        allow(&ctx, "code/b", from(Role::Viewer), from(Role::Admin)).await;
        let rule = serde_json::from_value(json!({"namespace": "code", "at_least": 2, "budget_micros": 1})).unwrap();
        let plan = memory::preview_summary_rule(&as_role(&ctx, Role::Builder), rule).await.unwrap();
        assert_eq!(plan.sets.iter().map(|set| set.namespace.as_str()).collect::<Vec<_>>(), ["code/a"]);
    }

    async fn nothing_is_changed_where_one_may_not(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        for (way, done) in writings(&tomas, CLOSED).await {
            assert!(matches!(done, Err(Error::NoNamespace)), "{way}: {done:?}");
        }
        for (way, done) in writings(&tomas, LOOKED_AT).await {
            assert!(matches!(done, Err(Error::ReadOnly { .. })), "{way}: {done:?}");
        }
        let acts = || {
            [
                EntryAct::Tag { add: vec!["t".to_owned()], remove: Vec::new() },
                EntryAct::Move { to: "code/x".to_owned() },
                EntryAct::Quarantine { reason: String::new() },
                EntryAct::Release {},
                EntryAct::Delete {},
                EntryAct::Undelete {},
            ]
        };
        for act in acts() {
            for reason in bulk(&tomas, step(CLOSED, act.clone())).await {
                assert!(reason.starts_with("no such"), "{act:?}: {reason}");
            }
        }
        for act in acts() {
            let reasons = bulk(&tomas, step(LOOKED_AT, act.clone())).await;
            assert!(reasons[0].contains("doesn't let you") || reasons[0].contains("quarantine"), "{act:?}: {reasons:?}");
        }
        for to in [CLOSED, LOOKED_AT] {
            assert_eq!(bulk(&tomas, step("code", EntryAct::Move { to: to.to_owned() })).await.len(), 1);
        }
        let left = memory::get_any(&mara, CLOSED, "k").await.unwrap();
        assert_eq!((left.content.as_str(), left.version), (HIDDEN, 2));
        assert_eq!(memory::get_any(&mara, LOOKED_AT, "k").await.unwrap().version, 1);
        assert_eq!(memory::get_any(&mara, "code", "k").await.unwrap().version, 1);
        assert!(memory::put(&tomas, "code", "mine", draft("mine"), Expect::Any, Source::Cli {}).await.is_ok());
    }

    async fn a_copy_of_what_is_hidden_is_not_said_to_be_one(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        for duplicates in [Duplicates::Refuse, Duplicates::Merge] {
            let settings = MemorySettings { duplicates, ..MemorySettings::default() };
            memory::update_settings(&mara, settings).await.unwrap();
            allow(&mara, "people", from(Role::Viewer), from(Role::Operator)).await;
            allow(&mara, CLOSED, from(Role::Admin), from(Role::Admin)).await;
            let key = format!("{duplicates:?}");
            let entry = memory::put(&tomas, "people", &key, draft(HIDDEN), Expect::Any, Source::Cli {}).await.unwrap();
            assert_eq!((entry.namespace.as_str(), entry.key), ("people", key.clone()));
            memory::delete(&mara, "people", &key, Expect::Any).await.unwrap();
        }
        assert_eq!(memory::get_any(&mara, CLOSED, "k").await.unwrap().version, 2);
    }

    async fn a_person_is_let_in_by_name_and_out_again_at_once(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let named = Allowed { role: Some(Role::Admin), users: vec![tomas.actor.principal.user_id().unwrap()] };
        allow(&mara, CLOSED, named.clone(), from(Role::Admin)).await;
        assert_eq!(memory::get(&tomas, CLOSED, "k").await.unwrap().content, HIDDEN);
        assert_eq!(found(&tomas, SECRET).await, ["k"]);
        let write = memory::put(&tomas, CLOSED, "k", draft("mine"), Expect::Any, Source::Cli {}).await;
        assert!(matches!(write, Err(Error::ReadOnly { .. })));
        allow(&mara, CLOSED, named.clone(), named).await;
        assert_eq!(memory::put(&tomas, CLOSED, "k", draft(SECRET), Expect::Any, Source::Cli {}).await.unwrap().version, 3);
        memory::allow_by_role(&mara, CLOSED).await.unwrap();
        assert!(matches!(memory::get(&tomas, CLOSED, "k").await, Err(Error::NotFound)), "the rule above holds again");
        assert!(found(&tomas, SECRET).await.is_empty());
        memory::allow_by_role(&mara, "people").await.unwrap();
        assert!(memory::get(&tomas, CLOSED, "k").await.is_ok(), "without a rule the role decides");
        assert!(matches!(memory::allow_by_role(&mara, "people").await, Err(Error::NoAccessRule)));
    }

    async fn rules_are_made_by_who_administers_and_fit(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        assert!(matches!(memory::list_access(&tomas).await, Err(Error::Denied(_))));
        assert!(matches!(memory::allow(&tomas, "code", Access::default()).await, Err(Error::Denied(_))));
        assert!(matches!(memory::allow_by_role(&tomas, "people").await, Err(Error::Denied(_))));
        let stranger = Allowed { role: None, users: vec![site.runtime.ids.fresh()] };
        let many = Allowed { role: None, users: (0..51).map(|_| site.runtime.ids.fresh()).collect() };
        for (path, write, pointer) in
            [("a//b", Allowed::default(), "namespace"), ("a", stranger, "/write/users/0"), ("a", many, "/write/users")]
        {
            match memory::allow(&mara, path, Access { read: from(Role::Viewer), write }).await {
                Err(Error::Invalid(fields)) => assert_eq!(fields[0].pointer, pointer),
                other => panic!("{path} {other:?}"),
            }
        }
        let paths: Vec<String> = memory::list_access(&mara).await.unwrap().into_iter().map(|rule| rule.path).collect();
        assert_eq!(paths, ["people", LOOKED_AT]);
        let theirs = workspace(&site).await;
        assert!(memory::list_access(&theirs).await.unwrap().is_empty());
        put(&theirs, CLOSED, "k", "text").await;
        assert!(memory::get(&as_role(&theirs, Role::Viewer), CLOSED, "k").await.is_ok(), "rules hold in their workspace");
    }

    async fn a_run_reads_and_writes_for_whoever_started_it(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let find = json!({"id": "find", "kind": "memory_search", "config": {"query": SECRET}});
        let note = json!({"id": "note", "kind": "memory_write",
            "config": {"namespace": CLOSED, "key": "by-run", "content": "kept"}});
        for (who, finds, writes) in [(&mara, 1, RunStatus::Succeeded), (&tomas, 0, RunStatus::Failed)] {
            let run = begin(who, find.clone()).await;
            let output = &end(&mara, run).await.steps[0].output;
            assert_eq!(output["hits"].as_array().map_or(0, Vec::len), finds, "{output}");
            assert_eq!(end(&mara, begin(who, note.clone()).await).await.summary.status, writes);
        }
        // In nobody's name: as a builder whom no rule names.
        let system = site.runtime.system(mara.workspace());
        let run = crate::engine::start(&system, &chain(vec![find.clone()]), json!({})).await;
        assert_eq!(end(&mara, run).await.steps[0].output["hits"], json!([]));
        let unattended = site.runtime.unattended(mara.workspace());
        let changes = memory::list_changes(&unattended, 0, 100).await.unwrap();
        let seen: Vec<&str> = changes.iter().map(|change| change.namespace.as_str()).collect();
        assert_eq!(seen, [LOOKED_AT, "code"], "nothing hidden starts anything by itself");
        let acting = memory::acting(&system, tomas.actor.principal.user_id(), &[]).await.unwrap();
        assert!(matches!(memory::get(&acting, CLOSED, "k").await, Err(Error::NotFound)));
        assert_eq!(acting.actor.principal.user_id(), None, "it is no reader of its own");
    }

    async fn over_rest_there_is_nothing_for_who_may_not_read(site: Site) {
        let (mara, tomas) = governed(&site.runtime).await;
        let place = "/memory/people%2Fpay/k";
        for tail in ["", "?quarantined=true", "/history", "/siblings", "/readers", "/related", "/summary"] {
            let (status, _, problem) = call(&tomas, "GET", &format!("{place}{tail}"), &[], None).await;
            assert_eq!(status, 404, "{tail}: {problem}");
            assert_eq!(call(&mara, "GET", &format!("{place}{tail}"), &[], None).await.0, 200, "{tail}");
        }
        for (method, tail, body) in [
            ("PUT", "", Some(json!({"content": "mine"}))),
            ("DELETE", "", None),
            ("POST", "/restore", Some(json!({"version": 1}))),
            ("PUT", "/quarantine", Some(json!({}))),
            ("DELETE", "/quarantine", None),
        ] {
            assert_eq!(call(&tomas, method, &format!("{place}{tail}"), &[], body.clone()).await.0, 404, "{method} {tail}");
            let looked_at = format!("/memory/people%2Fpublic/k{tail}");
            assert_eq!(call(&tomas, method, &looked_at, &[], body).await.0, 403, "{method} {tail}");
        }
        for path in ["/memory", "/memory/timeline", "/memory/health", "/memory/map", "/namespaces", "/summary-rules"] {
            let (status, _, told) = call(&tomas, "GET", path, &[], None).await;
            assert!(status == 200 && !says(&told.to_string()), "{path}: {told}");
        }
        let (_, exported) = send(&tomas, "GET", "/memory/export?format=jsonl", "text/plain", "").await;
        let exported = String::from_utf8(exported).unwrap();
        assert!(exported.contains("24 shafts") && !says(&exported), "{exported}");
        let line = json!({"namespace": CLOSED, "key": "k", "content": "mine"}).to_string();
        let (_, imported) = send(&tomas, "POST", "/memory/import", "application/x-ndjson", &line).await;
        let imported: Value = serde_json::from_slice(&imported).unwrap();
        assert_eq!((&imported["imported"], imported["refused"].as_array().unwrap().len()), (&json!(0), 1));
        assert_eq!(memory::get(&mara, CLOSED, "k").await.unwrap().content, HIDDEN);
        let rule = json!({"read": {"role": "operator"}, "write": {"role": "builder"}});
        let (status, _, made) = call(&mara, "PUT", "/namespaces/people%2Fpay/access", &[], Some(rule)).await;
        assert_eq!((status.as_u16(), &made["read"]["role"]), (200, &json!("operator")));
        assert_eq!(call(&tomas, "GET", place, &[], None).await.0, 200);
        let wrong = json!({"read": {"role": "friend"}, "write": {}});
        assert_eq!(call(&mara, "PUT", "/namespaces/a/access", &[], Some(wrong)).await.0, 422);
    }
}

/// Starts a run of one step, by hand.
async fn begin(who: &Ctx, step: Value) -> RunId {
    let made = workflow::definitions::create(who, chain(vec![step])).await.unwrap();
    workflow::start(who, NewRun::manual(made.id, json!({}), None, true)).await.unwrap()
}
