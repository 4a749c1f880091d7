-- What calls of models cost, by day (UTC): of a workspace, of a person, of a key. Grows by a row a day for each of them.
create table model_spend (
    workspace_id uuid not null references workspace (id),
    -- workspace, user or key
    scope text not null,
    -- The workspace itself, the person or the key; it may be gone.
    spender_id uuid not null,
    day text not null,
    calls bigint not null,
    unpriced bigint not null,
    cost_micros bigint not null,
    primary key (workspace_id, scope, spender_id, day)
);

create index model_spend_by_day on model_spend (day);

insert into model_spend
select workspace_id, 'workspace', workspace_id, to_char(at at time zone 'UTC', 'YYYY-MM-DD'), count(*),
    sum(case when cost_micros is null and outcome <> 'failed' then 1 else 0 end), sum(coalesce(cost_micros, 0))
from model_call group by 1, 3, 4;

insert into model_spend
select workspace_id, 'user', user_id, to_char(at at time zone 'UTC', 'YYYY-MM-DD'), count(*),
    sum(case when cost_micros is null and outcome <> 'failed' then 1 else 0 end), sum(coalesce(cost_micros, 0))
from model_call where user_id is not null group by 1, 3, 4;

insert into model_spend
select workspace_id, 'key', key_id, to_char(at at time zone 'UTC', 'YYYY-MM-DD'), count(*),
    sum(case when cost_micros is null and outcome <> 'failed' then 1 else 0 end), sum(coalesce(cost_micros, 0))
from model_call where key_id is not null group by 1, 3, 4;

-- How much they may cost.
create table budget (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    name text not null,
    -- workspace, user, key or run
    scope text not null,
    -- One person or key; null for each on their own.
    spender_id uuid,
    -- day, month or run
    period text not null,
    limit_micros bigint not null,
    warn_percent bigint not null,
    stops boolean not null,
    -- Goes up with each edit.
    revision bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (workspace_id, name)
);
