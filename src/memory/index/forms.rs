//! English words whose forms no stemmer joins: `go` and `went`, `child` and `children`.
//!
//! Questions are asked in other forms than answers are told in ("When did she buy …", "I bought …"), so that these few words
//! cost a conversation a measurable share of its answers (`docs/memory.md`).

use std::collections::HashMap;
use std::sync::LazyLock;

/// A line for each word; its forms with spaces between. Forms that the stemmer joins by itself are left out.
const WORDS: &[&str] = &[
    "become became",
    "begin began begun",
    "bend bent",
    "bite bit bitten",
    "blow blew blown",
    "break broke broken",
    "bring brought",
    "build built",
    "buy bought",
    "catch caught",
    "child children",
    "choose chose chosen",
    "come came",
    "deal dealt",
    "dig dug",
    "draw drew drawn",
    "drink drank drunk",
    "drive drove driven",
    "eat ate eaten",
    "fall fell fallen",
    "feed fed",
    "feel felt",
    "fight fought",
    "find found",
    "fly flew flown",
    "foot feet",
    "forget forgot forgotten",
    "freeze froze frozen",
    "get got gotten",
    "give gave given",
    "go goes went gone",
    "grow grew grown",
    "half halves",
    "hang hung",
    "hear heard",
    "hide hid hidden",
    "hold held",
    "keep kept",
    "knife knives",
    "know knew known",
    "lay laid",
    "lead led",
    "leaf leaves",
    "leave left",
    "lend lent",
    "lie lay lain",
    "life lives",
    "light lit",
    "lose lost",
    "make made",
    "man men",
    "mean meant",
    "meet met",
    "mouse mice",
    "pay paid",
    "person people",
    "ride rode ridden",
    "ring rang rung",
    "rise rose risen",
    "run ran",
    "say said",
    "see saw seen",
    "seek sought",
    "sell sold",
    "send sent",
    "shake shook shaken",
    "shoot shot",
    "show shown",
    "sing sang sung",
    "sink sank sunk",
    "sit sat",
    "sleep slept",
    "slide slid",
    "speak spoke spoken",
    "spend spent",
    "spring sprang sprung",
    "stand stood",
    "steal stole stolen",
    "stick stuck",
    "strike struck",
    "swear swore sworn",
    "sweep swept",
    "swim swam swum",
    "swing swung",
    "take took taken",
    "teach taught",
    "tear tore torn",
    "tell told",
    "think thought",
    "throw threw thrown",
    "tooth teeth",
    "understand understood",
    "wake woke woken",
    "wear wore worn",
    "wife wives",
    "win won",
    "wind wound",
    "woman women",
    "write wrote written",
];

static LINES: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut lines: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in WORDS {
        for word in line.split(' ') {
            lines.entry(word).or_default().extend(line.split(' ').filter(|other| *other != word));
        }
    }
    lines
});

/// The other forms of a folded word; none for most.
pub(super) fn of(word: &str) -> &'static [&'static str] {
    LINES.get(word).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_leads_to_the_others() {
        assert_eq!(of("buy"), ["bought"]);
        assert_eq!(of("went"), ["go", "goes", "gone"]);
        assert_eq!(of("lay"), ["laid", "lie", "lain"]);
        assert_eq!(of("pool"), [] as [&str; 0]);
    }
}
