-- The conversation or document that an entry belongs to, and its place there.
alter table memory_entry add column context_group text;
alter table memory_entry add column context_position bigint;
