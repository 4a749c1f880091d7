create table memory_entry (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    namespace text collate "C" not null,
    key text collate "C" not null,
    content text not null,
    value jsonb not null,
    tags jsonb not null,
    metadata jsonb not null,
    importance double precision not null,
    version bigint not null,
    source jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    expires_at timestamptz,
    -- Kept for a while after this, so that it can come back.
    deleted_at timestamptz,
    -- The workspace's change number of the last write or deletion: what an index follows.
    change bigint not null,
    unique (workspace_id, namespace, key)
);

create unique index memory_entry_change on memory_entry (workspace_id, change);
create index memory_entry_expiry on memory_entry (expires_at) where expires_at is not null and deleted_at is null;
create index memory_entry_deleted on memory_entry (deleted_at) where deleted_at is not null;

-- One row a workspace, locked by every writer until its commit: change numbers become visible in their order, without gaps.
create table memory_change (
    workspace_id uuid primary key references workspace (id),
    last_change bigint not null
);

create table memory_version (
    entry_id uuid not null references memory_entry (id) on delete cascade,
    version bigint not null,
    -- Null when this version deleted the entry.
    content text,
    value jsonb not null,
    tags jsonb not null,
    metadata jsonb not null,
    importance double precision not null,
    source jsonb not null,
    at timestamptz not null,
    primary key (entry_id, version)
);

create table memory_tag (
    entry_id uuid not null references memory_entry (id) on delete cascade,
    tag text collate "C" not null,
    primary key (entry_id, tag)
);
