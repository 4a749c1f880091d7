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
