//! What changed between two texts, line by line.

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// In both.
    Same(String),
    /// In the newer one alone.
    Added(String),
    /// In the older one alone.
    Removed(String),
    /// So many lines that are in both, left out.
    Skipped(usize),
}

/// Lines in both that are kept around a change.
const AROUND: usize = 3;
/// The largest table of the comparison; larger differences are shown as one block out, one block in.
const MOST_CELLS: usize = 1 << 20;

/// The difference from `old` to `new`: longest common subsequence of lines, with long stretches in both left out.
pub(super) fn lines(old: &str, new: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = rest.take_while(|(a, b)| a == b).count();
    let (old_middle, new_middle) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut found: Vec<Line> = old[..head].iter().map(|line| Line::Same((*line).to_owned())).collect();
    middle(old_middle, new_middle, &mut found);
    found.extend(old[old.len() - tail..].iter().map(|line| Line::Same((*line).to_owned())));
    shorten(found)
}

fn middle(old: &[&str], new: &[&str], found: &mut Vec<Line>) {
    let (rows, columns) = (old.len() + 1, new.len() + 1);
    if rows * columns > MOST_CELLS {
        found.extend(old.iter().map(|line| Line::Removed((*line).to_owned())));
        found.extend(new.iter().map(|line| Line::Added((*line).to_owned())));
        return;
    }
    // common[i][j]: the most lines that old[i..] and new[j..] share in order.
    let mut common = vec![0_u32; rows * columns];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * columns + j] = if old[i] == new[j] {
                common[(i + 1) * columns + j + 1] + 1
            } else {
                common[(i + 1) * columns + j].max(common[i * columns + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            found.push(Line::Same(old[i].to_owned()));
            i += 1;
            j += 1;
        } else if j == new.len() || (i < old.len() && common[(i + 1) * columns + j] >= common[i * columns + j + 1]) {
            found.push(Line::Removed(old[i].to_owned()));
            i += 1;
        } else {
            found.push(Line::Added(new[j].to_owned()));
            j += 1;
        }
    }
}

/// Leaves out what stands in both, farther than [`AROUND`] lines from any change.
fn shorten(lines: Vec<Line>) -> Vec<Line> {
    let changes: Vec<usize> = (0..lines.len()).filter(|at| !matches!(lines[*at], Line::Same(_))).collect();
    let near = |at: usize| {
        let next = changes.partition_point(|change| *change < at);
        let after = changes.get(next).is_some_and(|change| change - at <= AROUND);
        let before = next.checked_sub(1).is_some_and(|last| at - changes[last] <= AROUND);
        after || before
    };
    let mut short = Vec::new();
    for (at, line) in lines.into_iter().enumerate() {
        if near(at) {
            short.push(line);
        } else if let Some(Line::Skipped(count)) = short.last_mut() {
            *count += 1;
        } else {
            short.push(Line::Skipped(1));
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, expected: &str) {
        let text: Vec<String> = lines(old, new)
            .into_iter()
            .map(|line| match line {
                Line::Same(text) => format!(" {text}"),
                Line::Added(text) => format!("+{text}"),
                Line::Removed(text) => format!("-{text}"),
                Line::Skipped(count) => format!("~{count}"),
            })
            .collect();
        assert_eq!(text.join(","), expected);
    }

    #[test]
    fn changed_lines_are_shown_with_what_stands_around_them() {
        check("a\nb\nc", "a\nx\nc", " a,-b,+x, c");
        check("", "a", "+a");
        check("a", "", "-a");
        check("a\nb", "a\nb", "~2");
        check("1\n2\n3\n4\n5\nx", "1\n2\n3\n4\n5\ny", "~2, 3, 4, 5,-x,+y");
        check("a\nb\nc\nd", "b\nc\ne\nd", "-a, b, c,+e, d");
    }
}
