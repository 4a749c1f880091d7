-- Who already gets what is being rolled out. The routes' targets name flags.
create table feature_flag (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    name text not null,
    description text not null,
    enabled boolean not null,
    -- 0 to 100
    percent bigint not null,
    -- session or user
    sticky_by text not null,
    -- roles, users, agents, keys
    audience jsonb not null,
    -- Goes up with each edit.
    revision bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (workspace_id, name)
);

-- Who changed what of them: the newest thousand of a workspace.
create table feature_flag_change (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    -- It may be gone.
    flag_id uuid not null,
    name text not null,
    at timestamptz not null,
    -- Null for the program itself; the person may be gone, their name at that time stays.
    user_id uuid,
    changed_by text not null,
    -- Null where it was added, or deleted.
    was jsonb,
    became jsonb
);

create index feature_flag_change_newest on feature_flag_change (workspace_id, id);
