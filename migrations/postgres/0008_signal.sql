-- The run that started this one, the step there and its attempt, and whether that step waits for the end.
alter table run add column parent_run_id uuid;
alter table run add column parent_step text;
alter table run add column parent_attempt bigint;
alter table run add column parent_waits boolean not null default false;
-- How many runs are around it; 0 for one that no run started.
alter table run add column depth bigint not null default 0;
-- Signals that its owner has not taken in; locked together with the row, so that none is overlooked.
alter table run add column signals bigint not null default 0;

create index run_by_parent on run (parent_run_id) where parent_run_id is not null;
create index run_signalled on run (owner_id) where signals > 0;

-- What reached a run from outside and waits to be taken in.
create table run_signal (
    id uuid primary key,
    run_id uuid not null references run (id) on delete cascade,
    -- The path of the step that it is for; null for the run itself.
    step text,
    attempt bigint not null,
    signal text not null,
    created_at timestamptz not null
);

create index run_signal_by_run on run_signal (run_id, created_at);
