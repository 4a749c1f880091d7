-- Who was given an entry, the last ones of each.
create table memory_reader (
    entry_id uuid not null references memory_entry (id) on delete cascade,
    -- Who: user:ID, run:ID/STEP or cli. The row '' holds the sums of those that are no longer listed; it is locked first by
    -- whoever writes to the entry's rows.
    reader text not null,
    -- The same for people; null in the row ''.
    who jsonb,
    run_id uuid,
    -- How often it was opened, and how often a search gave it.
    reads bigint not null,
    found bigint not null,
    -- The version that was given last.
    version bigint not null,
    -- By which question, at which place: of runs only.
    sought jsonb,
    read_at timestamptz,
    found_at timestamptz,
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (entry_id, reader)
);

create index memory_reader_run on memory_reader (run_id) where run_id is not null;

-- Entries that a model made of others.
create table memory_summary (
    entry_id uuid primary key references memory_entry (id) on delete cascade,
    workspace_id uuid not null references workspace (id),
    -- The version that is the summary: what people write over it is none.
    version bigint not null,
    -- Of who was asked, the place, and the versions that it was made of: the same are summarized once.
    digest bytea not null,
    at timestamptz not null
);

create index memory_summary_digest on memory_summary (workspace_id, digest);

-- Of which version of which entry a summary was made.
create table memory_summary_source (
    summary_id uuid not null references memory_summary (entry_id) on delete cascade,
    source_id uuid not null references memory_entry (id) on delete cascade,
    version bigint not null,
    primary key (summary_id, source_id)
);

create index memory_summary_source_of on memory_summary_source (source_id);
