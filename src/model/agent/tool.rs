//! What agents may use.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{code_tools, git_tools, team_tools};

/// What using a tool can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing changes.
    Reads,
    /// Something changes inside of Weft, where the agent may write.
    Writes,
    /// Something outside may change, or something that is not the agent's own.
    Acts,
}

/// A tool of agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentTool {
    /// Ask a web server.
    HttpRequest,
    /// Search what is remembered.
    MemorySearch,
    /// Read one entry.
    MemoryRead,
    /// Remember something.
    MemoryWrite,
    /// Run a script in the sandbox.
    Shell,
    /// Name the files of its folder.
    ListFiles,
    /// Read one of them.
    ReadFile,
    /// Look for a text in them.
    SearchFiles,
    /// Say what functions and types stand where in source code.
    OutlineCode,
    /// Find where a name of source code is defined and used.
    FindSymbol,
    /// Measure source code, and name what a reviewer should look at.
    AnalyzeCode,
    /// Write one of them.
    WriteFile,
    /// Change a place in one of them.
    EditFile,
    /// Say what it changed in its copy of a repository.
    ShowChanges,
    /// Commit that there.
    CommitChanges,
    /// Put what it changed in a copy of a repository into the repository, as a branch.
    PublishChanges,
    /// Run a workflow and wait for what comes of it.
    RunWorkflow,
    /// Give another agent a task and wait for its answer.
    AskAgent,
    /// Give another agent the task for good: its answer is the answer.
    HandOver,
    /// Ask a person and wait for the answer.
    AskPerson,
    /// Have a file, a repository or a named thing to itself, or share it.
    LeaseTake,
    /// Give that back.
    LeaseRelease,
    /// Write to other agents of the team.
    SendMessage,
    /// Read what they wrote.
    ReadMessages,
    /// Say who in the team may write to whom.
    SetTopology,
}

impl AgentTool {
    /// Every tool, for forms and tests.
    pub const ALL: [Self; 25] = [
        Self::HttpRequest,
        Self::MemorySearch,
        Self::MemoryRead,
        Self::MemoryWrite,
        Self::Shell,
        Self::ListFiles,
        Self::ReadFile,
        Self::SearchFiles,
        Self::OutlineCode,
        Self::FindSymbol,
        Self::AnalyzeCode,
        Self::WriteFile,
        Self::EditFile,
        Self::ShowChanges,
        Self::CommitChanges,
        Self::PublishChanges,
        Self::RunWorkflow,
        Self::AskAgent,
        Self::HandOver,
        Self::AskPerson,
        Self::LeaseTake,
        Self::LeaseRelease,
        Self::SendMessage,
        Self::ReadMessages,
        Self::SetTopology,
    ];

    /// As models call it, and as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HttpRequest => "http_request",
            Self::MemorySearch => "memory_search",
            Self::MemoryRead => "memory_read",
            Self::MemoryWrite => "memory_write",
            Self::Shell => "shell",
            Self::ListFiles => "list_files",
            Self::ReadFile => "read_file",
            Self::SearchFiles => "search_files",
            Self::OutlineCode => "outline_code",
            Self::FindSymbol => "find_symbol",
            Self::AnalyzeCode => "analyze_code",
            Self::WriteFile => "write_file",
            Self::EditFile => "edit_file",
            Self::ShowChanges => "show_changes",
            Self::CommitChanges => "commit_changes",
            Self::PublishChanges => "publish_changes",
            Self::RunWorkflow => "run_workflow",
            Self::AskAgent => "ask_agent",
            Self::HandOver => "hand_over",
            Self::AskPerson => "ask_person",
            Self::LeaseTake => "lease_take",
            Self::LeaseRelease => "lease_release",
            Self::SendMessage => "send_message",
            Self::ReadMessages => "read_messages",
            Self::SetTopology => "set_topology",
        }
    }

    /// Reads [`AgentTool::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.as_str() == text)
    }

    /// What the model is told of it.
    pub const fn description(self) -> &'static str {
        match self {
            Self::HttpRequest => {
                "Sends an HTTP request to one of the hosts that you may reach, and gives back status, headers and body."
            }
            Self::MemorySearch => {
                "Searches what is remembered in the namespaces that you may read; the best entries first."
            }
            Self::MemoryRead => {
                "Reads one entry of memory by its namespace and key, with its version and the texts that stand beside it."
            }
            Self::MemoryWrite => {
                "Keeps something for later under a namespace and a key; what is there under the same key becomes an older version."
            }
            Self::Shell => {
                "Runs a script with /bin/sh in your working directory, in a sandbox without network, and gives back the exit code \
                 and what was printed. Files that you write there stay for your next script."
            }
            Self::ListFiles => "Names the files in your working directory, or in a folder of it; at most 1,000.",
            Self::ReadFile => "Reads a text file in your working directory, its lines numbered.",
            Self::SearchFiles => {
                "Looks for a regular expression (POSIX, extended) in the files of your working directory; at most 200 lines."
            }
            Self::OutlineCode => code_tools::OUTLINE,
            Self::FindSymbol => code_tools::FIND,
            Self::AnalyzeCode => code_tools::ANALYZE,
            Self::WriteFile => {
                "Writes a file in your working directory, with the folders that it needs; what was in it is gone."
            }
            Self::EditFile => {
                "Replaces a text in a file of your working directory by another. The text must be there exactly once, as it \
                 stands, blanks included."
            }
            Self::ShowChanges => git_tools::SHOW,
            Self::CommitChanges => git_tools::COMMIT,
            Self::PublishChanges => git_tools::PUBLISH,
            Self::RunWorkflow => {
                "Runs a workflow by its name with these inputs, waits for its end, and gives back its output."
            }
            Self::AskAgent => {
                "Gives another agent a task, waits, and gives back its answer. It knows nothing of your conversation."
            }
            Self::HandOver => team_tools::HAND_OVER,
            Self::AskPerson => {
                "Asks a person and waits for the answer, which may take hours. Ask when only a person can know or decide."
            }
            Self::LeaseTake => {
                "Takes a lease on a file, a folder, a repository, or anything that you name, so that no other agent works at it \
                 meanwhile; waits where another has it. You have it until your task ends or you give it back. Take what you need \
                 before you begin, and all agents in the same order."
            }
            Self::LeaseRelease => "Gives a lease back, once you need it no more.",
            Self::SendMessage => team_tools::SEND,
            Self::ReadMessages => team_tools::READ,
            Self::SetTopology => team_tools::SET_TOPOLOGY,
        }
    }

    /// A JSON Schema of what it is called with: an object.
    pub fn schema(self) -> Value {
        let text = |description: &str| json!({"type": "string", "description": description});
        let (properties, required) = match self {
            Self::HttpRequest => (
                json!({
                    "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]},
                    "url": text("An http or https address."),
                    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                    "body": text("As it is sent; set content-type in the headers."),
                }),
                json!(["method", "url"]),
            ),
            Self::MemorySearch => (
                json!({
                    "query": text("Words, a question, or a name."),
                    "namespace": text("Only in this namespace and below."),
                    "limit": {"type": "integer", "minimum": 1, "maximum": 20},
                }),
                json!(["query"]),
            ),
            Self::MemoryRead => (
                json!({"namespace": text("Such as decisions/api."), "key": text("Its key there.")}),
                json!(["namespace", "key"]),
            ),
            Self::MemoryWrite => (
                json!({
                    "namespace": text("Such as decisions/api."),
                    "key": text("Short, and the same for the same thing."),
                    "content": text("What to remember, in Markdown: whole sentences that make sense on their own."),
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "version": {"type": "integer", "minimum": 0, "description": "The version that memory_read gave, 0 where there was none: what others wrote meanwhile then stays, and yours stands beside it. Without it yours replaces theirs."},
                    "merges": {"type": "array", "items": {"type": "integer"}, "description": "Numbers of the texts beside the entry that memory_read gave and that yours takes in."},
                }),
                json!(["namespace", "key", "content"]),
            ),
            Self::Shell => (json!({"script": text("Read by /bin/sh.")}), json!(["script"])),
            Self::ListFiles => (json!({"folder": text("Only in this folder, such as src.")}), json!([])),
            Self::ReadFile => (
                json!({
                    "path": text("Such as src/main.rs."),
                    "from_line": {"type": "integer", "minimum": 1},
                    "lines": {"type": "integer", "minimum": 1, "maximum": 2000},
                }),
                json!(["path"]),
            ),
            Self::SearchFiles => (
                json!({"pattern": text("Such as fn +main."), "folder": text("Only in this folder.")}),
                json!(["pattern"]),
            ),
            Self::OutlineCode | Self::AnalyzeCode => code_tools::outline(),
            Self::FindSymbol => code_tools::find(),
            Self::WriteFile => (
                json!({"path": text("Such as src/main.rs."), "content": text("All of it.")}),
                json!(["path", "content"]),
            ),
            Self::EditFile => (
                json!({
                    "path": text("Such as src/main.rs."),
                    "find": {"type": "string", "minLength": 1, "description": "With enough around it to be there only once."},
                    "replace": text("What stands there afterwards."),
                }),
                json!(["path", "find", "replace"]),
            ),
            Self::ShowChanges => git_tools::show(),
            Self::CommitChanges | Self::PublishChanges => git_tools::commit(),
            Self::RunWorkflow => (
                json!({"workflow": text("Its name."), "inputs": {"type": "object", "description": "As the workflow declares them."}}),
                json!(["workflow"]),
            ),
            Self::AskAgent | Self::HandOver => (
                json!({"agent": text("Its name."), "task": text("Everything that it must know.")}),
                json!(["agent", "task"]),
            ),
            Self::AskPerson => (
                json!({
                    "question": text("In one sentence."),
                    "details": text("Markdown: what one needs to know to answer."),
                    "choices": {"type": "array", "items": {"type": "string"}, "description": "Up to five short answers to choose from; without them the person writes."},
                }),
                json!(["question"]),
            ),
            Self::LeaseTake => (
                json!({
                    "kind": {"enum": ["file", "repository", "name"], "description": "A file or folder of your working directory; your repository, or your whole folder; or anything with a name."},
                    "name": text("The file's or folder's path, or the name; nothing for a repository."),
                    "mode": {"enum": ["exclusive", "shared"], "description": "exclusive, where none is named: nobody else has it. shared: with others who also share it."},
                }),
                json!(["kind"]),
            ),
            Self::LeaseRelease => (
                json!({
                    "kind": {"enum": ["file", "repository", "name"]},
                    "name": text("As when you took it."),
                }),
                json!(["kind"]),
            ),
            Self::SendMessage => team_tools::send(),
            Self::ReadMessages => team_tools::read(),
            Self::SetTopology => team_tools::set_topology(),
        };
        json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
    }

    /// What this very call can do.
    pub fn effect(self, arguments: &Value) -> Effect {
        match self {
            Self::MemorySearch
            | Self::MemoryRead
            | Self::AskPerson
            | Self::ListFiles
            | Self::ReadFile
            | Self::SearchFiles
            | Self::OutlineCode
            | Self::FindSymbol
            | Self::AnalyzeCode
            | Self::ShowChanges
            | Self::ReadMessages => Effect::Reads,
            Self::HttpRequest => match arguments.get("method").and_then(Value::as_str) {
                Some("GET" | "HEAD") => Effect::Reads,
                _ => Effect::Acts,
            },
            // Another agent has rules of its own.
            Self::MemoryWrite
            | Self::AskAgent
            | Self::HandOver
            | Self::WriteFile
            | Self::EditFile
            | Self::CommitChanges
            | Self::LeaseTake
            | Self::LeaseRelease
            | Self::SendMessage
            | Self::SetTopology => Effect::Writes,
            Self::Shell | Self::RunWorkflow | Self::PublishChanges => Effect::Acts,
        }
    }

    /// Whether what it gives may hold what strangers wrote.
    pub const fn gives_untrusted(self) -> bool {
        matches!(
            self,
            Self::HttpRequest
                | Self::MemorySearch
                | Self::MemoryRead
                | Self::Shell
                | Self::ListFiles
                | Self::ReadFile
                | Self::SearchFiles
                | Self::OutlineCode
                | Self::FindSymbol
                | Self::AnalyzeCode
                | Self::ShowChanges
                | Self::RunWorkflow
                | Self::AskAgent
                | Self::HandOver
                | Self::ReadMessages
        )
    }

    /// Whether it works in the agent's folder: calls of such are done one after the other.
    pub const fn needs_folder(self) -> bool {
        matches!(
            self,
            Self::Shell
                | Self::ListFiles
                | Self::ReadFile
                | Self::SearchFiles
                | Self::OutlineCode
                | Self::FindSymbol
                | Self::AnalyzeCode
                | Self::WriteFile
                | Self::EditFile
                | Self::ShowChanges
                | Self::CommitChanges
                | Self::PublishChanges
        )
    }

    /// Whether it is about the team that the agent works in: calls of such are done one after the other, too.
    pub const fn is_of_team(self) -> bool {
        matches!(self, Self::SendMessage | Self::ReadMessages | Self::SetTopology)
    }

    /// Whether its result comes from elsewhere, in its own time: the step waits meanwhile.
    pub const fn waits(self) -> bool {
        matches!(self, Self::RunWorkflow | Self::AskAgent | Self::HandOver | Self::AskPerson)
    }
}

mod label;
#[cfg(test)]
mod tests;
