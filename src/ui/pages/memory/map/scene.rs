//! What the map draws and what is under a pointer: where points lie on the screen, their colours, and what a lasso holds. Pure.

use std::collections::HashMap;

use crate::model::Timestamp;
use crate::model::memory::MapPoint;

/// How many colours there are beside the plain one, which is number 0.
pub(super) const INKS: usize = 5;
/// How near a pointer must be to a point, in px.
const CATCH: f64 = 8.0;
/// The air around the map when all of it is shown, in px.
const MARGIN: f64 = 28.0;
/// How much larger than that it may be shown.
const LARGEST: f64 = 60.0;
/// Corners of a lasso at most; what is drawn slowly gives thousands.
pub(super) const MOST_CORNERS: usize = 400;
const DAY_MS: i64 = 86_400_000;

/// A place or a distance on the screen, in px.
pub(super) type Px = (f64, f64);

/// Which part of the map is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Camera {
    /// What lies in the middle.
    pub x: f64,
    pub y: f64,
    /// How much larger than all of it.
    pub zoom: f64,
}

impl Camera {
    /// All of the map.
    pub const ALL: Self = Self { x: 0.0, y: 0.0, zoom: 1.0 };

    fn scale(self, (w, h): Px) -> f64 {
        self.zoom * (w.min(h) / 2.0 - MARGIN).max(1.0)
    }

    /// Where a point lies on a screen of this size.
    pub fn on_screen(self, [x, y]: [f32; 2], size: Px) -> Px {
        let scale = self.scale(size);
        (size.0 / 2.0 + (f64::from(x) - self.x) * scale, size.1 / 2.0 - (f64::from(y) - self.y) * scale)
    }

    /// Moved by so many px.
    pub fn panned(self, (dx, dy): Px, size: Px) -> Self {
        let scale = self.scale(size);
        Self { x: (self.x - dx / scale).clamp(-1.2, 1.2), y: (self.y + dy / scale).clamp(-1.2, 1.2), ..self }
    }

    /// Larger by a factor; what lies under `at` stays there.
    pub fn zoomed(self, at: Px, factor: f64, size: Px) -> Self {
        let zoom = (self.zoom * factor).clamp(0.5, LARGEST);
        let (dx, dy) = (at.0 - size.0 / 2.0, at.1 - size.1 / 2.0);
        let (before, behind) = (self.scale(size), Self { zoom, ..self }.scale(size));
        let (x, y) = (self.x + dx / before - dx / behind, self.y - dy / before + dy / behind);
        Self { x: x.clamp(-1.2, 1.2), y: y.clamp(-1.2, 1.2), zoom }
    }

    /// How large a point is drawn: its radius in px.
    pub fn radius(self) -> f64 {
        (3.0 * self.zoom.sqrt()).clamp(2.5, 8.0)
    }
}

/// The point nearest to a place, if one is near.
pub(super) fn under(places: &[[f32; 2]], camera: Camera, size: Px, at: Px) -> Option<usize> {
    let reach = CATCH.max(camera.radius());
    let far = |place: &[f32; 2]| {
        let (x, y) = camera.on_screen(*place, size);
        (x - at.0).hypot(y - at.1)
    };
    let all = places.iter().enumerate().map(|(number, place)| (far(place), number));
    all.filter(|(far, _)| *far <= reach).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, number)| number)
}

/// The points that a lasso holds, whose last corner is joined with the first.
pub(super) fn held(places: &[[f32; 2]], camera: Camera, size: Px, lasso: &[Px]) -> Vec<usize> {
    if lasso.len() < 3 {
        return Vec::new();
    }
    let inside = |place: &[f32; 2]| is_inside(lasso, camera.on_screen(*place, size));
    places.iter().enumerate().filter(|(_, place)| inside(place)).map(|(number, _)| number).collect()
}

/// Whether a line from the place to the right crosses the lasso an odd number of times.
fn is_inside(lasso: &[Px], (x, y): Px) -> bool {
    let mut inside = false;
    let mut last = lasso[lasso.len() - 1];
    for corner in lasso {
        let crosses = (corner.1 > y) != (last.1 > y);
        if crosses && x < (last.0 - corner.0) * (y - corner.1) / (last.1 - corner.1) + corner.0 {
            inside = !inside;
        }
        last = *corner;
    }
    inside
}

/// By what points are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColourBy {
    Tag,
    Source,
    Trust,
    Age,
}

impl ColourBy {
    pub const ALL: [Self; 4] = [Self::Tag, Self::Source, Self::Trust, Self::Age];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Tag => "Tag",
            Self::Source => "Written by",
            Self::Trust => "Words from",
            Self::Age => "Age",
        }
    }

    /// What is said of a point.
    fn word(self, point: &MapPoint, now: Timestamp) -> String {
        match self {
            Self::Tag => point.tag.clone().unwrap_or_default(),
            Self::Source => match point.source.as_str() {
                "user" => "people",
                "run" => "runs",
                "import" => "imports",
                _ => "the command line",
            }
            .to_owned(),
            Self::Trust => point.trust.label().to_owned(),
            Self::Age => {
                let ages = [(1, "a day"), (7, "a week"), (30, "a month"), (180, "half a year")];
                let days = now.ms_since(point.updated_at) / DAY_MS;
                let word = ages.into_iter().find(|(most, _)| days < *most).map(|(_, word)| format!("under {word}"));
                word.unwrap_or_else(|| "older".to_owned())
            }
        }
    }
}

/// A line of the legend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What the points have in common.
    pub label: String,
    /// How many there are.
    pub count: usize,
    /// Their colour.
    pub ink: usize,
}

/// The colour of each point, and what the colours mean: the most frequent first, what has no colour of its own last.
pub(super) fn coloured(points: &[MapPoint], by: ColourBy, now: Timestamp) -> (Vec<usize>, Vec<Line>) {
    let words: Vec<String> = points.iter().map(|point| by.word(point, now)).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        *counts.entry(word).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.truncate(INKS);
    let inks: HashMap<&str, usize> = counts.iter().zip(1..).map(|((word, _), ink)| (*word, ink)).collect();
    let colours: Vec<usize> = words.iter().map(|word| inks.get(word.as_str()).copied().unwrap_or(0)).collect();
    let mut lines: Vec<Line> =
        counts.iter().map(|(word, count)| Line { label: (*word).to_owned(), count: *count, ink: inks[word] }).collect();
    let others = colours.iter().filter(|ink| **ink == 0).count();
    if others > 0 {
        let label = if by == ColourBy::Tag { "other tags, or none" } else { "others" };
        lines.push(Line { label: label.to_owned(), count: others, ink: 0 });
    }
    (colours, lines)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::EntryId;
    use crate::model::memory::Trust;

    const SIZE: Px = (400.0, 300.0);

    fn point(tag: Option<&str>, days: i64) -> MapPoint {
        MapPoint {
            id: EntryId(Uuid::nil()),
            namespace: "a".to_owned(),
            key: "k".to_owned(),
            title: String::new(),
            tag: tag.map(str::to_owned),
            source: "run".to_owned(),
            trust: Trust::User,
            updated_at: Timestamp(-days * DAY_MS * 1000),
            x: 0.0,
            y: 0.0,
            detail: [0; 6],
        }
    }

    #[test]
    fn what_lies_under_the_pointer_stays_there_when_it_is_zoomed() {
        let place = [0.3, -0.4];
        let before = Camera::ALL.on_screen(place, SIZE);
        let zoomed = Camera::ALL.zoomed(before, 3.0, SIZE);
        let behind = zoomed.on_screen(place, SIZE);
        assert!((before.0 - behind.0).abs() < 1e-3 && (before.1 - behind.1).abs() < 1e-3, "{before:?} {behind:?}");
        assert!((zoomed.zoom - 3.0).abs() < 1e-9);
        let moved = zoomed.panned((10.0, -20.0), SIZE).on_screen(place, SIZE);
        assert!((moved.0 - behind.0 - 10.0).abs() < 1e-3 && (moved.1 - behind.1 + 20.0).abs() < 1e-3);
    }

    #[test]
    fn the_nearest_point_is_under_the_pointer() {
        let places = [[0.0, 0.0], [0.02, 0.0], [0.9, 0.9]];
        let at = |place| Camera::ALL.on_screen(place, SIZE);
        assert_eq!(under(&places, Camera::ALL, SIZE, at([0.019, 0.0])), Some(1));
        assert_eq!(under(&places, Camera::ALL, SIZE, at([-0.9, 0.9])), None);
        assert_eq!(under(&[], Camera::ALL, SIZE, (0.0, 0.0)), None);
    }

    #[test]
    fn a_lasso_holds_what_lies_inside_of_it_also_where_it_is_bent() {
        let places = [[0.0, 0.0], [0.5, 0.5], [-0.5, -0.5]];
        let corner = |x, y| Camera::ALL.on_screen([x, y], SIZE);
        let bent = [
            corner(-0.7, -0.7),
            corner(0.7, -0.7),
            corner(0.7, 0.7),
            corner(0.4, 0.7),
            corner(0.4, -0.4),
            corner(-0.7, -0.4),
        ];
        assert_eq!(held(&places, Camera::ALL, SIZE, &bent), [1, 2]);
        assert_eq!(held(&places, Camera::ALL, SIZE, &bent[..2]), [0_usize; 0]);
    }

    #[test]
    fn the_most_frequent_have_colours_and_the_rest_is_plain() {
        let tags = ["a", "a", "b", "c", "d", "e", "f", "f"];
        let mut points: Vec<MapPoint> = tags.iter().map(|tag| point(Some(tag), 0)).collect();
        points.push(point(None, 0));
        let (colours, lines) = coloured(&points, ColourBy::Tag, Timestamp(0));
        let said: Vec<(&str, usize, usize)> = lines.iter().map(|l| (l.label.as_str(), l.count, l.ink)).collect();
        assert_eq!(said[..2], [("a", 2, 1), ("f", 2, 2)]);
        assert_eq!(said[5], ("other tags, or none", 2, 0));
        assert_eq!((colours[0], colours[7], colours[8]), (1, 2, 0));
    }

    #[test]
    fn ages_are_told_in_words() {
        let points: Vec<MapPoint> = [0, 3, 20, 100, 1000].map(|days| point(None, days)).into();
        let (_, lines) = coloured(&points, ColourBy::Age, Timestamp(0));
        let mut said: Vec<&str> = lines.iter().map(|line| line.label.as_str()).collect();
        said.sort_unstable();
        assert_eq!(said, ["older", "under a day", "under a month", "under a week", "under half a year"]);
    }
}
