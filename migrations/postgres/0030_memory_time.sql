-- What else a version says, so that an entry can be read as it stood at any kept moment. Versions from before have the group
-- that their entry has now; only newest versions know when they expire: an older one's end stands in the version after it.
alter table memory_version add column expires_at timestamptz;
alter table memory_version add column context_group text;
alter table memory_version add column context_position bigint;
-- The quarantine of the entry while this was its newest version; null of older ones, which know only since when.
alter table memory_version add column quarantine jsonb;
update memory_version set
    context_group = (select e.context_group from memory_entry e where e.id = memory_version.entry_id),
    context_position = (select e.context_position from memory_entry e where e.id = memory_version.entry_id)
where exists (select 1 from memory_entry e where e.id = memory_version.entry_id and e.context_group is not null);
update memory_version set
    expires_at = (select e.expires_at from memory_entry e where e.id = memory_version.entry_id),
    quarantine = (select e.quarantine from memory_entry e where e.id = memory_version.entry_id)
where content is not null and exists (
    select 1 from memory_entry e
    where e.id = memory_version.entry_id and e.version = memory_version.version
      and (e.expires_at is not null or e.quarantine is not null)
);

-- Which writes a version has seen: a change number for each actor. Null where an older program wrote it.
alter table memory_version add column seen jsonb;
-- How many texts stand beside the entry that nobody has merged.
alter table memory_entry add column siblings bigint not null default 0;

-- Texts that were written without having seen what stood there: kept beside the entry until a write has seen them.
create table memory_sibling (
    entry_id uuid not null references memory_entry (id) on delete cascade,
    -- The change number of its writing: its name.
    change bigint not null,
    content text not null,
    value jsonb not null,
    tags jsonb not null,
    metadata jsonb not null,
    importance double precision not null,
    source jsonb not null,
    trust text not null,
    context_group text,
    context_position bigint,
    expires_at timestamptz,
    -- The version that its writer had read; null when they had read none.
    base bigint,
    seen jsonb not null,
    at timestamptz not null,
    -- The version that has seen it, or the later sibling that has; both null while it is open.
    merged_version bigint,
    merged_change bigint,
    primary key (entry_id, change)
);

-- What was learned when: the versions of a workspace by their change numbers.
create index memory_version_change on memory_version (change);
