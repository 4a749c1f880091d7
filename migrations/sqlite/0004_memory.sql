create table memory_entry (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    namespace text not null,
    key text not null,
    content text not null,
    value text not null,
    tags text not null,
    metadata text not null,
    importance real not null,
    version integer not null,
    source text not null,
    created_at integer not null,
    updated_at integer not null,
    expires_at integer,
    -- Kept for a while after this, so that it can come back.
    deleted_at integer,
    -- The workspace's change number of the last write or deletion: what an index follows.
    change integer not null,
    unique (workspace_id, namespace, key)
) strict;

create unique index memory_entry_change on memory_entry (workspace_id, change);
create index memory_entry_expiry on memory_entry (expires_at) where expires_at is not null and deleted_at is null;
create index memory_entry_deleted on memory_entry (deleted_at) where deleted_at is not null;

-- One row a workspace, locked by every writer until its commit: change numbers become visible in their order, without gaps.
create table memory_change (
    workspace_id blob primary key references workspace (id),
    last_change integer not null
) strict;

create table memory_version (
    entry_id blob not null references memory_entry (id) on delete cascade,
    version integer not null,
    -- Null when this version deleted the entry.
    content text,
    value text not null,
    tags text not null,
    metadata text not null,
    importance real not null,
    source text not null,
    at integer not null,
    primary key (entry_id, version)
) strict;

create table memory_tag (
    entry_id blob not null references memory_entry (id) on delete cascade,
    tag text not null,
    primary key (entry_id, tag)
) strict;
