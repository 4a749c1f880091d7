//! What can go wrong before a command has run; how it ended is [`super::Exit`].

/// Why a job has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field of the job is not usable; nothing was started.
    #[error("{field}: expected {expected}")]
    Invalid {
        /// The field, such as `argv[1]` or `env.PATH`.
        field: String,
        /// What would have been accepted.
        expected: String,
    },
    /// The machine offers no way to confine a command; nothing was started.
    #[error("commands cannot be confined on this machine: {0}")]
    Unsupported(String),
    /// The program is not there or cannot be executed.
    #[error("{program} cannot be started: {reason}")]
    Start {
        /// `argv[0]`.
        program: String,
        /// What the system said.
        reason: String,
    },
    /// The walls could not be built, or the supervisor was lost; the command was not run or was killed.
    #[error("the sandbox failed: {0}")]
    Setup(String),
    /// The helper could not be started or talked to.
    #[error("the sandbox helper cannot be reached")]
    Io(#[from] std::io::Error),
}

impl Error {
    /// A refused field.
    pub(super) fn invalid(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), expected: expected.into() }
    }
}
