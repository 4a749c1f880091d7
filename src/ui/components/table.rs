//! The shell of a table: a named region that scrolls sideways, its head, and sorting.

use leptos::prelude::*;

use super::Icon;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// As the head says it; empty for a column of actions.
    pub title: &'static str,
    /// Numbers, to the right.
    pub number: bool,
    /// The key it sorts by, if it sorts.
    pub sort: Option<&'static str>,
}

impl Column {
    /// A column of text.
    pub const fn text(title: &'static str) -> Self {
        Self { title, number: false, sort: None }
    }

    /// A column of numbers.
    pub const fn number(title: &'static str) -> Self {
        Self { title, number: true, sort: None }
    }

    /// The same column, sorting by `key`.
    #[must_use]
    pub const fn sorted_by(mut self, key: &'static str) -> Self {
        self.sort = Some(key);
        self
    }
}

/// By which column the rows are sorted, and which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Of the [`Column`].
    pub key: String,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// What a press on the head of `key` makes of this: the other way round, or that column, ascending.
    #[must_use]
    pub fn pressed(current: Option<&Self>, key: &str) -> Self {
        let descending = current.is_some_and(|sort| sort.key == key && !sort.descending);
        Self { key: key.to_owned(), descending }
    }
}

/// A table: its name, its columns, and the rows (`<tr>`) as children.
#[component]
pub fn DataTable(
    /// Read out for the region that scrolls: "Runs".
    #[prop(into)]
    label: Signal<String>,
    columns: Vec<Column>,
    #[prop(into, optional)] sort: Signal<Option<Sort>>,
    #[prop(into, optional)] on_sort: Option<Callback<Sort>>,
    children: Children,
) -> impl IntoView {
    let head = columns.into_iter().map(|column| view! { <HeadCell column sort on_sort /> }).collect_view();
    view! {
        <div class="table-wrap" tabindex="0" role="group" aria-label=move || label.get()>
            <table class="table">
                <thead>
                    <tr>{head}</tr>
                </thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}

#[component]
fn HeadCell(column: Column, sort: Signal<Option<Sort>>, on_sort: Option<Callback<Sort>>) -> impl IntoView {
    let Column { title, number, sort: key } = column;
    let order = move || {
        let sort = sort.get()?;
        (Some(sort.key.as_str()) == key).then_some(if sort.descending { "descending" } else { "ascending" })
    };
    let content = match (key, on_sort) {
        (Some(key), Some(on_sort)) => {
            let press = move |_| on_sort.run(Sort::pressed(sort.get_untracked().as_ref(), key));
            view! {
                <button type="button" on:click=press>
                    {title} {move || order().map(|_| view! { <Icon name="down" /> })}
                </button>
            }
            .into_any()
        }
        _ if title.is_empty() => view! { <span class="visually-hidden">"Actions"</span> }.into_any(),
        _ => title.into_any(),
    };
    view! { <th scope="col" class:num=number aria-sort=order>{content}</th> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_press_on_a_head_turns_the_order() {
        let first = Sort::pressed(None, "name");
        assert!(!first.descending);
        let second = Sort::pressed(Some(&first), "name");
        assert!(second.descending);
        assert!(!Sort::pressed(Some(&second), "name").descending);
        assert_eq!(Sort::pressed(Some(&second), "age"), Sort { key: "age".to_owned(), descending: false });
    }
}
