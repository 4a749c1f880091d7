//! Memory: entries, their versions, and why a search found them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{EntryId, Timestamp};

mod access;
mod activity;
mod backup;
mod bulk;
mod embedder;
mod encryption;
mod health;
mod import;
mod listing;
mod map;
mod namespace;
mod quarantine;
mod reader;
mod relation;
mod retention;
mod sibling;
mod source;
mod summary;
mod summary_rule;
mod table;
mod timeline;
mod trust;
mod why;

pub use access::{Access, AccessRule, Allowed, Asker, MAX_ACCESS_RULES, MAX_NAMED, Reach};
pub use activity::{ACTIVE_DAYS, NamespaceActivity};
pub use backup::{
    Backup, BackupCopy, BackupDraft, BackupOutcome, BackupRestore, BackupRun, BackupSchedule, BackupTarget,
    KEPT_BACKUP_RUNS, MAX_BACKUPS, RestoreReport,
};
pub use bulk::{
    EntryAct, EntryBulk, EntryBulkDone, EntryExport, EntryName, EntryRefusal, EntryStep, MAX_BULK, MAX_EXPORT_BYTES,
    MAX_MERGE,
};
pub use embedder::{
    EmbedFailure, EmbedTrial, EmbedTried, Embedder, EmbedderDraft, EmbedderReport, EmbedderState, LOCAL_MODELS,
    LocalModel, MAX_DIMENSIONS, MAX_EMBEDDER_MODEL_CHARS, MAX_TRIAL_CHARS,
};
pub use encryption::{DataKeyInfo, EncryptionReport};
pub use health::{Alike, Difference, DifferenceKind, Doubtful, Flaw, HealthEntry, MemoryHealth, Poor};
pub use import::{
    ImportItem, ImportKind, ImportPart, ImportRefusal, ImportReport, ImportSample, MAX_IMPORT_BYTES, MAX_IMPORT_ITEMS,
    MAX_IMPORT_NAMED, cut as cut_import, parts as import_parts,
};
pub use listing::{Entries, EntryFilter};
pub use map::{MAP_DETAIL, MAX_MAP_POINTS, MapBasis, MapPoint, MemoryMap};
pub use namespace::{
    MAX_DESCRIBED, MAX_DESCRIPTION_CHARS, Namespace, NamespaceDescription, STANDARD_NAMESPACES, is_within, purpose,
};
pub use quarantine::{Duplicates, MAX_REASON_CHARS, MemorySettings, Quarantine, Release};
pub use reader::{LISTED_READERS, Reader, Readers, Reading, RunRead, Sought};
pub use relation::{Contradiction, MAX_RELATIONS, Relation, RelationDraft, RelationKind, RelationWay};
pub use retention::{
    KeptFrom, MAX_RETENTION_DAYS, MAX_RETENTIONS, PREVIEWED, Retention, RetentionPreview, RetentionRule,
};
pub use sibling::{OnConflict, Precedence, Seen, Sibling};
pub use source::Source;
pub use summary::{MAX_SUMMARY_SOURCES, Summarized, SummaryDraft, SummaryEstimate, SummaryLink, SummaryLinks};
pub use summary_rule::{
    KEPT_FIRINGS, MAX_FIRING_SUMMARIES, MAX_SUMMARY_RULES, SummaryFiring, SummaryOutcome, SummaryPlan, SummaryRule,
    SummaryRuleDraft, SummarySet,
};
pub use table::{EntryLine, EntryOrder, EntrySort, EntryTable};
pub use timeline::{Learned, Superseded};
pub use trust::Trust;
pub use why::{Signal, TermMatch, Why};

/// A piece of knowledge, as of its newest version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Its id; stays through all versions.
    pub id: EntryId,
    /// A `/`-path.
    pub namespace: String,
    /// Unique in the namespace.
    pub key: String,
    /// Text or Markdown.
    pub content: String,
    /// Structured data beside the text; null when there is none.
    pub value: Value,
    /// Sorted, without repeats.
    pub tags: Vec<String>,
    /// Facts about the entry, filterable.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// 0..=1; 0.5 when nobody said.
    pub importance: f64,
    /// 1, 2, 3, …; the value for `If-Match`.
    pub version: i64,
    /// Where this version came from.
    pub source: Source,
    /// Who its words came from.
    #[serde(default)]
    pub trust: Trust,
    /// That it is, or was, set aside until a person has looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
    /// When the first version was written.
    pub created_at: Timestamp,
    /// When this version was written.
    pub updated_at: Timestamp,
    /// After this it is gone.
    pub expires_at: Option<Timestamp>,
    /// The conversation or document that it belongs to: a name in its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its place in the group; those without one stand behind, in the order of their first writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// How many texts stand beside it, written without having seen it, that nobody has merged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub siblings: i64,
    /// Since when another entry takes its place, where one does: it is found behind that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_at: Option<Timestamp>,
    /// Why it can't be decrypted, in lists: then content, value and metadata are empty and nothing is known of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

const fn is_zero(count: &i64) -> bool {
    *count == 0
}

impl Entry {
    /// Whether it is set aside: no search, step or agent finds it.
    pub fn is_quarantined(&self) -> bool {
        self.quarantine.as_ref().is_some_and(Quarantine::is_held)
    }
}

/// What a writer gives. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryDraft {
    /// Text or Markdown, at most 1 MiB.
    pub content: String,
    /// Structured data beside the text.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// At most 32, each 1..=64 characters.
    #[serde(default)]
    pub tags: Vec<String>,
    /// At most 64 keys.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// 0..=1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<f64>,
    /// After this it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The conversation or document that it belongs to, 1..=256 characters: entries of one group in one namespace are each
    /// other's context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its place in the group, ascending; only with a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Who its words came from. Absent: `user` for people, `tool` for steps; the same words keep the label that they have.
    /// It can be lower than that, never higher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
}

/// One version of an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntryVersion {
    /// 1, 2, 3, …
    pub version: i64,
    /// `None` when this version deleted the entry.
    pub content: Option<String>,
    /// As of this version.
    pub value: Value,
    /// As of this version.
    pub tags: Vec<String>,
    /// Where it came from.
    pub source: Source,
    /// Who its words came from.
    #[serde(default)]
    pub trust: Trust,
    /// Whether the entry was set aside while this was its newest version.
    #[serde(default)]
    pub quarantined: bool,
    /// The key under which it was to be written, where it said nearly the same as this entry and became a version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_from: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A search. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// At most 1,000 characters.
    pub query: String,
    /// This namespace and all below it; empty or absent means all.
    #[serde(default)]
    pub namespace: Option<String>,
    /// 1..=100.
    #[serde(default = "Search::default_limit")]
    pub limit: u32,
    /// How to search. Without an embedder `hybrid` is `text`, and `vector` is refused.
    #[serde(default)]
    pub mode: SearchMode,
    /// Entries must have all of these.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Entries must have all of these facts in their metadata: texts, numbers, true, false or null; at most 16.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Where the entry's newest version must come from: `user`, `user:NAME`, `run`, `run:ID`, `import`, `import:NAME` or `cli`.
    #[serde(default)]
    pub source: Option<String>,
    /// Entries must have one of these labels; empty means any. Neighbours that come with a hit must, too.
    #[serde(default)]
    pub trust: Vec<Trust>,
    /// Entries must be in this group.
    #[serde(default)]
    pub group: Option<String>,
    /// Updated at or after.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Updated before.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Hits with a lower score are left out. What scores mean stands in `docs/memory.md`.
    #[serde(default)]
    pub min_score: Option<f64>,
    /// How many of the entries before and behind each hit in its group to give with it, 0..=5.
    #[serde(default)]
    pub neighbours: u32,
    /// Whether to add what each word contributed, the filters, and the time of each stage.
    #[serde(default)]
    pub explain: bool,
    /// What would have been found then: entries as they stood, by their words. Not in the future, and at most 30 days ago.
    #[serde(default)]
    pub as_of: Option<Timestamp>,
    /// Entries that are left out before ranking, by id; at most 20.
    #[serde(default)]
    pub without: Vec<EntryId>,
}

impl Search {
    const fn default_limit() -> u32 {
        10
    }

    /// A search for these words in everything.
    pub fn text(query: &str) -> Self {
        Self {
            query: query.to_owned(),
            namespace: None,
            limit: Self::default_limit(),
            mode: SearchMode::Hybrid,
            tags: Vec::new(),
            metadata: Map::new(),
            source: None,
            trust: Vec::new(),
            group: None,
            since: None,
            until: None,
            min_score: None,
            neighbours: 0,
            explain: false,
            as_of: None,
            without: Vec::new(),
        }
    }
}

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// All signals that there are.
    #[default]
    Hybrid,
    /// Words only.
    Text,
    /// Vectors only: what means the like, whatever its words are.
    Vector,
}

/// What a search found, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchResult {
    /// Best first; ties by id.
    pub hits: Vec<Hit>,
    /// How long it took inside the server.
    pub took_ms: f64,
    /// How many entries matched, before the limit and whatever their score.
    pub matched: u32,
    /// Why vectors took no part, or not all of them, though they were asked for; absent when all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// With `explain`: how the answer came about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explain: Option<SearchExplained>,
}

/// How an answer came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchExplained {
    /// The filters that applied, as sentences' ends: `namespace code and below`, `tag postgres`.
    pub filters: Vec<String>,
    /// The stages in their order.
    pub stages: Vec<Stage>,
    /// How vectors were compared; absent where they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vectors: Option<VectorsCompared>,
}

/// How vectors were compared with a question's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VectorsCompared {
    /// The way.
    pub way: VectorWay,
    /// Vectors of the workspace in memory.
    pub vectors: u64,
    /// Of these, those that are in the graph: fewer than all while it is made.
    pub in_graph: u64,
}

/// How the nearest vectors are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VectorWay {
    /// Every vector that may be found is compared.
    Exact,
    /// A graph leads to the nearest of very many.
    Graph,
}

/// A stage of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stage {
    /// `catch_up`, `embed`, `filter`, `words`, `context`, `vectors`, `rank`, `reasons`, `fetch`.
    pub name: String,
    /// How long it took.
    pub ms: f64,
}

/// One found entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// The entry.
    pub entry: Entry,
    /// Unitless. What the signals add, times the factors; comparable between questions to the same entries, so that
    /// `min_score` can part what answers from what does not.
    pub score: f64,
    /// Why it was found.
    pub why: Why,
    /// The entries around it in its group, when they were asked for: those before it, then those behind it, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
    /// The best passage of the content, at most about 240 characters.
    pub snippet: String,
    /// What matched in `snippet`: start and end in characters (not bytes), sorted, apart.
    pub highlights: Vec<(u32, u32)>,
}

/// An entry beside a hit in its group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Neighbour {
    /// How many places from the hit: -1 is the entry before it, 1 the one behind.
    pub offset: i32,
    /// Its key; its namespace and group are those of the hit.
    pub key: String,
    /// Its place in the group.
    pub position: Option<i64>,
    /// Who its words came from.
    #[serde(default)]
    pub trust: Trust,
    /// Its content, the first 2,000 characters.
    pub content: String,
}
