//! Parts that draw, used by more than one page.
//!
//! Owns the primitives of the look: each stands for a class of `style/README.md`, draws what it is given, and tells its
//! caller what was pressed. Promises the same markup on the server and at hydration (no clock, no storage, no chance in a
//! body: such things happen in effects, through [`crate::ui::browser`]), and a name for everything that can be pressed.
//! Refuses to load: what comes from the server comes in through a page, at most through [`Load`].

mod badge;
mod button;
mod card;
pub mod chart;
mod choices;
mod context;
mod copy;
mod dialog;
mod diff;
mod empty;
mod field;
mod hooks;
mod icon;
mod json;
mod kbd;
mod load;
mod markdown;
mod menu;
mod needs_provider;
mod page_header;
mod remedy;
mod search_box;
mod skeleton;
mod table;
mod tabs;
mod team;
mod time;
mod toasts;
mod virtual_list;

pub use badge::{Badge, StatusBadge, StatusLook, StatusShape, Tone};
pub use button::{Button, ButtonLink, ButtonShape, ButtonSize, ButtonVariant};
pub use card::Card;
pub use choices::{Checkbox, Choice, FilterSelect, Select, Switch};
pub use context::{ContextFields, ContextForm};
pub use copy::CopyButton;
pub use dialog::{ConfirmDialog, Dialog, DialogSize};
pub use diff::DiffLines;
pub use empty::{EmptyState, ErrorState};
pub use field::{Bound, Field, TextArea, TextInput};
pub use hooks::{HookEdits, HookList};
pub use icon::Icon;
pub use json::JsonTree;
pub use kbd::Kbd;
pub use load::{Load, drawn_in, is_about, settled};
pub use markdown::Markdown;
pub use menu::{Menu, MenuItem, MenuLink};
pub use needs_provider::NeedsProvider;
pub use page_header::{Crumb, PageHeader};
pub use remedy::Remedy;
pub use search_box::SearchBox;
pub use skeleton::{Skeleton, SkeletonShape};
pub use table::{Column, DataTable, Sort};
pub use tabs::{Tab, TabPanel, Tabs};
pub use team::{TeamFields, TeamForm};
pub use time::{Now, RelativeTime, provide_now, use_now_ms};
pub use toasts::{Toaster, Toasts, provide_toasts, use_toasts};
pub use virtual_list::VirtualList;
