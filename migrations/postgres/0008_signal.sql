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

-- Who started the run, for approvals that this person may not give; runs that it starts in turn inherit it.
alter table run add column started_by_id uuid;

-- What people are asked: a projection of the histories, written in the same transaction.
create table approval (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    run_id uuid not null references run (id) on delete cascade,
    step text not null,
    attempt bigint not null,
    question text not null,
    votes text not null,
    -- E-mail addresses that were let in by those who may answer.
    delegates text not null,
    created_at timestamptz not null,
    deadline_at timestamptz,
    outcome text,
    decided_at timestamptz
);

create index approval_open on approval (workspace_id, created_at) where outcome is null;
create index approval_by_run on approval (run_id);
create index approval_decided on approval (workspace_id, decided_at) where outcome is not null;

-- Locked by whoever sends an event and by whoever begins to wait for it, so that they don't miss each other.
create table event_key (
    workspace_id uuid not null references workspace (id),
    key text not null,
    touched_at timestamptz not null,
    primary key (workspace_id, key)
);

create table event_wait (
    run_id uuid not null references run (id) on delete cascade,
    step text not null,
    attempt bigint not null,
    workspace_id uuid not null references workspace (id),
    key text not null,
    fields text not null,
    primary key (run_id, step)
);

create index event_wait_by_key on event_wait (workspace_id, key);

-- Events as they were sent; kept for runs that come to wait for them a little later.
create table event (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    key text not null,
    payload text not null,
    -- The sender's id of it: the same one is taken once.
    sender_id text,
    created_at timestamptz not null
);

create unique index event_once on event (workspace_id, sender_id) where sender_id is not null;
create index event_by_key on event (workspace_id, key, created_at);
create index event_by_age on event (created_at);
