-- Copies of namespaces that are written by themselves, to a folder of the server or to an object store.
create table memory_backup (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    -- Which entries, where to, when, and how many copies are kept, as JSON; never the secret key.
    spec text not null,
    -- The secret key of an object store, encrypted under the master key.
    sealed blob,
    enabled integer not null,
    -- In whose name it reads, and with which role; null for the program itself.
    made_by blob,
    made_by_name text,
    made_role text not null,
    created_at integer not null,
    -- When the next copy is made; null when the expression has no further moment.
    next_at integer
) strict;

create index memory_backup_of on memory_backup (workspace_id, created_at);

-- Copies: those that are whole, and at most one that was begun.
create table memory_backup_copy (
    backup_id blob not null references memory_backup (id) on delete cascade,
    name text not null,
    at integer not null,
    whole integer not null,
    entries integer not null,
    bytes integer not null,
    -- Files that were written, or are about to be.
    parts integer not null,
    primary key (backup_id, name)
) strict;

-- What came of a backup each time, the last ones.
create table memory_backup_run (
    backup_id blob not null references memory_backup (id) on delete cascade,
    at integer not null,
    report text not null,
    primary key (backup_id, at)
) strict;

-- With which role a rule without a person was made: it reaches no further.
alter table memory_summary_rule add column made_role text;

-- What takes whose place, without the rest of what is said of entries: looked at each minute.
create index memory_relation_supersedes on memory_relation (to_id, from_id) where kind = 'supersedes';
