//! How pairs are read, and what playing them comes to.

use super::*;

const NOUNS: [&str; 6] = ["loom", "wheel", "needle", "thread", "shuttle", "spindle"];

fn pairs(lines: &str) -> Pairs {
    Pairs::parse(&[("pairs.jsonl", lines)]).unwrap()
}

fn line(a: &str, b: &str, same: bool) -> String {
    format!("{}\n", serde_json::json!({"a": a, "b": b, "same": same}))
}

/// Of each thing one question, three that say the same, and one that is near and says something else; the gate sees no difference.
fn things() -> (Pairs, Vectors) {
    let mut lines = String::new();
    let mut made = Vec::new();
    for (at, noun) in NOUNS.iter().enumerate() {
        let asked = format!("what is the {noun} for");
        for other in ["tell me what the", "please say what the", "could you say what the"] {
            lines.push_str(&line(&asked, &format!("{other} {noun} is for"), true));
        }
        lines.push_str(&line(&asked, &format!("what is the {noun} made of"), false));
        for angle in [0.0_f32, 0.1, 0.15, 0.2, -0.25] {
            let mut vector = vec![0.0; 2 * NOUNS.len()];
            vector[2 * at] = 3.0 * angle.cos();
            vector[2 * at + 1] = 3.0 * angle.sin();
            made.push(vector);
        }
    }
    let set = pairs(&lines);
    let vectors = Vectors::new(&set, made).unwrap();
    (set, vectors)
}

fn played(rule: Rule, rounds: u32) -> Played {
    let (set, vectors) = things();
    play(&set, &vectors, rule, Options { rounds, seed: 7, shadow_percent: 5 })
}

#[test]
fn a_line_that_does_not_fit_is_told_by_its_file_number_and_field() {
    let good = line("a", "b", true);
    for (bad, expected) in [
        ("{\"a\": \"x\"", "pairs.jsonl, line 3: expected {\"a\": \"…\", \"b\": \"…\", \"same\": true}"),
        ("[1]", "pairs.jsonl, line 3: expected {\"a\""),
        (r#"{"b": "x", "same": true}"#, "pairs.jsonl, line 3, a: expected a text that says something"),
        (r#"{"a": " ", "b": "x", "same": true}"#, "pairs.jsonl, line 3, a: expected"),
        (r#"{"a": "x", "b": 7, "same": true}"#, "pairs.jsonl, line 3, b: expected"),
        (r#"{"a": "x", "b": "x", "same": true}"#, "pairs.jsonl, line 3, b: expected another text"),
        (r#"{"a": "x", "b": "y"}"#, "pairs.jsonl, line 3, same: expected true or false"),
        (r#"{"a": "x", "b": "y", "same": 1}"#, "pairs.jsonl, line 3, same: expected true or false"),
        (r#"{"a": "x", "b": "y", "same": true, "kind": 1}"#, "pairs.jsonl, line 3, kind: expected"),
        (r#"{"a": "a", "b": "b", "same": false}"#, "pairs.jsonl, line 3, same: expected true: other lines"),
    ] {
        let text = format!("{good}\n{bad}\n");
        let why = Pairs::parse(&[("pairs.jsonl", &text)]).unwrap_err();
        assert!(why.starts_with(expected), "{bad} gave {why:?}");
    }
    assert_eq!(Pairs::parse(&[("empty.jsonl", "\n")]).unwrap_err(), "expected at least one pair");
}

#[test]
fn what_lines_say_holds_for_what_they_join() {
    let set =
        pairs(&[line("a", "b", true), line("b", "c", true), line("c", "x", false), line("y", "z", true)].concat());
    let at = |text: &str| set.texts.iter().position(|one| one == text).unwrap();
    assert!(set.is_same(at("a"), at("c")) && set.is_same(at("z"), at("y")));
    assert!(!set.is_same(at("a"), at("x")) && set.is_labelled(at("a"), at("x")), "c is not x, and a is c");
    assert!(!set.is_same(at("a"), at("y")) && !set.is_labelled(at("a"), at("y")), "no line says so");
    let odd = [line("a", "b", true), line("a", "c", false), line("b", "c", true)].concat();
    let why = Pairs::parse(&[("odd.jsonl", &odd)]).unwrap_err();
    assert!(why.starts_with("odd.jsonl, line 2, same: "), "{why}");
}

#[test]
fn files_are_one_set_and_a_text_of_both_is_one_question() {
    let (one, two) = (line("a", "b", true), line("b", "c", true));
    let set = Pairs::parse(&[("one", &one), ("two", &two)]).unwrap();
    assert_eq!((set.texts.len(), set.pairs.len()), (3, 2));
    assert!(Pairs::parse(&[("one", &one), ("two", "{}")]).unwrap_err().starts_with("two, line 1, a: "));
}

#[test]
fn vectors_that_do_not_fit_are_refused() {
    let set = pairs(&line("a", "b", true));
    for made in [vec![vec![1.0]], vec![vec![1.0], vec![1.0, 2.0]], vec![vec![1.0], vec![0.0]]] {
        assert!(Vectors::new(&set, made).is_err());
    }
    assert_eq!(Vectors::new(&set, vec![vec![1.0, 0.0], vec![2.0, 2.0]]).unwrap().dims(), 2);
}

#[test]
fn every_question_is_counted_once() {
    for rule in [Rule::Learned(0.05), Rule::Fixed(0.9)] {
        let came = played(rule, 3);
        assert_eq!(came.questions, 3 * 2 * 4 * NOUNS.len() as u64);
        assert_eq!(came.questions, came.exact + came.unfit + came.alone + came.refused + came.candidates, "{came:?}");
        assert_eq!(came.candidates, came.explored + came.given);
        assert_eq!(came.took_us.len() as u64, came.asked());
        // On each day every thing's first question is like none, and its three other forms could be given.
        assert_eq!((came.alone, came.refused), (3 * NOUNS.len() as u64, 0), "{came:?}");
        assert!(came.possible >= 3 * 3 * NOUNS.len() as u64);
    }
}

#[test]
fn one_threshold_for_all_gives_what_is_near_and_wrong_and_a_learned_one_does_not() {
    let (set, _) = things();
    let kinds = gate(&set);
    assert_eq!((kinds[0].passed, kinds[0].stopped), (3 * NOUNS.len(), 0), "words alone don't part them: {kinds:?}");
    let days = 30;
    let fixed = played(Rule::Fixed(0.95), days);
    let each_day = u64::from(days) * NOUNS.len() as u64;
    assert_eq!((fixed.given, fixed.wrong, fixed.unlabelled), (4 * each_day, each_day, 0));
    assert_eq!((fixed.errors.len(), fixed.errors[0].times), (NOUNS.len(), u64::from(days)));
    assert!(fixed.errors.iter().all(|one| one.labelled && one.asked.ends_with("made of") && one.similarity > 0.95));
    for budget in [0.01, 0.05, 0.1] {
        let learned = played(Rule::Learned(budget), days);
        let rate = learned.wrong as f64 / learned.candidates as f64;
        assert!(rate <= budget, "{rate} at {budget}");
        assert!(learned.given > 0, "it learns: {budget}");
    }
    // With the narrowest threshold that is right there is nothing to learn.
    assert_eq!(played(Rule::Fixed(0.975), days).wrong, 0);
}

#[test]
fn a_wider_budget_gives_more_and_later_days_more_than_the_first() {
    let (narrow, wide) = (played(Rule::Learned(0.005), 30), played(Rule::Learned(0.1), 30));
    assert!(narrow.given < wide.given, "{} and {}", narrow.given, wide.given);
    assert_eq!(played(Rule::Learned(0.1), 1).given, 0, "nothing is given before something was seen");
    let share = |given: u64, asked: u64| given as f64 / asked as f64;
    assert!(share(wide.last_day.1, wide.last_day.0) > share(wide.given, wide.asked()));
}

#[test]
fn the_same_seed_makes_the_same_figures_and_another_one_others() {
    let figures = |seed| {
        let (set, vectors) = things();
        let came = play(&set, &vectors, Rule::Learned(0.05), Options { rounds: 12, seed, shadow_percent: 20 });
        (came.given, came.explored, came.wrong, came.checked, came.errors)
    };
    assert_eq!(figures(1), figures(1));
    assert!((2..9).any(|seed| figures(seed) != figures(1)));
}

#[test]
fn what_a_check_found_wrong_is_not_given_to_that_question_again() {
    // One of 37 that are equally like has another answer: seldom enough that it is given.
    let asked = "what is the loom for";
    let fillers = ["please", "indeed", "really", "kindly", "perhaps", "surely"];
    let both = fillers.iter().flat_map(|one| fillers.map(|two| format!("{asked} {one} {two}")));
    let mut lines: String = both.map(|other| line(asked, &other, true)).collect();
    lines.push_str(&line(asked, "what is the loom made of", false));
    let set = pairs(&lines);
    let beside = |at: usize| if at == 0 { vec![1.0, 0.0] } else { vec![1.0, 0.1] };
    let vectors = Vectors::new(&set, (0..set.texts.len()).map(beside).collect()).unwrap();
    let came =
        |shadow_percent| play(&set, &vectors, Rule::Learned(0.2), Options { rounds: 60, seed: 3, shadow_percent });
    let (unchecked, checked) = (came(0), came(100));
    assert!(unchecked.checked == 0 && unchecked.errors[0].times > 1, "{:?}", unchecked.errors);
    assert_eq!((checked.checked, checked.errors.len(), checked.errors[0].times), (checked.given, 1, 1));
}

#[test]
fn the_shipped_set_is_whole_and_the_gate_holds_on_it() {
    let set = Pairs::shipped();
    assert!(set.pairs.len() >= 300, "{}", set.pairs.len());
    let mut seen = HashSet::new();
    for pair in &set.pairs {
        assert!(!pair.kind.is_empty() && seen.insert((pair.a.min(pair.b), pair.a.max(pair.b))), "{pair:?}");
    }
    assert!(set.texts.iter().all(|text| text.trim() == text));
    let kinds = gate(&set);
    let sum = |of: fn(&Gated) -> usize| kinds.iter().map(of).sum::<usize>();
    let (same, passed) = (sum(|one| one.same), sum(|one| one.passed));
    let (different, stopped) = (sum(|one| one.different), sum(|one| one.stopped));
    assert_eq!(same + different, set.pairs.len());
    assert!(same >= 120 && different >= 120, "{same} and {different}");
    for kind in kinds.iter().filter(|one| ["number", "order", "code", "quote", "language"].contains(&one.kind.as_str()))
    {
        assert_eq!(kind.stopped, kind.different, "{kind:?}");
    }
    let told = format!("{passed} of {same} let pass, {stopped} of {different} stopped");
    assert!(passed * 100 >= same * 33 && stopped * 100 >= different * 67, "{told}");
}
