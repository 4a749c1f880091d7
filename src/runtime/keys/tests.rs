//! Several keys: what each seals and opens, and who may not seal.

use super::*;
use crate::runtime::Ids;

fn in_a_file() -> (tempfile::TempDir, PathBuf, Keys) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let keys = Keys::open(&path, &Ids).unwrap();
    (folder, path, keys)
}

#[test]
fn a_sealed_secret_opens_in_its_place_under_its_key_only() {
    let keys = Keys::ephemeral(&Ids);
    let sealed = keys.seal(&Ids, "table/1/column", b"secret").unwrap();
    assert!(!sealed.windows(6).any(|part| part == b"secret"));
    assert_eq!(KeyId::named_by(&sealed), Some(keys.sealing()));
    assert_eq!(keys.unseal("table/1/column", &sealed).as_deref(), Some(b"secret".as_slice()));
    assert_eq!(keys.unseal("table/2/column", &sealed), None);
    assert_eq!(Keys::ephemeral(&Ids).unseal("table/1/column", &sealed), None);
    let mut bent = sealed.clone();
    bent[40] ^= 1;
    assert_eq!(keys.unseal("table/1/column", &bent), None);
    assert_eq!(keys.unseal("table/1/column", &sealed[..20]), None);
    assert_ne!(keys.seal(&Ids, "table/1/column", b"secret").unwrap(), sealed);
}

#[test]
fn what_was_sealed_before_values_named_their_key_still_opens() {
    let (_folder, _path, keys) = in_a_file();
    let first = keys.sealing();
    let sealed = keys.seal(&Ids, "p", b"secret").unwrap();
    let old = &sealed[HEAD_BYTES..];
    assert_eq!(KeyId::named_by(old), None);
    let second = keys.add(&Ids).unwrap();
    keys.seal_with(second);
    assert_eq!(keys.unseal("p", old).as_deref(), Some(b"secret".as_slice()));
    assert!(keys.opens(first, "p", old) && !keys.opens(second, "p", old));
    assert!(keys.opens(first, "p", &sealed) && !keys.opens(second, "p", &sealed));
}

#[test]
fn a_new_key_seals_only_once_it_is_told_to_and_the_old_one_opens_until_it_is_gone() {
    let (_folder, path, keys) = in_a_file();
    let first = keys.sealing();
    let old = keys.seal(&Ids, "p", b"old").unwrap();
    let second = keys.add(&Ids).unwrap();
    assert_eq!((keys.ids(), keys.sealing()), (vec![second, first], first));
    keys.seal_with(second);
    let new = keys.seal(&Ids, "p", b"new").unwrap();
    assert_eq!(KeyId::named_by(&new), Some(second));
    assert_eq!(keys.unseal("p", &old).as_deref(), Some(b"old".as_slice()));
    keys.remove(&Ids, first).unwrap();
    assert_eq!(keys.unseal("p", &old), None);
    assert_eq!(keys.unseal("p", &new).as_deref(), Some(b"new".as_slice()));
    assert_eq!(Keys::open(&path, &Ids).unwrap().ids(), [second]);
}

#[test]
fn who_does_not_have_the_key_that_seals_seals_nothing_and_says_which() {
    let (_folder, path, keys) = in_a_file();
    let copy = path.with_file_name("copy.key");
    std::fs::copy(&path, &copy).unwrap();
    let elsewhere = Keys::open(&copy, &Ids).unwrap();
    let second = keys.add(&Ids).unwrap();
    keys.seal_with(second);
    let sealed = keys.seal(&Ids, "p", b"secret").unwrap();
    assert_eq!(elsewhere.unseal("p", &sealed), None);
    elsewhere.seal_with(second);
    let refused = elsewhere.seal(&Ids, "p", b"secret").unwrap_err();
    assert!(refused.to_string().contains(&second.to_string()), "{refused}");
    assert!(elsewhere.lack().is_some());
    // The file arrives.
    std::fs::copy(&path, &copy).unwrap();
    elsewhere.reload().unwrap();
    assert_eq!(elsewhere.lack(), None);
    assert_eq!(elsewhere.unseal("p", &sealed).as_deref(), Some(b"secret".as_slice()));
}

#[test]
fn something_under_a_key_that_came_into_the_file_meanwhile_opens_at_once() {
    let (_folder, path, keys) = in_a_file();
    let other_process = Keys::open(&path, &Ids).unwrap();
    let second = keys.add(&Ids).unwrap();
    keys.seal_with(second);
    let sealed = keys.seal(&Ids, "p", b"secret").unwrap();
    assert_eq!(other_process.unseal("p", &sealed).as_deref(), Some(b"secret".as_slice()));
    assert_ne!(other_process.sealing(), second, "the file does not say which one seals");
}

#[test]
fn who_has_not_asked_for_long_which_key_seals_seals_nothing_until_it_has() {
    let (_folder, _path, keys) = in_a_file();
    let long_ago = Instant::now().checked_sub(SURE + Duration::from_secs(1)).unwrap();
    assert_eq!(keys.unheard(), None, "nobody else can change it");
    keys.hear(long_ago);
    assert!(keys.unheard() > Some(SURE));
    assert!(matches!(keys.seal(&Ids, "p", b"secret"), Err(db::Error::MasterKey(_))));
    keys.hear(Instant::now());
    let sealed = keys.seal(&Ids, "p", b"secret").unwrap();
    keys.hear(long_ago);
    assert!(keys.unseal("p", &sealed).is_some(), "what is there is read all the time");
}

#[test]
fn a_key_that_is_given_up_lies_beside_the_file_and_can_be_put_back() {
    let (_folder, path, keys) = in_a_file();
    let first = keys.sealing();
    let sealed = keys.seal(&Ids, "p", b"secret").unwrap();
    let second = keys.add(&Ids).unwrap();
    keys.seal_with(second);
    keys.remove(&Ids, first).unwrap();
    keys.remove(&Ids, first).unwrap();
    assert_eq!((keys.unseal("p", &sealed), keys.opener("p", &sealed)), (None, None));
    let beside = path.with_file_name(format!("master.key.retired-{first}"));
    let both = std::fs::read_to_string(&path).unwrap() + &std::fs::read_to_string(beside).unwrap();
    std::fs::write(&path, both).unwrap();
    keys.reload().unwrap();
    assert_eq!(keys.opener("p", &sealed), Some(first));
}

#[test]
fn a_key_that_another_file_was_put_in_the_place_of_is_kept_beside_it() {
    let (folder, path, keys) = in_a_file();
    let first = keys.sealing();
    let other = folder.path().join("other.key");
    let strange = Keys::open(&other, &Ids).unwrap();
    std::fs::rename(&other, &path).unwrap();
    keys.reload().unwrap();
    assert_eq!((keys.ids(), keys.lack().is_some()), (strange.ids(), true), "nothing is sealed without it");
    let rescued = Keys::open(&path.with_file_name(format!("master.key.retired-{first}")), &Ids).unwrap();
    assert_eq!(rescued.ids(), [first]);
}

#[test]
fn what_is_written_again_as_it_was_read_comes_under_the_key_that_seals() {
    let (_folder, _path, keys) = in_a_file();
    let read = keys.seal(&Ids, "p", b"secret").unwrap();
    assert_eq!(keys.renewed(&Ids, "p", read.clone()).unwrap(), read);
    let second = keys.add(&Ids).unwrap();
    keys.seal_with(second);
    let renewed = keys.renewed(&Ids, "p", read.clone()).unwrap();
    assert_eq!(KeyId::named_by(&renewed), Some(second));
    assert_eq!(keys.unseal("p", &renewed).as_deref(), Some(b"secret".as_slice()));
    assert_eq!(keys.renewed(&Ids, "elsewhere", read.clone()).unwrap(), read, "what does not open stays as it is");
}

#[test]
fn a_secret_that_lasts_stays_when_the_key_changes_and_others_do_not() {
    let (_folder, _path, keys) = in_a_file();
    keys.keep("lasting", keys.derive("lasting"));
    let (lasting, passing) = (keys.lasting("lasting"), keys.derive("passing"));
    let second = keys.add(&Ids).unwrap();
    keys.seal_with(second);
    assert_eq!(keys.lasting("lasting"), lasting);
    assert_ne!(keys.derive("passing"), passing);
    assert_eq!(keys.derive_each("passing")[1], passing);
}

#[test]
fn keys_that_changes_are_made_to_at_once_lose_none() {
    let (_folder, path, _keys) = in_a_file();
    let makers: Vec<_> = (0..4)
        .map(|_| {
            let keys = Keys::open(&path, &Ids).unwrap();
            std::thread::spawn(move || keys.add(&Ids).unwrap())
        })
        .collect();
    let made: Vec<KeyId> = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
    let kept = Keys::open(&path, &Ids).unwrap();
    assert!(made.iter().all(|id| kept.has(*id)) && kept.ids().len() == 5);
}

#[test]
fn the_name_of_a_key_is_read_as_it_is_written() {
    let id = Keys::ephemeral(&Ids).sealing();
    assert_eq!(KeyId::parse(&id.to_string()), Some(id));
    for text in ["", "123", "+123456789abcdef", "0123456789abcdefg", "0123456789abcdeg"] {
        assert_eq!(KeyId::parse(text), None, "{text}");
    }
}
