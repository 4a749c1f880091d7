-- Processes that hold an advisory lock under their id for as long as their connection lives: one whose lock is free is dead.
create table node (
    id uuid primary key,
    started_at timestamptz not null
);

-- Commands to runs that another process has in hand. Taken once, answered once, deleted by whoever asked.
create table run_command (
    id uuid primary key,
    run_id uuid not null references run (id) on delete cascade,
    workspace_id uuid not null references workspace (id),
    -- The process that is to obey.
    owner_id uuid not null,
    body text not null,
    created_at timestamptz not null,
    taken_at timestamptz,
    answer text
);

create index run_command_open on run_command (owner_id) where taken_at is null;
create index run_command_by_run on run_command (run_id);

-- The checksum of an event; null for those written before there was one.
alter table run_event add column checksum bigint;
-- Why a run was set aside: its history does not read. Nobody takes it in hand until this is null again.
alter table run add column damage text;
