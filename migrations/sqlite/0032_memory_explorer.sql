-- Who was given an entry, the last ones of each.
create table memory_reader (
    entry_id blob not null references memory_entry (id) on delete cascade,
    -- Who: user:ID, run:ID/STEP or cli. The row '' holds the sums of those that are no longer listed; it is locked first by
    -- whoever writes to the entry's rows.
    reader text not null,
    -- The same for people, as JSON; null in the row ''.
    who text,
    run_id blob,
    -- How often it was opened, and how often a search gave it.
    reads integer not null,
    found integer not null,
    -- The version that was given last.
    version integer not null,
    -- By which question, at which place, as JSON: of runs only.
    sought text,
    read_at integer,
    found_at integer,
    first_at integer not null,
    last_at integer not null,
    primary key (entry_id, reader)
) strict;

create index memory_reader_run on memory_reader (run_id) where run_id is not null;
