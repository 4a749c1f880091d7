//! Nothing here yet, and what went wrong.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{Button, ButtonLink, CopyButton};
use crate::model::ApiError;
use crate::model::credentials::login_path;
use crate::ui::format;

/// What would be here, why one wants it, and the next act.
#[component]
pub fn EmptyState(
    #[prop(into)] title: String,
    /// The next act: buttons.
    #[prop(into, optional)]
    actions: ViewFnOnce,
    /// A sentence or two, as inline content of a paragraph.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty">
            <h2>{title}</h2>
            <p>{children()}</p>
            <div class="actions">{actions.run()}</div>
        </div>
    }
}

/// What happened, what it means, what to do; with the trace id where there is one.
#[component]
pub fn ErrorState(
    error: ApiError,
    /// What was asked for, with its article: "the runs".
    what: &'static str,
    /// Asks again.
    #[prop(into, optional)]
    on_retry: Option<Callback<()>>,
) -> impl IntoView {
    let trace = match &error {
        ApiError::Internal { trace_id } => Some(trace_id.clone()),
        _ => None,
    };
    let location = use_location();
    let login = matches!(error, ApiError::Unauthenticated { .. }).then(|| {
        let query = location.search.get_untracked();
        login_path(&location.pathname.get_untracked(), query.trim_start_matches('?'))
    });
    let list =
        matches!(error, ApiError::NotFound { .. }).then(|| location.pathname.with_untracked(|path| list_of(path)));
    let again = on_retry.filter(|_| worth_retrying(&error));
    view! {
        <div class="empty" role="alert">
            <h2>{title(&error, what)}</h2>
            <p>{format::sentence(error.detail())}</p>
            {trace.map(|id| {
                view! {
                    <p class="trace">
                        {format!("trace {id}")} <CopyButton text=id label="Copy the trace id" />
                    </p>
                }
            })}
            <div class="actions">
                {again.map(|again| view! { <Button label="Try again" icon="retry" on_press=again /> })}
                {login.map(|href| view! { <ButtonLink href label="Log in" attr:rel="external" /> })}
                {list.flatten().map(|(href, label)| view! { <ButtonLink href label /> })}
            </div>
        </div>
    }
}

/// What could not be had, in a few words.
fn title(error: &ApiError, what: &str) -> String {
    match error {
        ApiError::NotFound { .. } => "Not found".to_owned(),
        ApiError::Forbidden { .. } => format!("Your role doesn't include {what}"),
        ApiError::Unauthenticated { .. } => "You are logged out".to_owned(),
        ApiError::Network { .. } => "Weft doesn't answer".to_owned(),
        _ => format!("Weft couldn't load {what}"),
    }
}

/// The list that holds what a path is about, and what leads there; `None` for a path that is no thing's.
fn list_of(path: &str) -> Option<(&'static str, &'static str)> {
    let (list, _thing) = path.strip_prefix('/')?.split_once('/')?;
    match list {
        "agents" => Some(("/agents", "All agents")),
        "approvals" => Some(("/approvals", "All approvals")),
        "providers" => Some(("/providers", "All providers")),
        "runs" => Some(("/runs", "All runs")),
        "triggers" => Some(("/triggers", "All triggers")),
        "workflows" => Some(("/workflows", "All workflows")),
        _ => None,
    }
}

/// Whether the same question may get another answer.
const fn worth_retrying(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Internal { .. }
            | ApiError::Unavailable { .. }
            | ApiError::RateLimited { .. }
            | ApiError::Network { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_leads_back_to_its_list() {
        assert_eq!(list_of("/runs/1"), Some(("/runs", "All runs")));
        assert_eq!(list_of("/agents/1/edit"), Some(("/agents", "All agents")));
        for path in ["/", "/runs", "/memory", "/gateway/calls"] {
            assert_eq!(list_of(path), None, "{path}");
        }
    }

    #[test]
    fn a_refusal_is_not_offered_again() {
        assert!(!worth_retrying(&ApiError::Forbidden { detail: "no".to_owned() }));
        assert!(worth_retrying(&ApiError::Internal { trace_id: "t".to_owned() }));
    }
}
