-- Who the words of an entry came from: user, tool, model or web. Older ones are told by who wrote them.
alter table memory_entry add column trust text not null default 'user';
alter table memory_version add column trust text not null default 'user';
update memory_entry set trust = case
    when metadata ->> 'agent' is not null and metadata ->> 'trust' = 'untrusted' then 'web'
    when metadata ->> 'agent' is not null then 'model'
    else 'tool' end
where source ->> 'kind' = 'run';
update memory_version set trust = case
    when metadata ->> 'agent' is not null and metadata ->> 'trust' = 'untrusted' then 'web'
    when metadata ->> 'agent' is not null then 'model'
    else 'tool' end
where source ->> 'kind' = 'run';

-- That it is, or was, set aside until a person has looked at it, as JSON; and since when, while it is.
alter table memory_entry add column quarantine text;
alter table memory_entry add column quarantined_at integer;
-- When the entry was set aside while this was its newest version.
alter table memory_version add column quarantined_at integer;
create index memory_entry_quarantine on memory_entry (workspace_id, change) where quarantined_at is not null;

-- What a workspace wants done about what is written: in the row that every write reads. A JSON list of labels that are looked at.
alter table memory_change add column quarantine text not null default '["model","web"]';
-- What becomes of a new entry that says nearly the same as another: keep, merge or refuse.
alter table memory_change add column duplicates text not null default 'keep';
-- The key under which a version was to be written that became one of another entry.
alter table memory_version add column merged_from text;
