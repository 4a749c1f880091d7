-- The one row that says whether the first owner exists; whoever sets done_at first is the only one.
create table setup (
    id integer primary key check (id = 1),
    token_hash blob,
    done_at integer
) strict;

insert into setup (id) values (1);

-- A sign-in: a browser's cookie, or a family of refresh tokens. Only hashes of the secrets are kept.
create table login_session (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    user_id blob not null references app_user (id),
    kind text not null,
    secret_hash blob not null unique,
    -- The person's epoch when it began (or when they changed their password through it); another one means it is dead.
    epoch integer not null,
    user_agent text not null,
    address text not null,
    created_at integer not null,
    last_seen_at integer not null,
    expires_at integer not null
) strict;

create index login_session_user on login_session (user_id);
create index login_session_expiry on login_session (expires_at);

create table invite (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    email text not null,
    role text not null,
    token_hash blob not null unique,
    invited_by blob references app_user (id),
    created_at integer not null,
    expires_at integer not null,
    unique (workspace_id, email)
) strict;

create index invite_expiry on invite (expires_at);
create index invite_inviter on invite (invited_by);
