-- When a model summarizes entries by itself.
create table memory_summary_rule (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    -- Which entries, how often, by whom and for how much at most, as JSON.
    spec text not null,
    enabled integer not null,
    -- In whose name a model is asked; null for the program itself.
    made_by blob,
    made_by_name text,
    created_at integer not null,
    next_at integer not null
) strict;

create index memory_summary_rule_of on memory_summary_rule (workspace_id, created_at);

-- What came of a rule each time, the last ones.
create table memory_summary_firing (
    rule_id blob not null references memory_summary_rule (id) on delete cascade,
    at integer not null,
    report text not null,
    primary key (rule_id, at)
) strict;

-- Workspaces where somebody has said what makes vectors, be it nothing: what the settings name is for the others.
create table memory_embedder_choice (
    workspace_id blob primary key references workspace (id),
    at integer not null
) strict;

insert into memory_embedder_choice (workspace_id, at)
select workspace_id, min(created_at) from memory_embedder group by workspace_id;
