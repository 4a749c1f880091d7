create table workspace (
    id blob primary key,
    name text not null,
    created_at integer not null
) strict;

create table app_user (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    email text not null unique,
    name text not null,
    role text not null,
    password_hash text not null,
    disabled integer not null default 0,
    -- Goes up when every credential of the person must die: disabled, password changed.
    epoch integer not null default 0,
    created_at integer not null,
    last_seen_at integer
) strict;

create index app_user_workspace on app_user (workspace_id);
