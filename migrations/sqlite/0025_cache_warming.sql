-- So many minutes before a schedule fires, answers that it will ask for are asked for anew; 0 for never.
alter table cache_setting add column warm_minutes integer not null default 0;

-- When an answer was asked for anew for a schedule, or that was tried last.
alter table cache_entry add column warmed_at integer;

-- What steps of runs asked the cache, where a workspace wants to know: what two runs of a schedule asked is asked again.
create table cache_asked (
    workspace_id blob not null references workspace (id),
    run_id blob not null,
    -- As in cache_entry.
    key blob not null,
    at integer not null,
    primary key (workspace_id, run_id, key)
) strict, without rowid;

create index cache_asked_by_key on cache_asked (workspace_id, key);
create index cache_asked_by_age on cache_asked (at);
