-- What people say of two entries: one takes the place of the other (supersedes, from the newer to the older), both can't be true
-- (contradicts), or both hold (agrees); the last two stand once, from the smaller id. Of two entries one thing is said at a time.
create table memory_relation (
    workspace_id uuid not null references workspace (id),
    kind text not null,
    from_id uuid not null references memory_entry (id) on delete cascade,
    to_id uuid not null references memory_entry (id) on delete cascade,
    source jsonb not null,
    at timestamptz not null,
    primary key (from_id, to_id)
);

create index memory_relation_to on memory_relation (to_id);
create index memory_relation_kind on memory_relation (workspace_id, kind, at);

-- Since when another entry takes its place, while one does: what the search index reads.
alter table memory_entry add column superseded_at timestamptz;
create index memory_entry_superseded on memory_entry (workspace_id) where superseded_at is not null;

-- By what the table is sorted at first, and by its first column; what was written lately; what nobody changed for long.
create index memory_entry_updated on memory_entry (workspace_id, updated_at, id) where deleted_at is null;
create index memory_entry_key on memory_entry (workspace_id, key, id) where deleted_at is null;
