//! A diff as `git diff` writes it, what is new and what is gone told apart by sign and by colour.

use leptos::prelude::*;

/// Lines that are drawn one by one; of longer ones the rest is drawn as one text.
const MOST_LINES: usize = 3_000;

/// A line of a diff, by its first characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Added,
    Removed,
    /// What tells where one is: the file, the place in it.
    Head,
    Same,
}

fn kind_of(line: &str) -> Kind {
    const HEADS: [&str; 14] = [
        "diff ",
        "index ",
        "--- ",
        "+++ ",
        "@@",
        "new file",
        "deleted file",
        "rename ",
        "copy ",
        "similarity ",
        "dissimilarity ",
        "old mode",
        "new mode",
        "Binary files",
    ];
    match line.chars().next() {
        _ if HEADS.iter().any(|head| line.starts_with(head)) => Kind::Head,
        Some('+') => Kind::Added,
        Some('-') => Kind::Removed,
        _ => Kind::Same,
    }
}

/// The lines of a diff, to stand in a `pre`.
#[component]
pub fn DiffLines(text: String) -> impl IntoView {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let rest = (lines.len() > MOST_LINES).then(|| lines.split_off(MOST_LINES).concat());
    let drawn = lines.into_iter().map(|line| match kind_of(&line) {
        Kind::Added => view! { <ins>{line}</ins> }.into_any(),
        Kind::Removed => view! { <del>{line}</del> }.into_any(),
        Kind::Head => view! { <span class="hunk">{line}</span> }.into_any(),
        Kind::Same => view! { <span>{line}</span> }.into_any(),
    });
    view! { {drawn.collect_view()}{rest} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_by_its_first_characters() {
        for (line, kind) in [
            ("+fn a() {}", Kind::Added),
            ("-fn a() {}", Kind::Removed),
            (" fn a() {}", Kind::Same),
            ("@@ -1 +1 @@", Kind::Head),
            ("+++ b/src/a.rs", Kind::Head),
            ("--- a/src/a.rs", Kind::Head),
            ("", Kind::Same),
        ] {
            assert_eq!(kind_of(line), kind, "{line}");
        }
    }
}
