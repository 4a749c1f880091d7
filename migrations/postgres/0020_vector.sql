-- What makes vectors of a workspace's entries: one that searches use, and perhaps one that is built to take over.
create table memory_embedder (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    model text not null,
    -- Numbers of a vector.
    dims bigint not null,
    -- serving or building.
    state text not null,
    -- Every change of the workspace up to this number is embedded, or noted as failed.
    done_change bigint not null,
    -- Which process works on it, until when at the latest.
    lease_owner uuid,
    lease_until timestamptz,
    -- Why it waits, how often it had to in a row, and when it is tried again.
    paused text,
    pauses bigint not null,
    retry_at timestamptz,
    created_at timestamptz not null,
    -- When every entry had its vector for the first time.
    whole_at timestamptz,
    unique (workspace_id, state)
);

-- The vectors of an entry: one for each passage of its content.
create table memory_vector (
    embedder_id uuid not null references memory_embedder (id) on delete cascade,
    entry_id uuid not null references memory_entry (id) on delete cascade,
    -- The version that was embedded; a later one with the same content keeps it.
    version bigint not null,
    -- Of the content that was embedded.
    digest bigint not null,
    passages bigint not null,
    -- For each passage four bytes of scale (a float, the lowest byte first) and a signed byte for each number of the vector.
    codes bytea not null,
    -- Why there are none, how often it was tried, and when it is tried again; null when it was given up.
    error text,
    attempts bigint not null,
    retry_at timestamptz,
    -- The workspace's change number of the writing: what an index follows.
    change bigint not null,
    primary key (embedder_id, entry_id)
);

create index memory_vector_change on memory_vector (embedder_id, change, entry_id);
create index memory_vector_entry on memory_vector (entry_id);
create index memory_vector_failed on memory_vector (embedder_id, retry_at) where error is not null;
