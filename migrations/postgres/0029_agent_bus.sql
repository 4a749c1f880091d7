-- The agents that work under one run, and what they write to each other. All of it goes with the run.
create table agent_team (
    -- The run that no other run is around.
    run_id uuid primary key references run (id) on delete cascade,
    workspace_id uuid not null references workspace (id),
    -- Who may write to whom, as JSON.
    rule jsonb not null,
    -- How many took a seat, and the number of the newest message.
    seats bigint not null,
    messages bigint not null,
    changed_at timestamptz not null
);

create index agent_team_workspace on agent_team (workspace_id);

-- Who works there, and what each is called. An agent may be gone.
create table agent_seat (
    root_id uuid not null references agent_team (run_id) on delete cascade,
    handle text collate "C" not null,
    agent_id uuid not null,
    agent_name text not null,
    run_id uuid not null,
    step text collate "C" not null,
    -- The handle of who asked it to work, if an agent of the team did.
    above text,
    -- From 1, in the order in which they came.
    place bigint not null,
    joined_at timestamptz not null,
    primary key (root_id, handle),
    unique (root_id, run_id, step)
);

-- What was written. What is signed is stored as text, so that it is read back as it was.
create table agent_message (
    root_id uuid not null references agent_team (run_id) on delete cascade,
    number bigint not null,
    sender text not null,
    agent_id uuid not null,
    run_id uuid not null,
    step text not null,
    -- A handle, or *.
    addressed text not null,
    -- The handles that it went to, as JSON.
    receivers text not null,
    kind text not null,
    body text not null,
    -- What came with the words, as JSON; empty: nothing.
    data text not null,
    -- Whose words they may be: model or web.
    trust text not null,
    -- What it was sent under: the same call sends one message.
    send_key text not null,
    signature bytea not null,
    sent_at timestamptz not null,
    primary key (root_id, number),
    unique (root_id, send_key)
);

-- Who was to read it, and under which call they took it: the same call is given the same messages, another never.
create table agent_delivery (
    root_id uuid not null,
    receiver text collate "C" not null,
    number bigint not null,
    taken_key text,
    taken_at timestamptz,
    primary key (root_id, receiver, number),
    foreign key (root_id, number) references agent_message (root_id, number) on delete cascade
);

create index agent_delivery_message on agent_delivery (root_id, number);
