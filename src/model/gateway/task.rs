//! How hard a task is: a score that anyone can follow.
//!
//! 10 points for each file to touch, at most 50; 15 for each technology; for length and for tools. Below 30 a task is
//! simple, below 80 medium, else complex. All of these are settings of a route.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::message::{Block, Role};
use super::request::Request;
use super::response::estimate_tokens;

/// How hard a task is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// One direct call will do.
    Simple,
    /// A call with some planning.
    Medium,
    /// A task for several calls that are coordinated.
    #[default]
    Complex,
}

impl Level {
    /// Every level, the easiest first.
    pub const ALL: [Self; 3] = [Self::Simple, Self::Medium, Self::Complex];

    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Medium => "medium",
            Self::Complex => "complex",
        }
    }

    /// Reads [`Level::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }

    /// How such a task is gone about.
    pub const fn approach(self) -> &'static str {
        match self {
            Self::Simple => "direct",
            Self::Medium => "hybrid",
            Self::Complex => "orchestrated",
        }
    }
}

/// How points are counted, and from where on a task is harder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TaskRules {
    /// Points of each file that is named, 0..=1000.
    pub file: u32,
    /// Points of all files at most, 0..=1000.
    pub files_at_most: u32,
    /// Points of each technology that is named, 0..=1000.
    pub technology: u32,
    /// Points of each thousand tokens of the task, 0..=1000.
    pub thousand_tokens: u32,
    /// Points of the length at most, 0..=1000.
    pub length_at_most: u32,
    /// Points of each tool that may be used, 0..=1000.
    pub tool: u32,
    /// Points of all tools at most, 0..=1000.
    pub tools_at_most: u32,
    /// From here on a task is not simple, 0..=10000.
    pub medium_from: u32,
    /// From here on a task is complex, 0..=10000, at least `medium_from`.
    pub complex_from: u32,
}

impl Default for TaskRules {
    fn default() -> Self {
        Self {
            file: 10,
            files_at_most: 50,
            technology: 15,
            thousand_tokens: 5,
            length_at_most: 30,
            tool: 2,
            tools_at_most: 20,
            medium_from: 30,
            complex_from: 80,
        }
    }
}

/// Points for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Points {
    /// In words, such as "3 files".
    pub what: String,
    /// How many.
    pub points: u32,
}

/// How hard a task is, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Score {
    /// All together.
    pub points: u32,
    /// What that makes it.
    pub level: Level,
    /// `direct`, `hybrid` or `orchestrated`.
    pub approach: String,
    /// What they are for; reasons without points are left out.
    pub parts: Vec<Points>,
}

impl Score {
    /// In one sentence.
    pub fn why(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(|part| format!("{} for {}", part.points, part.what)).collect();
        let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        format!("a {} task of {} points{parts}", self.level.as_str(), self.points)
    }
}

/// Scores a request: what the person said last, and the tools that may be used.
pub fn of_request(request: &Request, rules: &TaskRules) -> Score {
    let of_person = request.messages.iter().rev().filter(|message| message.role == Role::User);
    let said = of_person.map(|message| {
        let texts = message.content.iter().filter_map(|block| match block {
            Block::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    });
    // What tools gave back is nobody's wish.
    let task = said.into_iter().find(|text| !text.trim().is_empty()).unwrap_or_default();
    score(&task, request.tools.len(), rules)
}

/// Scores a task by its words and the number of tools that may be used.
pub fn score(task: &str, tools: usize, rules: &TaskRules) -> Score {
    let files = files(task).len();
    let technologies = technologies(task);
    let tokens = estimate_tokens(task.chars().count() as u64).max(0);
    let thousands = u32::try_from(tokens / 1000).unwrap_or(u32::MAX);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let parts = [
        (plural(files, "file"), rules.file.saturating_mul(count(files)).min(rules.files_at_most)),
        (technologies.join(" and "), rules.technology.saturating_mul(count(technologies.len()))),
        (format!("{tokens} tokens"), rules.thousand_tokens.saturating_mul(thousands).min(rules.length_at_most)),
        (plural(tools, "tool"), rules.tool.saturating_mul(count(tools)).min(rules.tools_at_most)),
    ];
    let parts: Vec<Points> =
        parts.into_iter().filter(|(_, points)| *points > 0).map(|(what, points)| Points { what, points }).collect();
    let points = parts.iter().fold(0_u32, |sum, part| sum.saturating_add(part.points));
    let level = match points {
        points if points < rules.medium_from => Level::Simple,
        points if points < rules.complex_from => Level::Medium,
        _ => Level::Complex,
    };
    Score { points, level, approach: level.approach().to_owned(), parts }
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Endings by which a word is taken for a file.
const ENDINGS: [&str; 40] = [
    "rs", "py", "js", "jsx", "ts", "tsx", "mjs", "go", "java", "kt", "swift", "c", "h", "cc", "cpp", "hpp", "cs", "rb",
    "php", "scala", "sh", "sql", "html", "css", "scss", "vue", "svelte", "json", "yaml", "yml", "toml", "xml", "md",
    "proto", "tf", "ipynb", "lock", "txt", "csv", "conf",
];

/// What is written like a file and is none, before its `.js`.
const PRODUCTS: [&str; 9] = ["node", "next", "nuxt", "vue", "react", "express", "three", "d3", "chart"];

/// The files that a text names, each once.
fn files(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '/' | '\\' | '.' | '_' | '-');
    let words = text.split(|c: char| !is_part(c)).map(|word| word.trim_matches(['.', '-', '/']));
    let is_file = |word: &&str| {
        let Some((stem, ending)) = word.rsplit_once('.') else {
            return matches!(*word, "Dockerfile" | "Makefile" | "Cargo.lock");
        };
        // `Node.js` and the like are no files.
        let is_product = ending == "js" && PRODUCTS.contains(&stem.to_ascii_lowercase().as_str());
        !stem.is_empty() && !is_product && ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
    };
    words.filter(is_file).map(str::to_owned).collect()
}

/// Technologies by the words that name them.
const TECHNOLOGIES: [(&str, &[&str]); 45] = [
    ("Rust", &["rust", "cargo", "tokio"]),
    ("Python", &["python", "django", "flask", "fastapi", "pandas"]),
    ("TypeScript", &["typescript"]),
    ("JavaScript", &["javascript", "node.js", "nodejs"]),
    ("React", &["react", "next.js", "nextjs"]),
    ("Vue", &["vue", "nuxt"]),
    ("Svelte", &["svelte"]),
    ("Angular", &["angular"]),
    ("Go", &["golang"]),
    ("Java", &["java", "spring"]),
    ("Kotlin", &["kotlin"]),
    ("Swift", &["swiftui"]),
    ("C++", &["c++"]),
    ("C#", &["c#", ".net", "dotnet"]),
    ("Ruby", &["ruby", "rails"]),
    ("PHP", &["php", "laravel"]),
    ("Scala", &["scala"]),
    ("Elixir", &["elixir"]),
    ("Haskell", &["haskell"]),
    ("SQL", &["sql"]),
    ("Postgres", &["postgres", "postgresql"]),
    ("MySQL", &["mysql", "mariadb"]),
    ("SQLite", &["sqlite"]),
    ("MongoDB", &["mongodb"]),
    ("Redis", &["redis"]),
    ("Kafka", &["kafka"]),
    ("RabbitMQ", &["rabbitmq"]),
    ("Elasticsearch", &["elasticsearch", "opensearch"]),
    ("GraphQL", &["graphql"]),
    ("gRPC", &["grpc", "protobuf"]),
    ("Docker", &["docker", "dockerfile"]),
    ("Kubernetes", &["kubernetes", "k8s", "helm"]),
    ("Terraform", &["terraform", "pulumi"]),
    ("AWS", &["aws", "s3", "lambda"]),
    ("Azure", &["azure"]),
    ("Google Cloud", &["gcp"]),
    ("WebAssembly", &["webassembly", "wasm"]),
    ("CUDA", &["cuda"]),
    ("PyTorch", &["pytorch"]),
    ("TensorFlow", &["tensorflow"]),
    ("CSS", &["css", "tailwind", "sass"]),
    ("OAuth", &["oauth", "oidc", "saml"]),
    ("WebSocket", &["websocket", "websockets"]),
    ("Nginx", &["nginx"]),
    ("Linux", &["systemd"]),
];

/// The technologies that a text names, in the order of the list.
fn technologies(text: &str) -> Vec<&'static str> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '+' | '#' | '.');
    let words: BTreeSet<String> = text
        .split(|c: char| !is_part(c))
        .map(|word| word.trim_end_matches('.').to_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    TECHNOLOGIES
        .iter()
        .filter(|(_, known)| known.iter().any(|word| words.contains(*word)))
        .map(|(name, _)| *name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::{Dialect, Message};

    fn points(task: &str, tools: usize) -> (u32, Level) {
        let score = score(task, tools, &TaskRules::default());
        (score.points, score.level)
    }

    #[test]
    fn files_count_ten_each_and_fifty_at_most() {
        assert_eq!(points("Fix the typo in README.md.", 0), (10, Level::Simple));
        assert_eq!(points("Fix src/a.rs, src/b.rs and src/a.rs", 0), (20, Level::Simple));
        assert_eq!(points("a.rs b.rs c.rs d.rs e.rs f.rs g.rs", 0), (50, Level::Medium));
    }

    #[test]
    fn technologies_count_fifteen_each_and_once() {
        assert_eq!(points("Move the React app from Redis to Postgres; React stays.", 0), (45, Level::Medium));
        assert_eq!(points("Is Node.js better than node.js?", 0), (15, Level::Simple), "and it is no file");
        assert_eq!(points("I rest, go out, and react to nothing", 0).0, 15, "a word is a word");
    }

    #[test]
    fn length_and_tools_count_up_to_their_bounds() {
        assert_eq!(points(&"word ".repeat(4_000), 0).0, 25);
        assert_eq!(points(&"word ".repeat(400_000), 0).0, 30);
        assert_eq!(points("Hello", 3).0, 6);
        assert_eq!(points("Hello", 300).0, 20);
    }

    #[test]
    fn the_level_is_where_the_points_lie_and_is_explained() {
        let rules = TaskRules::default();
        let score = score("Rewrite api.py and web.ts in Rust with Postgres and Docker", 4, &rules);
        assert_eq!((score.points, score.level), (73, Level::Medium));
        assert_eq!(
            score.why(),
            "a medium task of 73 points: 20 for 2 files, 45 for Rust and Postgres and Docker, 8 for 4 tools"
        );
        let stricter = TaskRules { complex_from: 73, ..rules };
        assert_eq!(
            super::score("Rewrite api.py and web.ts in Rust with Postgres and Docker", 4, &stricter).level,
            Level::Complex
        );
    }

    #[test]
    fn what_the_person_said_last_counts_and_not_what_tools_gave() {
        let mut request = Request::new(Dialect::Anthropic, "smart");
        request.messages.push(Message::text(Role::User, "Fix a.rs, b.rs, c.rs, d.rs"));
        request.messages.push(Message::text(Role::Assistant, "See e.rs"));
        request.messages.push(Message::text(Role::User, "Thanks, now f.rs"));
        request.messages.push(Message {
            role: Role::User,
            content: vec![Block::ToolResult {
                tool_use_id: "1".into(),
                content: vec![Block::text("g.rs h.rs i.rs j.rs")],
                is_error: false,
                cache: None,
                extra: Default::default(),
            }],
            extra: Default::default(),
        });
        assert_eq!(of_request(&request, &TaskRules::default()).points, 10);
    }
}
