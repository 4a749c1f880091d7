-- The one row that says whether the first owner exists; whoever sets done_at first is the only one.
create table setup (
    id bigint primary key check (id = 1),
    token_hash bytea,
    done_at timestamptz
);

insert into setup (id) values (1);

-- A sign-in: a browser's cookie, or a family of refresh tokens. Only hashes of the secrets are kept.
create table login_session (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    user_id uuid not null references app_user (id),
    kind text not null,
    secret_hash bytea not null unique,
    -- The person's epoch when it began (or when they changed their password through it); another one means it is dead.
    epoch bigint not null,
    user_agent text not null,
    address text not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null
);

create index login_session_user on login_session (user_id);
create index login_session_expiry on login_session (expires_at);

create table invite (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    email text not null,
    role text not null,
    token_hash bytea not null unique,
    invited_by uuid references app_user (id),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    unique (workspace_id, email)
);

create index invite_expiry on invite (expires_at);
create index invite_inviter on invite (invited_by);
