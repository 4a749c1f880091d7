//! Which columns the table has beside the key: pure rules, kept as a text.

use crate::model::memory::EntrySort;

/// A column beside the key, which is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::ui::pages::memory) enum Col {
    Namespace,
    Changed,
    Created,
    Importance,
    Reads,
    Size,
    Source,
    Tags,
}

impl Col {
    /// Every column, in the order in which they stand.
    pub const ALL: [Self; 8] = [
        Self::Namespace,
        Self::Changed,
        Self::Created,
        Self::Importance,
        Self::Reads,
        Self::Size,
        Self::Source,
        Self::Tags,
    ];
    /// Those that are there until somebody chooses.
    pub const FIRST: [Self; 2] = [Self::Namespace, Self::Changed];

    /// What it sorts by; tags are several, so nothing is sorted by them.
    pub const fn sort(self) -> Option<EntrySort> {
        match self {
            Self::Namespace => Some(EntrySort::Namespace),
            Self::Changed => Some(EntrySort::Changed),
            Self::Created => Some(EntrySort::Created),
            Self::Importance => Some(EntrySort::Importance),
            Self::Reads => Some(EntrySort::Reads),
            Self::Size => Some(EntrySort::Size),
            Self::Source => Some(EntrySort::Source),
            Self::Tags => None,
        }
    }

    /// As the head says it.
    pub fn label(self) -> &'static str {
        self.sort().map_or("Tags", EntrySort::label)
    }

    /// As it is kept.
    fn as_str(self) -> &'static str {
        self.sort().map_or("tags", EntrySort::as_str)
    }

    /// Its least width in rem.
    const fn width(self) -> u32 {
        match self {
            Self::Namespace => 8,
            Self::Source | Self::Tags => 9,
            Self::Changed | Self::Created => 7,
            Self::Importance | Self::Size => 6,
            Self::Reads => 5,
        }
    }

    /// Whether it holds numbers, which stand to the right.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Importance | Self::Reads | Self::Size)
    }
}

/// The columns as they are kept.
pub(super) fn text(columns: &[Col]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.as_str()).collect();
    names.join(",")
}

/// Reads [`text`] back; names that this program does not know are passed over.
pub(super) fn read(text: &str) -> Vec<Col> {
    Col::ALL.into_iter().filter(|column| text.split(',').any(|name| name == column.as_str())).collect()
}

/// The same columns with one more, or one less, in their order.
pub(super) fn with(columns: &[Col], column: Col, on: bool) -> Vec<Col> {
    Col::ALL.into_iter().filter(|known| if *known == column { on } else { columns.contains(known) }).collect()
}

/// The tracks of the grid and their least width together, as custom properties.
pub(super) fn style(columns: &[Col]) -> String {
    let mut tracks = "2.25rem minmax(12rem, 3fr)".to_owned();
    let mut least = 14 + 1;
    for column in columns {
        least += column.width();
        let width = column.width();
        tracks.push_str(&match column {
            Col::Namespace | Col::Source | Col::Tags => format!(" minmax({width}rem, 1fr)"),
            _ => format!(" {width}rem"),
        });
    }
    format!("--cols: {tracks}; --cols-least: {least}rem")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_kept_and_stand_in_their_order() {
        assert_eq!(read(&text(&Col::ALL)), Col::ALL);
        assert_eq!(read("size,what,namespace"), [Col::Namespace, Col::Size]);
        assert!(read("").is_empty());
        assert_eq!(with(&[Col::Namespace, Col::Size], Col::Reads, true), [Col::Namespace, Col::Reads, Col::Size]);
        assert_eq!(with(&[Col::Namespace, Col::Size], Col::Namespace, false), [Col::Size]);
    }

    #[test]
    fn every_column_has_a_track() {
        let all = style(&Col::ALL);
        assert!(all.starts_with("--cols: 2.25rem minmax(12rem, 3fr) minmax(8rem, 1fr) 7rem"), "{all}");
        assert!(style(&[]).ends_with("--cols-least: 15rem"));
    }
}
