-- What calls of models cost, by day (UTC): of a workspace, of a person, of a key. Grows by a row a day for each of them.
create table model_spend (
    workspace_id blob not null references workspace (id),
    -- workspace, user or key
    scope text not null,
    -- The workspace itself, the person or the key; it may be gone.
    spender_id blob not null,
    day text not null,
    calls integer not null,
    unpriced integer not null,
    cost_micros integer not null,
    primary key (workspace_id, scope, spender_id, day)
) strict, without rowid;

create index model_spend_by_day on model_spend (day);

insert into model_spend
select workspace_id, 'workspace', workspace_id, strftime('%Y-%m-%d', at / 1000, 'unixepoch'), count(*),
    sum(case when cost_micros is null and outcome <> 'failed' then 1 else 0 end), sum(coalesce(cost_micros, 0))
from model_call group by 1, 3, 4;

insert into model_spend
select workspace_id, 'user', user_id, strftime('%Y-%m-%d', at / 1000, 'unixepoch'), count(*),
    sum(case when cost_micros is null and outcome <> 'failed' then 1 else 0 end), sum(coalesce(cost_micros, 0))
from model_call where user_id is not null group by 1, 3, 4;

insert into model_spend
select workspace_id, 'key', key_id, strftime('%Y-%m-%d', at / 1000, 'unixepoch'), count(*),
    sum(case when cost_micros is null and outcome <> 'failed' then 1 else 0 end), sum(coalesce(cost_micros, 0))
from model_call where key_id is not null group by 1, 3, 4;

-- How much they may cost.
create table budget (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    name text not null,
    -- workspace, user, key or run
    scope text not null,
    -- One person or key; null for each on their own.
    spender_id blob,
    -- day, month or run
    period text not null,
    limit_micros integer not null,
    warn_percent integer not null,
    stops integer not null,
    -- Goes up with each edit.
    revision integer not null,
    created_at integer not null,
    updated_at integer not null,
    unique (workspace_id, name)
) strict;
