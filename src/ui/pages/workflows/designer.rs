//! `/workflows/:id`: the designer of one workflow.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::workflow::Workflow;
use crate::model::{ApiError, WorkflowId};
use crate::ui::components::{Load, SkeletonShape, is_about};
use crate::ui::designer::Designer;

/// The designer of the workflow in the path.
#[component]
pub fn DesignerPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").and_then(|id| id.parse::<WorkflowId>().ok()));
    let workflow = Resource::new(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => api::workflows::get_workflow(id).await,
                None => Err(ApiError::not_found("workflow")),
            }
        },
    );
    let may = |action: Action| use_context::<Me>().is_some_and(|me| me.may(action));
    let (may_edit, may_publish, may_run) =
        (may(Action::EditWorkflow), may(Action::PublishWorkflow), may(Action::StartRun));
    let is_current = is_about(id, |workflow: &Workflow| workflow.id);
    view! {
        <Load resource=workflow what="the workflow" shape=SkeletonShape::Block(20) is_current let:workflow>
            <Designer workflow may_edit may_publish may_run />
        </Load>
    }
}
