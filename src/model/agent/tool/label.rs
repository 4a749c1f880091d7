//! What tools are called on forms.

use super::AgentTool;

impl AgentTool {
    /// As on a form.
    pub const fn label(self) -> &'static str {
        match self {
            Self::HttpRequest => "HTTP requests",
            Self::MemorySearch => "Search memory",
            Self::MemoryRead => "Read memory",
            Self::MemoryWrite => "Write memory",
            Self::Shell => "Shell",
            Self::ListFiles => "List files",
            Self::ReadFile => "Read files",
            Self::SearchFiles => "Search files",
            Self::OutlineCode => "Outline code",
            Self::FindSymbol => "Find symbols",
            Self::AnalyzeCode => "Analyze code",
            Self::WriteFile => "Write files",
            Self::EditFile => "Edit files",
            Self::ShowChanges => "Show changes",
            Self::CommitChanges => "Commit changes",
            Self::PublishChanges => "Publish changes",
            Self::RunWorkflow => "Run workflows",
            Self::AskAgent => "Ask other agents",
            Self::HandOver => "Hand over",
            Self::AskPerson => "Ask people",
            Self::LeaseTake => "Take leases",
            Self::LeaseRelease => "Give leases back",
            Self::SendMessage => "Send messages",
            Self::ReadMessages => "Read messages",
            Self::SetTopology => "Set the topology",
        }
    }
}
