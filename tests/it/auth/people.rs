//! Roles, invitations, shutting out.

use axum::http::{Method, StatusCode};
use weft::auth::{self, Error, Revoked};
use weft::model::PageRequest;
use weft::model::auth::Action;
use weft::runtime::Principal;

use super::*;

fn id(ctx: &Ctx) -> weft::model::UserId {
    ctx.actor.principal.user_id().unwrap()
}

fn accepting(link: &str) -> InviteAcceptance {
    let token = Secret(link.split_once("?token=").unwrap().1.to_owned());
    InviteAcceptance { token, name: "A person".to_owned(), password: PASSWORD.into() }
}

on_both_engines! {
    async fn an_invitation_works_once_and_until_it_expires(site: Site) {
        let rt = &site.runtime;
        let (mara, _) = owner(rt).await;
        let request = InviteRequest { email: "Tomas@Team.example".to_owned(), role: Role::Builder };
        let replaced = auth::invite(&mara, &request).await.unwrap();
        let made = auth::invite(&mara, &request).await.unwrap();
        assert_eq!(auth::list_invites(&mara).await.unwrap().len(), 1);
        assert!(matches!(auth::accept_invite(rt, &client(), &accepting(&replaced.link)).await, Err(Error::InviteToken)));
        let sign_in = auth::accept_invite(rt, &client(), &accepting(&made.link)).await.unwrap();
        let tomas = ctx_of(rt, &sign_in.secret.0).await;
        assert_eq!((tomas.actor.role, auth::get_me(&tomas).await.unwrap().email.as_str()), (Role::Builder, "tomas@team.example"));
        assert!(matches!(auth::accept_invite(rt, &client(), &accepting(&made.link)).await, Err(Error::InviteToken)));
        assert!(matches!(auth::invite(&mara, &request).await, Err(Error::Member(_))));
        let late = auth::invite(&mara, &InviteRequest { email: "late@team.example".to_owned(), role: Role::Viewer }).await.unwrap();
        rt.clock.advance_ms(7 * 86_400_000);
        assert!(matches!(auth::accept_invite(rt, &client(), &accepting(&late.link)).await, Err(Error::InviteToken)));
    }

    async fn of_two_racing_acceptances_one_makes_the_account(site: Site) {
        let rt = &site.runtime;
        let (mara, _) = owner(rt).await;
        let made = auth::invite(&mara, &InviteRequest { email: "tomas@team.example".to_owned(), role: Role::Viewer }).await.unwrap();
        let (client, acceptance) = (client(), accepting(&made.link));
        let (a, b) = tokio::join!(
            auth::accept_invite(rt, &client, &acceptance),
            auth::accept_invite(rt, &client, &acceptance),
        );
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
        let people = auth::list_users(&mara, &PageRequest::default()).await.unwrap();
        assert_eq!(people.items.len(), 2);
    }

    async fn nobody_gives_a_role_above_their_own(site: Site) {
        let rt = &site.runtime;
        let (mara, _) = owner(rt).await;
        let (admin, _) = member(&mara, Role::Admin).await;
        let (viewer, _) = member(&mara, Role::Viewer).await;
        let invite = |role| InviteRequest { email: "new@team.example".to_owned(), role };
        assert!(matches!(auth::invite(&admin, &invite(Role::Owner)).await, Err(Error::Denied(_))));
        assert!(matches!(auth::change_role(&admin, id(&viewer), Role::Owner).await, Err(Error::Denied(_))));
        assert!(matches!(auth::change_role(&admin, id(&mara), Role::Viewer).await, Err(Error::Denied(_))));
        assert!(matches!(auth::disable_user(&admin, id(&mara)).await, Err(Error::Denied(_))));
        assert!(matches!(auth::invite(&viewer, &invite(Role::Viewer)).await, Err(Error::Denied(_))));
        auth::change_role(&admin, id(&viewer), Role::Builder).await.unwrap();
        assert_eq!(auth::list_users(&mara, &PageRequest::default()).await.unwrap().items[2].role, Role::Builder);
    }

    async fn the_last_active_owner_stays(site: Site) {
        let rt = &site.runtime;
        let (mara, _) = owner(rt).await;
        let (second, _) = member(&mara, Role::Owner).await;
        assert!(matches!(auth::disable_user(&mara, id(&mara)).await, Err(Error::Yourself)));
        auth::disable_user(&mara, id(&second)).await.unwrap();
        assert!(matches!(auth::change_role(&mara, id(&mara), Role::Admin).await, Err(Error::LastOwner)));
        auth::enable_user(&mara, id(&second)).await.unwrap();
        auth::change_role(&mara, id(&mara), Role::Admin).await.unwrap();
    }

    async fn two_owners_who_demote_each_other_at_once_leave_one(site: Site) {
        let rt = &site.runtime;
        let (mara, _) = owner(rt).await;
        let (tomas, _) = member(&mara, Role::Owner).await;
        let (a, b) = tokio::join!(
            auth::change_role(&mara, id(&tomas), Role::Admin),
            auth::change_role(&tomas, id(&mara), Role::Admin),
        );
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
        let people = auth::list_users(&mara, &PageRequest::default()).await.unwrap().items;
        assert_eq!(people.iter().filter(|user| user.role == Role::Owner).count(), 1);
    }

    async fn disabling_ends_every_credential_at_once_and_says_so(site: Site) {
        let rt = &site.runtime;
        let (mara, _) = owner(rt).await;
        let (tomas, cookie) = member(&mara, Role::Admin).await;
        let mine = credentials("admin@team.example", PASSWORD);
        let tokens = auth::issue_tokens(rt, &client(), &mine).await.unwrap();
        let made = auth::invite(&tomas, &InviteRequest { email: "later@team.example".to_owned(), role: Role::Admin }).await.unwrap();
        let mut revocations = auth::revocations(rt);
        auth::disable_user(&mara, id(&tomas)).await.unwrap();
        assert_eq!(revocations.try_recv().unwrap(), Revoked::User(id(&tomas)));
        assert!(!is_signed_in(rt, &cookie).await && !holds(rt, &tokens).await);
        assert!(!auth::holds(rt, &tomas.actor).await.unwrap());
        assert!(auth::refresh(rt, &client(), &tokens.refresh_token).await.is_err());
        assert!(auth::log_in(rt, &client(), &mine, None).await.is_err());
        assert!(auth::accept_invite(rt, &client(), &accepting(&made.link)).await.is_err());
        auth::enable_user(&mara, id(&tomas)).await.unwrap();
        assert!(!is_signed_in(rt, &cookie).await, "what was dead stays dead");
        auth::log_in(rt, &client(), &mine, None).await.unwrap();
    }

    async fn only_the_program_itself_resets_a_password_and_what_was_open_ends(site: Site) {
        let rt = &site.runtime;
        let (mara, cookie) = owner(rt).await;
        let (tomas, _) = member(&mara, Role::Viewer).await;
        let new = "a loom in the cellar".into();
        assert!(matches!(auth::reset_password(&mara, id(&tomas), &new).await, Err(Error::OperatorOnly)));
        let system = rt.system(mara.workspace());
        let found = auth::find_user(&system, " Mara@team.example ").await.unwrap();
        let mut revocations = auth::revocations(rt);
        auth::reset_password(&system, found.id, &new).await.unwrap();
        assert_eq!(revocations.try_recv().unwrap(), Revoked::User(id(&mara)));
        assert!(!is_signed_in(rt, &cookie).await);
        let mine = |password| credentials("mara@team.example", password);
        assert!(auth::log_in(rt, &client(), &mine(PASSWORD), None).await.is_err());
        auth::log_in(rt, &client(), &mine("a loom in the cellar"), None).await.unwrap();
        let elsewhere = rt.system(rt.ids.fresh());
        assert!(matches!(auth::reset_password(&elsewhere, found.id, &new).await, Err(Error::NotFound(_))));
    }

    async fn a_new_role_holds_at_the_next_request_and_closes_what_is_open(site: Site) {
        let rt = &site.runtime;
        let (mara, _) = owner(rt).await;
        let (tomas, cookie) = member(&mara, Role::Admin).await;
        let mut revocations = auth::revocations(rt);
        auth::change_role(&mara, id(&tomas), Role::Viewer).await.unwrap();
        assert_eq!(revocations.try_recv().unwrap(), Revoked::User(id(&tomas)));
        assert!(!auth::holds(rt, &tomas.actor).await.unwrap());
        assert!(ctx_of(rt, &cookie).await.authorize(Action::ManageUser).is_err());
    }

    async fn the_people_of_another_workspace_are_not_found(site: Site) {
        let rt = &site.runtime;
        let (mara, cookie) = owner(rt).await;
        let mut stranger = mara.actor.clone();
        stranger.workspace = rt.ids.fresh();
        let stranger = rt.as_actor(stranger, String::new());
        assert!(matches!(auth::change_role(&stranger, id(&mara), Role::Viewer).await, Err(Error::NotFound(_))));
        assert!(auth::list_users(&stranger, &PageRequest::default()).await.unwrap().items.is_empty());
        for path in ["/api/v1/users/not-a-uuid/disable", "/api/v1/users/00000000-0000-0000-0000-000000000000/disable"] {
            let status = call(Method::POST, path)
                .with("cookie", &format!("weft={cookie}"))
                .with("sec-fetch-site", "same-origin")
                .status(rt)
                .await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
        assert!(matches!(mara.actor.principal, Principal::User { .. }));
    }
}
