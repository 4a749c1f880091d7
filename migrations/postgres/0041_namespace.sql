-- What a team says of a namespace.
create table memory_namespace (
    workspace_id uuid not null references workspace (id),
    path text collate "C" not null,
    description text not null,
    primary key (workspace_id, path)
);

-- How long the entries of a namespace and all below it are kept. Of the rules over an entry the one of the longest path holds.
create table memory_retention (
    workspace_id uuid not null references workspace (id),
    path text collate "C" not null,
    days bigint not null,
    -- created, changed or read: what the days are counted from.
    counted_from text not null,
    -- Who said so last; null for the program itself.
    set_by text,
    set_at timestamptz not null,
    -- How many entries went by this rule, and when the last one did.
    removed bigint not null,
    removed_at timestamptz,
    primary key (workspace_id, path)
);

-- Who may read and change the entries of a namespace and all below it. Of the rules over an entry the one of the longest path holds.
create table memory_access (
    workspace_id uuid not null references workspace (id),
    path text collate "C" not null,
    -- By role and by name.
    reads jsonb not null,
    writes jsonb not null,
    -- Who said so last; null for the program itself.
    set_by text,
    set_at timestamptz not null,
    primary key (workspace_id, path)
);
