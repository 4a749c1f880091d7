//! What an agent may reach: which calls of tools are refused before anybody is asked about them.

use serde_json::Value;
use url::Url;

use super::work::{Call, HOPELESS_CALLS, SAME_CALLS, Work};
use crate::agents::hooks::misfit;
use crate::model::agent::{AgentTool, Effect, Ruling};

/// Calls of one answer that are done.
const MAX_CALLS: usize = 64;

/// Why a call is not done that stands behind too many others, in words for the model. No part of [`refusal`], by which journals are
/// read: an older one may say what became of such a call.
pub fn surplus(work: &Work, call: &Call) -> Option<String> {
    let is_behind = work.calls.len() > MAX_CALLS && work.calls.iter().take(MAX_CALLS).all(|one| one.id != call.id);
    (is_behind && call.begun_in.is_none() && !call.has_consent && !call.is_queued)
        .then(|| format!("At most {MAX_CALLS} calls are done of one answer; make the others afterwards."))
}

/// Why a call is not done, in words for the model.
pub fn refusal(work: &Work, call: &Call) -> Option<String> {
    let Some(tool) = call.tool else {
        let known: Vec<&str> = work.spec.tools.iter().map(|tool| tool.as_str()).collect();
        return Some(format!("You have no tool {}; you have: {}.", call.name, known.join(", ")));
    };
    if let Some(denial) = super::hooks::denial(call) {
        return Some(denial);
    }
    if let Some(reasons) = misfit(tool, &call.arguments) {
        return Some(format!("The arguments do not fit: {reasons}."));
    }
    if call.in_a_row >= SAME_CALLS {
        return Some(format!(
            "You have called this {} times in a row with the same arguments, and nothing has changed. Do something else, or \
             answer with what you have.",
            call.in_a_row
        ));
    }
    let ruled = work.ruled(call);
    if ruled.ruling == Ruling::Deny {
        return Some("A rule of yours forbids this. Do not try to get around it.".to_owned());
    }
    if work.is_trial && (work.asks_first(call) || outlasts(work, tool, &call.arguments)) {
        return Some(
            "This is a trial: nothing is done that outlasts it, and nobody is asked. Go on without, and say what you would do."
                .to_owned(),
        );
    }
    out_of_reach(work, tool, &call.arguments)
}

/// Whether a call would change more than the agent's own folder, or ask somebody.
fn outlasts(work: &Work, tool: AgentTool, arguments: &Value) -> bool {
    use AgentTool as T;
    let is_own = work.spec.folder.trim().is_empty();
    match tool {
        T::MemoryWrite | T::AskAgent | T::HandOver | T::AskPerson | T::RunWorkflow | T::PublishChanges => true,
        T::Shell => !is_own,
        tool => work.spec.effect(tool, arguments) == Effect::Acts,
    }
}

/// Whether the work has come to going round in circles.
pub fn is_hopeless(work: &Work) -> bool {
    work.calls.iter().any(|call| call.in_a_row >= HOPELESS_CALLS)
}

fn out_of_reach(work: &Work, tool: AgentTool, arguments: &Value) -> Option<String> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let spec = &work.spec;
    match tool {
        AgentTool::HttpRequest => {
            let host = Url::parse(text("url")).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let host = host.as_ref().and_then(Url::host_str).map(str::to_lowercase);
            let Some(host) = host else {
                return Some("The address is none of http or https.".to_owned());
            };
            (!spec.hosts.iter().any(|pattern| host_fits(pattern, &host)))
                .then(|| format!("You may not reach {host}; you may reach: {}.", spec.hosts.join(", ")))
        }
        AgentTool::MemorySearch => {
            let asked = text("namespace").trim_matches('/');
            (!asked.is_empty() && !is_below(&spec.reads, asked)).then(|| may_not("read", asked, &spec.reads))
        }
        AgentTool::MemoryRead => {
            let asked = text("namespace").trim_matches('/');
            (!is_below(&spec.reads, asked)).then(|| may_not("read", asked, &spec.reads))
        }
        AgentTool::MemoryWrite => {
            let asked = text("namespace").trim_matches('/');
            (!is_below(&spec.writes, asked)).then(|| may_not("write", asked, &spec.writes))
        }
        AgentTool::RunWorkflow => {
            let asked = text("workflow").trim();
            (!spec.workflows.iter().any(|name| name == asked))
                .then(|| format!("You may not run {asked:?}; you may run: {}.", spec.workflows.join(", ")))
        }
        AgentTool::AskAgent | AgentTool::HandOver => {
            let asked = text("agent").trim();
            (!spec.agents.iter().any(|name| name == asked))
                .then(|| format!("You may not ask {asked:?}; you may ask: {}.", spec.agents.join(", ")))
        }
        // The walls of the sandbox hold these.
        _ => None,
    }
}

fn may_not(what: &str, asked: &str, allowed: &[String]) -> String {
    format!("You may not {what} the namespace {asked:?}; you may {what}, with all below: {}.", allowed.join(", "))
}

/// Whether a host is the one that is named, or below the one of `*.example.org`.
fn host_fits(pattern: &str, host: &str) -> bool {
    let pattern = pattern.to_lowercase();
    match pattern.strip_prefix("*.") {
        Some(above) => host.strip_suffix(above).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => host == pattern,
    }
}

/// Whether a namespace is one of these, or below one.
fn is_below(roots: &[String], namespace: &str) -> bool {
    roots.iter().map(|root| root.trim_matches('/')).any(|root| {
        namespace == root || namespace.strip_prefix(root).is_some_and(|rest| rest.starts_with('/') && !root.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_one_that_is_named_or_below_it_where_that_is_said() {
        for (pattern, host, fits) in [
            ("api.example.org", "api.example.org", true),
            ("api.example.org", "evil-api.example.org", false),
            ("*.example.org", "a.example.org", true),
            ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "example.org", false),
            ("*.example.org", "badexample.org", false),
            ("*.example.org", ".example.org", false),
            ("Example.org", "example.org", true),
        ] {
            assert_eq!(host_fits(pattern, host), fits, "{pattern} {host}");
        }
    }

    #[test]
    fn a_namespace_is_reached_with_all_below_it_and_nothing_beside() {
        let roots = ["code".to_owned(), "team/notes/".to_owned()];
        for (namespace, fits) in
            [("code", true), ("code/api", true), ("codes", false), ("team", false), ("team/notes/x", true), ("", false)]
        {
            assert_eq!(is_below(&roots, namespace), fits, "{namespace}");
        }
        assert!(!is_below(&[String::new()], "secrets"), "an empty root opens nothing");
    }
}
