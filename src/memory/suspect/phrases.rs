//! Ways of speaking to a model that is to be steered.

use super::words::Word;
use super::{Finding, Sign};

/// A way of saying something: a word of each slot, in their order, with at most `gap` others between two of them.
struct Phrase {
    sign: Sign,
    /// In tenths.
    weight: u32,
    gap: usize,
    slots: &'static [&'static [&'static str]],
}

const fn phrase(sign: Sign, weight: u32, gap: usize, slots: &'static [&'static [&'static str]]) -> Phrase {
    Phrase { sign, weight, gap, slots }
}

/// Leaving off: in English, German, French, Spanish and Italian.
const FORGET: &[&str] = &[
    "ignore",
    "disregard",
    "forget",
    "override",
    "bypass",
    "ignoriere",
    "ignorier",
    "ignorieren",
    "vergiss",
    "missachte",
    "ignorez",
    "oublie",
    "oubliez",
    "ignora",
    "olvida",
    "dimentica",
];
/// What a model was told.
const TOLD: &[&str] = &[
    "instruction",
    "instructions",
    "prompt",
    "prompts",
    "rules",
    "guidelines",
    "directions",
    "directives",
    "context",
    "anweisungen",
    "anweisung",
    "regeln",
    "vorgaben",
    "consignes",
    "regles",
    "instrucciones",
    "reglas",
    "istruzioni",
    "regole",
];
/// That it was told before, or by whom.
const BEFORE: &[&str] = &[
    "previous",
    "previously",
    "prior",
    "above",
    "earlier",
    "preceding",
    "foregoing",
    "original",
    "initial",
    "system",
    "your",
    "vorherigen",
    "bisherigen",
    "vorigen",
    "obigen",
    "deine",
    "precedentes",
    "anteriores",
    "precedenti",
    "tus",
    "vos",
];
const MODEL: &[&str] =
    &["ai", "ais", "llm", "llms", "assistant", "assistants", "agent", "agents", "chatbot", "bot", "model"];

const PHRASES: &[Phrase] = &[
    phrase(Sign::Override, 10, 4, &[FORGET, BEFORE, TOLD]),
    phrase(Sign::Override, 10, 4, &[FORGET, TOLD, BEFORE]),
    phrase(
        Sign::Override,
        10,
        3,
        &[
            FORGET,
            &["all", "any", "every", "these", "alle", "toutes", "todas", "tutte"],
            &[
                "instructions",
                "prompts",
                "guidelines",
                "directives",
                "anweisungen",
                "consignes",
                "instrucciones",
                "istruzioni",
            ],
        ],
    ),
    phrase(Sign::Override, 10, 4, &[FORGET, &["everything", "all", "anything"], &["told", "said", "learned"]]),
    phrase(
        Sign::Leak,
        10,
        3,
        &[
            &["reveal", "print", "repeat", "show", "output", "display", "leak", "disclose", "exfiltrate", "quote"],
            &["system", "hidden", "initial", "secret"],
            &["prompt", "instructions", "instruction", "message"],
        ],
    ),
    phrase(
        Sign::Leak,
        5,
        5,
        &[
            &["send", "post", "upload", "forward", "exfiltrate", "transmit", "email", "leak", "submit", "append"],
            &[
                "password",
                "passwords",
                "secret",
                "secrets",
                "credentials",
                "token",
                "tokens",
                "key",
                "keys",
                "cookies",
                "conversation",
            ],
            &["to"],
        ],
    ),
    phrase(
        Sign::Conceal,
        7,
        3,
        &[
            &["dont", "not", "never", "without"],
            &[
                "tell",
                "telling",
                "mention",
                "mentioning",
                "inform",
                "informing",
                "alert",
                "notify",
                "notifying",
                "warn",
                "reveal",
            ],
            &["user", "users", "human", "humans", "anyone", "anybody", "operator", "owner", "person", "people"],
        ],
    ),
    phrase(Sign::Address, 4, 3, &[&["you"], &["are"], MODEL]),
    phrase(Sign::Address, 4, 2, &[&["attention", "dear", "hey", "hello"], MODEL]),
    phrase(Sign::Address, 4, 2, &[&["note", "message", "memo", "instruction", "instructions"], &["to", "for"], MODEL]),
    phrase(Sign::Role, 6, 0, &[&["you"], &["are"], &["now"]]),
    phrase(Sign::Role, 6, 1, &[&["from"], &["now"], &["on"], &["you"]]),
    phrase(
        Sign::Role,
        6,
        1,
        &[
            &["your"],
            &["new", "real", "actual", "true"],
            &["task", "instructions", "objective", "goal", "directive", "role"],
        ],
    ),
    phrase(Sign::Role, 5, 0, &[&["new", "updated", "revised"], &["instructions", "directives"]]),
    phrase(Sign::Role, 6, 0, &[&["do"], &["anything"], &["now"]]),
    phrase(
        Sign::Command,
        4,
        2,
        &[
            &["you"],
            &["must", "shall", "should", "need", "have"],
            &["call", "run", "execute", "invoke", "use", "open", "visit", "fetch", "delete", "send"],
        ],
    ),
    phrase(Sign::Command, 4, 0, &[&["execute", "run"], &["the"], &["following"]]),
    phrase(Sign::Command, 4, 3, &[&["call", "use", "invoke"], &["the"], &["tool", "tools", "function"]]),
];

/// Every place where a phrase stands, in any order.
pub(super) fn find(words: &[Word]) -> Vec<Finding> {
    let mut found = Vec::new();
    for at in 0..words.len() {
        for phrase in PHRASES {
            if let Some(last) = end(phrase, words, at) {
                let Phrase { sign, weight, .. } = *phrase;
                found.push(Finding { sign, weight, at, from: words[at].from, to: words[last].to });
            }
        }
    }
    found
}

/// At which word a phrase ends that begins at `at`, if one does.
fn end(phrase: &Phrase, words: &[Word], at: usize) -> Option<usize> {
    let (first, rest) = phrase.slots.split_first()?;
    if !first.contains(&words[at].text.as_str()) {
        return None;
    }
    rest.iter().try_fold(at, |last, slot| {
        let until = (last + 2 + phrase.gap).min(words.len());
        (last + 1..until).find(|next| slot.contains(&words[*next].text.as_str()))
    })
}
