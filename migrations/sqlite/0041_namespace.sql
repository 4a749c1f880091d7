-- What a team says of a namespace.
create table memory_namespace (
    workspace_id blob not null references workspace (id),
    path text not null,
    description text not null,
    primary key (workspace_id, path)
) strict;

-- How long the entries of a namespace and all below it are kept. Of the rules over an entry the one of the longest path holds.
create table memory_retention (
    workspace_id blob not null references workspace (id),
    path text not null,
    days integer not null,
    -- created, changed or read: what the days are counted from.
    counted_from text not null,
    -- Who said so last; null for the program itself.
    set_by text,
    set_at integer not null,
    -- How many entries went by this rule, and when the last one did.
    removed integer not null,
    removed_at integer,
    primary key (workspace_id, path)
) strict;

-- Who may read and change the entries of a namespace and all below it. Of the rules over an entry the one of the longest path holds.
create table memory_access (
    workspace_id blob not null references workspace (id),
    path text not null,
    -- By role and by name, as JSON.
    reads text not null,
    writes text not null,
    -- Who said so last; null for the program itself.
    set_by text,
    set_at integer not null,
    primary key (workspace_id, path)
) strict;
