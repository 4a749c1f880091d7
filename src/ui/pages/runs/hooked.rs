//! What hooks did to the calls of an agent, as its transcript shows it.

use leptos::prelude::*;

use crate::model::agent::{HookOutcome, HookPoint, Judgement};
use crate::ui::components::{HookEdits, HookList, Icon};

/// The calls of which hooks had something to say.
#[component]
pub(super) fn Hooked(calls: Vec<Judgement>) -> impl IntoView {
    let calls: Vec<_> = calls.into_iter().filter(|call| !call.said.is_empty()).collect();
    (!calls.is_empty()).then(|| {
        let calls = calls.into_iter().map(|call| view! { <OfCall call /> }).collect_view();
        view! { <li data-who="tools">{calls}</li> }
    })
}

#[component]
fn OfCall(call: Judgement) -> impl IntoView {
    let (icon, words) = summary(&call);
    let is_denied = call.outcome == HookOutcome::Denied;
    let said = call.said.clone();
    view! {
        <details class="folded" data-tone=is_denied.then_some("bad") open>
            <summary>
                <Icon name=icon />
                <code>{call.tool.clone()}</code>
                " "
                <span class="dim">{words}</span>
            </summary>
            <HookList said label="What hooks did" />
            <HookEdits judgement=call />
        </details>
    }
}

/// The symbol and the sentence of a judgement.
fn summary(call: &Judgement) -> (&'static str, String) {
    let by = &call.by;
    match (call.outcome, call.when) {
        (HookOutcome::Denied, HookPoint::Before) => ("ban", format!("denied by hook {by}")),
        (HookOutcome::Denied, HookPoint::After) => ("ban", format!("result held back by hook {by}")),
        (HookOutcome::Denied, HookPoint::Answer) => ("ban", format!("sent back by hook {by}")),
        (HookOutcome::Denied, HookPoint::Heard) => ("ban", format!("message held back by hook {by}")),
        (HookOutcome::Asked, _) => ("approval", format!("hook {by} wants a person asked")),
        _ if call.arguments.is_some() => ("edit", "edited by hooks".to_owned()),
        (_, HookPoint::After) if call.result.is_some() => ("edit", "result edited by hooks".to_owned()),
        _ if call.result.is_some() => ("edit", "edited by hooks".to_owned()),
        (HookOutcome::Allowed, _) => ("check", format!("let through by hook {by}")),
        (HookOutcome::Undecided, _) => ("info", "noted by hooks".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_decided_is_named() {
        let call = |outcome: &str, when: &str| -> Judgement {
            let call = json!({"id": "1", "tool": "shell", "when": when, "outcome": outcome, "by": "night watch"});
            serde_json::from_value(call).unwrap()
        };
        assert_eq!(summary(&call("denied", "before")).1, "denied by hook night watch");
        assert_eq!(summary(&call("denied", "after")).1, "result held back by hook night watch");
        assert_eq!(summary(&call("asked", "before")).1, "hook night watch wants a person asked");
        let edited = Judgement { arguments: Some(json!({})), ..call("undecided", "before") };
        assert_eq!(summary(&edited), ("edit", "edited by hooks".to_owned()));
        assert_eq!(summary(&call("undecided", "before")).1, "noted by hooks");
        assert_eq!(summary(&call("denied", "answer")).1, "sent back by hook night watch");
        assert_eq!(summary(&call("denied", "heard")).1, "message held back by hook night watch");
        let edited = Judgement { result: Some("x".into()), ..call("allowed", "answer") };
        assert_eq!(summary(&edited).1, "edited by hooks");
    }
}
