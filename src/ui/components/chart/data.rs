//! What a chart is given: slots of time, series of values, a unit.

use crate::ui::format;

/// What the values count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// Whole things.
    #[default]
    Count,
    /// Milliseconds.
    Duration,
    /// Hundredths.
    Percent,
    /// Millionths of a US dollar.
    Dollars,
}

impl Unit {
    /// A value in full, as the tip and the table say it: "1,204", "2 min 24 s".
    pub fn say(self, value: f64) -> String {
        match self {
            Self::Count => format::count(value.round() as i64),
            Self::Duration => format::duration(value.round() as i64),
            Self::Percent => format!("{value:.0} %"),
            Self::Dollars => format::dollars(value.round() as i64),
        }
    }

    /// A round value, short, as an axis says it: "0", "10 k", "100 s".
    pub fn tick(self, value: f64) -> String {
        let whole = value.round() as i64;
        match self {
            _ if whole == 0 => "0".to_owned(),
            Self::Percent => format!("{whole} %"),
            Self::Dollars => match format::dollars(whole) {
                text if whole % 1_000_000 == 0 => text.trim_end_matches(".00").to_owned(),
                text => text,
            },
            Self::Count if whole >= 1_000_000 && whole % 100_000 == 0 => thousandth(whole / 1000, "M"),
            Self::Count if whole >= 10_000 && whole % 100 == 0 => thousandth(whole, "k"),
            Self::Count => format::count(whole),
            Self::Duration if whole % 1000 == 0 && whole < 60_000 => format!("{} s", whole / 1000),
            Self::Duration => format::duration(whole),
        }
    }
}

/// A thousandth with at most one decimal: 12,500 is "12.5 k".
fn thousandth(value: i64, unit: &str) -> String {
    match value % 1000 / 100 {
        0 => format!("{} {unit}", format::count(value / 1000)),
        tenth => format!("{}.{tenth} {unit}", format::count(value / 1000)),
    }
}

/// A stretch of time with one value of each series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slot {
    /// Under the axis: "07:00".
    pub label: String,
    /// In the tip and the table: "07:00 to 08:00".
    pub title: String,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesLook {
    /// In the colour of a status; `failed` is hatched and its mark a diamond, so that colour is not the only sign.
    Status(&'static str),
    /// In the colour `--series-N`, 1 to 5; the dash as in `stroke-dasharray`, empty for a solid line.
    Line {
        /// Of the tokens.
        series: u8,
        /// Tells lines apart without colour.
        dash: &'static str,
        /// Whether the ground under the line is tinted.
        area: bool,
    },
}

/// The values of one thing, one for each slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// "Succeeded", "p95".
    pub name: &'static str,
    /// How it is drawn.
    pub look: SeriesLook,
    /// `None` where nothing was measured; never drawn as 0.
    pub values: Vec<Option<f64>>,
}

impl Series {
    /// The newest slot with a value, and the value.
    pub fn last(&self) -> Option<(usize, f64)> {
        self.values.iter().enumerate().rev().find_map(|(slot, value)| value.map(|value| (slot, value)))
    }
}

/// Everything that a chart draws.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChartData {
    /// Oldest first.
    pub slots: Vec<Slot>,
    /// For bars from the bottom up, for lines in the order of the legend.
    pub series: Vec<Series>,
    /// Of every value.
    pub unit: Unit,
    /// The head of the table's first column: "Hour".
    pub slot_name: &'static str,
}

impl ChartData {
    /// Whether there is nothing to draw: no value above 0.
    pub fn is_empty(&self) -> bool {
        self.series.iter().flat_map(|series| &series.values).all(|value| value.is_none_or(|value| value <= 0.0))
    }

    /// What one slot says: the name and value of each series that has one, from the top of the stack down.
    pub fn at(&self, slot: usize) -> Vec<(&Series, f64)> {
        let value = |series: &Series| series.values.get(slot).copied().flatten();
        self.series.iter().rev().filter_map(|series| Some((series, value(series)?))).collect()
    }

    /// One slot as a sentence, for those who don't see the tip: "07:00 to 08:00: Failed 7, Succeeded 41".
    pub fn sentence(&self, slot: usize) -> String {
        let Some(title) = self.slots.get(slot).map(|slot| &slot.title) else {
            return String::new();
        };
        let values: Vec<String> = self
            .at(slot)
            .into_iter()
            .map(|(series, value)| format!("{} {}", series.name, self.unit.say(value)))
            .collect();
        if values.is_empty() { format!("{title}: nothing") } else { format!("{title}: {}", values.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_short_where_the_tip_is_exact() {
        let check = |unit: Unit, value, tick: &str, full: &str| {
            assert_eq!((unit.tick(value).as_str(), unit.say(value).as_str()), (tick, full));
        };
        check(Unit::Count, 0.0, "0", "0");
        check(Unit::Count, 5_000.0, "5,000", "5,000");
        check(Unit::Count, 20_000.0, "20 k", "20,000");
        check(Unit::Count, 12_500.0, "12.5 k", "12,500");
        check(Unit::Count, 2_000_000.0, "2 M", "2,000,000");
        check(Unit::Dollars, 0.0, "0", "$0.00");
        check(Unit::Dollars, 4_000_000.0, "$4", "$4.00");
        check(Unit::Dollars, 1_200_000_000.0, "$1,200", "$1,200.00");
        check(Unit::Dollars, 500_000.0, "$0.50", "$0.50");
        check(Unit::Dollars, 2_000.0, "$0.0020", "$0.0020");
        check(Unit::Duration, 0.0, "0", "0 ms");
        check(Unit::Duration, 2_000.0, "2 s", "2.0 s");
        check(Unit::Duration, 300_000.0, "5 min", "5 min");
    }

    #[test]
    fn a_slot_reads_as_a_sentence_from_the_top_down() {
        let series = |name, value| Series { name, look: SeriesLook::Status("failed"), values: vec![value] };
        let data = ChartData {
            slots: vec![Slot { label: "07:00".to_owned(), title: "07:00 to 08:00".to_owned() }],
            series: vec![series("Succeeded", Some(41.0)), series("Failed", Some(7.0)), series("Running", None)],
            ..ChartData::default()
        };
        assert_eq!(data.sentence(0), "07:00 to 08:00: Failed 7, Succeeded 41");
        assert_eq!(data.sentence(9), "");
    }
}
