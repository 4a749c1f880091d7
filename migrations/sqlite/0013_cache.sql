-- Answers of models that are kept, to be given again to who asks exactly the same.
create table cache_entry (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    -- What is asked, of whom and for whom: a keyed digest.
    key blob not null,
    -- workspace, user or key: among whom it is shared.
    scope text not null,
    -- The person or the key; it may be gone.
    scope_id blob,
    provider_id blob not null,
    provider text not null,
    model text not null,
    -- The route by which it was asked; empty for none.
    route text not null,
    -- What it depends on, as it was then: the root of a Merkle tree. Null when it depends on nothing.
    root blob,
    -- Both encrypted for this row.
    request blob not null,
    answer blob not null,
    bytes integer not null,
    read_tokens integer not null,
    written_tokens integer not null,
    hits integer not null,
    saved_micros integer not null,
    used_at integer not null,
    created_at integer not null,
    expires_at integer not null,
    -- Somebody said that the answer is wrong: it is neither given nor replaced.
    wrong_at integer,
    wrong_by blob,
    unique (workspace_id, key)
) strict;

create index cache_entry_by_use on cache_entry (workspace_id, used_at, bytes);
create index cache_entry_by_end on cache_entry (expires_at);

-- What an answer names that it depends on.
create table cache_dependency (
    entry_id blob not null references cache_entry (id) on delete cascade,
    workspace_id blob not null references workspace (id),
    -- file, memory, prompt, tool or other
    kind text not null,
    source_id text not null,
    -- As whoever asked saw it; null when they did not say.
    fingerprint text,
    primary key (entry_id, kind, source_id)
) strict, without rowid;

create index cache_dependency_by_source on cache_dependency (workspace_id, kind, source_id);

-- What answers may depend on, as it was last heard of.
create table cache_source (
    workspace_id blob not null references workspace (id),
    kind text not null,
    source_id text not null,
    fingerprint text,
    changed_at integer not null,
    primary key (workspace_id, kind, source_id)
) strict, without rowid;

-- What those depend on themselves.
create table cache_edge (
    workspace_id blob not null references workspace (id),
    kind text not null,
    source_id text not null,
    needs_kind text not null,
    needs_id text not null,
    primary key (workspace_id, kind, source_id, needs_kind, needs_id)
) strict, without rowid;

create index cache_edge_by_need on cache_edge (workspace_id, needs_kind, needs_id);

create table cache_setting (
    workspace_id blob primary key references workspace (id),
    enabled integer not null,
    -- person or workspace: among whom answers of programs are shared.
    programs text not null,
    updated_at integer not null
) strict;

-- auto, always or never
alter table model_route add column cache text not null default 'auto';
alter table gateway_key add column cache text not null default 'auto';

-- hit or miss; null when the cache was not asked.
alter table model_call add column cache text;
-- memory, database or shared
alter table model_call add column cache_tier text;
alter table model_call add column cache_entry_id blob;
-- How long the cache was asked, in microseconds.
alter table model_call add column cache_us integer;
alter table model_call add column saved_input integer not null default 0;
alter table model_call add column saved_output integer not null default 0;
alter table model_call add column saved_micros integer;
