-- What a workspace wants masked before a call leaves.
create table redaction (
    workspace_id blob primary key references workspace (id),
    -- A JSON list of what is found by itself.
    kinds text not null,
    -- A JSON list of names and regular expressions.
    patterns text not null,
    -- none, failed or all: of which calls what was asked and answered is kept, and for how many days.
    contents text not null,
    content_days integer not null,
    revision integer not null,
    updated_at integer not null
) strict;

-- What was masked in a call and how often, as a JSON list; never the values. Null for nothing.
alter table model_call add column masked text;

-- What was asked and answered, as it left and came: masked. Kept where the workspace wants it, for so many days.
create table model_call_content (
    call_id blob primary key,
    workspace_id blob not null references workspace (id),
    -- Both encrypted for this row.
    request blob not null,
    answer blob,
    expires_at integer not null
) strict;

create index model_call_content_by_end on model_call_content (expires_at);
create index model_call_content_by_workspace on model_call_content (workspace_id, call_id);
