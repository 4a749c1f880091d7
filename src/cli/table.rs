//! Tables with aligned columns for a terminal, and colours where they are wanted.

use std::io::IsTerminal;

/// Whether text is coloured: only on a terminal, and not if `NO_COLOR` is set (no-color.org).
#[derive(Debug, Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    /// For standard output.
    pub fn of_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(!refused && std::io::stdout().is_terminal())
    }

    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A column: its title, and the side that its cells keep to.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    right: bool,
}

impl Column {
    /// For text.
    pub const fn left(title: &'static str) -> Self {
        Self { title, right: false }
    }

    /// For numbers.
    pub const fn right(title: &'static str) -> Self {
        Self { title, right: true }
    }
}

/// Draws a table; empty without rows. Every row has as many cells as there are columns.
pub fn table(paint: Paint, columns: &[Column], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let width =
        |at: usize| rows.iter().map(|row| visible(&row[at])).chain([columns[at].title.len()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(columns).zip(&widths).map(|((cell, column), width)| {
            let space = " ".repeat(width.saturating_sub(visible(cell)));
            if column.right { format!("{space}{cell}") } else { format!("{cell}{space}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let titles: Vec<String> = columns.iter().map(|column| paint.bold(column.title)).collect();
    line(&titles) + &rows.iter().map(|row| line(row)).collect::<String>()
}

/// Characters without colour codes.
fn visible(text: &str) -> usize {
    let mut in_code = false;
    text.chars()
        .filter(|c| {
            let shown = !in_code && *c != '\u{1b}';
            in_code = (in_code || *c == '\u{1b}') && *c != 'm';
            shown
        })
        .count()
}
