//! What hooks of agents did to a call: in a transcript, and in a trial.

use leptos::prelude::*;
use serde_json::Value;

use super::{Badge, DiffLines, Tone};
use crate::model::agent::{HookDid, HookPoint, HookSaid, Judgement};

/// Hook by hook: its name, what it did, and its words.
#[component]
pub fn HookList(
    said: Vec<HookSaid>,
    /// Its name for those who do not see it.
    label: &'static str,
) -> impl IntoView {
    let lines = said.into_iter().map(|HookSaid { hook, did, words }| {
        view! {
            <li>
                <strong>{hook}</strong>
                <Badge label=did.label() tone=tone(did) />
                <span class="grow wrapped">{words}</span>
            </li>
        }
    });
    view! { <ol class="hook-list" aria-label=label>{lines.collect_view()}</ol> }
}

/// What hooks changed: the arguments as a diff, and what the model reads instead of the result.
#[component]
pub fn HookEdits(judgement: Judgement) -> impl IntoView {
    let Judgement { asked, arguments, result, when, .. } = judgement;
    let diff = asked.zip(arguments).map(|(asked, arguments)| {
        let text = diff(&pretty(&asked), &pretty(&arguments));
        view! { <pre class="code diff" tabindex="0"><code><DiffLines text /></code></pre> }
    });
    let result = result.map(|text| {
        view! {
            <p class="small dim">{instead(when)}</p>
            <pre tabindex="0">{text}</pre>
        }
    });
    view! { {diff}{result} }
}

/// What stands in the place of what came.
const fn instead(when: HookPoint) -> &'static str {
    match when {
        HookPoint::Answer => "What is answered instead:",
        HookPoint::Before | HookPoint::After | HookPoint::Heard => "What the model reads instead:",
    }
}

/// The tone of what a hook did.
const fn tone(did: HookDid) -> Tone {
    match did {
        HookDid::OtherTool | HookDid::NotMet | HookDid::NotReached | HookDid::Logged => Tone::Plain,
        HookDid::Edited => Tone::Accent,
        HookDid::Allowed => Tone::Good,
        HookDid::Asked => Tone::Warn,
        HookDid::Denied | HookDid::Failed => Tone::Bad,
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// The lines of two texts with a sign before each: what they have in common at both ends, and between them what goes and what comes.
fn diff(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let ends = before[head..].iter().rev().zip(after[head..].iter().rev());
    let tail = ends.take_while(|(a, b)| a == b).count();
    let signed = |sign: char, lines: &[&str]| {
        lines.iter().fold(String::new(), |mut text, line| {
            text.push(sign);
            text.push_str(line);
            text.push('\n');
            text
        })
    };
    format!(
        "{}{}{}{}",
        signed(' ', &before[..head]),
        signed('-', &before[head..before.len() - tail]),
        signed('+', &after[head..after.len() - tail]),
        signed(' ', &before[before.len() - tail..])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_stands_between_what_both_have() {
        assert_eq!(diff("{\n a\n b\n}", "{\n a\n c\n d\n}"), " {\n  a\n- b\n+ c\n+ d\n }\n");
        assert_eq!(diff("a\na", "a"), " a\n-a\n");
        assert_eq!(diff("a", "a"), " a\n");
    }
}
