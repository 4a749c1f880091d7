-- Endpoints of models, each with its credential.
create table provider (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    name text not null,
    kind text not null,
    base_url text not null,
    -- The key, encrypted for this row, and its last characters.
    sealed bytea,
    hint text,
    models jsonb not null,
    limits jsonb not null,
    enabled boolean not null,
    -- Goes up with each edit.
    revision bigint not null,
    created_by uuid references app_user (id) on delete set null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (workspace_id, name)
);

create index provider_by_creator on provider (created_by);

-- What a million tokens cost from a moment on, in millionths of a US dollar.
create table model_price (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    provider_id uuid not null references provider (id) on delete cascade,
    model text not null,
    valid_from timestamptz not null,
    input bigint not null,
    output bigint not null,
    cache_read bigint,
    cache_write bigint,
    cache_write_hour bigint,
    unique (provider_id, model, valid_from)
);

create index model_price_by_workspace on model_price (workspace_id);

-- Ordered choices of models.
create table model_route (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    name text not null,
    description text not null,
    targets jsonb not null,
    revision bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (workspace_id, name)
);

-- What programs that are pointed at the gateway prove themselves with, by its digest.
create table gateway_key (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    name text not null,
    digest bytea not null unique,
    hint text not null,
    models jsonb not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    created_by uuid references app_user (id) on delete set null,
    created_at timestamptz not null
);

create index gateway_key_by_workspace on gateway_key (workspace_id, id);
create index gateway_key_by_creator on gateway_key (created_by);

-- Each call of a model, once, when it has ended. What it refers to may be gone by then.
create table model_call (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    at timestamptz not null,
    source text not null,
    user_id uuid,
    key_id uuid,
    run_id uuid,
    step text,
    provider_id uuid,
    provider text not null,
    model text not null,
    choice jsonb not null,
    outcome text not null,
    error text,
    input bigint not null,
    cache_read bigint not null,
    cache_write bigint not null,
    cache_write_hour bigint not null,
    output bigint not null,
    reasoning bigint not null,
    estimated boolean not null,
    cost_micros bigint,
    first_token_ms bigint,
    took_ms bigint not null
);

create index model_call_by_workspace on model_call (workspace_id, id);
create index model_call_by_time on model_call (workspace_id, at);
create index model_call_by_run on model_call (run_id) where run_id is not null;
create index model_call_age on model_call (at);
