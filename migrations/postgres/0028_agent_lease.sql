-- What agents have to themselves or share for a while, and who waits for it. A row goes with its step, and with its run.
create table agent_lease (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    -- Who has it or waits for it: a step of a run.
    run_id uuid not null references run (id) on delete cascade,
    step text not null,
    agent_id uuid not null,
    agent_name text not null,
    -- file, repository or name, and which: a path in full, or a name.
    kind text not null,
    name text not null,
    -- shared or exclusive
    mode text not null,
    -- held, waiting, or over: refused or ended by somebody, and its holder does not know yet.
    state text not null,
    -- Why it is over.
    reason text not null,
    -- A tool took it by itself.
    is_own boolean not null,
    -- The fencing token of the run when it asked.
    lease_token bigint not null,
    asked_at timestamptz not null,
    held_at timestamptz,
    -- Its place among those who ask; only goes up.
    turn bigint not null,
    -- Whoever waited for it has not been told yet how that ended.
    untold boolean not null
);

create unique index agent_lease_by_holder on agent_lease (run_id, step, kind, name, mode);
create index agent_lease_by_workspace on agent_lease (workspace_id, turn);
create index agent_lease_open on agent_lease (workspace_id) where state = 'waiting' or untold;

-- One row a workspace, locked by whoever asks for a lease or gives one.
create table agent_lease_gate (
    workspace_id uuid primary key references workspace (id),
    turn bigint not null
);
