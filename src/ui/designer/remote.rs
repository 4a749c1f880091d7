//! The server functions that the designer calls, until `api::workflows` is declared: each says so.

/// As `api::workflows`.
pub mod workflows {
    use crate::model::workflow::{Definition, Workflow};
    use crate::model::{ApiError, WorkflowId};

    fn absent<T>() -> Result<T, ApiError> {
        Err(ApiError::Unavailable { detail: "workflows are not served yet".to_owned(), retry_after_ms: 0 })
    }

    /// As `api::workflows::get_workflow`.
    pub async fn get_workflow(_id: WorkflowId) -> Result<Workflow, ApiError> {
        absent()
    }

    /// As `api::workflows::save_draft`.
    pub async fn save_draft(_id: WorkflowId, _revision: i64, _definition: Definition) -> Result<Workflow, ApiError> {
        absent()
    }

    /// As `api::workflows::publish_workflow`.
    pub async fn publish_workflow(_id: WorkflowId) -> Result<i64, ApiError> {
        absent()
    }
}
