-- Who shaped what a run does after it began: gave an output, answered, sent an event, moved it to another version. What a run does with
-- memory reaches no further than each of them.
create table run_hand (
    run_id uuid not null references run (id) on delete cascade,
    -- They may be gone.
    user_id uuid not null,
    primary key (run_id, user_id)
);

-- Who saved the draft that the run is a test of; null for a version, and where it is not known.
alter table run add column drafted_by uuid;

-- Who saved the draft last.
alter table workflow add column saved_by uuid;
update workflow set saved_by = owner_id;

-- Who sent the event; null for the program itself.
alter table event add column sent_by uuid;
