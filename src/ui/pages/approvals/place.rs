//! Where the page stands: everything that its URL says.

use leptos_router::params::ParamsMap;

use crate::model::ApprovalId;
use crate::model::workflow::ApprovalFilter;

/// The page's state as its URL keeps it: `/approvals/ID?show=decided`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// Which list.
    pub list: ApprovalFilter,
    /// The open approval as the path has it, a mistyped one too; without one, the first of the list is shown.
    pub id: Option<String>,
}

impl Place {
    /// Reads a URL.
    pub fn read(path: &ParamsMap, query: &ParamsMap) -> Self {
        let list = match query.get_str("show") {
            Some("decided") => ApprovalFilter::Decided,
            _ => ApprovalFilter::Open,
        };
        Self { list, id: path.get("id").filter(|id| !id.is_empty()) }
    }

    /// The beginning of a list.
    pub const fn of(list: ApprovalFilter) -> Self {
        Self { list, id: None }
    }

    /// The same list with this approval open, or none.
    pub fn at(&self, id: Option<ApprovalId>) -> Self {
        Self { list: self.list, id: id.map(|id| id.to_string()) }
    }

    /// Its URL.
    pub fn href(&self) -> String {
        let path = self.id.as_ref().map_or_else(|| "/approvals".to_owned(), |id| format!("/approvals/{id}"));
        match self.list {
            ApprovalFilter::Open => path,
            ApprovalFilter::Decided => format!("{path}?show=decided"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_from_its_url() {
        for list in [ApprovalFilter::Open, ApprovalFilter::Decided] {
            for id in [None, Some("0190e3f4".to_owned())] {
                let place = Place { list, id };
                let href = place.href();
                let (path, query) = href.split_once('?').unwrap_or((&href, ""));
                let (mut params, mut queries) = (ParamsMap::new(), ParamsMap::new());
                if let Some(id) = path.strip_prefix("/approvals/") {
                    params.insert("id", id.to_owned());
                }
                if let Some(show) = query.strip_prefix("show=") {
                    queries.insert("show", show.to_owned());
                }
                assert_eq!(Place::read(&params, &queries), place);
            }
        }
    }
}
