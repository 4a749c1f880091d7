//! Parts that draw, used by more than one page.
