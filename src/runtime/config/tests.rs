//! Precedence, refusals and what is shown of secrets.

use super::*;

fn load(flags: &[(&'static str, &str)], env: &[(&str, &str)]) -> Result<Config, Error> {
    let flags = flags.iter().map(|&(name, value)| (name, value.to_owned())).collect();
    Config::load(&flags, &|name| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

#[test]
fn a_flag_wins_over_the_environment_and_both_are_named() {
    let config = load(&[("addr", "127.0.0.1:4000")], &[("WEFT_ADDR", "127.0.0.1:5000"), ("WEFT_LOG", "debug")]);
    let config = config.expect("fits");
    assert_eq!(config.addr.port(), 4000);
    let log = config.outcomes.iter().find(|o| o.setting.name == "log").expect("listed");
    assert_eq!(log.origin, Origin::Environment("WEFT_LOG"));
}

#[test]
fn a_public_address_without_a_public_url_is_refused() {
    let error = load(&[("addr", "0.0.0.0:3000")], &[]).expect_err("refused");
    assert!(error.to_string().contains("public_url"), "{error}");
    assert!(load(&[("addr", "0.0.0.0:3000"), ("public_url", "http://weft.example.com")], &[]).is_err());
    assert!(load(&[("addr", "0.0.0.0:3000"), ("public_url", "https://weft.example.com/")], &[]).is_ok());
}

#[test]
fn a_bad_value_names_its_place_and_what_was_expected() {
    let error = load(&[], &[("WEFT_MAX_STEPS", "many")]).expect_err("refused");
    assert_eq!(
        error.to_string(),
        r#"max_steps (from environment WEFT_MAX_STEPS): expected a whole number from 1 to 1024, found "many""#
    );
}

#[test]
fn a_secret_is_masked() {
    let config = load(&[], &[("WEFT_ADMIN_EMAIL", "a@b.c"), ("WEFT_ADMIN_PASSWORD", "hunter2hunter2")]).expect("fits");
    let outcome = config.outcomes.iter().find(|o| o.setting.name == "admin_password").expect("listed");
    assert_eq!(outcome.shown(), "********");
}

#[test]
fn what_is_unset_but_follows_from_others_is_shown() {
    let config = load(&[("addr", "127.0.0.1:4000"), ("data_dir", "/srv/weft")], &[]).expect("fits");
    let shown = |name: &str| config.outcomes.iter().find(|o| o.setting.name == name).expect("listed").shown();
    assert_eq!(shown("public_url"), "http://127.0.0.1:4000");
    assert_eq!(shown("database_url"), "sqlite:/srv/weft/weft.db");
    assert_eq!(shown("master_key_file"), "/srv/weft/master.key");
}

#[test]
fn the_password_of_a_database_url_is_masked() {
    let rows = [
        ("postgres://weft:s3cret@db.example/weft", "postgres://weft:********@db.example/weft"),
        ("postgres://db.example/weft?user=weft&password=s3cret", "postgres://db.example/weft?********"),
        ("postgres://weft@db.example/weft", "postgres://weft@db.example/weft"),
        ("mysql://weft:s3cret@:x", "********"),
        ("sqlite:weft-data/weft.db", "sqlite:weft-data/weft.db"),
    ];
    for (url, expected) in rows {
        assert_eq!(masked_url(url), expected);
    }
    let error = load(&[("database_url", "mysql://weft:s3cret@db.example/weft")], &[]).expect_err("refused");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}
