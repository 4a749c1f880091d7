-- What a workspace wants masked before a call leaves.
create table redaction (
    workspace_id uuid primary key references workspace (id),
    -- A list of what is found by itself.
    kinds jsonb not null,
    -- A list of names and regular expressions.
    patterns jsonb not null,
    -- none, failed or all: of which calls what was asked and answered is kept, and for how many days.
    contents text not null,
    content_days bigint not null,
    revision bigint not null,
    updated_at timestamptz not null
);

-- What was masked in a call and how often; never the values. Null for nothing.
alter table model_call add column masked jsonb;

-- What was asked and answered, as it left and came: masked. Kept where the workspace wants it, for so many days.
create table model_call_content (
    call_id uuid primary key,
    workspace_id uuid not null references workspace (id),
    -- Both encrypted for this row.
    request bytea not null,
    answer bytea,
    expires_at timestamptz not null
);

create index model_call_content_by_end on model_call_content (expires_at);
create index model_call_content_by_workspace on model_call_content (workspace_id, call_id);
