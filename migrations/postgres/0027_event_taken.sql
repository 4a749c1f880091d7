-- Which events each run has taken: an event is handed to each run once.
create table event_taken (
    run_id uuid not null references run (id) on delete cascade,
    event_id uuid not null references event (id) on delete cascade,
    primary key (run_id, event_id)
);

create index event_taken_by_event on event_taken (event_id);

-- The event that was handed to this wait, and is not taken in yet: what else comes is for the next one.
alter table event_wait add column event_id uuid;
-- Since when it waits: who has waited longest is served first. Null for those from before.
alter table event_wait add column since timestamptz;

-- Who fired by hand, and counts as who started the run.
alter table trigger_firing add column fired_by text;
alter table trigger_firing add column fired_by_id uuid;
