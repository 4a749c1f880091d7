//! Set-up, passwords, browsers' sign-ins.

use std::os::unix::fs::PermissionsExt;

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use weft::auth::{self, Error};
use weft::model::auth::LoginKind;
use weft::model::credentials::{PasswordChange, Secret};

use super::*;

on_both_engines! {
    async fn the_set_up_link_makes_the_owner_once_and_its_file_goes(site: Site) {
        let rt = &site.runtime;
        let token = setup_token(rt).await;
        let file = site.folder.path().join("setup-token");
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), token.0);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let body = serde_json::to_value(setup_request(token)).unwrap();
        let answer = call(Method::POST, "/api/v1/setup").json(&body).send(rt).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert!(!file.exists());
        let again = call(Method::POST, "/api/v1/setup").json(&body).status(rt).await;
        assert_eq!(again, StatusCode::CONFLICT);
        assert!(auth::boot(rt).await.unwrap().is_none());
    }

    async fn a_wrong_or_older_set_up_token_is_refused(site: Site) {
        let rt = &site.runtime;
        let older = setup_token(rt).await;
        setup_token(rt).await;
        for token in [older, Secret::from(""), Secret::from("nope")] {
            let refused = auth::set_up(rt, &client(), &setup_request(token)).await.expect_err("refused");
            assert!(matches!(refused, Error::SetupToken), "{refused}");
        }
        assert!(auth::is_setup_pending(rt).await.unwrap());
    }

    async fn of_two_racing_set_ups_exactly_one_wins(site: Site) {
        let rt = &site.runtime;
        let mut request = setup_request(setup_token(rt).await);
        let first = request.clone();
        "tomas@team.example".clone_into(&mut request.email);
        let client = client();
        let (a, b) = tokio::join!(auth::set_up(rt, &client, &first), auth::set_up(rt, &client, &request));
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
        let refused = a.err().or(b.err()).unwrap();
        assert!(matches!(refused, Error::SetUp), "{refused}");
    }

    async fn a_set_up_that_does_not_fit_names_the_field_and_keeps_the_token(site: Site) {
        let rt = &site.runtime;
        let mut request = setup_request(setup_token(rt).await);
        request.password = "password123".into();
        let body = serde_json::to_value(&request).unwrap();
        let answer = call(Method::POST, "/api/v1/setup").json(&body).send(rt).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(json_of(answer).await["errors"][0]["pointer"], "/password");
        request.password = PASSWORD.into();
        auth::set_up(rt, &client(), &request).await.unwrap();
    }

    async fn an_unknown_address_a_wrong_password_and_a_disabled_account_look_the_same(site: Site) {
        let rt = &site.runtime;
        let (mara, _) = owner(rt).await;
        let (out, _) = member(&mara, Role::Builder).await;
        auth::disable_user(&mara, out.actor.principal.user_id().unwrap()).await.unwrap();
        let long = "x".repeat(2000);
        let rows = [
            ("nobody@team.example", PASSWORD),
            ("mara@team.example", "not her password"),
            ("builder@team.example", PASSWORD),
            ("mara@team.example", long.as_str()),
        ];
        for (email, password) in rows {
            let before = auth::hashes_run(rt);
            let body = json!({"email": email, "password": password});
            let answer = call(Method::POST, "/api/v1/login").json(&body).send(rt).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            assert_eq!(json_of(answer).await["detail"], "the e-mail address or the password is wrong");
            assert_eq!(auth::hashes_run(rt) - before, 1, "one hash for {email}");
        }
    }

    async fn every_sign_in_has_a_new_secret_and_the_one_that_came_along_dies(site: Site) {
        let rt = &site.runtime;
        let (_, planted) = owner(rt).await;
        let mara = credentials("Mara@Team.Example ", PASSWORD);
        let sign_in = auth::log_in(rt, &client(), &mara, Some(&planted)).await.unwrap();
        assert_ne!(sign_in.secret.0, planted);
        assert!(!is_signed_in(rt, &planted).await);
        assert!(is_signed_in(rt, &sign_in.secret.0).await);
    }

    async fn a_login_session_ends_by_idleness_and_at_the_latest_after_thirty_days(site: Site) {
        const DAY_MS: i64 = 86_400_000;
        let rt = &site.runtime;
        let (_, cookie) = owner(rt).await;
        rt.clock.advance_ms(13 * DAY_MS);
        assert!(is_signed_in(rt, &cookie).await);
        rt.clock.advance_ms(13 * DAY_MS);
        assert!(is_signed_in(rt, &cookie).await);
        rt.clock.advance_ms(4 * DAY_MS);
        assert!(!is_signed_in(rt, &cookie).await, "thirty days");
        let mara = credentials("mara@team.example", PASSWORD);
        let idle = auth::log_in(rt, &client(), &mara, None).await.unwrap();
        rt.clock.advance_ms(14 * DAY_MS);
        assert!(!is_signed_in(rt, &idle.secret.0).await, "fourteen idle days");
        assert_eq!(auth::purge(rt).await.unwrap(), 2);
    }

    async fn ones_own_sign_ins_are_listed_and_revoked_and_nobody_elses(site: Site) {
        let rt = &site.runtime;
        let (mara, cookie) = owner(rt).await;
        let (tomas, his) = member(&mara, Role::Builder).await;
        let tokens = auth::issue_tokens(rt, &client(), &credentials("mara@team.example", PASSWORD)).await.unwrap();
        let list = auth::list_login_sessions(&mara).await.unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list.iter().filter(|session| session.current).count(), 1);
        let token_session = list.iter().find(|session| session.kind == LoginKind::Token).unwrap().id;
        let foreign = auth::revoke_login_session(&tomas, token_session).await.expect_err("not his");
        assert!(matches!(foreign, Error::NotFound(_)));
        assert!(holds(rt, &tokens).await);
        auth::revoke_login_session(&mara, token_session).await.unwrap();
        assert!(!holds(rt, &tokens).await);
        assert!(is_signed_in(rt, &cookie).await && is_signed_in(rt, &his).await);
    }

    async fn a_new_password_ends_every_other_sign_in(site: Site) {
        let rt = &site.runtime;
        let (mara, cookie) = owner(rt).await;
        let mine = credentials("mara@team.example", PASSWORD);
        let other = auth::log_in(rt, &client(), &mine, None).await.unwrap();
        let tokens = auth::issue_tokens(rt, &client(), &mine).await.unwrap();
        let wrong = PasswordChange { current: "not her password".into(), new: "a shuttle and a reed".into() };
        assert!(matches!(auth::change_password(&mara, &wrong).await, Err(Error::Invalid(field)) if field.pointer == "/current"));
        let right = PasswordChange { current: PASSWORD.into(), new: "a shuttle and a reed".into() };
        auth::change_password(&mara, &right).await.unwrap();
        assert!(is_signed_in(rt, &cookie).await);
        assert!(!is_signed_in(rt, &other.secret.0).await && !holds(rt, &tokens).await);
        assert!(auth::log_in(rt, &client(), &mine, None).await.is_err());
    }

    async fn too_many_attempts_on_an_account_are_refused_until_time_passes(site: Site) {
        let rt = &site.runtime;
        owner(rt).await;
        let wrong = json!({"email": "mara@team.example", "password": "not her password"});
        let mut statuses = Vec::new();
        for _ in 0..21 {
            let answer = call(Method::POST, "/api/v1/login").json(&wrong).send(rt).await;
            statuses.push(answer.status());
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                assert!(answer.headers().contains_key(header::RETRY_AFTER));
            }
        }
        assert_eq!(statuses.pop(), Some(StatusCode::TOO_MANY_REQUESTS));
        assert!(statuses.iter().all(|status| *status == StatusCode::UNAUTHORIZED));
        rt.clock.advance_ms(15_000);
        auth::log_in(rt, &client(), &credentials("mara@team.example", PASSWORD), None).await.unwrap();
    }

    async fn a_form_signs_in_without_script_and_goes_where_it_may(site: Site) {
        let rt = &site.runtime;
        owner(rt).await;
        for (next, expected) in [("/runs", "/runs"), ("//evil.com", "/")] {
            let body = format!("email=mara%40team.example&password=a+loom+in+the+attic&next={}", next.replace('/', "%2F"));
            let answer = call(Method::POST, "/rpc/auth/log_in")
                .with("sec-fetch-site", "same-origin")
                .with("accept", "text/html")
                .text("application/x-www-form-urlencoded", &body)
                .send(rt)
                .await;
            assert_eq!(answer.status(), StatusCode::SEE_OTHER);
            assert_eq!(answer.headers()[header::LOCATION], expected);
            let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
            assert!(cookie.starts_with("weft=") && cookie.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"), "{cookie}");
            let me = call(Method::GET, "/api/v1/me").with("cookie", cookie.split(';').next().unwrap()).send(rt).await;
            assert_eq!(json_of(me).await["email"], "mara@team.example");
        }
    }

    async fn signing_out_ends_the_cookie_at_once(site: Site) {
        let rt = &site.runtime;
        let (_, cookie) = owner(rt).await;
        let out = call(Method::POST, "/api/v1/logout")
            .with("cookie", &format!("weft={cookie}"))
            .with("sec-fetch-site", "same-origin")
            .status(rt)
            .await;
        assert_eq!(out, StatusCode::NO_CONTENT);
        assert!(!is_signed_in(rt, &cookie).await);
    }
}
