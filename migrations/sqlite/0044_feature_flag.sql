-- Who already gets what is being rolled out. The routes' targets name flags.
create table feature_flag (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    name text not null,
    description text not null,
    enabled integer not null,
    -- 0 to 100
    percent integer not null,
    -- session or user
    sticky_by text not null,
    -- JSON: roles, users, agents, keys
    audience text not null,
    -- Goes up with each edit.
    revision integer not null,
    created_at integer not null,
    updated_at integer not null,
    unique (workspace_id, name)
) strict;

-- Who changed what of them: the newest thousand of a workspace.
create table feature_flag_change (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    -- It may be gone.
    flag_id blob not null,
    name text not null,
    at integer not null,
    -- Null for the program itself; the person may be gone, their name at that time stays.
    user_id blob,
    changed_by text not null,
    -- JSON; null where it was added, or deleted.
    was text,
    became text
) strict;

create index feature_flag_change_newest on feature_flag_change (workspace_id, id);
