create table workspace (
    id uuid primary key,
    name text not null,
    created_at timestamptz not null
);

create table app_user (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    email text not null unique,
    name text not null,
    role text not null,
    password_hash text not null,
    disabled boolean not null default false,
    -- Goes up when every credential of the person must die: disabled, password changed.
    epoch bigint not null default 0,
    created_at timestamptz not null,
    last_seen_at timestamptz
);

create index app_user_workspace on app_user (workspace_id);
