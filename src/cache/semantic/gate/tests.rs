//! What passes the gate and what does not, by pairs of questions.

use super::*;

fn differs(one: &str, other: &str) -> Option<Differs> {
    let (one, other) = (Facts::of(one), Facts::of(other));
    let (there, back) = (one.admits(&other).err(), other.admits(&one).err());
    assert_eq!(there, back, "the gate is the same from both sides");
    there
}

fn refused(what: Differs, pairs: &[(&str, &str)]) {
    for (one, other) in pairs {
        assert_eq!(differs(one, other), Some(what), "{one:?} and {other:?}");
    }
}

#[test]
fn what_says_the_same_in_other_words_passes() {
    for (one, other) in [
        ("What is the capital of France?", "Tell me the capital of France."),
        ("What is the capital of France?", "what's the capital of France"),
        ("How do I bake a cake?", "How to bake a cake"),
        ("How can I reset my password?", "I forgot my password, how do I reset it?"),
        ("What does a loom do?", "Explain what a loom does"),
        ("How far is 10 km in miles?", "How far is 10km in miles"),
        ("Is it 1,000 meters?", "Is it 1000 metres?"),
        ("Is $10 a lot?", "Is $10 much money?".replace("much money", "a lot").as_str()),
        ("Why is the sky blue?", "Why does the sky look blue?"),
        ("Isn't a loom old?", "Is a loom not old?"),
        ("What does `git rebase` do?", "Explain `git rebase`"),
        ("Please summarise https://example.com/a", "Summarize https://example.com/a"),
        ("How much is 20 % of it?", "How much is 20 percent of it?"),
    ] {
        assert_eq!(differs(one, other), None, "{one:?} and {other:?}");
    }
}

#[test]
fn numbers_are_the_same_with_their_units_and_signs() {
    refused(
        Differs::Numbers,
        &[
            ("A loom for 5 people", "A loom for 50 people"),
            ("Is 5 enough?", "Is it enough?"),
            ("How long is 10 km?", "How long is 10 miles?"),
            ("What is 3 apples?", "What is 3 oranges?"),
            ("Is -5 cold?", "Is 5 cold?"),
            ("What is 10 % of it?", "What is 10 of it?"),
            ("Pay $10", "Pay €10"),
            ("What happened in 1914?", "What happened in 1918?"),
            ("Meet on 2024-01-05", "Meet on 2024-05-01"),
            ("Meet at 12:30", "Meet at 12:45"),
            ("Is 2.5 right?", "Is 2.50 right?"),
            ("What are two looms?", "What are three looms?"),
            ("Who came third?", "Who came fourth?"),
            ("What is open on monday?", "What is open on tuesday?"),
            ("From 5 to 10", "From 10 to 5"),
            ("Is 1/2 more?", "Is 1/3 more?"),
            ("Wake me at 7 am", "Wake me at 7 pm"),
        ],
    );
}

#[test]
fn names_addresses_and_paths_are_the_same() {
    refused(
        Differs::Names,
        &[
            ("What is the capital of France?", "What is the capital of Spain?"),
            ("Fly from Paris to Rome", "Fly from Rome to Paris"),
            ("Paris weather", "London weather"),
            ("Ada wrote it. Is it good?", "Ben wrote it. Is it good?"),
            ("Who is @ada?", "Who is @ben?"),
            ("Write to ada@example.com", "Write to ben@example.com"),
            ("Read https://example.com/a", "Read https://example.com/b"),
            ("Delete /etc/hosts", "Delete /etc/passwd"),
            ("What is the HTTP header?", "What is the SMTP header?"),
            ("What does NASA do?", "What does it do?"),
            ("What is the file C:\\a?", "What is the file C:\\b?"),
        ],
    );
}

#[test]
fn code_and_quotes_are_the_same() {
    refused(
        Differs::Code,
        &[
            ("What does `git rebase` do?", "What does `git merge` do?"),
            ("Why does ```let a = 1``` fail?", "Why does ```let a = 2``` fail?"),
            ("What is std::mem?", "What is std::fmt?"),
            ("Call read_all now", "Call read_any now"),
            ("Call run() now", "Call stop() now"),
            ("What is fooBar?", "What is fooBaz?"),
            ("Is C++ old?", "Is C# old?"),
            ("Is a < b?", "Is a > b?"),
            ("Is x == y?", "Is x != y?"),
            ("What is utf8?", "What is utf16?"),
            ("What is app.rs?", "What is lib.rs?"),
        ],
    );
    refused(
        Differs::Quotes,
        &[
            ("Translate \"yes\" for me", "Translate \"no\" for me"),
            ("Translate “cat” for me", "Translate “dog” for me"),
            ("Translate 'cat' for me", "Translate 'dog' for me"),
            ("Translate «chat» for me", "Translate «chien» for me"),
        ],
    );
}

#[test]
fn negations_count_in_four_languages() {
    refused(
        Differs::Negations,
        &[
            ("Is it safe to eat?", "Is it not safe to eat?"),
            ("Why does it work?", "Why doesn't it work?"),
            ("Why does it work?", "Why doesn\u{2019}t it work?"),
            ("Can I go with him?", "Can I go without him?"),
            ("List things that are red", "List things that are never red"),
            ("List colours", "List colours except red"),
            ("Is sugar in it?", "Is no sugar in it?"),
            ("Warum geht es?", "Warum geht es nicht?"),
            ("Wer hat ein Auto?", "Wer hat kein Auto?"),
            ("Pourquoi est-il là?", "Pourquoi est-il pas là?"),
            ("Puedo ir con él?", "Puedo ir sin él?"),
            ("Which drinks are alcoholic?", "Which drinks are non-alcoholic?"),
        ],
    );
}

#[test]
fn opposites_and_other_questions_are_refused() {
    refused(
        Differs::Directions,
        &[
            ("What is the min of a list?", "What is the max of a list?"),
            ("What happens before lunch?", "What happens after lunch?"),
            ("How do I increase the volume?", "How do I decrease the volume?"),
            ("Which is the first day?", "Which is the last day?"),
            ("Which has the most salt?", "Which has the least salt?"),
            ("How do I enable it?", "How do I disable it?"),
            ("Turn the light on", "Turn the light off"),
            ("When was he there?", "Where was he there?"),
            ("How do I install the app?", "How do I uninstall the app?"),
            ("What are the advantages?", "What are the disadvantages?"),
            ("Are all looms big?", "Are some looms big?"),
            ("Sort it ascending", "Sort it descending"),
        ],
    );
}

#[test]
fn things_that_changed_places_are_refused() {
    refused(
        Differs::Order,
        &[
            ("Convert miles to kilometers", "Convert kilometers to miles"),
            ("Does the dog bite the man?", "Does the man bite the dog?"),
            ("Is wool warmer than silk?", "Is silk warmer than wool?"),
            ("How do I turn json into yaml quickly?", "How do I turn yaml into json?"),
        ],
    );
}

#[test]
fn scripts_other_than_latin_are_the_same_as_sets_of_words() {
    refused(
        Differs::Script,
        &[
            ("織機とは何ですか", "織機とは"),
            ("Что такое станок", "Что такое ткань"),
            ("What is 織機?", "What is 織?"),
            ("ما هو النول", "ما هي السجادة"),
        ],
    );
    assert_eq!(differs("Что такое станок?", "Что такое станок"), None);
    assert_eq!(differs("織機とは何ですか", "織機とは何ですか"), None);
}

#[test]
fn what_says_nothing_is_never_the_same() {
    refused(Differs::Nothing, &[("", ""), ("?", "!"), ("-", "x")]);
}

#[test]
fn any_text_is_read_and_is_itself() {
    use proptest::prelude::*;
    proptest!(|(text in "\\PC{0,80}")| {
        let facts = Facts::of(&text);
        let again = facts.admits(&facts);
        prop_assert!(again.is_ok() || again == Err(Differs::Nothing));
    });
    for text in [
        "'", "''", "'a", "`", "```", "\"", "«", "5'", "-", "--5", "$", "€.", ".", "n't", "'s", "I", "1,", "1,,2", "ß'",
        "'é'é'",
    ] {
        let _ = Facts::of(text);
    }
}
