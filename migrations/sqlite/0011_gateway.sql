-- Endpoints of models, each with its credential.
create table provider (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    name text not null,
    kind text not null,
    base_url text not null,
    -- The key, encrypted for this row, and its last characters.
    sealed blob,
    hint text,
    models text not null,
    limits text not null,
    enabled integer not null,
    -- Goes up with each edit.
    revision integer not null,
    created_by blob references app_user (id) on delete set null,
    created_at integer not null,
    updated_at integer not null,
    unique (workspace_id, name)
) strict;

create index provider_by_creator on provider (created_by);

-- What a million tokens cost from a moment on, in millionths of a US dollar.
create table model_price (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    provider_id blob not null references provider (id) on delete cascade,
    model text not null,
    valid_from integer not null,
    input integer not null,
    output integer not null,
    cache_read integer,
    cache_write integer,
    cache_write_hour integer,
    unique (provider_id, model, valid_from)
) strict;

create index model_price_by_workspace on model_price (workspace_id);

-- Ordered choices of models.
create table model_route (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    name text not null,
    description text not null,
    targets text not null,
    revision integer not null,
    created_at integer not null,
    updated_at integer not null,
    unique (workspace_id, name)
) strict;

-- What programs that are pointed at the gateway prove themselves with, by its digest.
create table gateway_key (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    name text not null,
    digest blob not null unique,
    hint text not null,
    models text not null,
    expires_at integer,
    last_used_at integer,
    created_by blob references app_user (id) on delete set null,
    created_at integer not null
) strict;

create index gateway_key_by_workspace on gateway_key (workspace_id, id);
create index gateway_key_by_creator on gateway_key (created_by);

-- Each call of a model, once, when it has ended. What it refers to may be gone by then.
create table model_call (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    at integer not null,
    source text not null,
    user_id blob,
    key_id blob,
    run_id blob,
    step text,
    provider_id blob,
    provider text not null,
    model text not null,
    choice text not null,
    outcome text not null,
    error text,
    input integer not null,
    cache_read integer not null,
    cache_write integer not null,
    cache_write_hour integer not null,
    output integer not null,
    reasoning integer not null,
    estimated integer not null,
    cost_micros integer,
    first_token_ms integer,
    took_ms integer not null
) strict;

create index model_call_by_workspace on model_call (workspace_id, id);
create index model_call_by_time on model_call (workspace_id, at);
create index model_call_by_run on model_call (run_id) where run_id is not null;
create index model_call_age on model_call (at);
