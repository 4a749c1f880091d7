//! Which models of a route stand open to a call: what the flags say that they stand behind.
//!
//! Whoever asks is in one of a hundred buckets of each flag, by a hash of the flag's id and of what stays on one side of it: a
//! session or a person. A flag takes the buckets below its percentage, so that it never lets go of anybody while it grows, that each
//! flag divides them in its own way, and that every process comes to the same.

use super::error::Result;
use super::store;
use crate::model::auth::Role;
use crate::model::gateway::{FLAG_BUCKETS, Flag, FlagSubject, FlagTold, FlagVerdict, Route, StickyBy, Target};
use crate::model::{AgentId, ApiKeyId, FlagId, UserId};
use crate::runtime::{Ctx, Principal};

/// For whom a call is made, beside the actor.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asker<'a> {
    /// The conversation that it belongs to.
    pub session: Option<&'a str>,
    /// The person for whom the program itself asks.
    pub on_behalf_of: Option<UserId>,
    /// The agent, if one asks.
    pub agent: Option<AgentId>,
    /// Whether who answers must not depend on who asks: then flags take nobody.
    pub is_fixed: bool,
}

/// Who asks, as far as flags go.
#[derive(Debug, Clone, Copy, Default)]
struct Who<'a> {
    session: Option<&'a str>,
    user: Option<UserId>,
    /// The person's.
    role: Option<Role>,
    key: Option<ApiKeyId>,
    agent: Option<AgentId>,
}

/// What the flags of a route say to a call, in the order of its models; nothing where it has none.
///
/// # Errors
/// The database's.
pub(super) async fn judge(ctx: &Ctx, route: &Route, asker: Asker<'_>) -> Result<Vec<FlagTold>> {
    let mut names: Vec<&str> = Vec::new();
    for name in route.targets.iter().filter_map(|target| target.flag.as_deref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let flags = store::flag::list(&ctx.db, ctx.workspace()).await?;
    let known = |name: &str| flags.iter().find(|flag| flag.name == name);
    let asks_roles = names.iter().any(|name| known(name).is_some_and(|flag| !flag.audience.roles.is_empty()));
    let who = who(ctx, asker, asks_roles).await?;
    let told = names.into_iter().map(|name| match known(name) {
        Some(flag) if asker.is_fixed => {
            FlagTold { flag: name.to_owned(), percent: flag.percent, verdict: FlagVerdict::NotForThem }
        }
        Some(flag) => told(flag, &who, || ctx.ids.fraction()),
        None => FlagTold { flag: name.to_owned(), percent: 0, verdict: FlagVerdict::Gone },
    });
    Ok(told.collect())
}

/// The route as it stands open to a call, by what its flags say.
pub(super) fn open(route: Route, told: &[FlagTold]) -> Route {
    let targets = route.targets.into_iter().filter(|target| is_open(target, told)).collect();
    Route { targets, ..route }
}

/// What keeps a model from being asked, where it is a flag.
pub(super) fn closed_by<'a>(target: &Target, told: &'a [FlagTold]) -> Option<&'a FlagTold> {
    let name = target.flag.as_deref()?;
    told.iter().find(|one| one.flag == name && !one.takes())
}

fn is_open(target: &Target, told: &[FlagTold]) -> bool {
    target.flag.as_ref().is_none_or(|name| told.iter().any(|one| one.flag == *name && one.takes()))
}

async fn who<'a>(ctx: &Ctx, asker: Asker<'a>, asks_roles: bool) -> Result<Who<'a>> {
    let own = ctx.actor.principal.acts_for();
    let user = own.or(asker.on_behalf_of);
    let role = match (own, user) {
        (Some(_), _) => Some(ctx.actor.role),
        (None, Some(user)) if asks_roles => store::flag::find_role(&ctx.db, ctx.workspace(), user).await?,
        (None, _) => None,
    };
    let key = match &ctx.actor.principal {
        Principal::Key { id, .. } => Some(*id),
        Principal::User { .. } | Principal::OnBehalf { .. } | Principal::System => None,
    };
    Ok(Who { session: asker.session.filter(|session| !session.is_empty()), user, role, key, agent: asker.agent })
}

fn told(flag: &Flag, who: &Who<'_>, draw: impl FnOnce() -> f64) -> FlagTold {
    let verdict = if !flag.enabled {
        FlagVerdict::Off
    } else if is_for(flag, who) {
        let (by, bucket) = place(flag, who, draw);
        if bucket < flag.percent { FlagVerdict::Takes { by, bucket } } else { FlagVerdict::LeavesOut { by, bucket } }
    } else {
        FlagVerdict::NotForThem
    };
    FlagTold { flag: flag.name.clone(), percent: flag.percent, verdict }
}

fn is_for(flag: &Flag, who: &Who<'_>) -> bool {
    let audience = &flag.audience;
    audience.is_everybody()
        || who.role.is_some_and(|role| audience.roles.contains(&role))
        || who.user.is_some_and(|user| audience.users.contains(&user))
        || who.agent.is_some_and(|agent| audience.agents.contains(&agent))
        || who.key.is_some_and(|key| audience.keys.contains(&key))
}

/// By what a call is put into which bucket.
fn place(flag: &Flag, who: &Who<'_>, draw: impl FnOnce() -> f64) -> (FlagSubject, u32) {
    let session = who.session.map(|session| (FlagSubject::Session, session.as_bytes()));
    let user = who.user.as_ref().map(|user| (FlagSubject::User, user.0.as_bytes().as_slice()));
    let key = who.key.as_ref().map(|key| (FlagSubject::Key, key.0.as_bytes().as_slice()));
    let agent = who.agent.as_ref().map(|agent| (FlagSubject::Agent, agent.0.as_bytes().as_slice()));
    let subject = match flag.sticky_by {
        StickyBy::Session => session.or(user).or(key).or(agent),
        StickyBy::User => user.or(key).or(agent).or(session),
    };
    match subject {
        Some((by, subject)) => (by, bucket(flag.id, by, subject)),
        None => (FlagSubject::Call, of_buckets((draw().clamp(0.0, 1.0) * TWO_TO_32) as u64)),
    }
}

const TWO_TO_32: f64 = 4_294_967_296.0;

/// The bucket of a subject, 0..=99: the same for ever, in every process, and of another flag another.
fn bucket(flag: FlagId, by: FlagSubject, subject: &[u8]) -> u32 {
    let mut hash = blake3::Hasher::new_derive_key("weft gateway: the bucket of a flag");
    // The id has a fixed length, and the word ends before the subject begins.
    hash.update(flag.0.as_bytes()).update(by.label().as_bytes()).update(&[0]).update(subject);
    let mut bytes = [0_u8; 4];
    bytes.copy_from_slice(&hash.finalize().as_bytes()[..4]);
    of_buckets(u64::from(u32::from_le_bytes(bytes)))
}

/// Which bucket a number of 32 bits falls into.
fn of_buckets(number: u64) -> u32 {
    let bucket = (number * u64::from(FLAG_BUCKETS)) >> 32;
    u32::try_from(bucket).map_or(FLAG_BUCKETS - 1, |bucket| bucket.min(FLAG_BUCKETS - 1))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::Timestamp;
    use crate::model::gateway::FlagAudience;

    fn flag(id: u128, percent: u32) -> Flag {
        Flag {
            id: FlagId(Uuid::from_u128(id)),
            name: "new".into(),
            description: String::new(),
            enabled: true,
            percent,
            sticky_by: StickyBy::Session,
            audience: FlagAudience::default(),
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn takes(flag: &Flag, session: &str) -> bool {
        told(flag, &Who { session: Some(session), ..Who::default() }, || panic!("a session is not drawn")).takes()
    }

    fn verdict(flag: &Flag, who: &Who<'_>) -> FlagVerdict {
        told(flag, who, || 0.5).verdict
    }

    #[test]
    fn of_a_hundred_thousand_sessions_it_takes_its_percentage() {
        for percent in [1, 10, 25, 50, 90] {
            let flag = flag(7, percent);
            let taken = (0..100_000).filter(|n| takes(&flag, &format!("session {n}"))).count();
            let off = taken as i64 - i64::from(percent) * 1_000;
            assert!(off.abs() < 1_000, "{percent} %: {taken}");
        }
        let sessions = || (0..10_000).map(|n| format!("s{n}"));
        assert!(sessions().all(|session| takes(&flag(7, 100), &session)));
        assert!(!sessions().any(|session| takes(&flag(7, 0), &session)));
    }

    #[test]
    fn while_it_grows_it_lets_go_of_nobody() {
        for n in 0..2_000 {
            let session = format!("session {n}");
            let sides: Vec<bool> = (0..=100).map(|percent| takes(&flag(7, percent), &session)).collect();
            let first = sides.iter().position(|taken| *taken).unwrap();
            assert!(sides[first..].iter().all(|taken| *taken), "{session}");
        }
    }

    #[test]
    fn a_session_stays_on_its_side_and_each_flag_divides_them_in_its_own_way() {
        let (one, other) = (flag(7, 50), flag(8, 50));
        let both = (0..10_000).filter(|n| takes(&one, &format!("s{n}")) && takes(&other, &format!("s{n}"))).count();
        assert!((2_300..2_700).contains(&both), "a quarter is on the same side of both: {both}");
        assert!((0..1_000).all(|n| takes(&one, &format!("s{n}")) == takes(&one, &format!("s{n}"))));
        // What was said once is said for ever: another hash would put everybody anew.
        let buckets = ["", "a", "session"].map(|text| bucket(one.id, FlagSubject::Session, text.as_bytes()));
        assert!(buckets.iter().all(|bucket| *bucket < FLAG_BUCKETS));
        let renamed = Flag { name: "newer".into(), ..flag(7, 50) };
        assert!((0..1_000).all(|n| takes(&one, &format!("s{n}")) == takes(&renamed, &format!("s{n}"))));
    }

    #[test]
    fn by_what_somebody_is_put_on_a_side_is_told() {
        let (user, key) = (Some(UserId(Uuid::from_u128(1))), Some(ApiKeyId(Uuid::from_u128(2))));
        let all = flag(7, 100);
        let by_user = Flag { sticky_by: StickyBy::User, ..all.clone() };
        let by = |flag: &Flag, who: Who<'_>| match verdict(flag, &who) {
            FlagVerdict::Takes { by, .. } => by,
            other => panic!("{other:?}"),
        };
        let session = Some("s");
        assert_eq!(by(&all, Who { session, user, ..Who::default() }), FlagSubject::Session);
        assert_eq!(by(&all, Who { user, key, ..Who::default() }), FlagSubject::User);
        assert_eq!(by(&by_user, Who { session, user, ..Who::default() }), FlagSubject::User);
        assert_eq!(by(&by_user, Who { session, key, ..Who::default() }), FlagSubject::Key);
        assert_eq!(by(&by_user, Who { session, ..Who::default() }), FlagSubject::Session);
        assert_eq!(by(&by_user, Who::default()), FlagSubject::Call);
        // A call that nothing is known of is drawn: half of 100 is bucket 50.
        let drawn = |percent| verdict(&flag(7, percent), &Who::default());
        assert_eq!(drawn(51), FlagVerdict::Takes { by: FlagSubject::Call, bucket: 50 });
        assert_eq!(drawn(50), FlagVerdict::LeavesOut { by: FlagSubject::Call, bucket: 50 });
        assert_eq!((of_buckets(0), of_buckets(u64::from(u32::MAX)), of_buckets(1 << 32)), (0, 99, 99));
    }

    #[test]
    fn it_is_for_whoever_is_named_and_for_all_where_nobody_is() {
        let id = Uuid::from_u128;
        let named = |audience| Flag { audience, ..flag(7, 100) };
        let builders = named(FlagAudience { roles: vec![Role::Builder], ..FlagAudience::default() });
        let role = |role| Who { role: Some(role), ..Who::default() };
        assert!(told(&builders, &role(Role::Builder), || 0.0).takes());
        assert_eq!(verdict(&builders, &role(Role::Owner)), FlagVerdict::NotForThem);
        assert_eq!(verdict(&builders, &Who::default()), FlagVerdict::NotForThem);
        let several = named(FlagAudience {
            users: vec![UserId(id(1))],
            agents: vec![AgentId(id(2))],
            keys: vec![ApiKeyId(id(3))],
            ..FlagAudience::default()
        });
        let user = Who { user: Some(UserId(id(1))), ..Who::default() };
        let agent = Who { agent: Some(AgentId(id(2))), user: Some(UserId(id(9))), ..Who::default() };
        let key = Who { key: Some(ApiKeyId(id(3))), ..Who::default() };
        assert!([user, agent, key].iter().all(|who| told(&several, who, || 0.0).takes()));
        let other = Who { key: Some(ApiKeyId(id(1))), ..Who::default() };
        assert_eq!(verdict(&several, &other), FlagVerdict::NotForThem);
        assert_eq!(verdict(&Flag { enabled: false, ..flag(7, 100) }, &user), FlagVerdict::Off);
    }

    #[test]
    fn a_route_stands_open_as_far_as_its_flags_take_a_call() {
        let target = |model: &str, flag: Option<&str>| Target {
            flag: flag.map(str::to_owned),
            ..Target::new(crate::model::ProviderId(Uuid::nil()), model)
        };
        let route = Route {
            id: crate::model::RouteId(Uuid::nil()),
            name: "smart".into(),
            description: String::new(),
            targets: vec![target("new", Some("on")), target("odd", Some("off")), target("old", None)],
            policy: crate::model::gateway::Policy::default(),
            cache: crate::model::cache::CacheMode::Auto,
            context: None,
            revision: 1,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        };
        let takes = FlagVerdict::Takes { by: FlagSubject::Call, bucket: 0 };
        let told = |flag: &str, verdict| FlagTold { flag: flag.into(), percent: 50, verdict };
        let all = [told("on", takes), told("off", FlagVerdict::Off)];
        assert_eq!(closed_by(&route.targets[1], &all).map(|one| one.flag.as_str()), Some("off"));
        assert!(closed_by(&route.targets[0], &all).is_none() && closed_by(&route.targets[2], &all).is_none());
        let models: Vec<String> = open(route, &all).targets.into_iter().map(|target| target.model).collect();
        assert_eq!(models, ["new", "old"]);
    }
}
