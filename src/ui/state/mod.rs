//! State that outlives a page.
